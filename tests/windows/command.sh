# Of tests/windows.sh: the tests of the command line, built for Linux, with the Windows programs in the place of their own. Set: root,
# linux, windows, work; say; a wine that runs. Not run there, since they test what Windows has not or has in another way:
#   bench, frames, watch, triton, deploy   Linux alone, or times
#   models_get, models_tls, models_kill    no downloads on Windows
#   surroundings                           closed descriptors, pseudo terminals, signals, limits of processes
mkdir "$work/programs"
for program in mattebox mattebox-weights; do
    printf '#!/bin/sh\nexec wine "%s/%s.exe" "$@"\n' "$windows" "$program" >"$work/programs/$program"
    chmod +x "$work/programs/$program"
done
for name in usage look builtin pictures formats colour quality refine animations nothing_lost cut; do
    [ -x "$linux/test_cli_$name" ] || { echo "skipped cli/$name (not built)"; continue; }
    MATTEBOX_TEST_PROGRAMS="$work/programs" "$linux/test_cli_$name" </dev/null >"$work/log" 2>&1
    code=$?
    [ $code -eq 0 ] || [ $code -eq 77 ]
    say $? "cli/$name: $(tail -n 1 "$work/log" | tr -d '\r')"
    [ $code -eq 0 ] || grep -aE "^[^ ]*:[0-9]+:|FAIL" "$work/log" | head -20
done
