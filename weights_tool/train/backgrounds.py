"""Backgrounds drawn by formulas: landscapes, rooms, table tops, studios, and ground that looks photographed (surfaces.py)."""

import math

import cv2
import numpy as np

from paint import colour, crop, i32, material, noise, polym, ramp
from subjects import foliage
from surfaces import bokeh, ground, slats


def sky(r, n):
    yy, xx = np.mgrid[:n, :n].astype(np.float32) / n
    u = r.random()
    c0, c1 = (
        (np.float32([210, 150, 80]) * r.uniform(0.5, 1.1), np.float32([235, 215, 190]))
        if u < 0.5
        else (
            (np.float32([120, 80, 60]) * r.uniform(0.2, 1), np.float32([90, 140, 235]))
            if u < 0.7
            else (np.float32([200, 200, 200]) * r.uniform(0.6, 1.2), np.float32([230, 230, 230]))
        )
    )
    b = c0 + (c1 - c0) * np.clip(yy * r.uniform(0.8, 2), 0, 1)[..., None]
    if r.random() < 0.6:
        c = cv2.resize(noise(r, n, n, 6, 3), (n, n))
        c = np.clip((c - r.uniform(0.42, 0.6)) * r.uniform(3, 9), 0, 1)[..., None]
        b = b * (1 - c) + np.float32([245, 245, 245]) * r.uniform(0.6, 1) * c
    return b


def scatter(r, b, y0, y1, kind=None, count=None, big=1.0):
    """leaves, grass, stones over the rows y0..y1, larger towards the bottom"""
    n = b.shape[0]
    kind = kind or ["leaf", "grass", "stone"][int(r.integers(3))]
    base = colour(r) if r.random() < 0.25 else np.float32([40, 110, 70]) * r.uniform(0.3, 1.5)
    count = count or int(r.integers(60, 500))
    t = np.linspace(0, 6.283, 14)
    ys = np.sort(r.uniform(y0, y1, count))
    for y in ys:
        z = big * (0.3 + 0.7 * (y - y0) / max(1, y1 - y0))
        col = np.clip(base * r.uniform(0.4, 1.5) + r.normal(0, 14, 3), 0, 255)
        x = r.uniform(-0.05, 1.05) * n
        c = tuple(float(v) for v in col)
        if kind == "grass":
            L = n * 0.14 * z * r.uniform(0.4, 1.3)
            d = r.normal(0, 0.35)
            p = [(x, y), (x + d * L * 0.4, y - L * 0.6), (x + d * L, y - L)]
            cv2.polylines(b, [i32(p)], False, c, max(1, int(n * 0.008 * z * r.uniform(0.6, 2))), cv2.LINE_AA, 4)
        else:
            L, w, an = n * 0.06 * z * r.uniform(0.4, 1.6), r.uniform(0.25, 0.9), r.uniform(0, 6.3)
            e = np.stack([np.cos(t) * L, np.sin(t) * L * w], 1) * (1 + (r.normal(0, 0.12, (14, 1)) if kind == "stone" else 0))
            R = np.array([[math.cos(an), -math.sin(an)], [math.sin(an), math.cos(an)]])
            p = e @ R.T + (x, y)
            cv2.fillPoly(b, [i32(p)], c, cv2.LINE_AA, 4)
            if L > 5:
                cv2.polylines(b, [i32(p)[7:12]], False, tuple(float(v) for v in np.clip(col * 1.35, 0, 255)), 1, cv2.LINE_AA, 4)
    return b


def floor(r, n, tex, yh):
    yy, xx = np.mgrid[:n, :n].astype(np.float32)
    z = 1 / np.maximum(yy - yh + 6, 1)
    k = r.uniform(0.5, 1.5)
    ph = r.uniform(0, n, 2)
    u, v = ((xx - n * r.uniform(0.2, 0.8)) * z * n * 0.12 * k + ph[0]) % (2 * n), (z * n * n * 0.12 * k + ph[1]) % (2 * n)
    fold = lambda t: np.where(t >= n, 2 * n - 1 - t, t).astype(np.float32)
    return cv2.remap(tex, fold(u), fold(v), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def landscape(r, n, S):
    b = sky(r, n)
    yh = n * r.uniform(0.25, 0.75)
    xs = np.arange(n)
    base = np.float32([60, 110, 80]) * r.uniform(0.4, 1.3)
    L = int(r.integers(1, 5))
    for k in range(L):
        hgt = cv2.resize(noise(r, 4, n, 6, int(r.integers(2, 5))), (n, 1))[0]
        y = yh - (hgt - 0.35) * n * r.uniform(0.1, 0.6) * (1 - k / L) + k * n * 0.04
        m = polym(n, np.concatenate([np.stack([xs, y], 1), [(n, n), (0, n)]]))
        f = (k + 1) / L
        tx = noise(r, n, n, 7, 4)[..., None]
        col = (base * f + np.float32([200, 170, 140]) * (1 - f)) * (0.5 + tx * r.uniform(0.6, 1.2))
        if r.random() < 0.3:
            col = material(r, n, n, S.textures) * r.uniform(0.4, 0.9)
        b = b * (1 - m[..., None]) + col * m[..., None]
    y0 = int(np.clip(yh + n * r.uniform(0.02, 0.15), 0, n - 2))
    u = r.random()
    if u < 0.3:  # water with a rough mirror picture
        h = n - y0
        src = b[max(0, y0 - h) : y0][::-1]
        src = cv2.resize(src, (n, h))
        yy, xx = np.mgrid[:h, :n].astype(np.float32)
        w = noise(r, h, n, 5, 8)
        b[y0:] = cv2.remap(np.ascontiguousarray(src), xx + (w - 0.5) * 18, yy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT) * r.uniform(0.5, 0.95)
    elif u < 0.65:
        b[y0:] = floor(r, n, np.ascontiguousarray(material(r, n, n, S.textures)), y0)[y0:] * r.uniform(0.6, 1.1)
    if r.random() < 0.6:
        b = scatter(r, np.ascontiguousarray(b), y0, n * 1.08, None, int(r.integers(40, 350)))
    for _ in range(int(r.integers(0, 4)) if r.random() < 0.5 else 0):  # trees
        x, yb, h, w = n * r.uniform(0, 1), yh + n * r.uniform(0, 0.2), n * r.uniform(0.2, 0.9), n * r.uniform(0.005, 0.03)
        c = tuple(float(v) for v in np.float32([40, 55, 70]) * r.uniform(0.4, 1.4))
        cv2.fillPoly(b, [i32([(x - w, yb), (x - w * 0.5, yb - h), (x + w * 0.5, yb - h), (x + w, yb)])], c, cv2.LINE_AA, 4)
        f = foliage(r, 96, None)
        paste_at(b, f, x, yb - h * 0.8, h * r.uniform(0.5, 0.9))
    return b


def paste_at(b, a, cx, cy, size):
    n = b.shape[0]
    s = size / max(a.shape[:2])
    h, w = a.shape[:2]
    a = a.astype(np.float32).copy()
    a[..., :3] *= a[..., 3:] / 255
    if s < 0.6:
        a = cv2.GaussianBlur(a, (0, 0), 0.35 / s)
    o = cv2.warpAffine(a, np.float32([[s, 0, cx - s * w / 2], [0, s, cy - s * h / 2]]), (n, n), flags=cv2.INTER_LINEAR)
    b[:] = o[..., :3] + b * (1 - o[..., 3:] / 255)


def leaves(r, n, S):
    b = material(r, n, n, S.textures) * r.uniform(0.2, 0.7)
    b = np.ascontiguousarray(b)
    for _ in range(int(r.integers(1, 4))):
        b = scatter(r, b, -0.05 * n, n * 1.2, ["leaf", "grass", "leaf", "stone"][int(r.integers(4))], int(r.integers(80, 350)), r.uniform(0.7, 2.5))
    return b * (1 - r.uniform(0, 0.5) * noise(r, n, n, 2, 2)[..., None])


def indoor(r, n, S):
    yh = int(n * r.uniform(0.3, 0.9))
    b = material(r, n, n, S.textures) if r.random() < 0.5 else np.broadcast_to(colour(r) * 0.5 + 90, (n, n, 3)).astype(np.float32)
    b = np.ascontiguousarray(b.copy())
    for _ in range(int(r.integers(0, 5))):  # window, picture, shelf, stripes, curtain
        x, y, w, h = n * r.uniform(-0.1, 0.9), n * r.uniform(-0.1, 0.6), n * r.uniform(0.08, 0.5), n * r.uniform(0.08, 0.5)
        u = r.random()
        p = i32([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        if u < 0.5:
            m = np.zeros((n, n), np.float32)
            cv2.fillPoly(m, [p], 1.0, cv2.LINE_AA, 4)
            t = material(r, n, n, S.textures + S.photos) * r.uniform(0.5, 1.3)
            b = b * (1 - m[..., None]) + t * m[..., None]
            cv2.polylines(b, [p], True, tuple(float(v) for v in colour(r)), int(r.integers(1, 7)), cv2.LINE_AA, 4)
        else:
            k = int(r.integers(2, 9))
            cs = [tuple(float(v) for v in colour(r)) for _ in range(2)]
            for i in range(k):
                cv2.rectangle(b, (int(x + w * i / k), int(y)), (int(x + w * (i + 1) / k), int(y + h * 2)), cs[i % 2], -1)
    if r.random() < 0.7:
        b[yh:] = floor(r, n, np.ascontiguousarray(material(r, n, n, S.textures)), yh)[yh:] * r.uniform(0.5, 1.1)
    for _ in range(int(r.integers(1, 9))):
        a = S.pick(r, clutter=True)
        sz = n * r.uniform(0.1, 0.5)
        paste_at(b, a, n * r.uniform(0, 1), yh + n * r.uniform(-0.15, 0.1) - sz * 0.3, sz)
    return b * (1 - r.uniform(0, 0.5) * noise(r, n, n, 2, 2)[..., None])


def tabletop(r, n, S):
    yy, xx = np.mgrid[:n, :n].astype(np.float32)
    t = material(r, n, n, S.textures)
    p0 = np.float32([[0, 0], [n, 0], [n, n], [0, n]])
    p1 = p0 + r.uniform(-0.5, 0.1, (4, 2)).astype(np.float32) * n * np.float32([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    b = np.ascontiguousarray(cv2.warpPerspective(t, cv2.getPerspectiveTransform(p0, p1), (n, n), borderMode=cv2.BORDER_WRAP))
    if r.random() < 0.4:  # the table's edge, something dark behind
        y = n * r.uniform(0.0, 0.4)
        s = r.normal(0, 0.2)
        m = polym(n, [(0, 0), (n, 0), (n, y + s * n * 0.5), (0, y - s * n * 0.5)])[..., None]
        b = b * (1 - m) + material(r, n, n, S.textures) * r.uniform(0.1, 0.9) * m
    for _ in range(int(r.integers(0, 4))):
        paste_at(
            b, S.pick(r, clutter=True), n * r.choice([r.uniform(-0.05, 0.2), r.uniform(0.8, 1.05)]), n * r.uniform(0, 1), n * r.uniform(0.1, 0.35)
        )
    return np.clip(b * (0.6 + 0.8 * noise(r, n, n, 2, 2)[..., None]), 0, 255)


def studio(r, n, S):
    yy, xx = np.mgrid[:n, :n].astype(np.float32) / n
    a = r.uniform(0, 6.3)
    b = ramp(r, 0.5 + 0.7 * ((xx - 0.5) * math.cos(a) + (yy - 0.5) * math.sin(a)), 2)
    if r.random() < 0.5:
        b = b * 0.3 + b.mean((0, 1)) * 0.7
    if r.random() < 0.5:
        b = b * (0.8 + 0.4 * noise(r, n, n, 6, 2)[..., None])
    return b


def photo(r, n, S):
    return crop(r, S.photos[int(r.integers(len(S.photos)))], n, n)


def plain_material(r, n, S):
    return material(r, n, n, S.textures)


BG = [
    (landscape, 0.17),
    (leaves, 0.07),
    (indoor, 0.17),
    (tabletop, 0.11),
    (studio, 0.08),
    (photo, 0.11),
    (plain_material, 0.03),
    (ground, 0.15),
    (slats, 0.05),
    (bokeh, 0.06),
]


def backgrounds(r, count, S, n=256):
    p = np.array([w for _, w in BG])
    out = []
    while len(out) < count:
        out.append(np.clip(BG[int(r.choice(len(BG), p=p / p.sum()))][0](r, n, S), 0, 255).astype(np.uint8))
    return out
