#!/bin/sh
# BiRefNet's backbones beyond CI: all goldens, the networks by emulation, and sizes, seeds and batches that no golden has
# against PyTorch in f64 (benchmarks/birefnet_backbones_torch.py).
#   tests/backbones.sh BUILD [SHARED [PYTHON]]
# BUILD: with tests and the tools. SHARED: the folder with oracle/ and bench/ (default ../shared). PYTHON: with torch,
# torchvision, numpy and safetensors; without it the comparison is left out. Some ten minutes on two cores.
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shared=$(cd "${2:-$here/../shared}" && pwd)
python=$3
MATTEBOX_GOLDENS=$shared/oracle/goldens "$build/test_models_backbones"
for case in tiny_pvt resnet50 vgg16bn; do
    for precision in f32 f16 bf16; do
        (cd "$build/tests" && "$build/test_cuda_graphs" $case $precision)
    done
done
if [ -z "$python" ]; then
    echo "no Python given: no comparison with PyTorch"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH=$shared/bench:$shared/oracle

# compare MODEL SEED HxW BATCH: the largest difference of the logits
compare() {
    "$build/mattebox-weights" generate "birefnet-$1" --seed "$2" --checkpoint -f -q -o "$work/w.safetensors"
    "$build/mattebox-weights" convert "$work/w.safetensors" -f -q -o "$work/w.mbw"
    "$python" - "$3" "$4" "$2" "$work" << 'PY'
import sys
import numpy as np
from safetensors.numpy import save_file
h, w = map(int, sys.argv[1].split("x"))
x = np.random.default_rng(int(sys.argv[3])).standard_normal((int(sys.argv[2]), 3, h, w)).astype(np.float32)
x.tofile(sys.argv[4] + "/in.f32")
save_file({"input": x}, sys.argv[4] + "/in.safetensors")
PY
    "$build/mattebox" tensors "$work/w.mbw" "$work/in.safetensors" "$work/out.safetensors" --quiet --force
    "$python" "$here/benchmarks/birefnet_backbones_torch.py" "$work/w.safetensors" "$work/want.f32" \
        --input "$work/in.f32" --size "$3" --batch "$4"
    "$python" - "$1 seed $2 $3 x $4" "$work" << 'PY'
import sys
import numpy as np
from safetensors.numpy import load_file
got, want = load_file(sys.argv[2] + "/out.safetensors")["logits"].ravel(), np.fromfile(sys.argv[2] + "/want.f32", np.float32)
error, largest = float(abs(got - want).max()), float(abs(want).max())
print("%-36s %.2e of %.1f" % (sys.argv[1], error, largest))
sys.exit(error > 4e-5 * largest + 1e-5)
PY
}
for size in 64x64 64x96 160x64 96x128 224x288 352x96; do
    compare tiny-pvt 11 $size 1
done
compare tiny-pvt 12 96x64 3
compare pvt-v2-b0 13 160x96 2
compare pvt-v2-b5 14 96x64 1
for size in 32x32 32x96 96x64 160x224; do
    compare resnet50 15 $size 1
done
compare resnet50 16 64x32 2
for size in 64x64 64x160 96x96 224x64; do
    compare vgg16 17 $size 1
    compare vgg16bn 18 $size 1
done
compare vgg16bn 19 64x96 2
compare swin-s 20 96x64 1
