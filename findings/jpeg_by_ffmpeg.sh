#!/bin/sh
# FFmpeg, as PyAV calls it, gives other pixels for a valid JPEG file than libjpeg does: its conversion of 4:2:0 to RGB treats the
# colours between samples differently. ComfyUI reads pictures by FFmpeg since 2026 (LoadImage through PyAV), so a node's result for a JPEG
# file differs from what any program built on libjpeg gives, before a network has seen anything; for PNG files the pixels are equal.
#
# Seen on 29 November 2026 with PyAV 18.1.0 and Pillow 13.0.0 on the picture below: JPEG differs, PNG does not. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 pillow==13.0.0 numpy
"$work/venv/bin/python" - "$work" <<'END'
import sys

import av
import numpy as np
from PIL import Image

y, x = np.mgrid[0:240, 0:320]
photo = np.dstack([128 + 100 * np.sin(x / 9), 128 + 100 * np.cos(y / 7), 128 + 100 * np.sin((x + y) / 5)]).astype(np.uint8)
found = {}
for name, settings in (("photo.jpg", {"quality": 92}), ("photo.png", {})):
    path = f"{sys.argv[1]}/{name}"
    Image.fromarray(photo).save(path, **settings)
    by_libjpeg = np.asarray(Image.open(path).convert("RGB")).astype(int)
    with av.open(path) as container:
        by_ffmpeg = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    off = np.abs(by_libjpeg - by_ffmpeg)
    found[name] = off.max()
    print(f"{name}: {np.mean(off.max(axis=2) > 0):.1%} of the pixels differ, by up to {off.max()} levels, {off.mean():.2f} in the mean")
assert found["photo.jpg"] >= 4 and found["photo.png"] == 0, found
END
