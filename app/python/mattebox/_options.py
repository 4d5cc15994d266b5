"""Written by app/python/generate.py from docs/options.schema.json: change that, and run it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Sequence, TypedDict

if TYPE_CHECKING:
    from ._pictures import Background


class Options(TypedDict, total=False):
    """The options of a run, keywords of every function that makes pictures.

    recipe: pre- and postprocessing of the network; auto: layerstyle for BiRefNet v1, modelcard for v2 (auto,
        layerstyle, layerstyle-v2, modelcard, official, rembg; default auto)
    input_width: width of the network's input; input_height goes with it (1 to 65,536 pixels; 0: the model's; default 0)
    input_height: height of the network's input; input_width goes with it (1 to 65,536 pixels; 0: the model's; default
        0)
    precision: arithmetic of the networks (auto: f32); the CPU knows f32 and bf16, the latter for products; also
        MATTEBOX_PRECISION (auto, f32, tf32, f16, bf16; default auto)
    process_detail: refine the mask; 0: alpha is the mask, and the matting options do not act (default True)
    detail: matting method for the edge. Cost per megapixel: guided 0.01 s, 6 MB; pymatting (closed form) 0.04 s, 50 MB,
        more with wide bands; vitmatte 2 s, 0.4 GB; vitmatte-base 2.5 times that. The VITMatte methods need a model and
        are best at hair; vitmatte-local is vitmatte under the LayerStyle node's other name (none, guided, pymatting,
        vitmatte, vitmatte-local, vitmatte-base; default none)
    erode: the trimap's unknown band inside the outline, about 2.5 (N - 1) pixels wide; guided and pymatting use erode +
        dilate (1 to 255; default 6)
    dilate: the trimap's unknown band outside the outline, about 2.5 (N - 1) pixels wide (1 to 255; default 6)
    black_point: alpha up to this value becomes 0; with pymatting a threshold of the trimap (0.01 to 0.98; default 0.01)
    white_point: alpha from this value on becomes 1; with pymatting a threshold of the trimap (0.02 to 0.99; default
        0.99)
    max_megapixels: VITMatte reduces larger photos to this size (1 to 999 megapixels of 1,048,576; default 2)
    foreground: estimate the foreground colours of translucent pixels, against rims of the old background: ml multi-
        level, blurfusion faster and a little worse; none: the photo's colours unchanged (none, ml, blurfusion; default
        none)
    want_cutout: make the cut-out (default True)
    want_trimap: return the trimap, if the method makes one (default False)
    segment: source of the mask: network, saliency (needs no model), or the best candidate made from both (network,
        saliency, both; default network)
    flip: average the masks of the photo and of its mirror image; twice the time (default False)
    grabcut: move the mask's outline to colour edges (GrabCut) before matting (default False)
    guided_radius: guided filter: radius of the window (1 to 512 pixels; 0: from erode and dilate; default 0)
    guided_eps: guided filter: regularisation; a smaller value follows fainter edges (1e-9 to 1,000,000; default 0.015)
    guided_scale: guided filter: below 1 the fast variant, with coefficients computed at this scale (0.01 to 1; default
        1)
    matting_epsilon: closed-form matting: regularisation of the colour model; a larger value gives smoother alpha (1e-12
        to 1; default 1e-06)
    min_area: drop connected components smaller than this (0 to 2,147,483,647 pixels; default 0)
    largest: keep only the largest connected component (default False)
    feather: soften alpha: standard deviation of a Gaussian blur (0 to 100 pixels; default 0)
    invert: invert alpha: keep the background, remove the subject (default False)
    depth: bits per sample of alpha and cut-out; auto: those of the photo (0, 8, 16; default 0)
    premultiplied: multiply colours by alpha, as compositing programs expect; PNG files carry a note of it (default
        False)
    clean_transparent: set the colours of fully transparent pixels to 0: smaller files (default False)
    background: what lies behind the subject (none, colour, picture, blur; default none)
    background_colour: straight RGBA, 0 to 255 each, of background=colour
    background_blur: standard deviation of background=blur (0.3 to 4,096 pixels; 0: 2 % of the longer side; default 0)
    linear: blend with the background in linear light (default False)
    crop: crop all results to alpha above 5 % (default False)
    crop_margin: margin of the crop (0 to 65,535 pixels; default 0)
    input_alpha: transparency of the photo itself: keep bounds alpha by it, ignore looks at what it hides (keep, ignore;
        default keep)
    trimap_low: a given trimap is background up to this value (the nodes' presets: 0) (0 to 127; default 25)
    trimap_high: a given trimap is foreground from this value on (the nodes' presets: 255) (128 to 255; default 230)
    """

    recipe: Literal["auto", "layerstyle", "layerstyle-v2", "modelcard", "official", "rembg"]
    input_width: int
    input_height: int
    precision: Literal["auto", "f32", "tf32", "f16", "bf16"]
    process_detail: bool
    detail: Literal["none", "guided", "pymatting", "vitmatte", "vitmatte-local", "vitmatte-base"]
    erode: int
    dilate: int
    black_point: float
    white_point: float
    max_megapixels: float
    foreground: Literal["none", "ml", "blurfusion"]
    want_cutout: bool
    want_trimap: bool
    segment: Literal["network", "saliency", "both"]
    flip: bool
    grabcut: bool
    guided_radius: int
    guided_eps: float
    guided_scale: float
    matting_epsilon: float
    min_area: int
    largest: bool
    feather: float
    invert: bool
    depth: Literal[0, 8, 16]
    premultiplied: bool
    clean_transparent: bool
    background: Background
    background_colour: Sequence[int]
    background_blur: float
    linear: bool
    crop: bool
    crop_margin: int
    input_alpha: Literal["keep", "ignore"]
    trimap_low: int
    trimap_high: int


# Kind, and the names of the values where it has names.
OPTIONS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "recipe": ("choice", ("auto", "layerstyle", "layerstyle-v2", "modelcard", "official", "rembg",)),
    "input_width": ("integer", ()),
    "input_height": ("integer", ()),
    "precision": ("choice", ("auto", "f32", "tf32", "f16", "bf16",)),
    "process_detail": ("boolean", ()),
    "detail": ("choice", ("none", "guided", "pymatting", "vitmatte", "vitmatte-local", "vitmatte-base",)),
    "erode": ("integer", ()),
    "dilate": ("integer", ()),
    "black_point": ("number", ()),
    "white_point": ("number", ()),
    "max_megapixels": ("number", ()),
    "foreground": ("choice", ("none", "ml", "blurfusion",)),
    "want_cutout": ("boolean", ()),
    "want_trimap": ("boolean", ()),
    "segment": ("choice", ("network", "saliency", "both",)),
    "flip": ("boolean", ()),
    "grabcut": ("boolean", ()),
    "guided_radius": ("integer", ()),
    "guided_eps": ("number", ()),
    "guided_scale": ("number", ()),
    "matting_epsilon": ("number", ()),
    "min_area": ("integer", ()),
    "largest": ("boolean", ()),
    "feather": ("number", ()),
    "invert": ("boolean", ()),
    "depth": ("integer", ()),
    "premultiplied": ("boolean", ()),
    "clean_transparent": ("boolean", ()),
    "background": ("choice", ("none", "colour", "picture", "blur",)),
    "background_colour": ("array", ()),
    "background_blur": ("number", ()),
    "linear": ("boolean", ()),
    "crop": ("boolean", ()),
    "crop_margin": ("integer", ()),
    "input_alpha": ("choice", ("keep", "ignore",)),
    "trimap_low": ("integer", ()),
    "trimap_high": ("integer", ()),
}

# What integers may be, for messages.
LIMITS: dict[str, str] = {
    "input_width": "1 to 65,536; 0: the model's",
    "input_height": "1 to 65,536; 0: the model's",
    "erode": "1 to 255",
    "dilate": "1 to 255",
    "guided_radius": "1 to 512; 0: from erode and dilate",
    "min_area": "0 to 2,147,483,647",
    "depth": "0, 8, 16",
    "crop_margin": "0 to 65,535",
    "trimap_low": "0 to 127",
    "trimap_high": "128 to 255",
}

DEFAULTS: dict[str, Any] = {
    "recipe": "auto",
    "input_width": 0,
    "input_height": 0,
    "precision": "auto",
    "process_detail": True,
    "detail": "none",
    "erode": 6,
    "dilate": 6,
    "black_point": 0.01,
    "white_point": 0.99,
    "max_megapixels": 2,
    "foreground": "none",
    "want_cutout": True,
    "want_trimap": False,
    "segment": "network",
    "flip": False,
    "grabcut": False,
    "guided_radius": 0,
    "guided_eps": 0.015,
    "guided_scale": 1,
    "matting_epsilon": 1e-06,
    "min_area": 0,
    "largest": False,
    "feather": 0,
    "invert": False,
    "depth": 0,
    "premultiplied": False,
    "clean_transparent": False,
    "background": "none",
    "background_blur": 0,
    "linear": False,
    "crop": False,
    "crop_margin": 0,
    "input_alpha": "keep",
    "trimap_low": 25,
    "trimap_high": 230,
}
