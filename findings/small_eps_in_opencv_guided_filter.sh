#!/bin/sh
# OpenCV's guided filter with a guide in colour lets go of the colours when eps is below 0.01: wherever the 3x3 covariance, eps added,
# has a determinant under 1e-6, the mean of the mask stands instead. That is most of a smooth picture, and nothing announces it: at eps
# 0.01 the result is the paper's to 1e-6, at 0.005 a few pixels leave it, at 0.001 a quarter of the picture is off, by a half at the
# worst, and edges come out as blurred as the radius is wide. The paper's values for matting lie there. A grey guide follows the paper
# at every eps.
#
# Guess: a smaller eps follows the guide more closely, as far as 32-bit numbers go (1e-3 at the worst).
# Seen on 30 November 2026 with opencv-contrib-python-headless 5.0.0.93 (4.10.0.84 is the same) and numpy 2.4.6. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'END'
import cv2
import numpy as np

RADIUS = 8


def box(x):
    return cv2.blur(x, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT)


def paper(guide, mask, eps):
    """He et al. 2010 in 64 bits."""
    g, p = guide.astype(np.float64), mask.astype(np.float64)
    mean = box(g)
    covariance = np.stack([np.stack([box(g[..., i] * g[..., j]) for j in range(3)], -1) for i in range(3)], -2)
    covariance -= mean[..., :, None] * mean[..., None, :]
    with_mask = box(g * p[..., None]) - mean * box(p)[..., None]
    a = np.linalg.solve(covariance + eps * np.eye(3), with_mask[..., None])[..., 0]
    return (box(a) * g).sum(-1) + box(box(p) - (a * mean).sum(-1))


# A soft portrait of sorts: a dark disc on a bright ground, both slightly uneven, and its mask.
y, x = np.mgrid[0:160, 0:200].astype(np.float32)
inside = np.clip(50 - np.hypot(x - 100, y - 80), 0, 1)
ground = np.stack([0.75 + 0.1 * x / 200, 0.7 + 0.1 * y / 160, 0.8 - 0.1 * x / 200], -1)
guide = (ground * (1 - inside[..., None]) + np.float32([0.35, 0.25, 0.2]) * inside[..., None]).astype(np.float32)
guide += np.random.default_rng(0).normal(0, 0.01, guide.shape).astype(np.float32)
mask = (np.hypot(x - 104, y - 80) < 50).astype(np.float32)  # four pixels aside, as coarse masks are
grey = guide.mean(-1)

errors = {}
for eps in (0.02, 0.01, 0.005, 0.001, 1e-4):
    got = cv2.ximgproc.guidedFilter(guide, mask, RADIUS, eps)
    off = np.abs(got - paper(guide, mask, eps))
    errors[eps] = off.max()
    as_colour = np.repeat(grey[..., None], 3, -1)
    of_grey = np.abs(cv2.ximgproc.guidedFilter(grey, mask, RADIUS, eps) - paper(as_colour, mask, 3 * eps)).max()
    print(f"eps {eps:6}: off by {off.max():.6f} at the worst, by more than 0.01 in {100 * (off > 0.01).mean():4.1f} % of the pixels; grey {of_grey:.6f}")
    assert of_grey < 1e-3
assert errors[0.02] < 1e-5 and errors[0.01] < 1e-5
assert errors[0.001] > 0.3 and errors[1e-4] > 0.3
END
