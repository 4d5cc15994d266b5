"""Models: opened once, used for all photos."""
from __future__ import annotations

import ctypes
import os
import sys
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator, Literal, NamedTuple

from . import _abi, errors
from ._ahead import ahead
from ._files import Places, Sources, file_name
from ._library import call, lib, path_bytes, text, whole
from ._mask import number_of, read_mask
from ._pictures import Order, Picture, is_path, read
from ._result import Handle, Output, Result
from ._settings import Settings
from ._watch import Cancel, Either, Progress, Watch, numbered
from .errors import Error

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import Options
    from ._pictures import Path, Photo


class Plan(NamedTuple):
    """What a run will take, known before it starts."""

    input_width: int
    input_height: int
    nodes: int
    macs: float
    weight_bytes: int
    arena_bytes: int
    picture_bytes: int
    total_bytes: int


class Info(NamedTuple):
    """Facts about a model file."""

    path: str  # "" for the network that is built in
    name: str
    architecture: str
    summary: str
    licence: str
    input_width: int
    input_height: int
    parameters: int
    file_bytes: int


class _Pipeline:
    """mb_pipeline with what it was made with: one call at a time."""

    def __init__(self, pointer: ctypes.c_void_p, matting: str | None, settings: Settings) -> None:
        self.pointer, self.matting, self.settings = pointer, matting, settings


class _Native:
    """Context, models and pipelines, freed in the order that the library asks for."""

    def __init__(self, context: ctypes.c_void_p, keeps: object) -> None:
        self.context, self.keeps = context, keeps
        self.models: dict[str, ctypes.c_void_p] = {}
        self.pipelines: list[_Pipeline] = []

    def free(self) -> None:
        for pipeline in self.pipelines:
            lib().mb_pipeline_free(pipeline.pointer)
        for model in self.models.values():
            lib().mb_model_free(model)
        lib().mb_context_free(self.context)
        self.pipelines, self.models = [], {}


class Model:
    """A network that finds the subject of photos, opened once and used for all of them.

    name: a file, or the name of an installed model; "default" is the best one installed, else the small network that is
    built in; None finds nothing and refines masks (`matte`). matting: the same for VITMatte, which detail="vitmatte" needs;
    by default vitmatte-s or vitmatte-b. device: "auto", "cpu", "cuda". threads, max_memory (bytes): 0 is what the machine has.
    jobs: calls that may run at once in threads; more wait. preset: "birefnet-ultra", "birefnet-ultra-v2", "small". log: called
    with the library's messages. All other keywords are options of the runs (`Options`), which single calls can change.

    >>> import mattebox
    >>> model = mattebox.Model(threads=1)
    >>> model.info.architecture
    'birefnet'
    """

    def __init__(self, name: Path | None = "default", *, matting: Path | None = None, device: str = "auto", device_index: int = 0,
                 threads: int = 0, max_memory: int = 0, fast: bool = False, jobs: int = 1,
                 preset: str | None = None, log: Callable[[str], object] | None = None, **options: Unpack[Options]) -> None:
        self._arguments = {"name": name, "matting": matting, "device": device, "device_index": device_index, "threads": threads,
                           "max_memory": max_memory, "fast": fast, "jobs": jobs, "preset": preset, **options}
        if whole("jobs", jobs) < 1:
            raise errors.ArgumentError(f"jobs {jobs}: 1 or more")
        context_options = _abi.mb_context_options()
        lib().mb_context_options_init(ctypes.byref(context_options))
        context_options.device = number_of("device", device, lib().mb_device_name)
        context_options.precision = number_of("precision", options.get("precision", "auto"), lib().mb_precision_name)
        context_options.device_index, context_options.threads = whole("device_index", device_index), whole("threads", threads)
        context_options.max_memory, context_options.fast = whole("max_memory", max_memory, 0, sys.maxsize), int(fast)
        heard = log
        if heard is not None:
            listener = heard
            context_options.log = _abi.mb_log_fn(lambda _user, _level, message: listener(text(message)) and None)
        context = ctypes.c_void_p()
        call("mb_context_create", ctypes.byref(context), ctypes.byref(context_options))
        self._native = _Native(context, context_options)
        self._finalizer = weakref.finalize(self, _Native.free, self._native)
        self._matting = matting
        self._lock = threading.Lock()
        self._free: list[_Pipeline] = []
        self._jobs, self._turns = jobs, threading.Semaphore(jobs)
        self._model = None if name is None else self._open(name)
        built_in = self._model is not None and not self.info.path
        self._settings = Settings(preset or ("small" if built_in else None)).update(dict(options))
        self._matte_settings = Settings(preset)
        if preset is None:
            self._matte_settings.c.detail = _abi.MB_DETAIL_PYMATTING  # as the program: refining is what matte is for
        self._matte_settings = self._matte_settings.update(dict(options))
        call("mb_options_check", ctypes.byref(self._settings.c))

    def __reduce__(self) -> Any:  # another process opens the model again
        return _reopen, (self._arguments,)

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Waits for calls of other threads and frees the memory. Results stay valid; further calls fail."""
        for _ in range(self._jobs):
            self._turns.acquire()
        try:
            with self._lock:
                self._free = []
                self._finalizer()
        finally:
            self._turns.release(self._jobs)

    def _open(self, name: Path) -> ctypes.c_void_p:
        key = os.fspath(name) if isinstance(os.fspath(name), str) else os.fsdecode(name)
        with self._lock:
            if key not in self._native.models:
                pointer = ctypes.c_void_p()
                call("mb_model_open", ctypes.byref(pointer), self._native.context, path_bytes(key))
                self._native.models[key] = pointer
            return self._native.models[key]

    def _check_open(self) -> None:
        if not self._finalizer.alive:
            raise errors.ArgumentError("this Model is closed")

    @property
    def info(self) -> Info:
        """Facts about the network."""
        self._check_open()
        if self._model is None:
            raise errors.ArgumentError("this Model was made without a network")
        c = lib().mb_model_get_info(self._model).contents
        return Info(text(c.path), text(c.name), text(c.architecture), text(c.summary), text(c.licence), c.input_width,
                    c.input_height, c.n_parameters, c.file_bytes)

    @property
    def device(self) -> str:
        """Where the networks run: "cpu (avx2)", "cuda (...)"."""
        self._check_open()
        return text(lib().mb_context_device(self._native.context))

    @property
    def device_note(self) -> str:
        """Why device="auto" uses no GPU, or ""."""
        self._check_open()
        return text(lib().mb_context_device_note(self._native.context))

    @property
    def threads(self) -> int:
        self._check_open()
        return int(lib().mb_context_threads(self._native.context))

    @contextmanager
    def _pipeline(self, settings: Settings) -> Iterator[_Pipeline]:
        """A pipeline with these options, for this thread alone."""
        wanted = settings.matting
        key = str(self._matting or wanted) if wanted else None
        with self._turns:
            self._check_open()
            matting = self._open(self._matting or wanted) if wanted else None
            with self._lock:
                fits = [p for p in self._free if key is None or p.matting == key]
                pipeline = fits[0] if fits else None
                if pipeline is not None:
                    self._free.remove(pipeline)
                elif self._free:  # made without the matting network that is wanted now
                    old = self._free.pop()
                    self._native.pipelines.remove(old)
                    lib().mb_pipeline_free(old.pointer)
            if pipeline is None:
                pointer = ctypes.c_void_p()
                call("mb_pipeline_create", ctypes.byref(pointer), self._native.context, self._model, matting,
                     ctypes.byref(settings.c))
                pipeline = _Pipeline(pointer, key, settings)
                with self._lock:
                    self._native.pipelines.append(pipeline)
            try:
                if not settings.same_as(pipeline.settings):
                    call("mb_pipeline_set_options", pipeline.pointer, ctypes.byref(settings.c))
                pipeline.settings = settings
                yield pipeline
            finally:
                with self._lock:
                    self._free.append(pipeline)

    def _run(self, photo: Picture, watch: Watch, settings: Settings, order: Order, mask: Picture | None = None,
             trimap: Picture | None = None) -> Result:
        result = ctypes.POINTER(_abi.mb_result)()
        files = [("the photo", photo.file), ("the mask", mask.file if mask is not None else None),
                 ("the trimap", trimap.file if trimap is not None else None), ("the background", settings.background_file),
                 *self._model_files()]
        settings = settings.fitted(photo)
        guided = mask is not None or trimap is not None
        with self._pipeline(settings) as pipeline, watch.reraise():
            lib().mb_pipeline_set_progress(pipeline.pointer, watch.callback, None)
            try:
                if guided:
                    call("mb_pipeline_refine", ctypes.byref(result), pipeline.pointer, ctypes.byref(photo.image),
                         None if mask is None else ctypes.byref(mask.image), None if trimap is None else ctypes.byref(trimap.image))
                else:
                    call("mb_pipeline_run", ctypes.byref(result), pipeline.pointer, ctypes.byref(photo.image))
            finally:
                lib().mb_pipeline_set_progress(pipeline.pointer, _abi.mb_progress_callback(), None)
        return Result(Handle(result), photo, order, files)

    def _model_files(self) -> list[tuple[str, str]]:
        with self._lock:
            return [("the model", text(lib().mb_model_get_info(model).contents.path)) for model in self._native.models.values()]

    def _check_place(self, named: list[tuple[str, Any]], settings: Settings, output: Output, to: Path | None,
                     format: str | None) -> None:
        """Refuses, before any work, to write one of the files that the call reads; the photo comes first in `named`."""
        photo = named[0][1] if is_path(named[0][1]) else None
        if to is not None or photo is not None:
            sources = Sources([*named, ("the background", settings.background_file), *self._model_files()])
            sources.check(file_name(photo, output, to, format, False))

    def _settings_for(self, base: Settings, options: Options, photo: Picture | None, output: Output | None) -> Settings:
        settings = base.update(dict(options))
        if output is not None:
            settings.c.want_cutout = int(output == "cutout")
            settings.c.want_trimap = int(output == "trimap" or bool(settings.c.want_trimap))
        if photo is not None and photo.kind == "pil" and settings.c.depth == 0:
            settings.c.depth = 8  # PIL has no colours of 16 bits
        return settings

    def run(self, photo: Photo, *, progress: Callable[[Progress], object] | None = None, cancel: Cancel | None = None,
            order: Order = "rgb", **options: Unpack[Options]) -> Result:
        """Everything that there is to know about one photo.

        photo: a path, the bytes of a file, an array [H,W,3] (or 1 or 4 channels; uint8, uint16, or floats from 0 to 1), or a
        PIL picture. progress: called often with a Progress; what it raises ends the run and is raised from here. cancel: a
        threading.Event; setting it ends the run with Cancelled. order: "bgr" for arrays of OpenCV.

        >>> import mattebox, numpy
        >>> photo = numpy.zeros((48, 64, 3), "uint8"); photo[12:36, 16:48] = 255
        >>> result = mattebox.Model(None, segment="saliency").run(photo)
        >>> result.cutout.shape, result.alpha.dtype.name
        ((48, 64, 4), 'uint8')
        """
        watch = Watch(progress, cancel)
        with watch.reraise():
            settings = self._settings_for(self._settings, options, None, None)
            picture = read(photo, keep_depth=settings.c.depth != 8, order=order, stop=watch.stop)
        return self._run(picture, watch, self._settings_for(self._settings, options, picture, None), order)

    def cut(self, photo: Photo, *, to: Path | None = None, output: Output = "cutout", format: str | None = None,
            overwrite: bool | None = None, progress: Callable[[Progress], object] | None = None, cancel: Cancel | None = None,
            order: Order = "rgb", **options: Unpack[Options]) -> Any:
        """Cuts the subject out. The result is of the photo's kind: an array for an array, a PIL picture for a PIL picture, the
        bytes of a PNG for bytes, and for a path the path of a file beside it (photo.cutout.png; an existing one is an error).

        to: write a file or into a folder instead, replacing what is there; overwrite says otherwise. The photo and every other
        file that is read are never written. output: "alpha", "mask" or
        "trimap" instead of the cut-out. format: "png", "webp", "jpeg". The rest is as for `run`.
        """
        watch = Watch(progress, cancel)
        base = self._settings_for(self._settings, options, None, output)
        self._check_place([("the photo", photo)], base, output, to, format)
        with watch.reraise():
            picture = read(photo, keep_depth=base.c.depth != 8, order=order, stop=watch.stop)
        settings = self._settings_for(self._settings, options, picture, output)
        return self._run(picture, watch, settings, order).deliver(output, to, format, overwrite, False)

    def cut_many(self, photos: Iterable[Photo], *, to: Path | None = None, output: Output = "cutout", format: str | None = None,
                 errors: Literal["raise", "yield"] = "raise", overwrite: bool | None = None,
                 progress: Callable[[int, Progress], object] | None = None, cancel: Cancel | None = None, order: Order = "rgb",
                 **options: Unpack[Options]) -> Iterator[Any]:
        """`cut` for a list, an iterator or an array [B,H,W,C]: results come in order, and the next photo is decoded while one is
        cut out. errors="yield" gives the exception in the place of a photo that failed, and goes on. progress is called with
        the number of the photo, too. to: a folder. Photos whose results would have one name are refused, those of a list
        before any work.

        >>> import mattebox, numpy
        >>> photos = numpy.zeros((2, 32, 32, 3), "uint8")
        >>> [p.shape for p in mattebox.Model(None, segment="saliency").cut_many(photos)]
        [(32, 32, 4), (32, 32, 4)]
        """
        if errors not in ("raise", "yield"):
            raise _argument(f'errors "{errors}": raise or yield')
        base = self._settings_for(self._settings, options, None, output)
        stopped = threading.Event()
        loader = Watch(None, Either(cancel, stopped))

        sources = Sources([("the background", base.background_file), *self._model_files()])
        places = Places(sources, output, to, format)
        listed = isinstance(photos, (list, tuple)) or isinstance(photos, Collection) and is_path(next(iter(photos), None))
        if listed:  # others, which may be read when they are asked for, are looked at as they come
            for photo in photos:
                sources.add("a photo", photo)
            for number, photo in enumerate(photos):
                if is_path(photo):
                    places.claim(number, photo)

        def known() -> Iterator[Photo]:
            for photo in photos:
                sources.add("a photo", photo)
                yield photo

        def load(photo: Photo) -> Picture:
            with loader.reraise():
                return read(photo, keep_depth=base.c.depth != 8, order=order, stop=loader.stop)

        for number, loaded in enumerate(ahead(load, known(), stopped)):
            try:
                picture = loaded()
                if to is not None or picture.kind == "path":
                    places.claim(number, picture.source if picture.kind == "path" else None)
                settings = self._settings_for(self._settings, options, picture, output)
                watch = Watch(numbered(progress, number), cancel)
                done = self._run(picture, watch, settings, order).deliver(output, to, format, overwrite, to is not None)
            except Error as why:  # `errors` is the parameter here
                if errors == "raise" or why.code == "MB_E_CANCELLED":
                    raise
                done = why
            yield done

    def matte(self, photo: Photo, mask: Photo | None = None, trimap: Photo | None = None, *, to: Path | None = None,
              output: Output = "cutout", format: str | None = None, overwrite: bool | None = None, scale_mask: bool = False,
              mask_channel: Literal["auto", "luma", "red", "green", "blue", "alpha"] = "auto",
              progress: Callable[[Progress], object] | None = None, cancel: Cancel | None = None, order: Order = "rgb",
              **options: Unpack[Options]) -> Any:
        """Refines a mask or trimap of yours; no network looks for the subject. detail is "pymatting" unless you say otherwise.
        scale_mask: one of another size is scaled to the photo's. The result is as for `cut`.

        >>> import mattebox, numpy
        >>> photo = numpy.zeros((48, 64, 3), "uint8"); photo[12:36, 16:48] = 255
        >>> mask = numpy.zeros((48, 64), "uint8"); mask[12:36, 16:48] = 255
        >>> int(mattebox.Model(None).matte(photo, mask, output="alpha").max())
        255
        """
        watch = Watch(progress, cancel)

        def check(settings: Settings) -> None:
            self._check_place([("the photo", photo), ("the mask", mask), ("the trimap", trimap)], settings, output, to, format)

        result = self._refine(photo, mask, trimap, watch, output, scale_mask, mask_channel, order, options, check)
        return result.deliver(output, to, format, overwrite, False)

    def refine(self, photo: Photo, mask: Photo | None = None, trimap: Photo | None = None, *, scale_mask: bool = False,
               mask_channel: Literal["auto", "luma", "red", "green", "blue", "alpha"] = "auto",
               progress: Callable[[Progress], object] | None = None, cancel: Cancel | None = None, order: Order = "rgb",
               **options: Unpack[Options]) -> Result:
        """`matte` with everything that there is to know: a Result."""
        return self._refine(photo, mask, trimap, Watch(progress, cancel), None, scale_mask, mask_channel, order, options)

    def _refine(self, photo: Photo, mask: Photo | None, trimap: Photo | None, watch: Watch, output: Output | None,
                scale_mask: bool, mask_channel: str, order: Order, options: Options,
                check: Callable[[Settings], None] | None = None) -> Result:
        if (mask is None) == (trimap is None):
            raise errors.ArgumentError("exactly one of mask and trimap")
        base = self._settings_for(self._matte_settings, options, None, output)
        if check is not None:
            check(base)
        with watch.reraise():
            picture = read(photo, keep_depth=base.c.depth != 8, order=order, stop=watch.stop)
            guide = read_mask(mask if mask is not None else trimap, mask is None, picture, scale_mask, mask_channel, watch.stop)
        settings = self._settings_for(self._matte_settings, options, picture, output)
        return self._run(picture, watch, settings, order, guide if mask is not None else None, guide if mask is None else None)

    def plan(self, width: int, height: int, **options: Unpack[Options]) -> Plan:
        """Work and memory of a run on a photo of that size; nothing is computed."""
        plan = _abi.mb_plan_info()
        plan.size = ctypes.sizeof(plan)
        with self._pipeline(self._settings_for(self._settings, options, None, None)) as pipeline:
            call("mb_pipeline_plan", ctypes.byref(plan), pipeline.pointer, whole("width", width), whole("height", height))
        return Plan(plan.input_width, plan.input_height, plan.n_nodes, plan.macs, plan.weight_bytes, plan.arena_bytes,
                    plan.picture_bytes, plan.total_bytes)

    def verify(self, progress: Callable[[Progress], object] | None = None, cancel: Cancel | None = None) -> None:
        """Compares every tensor of the file with its checksum."""
        watch = Watch(progress, cancel)
        self._check_open()
        if self._model is not None:
            with watch.reraise():
                call("mb_model_verify", self._model, watch.callback, None)

    def __repr__(self) -> str:
        if not self._finalizer.alive:
            return "<mattebox.Model, closed>"
        return f"<mattebox.Model {self.info.summary if self._model else 'without a network'}, {self.device}>"


def _argument(message: str) -> errors.Error:
    return errors.ArgumentError(message)


def _reopen(arguments: dict[str, Any]) -> Model:
    return Model(**arguments)
