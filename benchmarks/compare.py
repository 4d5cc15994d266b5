#!/usr/bin/env python3
"""Sets ours beside the peers on one network: seconds, memory, and how far each result is from f32.

    compare.py BUILD MODEL.mbw [--size 1024x1024] [--threads 2] [--runs 3] [--rounds 2]
               [--onnx FILE.onnx] [--onnx-openvino FILE.onnx] [--torch MODULE:FUNCTION:ARGUMENT]
               [--markdown OUT.md] [--svg OUT.svg] [--title TEXT]

It prints a Markdown table and draws a bar plot. Ours runs in f32 and bf16; ONNX Runtime and OpenVINO (held to f32, and
as it comes, which may be bf16) take --onnx, OpenVINO another file where it cannot read that one (--onnx-openvino);
PyTorch runs eagerly and under autocast to bf16. FUNCTION(ARGUMENT, size=(H, W)) returns a module, or a module and
anything, in eval mode. All engines must have the same weights. Each gets the same noise, normalised like a picture.

Engines run in turn, every one in a process of its own, `rounds` times; the best counts. The first column is processor
time of all threads: the figure to compare where other programs run on the machine (`others` says how much they took).
Wall time is for quiet machines. Errors are against PyTorch's eager f32 if it runs, else against our f32; alpha is the
sigmoid of the logits, or the output itself where that lies between 0 and 1. A peer that is not installed is left out.
"""
import argparse
import importlib
import json
import math
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np


# ---- one engine in a process of its own: `compare.py --one SPEC.json`

def onnx_runtime(spec):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec["threads"]
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting would count as work
    session = onnxruntime.InferenceSession(spec["file"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0], "ONNX Runtime " + onnxruntime.__version__


def openvino(spec):
    import openvino as ov
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": spec["threads"]}
    if spec["precision"] == "f32":
        config["INFERENCE_PRECISION_HINT"] = "f32"
    request = ov.Core().compile_model(spec["file"], "CPU", config).create_infer_request()
    return lambda x: request.infer([x])[0], "OpenVINO " + ov.__version__.split("-")[0]


def pytorch(spec):
    import torch
    sys.path.insert(0, os.getcwd())
    torch.set_num_threads(spec["threads"])
    module, function, argument = spec["file"].split(":", 2)
    m = getattr(importlib.import_module(module), function)(argument, size=tuple(spec["size"][::-1]))
    m = m[0] if isinstance(m, tuple) else m

    def run(x):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=spec["precision"] != "f32"):
            y = m(torch.from_numpy(x))
        while isinstance(y, (list, tuple)):
            y = y[-1]
        return y.float().numpy()
    return run, "PyTorch " + torch.__version__.split("+")[0]


def one(path):
    with open(path) as f:
        spec = json.load(f)
    run, name = {"ort": onnx_runtime, "openvino": openvino, "torch": pytorch}[spec["engine"]](spec)
    x = np.load(spec["input"])
    np.save(spec["output"], np.asarray(run(x), np.float32))  # the warm-up
    cpu, wall = [], []
    for _ in range(spec["runs"]):
        c, w = time.process_time(), time.perf_counter()
        run(x)
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"name": name, "cpu_min": min(cpu), "wall_min": min(wall), "peak_rss_mb": peak}))


# ---- all of them

def busy():
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    tick = os.sysconf("SC_CLK_TCK")
    return (sum(v) - v[3] - v[4]) / tick, sum(v) / tick


def write_safetensors(path, x):
    head = json.dumps({"input": {"dtype": "F32", "shape": list(x.shape), "data_offsets": [0, x.nbytes]}}).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + x.tobytes())


def read_safetensors(path):
    """the first tensor of the file by name: a network's output"""
    with open(path, "rb") as f:
        head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start = f.tell()
        name = sorted(k for k in head if k != "__metadata__")[0]
        begin, end = head[name]["data_offsets"]
        f.seek(start + begin)
        return np.frombuffer(f.read(end - begin), np.float32).reshape(head[name]["shape"])


def call(command):
    """the last JSON line, and the share of the machine that others used meanwhile"""
    before, own = busy(), resource.getrusage(resource.RUSAGE_CHILDREN)
    # threads that spin while they wait would count that as work
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0", KMP_BLOCKTIME="0")
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    after, done = busy(), resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = [line for line in p.stdout.splitlines() if line.startswith("{")]
    if p.returncode != 0 or not rows:
        said = p.stderr.strip().splitlines() or ["exit code %d" % p.returncode]
        raise RuntimeError("; ".join(line.strip() for line in (said if said[0].startswith("mattebox:") else said[-1:])))
    mine = done.ru_utime + done.ru_stime - own.ru_utime - own.ru_stime
    r = json.loads(rows[-1])
    r["others"] = max(0.0, after[0] - before[0] - mine) / max(after[1] - before[1], 1e-9)
    return r


def run_ours(a, work, key, precision):
    mattebox = os.path.join(a.build, "mattebox")
    out = os.path.join(work, key + ".safetensors")
    common = ["--threads", str(a.threads), "--precision", precision, "--device", "cpu"]
    r = call([mattebox, "bench", a.model, "--size", a.size, "--runs", str(a.runs), "--json"] + common)
    subprocess.run([mattebox, "tensors", a.model, os.path.join(work, "in.safetensors"), out, "--force", "--quiet"] +
                   common, check=True)
    np.save(os.path.join(work, key + ".npy"), read_safetensors(out))
    r["name"] = "mattebox, " + r["device"].removeprefix("cpu ").strip("()") if precision == "bf16" else "mattebox"
    return r


def run_peer(a, work, key, spec):
    spec = dict(spec, threads=a.threads, runs=a.runs, size=[int(v) for v in a.size.split("x")],
                input=os.path.join(work, "in.npy"), output=os.path.join(work, key + ".npy"))
    path = os.path.join(work, key + ".json")
    with open(path, "w") as f:
        json.dump(spec, f)
    return call([sys.executable, os.path.abspath(__file__), "--one", path])


def engines(a):
    """key, what stands in the table beside the name, how to run it"""
    rows = [("ours_f32", "f32", lambda w: run_ours(a, w, "ours_f32", "f32")),
            ("ours_bf16", "`--precision bf16`", lambda w: run_ours(a, w, "ours_bf16", "bf16"))]
    peers = []
    if a.onnx:
        peers.append(("ort", "f32", {"engine": "ort", "file": a.onnx, "precision": "f32"}))
    if a.onnx_openvino or a.onnx:
        file = a.onnx_openvino or a.onnx
        peers.append(("openvino", "f32", {"engine": "openvino", "file": file, "precision": "f32"}))
        peers.append(("openvino_default", "its default", {"engine": "openvino", "file": file, "precision": "default"}))
    if a.torch:
        peers.append(("torch", "eager, f32", {"engine": "torch", "file": a.torch, "precision": "f32"}))
        peers.append(("torch_autocast", "autocast, bf16", {"engine": "torch", "file": a.torch, "precision": "bf16"}))
    for key, text, spec in peers:
        rows.append((key, text, lambda w, key=key, spec=spec: run_peer(a, w, key, spec)))
    return rows


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def error_of(work, key, reference):
    y = np.load(os.path.join(work, key + ".npy")).astype(np.float64).ravel()
    z = np.load(os.path.join(work, reference + ".npy")).astype(np.float64).ravel()
    d = np.abs(y - z)
    logits = z.min() < 0 or z.max() > 1
    e = np.abs(sigmoid(y) - sigmoid(z)) if logits else d
    return {"out_max": d.max(), "out_mean": d.mean(), "of": np.abs(z).max(), "alpha_max": e.max(), "alpha_mean": e.mean()}


def measure(a, work):
    try:
        info = call([os.path.join(a.build, "mattebox"), "info", a.model, "--json"])
    except (OSError, RuntimeError) as e:
        sys.exit("compare.py: %s" % e)
    w, h = (int(v) for v in a.size.split("x"))
    x = np.random.default_rng(1).standard_normal((1, info["input_channels"], h, w), dtype=np.float32)
    np.save(os.path.join(work, "in.npy"), x)
    write_safetensors(os.path.join(work, "in.safetensors"), x)
    found, failed = {}, set()
    for turn in range(a.rounds):
        for key, text, run in engines(a):
            if key in failed:
                continue
            print("%s, round %d of %d ..." % (key, turn + 1, a.rounds), file=sys.stderr, flush=True)
            try:
                r = run(work)
            except Exception as e:
                print("%s left out: %s" % (key, e), file=sys.stderr)
                failed.add(key)
                continue
            best = found.setdefault(key, dict(r, text=text, key=key))
            for k, pick in (("cpu_min", min), ("wall_min", min), ("peak_rss_mb", max), ("others", max)):
                best[k] = pick(best[k], r[k])
    if "ours_f32" not in found:
        sys.exit("compare.py: there is nothing to compare with: mattebox did not run in f32")
    reference = "torch" if "torch" in found else "ours_f32"
    for key, r in found.items():
        r.update(error_of(work, key, reference))
        r["reference"] = key == reference
    return list(found.values()), reference, info


def digits(v):
    return "%.3g" % v if v >= 1e-4 else "%.1e" % v


def markdown(rows, reference, info, a):
    base = next(r for r in rows if r["key"] == "ours_f32")
    named = next(r for r in rows if r["key"] == reference)
    lines = ["%s, %s, %d thread%s; %s. CPU seconds of all threads, best of %d; others took up to %.0f %% of the machine. "
             "Errors against %s (%s), whose output is at most %s." %
             (info["summary"], a.size, a.threads, "s" if a.threads != 1 else "", machine(), a.rounds * a.runs, 100 * max(r["others"] for r in rows),
              named["name"], named["text"], digits(named["of"])), "",
             "| | | CPU s | of ours in f32 | wall s | peak MB | output: largest, mean error | alpha: largest, mean error |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        errors = ("reference", "") if r["reference"] else (
            "%s, %s" % (digits(r["out_max"]), digits(r["out_mean"])), "%s, %s" % (digits(r["alpha_max"]), digits(r["alpha_mean"])))
        lines.append("| %s | %s | %s | %.2f | %s | %.0f | %s | %s |" %
                     (r["name"], r["text"], digits(r["cpu_min"]), r["cpu_min"] / base["cpu_min"], digits(r["wall_min"]), r["peak_rss_mb"], *errors))
    return "\n".join(lines) + "\n"


def machine():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return os.uname().machine


def escape(s):
    return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "")


def svg(rows, title):
    """two panels over the same rows: CPU seconds, and the largest error of alpha on a logarithmic scale"""
    left, panel, gap, bar, top = 250, 330, 110, 30, 70
    height = top + bar * len(rows) + 40
    most = max(r["cpu_min"] for r in rows)
    low, high = -6.0, 0.0
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">' %
           (left + 2 * panel + 2 * gap, height), '<rect width="100%" height="100%" fill="white"/>',
           '<text x="16" y="26" font-size="16" font-weight="bold">%s</text>' % escape(title),
           '<text x="%d" y="52" fill="#555">processor seconds, less is better</text>' % left,
           '<text x="%d" y="52" fill="#555">largest error of alpha, 10⁻⁶ to 1</text>' % (left + panel + gap)]
    for decade in range(7):
        x = left + panel + gap + panel * decade / 6
        out.append('<line x1="%.1f" y1="60" x2="%.1f" y2="%d" stroke="#ddd"/>' % (x, x, height - 34))
    for i, r in enumerate(rows):
        y = top + bar * i
        colour = "#1769aa" if r["key"].startswith("ours") else "#9aa5b1"
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 10, y + 15, escape(r["name"].split(",")[0] + ", " + r["text"])))
        length = panel * r["cpu_min"] / most
        out.append('<rect x="%d" y="%d" width="%.1f" height="20" fill="%s"/>' % (left, y, length, colour))
        out.append('<text x="%.1f" y="%d">%s s, %.0f MB</text>' % (left + length + 6, y + 15, digits(r["cpu_min"]), r["peak_rss_mb"]))
        x = left + panel + gap
        if r["reference"]:
            out.append('<text x="%d" y="%d" fill="#555">reference</text>' % (x + 6, y + 15))
            continue
        place = (math.log10(max(r["alpha_max"], 1e-6)) - low) / (high - low)
        length = max(1.0, panel * min(1.0, place))
        out.append('<rect x="%d" y="%d" width="%.1f" height="20" fill="%s"/>' % (x, y, length, colour))
        out.append('<text x="%.1f" y="%d">%s</text>' % (x + length + 6, y + 15, digits(r["alpha_max"])))
    out.append('<text x="16" y="%d" fill="#555" font-size="11">%s</text></svg>' % (height - 12, escape(machine())))
    return "\n".join(out) + "\n"


def count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("%s: a number from 1" % text)
    return int(text)


def size(text):
    sides = text.split("x")
    if len(sides) not in (1, 2) or not all(v.isdecimal() and int(v) > 0 for v in sides):
        raise argparse.ArgumentTypeError("%s: a size like 1024 or 1024x768" % text)
    return sides[0] + "x" + sides[-1]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build", help="the folder with the program")
    p.add_argument("model")
    p.add_argument("--size", type=size, default="1024x1024", help="width x height")
    p.add_argument("--threads", type=count, default=2)
    p.add_argument("--runs", type=count, default=3, help="measured runs in each round")
    p.add_argument("--rounds", type=count, default=2)
    p.add_argument("--onnx")
    p.add_argument("--onnx-openvino")
    p.add_argument("--torch", metavar="MODULE:FUNCTION:ARGUMENT")
    p.add_argument("--markdown")
    p.add_argument("--svg")
    p.add_argument("--title")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as work:
        rows, reference, info = measure(a, work)
    text = markdown(rows, reference, info, a)
    sys.stdout.write(text)
    for path, content in ((a.markdown, text), (a.svg, svg(rows, a.title or "%s, %s" % (info["summary"], a.size)))):
        if path:
            with open(path, "w") as f:
                f.write(content)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        one(sys.argv[2])
    else:
        main()
