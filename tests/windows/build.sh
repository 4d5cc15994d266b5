#!/bin/sh
# Builds what tests/windows.sh --quarter runs: the picture libraries that are required, mattebox.exe, some programs of the tests.
# usage: build.sh BUILD LABEL_NAME... Warnings are errors. What is missing is installed (app/install-deps.sh --windows).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
shift
mkdir -p "$build"
sh "$root/app/install-deps.sh" --windows
export MATTEBOX_CODECS_ONLY=required
sh "$root/cmake/cross/codecs.sh" windows "$build/codecs" "$build/codecs-work"
cmake -S "$root" -B "$build" -G Ninja --toolchain "$root/cmake/windows-x86_64.cmake" -DMATTEBOX_CROSS_PREFIX="$(cd "$build/codecs" && pwd)" \
    -DMATTEBOX_WERROR=ON -DMATTEBOX_CUDA=OFF >"$build/configure.log" || { cat "$build/configure.log" >&2; exit 1; }
# shellcheck disable=SC2046 # names without blanks
ninja -C "$build" --quiet mattebox_app $(printf 'test_%s ' "$@")
