#!/bin/sh
# PyMatting reads a 16-bit trimap as one without unknown pixels, and says nothing: load_image(path, "GRAY") gives 1 for every sample above 255 of
# 65535, so that the middle grey that means unknown becomes certain foreground, and a soft 16-bit alpha a hard mask. Without a mode, values go up to 257. Then everything that was to be solved is known, and the "alpha" is the coarse trimap. In the other direction
# save_image cuts off instead of rounding: half a level too dark in the mean, and 0.9999 is no longer opaque.
#
# Guess: values are a share of the file's largest sample, and the way back rounds.
# Seen on 30 November 2026 with PyMatting 1.1.16, pillow 13.0.0: unknown 32768 is read as 1.0. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pymatting==1.1.16 pillow==13.0.0 numpy
"$work/venv/bin/python" - "$work" <<'END_OF_PYTHON'
import sys

import numpy as np
import pymatting
from PIL import Image

trimap = np.zeros((16, 48), np.uint16)
trimap[:, 16:32] = 32768
trimap[:, 32:] = 65535
Image.fromarray(trimap).save(sys.argv[1] + "/wide.png")
Image.fromarray((trimap >> 8).astype(np.uint8)).save(sys.argv[1] + "/narrow.png")
for name, mode, unknown, largest in (("narrow", "GRAY", 128 / 255, 1), ("wide", "GRAY", 1, 1), ("wide", None, 128.5, 257)):
    found = pymatting.load_image(f"{sys.argv[1]}/{name}.png", mode)
    print(f"{name}.png, mode {mode}: background {found[8, 8]:.3f}, unknown {found[8, 24]:.3f}, foreground {found[8, 40]:.3f}")
    assert found[8, 8] == 0 and abs(found[8, 24] - unknown) < 0.005 and abs(found[8, 40] - largest) < 0.005
ramp = np.linspace(0, 1, 10000).reshape(10, 1000)
pymatting.save_image(sys.argv[1] + "/ramp.png", ramp)
off = np.asarray(Image.open(sys.argv[1] + "/ramp.png")) - 255 * ramp
print(f"save_image: off by {off.mean():+.3f} levels in the mean, {off.min():+.3f} to {off.max():+.3f}")
assert off.mean() < -0.49 and off.max() <= 0
END_OF_PYTHON
