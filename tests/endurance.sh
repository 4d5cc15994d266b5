#!/bin/sh
# Mixed work for hours, with everything measured that must not grow, outside CI:
#
#     sh tests/endurance.sh HOURS [BUILD] [FOLDER]
#
# Batches of the program, the library in eight threads (tests/endurance/library.c) and a server that gets 5 % hostile
# bodies, all at once and at the lowest priority. Every result is compared with the first of its kind. FOLDER
# (build/endurance) receives report.txt, the samples (*.tsv) and what was wrong; Ctrl-C or SIGTERM ends it early, with the
# report. The exit status is 0 if nothing differed, crashed or grew.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
hours=${1:?usage: endurance.sh HOURS [BUILD] [FOLDER]}
build=${2:-$root/build/endurance-build}
folder=${3:-$root/build/endurance}
if [ ! -f "$build/CMakeCache.txt" ]; then
    cmake -S "$root" -B "$build" -G Ninja -DMATTEBOX_CUDA=OFF >/dev/null
fi
cmake --build "$build" --target mattebox_app mattebox-weights endurance_library >/dev/null
mkdir -p "$folder"
exec nice -n 19 python3 "$root/tests/endurance/run.py" "$root" "$build" "$hours" "$folder"
