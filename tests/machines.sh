#!/bin/sh
# The same bytes on other processors of one instruction set: machines.sh BUILD. The program runs here, capped to a set (MATTEBOX_ISA),
# and under qemu as processors of other makers, which compute the instructions exactly and describe themselves otherwise (vendor,
# caches, features). qemu-user 7.2 has AVX2 and no AVX-512. It is thousands of times slower than a processor: five minutes, outside CI.
set -eu
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
command -v qemu-x86_64 >/dev/null || { echo "skipped: no qemu-x86_64 (qemu-user)"; exit 77; }
work=$build/test-files/machines
rm -rf "$work"
mkdir -p "$work"
cd "$work"
photo=$root/tests/data/pictures/chelsea.ppm

# usage: cut NAME COMMAND...: the same work by this command, results in NAME/
cut() {
    mkdir "$1"
    name=$1
    shift
    "$@" "$photo" --model demo --input-size 64x64 --detail none --threads 2 -q -o "$name/network.png"
    "$@" "$photo" --model saliency --detail guided --threads 2 -q -o "$name/guided.png"
    "$@" "$photo" --model saliency --grabcut --detail pymatting --threads 2 -q -o "$name/closed_form.png"
}

failed=0
for set in avx2 generic; do
    export MATTEBOX_ISA=$set
    cut "$set" "$build/mattebox"
    for processor in EPYC-Rome Haswell; do
        cut "$set-$processor" qemu-x86_64 -cpu $processor "$build/mattebox" 2>"$set-$processor.txt" || { cat "$set-$processor.txt"; exit 1; }
        for file in network guided closed_form; do
            cmp "$set/$file.png" "$set-$processor/$file.png" || failed=1
        done
        echo "$set: $processor has been through"
    done
done
[ $failed -eq 0 ] && echo "the same bytes on all of them"
exit $failed
