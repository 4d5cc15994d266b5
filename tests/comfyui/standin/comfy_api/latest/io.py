"""Inputs, outputs and schemas: the names and parameters of the real ones (0.33), with what they hold checked."""
from enum import Enum


class NumberDisplay(str, Enum):
    number = "number"
    slider = "slider"


class Input:
    io_type = None
    fields = ()

    def __init__(self, id, display_name=None, optional=False, tooltip=None, **more):
        unknown = set(more) - set(self.fields)
        assert not unknown, f"{id}: {self.io_type} takes no {unknown}"
        self.id, self.optional, self.tooltip = id, optional, tooltip
        for name in self.fields:
            setattr(self, name, more.get(name))


class Output:
    def __init__(self, id=None, display_name=None, tooltip=None, is_output_list=False):
        self.display_name = display_name


def _kind(name, *fields):
    made = type(name, (), {})
    made.Input = type("Input", (Input,), {"io_type": name, "fields": fields})
    made.Output = type("Output", (Output,), {"io_type": name})
    return made


Image = _kind("IMAGE")
Mask = _kind("MASK")
Int = _kind("INT", "default", "min", "max", "step", "display_mode")
Float = _kind("FLOAT", "default", "min", "max", "step", "round", "display_mode")
Boolean = _kind("BOOLEAN", "default", "label_on", "label_off")
Combo = _kind("COMBO", "options", "default")


def Custom(name):
    return _kind(name)


class Schema:
    def __init__(self, node_id, display_name=None, category="sd", inputs=(), outputs=(), description="", is_output_node=False):
        self.node_id, self.display_name, self.category, self.description = node_id, display_name, category, description
        self.inputs, self.outputs, self.is_output_node = inputs, outputs, is_output_node
        ids = [one.id for one in inputs]
        assert len(set(ids)) == len(ids), f"{node_id}: an id twice"


class ComfyNode:
    @classmethod
    def define_schema(cls):
        raise NotImplementedError

    @classmethod
    def GET_SCHEMA(cls):
        return cls.define_schema()


class NodeOutput:
    def __init__(self, *args, ui=None, expand=None, block_execution=None):
        self.args = args


class NodeReplace:
    def __init__(self, new_node_id, old_node_id, old_widget_ids=None, input_mapping=None, output_mapping=None):
        self.new_node_id, self.old_node_id, self.old_widget_ids = new_node_id, old_node_id, old_widget_ids
        self.input_mapping, self.output_mapping = input_mapping, output_mapping
