#!/usr/bin/env python3
"""Makes docs/pictures/strip.jpg with a built mattebox and Pillow: python3 docs/pictures/make_strip.py [BUILD]

Upper row: photo, mask, trimap, alpha by each method that needs no trained weights, with VITMATTE=FILE.mbw in the
environment also by VITMatte. Lower row: composites, and the hair at 100 % with and without estimated colours.
"""
import os
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw

here = os.path.dirname(os.path.abspath(__file__))
build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "build")
photo, mask = os.path.join(here, "astronaut.jpg"), os.path.join(here, "astronaut_mask.png")
band = ["--erode", "8", "--dilate", "8"]
SIDE, HAIR, TEXT = 256, (196, 0, 324, 128), 16


def mattebox(command, *options):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.png")
        subprocess.run([os.path.join(build, "mattebox"), command, *options, "-o", out, "-q"], check=True)
        return Image.open(out).convert("RGB")


def refine(method, *options):
    return mattebox("refine", photo, "--mask", mask, "-d", method, *band, *options)


def over(background, *options):
    return mattebox("matte", photo, "--mask", mask, "-d", "pymatting", *band, "-b", background, *options)


upper = [("photo", Image.open(photo).convert("RGB")), ("mask (from anywhere)", Image.open(mask).convert("RGB")),
         ("trimap", mattebox("trimap", mask, *band)), ("alpha: guided", refine("guided")),
         ("alpha: pymatting", refine("pymatting"))]
if "VITMATTE" in os.environ:
    upper.append(("alpha: vitmatte", refine("vitmatte", "--matting-model", os.environ["VITMATTE"])))
lower = [("--background teal", over("teal")), ("--background PICTURE", over(os.path.join(here, "cat.jpg"))),
         ("--background blur", over("blur")),
         ("hair, --foreground none", over("teal", "--foreground", "none").crop(HAIR).resize((SIDE, SIDE))),
         ("hair, --foreground ml", over("teal").crop(HAIR).resize((SIDE, SIDE)))]
sheet = Image.new("RGB", (max(len(upper), len(lower)) * (SIDE + 4) - 4, 2 * (SIDE + TEXT) + 4), "white")
draw = ImageDraw.Draw(sheet)
for y, row in enumerate((upper, lower)):
    for x, (label, picture) in enumerate(row):
        left, top = x * (SIDE + 4), y * (SIDE + TEXT + 4)
        draw.text((left + 2, top + 2), label, fill="black")
        sheet.paste(picture.resize((SIDE, SIDE), Image.LANCZOS), (left, top + TEXT))
sheet.save(os.path.join(here, "strip.jpg"), quality=88)
