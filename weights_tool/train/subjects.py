"""Subjects drawn by formulas: animals, people, flowers, vessels, blobs, leaves. Crude, but with the layout, colours, inner outlines
and fur that whole-subject masks must learn; the rendered models (render.py) give the true shapes."""

import math

import cv2
import numpy as np

from paint import colour, ellm, fit, i32, material, noise, over, polym, shade, streaks, strands, trim


def blob(r, n, bank):
    k = int(r.integers(1, 4))
    m = np.zeros((n, n), np.float32)
    th = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    for _ in range(k):
        rad = np.full(90, r.uniform(0.18, 0.42)) * n
        for f in range(1, int(r.integers(2, 9))):
            rad *= 1 + r.normal(0, 0.25 / f) * np.cos(f * th + r.uniform(0, 6.3))
        cx, cy = n * r.uniform(0.35, 0.65), n * r.uniform(0.35, 0.65)
        st = r.uniform(0.5, 1)
        p = np.stack([cx + rad * np.cos(th) * st, cy + rad * np.sin(th)], 1)
        if r.random() < 0.3:
            p = p[np.sort(r.choice(90, int(r.integers(3, 12)), replace=False))]
        cv2.fillPoly(m, [np.round(p * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    m = np.clip(cv2.GaussianBlur(m, (0, 0), 0.8), 0, 1)
    return np.dstack([shade(r, material(r, n, n, bank), m), m * 255])


def foliage(r, n, bank):
    a = np.zeros((n, n, 4), np.float32)
    base = colour(r) if r.random() < 0.3 else np.array([40, 120, 60], np.float32) * r.uniform(0.5, 1.6)
    stem = np.array([n / 2, n * 0.98])
    for _ in range(int(r.integers(6, 70))):
        p = np.array([n * r.uniform(0.12, 0.88), n * r.uniform(0.05, 0.8)])
        L, wd, an = n * r.uniform(0.05, 0.2), r.uniform(0.15, 0.5), r.uniform(0, 6.3)
        t = np.linspace(0, 2 * math.pi, 24)
        e = np.stack([np.cos(t) * L, np.sin(t) * L * wd * np.abs(np.cos(t / 2)) ** 0.5], 1)
        R = np.array([[math.cos(an), -math.sin(an)], [math.sin(an), math.cos(an)]])
        col = np.clip(base * r.uniform(0.6, 1.4) + r.normal(0, 12, 3), 0, 255)
        if r.random() < 0.5:
            cv2.line(
                a, tuple(int(v) for v in p), tuple(int(v) for v in stem), (*[float(v) for v in col * 0.6], 255.0), int(r.integers(1, 3)), cv2.LINE_AA
            )
        cv2.fillPoly(a, [np.round((e @ R.T + p) * 16).astype(np.int32)], (*[float(v) for v in col], 255.0), cv2.LINE_AA, 4)
    al = a[..., 3:] / 255
    a[..., :3] = np.where(al > 0.02, a[..., :3] / np.maximum(al, 0.02), 0).clip(0, 255)
    return a


def person(r, n, bank):
    """head, hair, neck, shoulders (sometimes to the hips): crude, but the right layout and colours"""
    a = np.zeros((n, n, 4), np.float32)
    skin = np.array([r.uniform(70, 190), 0, 0], np.float32)
    skin = np.array([skin[0] * 0.75, skin[0] * 0.85 + 15, skin[0] + 55], np.float32) * r.uniform(0.55, 1.05)
    hairc = np.array([[20, 25, 35], [40, 60, 90], [80, 130, 180], [30, 40, 110], [150, 150, 155]][int(r.integers(5))], np.float32) * r.uniform(
        0.5, 1.3
    )
    cx, hw = n * r.uniform(0.42, 0.58), n * r.uniform(0.11, 0.2)
    hh, top = hw * r.uniform(1.2, 1.45), n * r.uniform(0.06, 0.16)
    cy = top + hh
    sw = hw * r.uniform(2.1, 3)
    sy = cy + hh * r.uniform(1.25, 1.6)

    def poly(pts, tex):
        m = np.zeros((n, n), np.float32)
        cv2.fillPoly(m, [np.round(np.array(pts) * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        paint(m, tex)

    def paint(m, tex):
        t = np.broadcast_to(tex, (n, n, 3)).astype(np.float32)
        if m.mean() > 0.04:
            t = shade(r, t, m)
        new = m + a[..., 3] / 255 * (1 - m)
        a[..., :3] = (t * m[..., None] + a[..., :3] * (a[..., 3] / 255 * (1 - m))[..., None]) / np.maximum(new, 1e-3)[..., None]
        a[..., 3] = new * 255

    def ell(c, ax, ang=0):
        m = np.zeros((n, n), np.float32)
        cv2.ellipse(m, (int(c[0] * 16), int(c[1] * 16)), (int(ax[0] * 16), int(ax[1] * 16)), ang, 0, 360, 1.0, -1, cv2.LINE_AA, 4)
        return m

    long = r.random() < 0.5
    if long:
        paint(ell((cx, cy + hh * 0.5), (hw * r.uniform(1.2, 1.6), hh * r.uniform(1.3, 1.9))), hairc)
    cloth = material(r, n, n, bank) if r.random() < 0.7 else colour(r)
    s = np.linspace(0, 1, 12)
    left = [(cx - hw * 0.5 - (sw - hw * 0.5) * t, sy + (n * 0.1) * t**3 - n * 0.03) for t in s]
    right = [(cx + hw * 0.5 + (sw - hw * 0.5) * t, sy + (n * 0.1) * t**3 - n * 0.03) for t in s]
    tap = r.uniform(0.7, 1.1)
    poly(left[::-1] + right + [(cx + sw * tap, n), (cx - sw * tap, n)], cloth)
    poly(
        [(cx - hw * 0.45, cy + hh * 0.6), (cx + hw * 0.45, cy + hh * 0.6), (cx + hw * 0.6, sy + n * 0.03), (cx - hw * 0.6, sy + n * 0.03)],
        skin * 0.85,
    )
    paint(ell((cx, cy), (hw, hh), r.normal(0, 4)), skin)
    m = ell((cx, cy - hh * 0.35), (hw * r.uniform(1.02, 1.25), hh * r.uniform(0.7, 0.95)))
    m *= 1 - ell((cx + r.normal(0, 0.1) * hw, cy + hh * 0.35), (hw * 0.85, hh * r.uniform(0.75, 1.0)))
    paint(m, hairc)
    for sx in (-0.4, 0.4):
        paint(ell((cx + sx * hw, cy), (hw * 0.13, hh * 0.06)), np.array([30, 30, 30], np.float32))
    paint(ell((cx, cy + hh * 0.5), (hw * 0.3, hh * 0.07)), skin * np.array([0.7, 0.6, 0.9], np.float32))
    if r.random() < 0.7:
        keep = a.copy()
        hair = keep.copy()
        hair[int(cy + (hh * 1.6 if long else 0)) :, :, 3] = 0
        st = strands(r, np.dstack([np.broadcast_to(hairc, (n, n, 3)), hair[..., 3]]), int(r.integers(80, 500)), hw * r.uniform(0.2, 0.8))
        m = np.clip(st[..., 3] - keep[..., 3], 0, 255) / 255
        new = m + keep[..., 3] / 255 * (1 - m)
        a[..., :3] = (st[..., :3] * m[..., None] + keep[..., :3] * (keep[..., 3] / 255 * (1 - m))[..., None]) / np.maximum(new, 1e-3)[..., None]
        a[..., 3] = new * 255
    return a


def furcolour(r):
    base = np.array(
        [[25, 30, 35], [60, 95, 140], [110, 120, 125], [70, 110, 190], [200, 210, 215], [45, 65, 100], [150, 165, 180]][int(r.integers(7))],
        np.float32,
    )
    return np.clip(base * r.uniform(0.6, 1.25) + r.normal(0, 8, 3), 5, 245).astype(np.float32)


def coat(r, n):
    """fur colour field: two colours mixed by stripes, spots or large patches, with streaks"""
    c1, c2 = furcolour(r), furcolour(r)
    if r.random() < 0.5:
        c2 = c1 * r.uniform(0.35, 1.5)
    t = noise(r, n, n, 3, 3)
    u = r.random()
    if u < 0.35:
        yy, xx = np.mgrid[:n, :n].astype(np.float32)
        a = r.uniform(0, 3.2)
        t = 0.5 + 0.5 * np.sin((xx * math.cos(a) + yy * math.sin(a)) * r.uniform(0.1, 0.5) + t * r.uniform(5, 25))
    elif u < 0.55:
        t = np.clip((noise(r, n, n, 2, int(r.integers(8, 20))) - 0.5) * 8 + 0.3, 0, 1)
    else:
        t = np.clip((t - 0.5) * r.uniform(2, 10) + 0.5, 0, 1)
    return np.clip((c1 * (1 - t[..., None]) + c2 * t[..., None]) * streaks(r, n, n, int(r.integers(3, 6)))[..., None], 0, 255), c1, c2


def animal(r, n, bank=None):
    a = np.zeros((n, n, 4), np.float32)
    fur, c1, c2 = coat(r, n)
    head_only = r.random() < 0.45
    hw = n * (r.uniform(0.24, 0.36) if head_only else r.uniform(0.1, 0.17))
    hh = hw * r.uniform(0.8, 1.15)
    cx, cy = (n * r.uniform(0.4, 0.6), n * r.uniform(0.38, 0.5)) if head_only else (n * r.uniform(0.2, 0.35), n * r.uniform(0.22, 0.38))
    rot = r.normal(0, 0.25)

    def at(u, v):
        return cx + hw * (u * math.cos(rot) - v * math.sin(rot)), cy + hh * (u * math.sin(rot) + v * math.cos(rot))

    if head_only:
        if r.random() < 0.8:
            over(
                a,
                ellm(n, (cx + r.normal(0, 0.3) * hw, cy + hh * 1.7), (hw * r.uniform(1, 1.7), hh * r.uniform(1.2, 2)), r.normal(0, 20)),
                shade(r, fur, ellm(n, (cx, cy + hh * 1.7), (hw * 1.4, hh * 1.5))),
            )
    else:
        bx, by, bw, bh = n * r.uniform(0.5, 0.6), n * r.uniform(0.45, 0.55), n * r.uniform(0.25, 0.34), n * r.uniform(0.13, 0.22)
        if r.random() < 0.75:  # legs
            for lx in (-0.75, -0.5, 0.5, 0.75):
                w = n * r.uniform(0.025, 0.05)
                x0 = bx + lx * bw
                x1 = x0 + r.normal(0, 0.04) * n
                over(a, polym(n, [(x0 - w, by), (x0 + w, by), (x1 + w * 0.7, n * 0.93), (x1 - w, n * 0.93)]), fur * r.uniform(0.6, 1))
        if r.random() < 0.7:
            t = np.linspace(0, 1, 12)
            ph = r.uniform(-1, 1)
            pts = np.stack([bx + bw * 0.9 + t * n * 0.12, by - t * n * 0.2 * ph + np.sin(t * 4) * n * 0.04], 1)
            m = np.zeros((n, n), np.float32)
            cv2.polylines(m, [i32(pts)], False, 1.0, int(n * r.uniform(0.02, 0.06)), cv2.LINE_AA, 4)
            over(a, m, fur * 0.9)
        m = ellm(n, (bx, by), (bw, bh), r.normal(0, 8))
        over(a, m, shade(r, fur, m))
        over(a, polym(n, [(cx - hw * 0.5, cy), (cx + hw * 0.6, cy - hh * 0.4), (bx - bw * 0.2, by - bh * 0.8), (bx - bw * 0.7, by + bh * 0.5)]), fur)
    ear = r.uniform(0.35, 1.1)
    pointed = r.random() < 0.55
    sp = r.uniform(0.5, 0.85)
    for s in (-1, 1):
        if pointed:
            over(
                a,
                polym(n, [at(s * (sp - 0.35), -0.65), at(s * (sp + 0.3), -0.35), at(s * (sp + r.uniform(0, 0.3)), -0.8 - ear)]),
                fur * r.uniform(0.6, 0.95),
            )
            over(
                a,
                polym(n, [at(s * (sp - 0.2), -0.7), at(s * (sp + 0.2), -0.5), at(s * (sp + 0.08), -0.7 - ear * 0.8)]),
                np.array([120, 130, 190], np.float32) * r.uniform(0.4, 1),
            )
        else:
            over(
                a,
                ellm(n, at(s * sp * 1.1, -0.55 + r.uniform(0, 0.9) * (r.random() < 0.5)), (hw * 0.3, hh * ear * 0.6), s * r.uniform(0, 30)),
                fur * r.uniform(0.5, 0.9),
            )
    m = ellm(n, (cx, cy), (hw, hh), math.degrees(rot))
    over(a, m, shade(r, fur, m))
    if r.random() < 0.6:
        m = cv2.GaussianBlur(ellm(n, at(0, 0.5), (hw * 0.5, hh * 0.45)), (0, 0), hw * 0.06)
        over(a, m * a[..., 3] / 255, np.clip(c2 * 1.3 + 30, 0, 255) * streaks(r, n, n, 3)[..., None])
    if r.random() < 0.35:  # mask round the eyes
        for s in (-0.45, 0.45):
            over(a, cv2.GaussianBlur(ellm(n, at(s, -0.1), (hw * 0.33, hh * 0.28)), (0, 0), hw * 0.05) * a[..., 3] / 255, np.float32([30, 30, 32]))
    er = r.uniform(0.1, 0.2)
    ec = [np.float32([20, 20, 25]), np.float32([40, 170, 190]), np.float32([60, 150, 120]), np.float32([30, 70, 120])][int(r.integers(4))]
    for s in (-0.45, 0.45):
        over(a, ellm(n, at(s, -0.12), (hw * er * 1.15, hh * er * 1.05)), np.float32([15, 15, 15]))
        over(a, ellm(n, at(s, -0.12), (hw * er, hh * er)), ec)
        over(a, ellm(n, at(s, -0.12), (hw * er * 0.5, hh * er * 0.6)), np.float32([5, 5, 5]))
        over(a, ellm(n, at(s + 0.05, -0.17), (hw * er * 0.22, hh * er * 0.22)), np.float32([240, 240, 240]))
    over(a, polym(n, [at(-0.17, 0.32), at(0.17, 0.32), at(0, 0.52)]), np.float32([40, 40, 50]) if r.random() < 0.6 else np.float32([90, 100, 170]))
    for s in (-1, 1):
        if r.random() < 0.8:
            for _ in range(int(r.integers(2, 7))):
                p0, p1 = at(s * 0.2, 0.45), at(s * r.uniform(0.8, 1.6), r.uniform(0.1, 0.9))
                cv2.line(
                    a,
                    tuple(int(v) for v in p0),
                    tuple(int(v) for v in p1),
                    (220.0, 220.0, 220.0, 255.0) if r.random() < 0.7 else (40.0, 40.0, 40.0, 255.0),
                    1,
                    cv2.LINE_AA,
                )
    if r.random() < 0.75:
        a = strands(r, a, int(r.integers(300, 1200)), n * r.uniform(0.015, 0.05))
    return np.clip(a, 0, 255)


def flower(r, n, bank=None):
    a = np.zeros((n, n, 4), np.float32)
    c0 = colour(r)
    c1 = np.clip(c0 * r.uniform(0.4, 1.2) + r.normal(0, 40, 3), 0, 255)
    green = np.float32([40, 120, 60]) * r.uniform(0.4, 1.3)
    cx, cy, R = n * r.uniform(0.45, 0.55), n * r.uniform(0.36, 0.5), n * r.uniform(0.22, 0.4)
    if r.random() < 0.6:
        cv2.line(
            a,
            (int(cx), int(cy)),
            (int(cx + r.normal(0, 0.06) * n), n),
            (*[float(v) for v in green], 255.0),
            int(n * r.uniform(0.012, 0.035)),
            cv2.LINE_AA,
        )
    rings = int(r.integers(1, 9))
    k0 = int(r.integers(5, 22))
    sq = r.uniform(0.55, 1)
    wd = r.uniform(0.8, 1.6)
    tip = r.uniform(0.3, 1.2)
    t = np.linspace(0, 1, 10)
    for j in range(rings):
        f = 1 - j / rings * 0.85
        k = max(4, int(k0 * (1 - 0.4 * j / rings)))
        for i in range(k):
            an = (i + 0.5 * (j % 2)) / k * 6.283 + r.normal(0, 0.06)
            L = R * f * r.uniform(0.9, 1.06)
            W = wd * math.pi * L / k
            prof = np.sin(np.clip(t, 0, 1) ** tip * math.pi) ** 0.7 * W * 0.5
            u = np.concatenate([t, t[::-1]]) * L
            v = np.concatenate([prof, -prof[::-1]])
            pts = np.stack([cx + u * math.cos(an) - v * math.sin(an), cy + (u * math.sin(an) + v * math.cos(an)) * sq], 1)
            col = np.clip((c0 * f + c1 * (1 - f)) * r.uniform(0.8, 1.15), 0, 255)
            cv2.fillPoly(a, [i32(pts)], (*[float(x) for x in col], 255.0), cv2.LINE_AA, 4)
            if rings < 5 or j % 2 == 0:
                cv2.polylines(a, [i32(pts)], True, (*[float(x) for x in col * 0.7], 255.0), 1, cv2.LINE_AA, 4)
    if r.random() < 0.6:
        m = ellm(n, (cx, cy), (R * r.uniform(0.12, 0.35), R * sq * r.uniform(0.12, 0.35)))
        over(a, m, (colour(r) if r.random() < 0.5 else np.float32([40, 160, 210])) * (1 + 0.5 * (noise(r, n, n, 2, 40)[..., None] - 0.5)))
    al = a[..., 3:] / 255
    a[..., :3] = np.where(al > 0.02, a[..., :3] / np.maximum(al, 0.02), 0).clip(0, 255)
    a[..., :3] = shade(r, a[..., :3], (a[..., 3] > 60).astype(np.float32))
    return a


def vessel(r, n, bank=None):
    """cup, bowl, plate, bottle: a body of revolution seen a little from above"""
    a = np.zeros((n, n, 4), np.float32)
    kx = np.linspace(0, 1, 8)
    prof = np.interp(np.linspace(0, 1, 40), kx, np.clip(r.uniform(0.35, 1) * np.ones(8) + np.cumsum(r.normal(0, 0.13, 8)), 0.15, 1.1))
    prof = cv2.GaussianBlur(prof.astype(np.float32)[:, None], (1, 9), 3)[:, 0]
    W, H, sq = n * r.uniform(0.2, 0.42), n * r.uniform(0.12, 0.75), r.uniform(0.1, 0.55)
    cx, top = n * 0.5, n * 0.5 - H / 2
    col = colour(r) if r.random() < 0.6 else None
    tex = np.broadcast_to(col, (n, n, 3)).astype(np.float32) if col is not None else material(r, n, n, bank)
    xx = (np.arange(n, dtype=np.float32) - cx)[None] / W
    l = r.uniform(-0.7, 0.7)
    lit = np.clip(1.1 - 0.7 * (xx - l) ** 2, 0.25, 1.2) + r.uniform(0, 0.8) * np.exp(-(((xx - l) / r.uniform(0.04, 0.15)) ** 2))
    lit = np.broadcast_to(lit, (n, n))[..., None]
    if r.random() < 0.35:
        m = ellm(n, (cx, top + H), (W * r.uniform(1.1, 1.7), W * sq * r.uniform(1.1, 1.7)))
        over(a, m, shade(r, tex * 0.9 if r.random() < 0.6 else np.broadcast_to(colour(r), (n, n, 3)).astype(np.float32), m))
    if r.random() < 0.4:
        s = 1 if r.random() < 0.5 else -1
        m = np.zeros((n, n), np.float32)
        cv2.ellipse(
            m,
            (int((cx + s * W * prof[12]) * 16), int((top + H * 0.4) * 16)),
            (int(W * 0.4 * 16), int(H * 0.28 * 16)),
            0,
            0,
            360,
            1.0,
            int(n * r.uniform(0.02, 0.05)),
            cv2.LINE_AA,
            4,
        )
        over(a, m, tex * 0.8)
    y = top + np.linspace(0, H, 40)
    bot = np.array([(cx + W * prof[-1] * math.cos(q), y[-1] + W * prof[-1] * sq * math.sin(q)) for q in np.linspace(0, math.pi, 20)])
    pts = np.concatenate([np.stack([cx + W * prof, y], 1), bot, np.stack([cx - W * prof, y], 1)[::-1]])
    over(a, polym(n, pts), np.clip(tex * lit, 0, 255))
    m = ellm(n, (cx, top), (W * prof[0], W * prof[0] * sq))
    over(a, m, np.clip(tex * 1.15 + 12, 0, 255))
    q = r.uniform(0.8, 0.95)
    m = ellm(n, (cx, top + 1), (W * prof[0] * q, W * prof[0] * sq * q))
    inner = (
        np.clip(tex * (1.6 - lit * 0.8), 0, 255) * r.uniform(0.3, 0.9)
        if r.random() < 0.6
        else np.broadcast_to(colour(r), (n, n, 3)).astype(np.float32)
    )
    over(a, m, inner)
    if r.random() < 0.5:
        m = ellm(n, (cx, top + W * sq * 0.2), (W * prof[0] * 0.7, W * prof[0] * sq * 0.6))
        over(a, m, shade(r, material(r, n, n, bank), m))
    return np.clip(a, 0, 255)


def multi(r, n, bank=None):
    """blobs on blobs: strong inner outlines and different materials that still are one subject"""
    a = blob(r, n, bank).astype(np.float32)
    m0 = a[..., 3] / 255
    for _ in range(int(r.integers(2, 7))):
        c = (n * r.uniform(0.2, 0.8), n * r.uniform(0.2, 0.8))
        m = (
            ellm(n, c, (n * r.uniform(0.03, 0.2), n * r.uniform(0.03, 0.2)), r.uniform(0, 180))
            if r.random() < 0.6
            else polym(n, np.array(c) + r.normal(0, n * 0.15, (int(r.integers(3, 6)), 2)))
        )
        if r.random() < 0.7:
            m = m * m0
        t = material(r, n, n, bank) if r.random() < 0.5 else np.broadcast_to(colour(r), (n, n, 3)).astype(np.float32)
        over(a, m, shade(r, t, m))
    return np.clip(a, 0, 255)


def person2(r, n, bank=None):
    a = person(r, n, bank).astype(np.float32)
    m = (a[..., 3] > 100).astype(np.float32)
    a[..., :3] = shade(r, a[..., :3], m)
    for _ in range(int(r.integers(0, 7))):  # straps, collars, badges, seams
        u = r.random()
        if u < 0.5:
            q = np.zeros((n, n), np.float32)
            x = n * r.uniform(0.25, 0.75)
            cv2.line(q, (int(x), int(n * r.uniform(0.5, 0.7))), (int(x + n * r.normal(0, 0.12)), n), 1.0, int(r.integers(1, 9)), cv2.LINE_AA)
        else:
            q = ellm(n, (n * r.uniform(0.25, 0.75), n * r.uniform(0.65, 0.95)), (n * r.uniform(0.01, 0.06), n * r.uniform(0.01, 0.06)))
        over(a, q * m, np.broadcast_to(colour(r), (n, n, 3)).astype(np.float32))
    if r.random() < 0.25:  # arm or held thing before the body
        q = ellm(n, (n * r.uniform(0.3, 0.7), n * r.uniform(0.8, 0.95)), (n * r.uniform(0.08, 0.2), n * r.uniform(0.06, 0.18)), r.uniform(0, 180))
        over(a, q, shade(r, material(r, n, n, bank), q))
    if r.random() < 0.25:
        ys = np.where(m.any(1))[0]
        y = ys.min() + n * r.uniform(0.03, 0.12)
        q = ellm(n, (n * 0.5, y), (n * r.uniform(0.12, 0.25), n * r.uniform(0.03, 0.06)))
        t = np.broadcast_to(colour(r), (n, n, 3)).astype(np.float32)
        over(a, q, shade(r, t, q))
        q = polym(n, [(n * 0.38, y), (n * 0.4, y - n * 0.12), (n * 0.6, y - n * 0.12), (n * 0.62, y)])
        over(a, q, shade(r, t, q))
    return np.clip(a, 0, 255)


def groom(r, a):
    """fur or feathers on any cut-out: a coat over its shading, thousands of short strokes along a flow, hair over the outline"""
    pad = 16
    a = cv2.copyMakeBorder(a, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)).astype(np.float32)
    h, w = a.shape[:2]
    n = max(h, w)
    m = a[..., 3] / 255
    light = a[..., :3].mean(2)
    light = np.clip(light / max(20.0, float(light[m > 0.5].mean()) if (m > 0.5).any() else 128.0), 0.35, 1.7)
    field = coat(r, n)[0][:h, :w] if r.random() < 0.8 else a[..., :3]
    k = r.uniform(0.6, 1.0)
    rgb = (a[..., :3] * (1 - k) + field * k) * (1 - k + k * light)[..., None]
    rgb = np.ascontiguousarray(np.clip(rgb, 0, 255))
    ys, xs = np.nonzero(m > 0.5)
    if len(ys) < 100:
        return None
    feathers = r.random() < 0.25
    L = n * (r.uniform(0.015, 0.04) if feathers else r.uniform(0.02, 0.08))
    flow = noise(r, h, w, 2, 2) * r.uniform(1, 6) + r.uniform(0, 6.3)
    cx, cy, out = xs.mean(), ys.mean(), r.uniform(0, 1)
    count = int(min(3500, len(ys) / max(2.0, L * 0.5)))
    thick = max(1, int(L * (0.3 if feathers else 0.12)))
    for i in r.integers(0, len(ys), count):
        x, y = int(xs[i]), int(ys[i])
        an = (1 - out) * flow[y, x] + out * math.atan2(y - cy, x - cx) + r.normal(0, 0.2)
        d = L * r.uniform(0.4, 1.2)
        col = tuple(float(v) for v in np.clip(rgb[y, x] * r.uniform(0.72, 1.32), 0, 255))
        cv2.line(rgb, (int(x * 8), int(y * 8)), (int((x + d * math.cos(an)) * 8), int((y + d * math.sin(an)) * 8)), col, thick, cv2.LINE_AA, 3)
    a = np.dstack([rgb, a[..., 3]])
    if not feathers or r.random() < 0.5:
        a = strands(r, a, int(r.integers(400, 1600)), n * r.uniform(0.012, 0.06))
    return trim(np.clip(a, 0, 255).astype(np.uint8))


def subjects(r, count, S, n=256):
    """cut-outs; a third of the animals and some blobs are groomed, which no other kind needs"""
    ks = [(animal, 0.32), (flower, 0.12), (vessel, 0.14), (multi, 0.12), (person2, 0.30)]
    p = np.array([w for _, w in ks])
    out = []
    while len(out) < count:
        f = ks[int(r.choice(len(ks), p=p / p.sum()))][0]
        a = trim(np.clip(f(r, n, S.textures + S.photos), 0, 255).astype(np.uint8))
        if a is not None and (f is animal and r.random() < 0.5 or f is multi and r.random() < 0.15):
            a = groom(r, a)
        if a is not None:
            out.append(a)
    return out
