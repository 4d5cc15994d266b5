"""Options by keyword -> mb_options. The ranges are the library's to check; only names and kinds are looked at here, and
what its integers cannot hold."""
from __future__ import annotations

import ctypes
import difflib
import operator
import os
from typing import Any

from . import _abi, errors
from ._library import call, is_bool, lib, whole
from ._options import LIMITS, OPTIONS
from ._pictures import Picture, copy_of, from_array, is_path, is_pil, profile_of, read


def _truth(value: Any) -> int:
    """True, False, their like in numpy, 1 and 0."""
    number = int(value) if is_bool(value) else operator.index(value)
    if number not in (0, 1):
        raise ValueError
    return number


def _number(value: Any) -> float:
    if is_bool(value):
        raise TypeError
    return float(value)


class Settings:
    """mb_options and the background picture that they point to."""

    def __init__(self, preset: str | None = None) -> None:
        self.c = _abi.mb_options()
        self.background: Picture | None = None
        lib().mb_options_init(ctypes.byref(self.c))
        self.c.foreground = _abi.MB_FOREGROUND_ML  # as the program: a cut-out without a rim
        if preset is not None:
            call("mb_options_preset", ctypes.byref(self.c), preset.encode())
            if preset == "small":  # the nodes' presets leave the photo's colours unchanged
                self.c.foreground = _abi.MB_FOREGROUND_ML

    def copy(self) -> Settings:
        other = object.__new__(Settings)
        other.c = _abi.mb_options.from_buffer_copy(self.c)
        other.background = self.background
        return other

    def update(self, options: dict[str, Any]) -> Settings:
        """A copy with these options set. Asking for a matting method asks for matting."""
        out = self.copy()
        for name, value in options.items():
            if name == "background":
                out._set_background(value)
            else:
                out._set(name, value)
        if "detail" in options and "process_detail" not in options:
            out.c.process_detail = 1
        return out

    def _set(self, name: str, value: Any) -> None:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, 1)
            raise errors.ArgumentError(f'no option "{name}"' + (f"\ndid you mean {near[0]}?" if near else ""))
        kind, names = OPTIONS[name]
        try:
            if kind == "choice":
                setattr(self.c, name, names.index(value))
            elif kind == "boolean":
                setattr(self.c, name, _truth(value))
            elif kind == "integer":
                setattr(self.c, name, whole(name, value, limits=LIMITS.get(name, "")))
            elif kind == "number":
                setattr(self.c, name, _number(value))
            else:
                self._set_colour(value)
        except errors.Error:
            raise
        except (TypeError, ValueError, OverflowError) as why:
            wanted = "one of " + ", ".join(map(str, names)) if names else {"boolean": "True or False", "integer": "a whole number",
                                                                           "number": "a number"}.get(kind, str(why))
            hint = f"\ncrop=True, crop_margin={value!r} leaves a margin" if name == "crop" and isinstance(value, int) else ""
            raise errors.ArgumentError(f"{name}={value!r}: {wanted}{hint}") from None

    def _set_colour(self, value: Any) -> None:
        parts = [operator.index(v) for v in value]
        if len(parts) not in (3, 4) or not all(0 <= v <= 255 for v in parts):
            raise ValueError("3 or 4 whole numbers from 0 to 255")
        self.c.background_colour[:] = (parts + [255])[:4]

    def _set_background(self, value: Any) -> None:
        """"none", "blur", "blur:RADIUS", a colour by name or numbers, or a picture of any kind."""
        name = value if isinstance(value, str) else ""
        word, _, radius = name.partition(":")
        if value is None or name in ("none", "colour"):
            self.c.background = _abi.MB_BACKGROUND_COLOUR if name == "colour" else _abi.MB_BACKGROUND_NONE
        elif word == "blur":
            self.c.background = _abi.MB_BACKGROUND_BLUR
            if radius:
                self._set("background_blur", radius)
        elif isinstance(value, (tuple, list)):
            self.c.background = _abi.MB_BACKGROUND_COLOUR
            self._set("background_colour", value)
        elif name and not os.path.exists(name):
            rgba = (ctypes.c_ubyte * 4)()
            try:
                call("mb_parse_colour", rgba, name.encode())
            except errors.ArgumentError:
                raise errors.ArgumentError(f'background "{name}": no colour, and no such file\n'
                                           "none, blur, blur:RADIUS, #rrggbb, a name like white, numbers, or a picture") from None
            self.c.background = _abi.MB_BACKGROUND_COLOUR
            self.c.background_colour[:] = rgba[:]
        elif is_path(value) or is_pil(value) or hasattr(value, "__array_interface__") or hasattr(value, "__array__"):
            self.background = read(value, keep_depth=False)
            self.c.background = _abi.MB_BACKGROUND_PICTURE
            self.c.background_picture = ctypes.pointer(self.background.image)
        else:
            raise errors.ArgumentError(f"background={value!r}: a colour, blur, or a picture")

    def fitted(self, photo: Picture) -> Settings:
        """With the background in the photo's colour profile: named colours are sRGB's, a picture has its own profile or sRGB."""
        if self.c.background not in (_abi.MB_BACKGROUND_COLOUR, _abi.MB_BACKGROUND_PICTURE):
            return self
        behind = self.background if self.c.background == _abi.MB_BACKGROUND_PICTURE else None
        own = behind.metadata if behind is not None else None
        if profile_of(own) == profile_of(photo.metadata):
            return self
        out = self.copy()
        if behind is not None:
            copied = from_array(copy_of(behind.image, _abi.MB_PIXELS_RGB))
            image = copied.image
        else:
            image = _abi.mb_image(data=ctypes.addressof(out.c.background_colour), width=1, height=1, pixels=_abi.MB_PIXELS_RGBA)
        try:
            call("mb_image_convert_profile", ctypes.byref(image), None if own is None else ctypes.byref(own),
                 None if photo.metadata is None else ctypes.byref(photo.metadata))
        except (errors.UnsupportedError, errors.FormatError):
            photo.warning = "the background was not converted to the photo's colour profile"
            return self
        if behind is not None:
            out.background = copied
            out.c.background_picture = ctypes.pointer(copied.image)
        return out

    @property
    def background_file(self) -> str | None:
        """The file that the background was read from."""
        return self.background.file if self.background is not None else None

    @property
    def matting(self) -> str | None:
        """The name of the matting network that these options need."""
        if not self.c.process_detail or self.c.detail < _abi.MB_DETAIL_VITMATTE:
            return None
        return "vitmatte-b" if self.c.detail == _abi.MB_DETAIL_VITMATTE_BASE else "vitmatte-s"

    def same_as(self, other: Settings | None) -> bool:
        return other is not None and bytes(self.c) == bytes(other.c)
