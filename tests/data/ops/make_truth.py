#!/usr/bin/env python3
"""Writes truth.bin, the small results of other people's implementations that tests/ops/truth.c holds kernels/ref to.

Needed only to add a case: PyTorch, torchvision and transformers (their own modules are called, in f64). The file is a
sequence of cases: name (32 bytes), number of tensors (int32), each tensor as 4 int32 dims [N,C,H,W] and f32 data; maps
channels last, constants in published order; the last tensor is the expected output. Little endian.
"""
import struct
import sys

import torch
import torch.nn.functional as F
import torchvision
from transformers import SwinConfig, VitDetConfig
from transformers.models.swin.modeling_swin import SwinLayer
from transformers.models.vitdet.modeling_vitdet import VitDetAttention, window_partition, window_unpartition

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
out = open(sys.argv[1] if len(sys.argv) > 1 else "truth.bin", "wb")


def rand(*shape, scale=1.0):
    return (scale * torch.randn(*shape)).float().double()  # exact in f32


class Map:  # an activation, NCHW here, channels last in the file
    def __init__(self, t):
        self.t = t


def case(name, *tensors):
    out.write(name.encode().ljust(32, b"\0") + struct.pack("<i", len(tensors)))
    for t in tensors:
        is_map = isinstance(t, Map)
        t = t.t if is_map else t
        dims = list(t.shape) + [1] * (4 - t.dim())
        t = t.permute(0, 2, 3, 1) if is_map else t
        out.write(struct.pack("<4i", *dims) + t.contiguous().float().numpy().tobytes())


x, w, b = rand(2, 5, 7, 6), rand(4, 5, 3, 3), rand(4)
case("conv2d 3x3", Map(x), w, b, Map(F.conv2d(x, w, b, padding=1)))
case("conv2d 3x3 stride 2 relu", Map(x), w, b, Map(F.relu(F.conv2d(x, w, b, stride=2, padding=1))))
w = rand(3, 5, 2, 3)
case("conv2d 2x3 gelu", Map(x), w, Map(F.gelu(F.conv2d(x, w, padding=1))))

# two padded convolutions in a row = one 5x5 with nine variants at the border (each found by probing with impulses)
x, wa, ba, wb, bb = rand(1, 2, 6, 5), rand(4, 2, 3, 3), rand(4), rand(3, 4, 3, 3), rand(3)
pair = lambda z: F.conv2d(F.conv2d(z, wa, ba, padding=1), wb, bb, padding=1)
rows, cols = [0, 2, 5], [0, 2, 4]
bias = pair(torch.zeros_like(x))
variants, biases = torch.zeros(9, 3, 2, 5, 5), torch.zeros(9, 3)
for v in range(9):
    y, z = rows[v // 3], cols[v % 3]
    biases[v] = bias[0, :, y, z]
    for c in range(2):
        for i in range(5):
            for j in range(5):
                if 0 <= y + i - 2 < 6 and 0 <= z + j - 2 < 5:
                    impulse = torch.zeros_like(x)
                    impulse[0, c, y + i - 2, z + j - 2] = 1
                    variants[v, :, c, i, j] = (pair(impulse) - bias)[0, :, y, z]
case("conv2d border variants", Map(x), variants.reshape(27, 2, 5, 5), biases.reshape(27), Map(pair(x)))

x, w, b = rand(2, 6, 3, 4), rand(5, 6), rand(5)
case("linear gelu", Map(x), w, b, Map(F.gelu(F.conv2d(x, w[:, :, None, None], b))))

for k in (1, 3, 7):
    x, w, b = rand(2, 3, 4, 3), rand(4, 3, k, k), rand(4)
    offset, logit = rand(2, 2 * k * k, 4, 3, scale=2.5), rand(2, k * k, 4, 3)
    offset[0, :, 0, 0] = offset[0, :, 0, 0].round()
    offset[1, :, 2, 2] *= 100
    y = torchvision.ops.deform_conv2d(x, offset, w, b, padding=k // 2, mask=2 * torch.sigmoid(logit))
    case(f"deform_conv2d {k}x{k}", Map(x), Map(offset), Map(logit), w, b, Map(y))

x, w, b = rand(2, 9, 3, 2), rand(9), rand(9)
norm = F.layer_norm(x.permute(0, 2, 3, 1), (9,), w, b, 1e-5).permute(0, 3, 1, 2)
case("layer_norm", Map(x), w, b, Map(norm))
mean, var = rand(9), rand(9).abs() + 0.1
case("batch_norm", Map(x), w, b, mean, var, Map(F.batch_norm(x, mean, var, w, b, eps=1e-5)))

x = rand(1, 3, 6, 5, scale=3)
case("unary relu", Map(x), Map(F.relu(x)))
case("unary gelu", Map(x), Map(F.gelu(x)))
case("unary sigmoid", Map(x), Map(torch.sigmoid(x)))
y = rand(1, 1, 6, 5)
case("scale_by_map", Map(x), Map(y), Map(x * torch.sigmoid(y)))
case("concat", Map(x), Map(y), Map(torch.cat([x, y], 1)))
case("global_mean", Map(x), Map(x.mean((2, 3), keepdim=True)))

x = rand(2, 2, 5, 7)
p = F.pad(x, (0, 1, 0, 1))
merged = torch.cat([p[:, :, i::2, j::2] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))], 1)
case("patch_merge", Map(x), Map(merged))

x = rand(2, 3, 6, 8)
tiles = x.reshape(2, 3, 3, 2, 2, 4).permute(0, 1, 2, 4, 3, 5).reshape(2, 18, 2, 4)
case("image_to_tiles", Map(x), Map(tiles))

# in f32: the index arithmetic is part of the definition
x = rand(1, 1, 5, 100).float()
case("resize corners", Map(x), Map(F.interpolate(x, (7, 333), mode="bilinear", align_corners=True)))
case("resize corners, smaller", Map(x), Map(F.interpolate(x, (3, 41), mode="bilinear", align_corners=True)))
case("resize centres", Map(x), Map(F.interpolate(x, (10, 200), mode="bilinear", align_corners=False)))
case("resize centres, smaller", Map(x), Map(F.interpolate(x, (3, 77), mode="bilinear", align_corners=False)))

table = rand(26, 4)
grid = table[1:].reshape(1, 5, 5, 4).permute(0, 3, 1, 2)
for size in ((5, 5), (8, 13), (3, 2)):
    y = F.interpolate(grid, size, mode="bicubic", align_corners=False)
    case(f"position_embedding {size[0]}x{size[1]}", table, Map(y))


def identity(linear):
    torch.nn.init.eye_(linear.weight)
    torch.nn.init.zeros_(linear.bias)


def swin(name, h, w, window, shift, heads=2, d=3, n=2):
    """SwinLayer up to the residual: norm and projections are made transparent, qkv is what enters our op."""
    c = heads * d
    layer = SwinLayer(SwinConfig(window_size=window, attn_implementation="eager"), c, (h, w), heads, 0.0, shift).double()
    for p in layer.parameters():
        p.data = rand(*p.shape)
    layer.layernorm_before, at = torch.nn.Identity(), layer.attention
    identity(at.o_proj)
    u = rand(n, h * w, c)
    qkv = torch.cat([q(u) for q in (at.q_proj, at.k_proj, at.v_proj)], -1).float()
    pad = torch.cat([q.bias for q in (at.q_proj, at.k_proj, at.v_proj)])
    taken = {}
    layer.layernorm_after.register_forward_pre_hook(lambda m, a: taken.update(y=a[0] - u))
    with torch.no_grad():
        layer(u, (h, w), always_partition=True)
    as_map = lambda t: Map(t.detach().reshape(n, h, w, -1).permute(0, 3, 1, 2))
    table = at.relative_position_bias.relative_position_bias_table.detach()
    case(name, as_map(qkv), table, pad.detach(), as_map(taken["y"]))


swin("window_attention", 8, 4, 4, 0)
swin("window_attention padded", 5, 7, 4, 0)
swin("window_attention shifted", 8, 12, 4, 2)
swin("window_attention both", 7, 9, 4, 2)
swin("window_attention single", 3, 5, 5, 2)
swin("window_attention tiny", 1, 2, 7, 3)


def vit(name, h, w, rows, window=0, heads=2, d=4, n=2):
    c, side = heads * d, ((rows + 1) // 2,) * 2
    config = VitDetConfig(hidden_size=c, num_attention_heads=heads, use_relative_position_embeddings=True)
    at = VitDetAttention(config, side).double()
    for p in at.parameters():
        p.data = rand(*p.shape)
    identity(at.proj)
    u = rand(n, h, w, c)
    with torch.no_grad():
        if window:
            parts, padded = window_partition(u, window)
            y = window_unpartition(at(parts)[0], window, padded, (h, w))
        else:
            y = at(u)[0]
        qkv = at.qkv(u)
    as_map = lambda t: Map(t.permute(0, 3, 1, 2))
    case(name, as_map(qkv), at.rel_pos_h.data, at.rel_pos_w.data, at.qkv.bias.data, as_map(y))


vit("vit_attention", 4, 4, 7)
vit("vit_attention table shrunk", 3, 5, 15)
vit("vit_attention table enlarged", 7, 6, 5)
vit("vit_attention windows", 8, 4, 7, window=4)
vit("vit_attention padded windows", 6, 9, 7, window=4)
