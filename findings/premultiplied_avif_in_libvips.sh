#!/bin/sh
# libvips hands the colours of an AVIF with premultiplied alpha on as they lie in the file, says nothing of it (no `premultiplied`
# among its fields), and multiplies them by alpha again when it flattens: half a white subject over white becomes grey. Its TIFF
# reader makes such pictures straight, and so do Pillow and OpenCV for AVIF.
#
# Guess: one rule for all formats: what a loader gives is straight, or a field says that it is not.
# Seen on 30 November 2026 with pyvips-binary 8.18.7 (libvips 8.18.7), pillow 13.0.0, opencv-python-headless 5.0.0.93. Fails if
# that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyvips==3.2.0 pyvips-binary==8.18.7 pillow==13.0.0 opencv-python-headless==5.0.0.93
"$work/venv/bin/python" - "$work" <<'END'
import sys

import cv2
import numpy as np
import pyvips
from PIL import Image

path = sys.argv[1] + "/half_white.avif"
half = np.full((64, 64, 4), (255, 255, 255, 128), np.uint8)
Image.fromarray(half).save(path, quality=100, subsampling="4:4:4", alpha_premultiplied=True)
vips = pyvips.Image.new_from_file(path)
colour = int(vips.numpy()[9, 9, 1])
flat = int(vips.flatten(background=[255, 255, 255]).numpy()[9, 9, 1])
pillow, opencv = Image.open(path).getpixel((9, 9))[1], int(cv2.imread(path, cv2.IMREAD_UNCHANGED)[9, 9, 1])
said = [f for f in vips.get_fields() if "premult" in f]
print(f"half transparent white: libvips {colour}, flattened over white {flat}; Pillow {pillow}, OpenCV {opencv}; fields that say so: {said}")
assert abs(colour - 128) <= 1 and abs(flat - 191) <= 2 and not said
assert pillow >= 254 and opencv >= 254
END
