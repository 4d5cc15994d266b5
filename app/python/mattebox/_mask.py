"""Masks and trimaps of the caller."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable

from . import _abi, errors
from ._files import Sources, file_name, make_folder_for
from ._library import call, lib, whole
from ._pictures import Picture, copy_of, encode, from_array, is_path, read, save, to_pil, view

if TYPE_CHECKING:
    from ._pictures import Path, Photo


def number_of(what: str, name: str, names: Callable[[int], bytes | None]) -> int:
    """The number of an enum's value."""
    known: list[str] = []
    while (found := names(len(known))) is not None:
        known.append(found.decode())
    if name not in known:
        raise errors.ArgumentError(f'{what} "{name}": one of {", ".join(known)}')
    return known.index(name)


def read_mask(mask: Photo | None, is_trimap: bool, photo: Picture | None, scale: bool, channel: str,
              stop: Callable[[], int] | None) -> Picture:
    """A picture of any kind as a grey mask; labels become levels, alpha is taken where it is the mask."""
    assert mask is not None
    source = read(mask, keep_depth=True, stop=stop, plain=True)
    file = source.file
    if source.image.depth == _abi.MB_DEPTH_F32:
        flat = copy_of(source.image, _abi.MB_PIXELS_GRAY, _abi.MB_DEPTH_U8)
        source = from_array(flat)
    options = _abi.mb_mask_options()
    lib().mb_mask_options_init(ctypes.byref(options))
    options.channel = number_of("mask_channel", channel, lib().mb_mask_channel_name)
    options.is_trimap, options.scale = int(is_trimap), int(scale)
    if photo is not None:
        options.width, options.height = photo.size
        options.orientation = photo.orientation
    out = Picture("array", _abi.mb_image())
    out.file = file
    call("mb_mask_read", ctypes.byref(out.image), None, 0, ctypes.byref(source.image), ctypes.byref(options))
    return out


def trimap(mask: Photo, *, erode: int = 6, dilate: int = 6, to: Path | None = None) -> Any:
    """The trimap of the LayerStyle node from a mask: 0 background, 127 unknown, 255 foreground. The result is of the mask's kind,
    as for `Model.cut`.

    >>> import mattebox, numpy
    >>> mask = numpy.zeros((64, 64), "uint8"); mask[:, 32:] = 255
    >>> sorted({int(v) for v in mattebox.trimap(mask, erode=2, dilate=2).flat})
    [0, 127, 255]
    """
    erode, dilate = whole("erode", erode), whole("dilate", dilate)
    path = file_name(mask if is_path(mask) else None, "trimap", to, None, False) if to is not None or is_path(mask) else None
    if path is not None:
        Sources([("the mask", mask)]).check(path)
    source = read(mask, keep_depth=True, plain=True)
    grey = read_mask(mask, False, None, False, "auto", None)
    out = Picture(source.kind, _abi.mb_image(), source=mask)
    call("mb_trimap_make", ctypes.byref(out.image), ctypes.byref(grey.image), erode, dilate)
    if path is not None:
        make_folder_for(path, to)
        save(path, out.image, overwrite=to is not None)
        return path
    if source.kind == "bytes":
        return encode(out.image)
    array = view(out.image, out)
    return to_pil(array) if source.kind == "pil" else array
