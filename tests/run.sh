#!/bin/sh
# All tests: sh tests/run.sh [--long] [--asan|--tsan] [--label NAME] [--without NAME] [--only REGEX] [-- CMAKE OPTION...]
# Release by default; --asan: the same tests with the address and undefined-behaviour sanitizers, --tsan: with that for
# threads. --label: one part (core ops graph models segment matting image format api cli cuda structure server). --without: all but one
# part. --only: those whose names match. --long: also what takes minutes (more cases of many tests, seeded bugs, the
# rehearsal of a run on a device).
#
# One program, built and run with what it needs: sh tests/run.sh [--asan|--tsan] one NAME [ARGUMENT...]
#     sh tests/run.sh one ops/conv2d                    all of its sub-tests
#     sh tests/run.sh one ops/conv2d "3x3 relu"         those whose name is or contains that; also --list, --each, --break
#     sh tests/run.sh --list                            the names of all programs
# They use the build folder of MATTEBOX_BUILD, or build/test-one, which is configured without CUDA, so that it is there in
# a minute and kept; a configured folder is taken as it is.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/test-release
kind=-DCMAKE_BUILD_TYPE=Release
label=""
without=""
skip="long"
only=""
one=""
list=""
usage() {
    echo "usage: sh tests/run.sh [--long] [--asan|--tsan] [--label NAME] [--without NAME] [--only REGEX] [-- CMAKE OPTION...]" >&2
    echo "       sh tests/run.sh [--long] [--asan|--tsan] one NAME [SUB-TEST...]     sh tests/run.sh --list" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --asan)
        build=$root/build/test-asan
        kind="-DCMAKE_BUILD_TYPE=RelWithDebInfo -DMATTEBOX_SANITIZE=address,undefined"
        ;;
    --tsan)
        build=$root/build/test-tsan
        kind="-DCMAKE_BUILD_TYPE=RelWithDebInfo -DMATTEBOX_SANITIZE=thread"
        ;;
    --long)
        skip=""
        export MATTEBOX_TEST_LONG=1
        ;;
    --only)
        only=${2:?--only needs a regular expression}
        shift
        ;;
    --label)
        label=${2:?--label needs a name}
        shift
        ;;
    --without)
        without=${2:?--without needs a name}
        shift
        ;;
    --list)
        list=yes
        ;;
    one)
        one=${2:?one needs the name of a test program, as in: one ops/conv2d}
        shift 2
        break
        ;;
    --)
        shift
        break
        ;;
    *)
        usage
        ;;
    esac
    shift
done
# OpenBLAS keeps its buffers until the end, and so do some of the system's libraries: only our leaks count.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}" LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$root/tests/leaks.txt:print_suppressions=0}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
jobs=$(nproc)

# The folder of `one` and --list.
configure_one() {
    build=${MATTEBOX_BUILD:-$(echo "$build" | sed 's/test-release$/test-one/; s/test-\(.san\)$/test-one-\1/')}
    # shellcheck disable=SC2086 # $kind is several words
    [ -f "$build/CMakeCache.txt" ] || cmake -S "$root" -B "$build" -G Ninja $kind -DMATTEBOX_CUDA=OFF >/dev/null
}
# Name and program of every test, a line each.
tests() {
    find "$build/tests" -name CTestTestfile.cmake -exec cat {} + |
        sed -n 's/^add_test(\[*=*\[*"*\([^]" ]*\)\]*=*\]*"* "\([^"]*\)".*/\1 \2/p'
}
if [ -n "$list" ]; then
    configure_one
    cmake "$build" >/dev/null # test files may be new
    tests | cut -d' ' -f1 | sort
    exit
fi
if [ -n "$one" ]; then
    configure_one
    tests | grep -q "^$one " || cmake "$build" >/dev/null
    target=$(basename "$(tests | awk -v name="$one" '$1 == name { print $2 }')")
    case $target in
    test_* | fuzz_*) ;;
    "")
        echo "no test is called $one; sh tests/run.sh --list shows them" >&2
        exit 2
        ;;
    *) # a script: it may need anything that is built, those of structure/ the objects of the libraries and programs
        case $one in
        structure/*) needs="mattebox mattebox_app mattebox-weights" ;;
        *) needs=all ;;
        esac
        # shellcheck disable=SC2086 # $needs is several words
        cmake --build "$build" -j "$jobs" --target $needs >"$build/one.log" 2>&1 || { cat "$build/one.log"; exit 1; }
        cd "$build"
        exec ctest --output-on-failure -R "^$one\$"
        ;;
    esac
    # the programs that tests of the command line start
    needs=$target
    case $one in
    cli/* | server/* | api/install) needs="$target mattebox_app mattebox-weights" ;;
    */fuzz_*) needs="$target fuzz_seeds" ;;
    esac
    # shellcheck disable=SC2086 # $needs is several words
    cmake --build "$build" -j "$jobs" --target $needs >"$build/one.log" 2>&1 || { cat "$build/one.log"; exit 1; }
    if [ $# -eq 0 ] && [ "${target#fuzz_}" != "$target" ]; then
        cd "$build"
        exec ctest --output-on-failure -R "^$one\$"
    fi
    exec "$build/$target" "$@"
fi
sh "$root/app/install-deps.sh"
# shellcheck disable=SC2086 # $kind is several words
cmake -S "$root" -B "$build" -G Ninja $kind "$@" >/dev/null
# Of a few tests only what they need is built, unless a script is among them, which may need anything.
targets=all
if [ -n "$only" ]; then
    programs=$(tests | awk -v only="$only" '$1 ~ only { n = split($2, part, "/"); print part[n] }')
    case $(echo "$programs" | grep -cvE '^(test|fuzz)_' || true) in
    0) targets="$programs mattebox_app mattebox-weights" ;;
    esac
fi
# shellcheck disable=SC2086 # several words
cmake --build "$build" -j "$jobs" --target $targets
cd "$build"
skip=$skip${skip:+${without:+|}}$without
set -- --output-on-failure -j "$jobs"
[ -z "$only" ] || set -- "$@" -R "$only"
[ -z "$label" ] || set -- "$@" -L "^$label\$"
[ -z "$skip" ] || set -- "$@" -LE "^($skip)\$"
exec ctest "$@"
