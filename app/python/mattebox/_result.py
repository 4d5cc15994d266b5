"""What a run found."""
from __future__ import annotations

import ctypes
import pathlib
from typing import TYPE_CHECKING, Any, Literal, Sequence

from . import _abi, errors
from ._files import Sources, file_name, make_folder_for
from ._library import in_python, lib, text
from ._pictures import Order, Picture, copy_of, encode, save, to_pil, view

if TYPE_CHECKING:
    from ._pictures import Array, Path

Output = Literal["cutout", "alpha", "mask", "trimap"]
OUTPUTS: tuple[Output, ...] = ("cutout", "alpha", "mask", "trimap")


class Handle:
    """mb_result, freed with the last array over it."""

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        if self.pointer:
            lib().mb_result_free(self.pointer)
            self.pointer = None


class Result:
    """What a run found. The arrays lie in the library's memory, which lives as long as one of them does."""

    def __init__(self, handle: Handle, photo: Picture, order: Order, read: Sequence[tuple[str, str | None]]) -> None:
        self._handle, self._photo, self._order, self._read = handle, photo, order, read
        self._c: _abi.mb_result = handle.pointer.contents

    def _image(self, output: Output) -> _abi.mb_image:
        if output not in OUTPUTS:
            raise errors.ArgumentError(f'output "{output}": one of {", ".join(OUTPUTS)}')
        image: _abi.mb_image = getattr(self._c, output)
        return image

    def array(self, output: Output = "cutout") -> Array | None:
        """cutout: [H,W,4], or [H,W,3] over an opaque background; alpha, mask, trimap: [H,W]. None if it was not made."""
        image = self._image(output)
        if not image.data:
            return None
        if self._order == "bgr" and output == "cutout":
            return copy_of(image, {_abi.MB_PIXELS_RGB: _abi.MB_PIXELS_BGR, _abi.MB_PIXELS_RGBA: _abi.MB_PIXELS_BGRA}[image.pixels])
        return view(image, self._handle)

    cutout = property(lambda self: self.array("cutout"), doc="The cut-out, or None.")
    alpha = property(lambda self: self.array("alpha"), doc="Alpha after the refinement.")
    mask = property(lambda self: self.array("mask"), doc="The mask before the refinement; None if a trimap was given.")
    trimap = property(lambda self: self.array("trimap"), doc="0, 127, 255; None unless want_trimap and the method makes one.")

    def encode(self, output: Output = "cutout", format: str = "png", *, level: int = 3, quality: int = 0) -> bytes:
        """A PNG, WebP or (over an opaque background) JPEG file in memory, with the photo's profile and resolution."""
        return encode(self._made(output), format, self._photo.metadata, level, quality)

    def save(self, path: Path, output: Output = "cutout", *, overwrite: bool = True, level: int = 3, quality: int = 0) -> pathlib.Path:
        """Writes a file as a whole or not at all; the extension is the format. The photo, mask and background that it was made
        from are refused."""
        Sources(self._read).check(path)
        save(path, self._made(output), self._photo.metadata, overwrite=overwrite, level=level, quality=quality)
        return pathlib.Path(path)

    def _made(self, output: Output) -> _abi.mb_image:
        image = self._image(output)
        if not image.data:
            raise errors.ArgumentError(f"no {output} was made")
        return image

    @property
    def coverage(self) -> float:
        """Mean of alpha, 0 to 1."""
        return self._c.coverage

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width, height of what is not transparent."""
        c = self._c
        return c.box_x, c.box_y, c.box_width, c.box_height

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """The part of the photo that the pictures cover."""
        c = self._c
        return c.crop_x, c.crop_y, c.crop_width, c.crop_height

    @property
    def confidence(self) -> float | None:
        """0 to 1, how likely the right subject was found; None if that is not known."""
        return self._c.confidence if self._c.confidence >= 0 else None

    @property
    def doubtful(self) -> bool:
        return bool(self._c.doubtful)

    @property
    def confidence_basis(self) -> str:
        return text(self._c.confidence_basis)

    @property
    def milliseconds(self) -> dict[str, float]:
        return {"network": self._c.ms_network, "refine": self._c.ms_refine, "compose": self._c.ms_compose}

    @property
    def peak_bytes(self) -> int:
        return self._c.peak_bytes

    @property
    def warning(self) -> str:
        """"", or one line for the user: of the run, and of the photo's file."""
        return "; ".join(filter(None, (self._photo.warning, in_python(text(self._c.warning)))))

    def __repr__(self) -> str:
        width, height = self._c.crop_width, self._c.crop_height
        return f"<mattebox.Result {width}x{height}, coverage {self.coverage:.3f}>"

    def deliver(self, output: Output, to: Path | None, format: str | None, overwrite: bool | None, many: bool) -> Any:
        """A result of the photo's own kind."""
        kind, source = self._photo.kind, self._photo.source
        if to is not None or kind == "path":
            path = file_name(source if kind == "path" else None, output, to, format, many)
            make_folder_for(path, to)
            return self.save(path, output, overwrite=to is not None and not many if overwrite is None else overwrite)
        if kind == "bytes":
            return self.encode(output, format or "png")
        if format is not None:
            raise errors.ArgumentError(f'format="{format}" is for bytes and files; for arrays and PIL pictures there is Result.encode')
        self._made(output)
        array = self.array(output)
        assert array is not None
        if kind == "pil":
            return to_pil(array, self._photo)
        return array
