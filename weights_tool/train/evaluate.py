#!/usr/bin/env python3
"""Judge mask sources on photos with hand-made masks, through the mattebox binary and beside dumb answers.

    evaluate.py photos  --pictures P --run 'NAME=mattebox --model saliency --mask {mask} {photo}' ... [--json F] [--sheet F.png]
    evaluate.py photos  --pictures P --masks NAME=FOLDER ...              masks made elsewhere: FOLDER/PHOTO.png
    evaluate.py testset --work W --out FOLDER [--count 96] [--size 384]   the test set by source: photographic cut-outs over photos, fixed seed
    evaluate.py weights --pictures P --size 256 FILE [--out FOLDER]       a checkpoint or .safetensors through PyTorch -> masks in FOLDER, figures

P holds NAME.jpg and NAME_mask.png (or NAME_cutout.png, whose alpha is the truth). In a --run command {photo}, {mask} and {seed} stand for the
photo's file, the file where a grey mask must appear, and the mask that the first --masks source has for that photo. The answers all white, all
black and GrabCut from a centred box are always in the table. Needs numpy, scipy, opencv; torch for `weights`.
"""

import argparse
import glob
import json
import os
import shlex
import subprocess
import tempfile
import warnings

import cv2
import numpy as np

from metrics import NAMES, measure

cv2.setNumThreads(1)
warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN")


def photos(folder):
    """-> [(name, file, truth float)]; hand-made masks first, exact composites after"""
    out = []
    for suffix in ("_mask.png", "_cutout.png"):
        for f in sorted(glob.glob(os.path.join(folder, "*" + suffix))):
            name, a = os.path.basename(f)[: -len(suffix)], cv2.imread(f, cv2.IMREAD_UNCHANGED)
            photo = next((p for e in (".jpg", ".png") if os.path.exists(p := os.path.join(folder, name + e))), None)
            if photo:
                out.append((name, photo, (a if a.ndim == 2 else a[..., -1]).astype(np.float32) / 255, suffix == "_mask.png"))
    return out


def read_mask(path, shape):
    a = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if a is None:
        raise SystemExit("no mask at " + path)
    a = (a if a.ndim == 2 else a[..., -1]).astype(np.float32) / (65535 if a.dtype == np.uint16 else 255)
    return a if a.shape == shape else cv2.resize(a, shape[::-1], interpolation=cv2.INTER_LINEAR)


def box_grabcut(photo, shape):
    im = cv2.imread(photo)
    s = 320 / max(im.shape[:2])
    im = cv2.resize(im, None, fx=s, fy=s, interpolation=cv2.INTER_AREA)
    h, w = im.shape[:2]
    m = np.zeros((h, w), np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(im, m, (int(0.08 * w), int(0.08 * h), int(0.84 * w), int(0.84 * h)), np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_RECT)
    return cv2.resize(((m == 1) | (m == 3)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)


def sources(o):
    """-> {name: function (name of the photo, file, shape) -> mask}"""
    out = {
        "all white": lambda n, f, s: np.ones(s, np.float32),
        "all black": lambda n, f, s: np.zeros(s, np.float32),
        "GrabCut from a box": lambda n, f, s: box_grabcut(f, s),
    }
    folders = dict(m.split("=", 1) for m in o.masks)
    seed = next(iter(folders.values()), None)
    for k, d in folders.items():
        out[k] = lambda n, f, s, d=d: read_mask(os.path.join(d, n + ".png"), s)

    def run(command, n, f, s):
        with tempfile.TemporaryDirectory() as d:
            mask = os.path.join(d, "mask.png")
            words = [w.format(photo=f, mask=mask, seed=os.path.join(seed or "", n + ".png")) for w in shlex.split(command)]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            return read_mask(mask, s)

    for k, c in (r.split("=", 1) for r in o.run):
        out[k] = lambda n, f, s, c=c: run(c, n, f, s)
    return out


def sheet(path, rows, names):
    """contact sheet: photo, truth, then each source's cut-out on magenta"""
    cells = []
    for photo, masks in rows:
        im = cv2.imread(photo)
        k = 220 / max(im.shape[:2])
        im = cv2.resize(im, None, fx=k, fy=k, interpolation=cv2.INTER_AREA).astype(np.float32)
        row = [im] + [im * (q := cv2.resize(m, im.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None]) + np.float32([255, 0, 255]) * (1 - q) for m in masks]
        cells.append(np.hstack([cv2.copyMakeBorder(c, 0, 222 - c.shape[0], 0, 222 - c.shape[1], cv2.BORDER_CONSTANT) for c in row]))
    cv2.imwrite(path, np.vstack(cells).astype(np.uint8))
    print(path, "columns: photo, truth,", ", ".join(names))


def groups(data):
    """-> {group: names} of the composites, whose truth is exact"""
    out = {}
    for name, _, t, hand in data:
        if not hand:
            size, soft = (t > 0.5).mean(), ((t > 0.05) & (t < 0.95)).sum() / max(1, (t > 0.05).sum())
            out.setdefault("subject below 10 %" if size < 0.1 else "10 to 25 %" if size < 0.25 else "above 25 %", []).append(name)
            out.setdefault("soft edges above 15 % of it" if soft > 0.15 else "sharper", []).append(name)
    return out


def cmd_photos(o):
    table, rows, ways = {}, [], sources(o)
    for name, photo, truth, _ in (data := photos(o.pictures)):
        masks = {k: f(name, photo, truth.shape) for k, f in ways.items()}
        for k, m in masks.items():
            table.setdefault(k, {})[name] = measure(m, truth)
        if len(rows) < 24:
            rows.append((photo, [truth] + [m for k, m in masks.items() if not k.startswith(("all ", "GrabCut"))]))
    real = [n for n, _, _, hand in data if hand]
    for title, names in (("photos with hand-made masks", real), ("composites with exact alpha", [n for n, _, _, hand in data if not hand])):
        if not names:
            continue
        print(f"\n{title} ({len(names)})\n" + f"{'':24s}" + " ".join(f"{k:>6s}" for k in NAMES))
        for k in ways:
            print(f"{k:24s}" + " ".join(f"{np.nanmean([table[k][n][c] for n in names] or [np.nan]):6.3f}" for c in NAMES))
        if len(names) > 24:
            continue
        print("\nIoU by photo (without a subject: share left empty)\n" + f"{'':24s}" + " ".join(f"{n[:7]:>7s}" for n in names))
        for k in ways:
            print(f"{k:24s}" + " ".join(f"{np.nanmax([table[k][n]['IoU'], table[k][n]['empty']]):7.2f}" for n in names))
    for title, names in groups(data).items():
        cells = (f"{k} {np.mean([table[k][n]['IoU'] for n in names]):.3f} / {np.mean([table[k][n]['MAE'] for n in names]):.3f}" for k in ways)
        print(f"{title} ({len(names)}), IoU / MAE:", "; ".join(cells))
    if o.json:
        json.dump(table, open(o.json, "w"), indent=1)
    if o.sheet:
        sheet(o.sheet, rows, [k for k in ways if not k.startswith(("all ", "GrabCut"))])


# Photos of the background set that have a subject of their own: what is the truth of a bird before a lighthouse?
WITH_SUBJECT = """lighthouse free_by greentock_by Garden YellowFlower FreshFlower TwoWings LadyBird Aqua jellyfish sheep FallenLeaf Autumn Kite
EveningGlow OneStandsOut spiders_web mossy_log""".split()


def is_drawn(stamp):
    """flat areas give drawings away: a photo has grain everywhere"""
    grey, solid = cv2.cvtColor(stamp[..., :3], cv2.COLOR_BGR2GRAY).astype(np.int32), cv2.erode((stamp[..., 3] > 250).astype(np.uint8), np.ones((3, 3)))
    flat = (np.abs(np.diff(grey, axis=1))[:, :] == 0) & (solid[:, 1:] > 0)
    return flat.sum() > 0.45 * max(1, solid.sum())


def cmd_testset(o):
    """W/ev_stamps.pkl and W/ev_bg.pkl (sources.py render) hold what was never trained on; nothing of this may be committed or passed on"""
    import pickle

    from compose import crop_photo, put_test

    with open(os.path.join(o.work, "ev_stamps.pkl"), "rb") as f:
        stamps = [a for _, a in pickle.load(f) if not is_drawn(a)]
    with open(os.path.join(o.work, "ev_bg.pkl"), "rb") as f:
        photos_ = [a for name, a in pickle.load(f) if not any("/" + k in name for k in WITH_SUBJECT)]
    r, n = np.random.default_rng(2026), o.size
    print(len(stamps), "photographic cut-outs,", len(photos_), "backgrounds")
    order, made = r.permutation(len(stamps)), 0
    os.makedirs(o.out, exist_ok=True)
    for i in order:
        back = photos_[int(r.integers(len(photos_)))]
        pair = put_test(r, stamps[i], np.asarray(crop_photo(r, back, n), np.float32), n)
        if pair is None:
            continue
        c, a = pair
        cv2.imwrite(os.path.join(o.out, f"t{made:03d}.png"), c)
        cv2.imwrite(os.path.join(o.out, f"t{made:03d}_cutout.png"), np.dstack([c, np.round(a * 255).astype(np.uint8)]))
        made += 1
        if made == o.count:
            break
    print(made, "composites in", o.out)


def cmd_weights(o):
    import torch

    from train import load_model, to_x

    torch.set_num_threads(o.threads)
    out = o.out or tempfile.mkdtemp()
    os.makedirs(out, exist_ok=True)
    m, _ = load_model(o.files[0])
    for name, photo, truth, _ in photos(o.pictures):
        im = cv2.imread(photo)
        small = cv2.resize(im, (o.size, o.size), interpolation=cv2.INTER_AREA)
        with torch.no_grad():
            p = torch.sigmoid(m(to_x([small]).contiguous()))[0, 0].numpy()
        p = cv2.resize(p, truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(os.path.join(out, name + ".png"), np.round(np.clip(p, 0, 1) * 255).astype(np.uint8))
    o.masks = [f"{os.path.basename(o.files[0])}={out}"] + o.masks
    cmd_photos(o)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("command", choices=["photos", "testset", "weights"])
    ap.add_argument("files", nargs="*")
    ap.add_argument("--pictures")
    ap.add_argument("--work")
    ap.add_argument("--count", type=int, default=96)
    ap.add_argument("--run", action="append", default=[])
    ap.add_argument("--masks", action="append", default=[])
    ap.add_argument("--size", type=int)
    ap.add_argument("--threads", type=int, default=1)
    for k in ("out", "json", "sheet"):
        ap.add_argument("--" + k)
    opts = ap.parse_intermixed_args()
    if opts.command != "testset" and not opts.pictures or opts.command == "testset" and not (opts.work and opts.out):
        ap.error("--pictures is missing" if opts.command != "testset" else "testset needs --work and --out")
    opts.size = opts.size or (384 if opts.command == "testset" else 256)
    {"photos": cmd_photos, "testset": cmd_testset, "weights": cmd_weights}[opts.command](opts)
