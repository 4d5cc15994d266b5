"""Compose training samples from the banks, and the fixed test composites. Own code."""

import math

import cv2
import numpy as np

from paint import colour, crop, material, strands, trim

cv2.setNumThreads(1)


class Banks:
    """what samples are mixed from; shots (picture, alpha) and shot_cuts: path-traced people and things, for `share` of all samples"""

    def __init__(self, groups, bgs, scenes, rooms, tex, shots=(), shot_cuts=(), share=0.0):
        self.groups = [(w, g) for w, g in groups if g]
        self.p = np.array([w for w, _ in self.groups])
        self.p = self.p / self.p.sum()
        self.bgs, self.scenes, self.rooms, self.tex = bgs, scenes, rooms, tex
        self.shots, self.shot_cuts, self.share = shots, shot_cuts, share if shots else 0.0

    def shot_cut(self, r):
        return self.shot_cuts[int(r.integers(len(self.shot_cuts)))]

    def subject(self, r):
        g = self.groups[int(r.choice(len(self.p), p=self.p))][1]
        return g[int(r.integers(len(g)))]


def get_bg(r, K, n):
    u = r.random()
    src = K.rooms if (u < 0.22 and K.rooms) else K.bgs
    b = src[int(r.integers(len(src)))]
    N = b.shape[0]
    s = int(N * r.uniform(0.55, 1))
    y, x = int(r.integers(0, N - s + 1)), int(r.integers(0, N - s + 1))
    b = cv2.resize(b[y : y + s, x : x + s], (n, n), interpolation=cv2.INTER_AREA if s > n else cv2.INTER_LINEAR)
    if r.random() < 0.5:
        b = b[:, ::-1]
    return np.ascontiguousarray(b).astype(np.float32)


def warp(r, a, n, size, cx, cy, an, sx=1.0, sh=0.0):
    """premultiplied n x n x 4 float"""
    h, w = a.shape[:2]
    s = size / max(h, w)
    if s < 0.5:  # shrink first: no aliasing
        k = max(s * 1.4, 0.02)
        a = cv2.resize(a, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        s = s / k
        h, w = a.shape[:2]
    a = a.astype(np.float32)
    a[..., :3] *= a[..., 3:] * (1 / 255)
    c, q = math.cos(an), math.sin(an)
    M = np.array([[s * sx * c, -s * q + sh * s], [s * sx * q, s * c]], np.float32)
    t = np.array([cx, cy]) - M @ np.array([w / 2, h / 2])
    return cv2.warpAffine(a, np.hstack([M, t[:, None]]).astype(np.float32), (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def flat_bottom(a):
    """a bust, or anything cut straight by its picture's lower edge: it must leave through ours"""
    row = a[-2:, :, 3].min(0) > 200
    return row.mean() > 0.3


def put(r, a, n):
    h, w = a.shape[:2]
    u = r.random()
    bust = flat_bottom(a)
    size = n * (r.uniform(0.2, 0.35) if u < 0.06 else r.uniform(0.35, 0.6) if u < 0.26 else r.uniform(0.6, 1.0) if u < 0.62 else r.uniform(1.0, 1.8) if u < 0.93 else r.uniform(1.8, 2.6))
    bw, bh = w / max(h, w) * size / n, h / max(h, w) * size / n
    slack = lambda e: (1 - e) / 2 if e < 1 else (e - 1) / 2 + 0.05
    cx, cy = n * (0.5 + r.uniform(-1, 1) * slack(bw) * 0.9), n * (0.5 + r.uniform(-1, 1) * slack(bh) * 0.9)
    if r.random() < 0.4:
        cy = n * (1 - bh / 2 * r.uniform(0.8, 1.0)) if bh < 1 else n * (r.uniform(0, 0.2) + bh / 2)  # stands on or leaves through the lower edge
    an = math.radians(r.normal(0, 9) if r.random() < 0.85 else r.uniform(-180, 180))
    if bust:
        an = math.radians(r.normal(0, 3))
        cy = n * 1.03 - size * h / max(h, w) / 2 * r.uniform(0.75, 1.0) if bh < 1.3 else n * (r.uniform(0.0, 0.15) + bh / 2)
    return warp(r, a, n, size, cx, cy, an, (1 if r.random() < 0.5 else -1) * math.exp(r.normal(0, 0.12)), r.normal(0, 0.08))


def surface(r, a, K):
    """other material on the subject; shape and shading stay"""
    t = material(r, a.shape[0], a.shape[1], K.tex)
    g = a[..., :3].mean(2, keepdims=True).astype(np.float32) / 128
    k = r.uniform(0.3, 1)
    return np.dstack([np.clip(a[..., :3] * (1 - k) + k * t * np.clip(g, 0.4, 1.6), 0, 255), a[..., 3]]).astype(np.uint8)


def leaves_before(r, n):
    """blades, leaves or a twig in front of the subject: they are cut out of the mask"""
    q = np.zeros((n, n, 4), np.float32)
    base = np.float32([45, 120, 80]) * r.uniform(0.3, 1.5) if r.random() < 0.75 else colour(r)
    x0 = r.uniform(-0.1, 1.1) * n
    for _ in range(int(r.integers(2, 14))):
        p0 = np.array([x0 + r.normal(0, 0.15) * n, n * r.uniform(0.9, 1.15)])
        if r.random() < 0.2:
            p0 = np.array([r.choice([-0.05, 1.05]) * n, r.uniform(0, 1) * n])
        p1 = p0 + np.array([r.normal(0, 0.25), -r.uniform(0.15, 0.7)]) * n
        bend, wd = r.normal(0, 0.12) * n, n * r.uniform(0.004, 0.035)
        t = np.linspace(0, 1, 12)[:, None]
        mid = p0 + (p1 - p0) * t + np.array([bend, 0]) * (t * (1 - t) * 4)
        d = np.gradient(mid, axis=0)
        nrm = np.stack([-d[:, 1], d[:, 0]], 1) / (np.hypot(d[:, 0], d[:, 1])[:, None] + 1e-6)
        prof = wd * np.sin(np.pi * (0.1 + 0.9 * t)) ** 0.7
        pts = np.concatenate([mid + nrm * prof, (mid - nrm * prof)[::-1]])
        col = np.clip(base * r.uniform(0.6, 1.4) + r.normal(0, 10, 3), 0, 255)
        cv2.fillPoly(q, [np.round(pts * 16).astype(np.int32)], (*[float(v) for v in col], 255.0), cv2.LINE_AA, 4)
        cv2.polylines(q, [np.round(mid * 16).astype(np.int32)], False, (*[float(v) for v in np.clip(col * 1.3, 0, 255)], 255.0), 1, cv2.LINE_AA, 4)
    if r.random() < 0.35:
        q = cv2.GaussianBlur(q, (0, 0), n / 256 * r.uniform(0.7, 4))
    k = q[..., 3:] / 255
    return q[..., :3], k


def fog(r, n):
    return cv2.resize(r.random((3, 3), dtype=np.float32), (n, n), interpolation=cv2.INTER_CUBIC)


def camera(r, c):
    """everything a picture goes through AFTER it was taken as a whole: the same for both layers"""
    n = c.shape[0]
    if r.random() < 0.5:
        c = c * (1 + (fog(r, n)[..., None] - 0.5) * r.uniform(0, 0.9))  # light over the whole scene
    u = r.random()
    if u < 0.35:
        c = cv2.GaussianBlur(c, (0, 0), r.uniform(0.3, 1.1))
    elif u < 0.6:  # resampling history
        k = r.uniform(0.45, 0.9)
        c = cv2.resize(
            cv2.resize(c, None, fx=k, fy=k, interpolation=cv2.INTER_AREA),
            (n, n),
            interpolation=cv2.INTER_CUBIC if r.random() < 0.5 else cv2.INTER_LINEAR,
        )
    if r.random() < 0.3:
        c = c + (c - cv2.GaussianBlur(c, (0, 0), r.uniform(0.7, 2))) * r.uniform(0.2, 1.2)  # sharpening
    c = (c - 128) * r.uniform(0.75, 1.3) + 128 + r.normal(0, 13)
    c = 255 * np.clip(c * (1 / 255), 0, 1) ** math.exp(r.normal(0, 0.2))
    c = c * np.exp(r.normal(0, 0.09, 3)).astype(np.float32)
    if r.random() < 0.12:
        c = np.repeat(c.mean(2, keepdims=True), 3, 2) * (np.float32([0.8, 0.95, 1.05]) if r.random() < 0.4 else 1)
    if r.random() < 0.8:
        g = r.standard_normal((n, n, 3), dtype=np.float32)
        if r.random() < 0.5:
            g = cv2.GaussianBlur(g, (0, 0), r.uniform(0.4, 0.9)) * 2
        if r.random() < 0.5:
            g = g.mean(2, keepdims=True) * 1.5
        c = c + g * r.uniform(0, 6)
    c = np.clip(c, 0, 255).astype(np.uint8)
    if r.random() < 0.5:
        c = cv2.imdecode(cv2.imencode(".jpg", c, [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(35, 96))])[1], 1)
    return c


def part(r, a):
    """a random part of a path-traced picture, of any shape -> slices"""
    h, w = (int(v * r.uniform(0.7, 1)) for v in a.shape[:2])
    y, x = int(r.integers(0, a.shape[0] - h + 1)), int(r.integers(0, a.shape[1] - w + 1))
    return slice(y, y + h), slice(x, x + w)


def shot(r, K, n):
    """a part of one path-traced picture, drawn out to a square as the program does with photos; None where too little is seen"""
    c, a = K.shots[int(r.integers(len(K.shots)))]
    q = part(r, a)
    c, a = c[q], a[q]
    if a.mean() < 8:
        return None
    c, a = (cv2.resize(t, (n, n), interpolation=cv2.INTER_AREA if min(a.shape) > n else cv2.INTER_LINEAR) for t in (c, a))
    if r.random() < 0.5:
        c, a = c[:, ::-1], a[:, ::-1]
    return camera(r, c.astype(np.float32)), np.ascontiguousarray(a)


def put_shot(r, a, n):
    """a path-traced subject in its whole frame -> premultiplied n x n x 4: one that the frame cuts must leave through ours, any other goes anywhere"""
    if max((a[0, :, 3] > 128).mean(), (a[:, 0, 3] > 128).mean(), (a[:, -1, 3] > 128).mean()) <= 0.02 and r.random() < 0.6:
        t = trim(a)
        if t is not None and min(t.shape[:2]) > 40:
            return put(r, t, n)
    a = a[part(r, a)].astype(np.float32)
    a[..., :3] *= a[..., 3:] * (1 / 255)
    a = cv2.resize(a, (n, n), interpolation=cv2.INTER_AREA if min(a.shape[:2]) > n else cv2.INTER_LINEAR)
    return np.ascontiguousarray(a[:, ::-1]) if r.random() < 0.5 else a


def backdrop(r, o, n):
    """a studio's ground in nearly the colour of what the subject (premultiplied) shows below: dark clothes before a dark wall, as low-key and old portraits have"""
    seen = o[..., 3] > 200
    below = seen & (np.arange(n)[:, None] > n // 2)
    seen = below if below.sum() > 50 else seen
    if seen.sum() < 50:
        return None
    shade = np.median(o[seen][:, :3], 0) * math.exp(r.normal(0, 0.3)) + r.normal(0, 10, 3) * 0.5 + r.normal(0, 6)
    light = 1 + (fog(r, n)[..., None] - 0.5) * r.uniform(0.1, 1.0)
    if r.random() < 0.5:  # a lamp behind the subject
        y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
        far = ((x - r.uniform(0.2, 0.8)) ** 2 + (y - r.uniform(0.1, 0.6)) ** 2)[..., None]
        light = light * (1 + r.uniform(-0.3, 1.2) * np.exp(-far / r.uniform(0.05, 0.3)))
    spots = cv2.resize(r.standard_normal((16, 16), dtype=np.float32), (n, n), interpolation=cv2.INTER_CUBIC)[..., None]
    return (np.clip(shade, 4, 250) * light + spots * r.uniform(0, 6)).astype(np.float32)


def sample(r, K, n):
    """-> uint8 BGR, uint8 alpha"""
    traced = r.random() < K.share if K.share else False
    if traced and (not K.shot_cuts or r.random() < 0.5):
        return shot(r, K, n) or sample(r, K, n)
    u = r.random() if not traced else 1.0
    if u < 0.04:  # nothing there
        return camera(r, get_bg(r, K, n)), np.zeros((n, n), np.uint8)
    if u < 0.28 and K.scenes:  # one rendered scene
        c, a = K.scenes[int(r.integers(len(K.scenes)))]
        N = c.shape[0]
        s = int(N * r.uniform(0.7, 1))
        y, x = int(r.integers(0, N - s + 1)), int(r.integers(0, N - s + 1))
        if a[y : y + s, x : x + s].mean() > 8:
            c, a = (cv2.resize(t[y : y + s, x : x + s], (n, n), interpolation=cv2.INTER_AREA if s > n else cv2.INTER_LINEAR) for t in (c, a))
            if r.random() < 0.5:
                c, a = c[:, ::-1], a[:, ::-1]
            return camera(r, c.astype(np.float32)), np.ascontiguousarray(a)
    b = get_bg(r, K, n)
    for _ in range(6):
        a = K.subject(r) if not traced else K.shot_cut(r)
        if r.random() < 0.13:
            a = surface(r, a, K)
        if r.random() < 0.1 and not traced:
            a = cv2.copyMakeBorder(a, 24, 24, 24, 24, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
            a = np.clip(strands(r, a, int(r.integers(100, 600)), max(a.shape[:2]) * r.uniform(0.02, 0.1)), 0, 255).astype(np.uint8)
        o = put(r, a, n) if not traced else put_shot(r, a, n)
        f = float(o[..., 3].mean()) / 255
        if 0.02 < f < 0.9:
            break
    else:
        return sample(r, K, n)
    if r.random() < 0.1:  # a second subject beside or before it
        q = put(r, K.subject(r) if traced or r.random() < 0.6 else a, n)
        if q[..., 3].mean() / 255 > 0.02:
            o = q + o * (1 - q[..., 3:] * (1 / 255))
    al = np.clip(o[..., 3] * (1 / 255), 0, 1)
    plain = backdrop(r, o, n) if r.random() < (0.35 if traced else 0.06) else None
    b = b if plain is None else plain
    dof = r.random()
    blurred = dof < 0.4 or plain is not None
    if not blurred or r.random() < 0.4:  # things that are not the subject: smaller, behind it, often cut by the edge
        for _ in range(int(r.integers(0, 4))):
            d = K.subject(r)
            sz = n * r.uniform(0.1, 0.45) * min(1, math.sqrt(f) + 0.25)
            e = r.random()
            cx, cy = (
                (n * r.uniform(0, 1), n * r.uniform(0.3, 0.9))
                if e < 0.4
                else (n * r.choice([r.uniform(-0.03, 0.12), r.uniform(0.88, 1.03)]), n * r.uniform(0, 1))
            )
            q = warp(r, d, n, sz, cx, cy, r.normal(0, 0.2))
            b = q[..., :3] + b * (1 - q[..., 3:] * (1 / 255))
    if blurred:
        b = cv2.GaussianBlur(b, (0, 0), n / 256 * float(r.choice([1, 2, 3, 5, 8, 12])))
    if blurred and r.random() < 0.2:
        for _ in range(int(r.integers(3, 18))):
            q = b.copy()
            cv2.circle(
                q,
                (int(r.integers(n)), int(r.integers(n))),
                int(n * r.uniform(0.01, 0.07)),
                tuple(float(x) for x in np.clip(colour(r) * 1.3, 0, 255)),
                -1,
                cv2.LINE_AA,
            )
            b = b * 0.6 + q * 0.4
    b = np.clip((b - 128) * r.uniform(0.7, 1.15) + 128 + r.normal(0, 12), 0, 255)
    rgb = o[..., :3] / np.maximum(al, 1e-3)[..., None]
    if not blurred and r.random() < 0.15:  # sharp surroundings, subject a little out of focus
        k = r.uniform(0.5, 1.6)
        o = cv2.GaussianBlur(np.dstack([rgb * al[..., None], al]), (0, 0), k)
        al = np.clip(o[..., 3], 0, 1)
        rgb = o[..., :3] / np.maximum(al, 1e-3)[..., None]
    m = al > 0.5
    if m.sum() > 30:
        k = r.uniform(0, 0.5) * (r.random() < 0.5)
        mu, mb = rgb[m].mean(0), b.mean((0, 1))
        rgb = (rgb - mu) * r.uniform(0.8, 1.25) + mu * (1 - k) + mb * k
        if r.random() < 0.1:
            rgb = rgb * (1 + (b.mean(2, keepdims=True) / 128 - 1) * r.uniform(0, 0.3))
        if r.random() < 0.3:
            rgb = rgb * (1 + (fog(r, n)[..., None] - 0.5) * r.uniform(0, 1.2))
    if r.random() < 0.025:
        al = al * r.uniform(0.5, 0.9)
    if r.random() < 0.5:  # contact, drop or hard cast shadow: dark, sharp, large, and NOT part of the subject
        hard = r.random() < 0.5
        dx, dy = r.normal(0, 0.14 if hard else 0.07, 2) * n
        ky = r.uniform(0.3, 1.05) if not hard else r.uniform(0.6, 1.1)
        yb = float(np.nonzero(al.max(1) > 0.5)[0].max()) if (al > 0.5).any() else n * 0.5  # keep the foot of the shadow near the subject's
        s = cv2.warpAffine(al, np.float32([[1, r.normal(0, 0.25), dx], [0, ky, yb * (1 - ky) + dy * 0.6]]), (n, n))
        s = cv2.GaussianBlur(s, (0, 0), n * (r.uniform(0.002, 0.008) if hard else r.uniform(0.01, 0.05)))
        b = b * (1 - s * (r.uniform(0.4, 0.85) if hard else r.uniform(0.2, 0.7)))[..., None]
    c = np.clip(rgb, 0, 255) * al[..., None] + b * (1 - al[..., None])
    if r.random() < 0.12:
        front, k = leaves_before(r, n)
        if float((al * (1 - k[..., 0])).mean()) > 0.5 * float(al.mean()):
            c = front + c * (1 - k)
            al = al * (1 - k[..., 0])
    return camera(r, c.astype(np.float32)), (al * 255 + 0.5).astype(np.uint8)


# ------------------------------------------------------------------ fixed test composites: never change these two, or figures stop comparing
def crop_photo(r, a, n):
    return crop(r, a, n, n)


def put_test(r, stamp, b, n):
    """one photographic cut-out over one photo crop -> BGR uint8, alpha float32; None where it would be too small or too large"""
    for _ in range(5):
        a = trim(np.asarray(stamp, np.float32))
        if a is None:
            continue
        h, w = a.shape[:2]
        size = n * r.uniform(0.35, 0.98) * (1.15 if r.random() < 0.15 else 1)
        s, touch = size / max(h, w), r.random()
        an = math.radians(r.normal(0, 10) if r.random() < 0.8 else r.uniform(-180, 180))
        sx = s * (1 if r.random() < 0.5 else -1) * math.exp(r.normal(0, 0.12))
        sh = r.normal(0, 0.08)
        M = np.array([[sx * math.cos(an), -s * math.sin(an) + sh * s], [sx * math.sin(an), s * math.cos(an)]], np.float32)
        slack = max(0.02, (n - size) / 2 / n)
        cx, cy = n * (0.5 + r.uniform(-1, 1) * slack), n * (0.5 + r.uniform(-1, 1) * slack)
        if touch < 0.35:
            cy = n - h * s / 2 * r.uniform(0.8, 1.0)
        t = np.array([cx, cy]) - M @ np.array([w / 2, h / 2])
        a[..., :3] *= a[..., 3:] / 255
        if s < 0.6:
            a = cv2.GaussianBlur(a, (0, 0), 0.35 / s)
        o = cv2.warpAffine(a, np.hstack([M, t[:, None]]).astype(np.float32), (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        if 0.03 < o[..., 3].mean() / 255 < 0.9:
            al = np.clip(o[..., 3] / 255, 0, 1)
            rgb = o[..., :3] / np.maximum(o[..., 3:] / 255, 1e-3)
            c = rgb * al[..., None] + b * (1 - al[..., None])
            return np.clip(c, 0, 255).astype(np.uint8), al.astype(np.float32)
    return None
