#!/usr/bin/env python3
"""Fit the judgement by which the built-in default chooses between its cut-outs (engine/segment/candidate_score.h, candidate_weights.h).

    choose.py make --work W --pictures ../../tests/data/photos                       composites -> W/choose
    choose.py fit  --work W --pictures ../../tests/data/photos --program MATTEBOX --tool BENCH_CHOOSE --out ../../engine/segment/candidate_weights.h

Data: the photos with hand-made masks, and composites of their subjects over empty parts of the OTHER photos by the recipe of the test set: the network
was trained on neither. The weights are those that make the expected IoU of a soft choice (softmax of the scores) largest, with a small penalty on their size.
What is printed for the photos is judged with weights fitted without that photo and its composites ("left out"), and with the final ones.
BENCH_CHOOSE is benchmarks/choose.c, built as bench_choose. --also NAME=FOLDER judges other folders of photos and masks with the final weights. With --former HEADER the
result is the mean of the new fit and of the weights in that header, which saw fewer photos and another network: so few photos make single fits vary.
"""

import argparse
import glob
import json
import os
import re
import subprocess

import cv2
import numpy as np

FIGURES = "OVERLAP NETWORK NETWORK_OUT SALIENCY_IN SIDES LOG_AREA LENGTH OFF_CENTRE PIECES".split()
WAYS = "SALIENCY NETWORK BOX FRAMED JOINT".split()
TOO_SMALL = ("rocket", "andersson")  # a line, and a mask that stops at the sleeves: no subjects for composites
PHOTO_WEIGHT, TEMPERATURE, PENALTY = 1.0, 0.05, 0.01


# ------------------------------------------------------------------------------------------------ pictures
def pairs(folder):
    """-> [(name, photo, truth)] of a folder of NAME.jpg|png with NAME_mask.png or NAME_cutout.png"""
    out = []
    for t in sorted(glob.glob(os.path.join(folder, "*_mask.png")) + glob.glob(os.path.join(folder, "*_cutout.png"))):
        base = t.rsplit("_", 1)[0]
        photo = next((base + e for e in (".jpg", ".png") if os.path.exists(base + e)), None)
        if photo:
            out.append((os.path.basename(base), photo, t))
    return out


def read_truth(path):
    a = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    return a if a.ndim == 2 else a[..., -1]


def empty_parts(r, photos):
    """-> [(name, 384 x 384 crop without any of the subject)], at most 12 of a photo"""
    out = []
    for name, im, a in photos:
        h, w, got = *im.shape[:2], 0
        for _ in range(4000):
            q = int(min(h, w) * r.uniform(0.25, 0.95))
            y, x = int(r.integers(0, h - q + 1)), int(r.integers(0, w - q + 1))
            if q >= 120 and got < 12 and (a[y : y + q, x : x + q] > 20).mean() < 0.002:
                out.append((name, cv2.resize(im[y : y + q, x : x + q], (384, 384), interpolation=cv2.INTER_AREA)))
                got += 1
    return out


def cmd_make(o):
    from compose import put_test

    r, folder = np.random.default_rng(41), os.path.join(o.work, "choose")
    os.makedirs(folder, exist_ok=True)
    photos = [(n, cv2.imread(p), read_truth(t)) for n, p, t in pairs(o.pictures)]
    parts, made = empty_parts(r, photos), 0
    for _ in range(o.rounds):
        for name, im, a in photos:
            if name in TOO_SMALL or not a.any():
                continue
            k = min(1, 512 / max(im.shape[:2]))
            im, a = (cv2.resize(v, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) for v in (im, a))
            m = cv2.erode(a, np.ones((3, 3)))
            ys, xs = np.nonzero(m > 76)
            stamp = np.dstack([im, m])[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
            others = [b for n, b in parts if n != name]
            b = others[int(r.integers(len(others)))]
            pair = put_test(r, stamp, np.asarray(b[:, ::-1] if r.random() < 0.5 else b, np.float32), 384)
            if pair:
                f = os.path.join(folder, f"{made:03d}-{name}")
                cv2.imwrite(f + ".png", pair[0])
                cv2.imwrite(f + "_mask.png", np.round(pair[1] * 255).astype(np.uint8))
                made += 1
    print(made, "composites in", folder, "over", len(parts), "empty parts")


def figures(o, name, folder):
    """every picture of a folder through the program's network and the tool -> {name: (figures [ways, n], IoU [ways], usable [ways], chosen)}"""
    files, masks = pairs(folder), os.path.join(o.work, "masks_" + name)
    kept = os.path.join(masks, "features.jsonl")
    if o.reuse and os.path.exists(kept):
        return parse(files, open(kept).read())
    os.makedirs(masks, exist_ok=True)
    run = [o.program, *[p for _, p, _ in files], "-m", "demo", "--flip", "--only-mask", "-d", "none", "-q", "-f", "-o", masks + "/", "--device", "cpu"]
    subprocess.run(run, check=True)
    # the truth may be a picture with alpha: the tool reads grey
    args = []
    for n, p, t in files:
        grey = os.path.join(masks, n + ".truth.png")
        cv2.imwrite(grey, read_truth(t))
        args += [p, next(f for f in glob.glob(os.path.join(masks, glob.escape(n) + ".*")) if f != grey), grey]
    text = subprocess.run([o.tool, *args], check=True, capture_output=True, text=True).stdout
    with open(kept, "w") as f:
        f.write(text)
    return parse(files, text)


def parse(files, text):
    rows, out = [json.loads(v) for v in text.splitlines()], {}
    for k, (n, _, _) in enumerate(files):
        q = rows[k * len(WAYS) : (k + 1) * len(WAYS)]
        x = np.array([r["features"] + [float(i == j) for j in range(len(WAYS))] for i, r in enumerate(q)])
        out[n] = x, np.array([r["iou"] for r in q]), np.array([r["usable"] for r in q]), next((i for i, r in enumerate(q) if r["best"]), 0)
    return out


# ------------------------------------------------------------------------------------------------ fit
def fit(data, weight, scale):
    """-> weights of the figures and ways, in units of `scale`"""
    import torch

    x = torch.tensor(np.stack([d[0] / scale for d in data]))
    iou = torch.tensor(np.stack([d[1] * d[2] for d in data]))
    out = torch.tensor(np.stack([~d[2] for d in data]))
    p = torch.tensor(weight, dtype=torch.float64)
    w = torch.zeros(x.shape[2], dtype=torch.float64, requires_grad=True)
    opt = torch.optim.LBFGS([w], max_iter=300, line_search_fn="strong_wolfe")

    def loss():
        opt.zero_grad()
        share = torch.softmax(((x @ w) / TEMPERATURE).masked_fill(out, -50), 1)
        v = -(p / p.sum() * (share * iou).sum(1)).sum() + PENALTY * (w * w).sum()
        v.backward()
        return v

    opt.step(loss)
    return w.detach().numpy() / scale


def former(path):
    """the weights of a header that this program wrote"""
    text = open(path).read()
    found = dict(re.findall(r"\[MB_(?:FEATURE|CANDIDATE)_(\w+)\] = ([-+.e0-9]+)", text.replace("MB_CANDIDATE_", "MB_CANDIDATE_WAY_")))
    return np.array([float(found[k]) for k in FIGURES] + [float(found["WAY_" + k]) for k in WAYS])


def choose(d, w):
    return int(np.argmax(np.where(d[2], d[0] @ w, -np.inf))) if d[2].any() else 0


def cmd_fit(o):
    photos, made = figures(o, "photos", o.pictures), figures(o, "choose", os.path.join(o.work, "choose"))
    photos = {k: v for k, v in photos.items() if v[1].max() > 0}  # without a subject there is nothing to choose
    sample = lambda without: [(d, PHOTO_WEIGHT) for n, d in photos.items() if n != without] + [(d, 1.0) for n, d in made.items() if n[4:] != without]
    everything = np.concatenate([d[0] for d, _ in sample(None)])
    scale = everything.std(0) + 1e-6
    full = fit(*zip(*sample(None)), scale)
    left = {n: fit(*zip(*sample(n)), scale) for n in photos}
    if o.former:
        old = former(o.former)
        full, left = (full + old) / 2, {n: (w + old) / 2 for n, w in left.items()}

    def row(title, pick, data):
        print(f"{title:28s}{np.mean([d[1][pick(n, d)] for n, d in data.items()]):.3f}  ways " + " ".join(f"{w.lower()} {sum(pick(n, d) == i for n, d in data.items())}" for i, w in enumerate(WAYS)))

    sets = [("photos", photos), ("composites", made)]
    for k, folder in (a.split("=", 1) for a in o.also):
        sets.append((k, {n: v for n, v in figures(o, k, folder).items() if v[1].max() > 0}))
    for title, data in sets:
        print(f"\n{title} ({len(data)}): IoU at 320 px")
        for i, way in enumerate(WAYS):
            row(way.lower(), lambda n, d, i=i: i, data)
        row("best by the truth", lambda n, d: int(np.argmax(d[1])), data)
        row("as the program chooses now", lambda n, d: d[3], data)
        row("chosen", lambda n, d: choose(d, full), data)
        if title in ("photos", "composites"):
            row("chosen, photo left out", lambda n, d: choose(d, left.get(n, left.get(n[4:], full))), data)
    print("\nweight times deviation: " + ", ".join(f"{k.lower()} {v:+.2f}" for k, v in zip(FIGURES + WAYS, full * scale)))
    if o.out:
        write(o.out, full)


def write(path, w):
    with open(path, "w") as f:
        print("/* Made by weights_tool/train/choose.py; do not edit. */", file=f)
        print("#ifndef MB_SEGMENT_CANDIDATE_WEIGHTS_H\n#define MB_SEGMENT_CANDIDATE_WEIGHTS_H\n", file=f)
        print('#include "segment/candidates.h"\n', file=f)
        print("static const double FEATURE_WEIGHT[MB_N_FEATURES] = {", file=f)
        for k, v in zip(FIGURES, w):
            print(f"    [MB_FEATURE_{k}] = {v:.6g},", file=f)
        print("};\n\nstatic const double CANDIDATE_WEIGHT[MB_N_CANDIDATES] = {", file=f)
        for k, v in zip(WAYS, w[len(FIGURES) :]):
            print(f"    [MB_CANDIDATE_{k}] = {v:.6g},", file=f)
        print("};\n\n#endif", file=f)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("command", choices=["make", "fit"])
    for k in ("work", "pictures"):
        ap.add_argument("--" + k, required=True)
    for k in ("program", "tool", "out", "former"):
        ap.add_argument("--" + k)
    ap.add_argument("--rounds", type=int, default=5, help="make: composites of each photo's subject")
    ap.add_argument("--reuse", action="store_true", help="figures of the last run, where only the fit is of interest")
    ap.add_argument("--also", action="append", default=[])
    opts = ap.parse_args()
    {"make": cmd_make, "fit": cmd_fit}[opts.command](opts)
