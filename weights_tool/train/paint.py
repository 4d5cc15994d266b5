"""Drawing tools under all made pictures: noise, colours, materials, coverage masks, fur. Pictures are BGR, cut-outs straight
BGRA, values 0..255; `r` is a numpy random generator everywhere, so that a seed fixes a picture."""

import math

import cv2
import numpy as np

cv2.setNumThreads(1)


def fit(a, n):
    s = n / max(a.shape[:2])
    return a if s >= 1 else cv2.resize(a, None, fx=s, fy=s, interpolation=cv2.INTER_AREA)


def trim(a, lo=8):
    ys, xs = np.where(a[..., 3] > lo)
    return a[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] if len(ys) else None


def noise(r, h, w, octaves=5, base=2):
    out, amp, tot = np.zeros((h, w), np.float32), 1.0, 0.0
    for o in range(octaves):
        n = base << o
        if n > max(h, w):
            break
        g = r.random((n + 2, n + 2), dtype=np.float32)
        out += amp * cv2.resize(g, (w, h), interpolation=cv2.INTER_CUBIC)
        tot += amp
        amp *= r.uniform(0.4, 0.8)
    return out / tot


def colour(r):
    c = np.array([r.uniform(0, 180), 255 * r.beta(1.2, 2), 255 * r.beta(2, 1.5)], np.uint8)
    return cv2.cvtColor(c[None, None], cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)


def ramp(r, t, k=None):
    k = k or int(r.integers(2, 5))
    c0 = colour(r)
    cs = np.array([0.5 * c0 + 0.5 * colour(r) if r.random() < 0.6 else colour(r) for _ in range(k)], np.float32)
    x = np.clip(t, 0, 1) * (k - 1)
    i = np.minimum(x.astype(np.int32), k - 2)
    f = (x - i)[..., None]
    return cs[i] * (1 - f) + cs[i + 1] * f


def material(r, h, w, bank):
    """an opaque BGR float texture: procedural or cut from a texture or photo of the bank"""
    u = r.random()
    if bank and u < 0.55:
        return crop(r, bank[int(r.integers(len(bank)))], h, w)
    t = noise(r, h, w, int(r.integers(2, 7)), int(r.integers(2, 6)))
    t = (t - t.min()) / (np.ptp(t) + 1e-6)
    if u < 0.68:
        yy, xx = np.mgrid[:h, :w].astype(np.float32)
        a = r.uniform(0, math.pi)
        t = 0.5 + 0.5 * np.sin((xx * math.cos(a) + yy * math.sin(a)) * r.uniform(0.05, 0.9) + t * r.uniform(0, 12))
    return ramp(r, t)


def crop(r, a, h, w):
    H, W = a.shape[:2]
    s = min(H / h, W / w)
    s = r.uniform(min(1, s), s) if s > 1 else s
    ch, cw = max(8, int(h * s)), max(8, int(w * s))
    y, x = int(r.integers(0, max(1, H - ch + 1))), int(r.integers(0, max(1, W - cw + 1)))
    c = cv2.resize(a[y : y + ch, x : x + cw, :3], (w, h), interpolation=cv2.INTER_AREA)
    if r.random() < 0.5:
        c = c[:, ::-1]
    return np.ascontiguousarray(c).astype(np.float32)


def shade(r, tex, m):
    """pseudo relief: light a smoothed height field"""
    n = m.shape[0]
    hgt = cv2.GaussianBlur(m, (0, 0), n * r.uniform(0.03, 0.12)) * n * 0.5 + noise(r, *m.shape) * n * r.uniform(0, 0.15)
    gx, gy = cv2.Sobel(hgt, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(hgt, cv2.CV_32F, 0, 1) / 8
    a = r.uniform(0, 6.3)
    return np.clip(tex * np.clip(1 + r.uniform(0, 0.6) * (gx * math.cos(a) + gy * math.sin(a)), 0.3, 1.7)[..., None], 0, 255)


def strands(r, a, count, length, inward=0.3):
    """draw hair along the outline of a cut-out; alpha of a strand is its exact antialiased coverage"""
    a = a.astype(np.float32)
    cs, _ = cv2.findContours((a[..., 3] > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not cs:
        return a
    c = max(cs, key=len)[:, 0].astype(np.float32)
    if len(c) < 30:
        return a
    i0, span = int(r.integers(len(c))), int(len(c) * (1 if r.random() < 0.6 else r.uniform(0.2, 0.7)))
    wind, curl = r.normal(0, 0.7, 2), r.normal(0, 1.2)
    H, W = a.shape[:2]
    groups = int(r.integers(2, 5))
    for g in range(groups):
        cov = np.zeros((H, W), np.float32)
        near = a[..., :3][a[..., 3] > 127]
        col = near[int(r.integers(len(near)))] * r.uniform(0.5, 1.2)
        k = max(1, count // groups)
        i = (i0 + r.integers(0, span, k)) % len(c)
        q = c[(i + 5) % len(c)] - c[i - 5]
        d = np.stack([q[:, 1], -q[:, 0]], 1) / (np.hypot(q[:, 0], q[:, 1])[:, None] + 1e-6)
        d = d + wind * 0.7 + r.normal(0, 0.35, (k, 2))
        d /= np.hypot(d[:, 0], d[:, 1])[:, None] + 1e-6
        t = np.linspace(-inward, 1, 8)[None, :, None]
        L = (length * r.uniform(0.4, 1.2, k))[:, None, None]
        per = np.stack([-d[:, 1], d[:, 0]], 1)[:, None]
        pts = c[i][:, None] + d[:, None] * t * L + per * (curl + r.normal(0, 0.3, k))[:, None, None] * 0.35 * L * t * t
        cv2.polylines(cov, list(np.round(pts * 16).astype(np.int32)), False, float(r.uniform(0.5, 1)), 1, cv2.LINE_AA, 4)
        al = cov * 255
        new = al + a[..., 3] * (1 - cov)
        a[..., :3] = (col * al[..., None] + a[..., :3] * (a[..., 3] * (1 - cov))[..., None]) / np.maximum(new, 1)[..., None]
        a[..., 3] = new
    return a


def i32(p):
    return np.round(np.asarray(p, np.float32) * 16).astype(np.int32)


def over(a, m, tex):
    """paint colour field tex with coverage m (0..1) over the straight-alpha picture a, in place"""
    k = a[..., 3] / 255 * (1 - m)
    new = m + k
    a[..., :3] = (tex * m[..., None] + a[..., :3] * k[..., None]) / np.maximum(new, 1e-3)[..., None]
    a[..., 3] = new * 255


def polym(n, pts):
    m = np.zeros((n, n), np.float32)
    cv2.fillPoly(m, [i32(pts)], 1.0, cv2.LINE_AA, 4)
    return m


def ellm(n, c, ax, ang=0):
    m = np.zeros((n, n), np.float32)
    cv2.ellipse(m, (int(c[0] * 16), int(c[1] * 16)), (max(1, int(ax[0] * 16)), max(1, int(ax[1] * 16))), ang, 0, 360, 1.0, -1, cv2.LINE_AA, 4)
    return m


def streaks(r, h, w, length=4, turn=3.0):
    """fur or brushed surface: white noise smeared along a smooth flow by doubling steps; mean 1"""
    g = (r.normal(0, 1, (h, w))).astype(np.float32)
    an = noise(r, h, w, 2, 2) * turn * 2 + r.uniform(0, 6.3)
    yy, xx = np.mgrid[:h, :w].astype(np.float32)
    dx, dy = np.cos(an).astype(np.float32), np.sin(an).astype(np.float32)
    for k in range(length):
        g = 0.5 * (g + cv2.remap(g, xx + dx * (1 << k), yy + dy * (1 << k), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    return 1 + np.clip(g / (g.std() + 1e-6), -2.5, 2.5) * r.uniform(0.06, 0.22)
