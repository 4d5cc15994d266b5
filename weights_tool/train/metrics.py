"""Figures of a mask against the truth, both float in 0..1 at the picture's own size.

MAE, MSE, SAD (in thousands), Grad and Conn as in the matting benchmarks (C. Rhemann et al., CVPR 2009); IoU at 0.5; boundary IoU (B. Cheng et al.,
CVPR 2021, band of 0.008 of the diagonal); S-measure (D.-P. Fan et al., ICCV 2017), largest F (beta^2 = 0.3, 255 thresholds), mean E-measure
(D.-P. Fan et al., IJCAI 2018). Without a subject in the truth the region figures are undefined (NaN) and `empty` is the share left empty."""

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, label

NAMES = ["IoU", "MAE", "MSE", "SAD", "Grad", "Conn", "S", "maxF", "E", "bIoU", "empty"]


def iou(a, b):
    return float((a & b).sum()) / max(1, int((a | b).sum()))


def gradient_error(p, t):
    g = [np.hypot(gaussian_filter(x, 1.4, order=(0, 1), truncate=4), gaussian_filter(x, 1.4, order=(1, 0), truncate=4)) for x in (p, t)]
    return float(((g[0] - g[1]) ** 2).sum()) / 1000


def connectivity_error(p, t, step=0.1):
    """how far each pixel stays connected to the largest region that both masks share"""
    level = -np.ones_like(p)
    steps = np.arange(0, 1 + step, step)
    for i in range(1, len(steps)):
        lab, n = label((p >= steps[i]) & (t >= steps[i]))
        omega = lab == (1 + np.argmax(np.bincount(lab.ravel())[1:])) if n else np.zeros(p.shape, bool)
        level[(level == -1) & ~omega] = steps[i - 1]
    level[level == -1] = 1
    d = [x - level for x in (p, t)]
    phi = [1 - x * (x >= 0.15) for x in d]
    return float(np.abs(phi[0] - phi[1]).sum()) / 1000


def f_max(p, t):
    q = (p * 255).astype(np.uint8)
    hit, all_ = np.bincount(q[t], minlength=256)[::-1].cumsum(), np.bincount(q.ravel(), minlength=256)[::-1].cumsum()
    precision, recall = hit / np.maximum(all_, 1), hit / max(1, t.sum())
    return float((1.3 * precision * recall / np.maximum(0.3 * precision + recall, 1e-9))[:-1].max())


def e_measure(p, t):
    """mean over 255 thresholds of the enhanced alignment; the four cells of the table decide it, so no pass over pixels is needed"""
    q, n, g = (p * 255).astype(np.uint8), p.size, int(t.sum())
    hit = np.bincount(q[t], minlength=256)[::-1].cumsum()[:-1].astype(float)
    all_ = np.bincount(q.ravel(), minlength=256)[::-1].cumsum()[:-1].astype(float)
    mp, mt, out = all_ / n, g / n, 0
    for vp, vt, count in ((1, 1, hit), (1, 0, all_ - hit), (0, 1, g - hit), (0, 0, n - g - all_ + hit)):
        a, b = vp - mp, vt - mt
        out = out + count * (2 * a * b / (a * a + b * b + 1e-12) + 1) ** 2 / 4
    return float((out / n).mean())


def object_score(x, m):
    v = x[m]
    if not v.size:
        return 0.0
    return 2 * v.mean() / (v.mean() ** 2 + 1 + v.std() + 1e-12)


def region_ssim(p, t):
    mx, my, n = p.mean(), t.mean(), p.size
    if n < 2:
        return 1.0
    vx, vy, c = ((p - mx) ** 2).sum() / (n - 1), ((t - my) ** 2).sum() / (n - 1), ((p - mx) * (t - my)).sum() / (n - 1)
    a, b = 4 * mx * my * c, (mx * mx + my * my) * (vx + vy)
    return a / (b + 1e-12) if a != 0 else float(b == 0)


def s_measure(p, t):
    mean = t.mean()
    if mean in (0, 1):
        return float(1 - p.mean() if mean == 0 else p.mean())
    objects = mean * object_score(p, t) + (1 - mean) * object_score(1 - p, ~t)
    ys, xs = np.nonzero(t)
    cy, cx = int(round(ys.mean())) + 1, int(round(xs.mean())) + 1
    total, g = 0.0, t.astype(float)
    for sy in (slice(0, cy), slice(cy, None)):
        for sx in (slice(0, cx), slice(cx, None)):
            if g[sy, sx].size:
                total += g[sy, sx].size / g.size * region_ssim(p[sy, sx], g[sy, sx])
    return float(max(0.0, 0.5 * objects + 0.5 * total))


def band(m):
    d = max(1, int(round(0.008 * np.hypot(*m.shape))))
    padded = cv2.copyMakeBorder(m.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return m & ~cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=d)[1:-1, 1:-1].astype(bool)


def measure(p, t):
    """-> {name: value}"""
    a, b, d = p > 0.5, t > 0.5, np.abs(p - t)
    out = {"MAE": d.mean(), "MSE": (d**2).mean(), "SAD": d.sum() / 1000, "Grad": gradient_error(p, t), "Conn": connectivity_error(p, t)}
    if b.any():
        out |= {"IoU": iou(a, b), "S": s_measure(p, b), "maxF": f_max(p, b), "E": e_measure(p, b), "bIoU": iou(band(a), band(b)), "empty": np.nan}
    else:
        out |= {k: np.nan for k in ("IoU", "S", "maxF", "E", "bIoU")} | {"empty": 1 - a.mean()}
    return {k: float(out[k]) for k in NAMES}
