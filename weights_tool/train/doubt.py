#!/usr/bin/env python3
"""Fits the confidence of the built-in default: the overlap with the truth that its result is expected to have.

    python3 doubt.py MATTEBOX PHOTOS

Cuts every NAME.jpg of PHOTOS that has a NAME_mask.png with the built-in default and reads what its confidence rests on from
the JSON report: how far the network's mask agrees with the result, how sure the network is within its mask, and the share of colours that
inside and outside have in common. `mountains`, which has no subject, is left out. Ridge regression on standardised figures, ridge 2; every
photo is judged by weights that have not seen it. Prints the weights for engine/segment/confidence.c, the largest limit (confidence.h) that calls
at most one good result of six doubtful, what it flags, and the table of docs/models/default.md.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

RIDGE = 2.0


def figures(program, photo, folder):
    out = folder / "out.png"
    run = subprocess.run([program, photo, "--model", "default", "-d", "none", "--only-mask", "--json", "-f", "-o", out],
                         capture_output=True, text=True, check=True)
    basis = json.loads(run.stdout.splitlines()[0])["confidence_basis"]
    basis = [float(v) / 100 for v in re.findall(r"([0-9.]+) %", basis)]
    found = np.array(Image.open(out).convert("L")) > 127
    truth = np.array(Image.open(photo.with_name(photo.stem + "_mask.png")).convert("L")) > 127
    return (found & truth).sum() / max(1, (found | truth).sum()), basis


def fit(x, y):
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / spread
    w = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean())) / spread
    return w, y.mean() - mean @ w


def main():
    photos = [p for p in sorted(Path(sys.argv[2]).glob("*.jpg")) if p.stem != "mountains"]
    with tempfile.TemporaryDirectory() as folder:
        rows = [figures(sys.argv[1], p, Path(folder)) for p in photos]
    y, x = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    w, b = fit(x, y)
    print(f"agreement {w[0]:.4f}, strength {w[1]:.4f}, overlap {w[2]:.4f}, constant {b:.4f}")
    unseen = np.zeros(len(y))
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        weights, constant = fit(x[keep], y[keep])
        unseen[i] = np.clip(x[i] @ weights + constant, 0, 1)
    good, bad = y >= 0.85, y < 0.7
    limit = np.sort(unseen[good])[good.sum() // 6]
    for name, p in (("photo left out", unseen), ("all seen", x @ w + b)):
        print(f"{name}: below {limit:.3f} are {(p[bad] < limit).sum()} of {bad.sum()} bad, {(p[good] < limit).sum()} of {good.sum()} good; correlation {np.corrcoef(p, y)[0, 1]:.2f}")
    for i in np.argsort(-y):
        print(f"| {photos[i].stem} | {y[i]:.2f} | {unseen[i]:.2f} |")


if __name__ == "__main__":
    main()
