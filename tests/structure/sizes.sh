#!/bin/sh
# Files of at most 600 lines, functions of at most 120 (from the line of the opening brace to the closing one).
. "$(dirname "$0")/sources.sh"

found=$(sources engine kernels weights_tool app benchmarks tests | grep -v -e '^engine/include/' -e '^tests/cuda/emulate.cpp$' | xargs awk '
FNR == 1 { if (last != "" && lines > 600) print last ": " lines " lines, at most 600"; last = FILENAME; start = 0 }
{ lines = FNR }
/^\{$/ { start = FNR; name = before }
/^\}/ { if (start && FNR - start + 1 > 120) print FILENAME ":" start ": " FNR - start + 1 " lines, at most 120: " name
        start = 0 }
/^[a-zA-Z]/ { before = $0 }
END { if (lines > 600) print last ": " lines " lines, at most 600" }')
verdict "$found"
