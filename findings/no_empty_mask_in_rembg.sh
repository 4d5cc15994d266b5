#!/bin/sh
# rembg cannot say that a photo has no subject: its BiRefNet sessions stretch every mask so that the smallest value of the network becomes 0
# and the largest 255. A network that gives each pixel less than half a per cent gives a mask that reaches 255; and one that is sure of half of its pixels
# (0.9) and nearly so of the others (0.8) loses the others altogether. BiRefNet's own recipe takes the sigmoid as it is. The
# photo is stretched too: it is divided by its largest sample, not by 255, so that a photo at a quarter of the light gives the network the same
# values, and one white pixel in it gives four times darker ones.
#
# Guess: alpha is the network's probability; photos are divided by 255, as the networks' authors do.
# Seen on 30 November 2026 with rembg 2.0.86, onnxruntime 1.32.0, a network of one op in BiRefNet's place. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "rembg[cpu]==2.0.86" onnxruntime==1.32.0 onnx==1.23.2
"$work/venv/bin/python" - "$work" <<'END_OF_PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image
from rembg import remove
from rembg.sessions.birefnet_general import BiRefNetSessionGeneral


def network(low, high):
    """-> a file: logits that rise with the red of the photo, from `low` for black to `high` for white"""
    red = [(0 - 0.485) / 0.229, (1 - 0.485) / 0.229]
    slope = (high - low) / (red[1] - red[0])
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 3, 1, 1], [slope, 0, 0])
    bias = helper.make_tensor("b", TensorProto.FLOAT, [1], [low - slope * red[0]])
    value = lambda name, n: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, n, 1024, 1024])
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w", "b"], ["y"])], "net", [value("x", 3)], [value("y", 1)], [weight, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[1] + "/net.onnx")
    return sys.argv[1] + "/net.onnx"


class Stand_in(BiRefNetSessionGeneral):
    file = ""

    @classmethod
    def download_models(cls, *args, **kwargs):
        return cls.file


def alphas(low, high, photo):
    Stand_in.file = network(low, high)
    session = Stand_in("stand-in", onnxruntime.SessionOptions())
    mask = np.asarray(remove(Image.fromarray(photo), session=session, only_mask=True))
    return int(mask[:, :400].mean()), int(mask[:, -400:].mean()), session.normalize(Image.fromarray(photo), (0, 0, 0), (1, 1, 1), (1024, 1024))["x"][0, 0, 512, 900]


logit = lambda p: float(np.log(p / (1 - p)))
halves = np.zeros((1024, 1024, 3), np.uint8)
halves[:, 512:] = 255
for what, p, q in (("nothing there", 0.002, 0.004), ("all of it", 0.8, 0.9), ("two halves", 0.001, 0.999)):
    left, right, _ = alphas(logit(p), logit(q), halves)
    print(f"{what}: the network says {p} and {q}, the mask {left} and {right} of 255")
    assert left == 0 and right == 255
dim = halves // 4
_, _, seen = alphas(0, 1, dim)
dim[0:8, 0:8] = 255
_, _, with_spot = alphas(0, 1, dim)
print(f"a photo whose largest sample is 63: the network sees {seen:.2f} there; with a white spot elsewhere {with_spot:.2f}")
assert abs(seen - 1) < 1e-6 and abs(with_spot - 63 / 255) < 1e-6
END_OF_PYTHON
