"""BiRefNet with a DINOv3 backbone in plain PyTorch, written from spec/backbones.md: the peer of our DINOv3 models, and a
reference for sizes, seeds and batches that no golden has.

The decoder is that of birefnet_torch.py (shared/bench, on PYTHONPATH; goldens need shared/oracle there too); the operations are those of the official forward
pass, in its order, without simplifications, so that its run time is that of the official code. Weights: a .safetensors
file with the official names (oracle/make_weights.py, or `mattebox-weights generate`).

    load(FILE, size=(H, W))                                        for peer_torch.py: peer_torch.py eager birefnet_dino_torch:load FILE
    birefnet_dino_torch.py FILE --golden GOLDEN                    compares with an oracle file
    birefnet_dino_torch.py FILE --input IN.f32 --size HxW --batch N OUT.f32     logits in f64, for tests/dino_reference.sh
"""
import argparse
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from birefnet_torch import BiRefNet, dims, official_input, up


class DinoBiRefNet(BiRefNet):
    def __init__(self, tensors, outputs=None, **options):
        table = {"bb.layers.0.blocks.0.attn.relative_position_bias_table": torch.zeros(9, 1)}  # the base class reads a window
        super().__init__({**tensors, **table}, **options)
        self.depth = sum(n.endswith(".attn.qkv.weight") for n in tensors)
        n = self.depth
        self.outputs = outputs or ([3, 5, 7, 11] if n == 12 else [n // 4 - 1, n // 2 - 1, 3 * n // 4 - 1, n - 1])
        c = tensors["bb.model.cls_token"].shape[-1]
        self.heads = 32 if c == 4096 else c // 64

    def rope(self, h, w, d, like):
        """sines and cosines (h * w, d); angles in f32 as in the official code, unless all is f64"""
        period = 100 ** (4 * torch.arange(d // 4, dtype=like.dtype) / d)
        y = 2 * (torch.arange(h, dtype=like.dtype) + 0.5) / h - 1
        x = 2 * (torch.arange(w, dtype=like.dtype) + 0.5) / w - 1
        place = torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2, 1)
        angle = (2 * math.pi * place / period).flatten(1).repeat(1, 2)
        return angle.sin(), angle.cos()

    def turn(self, x, sine, cosine, prefix):
        """all but the first tokens of (b, heads, tokens, d)"""
        p = x[:, :, prefix:]
        a, b = p.chunk(2, -1)
        return torch.cat([x[:, :, :prefix], p * cosine + torch.cat([-b, a], -1) * sine], 2)

    def attend(self, name, x, sine, cosine):
        b, t, c = dims(x)
        bias = None
        if self.w(name + ".q_bias") is not None:
            bias = torch.cat([self.w(name + ".q_bias"), x.new_zeros(c), self.w(name + ".v_bias")])
        qkv = F.linear(x, self.w(name + ".qkv.weight"), bias)
        q, k, v = qkv.view(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        prefix = t - dims(sine)[0]
        q, k = self.turn(q, sine, cosine, prefix), self.turn(k, sine, cosine, prefix)
        if self.fused_attention:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = torch.softmax((q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1), -1) @ v
        return self.linear(name + ".proj", y.transpose(1, 2).reshape(b, t, c))

    def mlp(self, name, x):
        if self.w(name + ".fc1_g.weight") is not None:
            x = F.silu(self.linear(name + ".fc1_g", x)) * self.linear(name + ".fc1_x", x)
        else:
            x = F.gelu(self.linear(name + ".fc1", x))
        return self.linear(name + ".fc2", x)

    def backbone(self, x):
        m = "bb.model."
        x = F.conv2d(x, self.w(m + "patch_embed.proj.weight"), self.w(m + "patch_embed.proj.bias"), stride=16)
        b, c, h, w = dims(x)
        first = torch.cat([self.w(m + "cls_token"), self.w(m + "reg_token")], 1)
        x = torch.cat([first.expand(b, -1, -1), x.flatten(2).transpose(1, 2)], 1)
        sine, cosine = self.rope(h, w, c // self.heads, x)
        outs = []
        for i in range(self.depth):
            n = "%sblocks.%d" % (m, i)
            x = x + self.w(n + ".gamma_1") * self.attend(n + ".attn", self.ln(n + ".norm1", x), sine, cosine)
            x = x + self.w(n + ".gamma_2") * self.mlp(n + ".mlp", self.ln(n + ".norm2", x))
            if i in self.outputs:
                outs.append(x[:, -h * w:].transpose(1, 2).reshape(b, c, h, w))
        return outs

    def forward(self, x):
        size = dims(x)[2:]
        full, half = self.backbone(x), self.backbone(up(x, tuple(v // 2 for v in size)))
        f = [torch.cat([a, up(b, dims(a)[2:])], 1) for a, b in zip(full, half)]
        f[3] = self.decblk("squeeze_module.0", torch.cat(f, 1))
        for i in range(4):
            s = tuple(v >> (i + 2) for v in size)
            f[i] = self.conv("decoder.pyramid_neck_x%d.conv" % (i + 1), up(f[i], s))
        p = f[3]
        for i in (4, 3, 2, 1):
            p = self.decblk("decoder.decoder_block%d" % i, torch.cat([p, self.picture(i + 1, x, dims(f[i - 1])[2:])], 1))
            if i > 1:
                n = "decoder.gdt_convs_%d" % i
                g = torch.relu(self.bn(n + ".1", self.conv(n + ".0", p)))
                p = p * torch.sigmoid(self.conv("decoder.gdt_convs_attn_%d.0" % i, g))
                p = up(p, dims(f[i - 2])[2:]) + self.conv("decoder.lateral_block%d.conv" % i, f[i - 2])
        return self.conv("decoder.conv_out1.0", torch.cat([up(p, size), self.picture(1, x, size)], 1))


def load(path, size=(1024, 1024), **options):
    m = DinoBiRefNet(load_file(path), **options).eval()
    return m, (torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1)),)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("weights")
    p.add_argument("out", nargs="?")
    p.add_argument("--golden")
    p.add_argument("--input", help="[batch,3,H,W] in f32")
    p.add_argument("--size")
    p.add_argument("--batch", type=int, default=1)
    a = p.parse_args()
    m, _ = load(a.weights)
    if a.golden:
        import make_weights
        x, want = official_input(a.golden, make_weights)
        with torch.no_grad():
            y = m(x).numpy()
        print(json.dumps({k: float(abs((y[:, :, ::4, ::4] if k.endswith("sub4") else y) - v).max())
                          for k, v in want.items() if k in ("logits", "logits_sub4")}))
        return
    h, w = (int(v) for v in a.size.split("x"))
    x = torch.from_numpy(np.fromfile(a.input, np.float32).reshape(a.batch, 3, h, w))
    m = load(a.weights, deform="gather", fused_attention=False)[0].double()
    with torch.no_grad():
        m(x.double()).numpy().astype(np.float32).tofile(a.out)


if __name__ == "__main__":
    main()
