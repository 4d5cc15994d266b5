#!/bin/sh
# All sources are as clang-format 14 leaves them. Skipped (77) where that version is not installed: others differ.
. "$(dirname "$0")/sources.sh"
: "${CLANG_FORMAT:=clang-format}"
case $("$CLANG_FORMAT" --version 2>/dev/null) in
*"version 14."*) ;;
*) echo "clang-format 14 is not installed"; exit 77 ;;
esac
found=$(sources engine kernels weights_tool app benchmarks tests | grep -E '\.(c|h|cu|cuh)$' |
    xargs "$CLANG_FORMAT" --dry-run --ferror-limit=1 2>&1 | grep 'warning: code should be clang-formatted')
verdict "$found"
