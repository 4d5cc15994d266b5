#!/usr/bin/env python3
"""Makes the small pictures of tests/cli/pictures.c and tests/image with Pillow, and what the tests expect of them.

    python3 tests/data/pictures/make_pictures.py

Written with Pillow 13.0 (its ImageCms uses Little CMS 2). The results are committed: tests need neither.
"""
import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageCms, ImageSequence

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
    # upside down, and a square: the shape of their masks does not tell
    for name, size, orientation, turn in (("upside", (64, 48), 3, Image.Transpose.ROTATE_180),
                                          ("square", (48, 48), 6, Image.Transpose.ROTATE_270)):
        mask = disc(*size)
        photo = Image.new("RGB", size, (40, 90, 160))
        photo.paste((220, 180, 60), mask=mask)
        exif[0x0112] = orientation
        photo.save(HERE / f"{name}.jpg", exif=exif, quality=90)
        mask.save(HERE / f"{name}_mask.png")
        mask.transpose(turn).save(HERE / f"{name}_mask_upright.png")


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
    photo.getchannel("R").save(folder / "red.png")
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
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(photo, to_lab)
    lab.info.pop("icc_profile", None)
    lab.save(folder / "lab.tif")
    raw_tiff(folder / "untagged.tif", sticker.size, 4, 8, sticker.tobytes())
    raw_tiff(folder / "unspecified.tif", sticker.size, 4, 8, sticker.tobytes(), extra=0)
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


def table_profile(space, to_lab):
    """A profile of a printer: a coarse table of Lab (mft2, 5 points a channel), or for grey a curve of gamma 1.8."""
    def s15(v):
        return struct.pack(">i", round(v * 65536))

    tags = [(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 79),
            (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", b"XYZ \0\0\0\0" + s15(0.9642) + s15(1) + s15(0.8249))]
    if space == b"GRAY":
        tags.append((b"kTRC", b"curv\0\0\0\0" + struct.pack(">IH", 1, round(1.8 * 256))))
    else:
        points = 5
        lut = b"mft2\0\0\0\0" + struct.pack(">BBBB", 4, 3, points, 0)
        lut += b"".join(map(s15, (1, 0, 0, 0, 1, 0, 0, 0, 1))) + struct.pack(">HH", 2, 2)
        lut += struct.pack(">HH", 0, 65535) * 4
        for i in range(points ** 4):
            inks = [i // points ** (3 - k) % points / (points - 1) for k in range(4)]
            light, a, b = to_lab(*inks)
            lut += struct.pack(">HHH", round(light / 100 * 65280), round((a + 128) * 256), round((b + 128) * 256))
        lut += struct.pack(">HH", 0, 65535) * 3
        tags += [(b"A2B0", lut)]
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags:
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", at + len(data), len(value))
        data += value
    size = at + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"prtr" if space == b"CMYK" else b"mntr", space,
                       b"Lab " if space == b"CMYK" else b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + s15(0.9642) + s15(1) + s15(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def inks(c, m, y, k):
    """Not what any press does, but nothing like the plain formula either: warm, with weak inks."""
    light = 100 * (1 - 0.25 * c) * (1 - 0.45 * m) * (1 - 0.08 * y) * (1 - 0.85 * k)
    dim = 1 - k
    return light, dim * (62 * m - 34 * c), dim * (82 * y - 40 * c - 8 * m) + 2


def printed():
    """CMYK and grey photos with profiles, and what Little CMS makes of them in sRGB."""
    folder = HERE / "profiles"
    cmyk, grey = table_profile(b"CMYK", inks), table_profile(b"GRAY", None)
    (folder / "cmyk.icc").write_bytes(cmyk)
    (folder / "grey.icc").write_bytes(grey)
    photo = Image.new("CMYK", (32, 24))
    for y in range(24):
        for x in range(32):
            photo.putpixel((x, y), (8 * x, 255 - 9 * y, 4 * x + 3 * y, 2 * (x + y) if x > 16 else 10))
    photo.save(folder / "cmyk.tif")
    photo.save(folder / "cmyk.jpg", quality=98, subsampling=0, icc_profile=cmyk)
    dull = Image.open(HERE / "profiles" / "p3.png").convert("L")
    dull.save(folder / "grey.png", icc_profile=grey)
    dull.save(folder / "grey.jpg", quality=98, icc_profile=grey)

    def to_srgb(name, profile, source, mode):
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), mode, "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)
        ImageCms.applyTransform(source, transform).save(folder / name, icc_profile=None)

    to_srgb("cmyk_srgb.png", cmyk, photo, "CMYK")
    to_srgb("cmyk_jpg_srgb.png", cmyk, Image.open(folder / "cmyk.jpg"), "CMYK")
    Image.open(folder / "cmyk.jpg").convert("RGB").save(folder / "cmyk_jpg_plain.png")
    photo.convert("RGB").save(folder / "cmyk_plain.png")
    to_srgb("grey_srgb.png", grey, dull, "L")


def animated():
    """Small animations with every kind of disposal and blending, and a strip of what each frame shows."""
    folder = HERE / "animated"
    folder.mkdir(exist_ok=True)
    frames = []
    for i in range(5):
        frame = Image.new("RGBA", (24, 16), (0, 0, 0, 0))
        for y in range(16):
            for x in range(24):
                if 3 <= x < 20 and 2 <= y < 13 and (x * y + i) % 11:
                    frame.putpixel((x, y), (40 * i, 100, 240 - 40 * i, 255))
                if (x - 5 - 3 * i) ** 2 + (y - 8) ** 2 < 20:
                    frame.putpixel((x, y), (250, 50 * i, 30, 255))
        frames.append(frame)
    times = [100, 50, 200, 70, 400]

    def strip(name, pictures):
        out = Image.new("RGBA", (24 * len(pictures), 16))
        for i, picture in enumerate(pictures):
            out.paste(picture, (24 * i, 0))
        out.save(folder / name)

    def shown(name):
        picture = Image.open(folder / name)
        return [frame.convert("RGBA") for frame in ImageSequence.Iterator(picture)]

    for disposal in (1, 2, 3):
        name = f"disposal{disposal}.gif"
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=times, loop=2, disposal=disposal)
        strip(f"disposal{disposal}_gif.png", shown(name))
    frames[0].save(folder / "lossless.webp", save_all=True, append_images=frames[1:], duration=times, loop=3,
                   lossless=True, exact=True)
    strip("lossless_webp.png", shown("lossless.webp"))
    # Pillow blends half-transparent frames of an APNG otherwise than the format says: computed here
    soft = [frame.copy() for frame in frames]
    for i, frame in enumerate(soft):
        frame.putalpha(frame.getchannel("A").point(lambda v, i=i: v * (60 + 40 * i) // 255))
    parts = [(0, 0, 24, 16), (2, 1, 15, 12), (6, 4, 18, 10), (0, 0, 24, 16), (4, 2, 12, 12)]
    apng(folder / "soft.png", soft, parts, [0, 1, 2, 0, 0], [0, 1, 1, 0, 1], times)
    strip("soft_png.png", composed(soft, parts, [0, 1, 2, 0, 0], [0, 1, 1, 0, 1]))
    strip("frames.png", frames)
    Image.new("L", (24, 16), 255).save(folder / "all.png")


def apng(path, frames, parts, disposals, blends, times):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    width, height = frames[0].size
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    file += chunk(b"acTL", struct.pack(">II", len(frames), 7))
    number = 0
    for i, (frame, (x, y, w, h)) in enumerate(zip(frames, parts)):
        file += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, w, h, x, y, times[i], 1000, disposals[i], blends[i]))
        number += 1
        rows = b"".join(b"\0" + frame.crop((x, y + row, x + w, y + row + 1)).tobytes() for row in range(h))
        data = zlib.compress(rows)
        if i == 0:
            file += chunk(b"IDAT", data)
        else:
            for part in (data[:50], data[50:]):  # data in two chunks
                file += chunk(b"fdAT", struct.pack(">I", number) + part)
                number += 1
    path.write_bytes(file + chunk(b"IEND", b""))


def composed(frames, parts, disposals, blends):
    """What the specification of APNG says, in exact numbers, rounded at each frame."""
    width, height = frames[0].size
    canvas = [[(0, 0, 0, 0)] * width for _ in range(height)]
    out = []
    for frame, (x0, y0, w, h), disposal, blend in zip(frames, parts, disposals, blends):
        before = [row[:] for row in canvas]
        for y in range(y0, y0 + h):
            for x in range(x0, x0 + w):
                new, old = frame.getpixel((x, y)), canvas[y][x]
                if blend and new[3] < 255:
                    u, v = new[3] * 255, (255 - new[3]) * old[3]
                    if u + v:
                        new = tuple((n * u + o * v + (u + v) // 2) // (u + v) for n, o in zip(new[:3], old[:3]))
                        new += ((u + v + 127) // 255,)
                    else:
                        new = old
                canvas[y][x] = new
        picture = Image.new("RGBA", (width, height))
        picture.putdata([pixel for row in canvas for pixel in row])
        out.append(picture)
        if disposal == 1:
            for y in range(y0, y0 + h):
                canvas[y][x0:x0 + w] = [(0, 0, 0, 0)] * w
        elif disposal == 2:
            canvas = before
    return out


if __name__ == "__main__":
    turned()
    transparent()
    coloured()
    tiffs()
    heifs()
    printed()
    animated()
