#!/bin/sh
# on_device.sh from end to end with the emulated kit: every step runs, the report is sound. rehearsal.sh BUILD SOURCE
set -eu
build=$1 source=$2 kit=$1/cuda-kit-rehearsal
rm -rf "$kit" && mkdir -p "$kit/bin" "$kit/goldens"
ln -s "$build/cuda-kit/kit" "$build/cuda-kit/mattebox" "$build/mattebox-weights" "$kit/bin"
cp "$source/tests/data/goldens/birefnet_tiny7_32x32.safetensors" "$kit/goldens"
cp "$source/tests/cuda/on_device.sh" "$kit"
export MATTEBOX_CUDA_LIBS="$build/cuda-standin" KIT_SMALL=1 KIT_SECONDS=3000 MATTEBOX_GOLDENS="$kit/goldens"
sh "$kit/on_device.sh" "$kit/out" || { cat "$kit/out/summary.txt"; exit 1; }
cat "$kit/out/summary.txt"
for step in setup rates op graph model determinism timing stress; do
    grep -q "\"step\":\"$step\"" "$kit/out/results.jsonl" || { echo "no step $step"; exit 1; }
done
if grep '"rc":[1-9]' "$kit/out/results.jsonl"; then
    echo "a step has failed"
    exit 1
fi
python3 - "$kit/out/results.jsonl" <<'PY' || exit 1
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) > 20, len(rows)
PY
