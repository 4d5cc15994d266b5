"""rembg's two functions, so that `from rembg import remove, new_session` becomes `from mattebox.compat import remove, new_session`.

Signatures, kinds of values, modes and sizes are rembg's (2.0.86); the pictures are ours. What differs, on purpose:

- colours are straight and of the foreground; rembg's default cut-out stores them multiplied by alpha in a straight PNG;
- the trimap of alpha_matting is not eroded from the picture's border;
- networks that mattebox does not have (u2net, isnet ...) are replaced by its default, with a warning, once for each name;
- nothing is downloaded: `mattebox models get birefnet-general` is a command;
- a path is accepted as well, and gives the path of the result, which must not be there yet.
"""
from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any, Optional, Tuple, Union, overload

from . import errors
from ._model import Model
from ._pictures import Picture, copy_of, from_array, is_path, is_pil, read, to_pil

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._pictures import Array, Path, Photo

__all__ = ["BaseSession", "new_session", "remove"]

# Of rembg, and not here: the default takes their place. What needs points or gives clothes has no place to take.
_REPLACED = ("u2net", "u2netp", "u2net_human_seg", "silueta", "isnet-general-use", "isnet-anime", "bria-rmbg")
_MISSING = ("sam", "u2net_cloth_seg", "u2net_custom", "dis_custom", "ben_custom")
_BIREFNET = ("birefnet-general", "birefnet-general-lite", "birefnet-portrait", "birefnet-dis", "birefnet-hrsod", "birefnet-cod",
             "birefnet-massive")
_ONCE = {"grabcut": False, "min_area": 0, "largest": False, "feather": 0, "invert": False}  # the mask has had them
_warned: set[str] = set()
_lock = threading.Lock()
_default: Optional[BaseSession] = None


class BaseSession:
    """What new_session returns: a network that is open. Use one for all pictures."""

    def __init__(self, model_name: str, model: Model) -> None:
        self.model_name = model_name
        self.model = model

    def name(self) -> str:
        return self.model_name

    def predict(self, img: Image, *args: Any, **kwargs: Any) -> list[Image]:
        """The mask of a PIL picture, in a list of one."""
        return [to_pil(_mask(self, read(img, keep_depth=False)))]


def new_session(model_name: str = "u2net", *args: Any, sess_opts: Any = None, **kwargs: Any) -> BaseSession:
    """Opens a network by rembg's name, or by the name or file of any model of mattebox. sess_opts: its intra_op_num_threads is
    the number of threads; everything else of ONNX Runtime's is ignored, as are providers. Raises ValueError for names that neither
    knows, FileError for models that are not installed.

    >>> from mattebox.compat import new_session
    >>> new_session("demo").name()
    'demo'
    """
    if model_name in _MISSING:
        raise ValueError(f"No session class found for model '{model_name}'")
    threads = int(getattr(sess_opts, "intra_op_num_threads", 0) or 0)
    name: str = model_name
    if model_name in _REPLACED:
        name = "default"
        with _lock:
            first = model_name not in _warned
            _warned.add(model_name)
        if first:
            warnings.warn(f"mattebox has no {model_name}: its default model is used", stacklevel=2)
    try:
        model = Model(name, threads=threads)
        if model_name in _BIREFNET:
            model = Model(name, threads=threads, recipe="rembg")
    except errors.FileError as why:
        if model_name in _BIREFNET or is_path(model_name) and "/" in model_name:
            raise
        raise ValueError(f"No session class found for model '{model_name}'") from why
    return BaseSession(model_name, model)


@overload
def remove(data: bytes, *args: Any, **kwargs: Any) -> bytes: ...
@overload
def remove(data: Image, *args: Any, **kwargs: Any) -> Image: ...
@overload
def remove(data: Array, *args: Any, **kwargs: Any) -> Array: ...
@overload
def remove(data: Path, *args: Any, **kwargs: Any) -> Any: ...


def remove(
    data: Any,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[BaseSession] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    bgcolor: Optional[Tuple[int, int, int, int]] = None,
    force_return_bytes: bool = False,
    *args: Optional[Any],
    **kwargs: Optional[Any],
) -> Any:
    """Removes the background. data: the bytes of a file, a PIL picture, a numpy array or a path; the result is of that kind, or
    bytes with force_return_bytes. alpha_matting refines the edge (closed form) in a trimap: what is above the foreground threshold
    and what is below the background threshold, both eroded by erode_size. only_mask: the mask, grey. post_process_mask: smoothed
    and made black and white. bgcolor: RGBA, laid behind. putalpha=True: the photo's own colours, unchanged.

    >>> import numpy
    >>> from mattebox.compat import remove
    >>> photo = numpy.zeros((48, 64, 3), "uint8"); photo[12:36, 16:48] = 255
    >>> remove(photo).shape, remove(photo, only_mask=True).shape
    ((48, 64, 4), (48, 64))
    """
    if not (isinstance(data, bytes) or is_pil(data) or hasattr(data, "__array_interface__") or is_path(data)):
        raise ValueError(f"Input type {type(data)} is not supported. bytes, PIL pictures, numpy arrays and paths are")
    session = session if session is not None else _default_session()
    photo = read(data, keep_depth=False)
    if photo.image.depth:  # 16 bits and floats
        photo = _flat(photo)
    mask = _mask(session, photo)
    if post_process_mask:
        mask = post_process(mask)
    if only_mask:
        return _deliver(mask, photo, "mask", force_return_bytes)
    options: dict[str, Any] = {"foreground": "none" if kwargs.get("putalpha") else "ml", **_ONCE}
    if bgcolor is not None:
        options["background"] = tuple(int(v) for v in bgcolor)
    guide: dict[str, Any] = {}
    if alpha_matting:
        guide["trimap"] = make_trimap(mask, alpha_matting_foreground_threshold, alpha_matting_background_threshold,
                                      alpha_matting_erode_size)
        options.update(detail="pymatting", matting_epsilon=1e-7)  # PyMatting's own default, which rembg keeps
    else:
        guide["mask"] = mask
        options["process_detail"] = False
    result = session.model.refine(_array(photo), **guide, **options)
    cutout = result.array("cutout")
    assert cutout is not None
    if cutout.shape[2] == 3:  # an opaque background; rembg's result has alpha all the same
        import numpy as np

        cutout = np.dstack([cutout, np.full(cutout.shape[:2], 255, np.uint8)])
    return _deliver(cutout, photo, "cutout", force_return_bytes)


def _default_session() -> BaseSession:
    global _default
    if _default is None:
        model = BaseSession("default", Model())
        with _lock:
            _default = _default or model
    return _default


def _flat(photo: Picture) -> Picture:
    out = from_array(copy_of(photo.image, depth=0), kind=photo.kind)
    out.source, out.metadata, photo.metadata = photo.source, photo.metadata, None
    return out


def _array(photo: Picture) -> Array:
    from ._pictures import view

    return view(photo.image, photo)


def _mask(session: BaseSession, photo: Picture) -> Array:
    found: Array = session.model.run(_array(photo), want_cutout=False, foreground="none", depth=8).alpha
    return found


def _deliver(array: Array, photo: Picture, what: str, as_bytes: bool) -> Any:
    from ._files import Sources, file_name
    from ._pictures import encode, save

    metadata = photo.metadata if what == "cutout" else None
    if as_bytes or photo.kind == "bytes":
        return encode(from_array(array).image, "png", metadata)
    if photo.kind == "path":
        path = file_name(photo.source, what, None, None, False)
        Sources([("the photo", photo.source)]).check(path)
        save(path, from_array(array).image, metadata)
        return path
    if photo.kind == "pil":
        return to_pil(array, photo if what == "cutout" else None)
    return array


def make_trimap(mask: Array, foreground: int, background: int, size: int) -> Array:
    """rembg's trimap, but that nothing is eroded from the picture's border: behind it the subject may go on."""
    import numpy as np

    trimap = np.full(mask.shape, 128, np.uint8)
    trimap[_eroded(mask > foreground, size)] = 255
    trimap[_eroded(mask < background, size)] = 0
    return trimap


def _eroded(area: Array, size: int) -> Array:
    """Where a square of `size` pixels around it lies within the area; size 0: a cross of 3. Outside the picture counts as within."""
    import numpy as np

    if size <= 0:
        padded = np.pad(area, 1, constant_values=True)
        crossed: Array = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        return crossed
    before, after = size // 2, size - 1 - size // 2
    holes = np.pad((~area).astype(np.int64), ((before + 1, after), (before + 1, after)))
    sums = holes.cumsum(0).cumsum(1)
    n = size
    within: Array = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n] == 0
    return within


def post_process(mask: Array) -> Array:
    """Opening by a cross of 3, a Gaussian of sigma 2, then black and white at 127."""
    import numpy as np

    def cross(values: Array, take: Any) -> Array:
        padded = np.pad(values, 1, mode="edge")
        taken: Array = take.reduce([padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]])
        return taken

    smooth = cross(cross(mask, np.minimum), np.maximum).astype(np.float64)
    weights = np.exp(-0.5 * (np.arange(-8, 9) / 2.0) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padded = np.pad(smooth, [(8, 8) if a == axis else (0, 0) for a in (0, 1)], mode="symmetric")
        n = smooth.shape[axis]
        smooth = np.add.reduce([w * np.take(padded, range(i, i + n), axis) for i, w in enumerate(weights)])
    return np.where(smooth < 127, 0, 255).astype(np.uint8)
