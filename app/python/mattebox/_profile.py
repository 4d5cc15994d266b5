"""Colour profiles of PIL pictures, treated as those of files: results are RGB, so no other profile can stay with them."""
from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

RGB, GREY, CMYK = b"RGB ", b"GRAY", b"CMYK"
_MODES = {"1": GREY, "L": GREY, "LA": GREY, "CMYK": CMYK}
_NAMES = {GREY: ("for grey pictures", "grey"), CMYK: ("for CMYK", "CMYK")}


def fitted(picture: Image, profile: bytes) -> tuple[Image, bytes, str]:
    """The picture, the profile that its results have, and "" or what became of one of other colours: it goes into the pixels, or
    is dropped with a warning."""
    space = profile[16:20]
    if not profile or space == RGB:
        return picture, profile, ""
    converted = _in_srgb(picture, profile) if _MODES.get(picture.mode) == space else None
    if converted is not None:
        return converted, b"", f"converted to sRGB from its {_NAMES[space][1]} colour profile"
    note = f"its colour profile is {_NAMES[space][0] if space in _NAMES else 'for other colours'}: dropped"
    warnings.warn(f"the photo: {note}", stacklevel=2)
    return picture, b"", note


def _in_srgb(picture: Image, profile: bytes) -> Image | None:
    """Relative colorimetric with black point compensation; None if Pillow has no Little CMS or the profile is damaged."""
    alpha = picture.getchannel("A") if picture.mode == "LA" else None
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.profileToProfile(picture if picture.mode == "CMYK" else picture.convert("L"), source,
                                         ImageCms.createProfile("sRGB"), outputMode="RGB",
                                         renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                         flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)
    except Exception:  # PyCMSError cannot be named where ImageCms is missing
        return None
    if made is not None and alpha is not None:
        made.putalpha(alpha)
    return made
