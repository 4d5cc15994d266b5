"""The nodes, each described once: old_api.py and new_api.py make ComfyUI's classes of it."""
from __future__ import annotations

from typing import Any, Callable, NamedTuple, Tuple

from . import models, work

CATEGORY = "mattebox"
METHODS = ["VITMatte", "VITMatte(local)", "PyMatting", "GuidedFilter"]
BASE = "vitmatte-base-composition-1k"  # of newer versions of the node: after the others, so that the first is still the default
COLOURS = ["kept", "black", "estimated"]


class In(NamedTuple):
    """An input. kind: IMAGE, MASK, BIREFNET_MODEL; INT, FLOAT, BOOLEAN, COMBO."""

    id: str
    kind: str
    default: Any = None
    least: Any = None
    most: Any = None
    step: Any = None
    slider: bool = False
    choices: Any = None  # a list, or a function that gives one when ComfyUI asks
    optional: bool = False
    help: str = ""

    def options(self) -> list:
        return list(self.choices() if callable(self.choices) else self.choices)


class Node(NamedTuple):
    id: str
    title: str
    help: str
    inputs: Tuple[In, ...]
    outputs: Tuple[Tuple[str, str], ...]  # name, kind
    run: Callable[..., tuple]


IMAGE = In("image", "IMAGE")
MODEL = In("birefnet_model", "BIREFNET_MODEL")
CUTOUT = (("image", "IMAGE"), ("mask", "MASK"))
HIDDEN = In("hidden_colours", "COMBO", "kept", choices=COLOURS, optional=True,
            help="RGB where alpha is below 1: kept: the picture's own, which return where alpha is dropped (VAE Encode); black: black "
                 "where alpha is 0; estimated: colours of the subject alone, without a rim of the old background")


def edge(erode: int, dilate: int, process: bool, methods: list) -> Tuple[In, ...]:
    """What the nodes have in common, in the order of the nodes of LayerStyle, whose saved workflows count on it."""
    return (
        In("detail_method", "COMBO", methods[0], choices=methods, help="what refines the edge; VITMatte needs a model in models/vitmatte"),
        In("detail_erode", "INT", erode, 1, 255, 1, help="width of the unknown band inside the outline"),
        In("detail_dilate", "INT", dilate, 1, 255, 1, help="width of the unknown band outside the outline"),
        In("black_point", "FLOAT", 0.01, 0.01, 0.98, 0.01, slider=True, help="alpha up to this becomes 0"),
        In("white_point", "FLOAT", 0.99, 0.02, 0.99, 0.01, slider=True, help="alpha from this on becomes 1"),
        In("process_detail", "BOOLEAN", process, help="off: the network's mask as it is"),
        In("device", "COMBO", "cuda", choices=["cuda", "cpu"], help="cuda: a GPU if there is one that can be used, else the CPU"),
        In("max_megapixels", "FLOAT", 2.0, 1, 999, 0.1, help="VITMatte works on at most this many"),
    )


NODES = (
    Node("mattebox: BiRefNetUltra", "mattebox: BiRefNet Ultra", "Cuts the subject out, as LayerMask: BiRefNetUltra does.",
         (IMAGE, *edge(6, 6, True, METHODS), HIDDEN), CUTOUT, work.ultra),
    Node("mattebox: BiRefNetUltraV2", "mattebox: BiRefNet Ultra V2", "Cuts the subject out, as LayerMask: BiRefNetUltraV2 does.",
         (IMAGE, MODEL, *edge(4, 2, False, [*METHODS, BASE]), HIDDEN), CUTOUT, work.ultra_v2),
    Node("mattebox: LoadBiRefNetModel", "mattebox: Load BiRefNet Model",
         "A BiRefNet checkpoint of models/background_removal or models/BiRefNet, or a model of mattebox.",
         (In("model", "COMBO", choices=models.names),), (("birefnet_model", "BIREFNET_MODEL"),), work.load_file),
    Node("mattebox: LoadBiRefNetModelV2", "mattebox: Load BiRefNet Model V2", "A BiRefNet model by its name.",
         (In("version", "COMBO", models.VERSIONS[0], choices=models.VERSIONS),), (("birefnet_model", "BIREFNET_MODEL"),), work.load_version),
    Node("mattebox: Matte", "mattebox: Matte from mask", "Refines the edge of a mask of yours; no network looks for the subject.",
         (IMAGE, In("mask", "MASK"), *edge(6, 6, True, ["PyMatting", "GuidedFilter", "VITMatte", BASE]), HIDDEN), CUTOUT, work.matte),
    Node("mattebox: MatteFromTrimap", "mattebox: Matte from trimap", "Alpha from a trimap: black background, white foreground, grey unknown.",
         (IMAGE, In("trimap", "MASK"), *edge(6, 6, True, ["PyMatting", "VITMatte", BASE])[:1], HIDDEN), CUTOUT, work.matte_from_trimap),
    Node("mattebox: Trimap", "mattebox: Trimap from mask", "The trimap that VITMatte gets: 0 background, 0.5 unknown, 1 foreground.",
         (In("mask", "MASK"), In("erode", "INT", 6, 1, 255, 1), In("dilate", "INT", 6, 1, 255, 1)), (("trimap", "MASK"),), work.trimap),
)
