#!/bin/sh
# PyMatting's large-kernel matting (estimate_alpha_lkm) does not keep what the trimap says: foreground that was marked as certain comes
# back with an alpha of 0.9, certain background with 0.05. Its other four methods keep certain pixels within 0.001, closed form exactly. A cut-out by
# this method wants certain pixels set again afterwards.
#
# Guess: every estimator of the library is 1 and 0 where the trimap is.
# Seen on 30 November 2026 with PyMatting 1.1.16. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pymatting==1.1.16
"$work/venv/bin/python" <<'END'
import numpy as np
import pymatting

y, x = np.mgrid[0:60, 0:80]
alpha = np.clip((x - 30) / 20, 0, 1)
fore = np.dstack([0.8 + 0.1 * np.sin(y / 5), 0.3 + 0 * x, 0.2 + 0.1 * np.cos(x / 7)])
back = np.dstack([0.1 + 0.05 * np.sin(x / 9), 0.4 + 0 * x, 0.7 + 0.1 * np.cos(y / 6)])
photo = np.clip(alpha[..., None] * fore + (1 - alpha[..., None]) * back + np.random.default_rng(0).normal(0, 0.01, (60, 80, 3)), 0, 1)
trimap = np.where(alpha == 0, 0.0, np.where(alpha == 1, 1.0, 0.5))
for name in ("cf", "knn", "lbdm", "rw", "lkm"):
    found = getattr(pymatting, "estimate_alpha_" + name)(photo, trimap)
    off = max(np.abs(found[trimap == 1] - 1).max(), np.abs(found[trimap == 0]).max())
    print(f"{name}: certain pixels are off by up to {off:.4f}, all by {np.abs(found - alpha).mean():.4f} in the mean")
    assert off > 0.05 if name == "lkm" else off < 0.002
END
