#!/bin/sh
# benchmarks/compare.py: wrong arguments are told in a line, a peer that is missing or fails is left out and named, and the
# table has what ran. The peer here is a module of its own that stands where ONNX Runtime would. compare.sh BUILD SOURCE
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
python3 -c 'import numpy' 2>/dev/null || { echo "skipped: no numpy (python3-numpy)"; exit 77; }
work=$build/test-files/compare
rm -rf "$work"
mkdir -p "$work/peer" "$work/broken"
cd "$work"
model=$build/demo.mbw
cat >peer/onnxruntime.py <<'PEER'
import numpy

__version__ = "0.0"


class SessionOptions:
    intra_op_num_threads = 0

    def add_session_config_entry(self, key, value):
        pass


class InferenceSession:
    def __init__(self, file, options, providers):
        pass

    def get_inputs(self):
        return [type("Input", (), {"name": "x"})]

    def run(self, outputs, inputs):
        n, _, h, w = inputs["x"].shape
        return [numpy.zeros((n, 1, h, w), numpy.float32)]
PEER
echo 'raise RuntimeError("this peer does not start")' >broken/onnxruntime.py
echo 'raise ImportError("no such peer")' >peer/openvino.py
cp peer/openvino.py broken/openvino.py

# usage: compare CODE [ARGUMENT]...: runs it, which must end with that code, without a traceback
compare() {
    wanted=$1 code=0
    shift
    python3 "$source/benchmarks/compare.py" "$@" >out.txt 2>err.txt || code=$?
    [ "$code" -eq "$wanted" ] || { echo "compare.py $*: exit code $code instead of $wanted"; cat err.txt; exit 1; }
    ! grep -q Traceback err.txt out.txt || { echo "compare.py $*: a traceback"; cat err.txt; exit 1; }
}
has() {
    grep -qE -e "$2" "$1" || { echo "$1 lacks \"$2\":"; cat "$1"; exit 1; }
}

for wrong in 64x 0x64 64x64x64 big -1; do
    compare 2 "$build" "$model" "--size=$wrong"
    has err.txt "$wrong: a size like 1024 or 1024x768"
done
for wrong in 0 two 1.5; do
    compare 2 "$build" "$model" "--runs=$wrong"
    has err.txt "$wrong: a number from 1"
done
compare 1 "$build" "$work/no.mbw"
has err.txt '^compare.py: mattebox: .*no\.mbw'
compare 1 "$work" "$model"
has err.txt '^compare.py: .*mattebox'

common="--size 128x192 --threads 1 --runs 1 --rounds 1"
export PYTHONPATH="$work/peer"
# shellcheck disable=SC2086 # several options
compare 0 "$build" "$model" $common --onnx none.onnx --markdown table.md --svg plot.svg --title 'a < b'
has err.txt '^openvino left out: .*no such peer'
has out.txt '^\| mattebox \| f32 \| [0-9.]+ \| 1\.00 \| [0-9.]+ \| [0-9]+ \| reference \|  \|$'
has out.txt '^\| mattebox, [^|]+ \| `--precision bf16` \|'
# Zero logits where ours are up to some units: the peer's error is as large as the output, and alpha's near a half.
python3 - <<'CHECK'
import re
text = open("out.txt").read()
of = float(re.search(r"whose output is at most ([0-9.e+-]+)\.", text).group(1))
row = next(line for line in text.splitlines() if line.startswith("| ONNX Runtime 0.0 "))
out, alpha = [cell.strip() for cell in row.split("|")[-3:-1]]
assert abs(float(out.split(",")[0]) - of) <= 0.01 * of, row
assert 0.3 < float(alpha.split(",")[0]) <= 0.5, row
CHECK
cmp out.txt table.md
has plot.svg 'a &lt; b'
python3 -c 'import xml.dom.minidom as x; x.parse("plot.svg")'

export PYTHONPATH="$work/broken"
# shellcheck disable=SC2086 # several options
compare 0 "$build" "$model" $common --onnx none.onnx
has err.txt '^ort left out: .*this peer does not start'
! grep -q "ONNX Runtime" out.txt || { echo "a peer that failed stands in the table"; exit 1; }
echo "compare.py: sizes, counts, missing files, a peer, a missing one, a failing one"
