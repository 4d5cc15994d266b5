#!/usr/bin/env python3
"""The golden of the trained model: what PyTorch answers for the exported weights, to hold the engine to (tests/models/demo.c).

    golden.py W/main_f16.safetensors ../../docs/pictures/cat.jpg ../../tests/data/goldens/demo_64x96.safetensors
"""

import hashlib
import sys

import cv2
import torch
from safetensors.torch import save_file

from train import load_model, to_x

weights, photo, out = sys.argv[1:]
torch.set_num_threads(1)
x = to_x([cv2.resize(cv2.imread(photo), (96, 64), interpolation=cv2.INTER_AREA)]).contiguous()
with torch.no_grad():
    y = load_model(weights)[0](x)
digest = hashlib.sha256(open(weights, "rb").read()).hexdigest()
save_file({"input": x, "logits": y.contiguous()}, out, metadata={"weights_sha256": digest, "source": f"PyTorch {torch.__version__}, float32, CPU"})
print(out, "logits", float(y.min()), "to", float(y.max()))
