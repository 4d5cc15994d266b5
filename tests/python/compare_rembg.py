"""rembg's remove() and ours on the same pictures: kinds, modes, shapes, and where the rules are the same, values.

rembg gets its mask from a session of ours, so that no network has to be downloaded and everything after the mask can be compared.
Run by rembg.sh: compare_rembg.py PICTURE...
"""
import io
import sys

import numpy as np
import rembg
from PIL import Image

import mattebox
import mattebox.compat as ours


class Session:
    """What rembg asks of a session."""

    def __init__(self, session):
        self.session, self.masks = session, {}

    def predict(self, img, *args, **kwargs):
        key = img.mode, img.size, img.tobytes()
        if key not in self.masks:
            self.masks[key] = self.session.predict(img)[0]
        return [self.masks[key].copy()]


def kinds(path):
    data = open(path, "rb").read()
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        forms = {"bytes": data, "pil": picture, "grey pil": picture.convert("L"), "array": np.asarray(picture.convert("RGB")),
                 "rgba array": np.asarray(picture.convert("RGBA"))}
    return forms


def look(value):
    """What a caller can see of a result, but the pixels."""
    if isinstance(value, bytes):
        picture = Image.open(io.BytesIO(value))
        return "bytes", picture.format, picture.mode, picture.size
    if isinstance(value, np.ndarray):
        return "array", value.dtype.name, value.shape
    return "pil", value.mode, value.size


def pixels(value):
    if isinstance(value, bytes):
        value = Image.open(io.BytesIO(value))
    return np.asarray(value).astype(int)


CALLS = {
    "cut": {},
    "mask": {"only_mask": True},
    "smoothed": {"only_mask": True, "post_process_mask": True},
    "matting": {"alpha_matting": True},
    "matting 0": {"alpha_matting": True, "alpha_matting_erode_size": 0},
    "background": {"bgcolor": (10, 200, 30, 255)},
    "clear background": {"bgcolor": (10, 200, 30, 100)},
    "putalpha": {"putalpha": True},
    "bytes": {"force_return_bytes": True},
}


def main():
    failed = 0
    session = ours.BaseSession("saliency", mattebox.Model(None, segment="saliency"))
    theirs_session = Session(session)
    for path in sys.argv[1:]:
        for kind, data in kinds(path).items():
            for name, call in CALLS.items():
                if name == "bytes" and kind != "bytes":
                    continue  # rembg takes bytes alone there
                try:
                    theirs = rembg.remove(data.copy() if kind.endswith("pil") else data, session=theirs_session, **call)
                except ValueError as why:
                    if kind != "grey pil":  # its composite needs colours
                        raise
                    print(f"{path} {kind} {name}: rembg: {why}")
                    theirs = None
                mine = ours.remove(data, session=session, **call)
                if theirs is None:
                    continue
                same = look(theirs) == look(mine)
                a, b = pixels(theirs), pixels(mine)
                alpha = np.abs(a[..., 3] - b[..., 3]) if a.ndim == 3 and same else np.abs(a - b) if same else np.array([255])
                print(f"{path.split('/')[-1]} {kind} {name}: {look(mine)} alpha differs on {np.mean(alpha > 0):.4%}, most {alpha.max()}, "
                      f"mean {alpha.mean():.3f}")
                exact = name in ("mask", "smoothed", "cut", "putalpha", "bytes") and kind not in ("rgba array",)
                clear = a.ndim == 3 and kind in ("pil", "bytes", "rgba array")  # ours keeps transparency that a photo brings along
                if not same or (exact and not clear and alpha.max() > 0) or (name == "matting" and alpha.mean() > 1.0):
                    print(f"  DIFFERENT: rembg gives {look(theirs)}")
                    failed += 1
    print(f"{failed} failed")
    return failed > 0


sys.exit(main())
