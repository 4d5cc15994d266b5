#!/usr/bin/env python3
"""Fits the confidence of the built-in default: the overlap with the truth that its result is expected to have.

    python3 doubt.py FIGURES

FIGURES: one line a photo: its name, the IoU of the built-in default's result with the hand-made mask, and the five figures
of engine/segment/confidence.h (score, margin, agreement, overlap of colours, logarithm of the area), as tests/cli/doubt.c
prints them with MATTEBOX_TEST_FIGURES=1. Ridge regression on standardised figures, ridge 2; every photo is judged by
weights that have not seen it. Prints the weights for engine/segment/confidence.c and the table of docs/models/default.md.
"""
import itertools
import sys

import numpy as np

RIDGE = 2.0


def fit(x, y):
    mean, spread = x.mean(0), x.std(0) + 1e-9
    z = (x - mean) / spread
    w = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean())) / spread
    return w, y.mean() - mean @ w


def leave_one_out(x, y):
    out = np.empty(len(y))
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        w, b = fit(x[keep], y[keep])
        out[i] = np.clip(x[i] @ w + b, 0, 1)
    return out


def main():
    rows = [line.split() for line in open(sys.argv[1]) if line.strip()]
    names = [r[0] for r in rows]
    y = np.array([float(r[1]) for r in rows])
    x = np.array([[float(v) for v in r[2:]] for r in rows])
    if "--subsets" in sys.argv:
        for n in range(1, x.shape[1] + 1):
            for some in itertools.combinations(range(x.shape[1]), n):
                e = leave_one_out(x[:, some], y)
                print(some, f"error {np.abs(e - y).mean():.3f} correlation {np.corrcoef(e, y)[0, 1]:.3f}")
        return
    w, b = fit(x, y)
    print("weights", " ".join(f"{v:.4f}" for v in w), "constant", f"{b:.4f}")
    for name, truth, e in sorted(zip(names, y, leave_one_out(x, y)), key=lambda r: -r[1]):
        print(f"| {name} | {truth:.2f} | {e:.2f} |")


if __name__ == "__main__":
    main()
