#!/bin/sh
# Everything tested: sh tests/run.sh [--asan|--tsan] [--label NAME] [--without NAME] [--only REGEX] [-- CMAKE OPTION...]
# Release by default; --asan: the same tests with the address and undefined-behaviour sanitizers, --tsan: with that for
# threads. --label: one part (core ops graph models segment matting image format api cli cuda structure). --without: all but one
# part. --only: those whose names match.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/test-release
kind=-DCMAKE_BUILD_TYPE=Release
label=""
without=""
only=""
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
    --)
        shift
        break
        ;;
    *)
        echo "usage: sh tests/run.sh [--asan|--tsan] [--label NAME] [--without NAME] [--only REGEX] [-- CMAKE OPTION...]" >&2
        exit 2
        ;;
    esac
    shift
done
sh "$root/app/install-deps.sh"
jobs=$(nproc)
# shellcheck disable=SC2086 # $kind is several words
cmake -S "$root" -B "$build" -G Ninja $kind "$@" >/dev/null
cmake --build "$build" -j "$jobs"
cd "$build"
# OpenBLAS keeps its buffers until the end, and so do some of the system's libraries: only our leaks count.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
if [ -n "$only" ]; then
    exec ctest --output-on-failure -j "$jobs" -R "$only"
fi
if [ -n "$label" ]; then
    exec ctest --output-on-failure -j "$jobs" -L "^$label\$"
fi
if [ -n "$without" ]; then
    exec ctest --output-on-failure -j "$jobs" -LE "^$without\$"
fi
exec ctest --output-on-failure -j "$jobs"
