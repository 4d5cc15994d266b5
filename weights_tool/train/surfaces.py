"""Ground and walls that look photographed: each is a height field and a colour field lit by one low light, so that texture, small
shadows and colour vary as in a photo. They stand sharp behind smooth subjects too: "texture" must not come to mean "background" nor
"subject". Every function: (r, n) -> BGR float n x n, 0..255."""

import math

import cv2
import numpy as np

from paint import noise


def grid(n):
    yy, xx = np.mgrid[:n, :n].astype(np.float32)
    return xx, yy


def relief(r, colour, height, strength):
    """light a height field (pixels) from one side, a little from above"""
    gx, gy = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    a, up = r.uniform(0, 2 * math.pi), r.uniform(0.5, 1.5)
    n = np.sqrt(1 + (strength * gx) ** 2 + (strength * gy) ** 2)
    light = (up + strength * (gx * math.cos(a) + gy * math.sin(a))) / (n * up)
    return np.clip(colour * np.clip(light, 0.15, 1.8)[..., None], 0, 255)


def earthy(r):
    """grey, brown, sand, slate: colours of ground and walls, BGR"""
    base = np.float32([[128, 128, 128], [90, 115, 140], [140, 175, 200], [95, 90, 85], [60, 80, 110], [170, 175, 180], [70, 75, 78]][int(r.integers(7))])
    return np.clip(base * r.uniform(0.6, 1.3) + r.normal(0, 8, 3), 15, 240).astype(np.float32)


def mottle(r, n, base, amount=0.25):
    t = noise(r, n, n, 7, int(r.integers(2, 5)))
    u = noise(r, n, n, 3, 2)[..., None]
    other = np.clip(base * r.uniform(0.6, 1.4) + r.normal(0, 10, 3), 5, 250)
    return (base * (1 - u) + other * u) * (1 + amount * 2 * (t[..., None] - 0.5))


def rock(r, n):
    """ridged noise: cliffs, boulders, cracks"""
    h, amp = np.zeros((n, n), np.float32), 1.0
    for o in range(6):
        k = 3 << o
        if k > n:
            break
        g = cv2.resize(r.random((k + 2, k + 2), dtype=np.float32), (n, n), interpolation=cv2.INTER_CUBIC)
        h += amp * np.clip(1 - np.abs(2 * g - 1), 0, 1) ** r.uniform(1, 2)
        amp *= r.uniform(0.45, 0.65)
    if r.random() < 0.5:  # strata
        xx, yy = grid(n)
        a = r.normal(0, 0.5)
        h += r.uniform(0.1, 0.5) * np.sin((yy * math.cos(a) + xx * math.sin(a)) * r.uniform(0.1, 0.5) + 6 * h)
    return relief(r, mottle(r, n, earthy(r)), h * n * 0.06, r.uniform(1, 3))


def planks(r, n):
    """boards with grain, gaps and knots, any direction; painted or not"""
    xx, yy = grid(n)
    a = r.choice([0.0, math.pi / 2]) + r.normal(0, 0.08) if r.random() < 0.8 else r.uniform(0, math.pi)
    u, v = xx * math.cos(a) + yy * math.sin(a), -xx * math.sin(a) + yy * math.cos(a)
    w = n * r.uniform(0.05, 0.35)
    k = np.floor(v / w + 500).astype(np.int32)
    t = v / w - np.floor(v / w)
    tone = r.uniform(0.8, 1.2, 2000).astype(np.float32)[k % 2000]
    offset = r.uniform(0, 500, 2000).astype(np.float32)[k % 2000]
    wood = noise(r, 512, 512, 6, 4)
    warp = noise(r, n, n, 3, 3) * n * 0.05
    grain = cv2.remap(wood, ((u * 0.15 + offset) % 511).astype(np.float32), ((v * r.uniform(2, 6) + warp + offset * 3) % 511).astype(np.float32), cv2.INTER_LINEAR)
    base = np.float32([60, 100, 150]) * r.uniform(0.5, 1.5) if r.random() < 0.6 else earthy(r)
    c = base * (tone * (1 + r.uniform(0.2, 0.9) * (grain - 0.5)))[..., None]
    gap = np.minimum(t, 1 - t) * w
    edge = np.clip(gap / max(1.0, n * r.uniform(0.003, 0.012)), 0, 1)
    lap = t * r.uniform(0, 6) if r.random() < 0.4 else 0  # weather boards overlap
    return relief(r, c * (0.25 + 0.75 * edge)[..., None], edge * 2 + grain * r.uniform(0, 3) + lap, r.uniform(0.3, 1.0))


def bricks(r, n):
    xx, yy = grid(n)
    h = n * r.uniform(0.04, 0.16)
    w = h * r.uniform(1.5, 3.5) if r.random() < 0.8 else h
    jitter = (noise(r, n, n, 4, 8) - 0.5) * h * r.uniform(0, 0.25)
    row = np.floor((yy + jitter) / h)
    shift = (row % 2) * 0.5 * w if r.random() < 0.8 else 0
    col = np.floor((xx + jitter + shift) / w)
    fy, fx = (yy + jitter) / h - row, (xx + jitter + shift) / w - col
    d = np.minimum(np.minimum(fx, 1 - fx) * w, np.minimum(fy, 1 - fy) * h)
    m = np.clip(d / (h * r.uniform(0.05, 0.14)) - 0.5, 0, 1)
    tones = r.uniform(0.65, 1.25, 5000).astype(np.float32)[((row * 57 + col * 131).astype(np.int32)) % 5000]
    base = np.float32([60, 75, 150]) * r.uniform(0.6, 1.3) if r.random() < 0.5 else earthy(r)
    mortar = earthy(r)
    c = mottle(r, n, base, 0.4) * tones[..., None] * m[..., None] + mortar * (1 - m)[..., None]
    return relief(r, c, m * r.uniform(1, 4) + noise(r, n, n, 7, 8) * 3, r.uniform(0.4, 1.2))


def stones(r, n):
    """gravel, pebbles, cobbles: cells around scattered points, domed"""
    k = int(n * n / (n * r.uniform(0.02, 0.12)) ** 2) + 8
    p = np.stack([r.uniform(0, n, k), r.uniform(0, n, k)], 1).astype(np.float32)
    seed = np.full((n, n), 255, np.uint8)
    ids = {}
    for i, (x, y) in enumerate(p):
        seed[int(y), int(x)] = 0
    dist, label = cv2.distanceTransformWithLabels(seed, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    cell = math.sqrt(n * n / k)
    dome = np.clip(1 - (dist / (cell * 0.75)) ** 2, 0, 1)
    tones = r.uniform(0.5, 1.3, label.max() + 1).astype(np.float32)[label]
    hue = r.normal(0, 4, (label.max() + 1, 3)).astype(np.float32)[label]
    c = np.clip(mottle(r, n, earthy(r)) * (tones * (0.3 + 0.7 * dome))[..., None] + hue, 0, 255)
    return relief(r, c, dome * cell * 0.5 + noise(r, n, n, 6, 8) * 2, r.uniform(0.5, 1.5))


def concrete(r, n):
    """plaster, asphalt, sand, snow: fine grain, spots, stains, a few cracks"""
    g = cv2.GaussianBlur(r.standard_normal((n, n), dtype=np.float32), (0, 0), r.uniform(0.4, 1.5))
    c = mottle(r, n, earthy(r), r.uniform(0.05, 0.4)) * (1 + (g / g.std())[..., None] * r.uniform(0.02, 0.15))
    for _ in range(int(r.integers(0, 4))):
        p = np.cumsum(r.normal(0, n * 0.03, (40, 2)) + r.normal(0, n * 0.02, 2), 0) + r.uniform(0, n, 2)
        cv2.polylines(c, [np.round(p).astype(np.int32)], False, tuple(float(v) for v in earthy(r) * 0.4), 1, cv2.LINE_AA)
    return relief(r, c, noise(r, n, n, 6, 3) * n * r.uniform(0, 0.08) + g, r.uniform(0.2, 1.0))


def turf(r, n):
    """grass at one scale, blade by blade, light on dark"""
    L = n * r.uniform(0.03, 0.2)
    base = np.float32([45, 120, 90]) * r.uniform(0.4, 1.4) * np.float32([1, 1, r.uniform(0.6, 1.4)])
    b = np.ascontiguousarray(np.broadcast_to(base * 0.35, (n, n, 3)).astype(np.float32))
    lean, count = r.normal(0, 0.3), int(min(6000, 12 * (n / L) ** 2 + 400))
    w = max(1, int(L * r.uniform(0.02, 0.09)))
    ys = np.sort(r.uniform(0, n + L, count))
    for i, y in enumerate(ys):
        x, d, s = r.uniform(-0.05, 1.05) * n, lean + r.normal(0, 0.35), r.uniform(0.5, 1.2)
        pts = np.array([(x, y), (x + d * L * s * 0.4, y - L * s * 0.6), (x + d * L * s, y - L * s)])
        col = base * (0.5 + 0.8 * r.random()) * (0.6 + 0.4 * i / count)
        cv2.polylines(b, [np.round(pts * 8).astype(np.int32)], False, tuple(float(v) for v in np.clip(col + r.normal(0, 8, 3), 0, 255)), w, cv2.LINE_AA, 3)
    return b * (0.7 + 0.6 * noise(r, n, n, 3, 2)[..., None])


def cloth(r, n):
    """woven or folded: a fine lattice on broad folds"""
    xx, yy = grid(n)
    f = noise(r, n, n, 3, 2) * n * r.uniform(0.1, 0.5)
    p = r.uniform(1.5, 6)
    lattice = np.sin((xx + f * 0.1) * 2 * math.pi / p) * np.sin((yy + f * 0.1) * 2 * math.pi / p)
    hsv = np.uint8([[[r.integers(0, 180), 255 * r.beta(1.2, 2.5), r.integers(60, 240)]]])
    base = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    c = base * (1 + r.uniform(0, 0.15) * lattice)[..., None]
    if r.random() < 0.4:
        k = n * r.uniform(0.03, 0.2)
        other = np.clip(base * r.uniform(0.4, 1.6) + r.normal(0, 30, 3), 0, 255)
        m = ((np.sin((xx + f) * 2 * math.pi / k) > 0) ^ ((np.sin((yy + f) * 2 * math.pi / k) > 0) & (r.random() < 0.6)))[..., None]
        c = np.where(m, c, other)
    return relief(r, np.clip(c, 0, 255), f, r.uniform(0.5, 3))


def water(r, n):
    xx, yy = grid(n)
    z = 1 / (yy / n + r.uniform(0.15, 1.0))
    h = np.zeros((n, n), np.float32)
    for _ in range(6):
        a, k = r.normal(math.pi / 2, 0.7), r.uniform(0.05, 0.4)
        h += np.sin((xx * math.cos(a) * 0.5 + yy * math.sin(a)) * k * z + noise(r, n, n, 4, 3) * 12) / (k * 10)
    base = np.float32([150, 120, 70]) * r.uniform(0.4, 1.3)
    return relief(r, mottle(r, n, base, 0.1), h, r.uniform(0.5, 2.5))


KINDS = [(rock, 0.2), (planks, 0.16), (bricks, 0.12), (stones, 0.13), (concrete, 0.17), (turf, 0.08), (cloth, 0.08), (water, 0.06)]


def surface(r, n):
    p = np.array([w for _, w in KINDS])
    return np.clip(KINDS[int(r.choice(len(KINDS), p=p / p.sum()))][0](r, n), 0, 255).astype(np.float32)


def tilt(r, b):
    """see a surface at an angle, with light falling off over it"""
    n = b.shape[0]
    p0 = np.float32([[0, 0], [n, 0], [n, n], [0, n]])
    k = r.uniform(0, 0.35)
    p1 = p0 + np.float32([[0, 0], [0, 0], [k * n * 2, 0], [-k * n * 2, 0]]) + r.normal(0, 0.04, (4, 2)).astype(np.float32) * n
    big = cv2.copyMakeBorder(b, n // 2, n // 2, n // 2, n // 2, cv2.BORDER_REFLECT)
    out = cv2.warpPerspective(big, cv2.getPerspectiveTransform(p0 + n / 2, p1 + n / 2), (2 * n, 2 * n), borderMode=cv2.BORDER_REFLECT)
    return out[n // 2 : n // 2 + n, n // 2 : n // 2 + n] * (1 - r.uniform(0, 0.6) * noise(r, n, n, 2, 2)[..., None])


def ground(r, n, S=None):
    """a surface filling the picture, or a wall above a floor, or two walls"""
    b = tilt(r, surface(r, n)) if r.random() < 0.7 else surface(r, n)
    if r.random() < 0.4:
        y, s = n * r.uniform(0.15, 0.85), r.normal(0, 0.1)
        m = np.zeros((n, n), np.float32)
        cv2.fillPoly(m, [np.int32([(0, 0), (n, 0), (n, y + s * n), (0, y - s * n)])], 1.0, cv2.LINE_AA)
        m = m[..., None]
        b = b * (1 - m) + surface(r, n) * r.uniform(0.5, 1.2) * m
        if r.random() < 0.5:  # darker where they meet
            b = b * (1 - 0.5 * cv2.GaussianBlur(m * (1 - m) + np.abs(cv2.Sobel(m, cv2.CV_32F, 0, 1))[..., None] * 0.25, (0, 0), n * 0.03)[..., None])
    return b


def slats(r, n, S=None):
    """a house front: boards, frames, panes, posts, rails; busy, straight, in any colour, and not a subject"""
    b = planks(r, n)
    for _ in range(int(r.integers(1, 6))):
        x, y, w, h = r.uniform(-0.1, 0.9) * n, r.uniform(-0.1, 0.9) * n, n * r.uniform(0.05, 0.6), n * r.uniform(0.05, 0.9)
        q = surface(r, n) * r.uniform(0.3, 1.2) if r.random() < 0.6 else np.broadcast_to(earthy(r), (n, n, 3))
        m = np.zeros((n, n), np.float32)
        cv2.rectangle(m, (int(x), int(y)), (int(x + w), int(y + h)), 1.0, -1)
        b = b * (1 - m[..., None]) + q * m[..., None]
        cv2.rectangle(b, (int(x), int(y)), (int(x + w), int(y + h)), tuple(float(v) for v in earthy(r)), int(r.integers(1, max(2, n // 24))), cv2.LINE_AA)
    for _ in range(int(r.integers(0, 4))):
        x = r.uniform(0, n)
        w = n * r.uniform(0.01, 0.07)
        p = [(x, 0), (x + w, 0), (x + w + r.normal(0, 3), n), (x + r.normal(0, 3), n)]
        p = [(b_, a_) for a_, b_ in p] if r.random() < 0.4 else p
        cv2.fillPoly(b, [np.int32(p)], tuple(float(v) for v in earthy(r)), cv2.LINE_AA)
    return np.clip(b, 0, 255)


def bokeh(r, n, S=None):
    """far out of focus: soft areas of few colours, discs of light, as behind most portraits and flowers"""
    hsv = np.uint8([[[r.integers(0, 180), r.integers(0, 160), r.integers(20, 220)]]])
    base = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    b = np.ascontiguousarray(np.broadcast_to(base, (n, n, 3)).astype(np.float32))
    for _ in range(int(r.integers(3, 30))):
        c = np.clip(base * r.uniform(0.3, 1.8) + r.normal(0, 35, 3), 0, 255)
        q = b.copy()
        cv2.ellipse(q, (int(r.integers(n)), int(r.integers(n))), (int(n * r.uniform(0.03, 0.5)), int(n * r.uniform(0.03, 0.4))), r.uniform(0, 180), 0, 360, tuple(float(v) for v in c), -1, cv2.LINE_AA)
        b = b + (q - b) * r.uniform(0.3, 0.9)
    b = cv2.GaussianBlur(b, (0, 0), n * r.uniform(0.02, 0.08))
    for _ in range(int(r.integers(0, 20)) if r.random() < 0.4 else 0):
        q = b.copy()
        cv2.circle(q, (int(r.integers(n)), int(r.integers(n))), int(n * r.uniform(0.01, 0.06)), tuple(float(v) for v in np.clip(base * 1.5 + r.uniform(0, 90, 3), 0, 255)), -1, cv2.LINE_AA)
        b = b * 0.6 + q * 0.4
    return np.clip(b, 0, 255)
