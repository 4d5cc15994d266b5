#!/bin/sh
# Line coverage of the parsers by their tests, fuzz seeds and regressions: sh tests/coverage.sh [BUILD]. Configures a build
# with gcov in BUILD (build-coverage), runs the tests that read files, and prints for each parser the share of lines that were
# reached and the lines that were not. Needs gcovr.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build-coverage}
parsers="engine/weights/reader.c engine/weights/safetensors.c engine/weights/safetensors_dtype.c engine/core/json_read.c
    engine/core/text.c weights_tool/zip.c weights_tool/pickle.c weights_tool/pickle_stack.c weights_tool/pickle_names.c
    weights_tool/pickle_build.c weights_tool/torch_zip.c weights_tool/source_index.c engine/image/codec/sniff.c
    engine/image/codec/exif.c engine/image/codec/metadata.c engine/image/codec/load_pnm.c engine/image/codec/load_psd.c
    engine/image/codec/load_hdr.c engine/image/codec/gif.c app/server/form.c app/server/guard.c"
[ -f "$build/CMakeCache.txt" ] || cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=-O1 -g --coverage" \
    -DMATTEBOX_CUDA=OFF -DMATTEBOX_BENCHMARKS=OFF >/dev/null
# The programs of these tests alone; server/page is a script.
labels='format|core|image|server'
targets=$(cd "$build" && ctest -N -L "$labels" -LE long |
    sed -n 's|.*: *[a-z]*/\(fuzz_.*\)$|\1|p; t; s|.*: *format/hostile$|hostile|p; t; /server.page$/d; s|.*#.*: *\([a-z]*\)/\(.*\)$|test_\1_\2|p')
# shellcheck disable=SC2086 # several targets
cmake --build "$build" -j"$(nproc)" --target mattebox_app mattebox-weights $targets
find "$build" \( -name '*.gcda' -o -name '*CompilerId.gcno' \) -delete # of earlier runs, and CMake's own trial
(cd "$build" && ctest -j"$(nproc)" -L "$labels" -LE long --output-on-failure >ctest.log) || { tail -n 30 "$build/ctest.log" >&2; exit 1; }
set --
for p in $parsers; do
    set -- "$@" --filter "$root/$p"
done
# shellcheck disable=SC2086
gcovr --root "$root" --object-directory "$build" "$@" --exclude-unreachable-branches --txt
