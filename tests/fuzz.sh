#!/bin/sh
# Fuzzing with clang's libFuzzer, address and undefined-behaviour sanitizers:
#
#     sh tests/fuzz.sh --list                     the targets
#     sh tests/fuzz.sh TARGET SECONDS [SEED]      runs one; SEED 0 or none: another each time
#     sh tests/fuzz.sh --all SECONDS [SEED]       runs each for so long, one after the other
#     sh tests/fuzz.sh --build [TARGET]...        builds only
#
# Builds in build-fuzz (MB_FUZZ_BUILD=FOLDER for another). Inputs that reach new code stay in build-fuzz/corpus/TARGET and are
# the next run's first inputs, findings in build-fuzz/findings/TARGET; a finding makes the exit code 1, and so does a run of
# fewer than 100 executions (MB_FUZZ_LEAST=N), which tests nothing. A finding is mended with its kind, and its input (smallest form) becomes a file in tests/data/regressions/TARGET, which the tests replay.
# MB_FUZZ_PLAIN=1: without the address and undefined-behaviour sanitizers, in build-fuzz-plain: about three times as many inputs in
# the same time, for crashes, hangs and the properties that the targets state. Its lines in the log are called TARGET/plain.
# MB_FUZZ_BUILT=1: the programs are there. MB_FUZZ_TIMEOUT=SECONDS (10) for one input, of the clock: more on a busy machine.
# MB_FUZZ_LOG=FILE gets a line for each run: target, executions, seconds, date, commit, findings, separated by tabs.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
plain=${MB_FUZZ_PLAIN:+-plain} sanitizers=,address,undefined
[ -z "$plain" ] || sanitizers=
build=${MB_FUZZ_BUILD:-$root/build-fuzz$plain}
list=$root/tests/fuzz/targets.txt

usage() {
    sed -n '2,7p' "$0" >&2
    exit 2
}

configure() {
    [ -f "$build/CMakeCache.txt" ] && return
    : "${CC:=clang}"
    cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER="$CC" -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=-O2 -gline-tables-only" \
        "-DMATTEBOX_SANITIZE=fuzzer-no-link$sanitizers" -DMATTEBOX_LIBFUZZER=ON -DMATTEBOX_CUDA=OFF \
        -DMATTEBOX_BENCHMARKS=OFF >"$root/build-fuzz.log" 2>&1 || { cat "$root/build-fuzz.log" >&2; exit 1; }
    mv "$root/build-fuzz.log" "$build/configure.log"
}

case ${1:-} in
--list)
    awk '/^[a-z]/ { text = ""; for (i = 8; i <= NF; i++) text = text " " $i; printf "%-16s %-4s%s\n", $1, $2, text }' "$list"
    exit 0 ;;
--build)
    shift
    [ $# -gt 0 ] || set -- $(awk '/^[a-z]/ { print $1 }' "$list")
    configure
    targets=fuzz_seeds
    for t in "$@"; do targets="$targets fuzz_$t"; done
    # shellcheck disable=SC2086 # several targets
    cmake --build "$build" -j2 --target $targets
    exit ;;
--all)
    [ -n "${2:-}" ] || usage
    code=0
    for t in $(awk '/^[a-z]/ { print $1 }' "$list"); do
        sh "$0" "$t" "$2" "${3:-0}" || code=1
    done
    exit $code ;;
-* | "") usage ;;
esac
target=$1
seconds=${2:-}
seed=${3:-0}
[ -n "$seconds" ] || usage
longest=$(awk -v t="$target" '$1 == t { print $4 }' "$list")
[ -n "$longest" ] || { echo "$0: no target is called $target (--list names them)" >&2; exit 2; }
if [ -z "${MB_FUZZ_BUILT:-}" ]; then
    configure
    cmake --build "$build" -j2 --target "fuzz_$target" fuzz_seeds >"$build/build.log" 2>&1 ||
        { tail -n 30 "$build/build.log" >&2; exit 1; }
fi
"$build/fuzz_seeds" "$build/seeds"
corpus=$build/corpus/$target findings=$build/findings/$target
mkdir -p "$corpus" "$findings" "$build/logs"
before=$(ls "$findings" | wc -l)
set -- "$corpus"
for folder in "$build/seeds/$target" "$root/tests/data/fuzz/$target" "$root/tests/data/regressions/$target"; do
    [ -d "$folder" ] && set -- "$@" "$folder"
done
dictionary=$root/tests/fuzz/$target.dict
[ ! -f "$dictionary" ] || set -- "-dict=$dictionary" "$@"
log=$build/logs/$target.log
code=0
# quarantine, stack traces and filled memory of the allocator cost most of the time; the smaller ones find the same faults
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=4:malloc_context_size=4:max_malloc_fill_size=512:allocator_may_return_null=1:detect_stack_use_after_return=0}"
"$build/fuzz_$target" -max_total_time="$seconds" -seed="$seed" -max_len="$longest" -timeout="${MB_FUZZ_TIMEOUT:-10}" -rss_limit_mb=2048 \
    -malloc_limit_mb=512 -print_final_stats=1 -print_funcs=0 -artifact_prefix="$findings/" "$@" >"$log" 2>&1 || code=1
value() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
cover=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/\1 branches (\2 with counts), corpus \3/p' "$log" | tail -n 1)
executions=$(value number_of_executed_units)
executions=${executions:-0}
found=$(($(ls "$findings" | wc -l) - before))
# The same input once more has the same name, and a fault before the first input has none.
[ "$code" -eq 0 ] || [ "$found" -gt 0 ] || found=1
echo "$target: $executions executions, $(value average_exec_per_sec)/s, ${cover:-no coverage}, $(value peak_rss_mb) MiB, $found findings"
if [ -n "${MB_FUZZ_LOG:-}" ]; then
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$target${plain:+/plain}" "$executions" "$seconds" "$(date -u +%Y-%m-%d)" \
        "$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo -)" "$found" >>"$MB_FUZZ_LOG"
fi
if [ "$code" -ne 0 ] || [ "$found" -gt 0 ]; then
    grep -E 'SUMMARY|does not hold|runtime error|ERROR: ' "$log" | head -n 5 >&2 || true
    echo "the inputs lie in $findings, the log is $log" >&2
    exit 1
fi
if [ "$executions" -lt "${MB_FUZZ_LEAST:-100}" ]; then
    echo "$0: $target: only $executions executions in $seconds s, which tests nothing (the log is $log)" >&2
    exit 1
fi
