"""BiRefNet with a PVTv2, ResNet-50 or VGG-16 backbone (or Swin) in plain PyTorch, written from spec/backbones.md: the peer of our
models, and a reference for sizes, seeds and batches that no golden has.

The decoder is that of birefnet_torch.py (shared/bench, on PYTHONPATH; goldens need shared/oracle there too); the
operations are those of the official forward pass, in its order, without simplifications, so that its run time is that of
the official code. Weights: a .safetensors file with the official names (`mattebox-weights generate ARCH --checkpoint`).

    load(FILE, size=(H, W))     for peer_torch.py: peer_torch.py eager birefnet_backbones_torch:load FILE
    birefnet_backbones_torch.py FILE --golden GOLDEN                               compares with an oracle file
    birefnet_backbones_torch.py FILE OUT.f32 --input IN.f32 --size HxW --batch N   logits in f64
    birefnet_backbones_torch.py FILE --time RUNS [--size HxW] [--threads 2]        seconds, as JSON for network.py --peer
"""
import argparse
import json
import resource
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from birefnet_torch import BiRefNet, dims, official_input


class Base(BiRefNet):
    def __init__(self, tensors, **options):
        table = {"bb.layers.0.blocks.0.attn.relative_position_bias_table": torch.zeros(9, 1)}  # the base reads a window
        super().__init__({**tensors, **table}, **options)

    def conv_plain(self, name, x, stride, pad):
        return F.conv2d(x, self.w(name + ".weight"), self.w(name + ".bias"), stride=stride, padding=pad)

    def norm(self, name, x, eps):
        return F.layer_norm(x, dims(x)[-1:], self.w(name + ".weight"), self.w(name + ".bias"), eps)


class Pvt(Base):
    heads = (1, 2, 5, 8)

    def attend(self, name, y, h, w, heads):
        b, n, c = dims(y)
        q = self.linear(name + ".q", y).view(b, n, heads, c // heads).transpose(1, 2)
        sr = self.w(name + ".sr.weight")
        if sr is not None:
            z = F.conv2d(y.transpose(1, 2).reshape(b, c, h, w), sr, self.w(name + ".sr.bias"), stride=dims(sr)[-1])
            y = self.norm(name + ".norm", z.flatten(2).transpose(1, 2), 1e-5)
        k, v = self.linear(name + ".kv", y).view(b, -1, 2, heads, c // heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused_attention:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = torch.softmax((q * (c // heads) ** -0.5) @ k.transpose(-2, -1), -1) @ v
        return self.linear(name + ".proj", y.transpose(1, 2).reshape(b, n, c))

    def mlp(self, name, y, h, w):
        y = self.linear(name + ".fc1", y)
        b, n, c = dims(y)
        kernel, bias = self.w(name + ".dwconv.dwconv.weight"), self.w(name + ".dwconv.dwconv.bias")
        y = F.conv2d(y.transpose(1, 2).view(b, c, h, w), kernel, bias, padding=1, groups=c)
        return self.linear(name + ".fc2", F.gelu(y.flatten(2).transpose(1, 2)))

    def backbone(self, x):
        outs = []
        for s in range(4):
            n = "bb.patch_embed%d" % (s + 1)
            x = self.conv_plain(n + ".proj", x, 4 if s == 0 else 2, 3 if s == 0 else 1)
            b, c, h, w = dims(x)
            t = self.norm(n + ".norm", x.flatten(2).transpose(1, 2), 1e-5)
            i = 0
            while self.w("bb.block%d.%d.norm1.weight" % (s + 1, i)) is not None:
                n = "bb.block%d.%d" % (s + 1, i)
                t = t + self.attend(n + ".attn", self.norm(n + ".norm1", t, 1e-6), h, w, self.heads[s])
                t = t + self.mlp(n + ".mlp", self.norm(n + ".norm2", t, 1e-6), h, w)
                i += 1
            x = self.norm("bb.norm%d" % (s + 1), t, 1e-6).transpose(1, 2).reshape(b, c, h, w)
            outs.append(x)
        return outs


class ResNet(Base):
    def step(self, n, conv, bn, x, stride=1, pad=0):
        return self.bn("%s.%s" % (n, bn), self.conv_plain("%s.%s" % (n, conv), x, stride, pad))

    def backbone(self, x):
        x = torch.relu(self.bn("bb.conv1.1", self.conv_plain("bb.conv1.0", x, 2, 3)))
        x = F.max_pool2d(x, 3, 2, 1)
        outs = []
        for s, layer in enumerate(("bb.conv1.4", "bb.conv2", "bb.conv3", "bb.conv4")):
            i = 0
            while self.w("%s.%d.conv1.weight" % (layer, i)) is not None:
                n, stride = "%s.%d" % (layer, i), 2 if s > 0 and i == 0 else 1
                y = torch.relu(self.step(n, "conv1", "bn1", x))
                y = torch.relu(self.step(n, "conv2", "bn2", y, stride, 1))
                y = self.step(n, "conv3", "bn3", y)
                x = self.step(n, "downsample.0", "downsample.1", x, stride) if i == 0 else x
                x = torch.relu(x + y)
                i += 1
            outs.append(x)
        return outs


class Vgg(Base):
    plan = ((2, 2), (3,), (3,), (3,))

    def backbone(self, x):
        norms, i, outs = self.w("bb.conv1.1.running_mean") is not None, 0, []
        for part, groups in enumerate(self.plan):
            for convs in groups:
                for _ in range(convs):
                    n = "bb.conv%d." % (part + 1)
                    x = self.conv_plain(n + str(i), x, 1, 1)
                    x = torch.relu(self.bn(n + str(i + 1), x) if norms else x)
                    i += 3 if norms else 2
                x = F.max_pool2d(x, 2, 2)
                i += 1
            outs.append(x)
        return outs


def build(path, **options):
    t = load_file(path)
    if "bb.patch_embed.proj.weight" in t:
        return BiRefNet(t, **options).eval()
    kind = Pvt if "bb.patch_embed1.proj.weight" in t else ResNet if "bb.conv1.4.0.conv1.weight" in t else Vgg
    return kind(t, **options).eval()


def load(path, size=(1024, 1024), **options):
    return build(path, **options), (torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1)),)


def timed(m, x, runs):
    best, cpu = 1e9, 1e9
    with torch.no_grad():
        for _ in range(runs + 1):  # the first run is not counted unless it is the best
            t, c = time.perf_counter(), time.process_time()
            m(*x)
            best, cpu = min(best, time.perf_counter() - t), min(cpu, time.process_time() - c)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_min": best, "cpu_min": cpu, "peak_rss_mb": peak, "torch": torch.__version__}))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("weights")
    p.add_argument("out", nargs="?")
    p.add_argument("--golden")
    p.add_argument("--input", help="[batch,3,H,W] in f32")
    p.add_argument("--size", default="1024x1024")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--time", type=int)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    h, w = (int(v) for v in a.size.split("x"))
    if a.golden:
        import make_weights
        x, want = official_input(a.golden, make_weights)
        with torch.no_grad():
            y = build(a.weights)(x).numpy()
        print(json.dumps({k: float(abs((y[:, :, ::4, ::4] if k.endswith("sub4") else y) - v).max())
                          for k, v in want.items() if k in ("logits", "logits_sub4")}))
    elif a.time:
        torch.set_num_threads(a.threads)
        timed(*load(a.weights, (h, w)), a.time)
    else:
        x = torch.from_numpy(np.fromfile(a.input, np.float32).reshape(a.batch, 3, h, w))
        m = build(a.weights, deform="gather", fused_attention=False).double()
        with torch.no_grad():
            m(x.double()).numpy().astype(np.float32).tofile(a.out)


if __name__ == "__main__":
    main()
