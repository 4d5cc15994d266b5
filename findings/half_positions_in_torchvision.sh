#!/bin/sh
# torchvision's deform_conv2d in float16 rounds not the values alone but the places where it samples: column plus offset is a float16
# number, whose steps are 1/8 pixel from column 128 on, 1/2 from 512, and 1 from 1024, where offsets under half a pixel do nothing at
# all. Stripes one pixel wide, read 0.3 pixels beside, give 0.3 / 0.7 at column 20, 0.25 / 0.75 at 200, a flat grey at 600 and the
# stripes themselves at 1500. BiRefNet's decoder rests on this operation: half precision costs it more the wider its maps are.
# bfloat16 is refused on the CPU.
#
# Guess: positions are computed in float32, as the sums of convolutions in float16 are.
# Seen on 30 November 2026 with torchvision 0.29.2 and torch 2.15.0, on the CPU. Fails if that changes. Downloads 3 GB.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir torch==2.15.0 torchvision==0.29.2 numpy
"$work/venv/bin/python" - <<'END'
import torch
import torchvision
from torchvision.ops import deform_conv2d

print("torch", torch.__version__, "torchvision", torchvision.__version__)
N = 2048
stripes = (torch.arange(N) % 2).float().view(1, 1, 1, N).repeat(1, 1, 3, 1)
weight = torch.ones(1, 1, 1, 1)
offset = torch.zeros(1, 2, 3, N)
offset[:, 1] = 0.3


def at(column, dtype):
    """The middle row at a column whose stripe is dark, and at the next."""
    out = deform_conv2d(stripes.to(dtype), offset.to(dtype), weight.to(dtype))[0, 0, 1].float()
    return [round(v, 2) for v in out[column : column + 2].tolist()]


seen = {}
for column in (20, 200, 600, 1500):
    seen[column] = at(column, torch.float16)
    print(f"column {column:4}: float32 {at(column, torch.float32)}, float16 {seen[column]}")
    assert at(column, torch.float32) == [0.3, 0.7]
assert abs(seen[20][0] - 0.3) < 0.02 and seen[200] == [0.25, 0.75]
assert seen[600] == [0.5, 0.5] and seen[1500] == [0.0, 1.0]
try:
    at(20, torch.bfloat16)
    raise SystemExit("bfloat16 runs now")
except RuntimeError as e:
    print("bfloat16:", str(e).splitlines()[0][-60:])
END
