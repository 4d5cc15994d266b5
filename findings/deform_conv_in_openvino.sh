#!/bin/sh
# OpenVINO has had deformable convolution as an operation of its own for years, with modulation and with sampling beyond the border, yet it
# cannot read ONNX's: "No conversion rule found for operations: DeformConv-19". ONNX Runtime runs the same file on the CPU. BiRefNet's decoder
# rests on this operation, so who wants it in OpenVINO cannot go by ONNX's standard op: they convert from PyTorch or write it out as gathers.
#
# Guess: what both sides have is translated.
# Seen on 30 November 2026 with openvino 2026.4.1 (refused, opsets 19 and 22), onnxruntime 1.32.0 (runs, within 1e-5 of onnx 1.23.2's
# reference). Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy
"$work/venv/bin/python" - "$work" <<'END'
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(0)
fed = {
    "x": random.standard_normal((1, 4, 9, 11)),
    "w": random.standard_normal((5, 4, 3, 3)),
    "offset": 3 * random.standard_normal((1, 18, 9, 11)),
    "b": np.zeros(5),
    "mask": random.random((1, 9, 9, 11)),
}
fed = {k: v.astype(np.float32) for k, v in fed.items()}
value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
assert hasattr(openvino.opset8, "deformable_convolution")
for opset in (19, 22):
    node = helper.make_node("DeformConv", list(fed), ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    graph = helper.make_graph([node], "deform", [value(k, v.shape) for k, v in fed.items()], [value("y", [1, 5, 9, 11])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(model)
    path = sys.argv[1] + "/deform.onnx"
    onnx.save(model, path)
    y = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, fed)[0]
    off = np.abs(y - ReferenceEvaluator(model).run(None, fed)[0]).max()
    try:
        openvino.Core().read_model(path)
        said = "read"
    except RuntimeError as e:
        said = next(line for line in str(e).splitlines() if "DeformConv" in line).strip(" -")
    print(f"opset {opset}: ONNX Runtime within {off:.1e} of the reference; OpenVINO: {said}")
    assert off < 1e-4 and "No conversion rule" in said
END
