#!/usr/bin/env python3
"""Makes docs/pictures/default_strip.jpg with a built mattebox and Pillow: python3 docs/pictures/make_default_strip.py [BUILD]

Every second photo of tests/data/photos by name, so that nobody chose them: the photo, and below it what `mattebox PHOTO`
makes of it, on magenta. A bar below a result says that the program called it doubtful.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..")
build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "build")
HEIGHT, ROWS, GAP = 104, 2, 2
PAPER, GROUND, BAR = (255, 255, 255), (255, 0, 255), (230, 140, 0)


def cut_out(photo, out):
    """-> the cut-out, whether it is called doubtful"""
    alone = {**os.environ, "MATTEBOX_MODELS": tempfile.gettempdir() + "/none"}
    run = subprocess.run(
        [os.path.join(build, "mattebox"), photo, "-f", "-o", out, "--model", "demo", "--preset", "small", "--json", "-q"],
        check=True, capture_output=True, text=True, env=alone)
    return Image.open(out), any("doubt" in w for w in json.loads(run.stdout.splitlines()[0])["warnings"])


def small(picture):
    return picture.resize((max(1, round(picture.width * HEIGHT / picture.height)), HEIGHT), Image.Resampling.BOX)


def tile(photo, folder):
    before = small(Image.open(photo).convert("RGB"))
    result, doubtful = cut_out(photo, os.path.join(folder, "out.png"))
    after = Image.new("RGB", result.size, GROUND)
    after.paste(result, mask=result.getchannel("A"))
    both = Image.new("RGB", (before.width, 2 * HEIGHT + GAP + 6), PAPER)
    both.paste(before, (0, 0))
    both.paste(small(after), (0, HEIGHT + GAP))
    if doubtful:
        both.paste(BAR, (0, 2 * HEIGHT + GAP + 1, before.width, 2 * HEIGHT + GAP + 5))
    return both


def row(tiles):
    strip = Image.new("RGB", (sum(t.width + GAP for t in tiles) - GAP, tiles[0].height), PAPER)
    x = 0
    for t in tiles:
        strip.paste(t, (x, 0))
        x += t.width + GAP
    return strip


photos = sorted(p for p in glob.glob(os.path.join(root, "tests", "data", "photos", "*.jpg")))[::2]
with tempfile.TemporaryDirectory() as folder:
    tiles = [tile(p, folder) for p in photos]
half = (len(tiles) + ROWS - 1) // ROWS
rows = [row(tiles[i : i + half]) for i in range(0, len(tiles), half)]
whole = Image.new("RGB", (max(r.width for r in rows), sum(r.height + GAP for r in rows)), PAPER)
y = 0
for r in rows:
    whole.paste(r, (0, y))
    y += r.height + GAP
whole.save(os.path.join(here, "default_strip.jpg"), quality=82, optimize=True)
print(", ".join(os.path.splitext(os.path.basename(p))[0] for p in photos))
