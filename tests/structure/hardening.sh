#!/bin/sh
# What is shipped is hardened, as the ELF files themselves say, and small: hardening.sh BUILD MODEL
# MODEL: the small model that is linked in, whose bytes are not counted; may be missing.
set -eu
build=$1 model=$2
command -v readelf >/dev/null || { echo "no readelf here"; exit 77; }
grep -qE '^MATTEBOX_SANITIZE:[A-Z]+=.+' "$build/CMakeCache.txt" && { echo "built with sanitizers: not shipped"; exit 77; }
grep -qE '^CMAKE_BUILD_TYPE:[A-Z]+=(Debug)$' "$build/CMakeCache.txt" && { echo "a debug build: not shipped"; exit 77; }
failed=0
bad() { echo "$1: $2"; failed=1; }
model_bytes=0
[ ! -f "$model" ] || model_bytes=$(wc -c <"$model")
library=$(find "$build" -maxdepth 1 -type f -name 'libmattebox.so.*' | sort | tail -n 1)
for file in "$build/mattebox" "$build/mattebox-weights" "$library"; do
    name=$(basename "$file")
    [ -f "$file" ] || { bad "$name" "is not built"; continue; }
    readelf -W -h -l -d "$file" >"$build/hardening.txt"
    grep -q 'Type: *DYN' "$build/hardening.txt" || bad "$name" "is at a fixed address (no PIE)"
    grep -q 'GNU_RELRO' "$build/hardening.txt" || bad "$name" "has no RELRO segment"
    grep -qE 'BIND_NOW|FLAGS_1.*NOW' "$build/hardening.txt" || bad "$name" "binds lazily: its tables stay writable"
    grep 'GNU_STACK' "$build/hardening.txt" | grep -q 'RW ' || bad "$name" "has an executable stack"
    grep -oE 'NEEDED.*lib(microhttpd|gnutls|heif|tiff|jxl|curl|openblas)[^]]*' "$build/hardening.txt" | sed 's/.*\[//' | while read -r needed; do
        echo "$name is linked with $needed, which is to be opened when it is needed (docs/decisions/028)"
    done | grep . && failed=1
    grep -qE '\(RPATH\)' "$build/hardening.txt" && bad "$name" "has an RPATH"
    readelf -W --dyn-syms "$file" >"$build/hardening.txt"
    grep -q '__stack_chk_fail' "$build/hardening.txt" || bad "$name" "has no stack protector"
    grep -qE '__[a-z]+_chk' "$build/hardening.txt" || bad "$name" "is not fortified"
    if readelf -W -S "$file" | grep -q nv_fatbin; then
        echo "$name: with CUDA kernels, whose size is not judged"
        continue
    fi
    bytes=$(($(wc -c <"$file") - model_bytes * ($(wc -c <"$file") > model_bytes)))
    echo "$name: $((bytes / 1000)) kB beside the model"
    [ "$bytes" -lt 6000000 ] || bad "$name" "$bytes bytes without the model; 6,000,000 are the limit"
done
# Level 3, and branch protection of every object; the C library's own start files may lack it, so the programs may, too.
grep -o '"command":.*' "$build/compile_commands.json" | grep -E -e '/(engine|kernels|weights_tool|app)/' | grep -E ' -c [^ ]*\.c"' |
    grep -v -e '-D_FORTIFY_SOURCE=3' | grep -v /tests/ | head -n 3 | grep . && bad "compile_commands.json" "not all is compiled with -D_FORTIFY_SOURCE=3"
if grep -q 'MB_HAS_fcf_protection_full:INTERNAL=1' "$build/CMakeCache.txt"; then
    object=$(find "$build/CMakeFiles/mb_core.dir" -name 'text.c.o')
    readelf -n "$object" | grep -q 'IBT, SHSTK' || bad "$object" "has no marks of CET"
fi
exit $failed
