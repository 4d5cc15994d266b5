"""What the nodes do. Tensors come from any device and go back to the CPU, as ComfyUI's own nodes give theirs."""
from __future__ import annotations

import logging
import threading
from typing import Any, Callable

import numpy as np

from . import models

log = logging.getLogger("mattebox")
DETAIL = {"VITMatte": "vitmatte", "VITMatte(local)": "vitmatte-local", "vitmatte-base-composition-1k": "vitmatte-base",
          "PyMatting": "pymatting", "GuidedFilter": "guided"}
_opened: dict = {}
_lock = threading.Lock()
MAX_OPEN = 2  # models that stay open for the next run


class Chosen:
    """What the loaders give: which file, opened when it is used, since the device is chosen there."""

    def __init__(self, path: str | None) -> None:
        self.path = path


def load_file(model: str) -> tuple:
    return (Chosen(models.segmenter(model)),)


def load_version(version: str) -> tuple:
    return (Chosen(models.segmenter(version)),)


def to_numpy(tensor: Any) -> np.ndarray:
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().float().numpy()
    return np.ascontiguousarray(tensor, dtype=np.float32)


def to_tensor(array: np.ndarray, like: Any) -> Any:
    if not hasattr(like, "detach"):
        return array
    import torch

    return torch.from_numpy(array)


def levels(array: np.ndarray) -> np.ndarray:
    """0 .. 1 to 0 .. 255 as LayerStyle does it: cut off, not rounded."""
    return np.clip(array * np.float32(255), 0, 255).astype(np.uint8)


def pictures(image: Any) -> list:
    """[B,H,W,C] or [H,W,C] as a list of 8-bit RGB arrays; alpha is dropped, grey is repeated."""
    batch = to_numpy(image)
    batch = batch[None] if batch.ndim == 3 else batch
    if batch.ndim != 4 or batch.shape[3] not in (1, 3, 4):
        raise ValueError(f"image of shape {list(batch.shape)}: [B,H,W,3] is expected")
    return [levels(np.repeat(one, 3, axis=2) if one.shape[2] == 1 else np.ascontiguousarray(one[:, :, :3])) for one in batch]


def masks(mask: Any, n: int) -> list:
    """[H,W], [B,H,W] or [B,1,H,W] (ComfyUI's own BiRefNet) as a list of n arrays of 8 bits; one mask serves all pictures."""
    batch = to_numpy(mask)
    batch = batch[None] if batch.ndim == 2 else batch[:, 0] if batch.ndim == 4 and batch.shape[1] == 1 else batch
    if batch.ndim != 3:
        raise ValueError(f"mask of shape {list(batch.shape)}: [B,H,W] is expected")
    if n and len(batch) not in (1, n):
        raise ValueError(f"{len(batch)} masks for {n} pictures: one for each, or one for all")
    flat = [levels(one) for one in batch]
    return flat * n if n and len(flat) == 1 else flat


class Steps:
    """ComfyUI's progress bar and its Cancel button, for a batch."""

    PER_PICTURE = 100

    def __init__(self, n: int) -> None:
        import comfy.model_management
        import comfy.utils

        self.management = comfy.model_management
        self.total = n * self.PER_PICTURE
        self.bar = comfy.utils.ProgressBar(self.total)
        self.shown = -1

    def interrupted(self) -> None:
        self.management.throw_exception_if_processing_interrupted()

    def watch(self, number: int) -> Callable:
        def report(at: Any) -> None:
            self.interrupted()  # what it raises ends the run, and is raised from it
            value = number * self.PER_PICTURE + int(at.done * self.PER_PICTURE)
            if value > self.shown:
                self.shown = value
                self.bar.update_absolute(value, self.total)

        return report


def opened(path: str | None, device: str, needs_matting: str | None, steps: Steps, network: bool = True) -> Any:
    """A Model, kept for the next run."""
    import mattebox

    matting = models.ready(models.matting(needs_matting == "vitmatte-base"), steps.interrupted) if needs_matting else None
    name = None if not network else "default" if path is None else models.ready(path, steps.interrupted)
    key = name, matting, device
    with _lock:
        if key not in _opened:
            while len(_opened) >= MAX_OPEN:  # the one that was opened first; a run that still has it keeps it
                _opened.pop(next(iter(_opened)))
            model = mattebox.Model(name, matting=matting, device="auto" if device == "cuda" else "cpu", jobs=4, log=log.info)
            log.info("mattebox: %s%s", model.device, f" ({model.device_note})" if device == "cuda" and model.device_note else "")
            _opened[key] = model
        return _opened[key]


def settings(preset: str, detail_method: str, detail_erode: int, detail_dilate: int, black_point: float, white_point: float,
             process_detail: bool, max_megapixels: float, hidden_colours: str) -> dict:
    return {"recipe": {"birefnet-ultra": "layerstyle", "birefnet-ultra-v2": "layerstyle-v2"}.get(preset, "auto"),
            "detail": DETAIL[detail_method], "process_detail": bool(process_detail), "erode": int(detail_erode),
            "dilate": int(detail_dilate), "black_point": round(float(black_point), 6), "white_point": round(float(white_point), 6),
            "max_megapixels": float(max_megapixels), "depth": 8,
            "foreground": "ml" if hidden_colours == "estimated" else "none", "clean_transparent": hidden_colours == "black"}


def finish(results: list, image: Any, node: str) -> tuple:
    """Lists of cut-outs [H,W,4] and alphas [H,W], 8 bits, as ComfyUI's IMAGE and MASK."""
    cutouts = np.stack([cutout for cutout, _ in results]).astype(np.float32) / np.float32(255)
    alphas = np.stack([alpha for _, alpha in results]).astype(np.float32) / np.float32(255)
    log.info("%s Processed %d image(s).", node, len(results))
    return to_tensor(cutouts, image), to_tensor(alphas, image)


def result_of(result: Any, picture: np.ndarray, hidden_colours: str) -> tuple:
    """kept: the picture's own colours, as the node of LayerStyle gives them."""
    alpha = np.array(result.alpha)
    cutout = np.dstack([picture, alpha]) if hidden_colours == "kept" else np.array(result.cutout)
    if result.warning:
        log.warning("mattebox: %s", result.warning)
    return cutout, alpha


def _cut(node: str, preset: str, path: str | None, image: Any, device: str, hidden_colours: str, edge: dict) -> tuple:
    batch = pictures(image)
    steps = Steps(len(batch))
    options = settings(preset, hidden_colours=hidden_colours, **edge)
    matting = options["detail"] if options["process_detail"] and options["detail"].startswith("vitmatte") else None
    model = opened(path, device, matting, steps)
    results = []
    for number, picture in enumerate(batch):
        result = model.run(picture, progress=steps.watch(number), **options)
        results.append(result_of(result, picture, hidden_colours))
    return finish(results, image, node)


def ultra(image, device="cuda", hidden_colours="kept", **edge) -> tuple:
    return _cut("BiRefNetUltra", "birefnet-ultra", models.segmenter("ultra"), image, device, hidden_colours, edge)


def ultra_v2(image, birefnet_model, device="cuda", hidden_colours="kept", **edge) -> tuple:
    if not isinstance(birefnet_model, Chosen):
        raise TypeError("birefnet_model is a torch model of another pack: use mattebox: LoadBiRefNetModel or its V2")
    return _cut("BiRefNetUltraV2", "birefnet-ultra-v2", birefnet_model.path, image, device, hidden_colours, edge)


def _refine(node: str, image: Any, guide: Any, kind: str, device: str, hidden_colours: str, options: dict) -> tuple:
    batch = pictures(image)
    guides = masks(guide, len(batch))
    steps = Steps(len(batch))
    matting = options["detail"] if options.get("process_detail", True) and options["detail"].startswith("vitmatte") else None
    model = opened(None, device, matting, steps, network=False)
    results = []
    for number, (picture, one) in enumerate(zip(batch, guides)):
        result = model.refine(picture, **{kind: one}, scale_mask=True, progress=steps.watch(number), **options)
        results.append(result_of(result, picture, hidden_colours))
    return finish(results, image, node)


def matte(image, mask, device="cuda", hidden_colours="kept", **edge) -> tuple:
    return _refine("Matte", image, mask, "mask", device, hidden_colours, settings("", hidden_colours=hidden_colours, **edge))


def matte_from_trimap(image, trimap, detail_method, hidden_colours="kept") -> tuple:
    options = {"detail": DETAIL[detail_method], "depth": 8, "foreground": "ml" if hidden_colours == "estimated" else "none",
               "clean_transparent": hidden_colours == "black"}
    return _refine("MatteFromTrimap", image, trimap, "trimap", "cuda", hidden_colours, options)


def trimap(mask, erode, dilate) -> tuple:
    import mattebox

    made = [mattebox.trimap(one, erode=int(erode), dilate=int(dilate)) for one in masks(mask, 0)]
    return (to_tensor(np.stack(made).astype(np.float32) / np.float32(255), mask),)
