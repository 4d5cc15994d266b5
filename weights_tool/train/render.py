"""A small z-buffer rasteriser for OBJ models: single cut-outs with exact alpha, and whole rooms with a subject in front. Own code; needs gcc."""

import ctypes
import math
import os
import subprocess

import cv2
import numpy as np


class Lib:
    lib = None

    @staticmethod
    def get(work):
        if Lib.lib is None:
            c, so = os.path.join(os.path.dirname(os.path.abspath(__file__)), "raster.c"), os.path.join(work, "raster.so")
            subprocess.check_call(["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", so, c, "-lm"])
            Lib.lib = ctypes.CDLL(os.path.abspath(so))
        return Lib.lib


def P(a):
    return a.ctypes.data_as(ctypes.c_void_p)


def load(path):
    V = []
    N = []
    T = []
    F = []
    M = []
    mats = {}
    cur = -1
    kd = []
    dis = []
    texs = []

    def addmat(f):
        d = os.path.dirname(path)
        try:
            lines = open(os.path.join(d, f), errors="ignore").read().splitlines()
        except OSError:
            return
        for l in lines:
            s = l.split()
            if not s:
                continue
            if s[0] == "newmtl":
                mats[s[-1]] = len(kd)
                kd.append([0.7, 0.7, 0.7])
                dis.append(1.0)
                texs.append(None)
            elif not kd:
                continue
            elif s[0] == "Kd":
                kd[-1] = [float(v) for v in s[1:4]]
            elif s[0] == "d":
                dis[-1] = float(s[-1])
            elif s[0] == "map_Kd":
                p = os.path.join(d, s[-1])
                if os.path.exists(p):
                    a = cv2.imread(p, -1)
                    if a is not None:
                        if a.ndim == 2:
                            a = cv2.cvtColor(a, cv2.COLOR_GRAY2BGRA)
                        elif a.shape[2] == 3:
                            a = cv2.cvtColor(a, cv2.COLOR_BGR2BGRA)
                        if max(a.shape[:2]) > 1024:
                            a = cv2.resize(a, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                        texs[-1] = np.ascontiguousarray(a)

    for l in open(path, errors="ignore"):
        s = l.split()
        if not s:
            continue
        k = s[0]
        if k == "v":
            V.append((float(s[1]), float(s[2]), float(s[3])))
        elif k == "vn":
            N.append((float(s[1]), float(s[2]), float(s[3])))
        elif k == "vt":
            T.append((float(s[1]), float(s[2])))
        elif k == "mtllib":
            addmat(s[-1])
        elif k == "usemtl":
            cur = mats.get(s[-1], -1)
        elif k == "f":
            c = []
            for w in s[1:]:
                e = w.split("/")
                v = int(e[0])
                t = int(e[1]) if len(e) > 1 and e[1] else 0
                n = int(e[2]) if len(e) > 2 and e[2] else 0
                c.append(
                    (v - 1 if v > 0 else len(V) + v, (n - 1 if n > 0 else len(N) + n) if n else -1, (t - 1 if t > 0 else len(T) + t) if t else -1)
                )
            for i in range(1, len(c) - 1):
                a, b, d = c[0], c[i], c[i + 1]
                F.append((a[0], b[0], d[0], a[1], b[1], d[1], a[2], b[2], d[2]))
                M.append(cur)
    V = np.array(V, np.float32)
    F = np.array(F, np.int32).reshape(-1, 9)
    M = np.array(M, np.int32)
    if len(F) == 0:
        return None
    nd = len(kd)
    kd.append([0.7, 0.7, 0.7])
    dis.append(1.0)
    texs.append(None)
    M[M < 0] = nd
    N = np.array(N, np.float32).reshape(-1, 3)
    T = np.array(T, np.float32).reshape(-1, 2)
    miss = (F[:, 3:6] < 0).any(1)
    if miss.any():
        f = F[miss]
        n = np.cross(V[f[:, 1]] - V[f[:, 0]], V[f[:, 2]] - V[f[:, 0]])
        b = len(N)
        N = np.concatenate([N, n.astype(np.float32)])
        F[np.where(miss)[0][:, None], [3, 4, 5]] = (b + np.arange(len(f)))[:, None]
    if len(T) == 0:
        T = np.zeros((1, 2), np.float32)
        F[:, 6:] = -1
    return V, N, T, F, M, np.array(kd, np.float32), np.array(dis, np.float32), texs


def render(lib, m, S, rng, ss=3, elev=None):
    V, N, T, F, M, kd, dis, texs = m
    yaw = rng.uniform(0, 2 * math.pi)
    el = math.radians(rng.uniform(-5, 45) if elev is None else elev)
    roll = math.radians(rng.gauss(0, 6))
    Ry = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    Rx = np.array([[1, 0, 0], [0, math.cos(el), -math.sin(el)], [0, math.sin(el), math.cos(el)]])
    Rz = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    R = (Rz @ Rx @ Ry).astype(np.float32)
    lo, hi = V.min(0), V.max(0)
    X = (V - (lo + hi) / 2) @ R.T
    r = np.sqrt((X**2).sum(1)).max() + 1e-9
    X = X / r
    dist = rng.uniform(1.8, 6)
    iw = 1 / (dist - X[:, 2])
    xy = X[:, :2] * iw[:, None]
    lo, hi = xy.min(0), xy.max(0)
    W = S * ss
    s = 0.94 * W / max(hi - lo)
    xy = (xy - (lo + hi) / 2) * s
    pos = np.ascontiguousarray(np.stack([W / 2 + xy[:, 0], W / 2 - xy[:, 1], iw], 1), np.float32)
    nr = np.ascontiguousarray(N @ R.T, np.float32)
    L = np.array([rng.gauss(0, 1), abs(rng.gauss(0.6, 0.6)), abs(rng.gauss(0.7, 0.5)) + 0.1])
    L = (L / np.linalg.norm(L)).astype(np.float32)
    zb = np.zeros(W * W, np.float32)
    col = np.zeros(W * W * 3, np.float32)
    al = np.zeros(W * W, np.float32)
    kd2 = kd.copy()
    if rng.random() < 0.5:  # recolour plain materials
        h = np.random.RandomState(rng.randrange(1 << 30))
        kd2 = np.clip(kd2 * h.uniform(0.5, 1.5, kd2.shape) + h.uniform(-0.1, 0.2, (1, 3)), 0.02, 1).astype(np.float32)
    else:
        kd2 = kd2[:, ::-1].copy()
    tw = np.array([0 if t is None else t.shape[1] for t in texs], np.int32)
    th = np.array([0 if t is None else t.shape[0] for t in texs], np.int32)
    tp = (ctypes.c_void_p * len(texs))(*[None if t is None else t.ctypes.data for t in texs])
    d = np.clip(dis, 0.15, 1).astype(np.float32)
    for ps in (0, 1):
        lib.raster(
            W,
            P(zb),
            P(col),
            P(al),
            P(pos),
            P(nr),
            P(T),
            P(F),
            P(M),
            len(F),
            P(kd2),
            P(d),
            P(tw),
            P(th),
            tp,
            P(L),
            ctypes.c_float(rng.uniform(0.3, 0.7)),
            ctypes.c_float(rng.uniform(0, 0.5)),
            ps,
        )
    al = al.reshape(W, W)
    c = np.clip(col.reshape(W, W, 3) ** (1 / 1.4), 0, 1)
    A = cv2.resize(al, (S, S), interpolation=cv2.INTER_AREA)
    C = cv2.resize(c * al[..., None], (S, S), interpolation=cv2.INTER_AREA) / np.maximum(A, 1e-4)[..., None]
    o = np.dstack([np.clip(C, 0, 1) * 255, A * 255]).round().astype(np.uint8)
    ys, xs = np.where(o[..., 3] > 8)
    if len(ys) < S * S * 0.01:
        return None
    return o[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def rot(yaw, el):
    c, s = math.cos(yaw), math.sin(yaw)
    Ry = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = math.cos(el), math.sin(el)
    return (np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ Ry).astype(np.float32)


def quad(c, u, v, k, tile, tex):
    """a grid of k x k cells spanned at corner c by vectors u, v, as a mesh with one texture"""
    g = np.linspace(0, 1, k + 1)
    A, B = np.meshgrid(g, g)
    V = (np.array(c) + A.reshape(-1, 1) * np.array(u) + B.reshape(-1, 1) * np.array(v)).astype(np.float32)
    T = np.stack([A.reshape(-1) * tile, B.reshape(-1) * tile], 1).astype(np.float32)
    nn = np.cross(u, v)
    N = (nn / np.linalg.norm(nn))[None].astype(np.float32)
    F = []
    for i in range(k):
        for j in range(k):
            q = i * (k + 1) + j
            w = (q, q + 1, q + k + 2, q + k + 1)
            for t in ((0, 1, 2), (0, 2, 3)):
                F.append([w[t[0]], w[t[1]], w[t[2]], 0, 0, 0, w[t[0]], w[t[1]], w[t[2]]])
    a = cv2.cvtColor(tex, cv2.COLOR_BGR2BGRA)
    a[..., 3] = 255
    return (
        V,
        N,
        T,
        np.array(F, np.int32),
        np.zeros(len(F), np.int32),
        np.full((1, 3), 0.7, np.float32),
        np.ones(1, np.float32),
        [np.ascontiguousarray(a)],
    )


class View:
    def __init__(self, lib, S, ss, R, eye, f, L, amb, spec):
        self.lib, self.W, self.S, self.R, self.eye, self.f, self.L, self.amb, self.spec = lib, S * ss, S, R, eye, f, L, amb, spec
        self.clear()

    def clear(self):
        W = self.W
        self.zb, self.col, self.al = np.zeros(W * W, np.float32), np.zeros(W * W * 3, np.float32), np.zeros(W * W, np.float32)

    def draw(self, m, gain=1.0, flat=None):
        V, N, T, F, M, kd, dis, texs = m
        X = (V - self.eye) @ self.R.T
        z = -X[:, 2]
        ok = z > 0.12
        iw = np.where(ok, 1 / np.maximum(z, 0.12), -1).astype(np.float32)
        pos = np.ascontiguousarray(
            np.stack([self.W / 2 + X[:, 0] * iw * self.f * self.W, self.W / 2 - X[:, 1] * iw * self.f * self.W, iw], 1), np.float32
        )
        nr = np.ascontiguousarray(N @ self.R.T, np.float32)
        L = np.ascontiguousarray(self.R @ self.L, np.float32)
        k2 = np.ascontiguousarray(np.clip(kd[:, ::-1] * gain, 0, 1), np.float32)
        tw = np.array([0 if t is None else t.shape[1] for t in texs], np.int32)
        th = np.array([0 if t is None else t.shape[0] for t in texs], np.int32)
        tpt = (ctypes.c_void_p * len(texs))(*[None if t is None else t.ctypes.data for t in texs])
        d = np.ascontiguousarray(np.clip(dis, 0.15, 1), np.float32)
        for ps in (0, 1):
            self.lib.raster(
                self.W,
                P(self.zb),
                P(self.col),
                P(self.al),
                P(pos),
                P(nr),
                P(T),
                P(F),
                P(M),
                len(F),
                P(k2),
                P(d),
                P(tw),
                P(th),
                tpt,
                P(L),
                ctypes.c_float(self.amb),
                ctypes.c_float(self.spec),
                ps,
            )

    def out(self):
        W, S = self.W, self.S
        al = self.al.reshape(W, W)
        c = np.clip(np.maximum(self.col.reshape(W, W, 3), 0) ** (1 / 1.4), 0, 1) * al[..., None]
        return cv2.resize(c, (S, S), interpolation=cv2.INTER_AREA) * 255, cv2.resize(al, (S, S), interpolation=cv2.INTER_AREA)  # premultiplied, alpha


def stand(m, size, x, z, yaw):
    V = m[0]
    lo, hi = V.min(0), V.max(0)
    s = size / max(hi - lo)
    c, q = math.cos(yaw), math.sin(yaw)
    R = np.array([[c, 0, q], [0, 1, 0], [-q, 0, c]], np.float32)
    X = (V - np.array([(lo[0] + hi[0]) / 2, lo[1], (lo[2] + hi[2]) / 2], np.float32)) * s @ R.T + np.array([x, 0, z], np.float32)
    return (np.ascontiguousarray(X, np.float32), np.ascontiguousarray(m[1] @ R.T, np.float32)) + m[2:]


def scene(r, lib, meshes, tex, S=224, subjects=True):
    """a room or yard: floor, walls, furniture behind, one or two subjects in front; -> BGR uint8, alpha uint8.
    In the sun (two in five) the view is steeper and the shadow dark, hard and part of the ground."""
    sun = r.random() < 0.4
    el = math.radians(r.uniform(15, 75) if sun else r.uniform(2, 45))
    fov = math.radians(r.uniform(25, 60))
    f = 0.5 / math.tan(fov / 2)
    sz = r.uniform(0.5, 1.2)
    fill = r.uniform(0.4, 1.5)
    dist = sz * f / fill
    dist = max(dist, 0.6)
    look = np.array([r.uniform(-0.25, 0.25) * sz, sz * r.uniform(0.2, 0.6), 0], np.float32)
    R = rot(r.normal(0, 0.12), el)
    eye = look + R.T @ np.array([0, 0, dist], np.float32)
    eye[1] = max(eye[1], 0.08)
    L = np.array([r.normal(0, 0.8), abs(r.normal(0.9, 0.4)) + 0.2, r.uniform(0.1, 1)], np.float32)
    if sun:
        L[1] = r.uniform(0.5, 1.2)
        L[2] = r.normal(0, 0.8)
    L /= np.linalg.norm(L)
    v = View(lib, S, 2, R, eye.astype(np.float32), f, L, r.uniform(0.25, 0.45) if sun else r.uniform(0.3, 0.75), r.uniform(0, 0.4))
    tx = lambda: tex[int(r.integers(len(tex)))]
    zb = -r.uniform(0.8, 5)
    v.draw(quad((-9, 0, 9), (18, 0, 0), (0, 0, -9 + zb), 40, r.uniform(4, 20), tx()))
    v.draw(quad((-9, 0, zb), (18, 0, 0), (0, 5, 0), 4, r.uniform(2, 8), tx()))
    if r.random() < 0.4:
        s = r.choice([-1, 1])
        v.draw(quad((s * r.uniform(1, 3), 0, zb), (0, 0, 9), (0, 5, 0), 12, r.uniform(2, 8), tx()))
    for _ in range(int(r.integers(0, 9))):
        z = r.uniform(zb, -sz * 0.55)
        v.draw(
            stand(meshes[int(r.integers(len(meshes)))], r.uniform(0.4, 1.7) * sz, r.uniform(-1.6, 1.6) * (1 - z * 0.4), z, r.uniform(0, 6.3)),
            r.uniform(0.6, 1.3),
        )
    B, _ = v.out()
    B = np.ascontiguousarray(B)
    if not subjects:
        return np.clip(B, 0, 255).astype(np.uint8), None
    v.clear()
    subs = [stand(meshes[int(r.integers(len(meshes)))], sz, 0, 0, r.uniform(0, 6.3))]
    if r.random() < 0.2:
        subs.append(
            stand(
                meshes[int(r.integers(len(meshes)))],
                sz * r.uniform(0.5, 0.9),
                r.choice([-1, 1]) * sz * r.uniform(0.4, 0.8),
                r.uniform(-0.2, 0.3) * sz,
                r.uniform(0, 6.3),
            )
        )
    for m in subs:
        v.draw(m, r.uniform(0.7, 1.3))
    Fp, al = v.out()
    v.clear()  # cast shadow: the subject flattened on the floor along the light
    for m in subs:
        X = m[0]
        X2 = X.copy()
        X2[:, 0] -= L[0] / L[1] * X[:, 1]
        X2[:, 2] -= L[2] / L[1] * X[:, 1]
        X2[:, 1] = 0.002
        v.draw((np.ascontiguousarray(X2, np.float32),) + m[1:])
    _, sh = v.out()
    soft, dark = (r.uniform(0.0015, 0.004), r.uniform(0.55, 0.88)) if sun else (r.uniform(0.004, 0.03), r.uniform(0.2, 0.75))
    sh = cv2.GaussianBlur(sh, (0, 0), S * soft) * dark
    if r.random() < (0.15 if sun else 0.45):
        B = cv2.GaussianBlur(B, (0, 0), S / 256 * r.uniform(0.5, 5))
    C = Fp + B * (1 - sh[..., None]) * (1 - al[..., None])
    return np.clip(C, 0, 255).astype(np.uint8), np.clip(al * 255, 0, 255).astype(np.uint8)
