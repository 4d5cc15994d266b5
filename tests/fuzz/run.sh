#!/bin/sh
# Long fuzzing with clang's libFuzzer, address and undefined-behaviour sanitizers: sh tests/fuzz/run.sh SECONDS [TARGET]...
# Inputs that reach new code are kept in build/fuzz/TARGET, findings as build/fuzz/crash-*; each finding belongs into
# tests/data/fuzz/TARGET, where the tests replay it.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:?usage: run.sh SECONDS [TARGET]...}
shift
[ $# -gt 0 ] || set -- mbw safetensors pickle zip json http picture frames
work=$root/build/fuzz
mkdir -p "$work/objects"
cd "$work"
: "${CC:=clang}"
flags="-std=c11 -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -w"
flags="$flags -I$root/engine/include -I$root/engine -I$root/kernels -I$root/weights_tool -I/usr/include/stb"
flags="$flags -DMB_HAVE_JPEG=1 -DMB_HAVE_PNG=1"
libraries="-ljpeg -lpng -lz -lm -lpthread -ldl"
for library in TIFF:libtiff-4 HEIF:libheif JXL:libjxl; do # opened at run time: their headers are enough
    if pkg-config --exists "${library#*:}" 2>/dev/null; then
        flags="$flags -DMB_HAVE_${library%%:*}=1 $(pkg-config --cflags "${library#*:}")"
    fi
done
if pkg-config --exists libwebpdemux 2>/dev/null; then
    flags="$flags -DMB_HAVE_WEBP=1"
    libraries="$libraries -lwebpdemux -lwebp"
fi
printf '#include "manager/catalogue.h"\nconst char catalogue_text[] = "";\n' >catalogue_text.c
for source in "$work/catalogue_text.c" "$root"/engine/core/*.c "$root"/engine/weights/*.c "$root"/engine/image/*.c \
    "$root"/engine/image/codec/*.c "$root"/engine/image/resample/*.c "$root"/engine/image/compose/*.c \
    "$root"/weights_tool/zip.c "$root"/weights_tool/pickle*.c "$root"/weights_tool/manager/catalogue.c \
    "$root"/weights_tool/manager/http_answer.c; do
    object=objects/$(basename "$(dirname "$source")")-$(basename "$source" .c).o
    if [ ! "$object" -nt "$source" ]; then
        # shellcheck disable=SC2086 # several flags
        $CC $flags -c "$source" -o "$object"
    fi
done
code=0
for target in "$@"; do
    seeds=$root/tests/data/fuzz/$target
    [ "$target" = picture ] && seeds=$root/tests/data/pictures/files
    [ "$target" = frames ] && seeds=$root/tests/data/pictures/animated
    # shellcheck disable=SC2086
    $CC $flags -fsanitize=fuzzer "$root/tests/fuzz/$target.c" objects/*.o $libraries -o "fuzz_$target"
    mkdir -p "$target"
    echo "== $target"
    "./fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=20000 -print_final_stats=1 \
        "$target" "$seeds" >"$target.log" 2>&1 || code=1
    grep -E "stat::number_of_executed_units|stat::peak_rss|SUMMARY|Test unit written" "$target.log" || true
done
exit $code
