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
has() { grep -q "^MB_HAS_$1:INTERNAL=1" "$build/CMakeCache.txt"; }
start_files_marked=$(for f in crti.o Scrt1.o; do readelf -n "$(cc -print-file-name=$f)" 2>/dev/null; done | grep -c 'IBT, SHSTK' | grep -x 2 || true)
model_bytes=0
[ ! -f "$model" ] || model_bytes=$(wc -c <"$model")
library=$(find "$build" -maxdepth 1 -type f -name 'libmattebox.so.*' | sort | tail -n 1)
# The server and its decoder processes are the program itself. The backend of Triton is a library of its own.
set -- "$build/mattebox" "$build/mattebox-weights" "$library"
[ ! -f "$build/libtriton_mattebox.so" ] || set -- "$@" "$build/libtriton_mattebox.so"
for file in "$@"; do
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
    grep -qE 'LOAD.* RWE' "$build/hardening.txt" && bad "$name" "has a segment that is written and executed"
    grep -qE '\(TEXTREL\)' "$build/hardening.txt" && bad "$name" "changes its own code when it is loaded"
    grep -qE '\(RPATH\)' "$build/hardening.txt" && bad "$name" "has an RPATH"
    readelf -W --dyn-syms "$file" >"$build/hardening.txt"
    grep -q '__stack_chk_fail' "$build/hardening.txt" || bad "$name" "has no stack protector"
    grep -qE '__[a-z]+_chk' "$build/hardening.txt" || bad "$name" "is not fortified"
    risky='strcat|sprintf|vsprintf|gets|system|popen|mktemp|tmpnam'
    readelf -W -S "$file" | grep -q nv_fatbin || risky="$risky|strcpy" # the toolkit's static runtime has one of its own
    imported=$(grep -oE " ($risky)(@|\$)" "$build/hardening.txt" | tr -d ' @' | tr '\n' ' ')
    [ -z "$imported" ] || bad "$name" "imports $imported"
    # The linker keeps the marks only if every object has them, and Debian 12's C library has none in its start files.
    if has fcf_protection_full && [ -n "$start_files_marked" ]; then
        readelf -W -n "$file" 2>/dev/null | grep -q 'IBT, SHSTK' || bad "$name" "has no marks of CET: an object of it lacks them"
    fi
    if readelf -W -S "$file" | grep -q nv_fatbin; then
        echo "$name: with CUDA kernels, whose size is not judged"
        continue
    fi
    bytes=$(($(wc -c <"$file") - model_bytes * ($(wc -c <"$file") > model_bytes)))
    echo "$name: $((bytes / 1000)) kB beside the model"
    [ "$bytes" -lt 6000000 ] || bad "$name" "$bytes bytes without the model; 6,000,000 are the limit"
done
# Flags of every source of what is shipped, whatever folder it is in.
sources=$(grep -o '"command":.*' "$build/compile_commands.json" | grep -E -e '/(engine|kernels|weights_tool|app)/' | grep -E ' -c [^ ]*\.c"' | grep -v /tests/)
all_have() {
    missing=$(printf '%s\n' "$sources" | grep -v -e " $1" | grep -oE '[^ /]*\.c"$' | head -n 3)
    [ -z "$missing" ] || bad "compile_commands.json" "not all is compiled with $1: $(echo "$missing" | tr '\n' ' ')"
}
all_have -D_FORTIFY_SOURCE=3
all_have -fstack-protector-strong
all_have -Wvla
if has fstack_clash_protection; then
    all_have -fstack-clash-protection
fi
if has fcf_protection_full; then
    all_have -fcf-protection=full
    for object in $(find "$build/CMakeFiles" "$build/weights_tool" -name '*.c.o' | grep -v /tests/); do
        readelf -n "$object" | grep -q 'IBT, SHSTK' || bad "$object" "has no marks of CET"
    done
fi
[ -n "$sources" ] || bad "compile_commands.json" "names no source"
exit $failed
