"""Ray Data: an actor that opens the model once and cuts out batches.

    ds = ray.data.read_binary_files("photos/", include_paths=True)
    ds = ds.map_batches(mattebox.ray.CutOut, batch_size=8, concurrency=2, num_cpus=4,
                        fn_constructor_kwargs={"column": "bytes", "threads": 4})

This file does not import ray: the class is what `map_batches` takes, a constructor and a call on a dict of numpy columns.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Sequence

from . import errors
from ._model import Model
from ._result import OUTPUTS, Output

if TYPE_CHECKING:
    from ._pictures import Array, Path


class CutOut:
    """column: the photos, as bytes of files, paths or arrays. outputs: the columns that are added, of "cutout", "alpha", "mask",
    "trimap"; each holds the bytes of PNG files, since cut-outs of several sizes have no common array. "coverage", "confidence"
    (NaN: not known), "error" and "warning" are added as well: a photo that fails gives empty bytes and its message, and never
    costs the batch; no row is lost, added or moved. keep: keep the photo's column. model and all other keywords: as for `Model`.
    """

    def __init__(self, model: Path = "default", *, column: str = "bytes", outputs: Sequence[Output] = ("cutout",), keep: bool = False,
                 format: str = "png", **keywords: Any) -> None:
        wrong = [name for name in outputs if name not in OUTPUTS]
        if wrong:
            raise errors.ArgumentError(f'outputs "{wrong[0]}": of {", ".join(OUTPUTS)}')
        self.column, self.outputs, self.keep, self.format = column, tuple(outputs), keep, format
        keywords.setdefault("want_cutout", "cutout" in outputs)
        keywords.setdefault("want_trimap", "trimap" in outputs)
        self.model = Model(model, **keywords)

    def __call__(self, batch: Dict[str, Array]) -> Dict[str, Any]:
        import numpy as np

        if self.column not in batch:
            raise errors.ArgumentError(f'no column "{self.column}" in {", ".join(batch)}\nfn_constructor_kwargs={{"column": ...}}')
        rows = [self._row(photo) for photo in batch[self.column]]
        out: Dict[str, Any] = {name: values for name, values in batch.items() if self.keep or name != self.column}
        for output in self.outputs:
            out[output] = np.array([row[output] for row in rows] + [None], dtype=object)[:-1]
        for name in ("coverage", "confidence"):
            out[name] = np.array([row[name] for row in rows], dtype=np.float64)
        for name in ("error", "warning"):
            out[name] = np.array([row[name] for row in rows] + [None], dtype=object)[:-1]
        return out

    def _row(self, photo: Any) -> Dict[str, Any]:
        row: Dict[str, Any] = {**{name: b"" for name in self.outputs}, "coverage": float("nan"), "confidence": float("nan"),
                               "error": "", "warning": ""}
        try:
            result = self.model.run(photo)
            for output in self.outputs:
                if result.array(output) is not None:
                    row[output] = result.encode(output, self.format)
            row.update(coverage=result.coverage, warning=result.warning)
            if result.confidence is not None:
                row["confidence"] = result.confidence
        except (errors.OutOfMemory, errors.DeviceError, errors.InternalError):
            raise  # of this machine and not of the photo: another actor may do it
        except errors.Error as why:
            row["error"] = str(why)
        return row
