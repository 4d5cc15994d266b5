"""Written by app/python/generate.py from engine/include/mattebox.h: change that, and run it again."""

from __future__ import annotations

from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t,
                    c_ubyte, c_uint64, c_void_p)
from typing import Any

VERSION = "0.1.0"

MB_OK = 0
MB_E_ARGUMENT = -1
MB_E_MEMORY = -2
MB_E_IO = -3
MB_E_FORMAT = -4
MB_E_MISMATCH = -5
MB_E_UNSUPPORTED = -6
MB_E_DEVICE = -7
MB_E_CANCELLED = -8
MB_E_INTERNAL = -9

MB_PIXELS_GRAY = 0
MB_PIXELS_RGB = 1
MB_PIXELS_BGR = 2
MB_PIXELS_RGBA = 3
MB_PIXELS_BGRA = 4

MB_DEPTH_U8 = 0
MB_DEPTH_U16 = 1
MB_DEPTH_F32 = 2

MB_MASK_CHANNEL_AUTO = 0
MB_MASK_CHANNEL_LUMA = 1
MB_MASK_CHANNEL_RED = 2
MB_MASK_CHANNEL_GREEN = 3
MB_MASK_CHANNEL_BLUE = 4
MB_MASK_CHANNEL_ALPHA = 5

MB_FORMAT_AUTO = 0
MB_FORMAT_PNG = 1
MB_FORMAT_WEBP = 2
MB_FORMAT_JPEG = 3

MB_DEVICE_AUTO = 0
MB_DEVICE_CPU = 1
MB_DEVICE_CUDA = 2

MB_PRECISION_AUTO = 0
MB_PRECISION_F32 = 1
MB_PRECISION_TF32 = 2
MB_PRECISION_F16 = 3
MB_PRECISION_BF16 = 4

MB_INPUT_ALPHA_KEEP = 0
MB_INPUT_ALPHA_IGNORE = 1

MB_RECIPE_AUTO = 0
MB_RECIPE_LAYERSTYLE = 1
MB_RECIPE_LAYERSTYLE_V2 = 2
MB_RECIPE_MODELCARD = 3
MB_RECIPE_OFFICIAL = 4
MB_RECIPE_REMBG = 5

MB_SEGMENT_NETWORK = 0
MB_SEGMENT_SALIENCY = 1
MB_SEGMENT_BOTH = 2

MB_DETAIL_NONE = 0
MB_DETAIL_GUIDED = 1
MB_DETAIL_PYMATTING = 2
MB_DETAIL_VITMATTE = 3
MB_DETAIL_VITMATTE_LOCAL = 4
MB_DETAIL_VITMATTE_BASE = 5

MB_BACKGROUND_NONE = 0
MB_BACKGROUND_COLOUR = 1
MB_BACKGROUND_PICTURE = 2
MB_BACKGROUND_BLUR = 3

MB_FOREGROUND_NONE = 0
MB_FOREGROUND_ML = 1
MB_FOREGROUND_BLURFUSION = 2


mb_log_fn = CFUNCTYPE(None, c_void_p, c_int, c_char_p)

class mb_error(Structure):
    code: int
    message: bytes
    _fields_ = [
        ("code", c_int),
        ("message", c_char * 512),
    ]


class mb_image(Structure):
    data: int | None
    width: int
    height: int
    row_bytes: int
    pixels: int
    depth: int
    owned: int | None
    _fields_ = [
        ("data", c_void_p),
        ("width", c_int),
        ("height", c_int),
        ("row_bytes", c_size_t),
        ("pixels", c_int),
        ("depth", c_int),
        ("owned", c_void_p),
    ]


class mb_metadata(Structure):
    size: int
    icc: int | None
    icc_bytes: int
    dpi_x: float
    dpi_y: float
    exif: int | None
    exif_bytes: int
    note: bytes
    _fields_ = [
        ("size", c_size_t),
        ("icc", c_void_p),
        ("icc_bytes", c_size_t),
        ("dpi_x", c_double),
        ("dpi_y", c_double),
        ("exif", c_void_p),
        ("exif_bytes", c_size_t),
        ("note", c_char * 80),
    ]


class mb_image_source(Structure):
    size: int
    format: bytes
    width: int
    height: int
    channels: int
    bits: int
    orientation: int
    warning: bytes
    alpha: int
    _fields_ = [
        ("size", c_size_t),
        ("format", c_char * 16),
        ("width", c_int),
        ("height", c_int),
        ("channels", c_int),
        ("bits", c_int),
        ("orientation", c_int),
        ("warning", c_char * 160),
        ("alpha", c_int),
    ]


class mb_load_options(Structure):
    size: int
    max_megapixels: float
    accept_partial: int
    keep_depth: int
    cancel: Any
    user: int | None
    keep_alpha: int
    metadata: Any
    plain_colours: int
    max_frames: int
    max_memory: int
    _fields_ = [
        ("size", c_size_t),
        ("max_megapixels", c_double),
        ("accept_partial", c_int),
        ("keep_depth", c_int),
        ("cancel", CFUNCTYPE(c_int, c_void_p)),
        ("user", c_void_p),
        ("keep_alpha", c_int),
        ("metadata", POINTER(mb_metadata)),
        ("plain_colours", c_int),
        ("max_frames", c_int),
        ("max_memory", c_size_t),
    ]


class mb_mask_options(Structure):
    size: int
    channel: int
    is_trimap: int
    width: int
    height: int
    scale: int
    orientation: int
    photo: Any
    _fields_ = [
        ("size", c_size_t),
        ("channel", c_int),
        ("is_trimap", c_int),
        ("width", c_int),
        ("height", c_int),
        ("scale", c_int),
        ("orientation", c_int),
        ("photo", POINTER(mb_image)),
    ]


class mb_frames_info(Structure):
    n_frames: int
    loops: int
    animated: int
    format: bytes
    _fields_ = [
        ("n_frames", c_int),
        ("loops", c_int),
        ("animated", c_int),
        ("format", c_char * 16),
    ]


class mb_save_options(Structure):
    size: int
    overwrite: int
    level: int
    format: int
    quality: int
    note: Any
    threads: int
    metadata: Any
    _fields_ = [
        ("size", c_size_t),
        ("overwrite", c_int),
        ("level", c_int),
        ("format", c_int),
        ("quality", c_int),
        ("note", c_char_p),
        ("threads", c_int),
        ("metadata", POINTER(mb_metadata)),
    ]


class mb_context_options(Structure):
    size: int
    device: int
    threads: int
    max_memory: int
    log: Any
    log_user: int | None
    device_index: int
    precision: int
    fast: int
    _fields_ = [
        ("size", c_size_t),
        ("device", c_int),
        ("threads", c_int),
        ("max_memory", c_size_t),
        ("log", mb_log_fn),
        ("log_user", c_void_p),
        ("device_index", c_int),
        ("precision", c_int),
        ("fast", c_int),
    ]


class mb_model_info(Structure):
    path: Any
    name: Any
    architecture: Any
    summary: Any
    licence: Any
    finds_masks: int
    input_channels: int
    input_width: int
    input_height: int
    size_multiple: int
    n_tensors: int
    n_parameters: int
    file_bytes: int
    _fields_ = [
        ("path", c_char_p),
        ("name", c_char_p),
        ("architecture", c_char_p),
        ("summary", c_char_p),
        ("licence", c_char_p),
        ("finds_masks", c_int),
        ("input_channels", c_int),
        ("input_width", c_int),
        ("input_height", c_int),
        ("size_multiple", c_int),
        ("n_tensors", c_size_t),
        ("n_parameters", c_uint64),
        ("file_bytes", c_size_t),
    ]


class mb_progress(Structure):
    done: float
    stage: Any
    item: Any
    _fields_ = [
        ("done", c_double),
        ("stage", c_char_p),
        ("item", c_char_p),
    ]


mb_progress_callback = CFUNCTYPE(c_int, c_void_p, POINTER(mb_progress))

class mb_options(Structure):
    size: int
    recipe: int
    input_width: int
    input_height: int
    precision: int
    process_detail: int
    detail: int
    erode: int
    dilate: int
    black_point: float
    white_point: float
    max_megapixels: float
    foreground: int
    want_cutout: int
    want_trimap: int
    segment: int
    flip: int
    grabcut: int
    guided_radius: int
    guided_eps: float
    guided_scale: float
    matting_epsilon: float
    min_area: int
    largest: int
    feather: float
    invert: int
    depth: int
    premultiplied: int
    clean_transparent: int
    background: int
    background_colour: Any
    background_picture: Any
    background_blur: float
    linear: int
    crop: int
    crop_margin: int
    input_alpha: int
    trimap_low: int
    trimap_high: int
    _fields_ = [
        ("size", c_size_t),
        ("recipe", c_int),
        ("input_width", c_int),
        ("input_height", c_int),
        ("precision", c_int),
        ("process_detail", c_int),
        ("detail", c_int),
        ("erode", c_int),
        ("dilate", c_int),
        ("black_point", c_double),
        ("white_point", c_double),
        ("max_megapixels", c_double),
        ("foreground", c_int),
        ("want_cutout", c_int),
        ("want_trimap", c_int),
        ("segment", c_int),
        ("flip", c_int),
        ("grabcut", c_int),
        ("guided_radius", c_int),
        ("guided_eps", c_double),
        ("guided_scale", c_double),
        ("matting_epsilon", c_double),
        ("min_area", c_int),
        ("largest", c_int),
        ("feather", c_double),
        ("invert", c_int),
        ("depth", c_int),
        ("premultiplied", c_int),
        ("clean_transparent", c_int),
        ("background", c_int),
        ("background_colour", c_ubyte * 4),
        ("background_picture", POINTER(mb_image)),
        ("background_blur", c_double),
        ("linear", c_int),
        ("crop", c_int),
        ("crop_margin", c_int),
        ("input_alpha", c_int),
        ("trimap_low", c_int),
        ("trimap_high", c_int),
    ]


class mb_result(Structure):
    mask: mb_image
    trimap: mb_image
    alpha: mb_image
    cutout: mb_image
    ms_network: float
    ms_refine: float
    ms_compose: float
    coverage: float
    box_x: int
    box_y: int
    box_width: int
    box_height: int
    crop_x: int
    crop_y: int
    crop_width: int
    crop_height: int
    peak_bytes: int
    warning: bytes
    confidence: float
    doubtful: int
    confidence_basis: bytes
    _fields_ = [
        ("mask", mb_image),
        ("trimap", mb_image),
        ("alpha", mb_image),
        ("cutout", mb_image),
        ("ms_network", c_double),
        ("ms_refine", c_double),
        ("ms_compose", c_double),
        ("coverage", c_double),
        ("box_x", c_int),
        ("box_y", c_int),
        ("box_width", c_int),
        ("box_height", c_int),
        ("crop_x", c_int),
        ("crop_y", c_int),
        ("crop_width", c_int),
        ("crop_height", c_int),
        ("peak_bytes", c_size_t),
        ("warning", c_char * 256),
        ("confidence", c_double),
        ("doubtful", c_int),
        ("confidence_basis", c_char * 96),
    ]


class mb_plan_info(Structure):
    size: int
    input_width: int
    input_height: int
    n_nodes: int
    macs: float
    weight_bytes: int
    arena_bytes: int
    lower_bound: int
    picture_bytes: int
    total_bytes: int
    _fields_ = [
        ("size", c_size_t),
        ("input_width", c_int),
        ("input_height", c_int),
        ("n_nodes", c_int),
        ("macs", c_double),
        ("weight_bytes", c_size_t),
        ("arena_bytes", c_size_t),
        ("lower_bound", c_size_t),
        ("picture_bytes", c_size_t),
        ("total_bytes", c_size_t),
    ]


class mb_array(Structure):
    data: int | None
    dims: Any
    _fields_ = [
        ("data", c_void_p),
        ("dims", c_int64 * 4),
    ]


class mb_node_row(Structure):
    name: Any
    op: Any
    kernel: Any
    ms: float
    macs: float
    bytes: float
    dims: Any
    _fields_ = [
        ("name", c_char_p),
        ("op", c_char_p),
        ("kernel", c_char_p),
        ("ms", c_double),
        ("macs", c_double),
        ("bytes", c_double),
        ("dims", c_int64 * 4),
    ]


class mb_peak(Structure):
    size: int
    macs: float
    macs16: float
    bytes: float
    kernel: Any
    kernel16: Any
    _fields_ = [
        ("size", c_size_t),
        ("macs", c_double),
        ("macs16", c_double),
        ("bytes", c_double),
        ("kernel", c_char_p),
        ("kernel16", c_char_p),
    ]


FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "mb_status_name": (c_char_p, [c_int]),
    "mb_cutout_file": (c_int, [c_char_p, c_char_p, c_char_p, POINTER(mb_error)]),
    "mb_image_create": (c_int, [POINTER(mb_image), c_int, c_int, c_int, c_int, POINTER(mb_error)]),
    "mb_image_dispose": (None, [POINTER(mb_image)]),
    "mb_image_convert": (c_int, [POINTER(mb_image), POINTER(mb_image), POINTER(mb_error)]),
    "mb_metadata_init": (None, [POINTER(mb_metadata)]),
    "mb_metadata_dispose": (None, [POINTER(mb_metadata)]),
    "mb_image_convert_profile": (c_int, [POINTER(mb_image), POINTER(mb_metadata), POINTER(mb_metadata), POINTER(mb_error)]),
    "mb_load_options_init": (None, [POINTER(mb_load_options)]),
    "mb_image_load": (c_int, [POINTER(mb_image), POINTER(mb_image_source), c_char_p, POINTER(mb_load_options), POINTER(mb_error)]),
    "mb_image_load_memory": (c_int, [POINTER(mb_image), POINTER(mb_image_source), c_void_p, c_size_t, POINTER(mb_load_options), POINTER(mb_error)]),
    "mb_mask_channel_name": (c_char_p, [c_int]),
    "mb_mask_options_init": (None, [POINTER(mb_mask_options)]),
    "mb_mask_read": (c_int, [POINTER(mb_image), c_char_p, c_size_t, POINTER(mb_image), POINTER(mb_mask_options), POINTER(mb_error)]),
    "mb_image_probe": (c_int, [POINTER(mb_image_source), c_char_p, POINTER(mb_error)]),
    "mb_frames_open": (c_int, [POINTER(c_void_p), c_char_p, POINTER(mb_load_options), POINTER(mb_error)]),
    "mb_frames_open_memory": (c_int, [POINTER(c_void_p), c_void_p, c_size_t, POINTER(mb_load_options), POINTER(mb_error)]),
    "mb_frames_free": (None, [c_void_p]),
    "mb_frames_get_info": (POINTER(mb_frames_info), [c_void_p]),
    "mb_frames_read": (c_int, [POINTER(mb_image), POINTER(mb_image_source), POINTER(c_double), c_void_p, c_int, POINTER(mb_load_options), POINTER(mb_error)]),
    "mb_format_name": (c_char_p, [c_int]),
    "mb_save_options_init": (None, [POINTER(mb_save_options)]),
    "mb_image_save": (c_int, [POINTER(mb_image), c_char_p, POINTER(mb_save_options), POINTER(mb_error)]),
    "mb_image_check_path": (c_int, [c_char_p, POINTER(mb_error)]),
    "mb_image_encode": (c_int, [POINTER(c_void_p), POINTER(c_size_t), POINTER(mb_image), POINTER(mb_save_options), POINTER(mb_error)]),
    "mb_animation_create": (c_int, [POINTER(c_void_p), c_int, POINTER(mb_save_options), POINTER(mb_error)]),
    "mb_animation_add": (c_int, [c_void_p, POINTER(mb_image), c_double, POINTER(mb_error)]),
    "mb_animation_save": (c_int, [c_void_p, c_char_p, POINTER(mb_error)]),
    "mb_animation_encode": (c_int, [POINTER(c_void_p), POINTER(c_size_t), c_void_p, POINTER(mb_error)]),
    "mb_animation_free": (None, [c_void_p]),
    "mb_buffer_free": (None, [c_void_p]),
    "mb_context_options_init": (None, [POINTER(mb_context_options)]),
    "mb_context_create": (c_int, [POINTER(c_void_p), POINTER(mb_context_options), POINTER(mb_error)]),
    "mb_context_free": (None, [c_void_p]),
    "mb_context_device": (c_char_p, [c_void_p]),
    "mb_context_device_note": (c_char_p, [c_void_p]),
    "mb_context_threads": (c_int, [c_void_p]),
    "mb_model_open": (c_int, [POINTER(c_void_p), c_void_p, c_char_p, POINTER(mb_error)]),
    "mb_model_open_memory": (c_int, [POINTER(c_void_p), c_void_p, c_void_p, c_size_t, POINTER(mb_error)]),
    "mb_model_free": (None, [c_void_p]),
    "mb_model_get_info": (POINTER(mb_model_info), [c_void_p]),
    "mb_model_meta": (c_char_p, [c_void_p, c_char_p]),
    "mb_model_verify": (c_int, [c_void_p, mb_progress_callback, c_void_p, POINTER(mb_error)]),
    "mb_find_model": (c_int, [c_char_p, c_size_t, c_char_p, POINTER(mb_error)]),
    "mb_find_default_model": (c_int, [c_char_p, c_size_t]),
    "mb_model_folder": (c_int, [c_char_p, c_size_t, c_int]),
    "mb_input_alpha_name": (c_char_p, [c_int]),
    "mb_options_init": (None, [POINTER(mb_options)]),
    "mb_options_preset": (c_int, [POINTER(mb_options), c_char_p, POINTER(mb_error)]),
    "mb_options_check": (c_int, [POINTER(mb_options), POINTER(mb_error)]),
    "mb_parse_colour": (c_int, [c_void_p, c_char_p, POINTER(mb_error)]),
    "mb_recipe_name": (c_char_p, [c_int]),
    "mb_detail_name": (c_char_p, [c_int]),
    "mb_segmenter_name": (c_char_p, [c_int]),
    "mb_foreground_name": (c_char_p, [c_int]),
    "mb_background_name": (c_char_p, [c_int]),
    "mb_device_name": (c_char_p, [c_int]),
    "mb_precision_name": (c_char_p, [c_int]),
    "mb_pipeline_create": (c_int, [POINTER(c_void_p), c_void_p, c_void_p, c_void_p, POINTER(mb_options), POINTER(mb_error)]),
    "mb_pipeline_free": (None, [c_void_p]),
    "mb_pipeline_set_options": (c_int, [c_void_p, POINTER(mb_options), POINTER(mb_error)]),
    "mb_pipeline_set_background": (None, [c_void_p, c_void_p, POINTER(mb_image)]),
    "mb_pipeline_set_progress": (None, [c_void_p, mb_progress_callback, c_void_p]),
    "mb_result_free": (None, [POINTER(mb_result)]),
    "mb_pipeline_run": (c_int, [POINTER(POINTER(mb_result)), c_void_p, POINTER(mb_image), POINTER(mb_error)]),
    "mb_pipeline_start": (c_int, [POINTER(c_void_p), c_void_p, POINTER(mb_image), POINTER(mb_error)]),
    "mb_pipeline_finish": (c_int, [POINTER(POINTER(mb_result)), c_void_p, POINTER(mb_error)]),
    "mb_pending_free": (None, [c_void_p]),
    "mb_pipeline_refine": (c_int, [POINTER(POINTER(mb_result)), c_void_p, POINTER(mb_image), POINTER(mb_image), POINTER(mb_image), POINTER(mb_error)]),
    "mb_trimap_make": (c_int, [POINTER(mb_image), POINTER(mb_image), c_int, c_int, POINTER(mb_error)]),
    "mb_mask_apply_strokes": (c_int, [POINTER(mb_image), POINTER(mb_image), POINTER(mb_image), POINTER(mb_image), POINTER(mb_error)]),
    "mb_pipeline_plan": (c_int, [POINTER(mb_plan_info), c_void_p, c_int, c_int, POINTER(mb_error)]),
    "mb_network_create": (c_int, [POINTER(c_void_p), c_void_p, c_void_p, POINTER(mb_error)]),
    "mb_network_free": (None, [c_void_p]),
    "mb_network_set_progress": (None, [c_void_p, mb_progress_callback, c_void_p]),
    "mb_network_plan": (c_int, [POINTER(mb_plan_info), c_void_p, c_int64, c_int64, c_int64, POINTER(mb_error)]),
    "mb_network_run": (c_int, [c_void_p, POINTER(mb_array), POINTER(c_char_p), c_int, POINTER(mb_error)]),
    "mb_network_warning": (c_char_p, [c_void_p]),
    "mb_network_n_outputs": (c_int, [c_void_p]),
    "mb_network_output_name": (c_char_p, [c_void_p, c_int]),
    "mb_network_output_dims": (c_int, [POINTER(c_int64), c_void_p, c_char_p, POINTER(mb_error)]),
    "mb_network_read": (c_int, [c_void_p, c_size_t, c_void_p, c_char_p, POINTER(mb_error)]),
    "mb_network_run_file": (c_int, [c_void_p, c_char_p, c_char_p, POINTER(c_char_p), c_int, POINTER(mb_error)]),
    "mb_network_n_nodes": (c_int, [c_void_p]),
    "mb_network_node": (c_int, [POINTER(mb_node_row), c_void_p, c_int]),
    "mb_context_measure_peak": (c_int, [POINTER(mb_peak), c_void_p, POINTER(mb_error)]),
    "mb_version": (c_char_p, []),
    "mb_build_info": (None, [c_char_p, c_size_t]),
}
