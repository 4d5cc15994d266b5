#!/bin/sh
# Makes the pictures that need an encoder Pillow has not (make_coded.c). Run make_pictures.py before.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" <<'PY'
import shutil
import sys
from PIL import Image
work = sys.argv[1]
def raw(name, picture):
    with open(f"{work}/{name}", "wb") as f:
        f.write(b"%d %d %d\n" % (*picture.size, len(picture.getbands())) + picture.tobytes())
raw("photo.raw", Image.open("profiles/p3.png").convert("RGB"))
raw("photo64.raw", Image.open("heif/photo.png").convert("RGB"))
raw("sticker.raw", Image.open("transparent/soft_rgba.png"))
raw("cmyk.raw", Image.open("profiles/cmyk.tif"))
shutil.copy("profiles/p3.icc", work)
shutil.copy("profiles/cmyk.icc", work)
PY
mkdir -p heif jxl tiff
cc -std=c11 -O1 -Wall -Wextra make_coded.c -o "$work/make_coded" $(pkg-config --cflags --libs libheif libjxl libtiff-4)
"$work/make_coded" "$work"
