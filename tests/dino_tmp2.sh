#!/bin/sh
# BiRefNet with DINOv3, beyond the tests of every day (minutes; needs PyTorch):
#
#     tests/dino_v3.sh BUILD PYTHON [GOLDENS]
#
# 1. All goldens of GOLDENS (the oracle's folder), and the emulated CUDA graphs in all precisions.
# 2. Sizes, seeds and batches that no golden has, with all passes (nothing but the result is asked for), against
#    benchmarks/birefnet_dino_torch.py, in f32 too: positions of resized maps are rounded alike. PYTHON has torch, torchvision, numpy and safetensors; PYTHONPATH the folder
#    of birefnet_torch.py. Heads of 128 channels and other epsilons, blocks and periods are told to the converter.
set -eu
build=$(cd "$1" && pwd) python=$2 goldens=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$build/test-files/dino_v3
rm -rf "$work"
mkdir -p "$work"
failed=0

if [ -n "$goldens" ]; then
    MATTEBOX_GOLDENS=$goldens "$build/test_models_dino_v3" || failed=1
fi
for graph in tiny_dino tiny_dino_plus; do
    for precision in f32 f16 bf16; do
        if [ -x "$build/test_cuda_graphs" ]; then
            true $graph $precision || failed=1
        fi
    done
done

# VARIANT SEED SIZE BATCH LIMIT ENGINE-OPTIONS CONVERT-OPTIONS REFERENCE-OPTIONS: the largest difference over the largest
# logit is at most LIMIT
compare() {
    "$build/mattebox-weights" generate "birefnet-$1" --checkpoint --seed "$2" -q -f -o "$work/w.safetensors"
    # shellcheck disable=SC2086
    "$build/mattebox-weights" convert "$work/w.safetensors" -q -f $7 -o "$work/w.mbw"
    # shellcheck disable=SC2086
    "$python" "$here/../benchmarks/birefnet_dino_torch.py" "$work/w.safetensors" "$work/want.safetensors" --random "$2" \
        --size "$3" --batch "$4" $8
    # shellcheck disable=SC2086
    "$build/mattebox" tensors "$work/w.mbw" "$work/want.safetensors" "$work/got.safetensors" -q -f --device cpu $6
    "$python" - "$work" "$1 seed $2 $3 batch $4 $6 $7" "$5" <<'END' || failed=1
import sys
from safetensors.numpy import load_file
want, got = (load_file("%s/%s.safetensors" % (sys.argv[1], n))["logits"] for n in ("want", "got"))
off, most = float(abs(got - want).max()), float(abs(want).max())
print("%-70s off by %.2e of %.3g, %.1e" % (sys.argv[2], off, most, off / most))
sys.exit(not (got.shape == want.shape and off <= float(sys.argv[3]) * most))
END
}
compare tiny-dino 3 32x32 1 1e-5 "" "" ""
compare tiny-dino 4 32x416 1 1e-5 "" "" ""
compare tiny-dino 5 224x96 2 1e-5 "" "" ""
compare tiny-dino 6 352x288 1 1e-5 "" "" ""
compare tiny-dino 7 96x64 3 1e-5 "" "" ""
compare tiny-dino-plus 3 160x224 2 1e-5 "" "" ""
compare tiny-dino-plus 4 480x32 1 1e-5 "" "" ""
compare tiny-dino-eps 5 96x160 2 1e-5 "" "" ""
compare tiny-dino 8 96x160 1 1e-5 "" "--heads 1" "--heads 1"
compare tiny-dino 8 96x160 1 1e-5 "" "--output-blocks 2,5,8,11" "--outputs 2,5,8,11"
compare tiny-dino-eps 8 96x160 1 1e-5 "" "--norm-eps 1e-6" "--eps 1e-6"
compare tiny-dino 8 96x160 1 1e-5 "" "--rope-base 1000" "--base 1000"
compare tiny-dino 9 96x160 2 5e-2 "--precision bf16" "" ""
compare tiny-dino-plus 9 224x96 1 5e-2 "--precision bf16" "" ""
exit $failed
