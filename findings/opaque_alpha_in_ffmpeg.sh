#!/bin/sh
# FFmpeg makes opaque video slightly transparent when alpha gets more bits. From 8 bits a sample to 10, 12 or 16, full alpha becomes 1020 of
# 1023, 4080 of 4095, 65280 of 65535 if the layout of the colours changes too (yuva420p, as WebM has it, to ProRes 4444's yuva444p10le; planar
# RGB to anything), and 65532 of 65535 from rgba to rgba64le; if only the depth changes (yuva444p to yuva444p10le), it is right. So a
# WebM cut-out that is made into ProRes lets 0.3 % of what lies below it through everywhere. Even at 8 bits alpha is not left
# alone: from rgba to yuva444p or yuva420p 127 of the 256 values are one too large, so that 254 becomes opaque, before any codec has
# seen a frame. "Lossless" codecs (FFV1, VP9) keep what that step has left.
#
# Guess: the largest value of 8 bits becomes the largest of any depth, and 8 bits stay 8 bits.
# Seen on 30 November 2026 with PyAV 18.1.0 (libswscale 9). Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 numpy
"$work/venv/bin/python" - <<'END_OF_PYTHON'
import av
import numpy as np

SIDE = 256
print("PyAV", av.__version__, "libswscale", ".".join(map(str, av.library_versions["libswscale"])))


def source(layout):
    """A frame of one colour whose alpha is the number of its column."""
    if layout == "rgba":
        pixels = np.full((SIDE, SIDE, 4), 100, np.uint8)
        pixels[..., 3] = np.arange(SIDE)
        return av.VideoFrame.from_ndarray(pixels, format="rgba")
    frame = av.VideoFrame(SIDE, SIDE, layout)
    for i, plane in enumerate(frame.planes):
        values = np.full((plane.height, plane.line_size), 100, np.uint8)
        if i == 3:
            values[:, :SIDE] = np.arange(SIDE)
        plane.update(values.tobytes())
    return frame


def alpha(frame, top):
    """A row of alpha in the middle of a frame."""
    kind = np.uint8 if top == 255 else np.dtype("<u2")
    plane = frame.planes[-1]
    row = np.frombuffer(plane, kind).reshape(plane.height, -1)[SIDE // 2]
    return (row[: 4 * SIDE].reshape(SIDE, 4)[:, 3] if len(frame.planes) == 1 else row[:SIDE]).astype(int)


for before, after, top, full in (
    ("yuva420p", "yuva444p10le", 1023, 1020),
    ("yuva420p", "yuva444p12le", 4095, 4080),
    ("yuva420p", "yuva444p16le", 65535, 65280),
    ("gbrap", "yuva444p10le", 1023, 1020),
    ("rgba", "rgba64le", 65535, 65532),
    ("yuva444p", "yuva444p10le", 1023, 1023),
    ("yuva444p", "yuva444p16le", 65535, 65535),
):
    found = alpha(source(before).reformat(format=after), top)
    print(f"{before} to {after}: full alpha becomes {found[255]} of {top}, {1 - found[255] / top:.2%} transparent")
    assert found[0] == 0 and found[255] == full
for after in ("yuva444p", "yuva420p"):
    found = alpha(source("rgba").reformat(format=after), 255)
    off = found - np.arange(SIDE)
    print(f"rgba to {after}: {np.count_nonzero(off)} of 256 values of alpha differ, by {off.min()} to {off.max()}; 254 becomes {found[254]}")
    assert np.count_nonzero(off) == 127 and off.min() == 0 and off.max() == 1 and found[254] == 255
END_OF_PYTHON
