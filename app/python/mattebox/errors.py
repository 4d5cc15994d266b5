"""What calls raise. Every error of the library is an `Error` and, where Python has a class for it, one of that too."""
from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """A call failed. `str(error)` is the library's message; `error.code` its status ("MB_E_FORMAT"), `error.hint` what to
    do about it, or ""."""

    code: ClassVar[str] = "MB_E_INTERNAL"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message, _, self.hint = text.partition("\n")

    def __str__(self) -> str:
        return str(self.args[0])


class ArgumentError(Error, ValueError):
    """A parameter or option is invalid or out of range."""

    code = "MB_E_ARGUMENT"


class OutOfMemory(Error, MemoryError):
    """An allocation failed, or the plan exceeds the memory limit."""

    code = "MB_E_MEMORY"


class FileError(Error, OSError):
    """A file could not be read or written."""

    code = "MB_E_IO"


class FormatError(Error, ValueError):
    """A file is damaged or is not what it claims to be."""

    code = "MB_E_FORMAT"


class MismatchError(Error, ValueError):
    """A valid file of the wrong kind: another architecture, shape or size."""

    code = "MB_E_MISMATCH"


class UnsupportedError(Error, NotImplementedError):
    """A known feature that this build or machine lacks."""

    code = "MB_E_UNSUPPORTED"


class DeviceError(Error, RuntimeError):
    """A GPU or one of its libraries is missing or failed."""

    code = "MB_E_DEVICE"


class Cancelled(Error):
    """The `cancel` of the caller stopped the work."""

    code = "MB_E_CANCELLED"


class InternalError(Error, RuntimeError):
    """A bug in mattebox."""


BY_CODE: dict[str, type[Error]] = {
    kind.code: kind for kind in (ArgumentError, OutOfMemory, FileError, FormatError, MismatchError, UnsupportedError,
                                 DeviceError, Cancelled, InternalError)
}
