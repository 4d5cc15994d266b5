#!/usr/bin/env python3
"""PyTorch on the same card, for tests/cuda/on_device.sh: what torch alone and torch with transformers can do in f16. JSON lines.

Not BiRefNet itself, whose code is not carried: its backbone (Swin-L of transformers on 1024x1024 and on half of it, the two
passes of every picture; `mattebox bench --profile` has ours) and VITMatte-S whole. Random weights: times do not depend on
them. Eager, then torch.compile if there is time. Times by events, 5 runs to warm up, the median of 30. PEER_SMALL=1: tiny
sizes on the CPU, to try the script.
"""
import json
import os
import statistics
import sys
import time

begin = time.time()
small = os.environ.get("PEER_SMALL")


def say(**row):
    print(json.dumps(row), flush=True)


try:
    import torch
except ImportError as e:
    say(peer="torch", error=str(e))
    sys.exit(1)
device = "cpu" if small else "cuda"
dtype = torch.float32 if small else torch.float16
RUNS = 2 if small else 30


def timed(work):
    """milliseconds: median, least"""
    times = []
    with torch.inference_mode():
        for _ in range(1 if small else 5):
            work()
        for _ in range(RUNS):
            if small:
                t = time.perf_counter()
                work()
                times.append((time.perf_counter() - t) * 1e3)
                continue
            a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            a.record()
            work()
            b.record()
            torch.cuda.synchronize()
            times.append(a.elapsed_time(b))
    return round(statistics.median(times), 4), round(min(times), 4)


def attempt(name, make, **more):
    try:
        if not small:
            torch.cuda.reset_peak_memory_stats()
        median, least = timed(make())
        peak = 0 if small else torch.cuda.max_memory_allocated() // 1000000
        say(peer=name, median_ms=median, min_ms=least, peak_mb=peak, **more)
    except Exception as e:  # whatever is missing or too large is said, and the next is tried
        say(peer=name, error=f"{type(e).__name__}: {e}"[:200])


def gemm():
    n = 64 if small else 8192
    a, b = torch.randn(n, n, device=device, dtype=dtype), torch.randn(n, n, device=device, dtype=dtype)
    return lambda: a @ b


def swin(compiled=False):
    from transformers import SwinConfig, SwinModel

    config = SwinConfig(image_size=64 if small else 384, embed_dim=24 if small else 192,
                        depths=[1, 1] if small else [2, 2, 18, 2], num_heads=[3, 6] if small else [6, 12, 24, 48],
                        window_size=4 if small else 12)
    net = SwinModel(config, add_pooling_layer=False).eval().to(device, dtype)
    net = torch.compile(net) if compiled else net
    side = 64 if small else 1024
    pictures = [torch.randn(1, 3, s, s, device=device, dtype=dtype) for s in (side, side // 2)]

    def both():
        for p in pictures:
            net(p, interpolate_pos_encoding=True)

    return both


def vitmatte():
    from transformers import VitDetConfig, VitMatteConfig, VitMatteForImageMatting

    side = 64 if small else 1024
    backbone = VitDetConfig(hidden_size=48 if small else 384, num_hidden_layers=2 if small else 12,
                            num_attention_heads=3 if small else 6, image_size=64 if small else 512,
                            pretrain_image_size=64 if small else 224, num_channels=4, window_size=4 if small else 14,
                            window_block_indices=[0] if small else [0, 1, 3, 4, 6, 7, 9, 10],
                            residual_block_indices=[1] if small else [2, 5, 8, 11], use_relative_position_embeddings=True,
                            out_features=["stage2" if small else "stage12"])
    config = VitMatteConfig(backbone_config=backbone, hidden_size=backbone.hidden_size,
                            convstream_hidden_sizes=[48, 96, 192], fusion_hidden_sizes=[256, 128, 64, 32])
    net = VitMatteForImageMatting(config)
    net = net.eval().to(device, dtype)
    x = torch.randn(1, 4, side, side, device=device, dtype=dtype)
    return lambda: net(pixel_values=x)


say(peer="torch", version=torch.__version__, cudnn=torch.backends.cudnn.version(),
    device="cpu" if small else torch.cuda.get_device_name())
attempt("gemm 8192 f16", gemm)
attempt("VITMatte-S 1024x1024 f16 eager", vitmatte)
attempt("Swin-L 1024x1024 and 512x512 f16 eager", swin)
if not small and time.time() - begin < 25:
    attempt("Swin-L 1024x1024 and 512x512 f16 torch.compile", lambda: swin(True))
for name in ("tensorrt", "onnxruntime"):
    try:
        say(peer=name, version=__import__(name).__version__)
    except Exception as e:
        say(peer=name, error=type(e).__name__)
