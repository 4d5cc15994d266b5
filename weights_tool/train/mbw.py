"""Read a model file of the program (.mbw, docs/format.md) into PyTorch tensors, so that training goes on from what was shipped."""

import struct

import numpy as np
import torch

DTYPES = {0: "<f4", 1: "<f2", 3: "<i8"}  # bf16 (2) has no NumPy type; the small default is f16
# heads that only training needs are not in the file: they start anew
TRAINING_ONLY = ("conv_ms_spvn_", "gdt_convs_pred_")


def read_mbw(path):
    """-> {name: float32 tensor}; ValueError says what is wrong with the file"""
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < 64 or data[:4] != b"MBW\0":
        raise ValueError(f"{path}: is not a .mbw file")
    version, _, count = struct.unpack_from("<III", data, 4)
    at = struct.unpack_from("<Q", data, 32)[0]
    if version != 1:
        raise ValueError(f"{path}: version {version} is not known")
    out = {}
    for _ in range(count):
        offset, size, _, name_bytes, dtype, rank = struct.unpack_from("<QQQHBB", data, at)
        dims = struct.unpack_from(f"<{rank}Q", data, at + 32)
        first = at + 32 + 8 * rank
        name = data[first : first + name_bytes].decode()
        if dtype not in DTYPES or offset + size > len(data):
            raise ValueError(f"{path}: tensor {name}: type {dtype} or its place does not fit")
        out[name] = torch.from_numpy(np.frombuffer(data, DTYPES[dtype], count=size // int(DTYPES[dtype][-1]), offset=offset).reshape(dims).astype(np.float32))
        at = first + (name_bytes // 8 + 1) * 8
    return out
