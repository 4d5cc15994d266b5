#!/bin/sh
# The parsers and chosen tests under checkers that the default suite has no time for, outside CI:
#
#     sh tests/checked.sh memory SECONDS      clang's MemorySanitizer: the fuzz targets that use no outside library
#     sh tests/checked.sh integers SECONDS    clang's integer checks: unsigned overflow and lossy conversions, the same targets
#     sh tests/checked.sh narrow SECONDS      sizes of 32 bits (gcc -m32, address and undefined-behaviour sanitizers), the same targets
#     sh tests/checked.sh valgrind            forty-one tests under valgrind's memcheck
#     sh tests/checked.sh static              clang-tidy, cppcheck and gcc's -fanalyzer on the parsers
#     sh tests/checked.sh coverage            lines and branches of the parsers that the tests reach
#
# Exit status 77: a tool is missing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
what=${1:?usage: checked.sh memory|integers|narrow|valgrind|static|coverage [SECONDS]}
seconds=${2:-60}
targets="mbw safetensors pickle zip json catalogue answers"
work=$root/build/checked
mkdir -p "$work"
parsers="engine/weights/*.c engine/core/json*.c engine/core/text.c engine/core/hash.c engine/core/sized.c weights_tool/zip.c weights_tool/torch_zip.c weights_tool/pickle*.c
    weights_tool/source*.c weights_tool/manager/catalogue.c weights_tool/manager/http_answer.c engine/image/codec/sniff.c engine/image/codec/exif.c engine/image/codec/gif.c
    engine/image/codec/load_pnm.c engine/image/codec/load_psd.c engine/image/codec/load_hdr.c engine/image/codec/metadata.c engine/image/codec/frames*.c engine/image/codec/canvas.c"

# usage: sanitized NAME FLAGS...: the targets with clang, replayed and mutated
sanitized() {
    name=$1
    shift
    command -v "${CLANG:=clang-14}" >/dev/null || CLANG=clang
    command -v "$CLANG" >/dev/null || { echo "needs clang"; exit 77; }
    mkdir -p "$work/$name"
    cd "$work/$name"
    flags="-std=c11 -g -O1 -D_GNU_SOURCE -w -fno-omit-frame-pointer -I$root/engine/include -I$root/engine -I$root/kernels -I$root/weights_tool -I$root/tests"
    printf '#include "manager/catalogue.h"\nconst char catalogue_text[] = "";\n' >catalogue_text.c
    printf '#include "fuzz/seeds.h"\nvoid seeds_pictures(void)\n{\n}\n' >no_pictures.c
    failed=0
    rm -f ./*.o parsers.a
    # shellcheck disable=SC2046,SC2086 # several words
    "$CLANG" $flags "$@" -c catalogue_text.c "$root/tests/fuzz/driver.c" "$root/tests/fuzz/common.c" "$root/tests/fuzz/fault.c" "$root/tests/harness/failing.c" \
        $(ls "$root"/engine/core/*.c | grep -v -e _windows -e _macos) "$root"/engine/weights/*.c "$root"/weights_tool/zip.c \
        "$root"/weights_tool/writer.c "$root"/weights_tool/pickle*.c "$root"/weights_tool/manager/catalogue.c "$root"/weights_tool/manager/http_answer.c
    ar rcs parsers.a ./*.o
    "$CLANG" $flags "$@" -o fuzz_seeds no_pictures.c "$root/tests/fuzz/seeds.c" parsers.a \
        -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=posix_memalign,--wrap=free,--wrap=pthread_create -lm -lpthread -ldl $libraries &&
        ./fuzz_seeds seeds || { echo "the seeds cannot be made"; failed=1; }
    for target in $targets; do
        # shellcheck disable=SC2046 # several words
        set_target $(awk -v t="$target" '$1 == t { print $6, $7 }' "$root/tests/fuzz/targets.txt")
        # shellcheck disable=SC2086 # several words
        "$CLANG" $flags "$@" $defined -o "fuzz_$target" $sources parsers.a \
            -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=posix_memalign,--wrap=free,--wrap=pthread_create -lm -lpthread -ldl $libraries ||
            { echo "fuzz_$target cannot be built"; failed=1; continue; }
        dictionary=$root/tests/fuzz/$target.dict
        printf '%s, %s: ' "$name" "$target"
        "./fuzz_$target" --mutate "$seconds" "$dictionary" "seeds/$target" "$root/tests/data/fuzz/$target" "$root/tests/data/regressions/$target" >"$target.log" 2>&1 ||
            { failed=1; echo FAILED; head -n 40 "$target.log"; continue; }
        tail -n 1 "$target.log"
    done
    exit $failed
}
# usage: set_target SOURCES DEFINITION: as targets.txt has them
set_target() {
    sources=$(echo "$1" | tr ',' '\n' | sed "s|^|$root/tests/fuzz/|")
    defined=
    [ "$2" = - ] || defined=-D$2
}
libraries=-lz

case $what in
memory)
    # zlib is not instrumented: the zip reader's inflate would be called uninitialised; its target runs under the others
    targets="mbw safetensors pickle json catalogue answers"
    sanitized memory -fsanitize=memory -fsanitize-memory-track-origins -fno-sanitize-recover=all -fPIE -pie
    ;;
integers)
    # by design: hashes and generators of numbers wrap around
    printf 'fun:mb_hash*\nfun:*hash*\nfun:*sha256*\nfun:mix*\nfun:rotate*\nfun:compress*\nsrc:*/core/hash.c\nsrc:*/core/sha256.c\nsrc:*/fuzz/*\n' >"$work/by_design.txt"
    sanitized integers "-fsanitize=undefined,unsigned-integer-overflow,implicit-conversion,float-cast-overflow" -fno-sanitize-recover=all \
        "-fsanitize-ignorelist=$work/by_design.txt"
    ;;
narrow)
    # Debian: gcc-12-multilib and lib32z1; zlib's headers are those of 64 bits, which say the same
    CLANG=${NARROW_CC:-gcc-12} libraries=-l:libz.so.1
    headers=/usr/include/$(gcc -print-multiarch)
    printf '#include <zlib.h>\nint main(void)\n{\n    return zlibVersion() == 0;\n}\n' >"$work/narrow.c"
    "$CLANG" -m32 -idirafter "$headers" -fsanitize=address,undefined -o "$work/narrow_works" "$work/narrow.c" $libraries 2>/dev/null ||
        { echo "needs a compiler for -m32, and zlib"; exit 77; }
    sanitized narrow -m32 -D_FILE_OFFSET_BITS=64 -idirafter "$headers" -fsanitize=address,undefined -fno-sanitize-recover=all
    ;;
valgrind)
    command -v valgrind >/dev/null || { echo "needs valgrind"; exit 77; }
    build=${MATTEBOX_BUILD:-$root/build/test-release}
    [ -f "$build/CMakeCache.txt" ] || cmake -S "$root" -B "$build" -G Ninja -DMATTEBOX_CUDA=OFF >/dev/null
    failed=0 n=0
    # valgrind knows no AVX-512
    export MATTEBOX_ISA=avx2
    for test in ${VALGRIND_TESTS:-core_file core_hash core_json core_machine core_sort core_task core_threads format_mbw format_pickle format_safetensors format_torch format_torch_kinds \
        format_mutate format_convert format_nobg format_golden image_load image_compose image_convert image_feather image_layers image_recipe image_resize image_hostile \
        matting_closed_form matting_guided matting_foreground matting_trimap matting_levels matting_matte matting_rescale segment_candidates segment_maxflow segment_strokes \
        segment_plain graph_planner graph_passes graph_constants models_demo api_public api_find}; do
        [ -x "$build/test_$test" ] || cmake --build "$build" --target "test_$test" >/dev/null || { failed=1; continue; }
        n=$((n + 1))
        if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions="$root/tests/valgrind.txt" "$build/test_$test" >"$work/valgrind_$test.log" 2>&1; then
            echo "$test: clean"
        else
            code=$?
            echo "$test: exit code $code"
            grep -A 12 '^==' "$work/valgrind_$test.log" | head -n 30
            [ $code -eq 77 ] || failed=1
        fi
    done
    echo "$n tests under valgrind"
    exit $failed
    ;;
static)
    cd "$root"
    [ -f build/static/compile_commands.json ] || cmake -S . -B build/static -G Ninja -DMATTEBOX_CUDA=OFF >/dev/null
    includes="-Iengine/include -Iengine -Ikernels -Iweights_tool"
    : >"$work/static.txt"
    # shellcheck disable=SC2086 # several words
    {
        command -v clang-tidy-14 >/dev/null && clang-tidy-14 -p build/static --quiet \
            --checks='-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-implicit-widening-of-multiplication-result,-bugprone-reserved-identifier,-bugprone-sizeof-expression,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,cert-err33-c,-cert-err33-c' \
            $(ls $parsers) 2>/dev/null | grep -E 'warning:|error:'
        command -v cppcheck >/dev/null && cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr $includes $(ls $parsers) 2>&1 | grep -E ': (error|warning|portability):'
        for file in $(ls $parsers); do
            gcc -std=c11 -D_GNU_SOURCE -O2 -fanalyzer -c -o /dev/null $includes -I/usr/include/stb "$file" 2>&1 | grep -E 'warning: .*\[-Wanalyzer'
        done
    } | sed -E "s|$root/||; s|:[0-9]+:[0-9]+: |: |" | sort -u >"$work/static.txt" || true
    grep -vxFf "$root/tests/static.txt" "$work/static.txt" >"$work/new.txt" || true
    echo "$(grep -c . "$work/static.txt") findings, $(grep -c . "$work/new.txt") of them new"
    cat "$work/new.txt"
    [ ! -s "$work/new.txt" ]
    ;;
coverage)
    command -v gcovr >/dev/null || { echo "needs gcovr"; exit 77; }
    build=$root/build/coverage
    cmake -S "$root" -B "$build" -G Ninja -DMATTEBOX_CUDA=OFF -DMATTEBOX_BENCHMARKS=OFF -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=--coverage >/dev/null
    cmake --build "$build" >/dev/null
    (cd "$build" && ctest -L '^(core|format|image|fault|cli)$' -LE long >"$work/coverage.log" 2>&1) || tail -n 5 "$work/coverage.log"
    filters=$(cd "$root" && ls $parsers | sed "s|^|--filter $root/|")
    # shellcheck disable=SC2086 # several words
    gcovr --root "$root" "$build" $filters --exclude-unreachable-branches --txt "$work/coverage.txt" --print-summary
    ;;
*)
    echo "unknown: $what" >&2
    exit 2
    ;;
esac
