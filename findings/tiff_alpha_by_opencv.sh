#!/bin/sh
# OpenCV multiplies the colours of an 8-bit TIFF by its alpha, of a 16-bit TIFF not. A cut-out whose edge is half transparent
# (200, 100, 50 at half alpha, written as straight: ExtraSamples 2) is read with IMREAD_UNCHANGED as 100, 50, 25 from 8 bits and
# as it was written from 16 bits; composed in the usual way, the 8-bit edge is darkened twice. A file with premultiplied alpha
# (ExtraSamples 1) is read as it stands, so that the two kinds of 8-bit file cannot be told apart. IMREAD_COLOR gives the colours
# over black for 16 bits too.
#
# Guess: IMREAD_UNCHANGED gives the samples of the file, or straight colours, whatever their depth.
# Seen on 30 November 2026 with opencv-python-headless 5.0.0.93 and tifffile 2026.3.3. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-python-headless==5.0.0.93 tifffile==2026.3.3
"$work/venv/bin/python" - "$work" <<'END'
import sys

import cv2
import numpy as np
import tifffile

straight, premultiplied = (200, 100, 50, 128), (100, 50, 25, 128)


def read(name, pixel, dtype, kind, flag):
    scale = 257 if dtype == np.uint16 else 1
    picture = np.empty((8, 8, 4), dtype)
    picture[:] = np.array(pixel, dtype) * scale
    tifffile.imwrite(f"{sys.argv[1]}/{name}.tif", picture, photometric="rgb", extrasamples=[kind])
    found = cv2.imread(f"{sys.argv[1]}/{name}.tif", flag)
    scale = 257 if found.dtype == np.uint16 else 1
    blue, green, red = (int(v) // scale for v in found[0, 0, :3])
    print(f"{name:24} {pixel[:3]} is read as {(red, green, blue)}, {found.shape[2]} channels, {found.dtype}")
    return red, green, blue


assert read("straight, 8 bits", straight, np.uint8, "unassalpha", cv2.IMREAD_UNCHANGED) == premultiplied[:3]
assert read("straight, 16 bits", straight, np.uint16, "unassalpha", cv2.IMREAD_UNCHANGED) == straight[:3]
assert read("premultiplied, 8 bits", premultiplied, np.uint8, "assocalpha", cv2.IMREAD_UNCHANGED) == premultiplied[:3]
assert read("straight, 16, COLOR", straight, np.uint16, "unassalpha", cv2.IMREAD_COLOR) == premultiplied[:3]
END
