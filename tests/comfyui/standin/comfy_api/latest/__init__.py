"""As much of ComfyUI's comfy_api.latest as the nodes use, written for the tests: it checks what it is given."""
from . import io

__all__ = ["ComfyAPI", "ComfyExtension", "io"]


class ComfyExtension:
    async def on_load(self):
        pass

    async def get_node_list(self):
        raise NotImplementedError


class ComfyAPI:
    replaced = []

    class _Replacement:
        async def register(self, replace):
            ComfyAPI.replaced.append(replace)

    node_replacement = _Replacement()
