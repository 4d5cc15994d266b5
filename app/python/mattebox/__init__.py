"""mattebox: background removal with accurate alpha at hair and fur.

    import mattebox

    mattebox.cut("photo.jpg")                          # writes photo.cutout.png, returns its path
    cutout = mattebox.cut(array)                       # arrays give arrays, PIL pictures PIL pictures, bytes a PNG

    model = mattebox.Model("birefnet-general")         # opened once
    for path in model.cut_many(photos, to="out/"):
        print(path)

    mattebox.matte(photo, mask=mask, detail="guided")  # with a mask or trimap of your own
    from mattebox.compat import remove, new_session    # what rembg calls them

Calls release Python's lock, can be cancelled, and end on Ctrl-C within a tenth of a second. What is needed is imported when it
is needed: `import mattebox` takes a few milliseconds.
"""
from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ._abi import VERSION as __version__
from .errors import (ArgumentError, Cancelled, DeviceError, Error, FileError, FormatError, InternalError, MismatchError, OutOfMemory,
                     UnsupportedError)

if TYPE_CHECKING:
    from ._mask import trimap
    from ._model import Info, Model, Plan
    from ._options import Options
    from ._pictures import Path, Photo
    from ._result import Result
    from ._watch import Progress

__all__ = ["Model", "Result", "Progress", "Plan", "Info", "Options", "cut", "matte", "trimap", "build_info", "folders", "Error",
           "ArgumentError", "OutOfMemory", "FileError", "FormatError", "MismatchError", "UnsupportedError", "DeviceError", "Cancelled",
           "InternalError", "__version__"]

_PLACES = {"Model": "_model", "Plan": "_model", "Info": "_model", "Result": "_result", "Progress": "_watch", "trimap": "_mask",
           "Options": "_options"}
_models: dict[Any, Any] = {}
_lock = threading.Lock()


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'mattebox' has no attribute '{name}'")
    import importlib

    value = getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def _shared(name: Path | None) -> Model:
    """One Model for each name, for the functions below."""
    from ._model import Model

    with _lock:
        if name not in _models:
            _models[name] = Model(name)
        found: Model = _models[name]
        return found


def cut(photo: Photo, model: Path = "default", **keywords: Any) -> Any:
    """`Model(model).cut(photo, ...)`. The model stays open for the next call.

    >>> import mattebox, numpy
    >>> photo = numpy.zeros((48, 64, 3), "uint8"); photo[12:36, 16:48] = 255
    >>> mattebox.cut(photo, segment="saliency").shape
    (48, 64, 4)
    """
    return _shared(model).cut(photo, **keywords)


def matte(photo: Photo, mask: Photo | None = None, trimap: Photo | None = None, **keywords: Any) -> Any:
    """`Model(None).matte(photo, mask, trimap, ...)`: a cut-out from a mask or trimap of yours, without a network."""
    return _shared(None).matte(photo, mask, trimap, **keywords)


def build_info() -> dict[str, str]:
    """What the library was built with: formats, optional libraries, instruction sets of this machine."""
    import ctypes

    from ._library import lib, text

    buffer = ctypes.create_string_buffer(8192)
    lib().mb_build_info(buffer, len(buffer))
    return dict(line.split(": ", 1) for line in text(buffer.value).splitlines() if ": " in line)


def folders() -> list[str]:
    """Where models are looked for, in that order."""
    import ctypes

    from ._library import lib

    found: list[str] = []
    buffer = ctypes.create_string_buffer(4096)
    while lib().mb_model_folder(buffer, len(buffer), len(found)):
        found.append(buffer.value.decode("utf-8", "surrogateescape"))
    return found
