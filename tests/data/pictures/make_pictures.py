#!/usr/bin/env python3
"""Makes the small pictures of tests/cli/pictures.c and tests/image with Pillow, and what the tests expect of them.

    python3 tests/data/pictures/make_pictures.py

Written with Pillow 13.0 (its ImageCms uses Little CMS 2). The results are committed: tests need neither.
"""
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent


def disc(width, height):
    mask = Image.new("L", (width, height))
    for y in range(height):
        for x in range(width):
            if (x - width * 0.4) ** 2 + (y - height * 0.55) ** 2 < (height * 0.3) ** 2:
                mask.putpixel((x, y), 255)
    return mask


def turned():
    """A photo whose EXIF orientation is 6, masks of its stored pixels, and what they are upright."""
    photo = Image.new("RGB", (64, 48), (40, 90, 160))
    mask = disc(64, 48)
    photo.paste((220, 180, 60), mask=mask)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(HERE / "turned.jpg", exif=exif, quality=90)
    mask.save(HERE / "turned_mask.png")
    upright = mask.transpose(Image.Transpose.ROTATE_270)
    upright.save(HERE / "turned_mask_upright.png")
    half = mask.resize((32, 24), Image.Resampling.BOX)
    half.save(HERE / "turned_mask_half.png")
    doubled = half.transpose(Image.Transpose.ROTATE_270).resize((48, 64), Image.Resampling.BILINEAR)
    doubled.save(HERE / "turned_mask_doubled.png")


if __name__ == "__main__":
    turned()
