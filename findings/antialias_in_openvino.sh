#!/bin/sh
# OpenVINO ignores `antialias = 1` of ONNX's Resize and says nothing: a linear or cubic reduction has the values of the one without
# antialiasing. ONNX Runtime and ONNX's own reference do what the attribute says. So a model that holds its own preparation of the photo
# (reduced with antialiasing, as Pillow and the trainers do) sees another picture under OpenVINO, and gives another mask.
#
# Guess: a reader of the format either honours an attribute or refuses it.
# Seen on 30 November 2026 with openvino 2026.4.1, onnxruntime 1.32.0, onnx 1.23.2: antialiasing changes ONNX Runtime's result by more than 1
# (32 x 32 values of unit variance, to 8 x 8), OpenVINO's by 0. Fails if that changes.
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

photo = np.random.default_rng(0).standard_normal((1, 2, 32, 32)).astype(np.float32)


def results(mode, antialias):
    """-> the reduced picture by ONNX Runtime and by OpenVINO in f32"""
    node = helper.make_node("Resize", ["x", "", "", "size"], ["y"], mode=mode, antialias=antialias, coordinate_transformation_mode="half_pixel")
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    size = helper.make_tensor("size", TensorProto.INT64, [4], [1, 2, 8, 8])
    graph = helper.make_graph([node], "reduce", [value("x", photo.shape)], [value("y", [1, 2, 8, 8])], [size])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model)
    path = sys.argv[1] + "/reduce.onnx"
    onnx.save(model, path)
    ort = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": photo})[0]
    core = openvino.Core()
    ov = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({"x": photo})[0]
    return ort, np.array(ov)


for mode in ("linear", "cubic"):
    (ort, ov), (ort_smooth, ov_smooth) = results(mode, 0), results(mode, 1)
    by_ort, by_ov = np.abs(ort_smooth - ort).max(), np.abs(ov_smooth - ov).max()
    print(f"{mode}: antialias changes ONNX Runtime's result by up to {by_ort:.3f}, OpenVINO's by {by_ov:.3f}; without it they differ by {np.abs(ort - ov).max():.1e}")
    assert by_ort > 0.5 and by_ov == 0 and np.abs(ort - ov).max() < 1e-5
END
