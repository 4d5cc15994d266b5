#!/usr/bin/env python3
"""Makes the small pictures of tests/cli/pictures.c and tests/image with Pillow, and what the tests expect of them.

    python3 tests/data/pictures/make_pictures.py

Written with Pillow 13.0 (its ImageCms uses Little CMS 2). The results are committed: tests need neither.
"""
import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageCms

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


def psd(path, rgba):
    """A flattened document with one transparent layer: the plane after the colours is its alpha."""
    width, height = rgba.size
    layers = struct.pack(">IIhI", 10, 2, -1, 0)  # section, layer info of one (merged) layer, no mask
    planes = b"".join(rgba.getchannel(c).tobytes() for c in "RGBA")
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 4, height, width, 8, 3)
    path.write_bytes(head + struct.pack(">II", 0, 0) + layers + struct.pack(">H", 0) + planes)


def png16(path, rgba, icc=None):
    """RGBA of 16 bits, which Pillow does not write; a sample is 257 times the 8-bit one, alpha one less where it is
    neither 0 nor full."""
    width, height = rgba.size
    rows = b""
    for y in range(height):
        rows += b"\0"
        for x in range(width):
            r, g, b, a = rgba.getpixel((x, y))
            rows += struct.pack(">4H", 257 * r, 257 * g, 257 * b, 257 * a - (0 < a < 255))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0))]
    if icc:
        chunks.append((b"iCCP", b"p3\0\0" + zlib.compress(icc)))
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    file = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        file += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(file)


def transparent():
    """One sticker in every format that has transparency. Under alpha 0 a colour hides that nobody may see."""
    folder = HERE / "transparent"
    folder.mkdir(exist_ok=True)
    width, height = 24, 16
    soft = disc(width, height)
    for y in range(height):
        soft.putpixel((3, y), 100)
    hard = disc(width, height)
    colour = Image.new("RGB", (width, height), (250, 220, 10))  # the hidden one
    colour.paste((180, 60, 40), mask=soft.point(lambda v: 255 if v > 0 else 0))
    rgba = colour.copy()
    rgba.putalpha(soft)
    soft.save(folder / "soft_alpha.png")
    hard.save(folder / "hard_alpha.png")
    rgba.save(folder / "soft_rgba.png")
    png16(folder / "soft_rgba16.png", rgba)
    rgba.save(folder / "soft.webp", lossless=True, exact=True)
    rgba.save(folder / "soft.tga")
    grey = colour.convert("L")
    grey.putalpha(soft)
    grey.save(folder / "soft_grey.png")
    psd(folder / "soft.psd", rgba)
    # one clear colour, or palette entry
    keyed = Image.new("RGB", (width, height), (250, 220, 10))
    keyed.paste((180, 60, 40), mask=hard)
    keyed.save(folder / "hard_key.png", transparency=(250, 220, 10))
    keyed.convert("L").save(folder / "hard_grey_key.png", transparency=keyed.convert("L").getpixel((0, 0)))
    palette = keyed.quantize(4)
    clear = palette.getpixel((0, 0))
    palette.save(folder / "hard_palette.png", transparency=clear)
    palette.save(folder / "hard.gif", transparency=clear)


def profile(primaries):
    """A matrix profile with sRGB's curve: primaries are the columns XYZ (D50) of red, green, blue."""
    def s15(v):
        return struct.pack(">i", round(v * 65536))

    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(map(s15, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    tags = [(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 79),
            (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", b"XYZ \0\0\0\0" + s15(0.9642) + s15(1) + s15(0.8249))]
    for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries):
        tags.append((name, b"XYZ \0\0\0\0" + b"".join(map(s15, xyz))))
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags:
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += value
    size = at + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + s15(0.9642) + s15(1) + s15(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def coloured():
    """A photo in Display P3, 300 dpi, with EXIF; what Little CMS makes of it in sRGB; backgrounds of other profiles."""
    folder = HERE / "profiles"
    folder.mkdir(exist_ok=True)
    p3 = profile(((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)))
    adobe = profile(((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)))
    (folder / "p3.icc").write_bytes(p3)
    photo = Image.new("RGB", (32, 24))
    for y in range(24):
        for x in range(32):
            photo.putpixel((x, y), (231 - 3 * x, 43 + 6 * y, 65 + 2 * x))
    exif = Image.Exif()
    exif[0x0112] = 3
    exif[0x010F] = "Maker"
    plain = Image.Exif()
    plain[0x010F] = "Maker"
    photo.save(folder / "p3.png", icc_profile=p3, dpi=(300, 300), exif=plain)
    photo.save(folder / "p3.jpg", icc_profile=p3, dpi=(300, 300), exif=exif, quality=95, subsampling=0)
    photo.save(folder / "p3.webp", icc_profile=p3, exif=plain, lossless=True)
    ImageCms.profileToProfile(
        photo, ImageCms.ImageCmsProfile(io.BytesIO(p3)), ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC).save(folder / "p3_srgb.png", icc_profile=None)
    wall = Image.new("RGB", (32, 24), (40, 200, 90))
    wall.save(folder / "wall_adobe.png", icc_profile=adobe)
    ImageCms.profileToProfile(
        wall, ImageCms.ImageCmsProfile(io.BytesIO(adobe)), ImageCms.ImageCmsProfile(io.BytesIO(p3)),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC).save(folder / "wall_p3.png", icc_profile=None)
    grey = bytearray(p3)
    grey[16:20] = b"GRAY"
    photo.save(folder / "grey_profile.png", icc_profile=bytes(grey))
    opaque = photo.copy()
    opaque.putalpha(255)
    png16(folder / "p3_16.png", opaque, p3)
    Image.new("L", (32, 24), 255).save(folder / "all.png")
    Image.new("L", (32, 24), 0).save(folder / "nothing.png")


def raw_tiff(path, size, samples, bits, data, big=False, extra=None, photometric=2):
    """An uncompressed TIFF of one strip."""
    order = ">" if big else "<"
    entries = [(256, 4, 1, size[0]), (257, 4, 1, size[1]), (259, 3, 1, 1), (262, 3, 1, photometric),
               (277, 3, 1, samples), (278, 4, 1, size[1]), (279, 4, 1, len(data))]
    depths = struct.pack(order + "H" * samples, *[bits] * samples)
    n = len(entries) + 2 + (extra is not None)
    after = 8 + 2 + 12 * n + 4
    entries.append((258, 3, samples, after if samples > 2 else None))
    entries.append((273, 4, 1, after + len(depths)))
    if extra is not None:
        entries.append((338, 3, 1, extra))
    out = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "IH", 8, n)
    for tag, kind, count, value in sorted(entries, key=lambda e: e[0]):
        if value is None:
            field = depths.ljust(4, b"\0")
        elif kind == 3:
            field = struct.pack(order + "HH", value, 0)
        else:
            field = struct.pack(order + "I", value)
        if tag == 258 and samples > 2:
            field = struct.pack(order + "I", after)
        out += struct.pack(order + "HHI", tag, kind, count) + field
    path.write_bytes(out + struct.pack(order + "I", 0) + depths + data)


def tiffs():
    """The photo of profiles/ and the sticker of transparent/ as TIFF, in the kinds that people have."""
    folder = HERE / "tiff"
    folder.mkdir(exist_ok=True)
    p3 = (HERE / "profiles" / "p3.icc").read_bytes()
    photo = Image.open(HERE / "profiles" / "p3.png").convert("RGB")
    photo.save(folder / "rgb.tif", compression="tiff_lzw", icc_profile=p3, dpi=(300, 300))
    photo.save(folder / "pages.tif", save_all=True, append_images=[photo.rotate(180)])
    photo.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.tif", tiffinfo={274: 6})
    photo.convert("L").save(folder / "grey.tif")
    photo.convert("F").save(folder / "float.tif")
    photo.quantize(64).save(folder / "palette.tif")
    photo.quantize(64).convert("RGB").save(folder / "palette.png")
    photo.convert("L").save(folder / "grey.png")
    wide = b"".join(struct.pack(">H", 257 * v) for v in photo.tobytes())
    raw_tiff(folder / "rgb16.tif", photo.size, 3, 16, wide, big=True)
    sticker = Image.open(HERE / "transparent" / "soft_rgba.png")
    raw_tiff(folder / "straight.tif", sticker.size, 4, 8, sticker.tobytes(), extra=2)
    multiplied = bytearray(sticker.tobytes())
    for i in range(0, len(multiplied), 4):
        for c in range(3):
            multiplied[i + c] = (multiplied[i + c] * multiplied[i + 3] + 127) // 255
    raw_tiff(folder / "associated.tif", sticker.size, 4, 8, bytes(multiplied), extra=1)
    raw_tiff(folder / "white_is_0.tif", photo.size, 1, 8, bytes(255 - v for v in photo.convert("L").tobytes()),
             photometric=0)


def heifs():
    """AVIF by Pillow: opaque with profile, with alpha, turned (irot as well as EXIF), 4:4:4 without loss."""
    folder = HERE / "heif"
    folder.mkdir(exist_ok=True)
    p3 = (HERE / "profiles" / "p3.icc").read_bytes()
    photo = Image.open(HERE / "profiles" / "p3.png").convert("RGB").resize((64, 48))
    photo.save(folder / "photo.png")
    photo.save(folder / "photo.avif", quality=100, subsampling="4:4:4", icc_profile=p3)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.avif", quality=100, subsampling="4:4:4", exif=exif)
    sticker = Image.open(HERE / "transparent" / "soft_rgba.png").resize((48, 32), Image.Resampling.NEAREST)
    sticker.save(folder / "sticker.png")
    sticker.save(folder / "sticker.avif", quality=100, subsampling="4:4:4")


if __name__ == "__main__":
    turned()
    transparent()
    coloured()
    tiffs()
    heifs()
