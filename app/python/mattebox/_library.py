"""The shared library: found and opened at the first call, so that the import costs nothing."""
from __future__ import annotations

import ctypes
import operator
import os
import pathlib
import sys
import threading
from typing import Any

from . import _abi, errors

HERE = pathlib.Path(__file__).resolve().parent
# In the wheel, and the system's; elsewhere as on Linux.
FILES = {"win32": ("mattebox.dll", "mattebox.dll"), "darwin": ("libmattebox*.dylib", "libmattebox.dylib")}
_lock = threading.Lock()
_library: ctypes.CDLL | None = None


def _open() -> ctypes.CDLL:
    """$MATTEBOX_LIBRARY, the one in the wheel, the system's."""
    chosen = os.environ.get("MATTEBOX_LIBRARY")
    pattern, system = FILES.get(sys.platform, ("libmattebox.so*", "libmattebox.so." + _abi.VERSION.split(".")[0]))
    packaged = sorted((HERE / "lib").glob(pattern))
    name = chosen or (str(packaged[0]) if packaged else system)
    try:
        library = ctypes.CDLL(name)
    except OSError as why:
        raise errors.UnsupportedError(f"the library of mattebox cannot be opened: {why}\ninstall the wheel, or set "
                                      "MATTEBOX_LIBRARY to " + system) from None
    for function, (result, arguments) in _abi.FUNCTIONS.items():
        entry = getattr(library, function, None)
        if entry is None:
            raise errors.UnsupportedError(f"{name} has no {function}: it is not of version {_abi.VERSION}, like this package")
        entry.restype, entry.argtypes = result, arguments
    version = library.mb_version().decode()
    if version != _abi.VERSION:
        raise errors.UnsupportedError(f"{name} is version {version}, this package {_abi.VERSION}")
    return library


def lib() -> ctypes.CDLL:
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = _open()
    return _library


def call(name: str, *arguments: Any) -> None:
    """A function that returns mb_status and takes mb_error last; raises what it reports."""
    error = _abi.mb_error()
    status = getattr(lib(), name)(*arguments, ctypes.byref(error))
    if status != _abi.MB_OK:
        code = lib().mb_status_name(status).decode()
        raise errors.BY_CODE.get(code, errors.InternalError)(in_python(error.message.decode("utf-8", "replace")) or code)


def in_python(message: str) -> str:
    """The library's message, with the fields that it names as they are written here."""
    for option, name in (("mb_mask_options.scale=1", "scale_mask=True"), ("mb_mask_options.channel=auto", 'mask_channel="auto"'),
                         ("input_alpha=ignore", 'input_alpha="ignore"'), ("detail=pymatting", 'detail="pymatting"'),
                         ("detail=vitmatte", 'detail="vitmatte"'), ("detail=guided", 'detail="guided"')):
        message = message.replace(option, name)
    return message


def is_bool(value: object) -> bool:
    """Also numpy's, without importing numpy."""
    return isinstance(value, bool) or (getattr(getattr(value, "dtype", None), "kind", "") == "b" and getattr(value, "ndim", 1) == 0)


def whole(name: str, value: Any, least: int = -2**31, most: int = 2**31 - 1, limits: str = "") -> int:
    """A whole number of a C type: ctypes would take a larger one modulo the type's size. limits: what the message says is legal."""
    try:
        number = None if is_bool(value) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise errors.ArgumentError(f"{name}={value!r}: a whole number")
    if not least <= number <= most:
        raise errors.ArgumentError(f"{name} {number}: {limits or f'{least} to {most}'}")
    return number


def path_bytes(path: str | os.PathLike[str]) -> bytes:
    name = os.fsencode(path)
    if b"\0" in name:
        raise errors.ArgumentError("a path cannot contain a zero byte")
    return name


def text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
