#!/bin/sh
# Installs into an empty folder and uses what is there as a stranger would: CMake package (shared, static, C++),
# pkg-config, the header alone under strict flags. install.sh BUILD SOURCE CC CXX SANITIZE
set -eu
build=$1 source=$2 cc=$3 cxx=$4 sanitize=$5
work=$build/test-files/install
rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/prefix" >"$work/log" || { cat "$work/log"; exit 1; }
strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
include=$work/prefix/include
printf '#include <mattebox.h>\nint main(void) { return mb_status_name(MB_OK) == 0; }\n' >"$work/alone.c"
cp "$work/alone.c" "$work/alone.cpp"
# The header's own ways to begin an error, one for each language.
header=$source/engine/include/mattebox.h
printf 'int begin(void);\nint begin(void) { %s return err.code; }\n' "$(grep -o 'mb_error err = {0};' "$header")" >>"$work/alone.c"
printf 'int begin();\nint begin() { %s return err.code; }\n' "$(grep -o 'mb_error err{};' "$header")" >>"$work/alone.cpp"
# shellcheck disable=SC2086
"$cc" -std=c11 $strict -I"$include" -c "$work/alone.c" -o "$work/alone.o"
# shellcheck disable=SC2086
"$cxx" -std=c++17 $strict -I"$include" -c "$work/alone.cpp" -o "$work/alone.o"

# Only mb_ names are exported, and no internal one.
library=$(find "$work/prefix" -name 'libmattebox.so')
nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^mb_' | grep -vE '^(_init|_fini|_edata|_end|__bss_start|.*asan.*|.*odr.*)?$' &&
    { echo "exported, and not ours"; exit 1; }
"$cc" -E -P "$include/mattebox.h" | grep -oE '(^|[ *])mb_[a-z0-9_]+\(' | tr -d ' *(' | sort -u >"$work/declared"
nm -D --defined-only "$library" | awk '{print $3}' | grep '^mb_' | sort >"$work/exported"
diff "$work/declared" "$work/exported" || { echo "header and library differ (< declared, > exported)"; exit 1; }

flags=""
if [ -n "$sanitize" ]; then
    flags="-fsanitize=$sanitize"
fi
cmake -S "$source/tests/api/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$flags" \
    -DEXAMPLE="$source/docs/example.c" >"$work/log" || { cat "$work/log"; exit 1; }
cmake --build "$work/consumer" >"$work/log" || { cat "$work/log"; exit 1; }
"$work/consumer/cpp_shared"

model=$work/model.mbw
tool=$work/prefix/bin/mattebox-weights
"$tool" generate tiny_legacy --checkpoint -o "$work/checkpoint.safetensors" --quiet
"$tool" convert "$work/checkpoint.safetensors" -o "$model" --input-size 64x64 --patch-order rows --quiet
for kind in c_shared c_static; do
    "$work/consumer/$kind" "$model" "$source/docs/pictures/cat.jpg" "$work/$kind.png"
    test -s "$work/$kind.png"
done
cmp "$work/c_shared.png" "$work/c_static.png"

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name mattebox.pc)")
# shellcheck disable=SC2046,SC2086
"$cc" -std=c11 $flags "$source/docs/example.c" $(pkg-config --cflags --libs mattebox) -o "$work/by_pkg_config"
LD_LIBRARY_PATH=$(dirname "$library") "$work/by_pkg_config" "$model" "$work/nothing.jpg" "$work/x.png" 2>"$work/err" && exit 1
grep -q "nothing.jpg: no such file" "$work/err" || { cat "$work/err"; exit 1; }
echo "installed and used"
