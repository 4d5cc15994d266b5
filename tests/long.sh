#!/bin/sh
# Everything that takes longer than CI may, one stage after the other, outside CI:
#
#     sh tests/long.sh [HOURS]            all stages, about that long (8); goes on where it was stopped
#     sh tests/long.sh HOURS STAGE...     these stages
#     sh tests/long.sh --list             their names
#
# build/long/report.md gets a line for each stage that has run (result, seconds, date, commit), build/long/STAGE.log what
# it printed, build/long/done the stages of this round. A stage whose tools are missing says so and is skipped. The exit
# status is 1 if a stage failed. Low priority is the caller's choice: nice -n 19 sh tests/long.sh 8
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/build/long
stages="determinism machines faults faults_asan kills traced races integers narrow uninitialised valgrind static coverage hostile fuzz endurance"
if [ "${1:-}" = --list ]; then
    printf '%s\n' $stages
    exit
fi
hours=${1:-8}
[ $# -eq 0 ] || shift
[ $# -eq 0 ] || stages=$*
mkdir -p "$work"
cd "$root" || exit 2
# Half of the time is for fuzzing and endurance, which use what they are given; the others take what they take.
slice=$(awk "BEGIN { print int($hours * 3600 / 4) }")

run() { sh "$root/tests/run.sh" "$@"; }
need() { command -v "$1" >/dev/null || { echo "needs $1"; exit 77; }; }

stage_determinism() { run --long --only '^(api/same_bytes|models/invariants|models/precision)$'; }
stage_machines() {
    need qemu-x86_64
    built "$root/build/test-release" -DCMAKE_BUILD_TYPE=Release -- mattebox_app
    sh "$root/tests/machines.sh" "$root/build/test-release"
}
stage_faults() { run --long --only '^(fault/|core/output_fault|format/alloc_fault|cli/models_kill|cli/surroundings)'; }
stage_faults_asan() { run --long --asan --only '^(fault/allocations|format/alloc_fault)'; }
stage_kills() { MATTEBOX_KILLS=${MATTEBOX_KILLS:-500} run --only '^(fault/killed|cli/models_kill)$'; }
# usage: built FOLDER CMAKE_OPTION... -- TARGET...: a build folder with these targets
built() {
    folder=$1 options=
    shift
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # several options
    [ -f "$folder/CMakeCache.txt" ] || cmake -S "$root" -B "$folder" -G Ninja -DMATTEBOX_CUDA=OFF $options || exit 1
    cmake --build "$folder" --target "$@" || exit 1
}
stage_traced() {
    need strace
    built "$root/build/test-release" -DCMAKE_BUILD_TYPE=Release -- mattebox_app mattebox-weights
    sh "$root/tests/fault/traced.sh" "$root/build/test-release"
}
stage_races() { run --tsan --only '^(core/(threads|task)|api/(threads_share|public|cancel)|models/invariants|server/(routes|limits|sandbox))$' -- -DMATTEBOX_CUDA=OFF; }
stage_integers() { sh "$root/tests/checked.sh" integers "${CHECKED_SECONDS:-120}"; }
stage_narrow() { sh "$root/tests/checked.sh" narrow "${CHECKED_SECONDS:-120}"; }
stage_uninitialised() { sh "$root/tests/checked.sh" memory "${CHECKED_SECONDS:-120}"; }
stage_valgrind() {
    need valgrind
    sh "$root/tests/checked.sh" valgrind
}
stage_static() { sh "$root/tests/checked.sh" static; }
stage_coverage() {
    need gcovr
    sh "$root/tests/checked.sh" coverage
}
stage_hostile() {
    built "$root/build/test-asan" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DMATTEBOX_SANITIZE=address,undefined -- hostile
    sh "$root/tests/hostile.sh" "$root/build/test-asan"
}
stage_fuzz() {
    need clang
    n=$(sh "$root/tests/fuzz.sh" --list | grep -c .)
    MB_FUZZ_LOG=${MB_FUZZ_LOG:-$work/campaign.tsv} sh "$root/tests/fuzz.sh" --all $((slice / n + 1))
}
stage_endurance() { sh "$root/tests/endurance.sh" "$(awk "BEGIN { print $hours / 4 }")"; }

[ -f "$work/report.md" ] || printf '| stage | result | seconds | date | commit |\n| --- | --- | ---: | --- | --- |\n' >"$work/report.md"
touch "$work/done"
failed=0
for stage in $stages; do
    grep -qx "$stage" "$work/done" && continue
    begin=$(date +%s)
    echo "== $stage (log: build/long/$stage.log)"
    ("stage_$stage") >"$work/$stage.log" 2>&1
    case $? in
    0) result=passed ;;
    77) result="skipped: $(tail -n 1 "$work/$stage.log")" ;;
    *)
        result=FAILED
        failed=1
        ;;
    esac
    figures=$(grep -hoE '[0-9]+ failures injected.*|[0-9]+ kills:.*|[0-9]+% tests passed.*|[0-9]+ results or codes were wrong.*|lines: .*|[0-9]+ inputs.*|ERROR SUMMARY.*' "$work/$stage.log" |
        tail -n 3 | tr '\n' ';' | tr '|' '/')
    echo "$result $figures"
    printf '| %s | %s %s | %d | %s | %s |\n' "$stage" "$result" "$figures" $(($(date +%s) - begin)) "$(date '+%F %H:%M')" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" >>"$work/report.md"
    echo "$stage" >>"$work/done"
done
: >"$work/done" # a whole round: the next call begins anew
cat "$work/report.md"
exit $failed
