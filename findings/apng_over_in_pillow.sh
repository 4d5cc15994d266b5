#!/bin/sh
# Pillow 13.0.0 composes APNG frames that are blended "over" (fcTL blend_op 1) otherwise than the format says: it pastes the
# frame through its own alpha, alpha channel included, so that half-transparent pixels over half-transparent ones become
# less opaque instead of more. The specification of the chunk fcTL (Portable Network Graphics, third edition) asks for
# alpha compositing. Files that Pillow has written so can therefore look different in browsers.
#
# Input: two frames of one pixel, (200, 0, 0, 100), then (0, 0, 200, 100) over it. By the format alpha is
# 100 + 155 * 100 / 255 = 160.8, so 161. Pillow gives 100 * 100 / 255 + 155 * 100 / 255 = 100.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$work/venv/bin/python" - <<'PY'
import io
import struct
import sys
import zlib
import PIL
from PIL import Image


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def control(number, blend):
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 10, 0, blend))


file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0))
file += chunk(b"acTL", struct.pack(">II", 2, 0)) + control(0, 0)
file += chunk(b"IDAT", zlib.compress(b"\0" + bytes((200, 0, 0, 100)))) + control(1, 1)
file += chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0" + bytes((0, 0, 200, 100)))) + chunk(b"IEND", b"")
picture = Image.open(io.BytesIO(file))
picture.seek(1)
got = picture.convert("RGBA").getpixel((0, 0))
below, above = Image.new("RGBA", (1, 1), (200, 0, 0, 100)), Image.new("RGBA", (1, 1), (0, 0, 200, 100))
want = Image.alpha_composite(below, above).getpixel((0, 0))
print(f"Pillow {PIL.__version__}: second frame {got}; alpha compositing, also Pillow's own, gives {want}")
sys.exit(0 if got[3] == 100 and want[3] in (160, 161) else 1)
PY
