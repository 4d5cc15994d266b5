#!/bin/sh
# The hostile corpus, whole: some 74,000 files that are made from sound ones by rules (tests/hostile), read in one process, each
# within 2 s. sh tests/hostile.sh [BUILD] compares the verdicts with tests/hostile/manifest.txt (CTest does so with every
# 20th file); --write before BUILD makes the manifest anew, after a change that is meant. A build with sanitizers
# (-DMATTEBOX_SANITIZE=address,undefined) sees more than one without.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
write=
[ "${1:-}" != --write ] || { write=--write; shift; }
build=${1:-$root/build}
cmake --build "$build" --target hostile fuzz_seeds
"$build/fuzz_seeds" "$build/seeds"
# shellcheck disable=SC2086 # none or one
"$build/hostile" "$root/tests/hostile/manifest.txt" "$build/seeds" "$root/tests/data" $write
