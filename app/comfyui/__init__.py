"""mattebox for ComfyUI: cut-outs and mattes without torch models, on the CPU or a GPU.

ComfyUI takes NODE_CLASS_MAPPINGS where a pack has them and comfy_entrypoint otherwise, so exactly one of the two is here: the second
where this ComfyUI has the API of version 3.
"""
try:
    from comfy_api.latest import ComfyExtension, io
except ImportError:  # before mid-2025
    from .old_api import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
else:
    from .new_api import comfy_entrypoint

    __all__ = ["comfy_entrypoint"]
