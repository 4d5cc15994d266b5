"""The same nodes for the API of version 3."""
from __future__ import annotations

import logging

from comfy_api.latest import ComfyExtension, io

from .nodes import CATEGORY, NODES, In, Node

KINDS = {"IMAGE": io.Image, "MASK": io.Mask, "INT": io.Int, "FLOAT": io.Float, "BOOLEAN": io.Boolean, "COMBO": io.Combo,
         "BIREFNET_MODEL": io.Custom("BIREFNET_MODEL")}


def declare(one: In):
    settings = {"optional": one.optional, "tooltip": one.help or None}
    if one.kind in ("INT", "FLOAT"):
        settings.update(default=one.default, min=one.least, max=one.most, step=one.step)
        if one.slider:
            settings["display_mode"] = io.NumberDisplay.slider
    elif one.kind == "BOOLEAN":
        settings["default"] = one.default
    elif one.kind == "COMBO":
        settings.update(options=one.options(), default=one.default)
    return KINDS[one.kind].Input(one.id, **settings)


def make(node: Node) -> type:
    class Made(io.ComfyNode):
        @classmethod
        def define_schema(cls):
            return io.Schema(node_id=node.id, display_name=node.title, category=CATEGORY, description=node.help,
                             inputs=[declare(one) for one in node.inputs],
                             outputs=[KINDS[kind].Output(display_name=name) for name, kind in node.outputs])

        @classmethod
        def execute(cls, **values):
            return io.NodeOutput(*node.run(**values))

    Made.__name__ = Made.__qualname__ = "Mattebox" + node.id.split(": ")[1]
    return Made


async def replace_layerstyle() -> None:
    """Where LayerStyle's nodes are missing, ComfyUI offers ours in their place when a workflow is loaded."""
    from comfy_api.latest import ComfyAPI

    api = ComfyAPI()
    for node in NODES[:4]:
        widgets = [one.id for one in node.inputs if one.kind in ("INT", "FLOAT", "BOOLEAN", "COMBO") and not one.optional]
        await api.node_replacement.register(io.NodeReplace(
            new_node_id=node.id, old_node_id=node.id.replace("mattebox: ", "LayerMask: "), old_widget_ids=widgets,
            input_mapping=[{"new_id": one.id, "old_id": one.id} for one in node.inputs if not one.optional],
            output_mapping=[{"new_idx": i, "old_idx": i} for i in range(len(node.outputs))]))


class Mattebox(ComfyExtension):
    async def on_load(self) -> None:
        if not hasattr(io, "NodeReplace"):
            return
        try:
            await replace_layerstyle()
        except Exception as why:  # a comfort, and young in ComfyUI: without it the nodes work all the same
            logging.info("mattebox: nodes of LayerStyle are not offered for replacement: %s", why)

    async def get_node_list(self):
        return [make(node) for node in NODES]


async def comfy_entrypoint():
    return Mattebox()
