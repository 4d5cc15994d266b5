"""Pictures on their way in and out: paths, file contents, numpy arrays and PIL pictures.

Arrays are passed where they lie, if their pixels lie together, and results are arrays over the library's memory. numpy and
PIL are imported when they are needed, never before.
"""
from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Literal, Sequence, Union

from . import _abi, errors
from ._library import call, lib, path_bytes, text, whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Array = NDArray[Any]
    Path = Union[str, os.PathLike[str]]
    Photo = Union[Path, bytes, bytearray, memoryview, Array, Image]
    Background = Union[str, Sequence[int], os.PathLike[str], Array, Image]

Order = Literal["rgb", "bgr"]
Kind = Literal["path", "bytes", "array", "pil"]


def is_pil(thing: object) -> bool:
    module = sys.modules.get("PIL.Image")  # nobody has a PIL picture without it
    return module is not None and isinstance(thing, module.Image)


def is_path(thing: object) -> bool:
    return isinstance(thing, (str, os.PathLike))


def file_of(thing: object) -> Path | None:
    """The file behind a photo, as it was named: a path, or what PIL has opened a picture from. Copies of such pictures have none."""
    if is_pil(thing):
        thing = getattr(thing, "filename", "") or None
    return thing if isinstance(thing, (str, os.PathLike)) else None


def _absolute(path: Path | None) -> str | None:
    return os.path.abspath(os.fsdecode(path)) if path is not None else None


class Picture:
    """A picture that the library can read, with what keeps its memory, and what is known of its file."""

    def __init__(self, kind: Kind, image: _abi.mb_image, keeps: object = None, source: object = None) -> None:
        self.kind = kind
        self.image = image
        self.keeps = keeps  # the owner of foreign pixels
        self.source = source
        self.file = _absolute(file_of(source))
        self.orientation = 1  # of the file; the pixels are upright
        self.metadata: _abi.mb_metadata | None = None
        self.owns_metadata = True
        self.warning = ""

    def __del__(self) -> None:
        if self.image.owned:
            lib().mb_image_dispose(ctypes.byref(self.image))
        if self.metadata is not None and self.owns_metadata:
            lib().mb_metadata_dispose(ctypes.byref(self.metadata))

    @property
    def size(self) -> tuple[int, int]:
        return self.image.width, self.image.height


def load(file: Path | bytes, *, keep_depth: bool, stop: Callable[[], int] | None = None, max_megapixels: float | None = None,
         plain: bool = False) -> Picture:
    """Decodes as the program does: upright, alpha and depth kept, metadata read. plain: levels stay, whatever a profile says."""
    image, source, options = _abi.mb_image(), _abi.mb_image_source(), _abi.mb_load_options()
    source.size = ctypes.sizeof(source)
    lib().mb_load_options_init(ctypes.byref(options))
    options.keep_alpha, options.keep_depth, options.plain_colours = 1, int(keep_depth), int(plain)
    if max_megapixels is not None:
        options.max_megapixels = max_megapixels
    metadata = _abi.mb_metadata()
    lib().mb_metadata_init(ctypes.byref(metadata))
    options.metadata = ctypes.pointer(metadata)
    if stop is not None:
        asked = stop
        options.cancel = type(options.cancel)(lambda _user: asked())
    picture = Picture("bytes" if isinstance(file, bytes) else "path", image, source=file)
    picture.metadata = metadata
    heads = ctypes.byref(image), ctypes.byref(source)
    if isinstance(file, bytes):
        call("mb_image_load_memory", *heads, file, len(file), ctypes.byref(options))
    else:
        call("mb_image_load", *heads, path_bytes(file), ctypes.byref(options))
    picture.orientation = source.orientation
    picture.warning = "; ".join(filter(None, (text(source.warning), text(metadata.note))))
    return picture


def from_array(array: Array, order: Order = "rgb", kind: Kind = "array") -> Picture:
    """A view of an array [H,W], [H,W,1], [H,W,3] or [H,W,4]; a copy only where it must be."""
    import numpy as np

    source = array
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in (1, 3, 4) or 0 in array.shape:
        raise errors.ArgumentError(f"an array of shape {list(array.shape)} is no picture: [height, width], or that and 3 or 4 channels")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f":
        _check_floats(array)
        array = array.astype(np.float32, copy=False) if array.dtype.itemsize in (2, 8) else array
    depths = {"uint8": _abi.MB_DEPTH_U8, "uint16": _abi.MB_DEPTH_U16, "float32": _abi.MB_DEPTH_F32}
    if array.dtype.name not in depths:
        raise errors.ArgumentError(f"an array of {array.dtype} is no picture: uint8, uint16, bool, or floats from 0 to 1")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    item = array.dtype.itemsize
    together = array.strides[1:] == ((channels * item, item) if array.ndim == 3 else (item,))
    if not together or array.strides[0] < array.shape[1] * channels * item or array.strides[0] % item or array.ctypes.data % item:
        array = np.ascontiguousarray(array)
    image = _abi.mb_image()
    image.data = array.ctypes.data
    image.height, image.width = array.shape[:2]
    image.row_bytes = array.strides[0]
    rgb = order == "rgb"
    image.pixels = (_abi.MB_PIXELS_GRAY if channels == 1 else
                    (_abi.MB_PIXELS_RGB if rgb else _abi.MB_PIXELS_BGR) if channels == 3 else
                    _abi.MB_PIXELS_RGBA if rgb else _abi.MB_PIXELS_BGRA)
    image.depth = depths[array.dtype.name]
    return Picture(kind, image, array, source)


def _check_floats(array: Array) -> None:
    """From 0 to 1, but for what rounding adds; others would be cut off in silence. Comparisons with NaN are false."""
    least, most = float(array.min()), float(array.max())
    if not (least >= -1e-3 and most <= 1.001):
        what = ("some are no numbers (NaN)" if most != most else f"the largest is {most:g}" if most > 1.001 else
                f"the smallest is {least:g}")
        hint = "divide by 255, or pass uint8" if least >= 0 and 2 <= most <= 255 else "numpy.clip(array, 0, 1) cuts them off"
        raise errors.ArgumentError(f"floats are taken from 0 to 1; {what}\n{hint}")


def from_pil(picture: Image, plain: bool = False) -> Picture:
    import numpy as np
    from PIL import ImageOps

    from ._profile import fitted

    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("L", "RGB") and "transparency" in upright.info:  # one colour that stands for transparent
        upright = upright.convert("LA" if upright.mode == "L" else "RGBA")
    profile, note = b"", ""
    if not plain:
        upright, profile, note = fitted(upright, picture.info.get("icc_profile") or b"")
    if upright.mode not in ("L", "RGB", "RGBA", "I;16"):
        clear = upright.mode in ("LA", "La", "PA", "RGBa") or "transparency" in upright.info
        upright = upright.convert("RGBA" if clear else "RGB")
    out = from_array(np.asarray(upright), kind="pil")
    out.source, out.file, out.warning = picture, _absolute(file_of(picture)), note
    if profile:
        buffer = ctypes.create_string_buffer(profile, len(profile))
        out.metadata, out.owns_metadata, out.keeps = _abi.mb_metadata(), False, (out.keeps, buffer)
        lib().mb_metadata_init(ctypes.byref(out.metadata))
        out.metadata.icc, out.metadata.icc_bytes = ctypes.addressof(buffer), len(profile)
    return out


def read(photo: Photo, *, keep_depth: bool = True, order: Order = "rgb", stop: Callable[[], int] | None = None,
         max_megapixels: float | None = None, plain: bool = False) -> Picture:
    """Any of the four kinds."""
    if order not in ("rgb", "bgr"):
        raise errors.ArgumentError(f'order "{order}": rgb or bgr')
    if isinstance(photo, (str, os.PathLike)):
        return load(photo, keep_depth=keep_depth, stop=stop, max_megapixels=max_megapixels, plain=plain)
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return load(bytes(photo), keep_depth=keep_depth, stop=stop, max_megapixels=max_megapixels, plain=plain)
    if is_pil(photo):
        return from_pil(photo, plain)  # type: ignore[arg-type]
    if hasattr(photo, "__array_interface__") or hasattr(photo, "__array__"):
        import numpy as np

        return from_array(np.asarray(photo), order)
    raise errors.ArgumentError(f"a photo is a path, the bytes of a file, a numpy array or a PIL picture, not {type(photo).__name__}")


def copy_of(image: _abi.mb_image, pixels: int | None = None, depth: int | None = None) -> Array:
    """The library's picture as an array of its own, in another order or depth if asked for."""
    import numpy as np

    out = _abi.mb_image()
    out.width, out.height = image.width, image.height
    out.pixels = image.pixels if pixels is None else pixels
    out.depth = image.depth if depth is None else depth
    array = np.empty(_shape(out), _dtype(out))
    out.data = array.ctypes.data
    call("mb_image_convert", ctypes.byref(out), ctypes.byref(image))
    return array


def _dtype(image: _abi.mb_image) -> str:
    return {_abi.MB_DEPTH_U8: "uint8", _abi.MB_DEPTH_U16: "uint16", _abi.MB_DEPTH_F32: "float32"}[image.depth]


def _shape(image: _abi.mb_image) -> tuple[int, ...]:
    channels = {_abi.MB_PIXELS_GRAY: 0, _abi.MB_PIXELS_RGB: 3, _abi.MB_PIXELS_BGR: 3}.get(image.pixels, 4)
    return (image.height, image.width) + ((channels,) if channels else ())


class _View:
    """What numpy needs to see memory of the library; `owner` frees it once the last array over it is gone."""

    def __init__(self, image: _abi.mb_image, owner: object) -> None:
        dtype, shape = _dtype(image), _shape(image)
        item = {"uint8": 1, "uint16": 2, "float32": 4}[dtype]
        pixel = item * (shape[2] if len(shape) == 3 else 1)
        strides = (image.row_bytes or pixel * image.width, pixel) + ((item,) if len(shape) == 3 else ())
        letter = {"uint8": "|u1", "uint16": "<u2", "float32": "<f4"}[dtype]
        if sys.byteorder == "big":
            letter = letter.replace("<", ">")
        self.owner = owner
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": letter, "strides": strides,
                                    "data": (image.data, False)}


def view(image: _abi.mb_image, owner: object) -> Array:
    """An array over the library's memory, without a copy."""
    import numpy as np

    return np.asarray(_View(image, owner))


def encode(image: _abi.mb_image, fmt: str = "png", metadata: _abi.mb_metadata | None = None, level: int = 3,
           quality: int = 0) -> bytes:
    """The bytes of a picture file."""
    out, n = ctypes.c_void_p(), ctypes.c_size_t()
    options = save_options(fmt, metadata, level, quality)
    call("mb_image_encode", ctypes.byref(out), ctypes.byref(n), ctypes.byref(image), ctypes.byref(options))
    try:
        return ctypes.string_at(out, n.value)
    finally:
        lib().mb_buffer_free(out)


def save(path: Path, image: _abi.mb_image, metadata: _abi.mb_metadata | None = None, *, overwrite: bool = False, level: int = 3,
         quality: int = 0) -> None:
    """Writes a file as a whole or not at all; the extension is the format."""
    options = save_options("auto", metadata, level, quality)
    options.overwrite = int(overwrite)
    call("mb_image_save", ctypes.byref(image), path_bytes(path), ctypes.byref(options))


def save_options(fmt: str, metadata: _abi.mb_metadata | None, level: int, quality: int) -> _abi.mb_save_options:
    options = _abi.mb_save_options()
    lib().mb_save_options_init(ctypes.byref(options))
    formats = {"auto": _abi.MB_FORMAT_AUTO, "png": _abi.MB_FORMAT_PNG, "webp": _abi.MB_FORMAT_WEBP, "jpeg": _abi.MB_FORMAT_JPEG}
    if fmt not in formats:
        raise errors.ArgumentError(f'format "{fmt}": one of {", ".join(formats)}')
    options.format, options.level, options.quality = formats[fmt], whole("level", level), whole("quality", quality)
    if metadata is not None:  # the profile and the resolution; EXIF knows places and names, and is left out
        kept = _abi.mb_metadata()
        ctypes.pointer(kept)[0] = metadata
        kept.exif, kept.exif_bytes = None, 0
        options.metadata = ctypes.pointer(kept)
    return options


def profile_of(metadata: _abi.mb_metadata | None) -> bytes:
    return b"" if metadata is None or not metadata.icc else ctypes.string_at(metadata.icc, metadata.icc_bytes)


def to_pil(array: Array, like: Picture | None = None) -> Image:
    """A PIL picture, with the profile of that picture if it shows colours."""
    from PIL import Image as module

    out = module.fromarray(array)
    profile = profile_of(like.metadata) if like is not None else b""
    if profile and out.mode in ("RGB", "RGBA"):
        out.info["icc_profile"] = profile
    return out
