#!/bin/sh
# Instructions per multiply-add of the inner loops (softmax, norm, gelu and Winograd's transforms: per value): NEON's beside AVX2's,
# both counted under QEMU. Twice the width of a vector does twice the work, so AVX2's count is doubled before they are compared.
# usage: instructions.sh BUILD BUILD_ARM [LIMIT]
# Needs qemu-user (with plugins, as Debian's has them) and bench_instructions in both builds. Fails above LIMIT (1.15).
set -eu
build=$1 arm=$2 limit=${3:-1.15}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 -shared -fPIC -fvisibility=hidden "$here/count.c" -o "$work/count.so"

# counts of 0 and of N rounds; prints instructions per multiply-add
per_mac() { # QEMU PROGRAM SET LOOP
    few=$($1 -cpu max -plugin "$work/count.so" "$2" "$3" "$4" 0 2>&1 >/dev/null | awk '/^instructions/ { print $2 }')
    many=$($1 -cpu max -plugin "$work/count.so" "$2" "$3" "$4" 8 2>"$work/count" | tail -1)
    awk -v few="$few" -v macs="$many" '/^instructions/ { printf "%.4f", ($2 - few) / macs }' "$work/count"
}

status=0
printf '%-14s %22s %22s %10s\n' loop 'AVX2, doubled' NEON ratio
while read -r loop avx2 neon; do
    a=$(per_mac qemu-x86_64 "$build/bench_instructions" "$avx2" "$loop")
    b=$(per_mac "qemu-aarch64 -L /usr/aarch64-linux-gnu" "$arm/bench_instructions" "$neon" "$loop")
    awk -v loop="$loop" -v a="$a" -v b="$b" -v avx2="$avx2" -v neon="$neon" -v limit="$limit" 'BEGIN {
        printf "%-14s %12s %9.4f %12s %9.4f %10.2f\n", loop, avx2, 2 * a, neon, b, b / (2 * a)
        exit b / (2 * a) > limit }' || status=1
done <<END
panel avx2 neon
product avx2 neon
softmax avx2 neon
attend avx2 neon
plane_row avx2 neon
shift_row avx2 neon
sample avx2 neon
winograd_in_6 avx2 neon
winograd_in_7 avx2 neon
winograd_out_6 avx2 neon
winograd_out_7 avx2 neon
norm avx2 neon
gelu avx2 neon
taps avx2 neon
panel16 fixed16_avx2 neon_bf16
END
exit $status
