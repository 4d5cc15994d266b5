#!/usr/bin/env python3
"""Compares what the program makes of colour profiles with Pillow (8 bits) and with Little CMS itself (16 bits).

    python3 tests/cli/colour_reference.py build/mattebox

Outside CI: it needs Pillow, numpy and liblcms2. Photos and profiles are those of tests/data/pictures; the mask is white,
so that the cut-out shows the photo's colours. Prints a line for each case and fails if one is further off than stated.
"""
import ctypes
import ctypes.util
import io
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

PICTURES = Path(__file__).resolve().parents[1] / "data" / "pictures"
RELATIVE, NO_CACHE, NO_OPTIMIZE, BLACK_POINT = 1, 0x40, 0x100, 0x2000
RGB_16, CMYK_16, GRAY_16 = 4 << 16 | 3 << 3 | 2, 6 << 16 | 4 << 3 | 2, 3 << 16 | 1 << 3 | 2


def little_cms(samples, profile, kind, flags):
    """16-bit samples of a profile to sRGB."""
    lcms = ctypes.CDLL(ctypes.util.find_library("lcms2") or "liblcms2.so.2")
    for name in ("cmsOpenProfileFromMem", "cmsCreate_sRGBProfile", "cmsCreateTransform"):
        getattr(lcms, name).restype = ctypes.c_void_p
    source = ctypes.c_void_p(lcms.cmsOpenProfileFromMem(profile, ctypes.c_uint32(len(profile))))
    target = ctypes.c_void_p(lcms.cmsCreate_sRGBProfile())
    transform = ctypes.c_void_p(lcms.cmsCreateTransform(source, kind, target, RGB_16, RELATIVE, flags))
    samples = np.ascontiguousarray(samples, np.uint16)
    out = np.zeros(samples.shape[:2] + (3,), np.uint16)
    lcms.cmsDoTransform(transform, samples.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p),
                        ctypes.c_uint32(samples.shape[0] * samples.shape[1]))
    return out


def read_png16(path):
    """RGB or RGBA of 16 bits, which Pillow reduces to 8."""
    data = Path(path).read_bytes()
    at, idat = 8, b""
    while at < len(data):
        n, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
        idat += data[at + 8:at + 8 + n] if name == b"IDAT" else b""
        at += 12 + n
    channels = {2: 3, 6: 4}[colour]
    assert bits == 16
    raw, step = zlib.decompress(idat), 2 * channels
    rows, before = [], bytearray(width * step)
    for y in range(height):
        kind, row = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        for i in range(len(row)):
            a, b, c = row[i - step] if i >= step else 0, before[i], before[i - step] if i >= step else 0
            p = a + b - c
            paeth = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        rows.append(bytes(row))
        before = row
    return np.frombuffer(b"".join(rows), ">u2").reshape(height, width, channels)[..., :3].astype(np.int64)


def main():
    program, failed = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"

        def cut(photo, *options):
            Image.new("L", Image.open(PICTURES / "profiles" / "p3.png").size, 255).save(Path(folder) / "white.png")
            subprocess.run([program, "matte", PICTURES / photo, "--mask", Path(folder) / "white.png", "--no-detail",
                            "--foreground", "none", "-q", "-f", "-o", out, *options], check=True)

        def check(name, got, want, most):
            nonlocal failed
            off = int(np.abs(got.astype(np.int64) - want.astype(np.int64)).max())
            failed += off > most
            print(f"{'ok  ' if off <= most else 'OFF '} {name}: {off} (at most {most})")

        profiles = {n: (PICTURES / "profiles" / f"{n}.icc").read_bytes() for n in ("p3", "cmyk", "grey")}
        photo8 = np.array(Image.open(PICTURES / "profiles" / "p3.png").convert("RGB"))
        photo16 = photo8.astype(np.uint16) * 257
        inks = np.array(Image.open(PICTURES / "profiles" / "cmyk.tif"))
        grey = np.array(Image.open(PICTURES / "profiles" / "grey.png"))
        # 16 bits through the whole chain, as they are and as sRGB
        for name in ("profiles/p3_16.png", "tiff/rgb16.tif", "tiff/tiled16.tif", "jxl/deep.jxl"):
            cut(name)
            check(f"{name}, kept", read_png16(out), photo16, 0)
        want = little_cms(photo16, profiles["p3"], RGB_16, NO_CACHE | NO_OPTIMIZE)
        for name in ("profiles/p3_16.png", "jxl/deep.jxl"):
            cut(name, "--icc", "srgb")
            check(f"{name}, --icc srgb, against Little CMS", read_png16(out), want, 1)
        cut("tiff/cmyk16.tif")
        want = little_cms(inks.astype(np.uint16) * 257, profiles["cmyk"], CMYK_16, NO_CACHE | BLACK_POINT)
        check("tiff/cmyk16.tif, against Little CMS", read_png16(out), want, 257)

        # 8 bits against Pillow's ImageCms
        def pillow(samples, mode, profile):
            transform = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB",
                renderingIntent=RELATIVE, flags=BLACK_POINT)
            return np.array(ImageCms.applyTransform(samples, transform))

        for name, picture, mode, profile in (
                ("tiff/cmyk.tif", Image.fromarray(inks, "CMYK"), "CMYK", "cmyk"),
                ("profiles/cmyk.jpg", Image.open(PICTURES / "profiles" / "cmyk.jpg"), "CMYK", "cmyk"),
                ("profiles/grey.png", Image.fromarray(grey), "L", "grey"),
                ("profiles/grey.jpg", Image.open(PICTURES / "profiles" / "grey.jpg"), "L", "grey")):
            cut(name)
            check(f"{name}, against Pillow", np.array(Image.open(out).convert("RGB")),
                  pillow(picture, mode, profiles[profile]), 1)
        cut("profiles/p3.png", "--icc", "srgb")
        check("profiles/p3.png, --icc srgb, against Pillow", np.array(Image.open(out).convert("RGB")),
              pillow(Image.fromarray(photo8), "RGB", profiles["p3"]), 1)
        for name, plain in (("profiles/cmyk.jpg", "profiles/cmyk_jpg_plain.png"), ("tiff/cmyk.tif", "profiles/cmyk_plain.png")):
            cut(name, "--icc", "drop")
            check(f"{name}, --icc drop, against Pillow", np.array(Image.open(out).convert("RGB")),
                  np.array(Image.open(PICTURES / plain).convert("RGB")), 1)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
