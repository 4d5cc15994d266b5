#!/usr/bin/env python3
"""Train the small default model: the BiRefNet architecture with small widths, on the CPU or a GPU, stopped and resumed at any moment.

    train.py train  --work W --hours 10 [--init FILE.safetensors|FILE.mbw]   goes on from W/last_TAG.pt if it is there
    train.py train  --work W --finish 40000                          the last leg: the learning rate falls to 0 over so many samples
    train.py train  --work W --finish-minutes 60                     the same by time spent, where that is what is limited
    train.py export --work W CKPT                                    averaged weights -> W/TAG_f16.safetensors, official tensor names

The learning rate is warmed up and then held, so the run has no planned length: each checkpoint holds the averaged weights (EMA), and `--finish`
anneals from wherever the run stands, into a tag of its own. State (weights, optimiser, average, random numbers, counters) is written every
--save minutes, and on SIGTERM or SIGINT. The log is JSON lines: W/log_TAG.jsonl. While the file named by --pause exists, it sleeps.
"""

import argparse
import json
import math
import os
import signal
import time

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import compose
from banks import read_banks
from mbw import TRAINING_ONLY, read_mbw
from model import CFG, BiRefNet
from muon import Muon
from sources import PACKS, read

cv2.setNumThreads(1)
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
# {side in px: share of the blocks}; large subjects are learned at 128, small ones and edges above
HELD = {128: 0.55, 192: 0.45}
FINISH = {128: 0.15, 192: 0.5, 256: 0.35}
BLOCK, POOL = 16, 3000  # steps composed at once; samples kept to be used again, mirrored and recoloured


def to_x(imgs):
    return torch.from_numpy(np.stack([((i[..., ::-1].astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1) for i in imgs]))


def banks(work, share=0.0):
    """compose.Banks of all complete lots; share: of the samples, that are made of path-traced pictures (people/)"""
    three = sum([read(work, "fg_3d_" + z) for z in PACKS], [])
    photos, tex, scenes = read(work, "bg_train"), read(work, "tex"), read_banks(work, "scene")
    small = [cv2.resize(a, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)[:256, :256] for a in photos]
    bg = read_banks(work, "bg")
    bg += [t for t in small if t.shape[:2] == (256, 256)] * max(1, len(bg) // 150)
    groups = [(0.1, read(work, "fg_clipart")), (0.28, three), (0.36, read_banks(work, "sub")), (0.2, read_banks(work, "live")), (0.06, read_banks(work, "misc"))]
    shots = (read_banks(work, "shot"), read_banks(work, "shotfg"), share)
    return compose.Banks(groups, bg, [s for s in scenes if s[1] is not None], [c for c, a in scenes if a is None], tex + photos, *shots)


# ------------------------------------------------------------------------------------------------ loss
def edge_band(a):
    gx = F.pad((a[..., 1:] - a[..., :-1]).abs(), (0, 1))
    gy = F.pad((a[..., 1:, :] - a[..., :-1, :]).abs(), (0, 0, 0, 1))
    return F.max_pool2d(torch.clamp(gx + gy, 0, 1), 3, 1, 1)


def iou_loss(p, a):
    i = (p * a).sum((1, 2, 3))
    return (1 - (i + 1) / ((p + a - p * a).sum((1, 2, 3)) + 1)).mean()


def losses(y, side, a):
    """binary cross-entropy, L1 and IoU of the result; the same at the side outputs; edges for the gates"""
    y = y.float()
    p, e = torch.sigmoid(y), edge_band(a)
    w = 1 + 2 * e
    bce = (F.binary_cross_entropy_with_logits(y, a, reduction="none") * w).mean()
    iou = iou_loss(p, a)
    total = bce + ((p - a).abs() * w).mean() + 0.5 * iou
    for m in side["mask"]:
        m = m.float()
        t = F.interpolate(a, size=m.shape[2:], mode="area")
        total = total + 0.3 * (F.binary_cross_entropy_with_logits(m, t) + 0.5 * iou_loss(torch.sigmoid(m), t))
    for g in side["edge"]:
        total = total + 0.1 * F.binary_cross_entropy_with_logits(g.float(), F.adaptive_max_pool2d(e, g.shape[2:]))
    return total, bce, iou


# ------------------------------------------------------------------------------------------------ weights
def load_model(path, device="cpu"):
    """a checkpoint of this trainer, an exported .safetensors or a .mbw file of the program -> (network in eval mode, its config)"""
    if path.endswith(".mbw"):
        cfg, state = CFG, read_mbw(path)
    elif path.endswith(".safetensors"):
        from ast import literal_eval

        from safetensors import safe_open

        f = safe_open(path, "pt")
        cfg = literal_eval(f.metadata()["config"])
        state = {k: f.get_tensor(k).float() for k in f.keys()}
    else:
        c = torch.load(path, map_location="cpu")
        cfg, state = c["cfg"], c["ema"]
    m = BiRefNet(cfg)
    missing, extra = m.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()}, strict=False)
    lost = [k for k in missing if not k.endswith(("relative_position_index", "num_batches_tracked"))]  # integers that the network makes itself
    if path.endswith(".mbw"):
        lost = [k for k in lost if not any(w in k for w in TRAINING_ONLY)]
    if lost or extra:
        raise SystemExit(f"{path}: does not fit: missing {lost[:3]}, not known {extra[:3]}")
    return m.eval().to(device), cfg


def fit_f16(state):
    """scale a convolution and the statistics of the BatchNorm behind it together (the output stays the same), so that f16 can hold them"""
    for k in [k for k, v in state.items() if k.endswith("running_var") and float(v.max()) > 3e4]:
        bn = k[: -len("running_var")]
        conv = bn.replace("bn_in.", "conv_in.").replace("bn_out.", "conv_out.")
        if conv == bn:
            raise SystemExit("no rule for " + k)
        s = torch.where(state[k] > 1e4, (1e3 / state[k]).sqrt(), torch.ones_like(state[k]))
        state[conv + "weight"] *= s[:, None, None, None]
        state[conv + "bias"] *= s
        state[bn + "running_mean"] *= s
        state[k] *= s * s
    return state


def shorten(v, bits):
    """the matrices and kernels of a network in f16 with `bits` of the mantissa's ten, to nearest, ties to even: the rest packs to nothing in archives"""
    if v.ndim < 2 or v.numel() <= 4096 or bits >= 10:
        return v
    u, cut = v.numpy().view(np.uint16).astype(np.uint32), 10 - bits
    u = (u + (1 << (cut - 1)) - 1 + (u >> cut & 1)) >> cut << cut
    return torch.from_numpy(u.astype(np.uint16).view(np.float16))


def cmd_export(o):
    from safetensors.torch import save_file

    m, cfg = load_model(o.files[0])
    state = fit_f16({k: v.clone() for k, v in m.state_dict().items() if v.is_floating_point()})
    state = {k: shorten(v.half().contiguous(), o.bits) for k, v in state.items()}
    if not all(torch.isfinite(v).all() for v in state.values()):
        raise SystemExit("a weight is not finite in f16")
    out = os.path.join(o.work, f"{o.tag}_f16.safetensors")
    note = "CC0-1.0 OR Apache-2.0; trained on CC0, CC BY, public domain and procedural pictures; see AUTHORS.txt"
    save_file(state, out, metadata={"config": repr(cfg), "licence": note})
    print(out, len(state), "tensors", os.path.getsize(out), "bytes")


def grow(m, trained):
    """m gets the trained network's weights; blocks beyond its own add nothing at first, so that m answers what it answered"""
    missing, extra = m.load_state_dict(trained.state_dict(), strict=False)
    names = {".".join(k.split(".")[:5]) for k in missing}  # bb.layers.I.blocks.J
    if extra or any(".blocks." not in k for k in names):
        raise SystemExit(f"--init: does not fit: missing {sorted(missing)[:3]}, not known {extra[:3]}")
    for k in names:
        for layer in (m.get_submodule(k).attn.proj, m.get_submodule(k).mlp.fc2):
            nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)


# ------------------------------------------------------------------------------------------------ training
class Run:
    """the whole state of a run, and how it is saved"""

    def __init__(self, o):
        self.o, self.it, self.seen, self.seconds, self.ck, self.finish_at = o, 0, 0, 0.0, 0, None
        self.finish_time = None  # (seconds spent at its start, at its end) where the last leg goes by time
        torch.manual_seed(o.seed)
        self.r = np.random.default_rng(o.seed)
        self.cfg = dict(CFG, depths=o.depths or CFG["depths"])
        self.m = BiRefNet(self.cfg).to(o.device, memory_format=torch.channels_last)
        for mod in self.m.modules():
            if isinstance(mod, nn.Linear):
                nn.init.trunc_normal_(mod.weight, std=0.02)
        if o.init:
            grow(self.m, load_model(o.init)[0])
        self.m.train()
        plain = [p for k, p in self.m.named_parameters() if p.ndim < 2 or "bias" in k]
        ids = {id(p) for p in plain}
        none = ("table", "offset", "modulator")  # position tables are no matrices; the others stay zero
        muon = [p for k, p in self.m.named_parameters() if o.muon and id(p) not in ids and min(p.flatten(1).shape) >= 16 and not any(w in k for w in none)]
        ids |= {id(p) for p in muon}
        groups = [{"params": [p for p in self.m.parameters() if id(p) not in ids], "weight_decay": 0.03}, {"params": plain, "weight_decay": 0.0}]
        self.opt = torch.optim.AdamW(groups, o.lr, betas=(0.9, 0.98), foreach=True)
        self.muon = Muon(muon, o.lr, dtype=torch.bfloat16 if o.bf16 else torch.float32) if muon else None
        self.ema = {k: v.detach().clone() for k, v in self.m.state_dict().items()}
        self.file = os.path.join(o.work, f"last_{o.tag}.pt")
        if os.path.exists(self.file):
            self.load(self.file)
        if (o.finish or o.finish_minutes) and self.finish_at is None:  # from here on a tag of its own, so that the held run can go on later
            self.finish_from, self.finish_at = self.seen, self.seen + (o.finish or 10**9)
            self.finish_time = (self.seconds, self.seconds + 60 * o.finish_minutes) if o.finish_minutes else None
            o.tag += f"_finish{self.seen // 1000}k"
            self.file = os.path.join(o.work, f"last_{o.tag}.pt")
            if os.path.exists(self.file):
                self.load(self.file)
        state = self.m.state_dict()
        self.pairs = [(v, state[k]) for k, v in self.ema.items() if v.is_floating_point()]
        self.log_file = open(os.path.join(o.work, f"log_{o.tag}.jsonl"), "a")

    def load(self, path):
        c = torch.load(path, map_location=self.o.device, weights_only=False)
        self.m.load_state_dict(c["model"])
        self.opt.load_state_dict(c["opt"])
        if self.muon and "muon" in c:
            self.muon.load_state_dict(c["muon"])
        self.ema.update(c["ema"])
        self.it, self.seen, self.seconds, self.ck = c["it"], c["seen"], c["seconds"], c["ck"]
        self.finish_at, self.finish_from, self.finish_time = c["finish_at"], c.get("finish_from"), c.get("finish_time")
        self.r.bit_generator.state = c["rng"]

    def save(self):
        """written beside and renamed: a kill at any moment leaves the state before or after"""
        c = {"model": self.m.state_dict(), "ema": self.ema, "opt": self.opt.state_dict(), "it": self.it, "seen": self.seen, "cfg": self.cfg}
        if self.muon:
            c["muon"] = self.muon.state_dict()
        c |= {"seconds": self.seconds, "ck": self.ck, "finish_at": self.finish_at, "finish_from": getattr(self, "finish_from", None), "finish_time": self.finish_time}
        c["rng"] = self.r.bit_generator.state
        torch.save(c, self.file + ".tmp")
        os.replace(self.file + ".tmp", self.file)

    def keep(self):
        """a checkpoint that stays: averaged weights in f32"""
        torch.save({"ema": self.ema, "cfg": self.cfg, "seen": self.seen}, os.path.join(self.o.work, f"ck_{self.o.tag}_{self.seen // 1000:06d}k.pt"))
        self.ck += 1

    def log(self, **row):
        row = {"samples": self.seen, "step": self.it, "seconds": round(self.seconds), **row}
        print(json.dumps(row), file=self.log_file, flush=True)
        print(json.dumps(row), flush=True)

    def left(self):
        """share of the last leg that is still to go"""
        at, start, end = (self.seconds, *self.finish_time) if self.finish_time else (self.seen, self.finish_from, self.finish_at)
        return max(0.0, (end - at) / (end - start))

    def rate(self):
        lr = self.o.lr * min(1.0, (self.it + 1) / self.o.warm_up)
        if self.finish_at:
            left = self.left()
            lr *= 0.5 - 0.5 * math.cos(math.pi * left)
        return lr

    def side(self):
        mix = self.o.sides or (FINISH if self.finish_at else HELD)
        return int(self.r.choice(list(mix), p=np.array(list(mix.values())) / sum(mix.values())))

    def step(self, batch):
        for g in self.opt.param_groups + (self.muon.param_groups if self.muon else []):
            g["lr"] = self.rate()
        dev = self.o.device
        x = to_x([c for c, _ in batch]).to(dev).to(memory_format=torch.channels_last)
        a = torch.from_numpy(np.stack([q for _, q in batch]).astype(np.float32) / 255)[:, None].to(dev)
        with torch.autocast(dev, torch.bfloat16, enabled=self.o.bf16):
            y, side = self.m(x)
        total, bce, iou = losses(y, side, a)
        self.m.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.m.parameters(), 1.0)
        if torch.isfinite(norm):  # a step that overflowed is left out, not learned
            self.opt.step()
            if self.muon:
                self.muon.step()
        self.it, self.seen = self.it + 1, self.seen + len(batch)
        with torch.no_grad():
            keep = min(0.999, (1 + self.it) / (10 + self.it))
            torch._foreach_lerp_([a for a, _ in self.pairs], [b for _, b in self.pairs], 1 - keep)
        return [float(total.detach()), float(bce.detach()), float(iou.detach())]


def cmd_train(o):
    torch.set_flush_denormal(True)
    torch.set_num_threads(o.threads)
    K, run, stop = banks(o.work, o.shots), Run(o), []
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: stop.append(1))
    fresh_share, pools, mean = max(1, round(o.batch * o.fresh)), {}, None
    saved = kept = started = time.time()
    lots = set(os.listdir(o.work))
    run.log(event="start", init=o.init, lr=o.lr, batch=o.batch, subjects=[len(g) for _, g in K.groups], backgrounds=len(K.bgs), scenes=len(K.scenes))
    while not stop and time.time() - started < o.hours * 3600 and not (run.finish_at and run.left() <= 0):
        while o.pause and os.path.exists(o.pause) and not stop:
            time.sleep(5)
        t, n = time.time(), run.side()
        fresh = [compose.sample(run.r, K, n) for _ in range(fresh_share * BLOCK)]
        composing, pool, r = time.time() - t, pools.setdefault(n, []), run.r
        for s in range(BLOCK):
            batch = fresh[s * fresh_share : (s + 1) * fresh_share]
            for _ in range(o.batch - fresh_share):
                c, a = (pool or fresh)[int(r.integers(len(pool or fresh)))]
                batch.append((np.clip(c[:, ::-1] * np.exp(r.normal(0, 0.12, 3)) + r.normal(0, 8), 0, 255).astype(np.uint8), a[:, ::-1]))
            cur = run.step(batch)
            mean = cur if mean is None else [u * 0.98 + 0.02 * v for u, v in zip(mean, cur)]
            if stop:
                break
        pool += fresh
        del pool[: max(0, len(pool) - POOL)]
        spent = time.time() - t
        run.seconds += spent
        row = {"px": n, "lr": round(run.rate(), 7), "loss": round(mean[0], 4), "bce": round(mean[1], 4), "iou_loss": round(mean[2], 4)}
        run.log(**row, images_per_s=round(o.batch * BLOCK / spent, 2), composing=round(composing / spent, 2))
        if time.time() - saved > o.save * 60:
            run.save()
            saved = time.time()
            now = set(os.listdir(o.work))
            if any(f.startswith(("bank_scene_", "bank_shot_")) and f.endswith(".pkl") for f in now - lots):  # a new lot is complete (these come last)
                lots, K = now, banks(o.work, o.shots)
                run.log(event="banks", subjects=[len(g) for _, g in K.groups], backgrounds=len(K.bgs), scenes=len(K.scenes), shots=len(K.shots))
        if time.time() - kept > o.keep * 60:
            run.keep()
            kept = time.time()
    run.save()
    run.keep()
    run.log(event="end")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("command", choices=["train", "export"])
    ap.add_argument("files", nargs="*")
    ap.add_argument("--work", required=True)
    for k, v in (("tag", "main"), ("device", "cpu"), ("init", ""), ("pause", "")):
        ap.add_argument("--" + k, default=v)
    for k, v in (("threads", 1), ("seed", 1), ("batch", 8), ("finish", 0), ("warm-up", 200), ("bits", 5)):
        ap.add_argument("--" + k, type=int, default=v)
    for k, v in (("hours", 1e6), ("lr", 7e-4), ("fresh", 0.6), ("finish-minutes", 0), ("save", 3.0), ("keep", 30.0), ("shots", 0.5)):
        ap.add_argument("--" + k, type=float, default=v)
    sides = lambda text: {int(k): float(v) for k, v in (p.split(":") for p in text.split(","))}
    ap.add_argument("--depths", type=lambda text: [int(v) for v in text.split(",")], help="blocks of the four stages, instead of 2,2,4,2; more than --init has do nothing at first")
    ap.add_argument("--sides", type=sides, help="other sides than those written here, as 128:0.6,192:0.4 (px: share of the blocks)")
    ap.add_argument("--muon", action="store_true", help="matrices by orthogonalised momentum (muon.py) instead of AdamW: twice the progress a sample here")
    ap.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic: faster on a GPU or a CPU with AMX or AVX512-BF16")
    opts = ap.parse_intermixed_args()
    {"train": cmd_train, "export": cmd_export}[opts.command](opts)
