#!/bin/sh
# OpenImageIO writes one half-transparent white, which it holds multiplied by alpha (128, 128, 128, 128), with three different colours: 255 in PNG and
# TGA, 175 in WebP, whose writer divides in linear light, and 128 in JPEG XL, whose writer does not divide at all and marks the
# picture as not premultiplied. Straight all three, as far as a reader can tell, so soft edges get greyer from format to format. It does not get its own
# WebP back either: its reader multiplies the numbers as they are, and 128 returns as 88.
#
# Guess: what one library holds in one way, it writes as each format says, and reads back.
# Seen on 30 November 2026 with OpenImageIO 3.2.2.0; read by imagecodecs 2026.3.6. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q openimageio==3.2.2.0 imagecodecs==2026.3.6 pillow==13.0.0 numpy
"$work/venv/bin/python" - "$work" <<'END_OF_PYTHON'
import sys

import imagecodecs
import numpy as np
import OpenImageIO as oiio
from PIL import Image

half = np.full((32, 32, 4), 128, np.uint8)
for kind, wanted, again in (("png", 255, 128), ("tga", 255, 128), ("webp", 175, 88), ("jxl", 128, None)):
    path = f"{sys.argv[1]}/half.{kind}"
    out = oiio.ImageOutput.create(path)
    spec = oiio.ImageSpec(32, 32, 4, "uint8")
    spec.attribute("compression", "lossless:9" if kind == "webp" else "")
    if kind != "webp":
        spec.erase_attribute("compression")
    assert out.open(path, spec) and out.write_image(half) and out.close(), out.geterror()
    if kind in ("webp", "jxl"):
        found = getattr(imagecodecs, {"webp": "webp", "jxl": "jpegxl"}[kind] + "_decode")(open(path, "rb").read())[9, 9]
    else:
        found = np.asarray(Image.open(path))[9, 9]
    print(f"{kind}: others read {found.tolist()}")
    assert abs(int(found[0]) - wanted) <= 1 and found[3] == 128
    if again is not None:
        back = oiio.ImageInput.open(path).read_image(format="uint8")[9, 9]
        print(f"{kind}: OpenImageIO reads back {back.tolist()}")
        assert abs(int(back[0]) - again) <= 1
END_OF_PYTHON
