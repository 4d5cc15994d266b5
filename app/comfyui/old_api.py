"""NODE_CLASS_MAPPINGS, for ComfyUI before the API of version 3."""
from __future__ import annotations

from .nodes import CATEGORY, NODES, In, Node


def declare(one: In) -> tuple:
    settings = {}
    for key, value in (("default", one.default), ("min", one.least), ("max", one.most), ("step", one.step), ("tooltip", one.help or None)):
        if value is not None:
            settings[key] = value
    if one.slider:
        settings["display"] = "slider"
    if one.kind == "COMBO":
        return (one.options(), settings)
    return (one.kind, settings) if settings else (one.kind,)


def make(node: Node) -> type:
    def input_types(cls) -> dict:
        groups = {"required": {}, "optional": {}}
        for one in node.inputs:
            groups["optional" if one.optional else "required"][one.id] = declare(one)
        return groups if groups["optional"] else {"required": groups["required"]}

    return type(node.run.__name__, (), {
        "INPUT_TYPES": classmethod(input_types),
        "RETURN_TYPES": tuple(kind for _, kind in node.outputs),
        "RETURN_NAMES": tuple(name for name, _ in node.outputs),
        "FUNCTION": "run",
        "CATEGORY": CATEGORY,
        "DESCRIPTION": node.help,
        "run": lambda self, **values: node.run(**values),
    })


NODE_CLASS_MAPPINGS = {node.id: make(node) for node in NODES}
NODE_DISPLAY_NAME_MAPPINGS = {node.id: node.title for node in NODES}
