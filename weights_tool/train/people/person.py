"""One clothed person as Blender objects: body, eyes, clothes, hair, hat, glasses. Own code."""

import numpy as np

import body as bd
from cloth import cloth_colour, cloth_material, skin_material
from stage import curves, hair_material, material, mesh, node


class Person:
    def __init__(self, B, i, r, act="", sit=False):
        self.B, self.r, self.objs = B, r, []
        self.par = B.params[i]
        self.male = self.par["gender"] < 0.5
        # Anny: gender 0 male, 1 female
        self.v, self.Rh, self.hc, self.act, self.joints, self.holds = B.pose(i, r, act, sit)
        self.sit, self.holding = sit, ""
        self.rest_v = B.d["verts"][i]
        self.floor = self.v[bd.BODY, 2].min()
        self.bf = B.d["f_body"]
        self.bn = bd.normals(self.v[bd.BODY], self.bf)
        self.coll = [(self.v[bd.BODY][::1], self.bn)]
        self.skin, self.tone = skin_material(r)
        self.body_hide = np.zeros(13380, bool)

    def grip(self, side):
        """the middle of a hand that is closed around something"""
        j = self.joints
        return np.mean([j[f"finger{q}-2.{side}"] for q in "1234"] + [j[f"finger3-1.{side}"]], 0)

    def H(self, w):
        return np.asarray(w, float) @ self.Rh.T

    def layer(self, part, cut, off, mat, name, sub=2, sm=2, disp=0.0, shape=None):
        """offset copy of a helper mesh; cut: > 0 where there is cloth"""
        B = self.B
        key = "f_helper-tights" if part == bd.TIGHTS else "f_helper-skirt"
        f = B.d[key] - part.start
        v = self.v[part].copy()
        n = bd.normals(v, f)
        v = bd.smooth(v, f, sm)
        n = bd.smooth(n, f, 2)
        v = v + bd.nrm(n) * (off[:, None] if np.ndim(off) else off)
        if shape is not None:
            v = shape(v)
        keep = (cut[f] > -0.012).any(1)
        f = f[keep]
        ob = mesh(name, v, f, mat, attrs={"cut": cut}, vec={"rest": B.T[part]}, sub=sub, disp=disp)
        self.objs.append(ob)
        self.coll.append((v[np.unique(f)], bd.nrm(n)[np.unique(f)]))
        return v, f

    def top_cut(self, sleeve, hem, neck, vneck=None):
        T, at = self.B.T[bd.TIGHTS], self.B.armt[bd.TIGHTS]
        x, y, z = T.T
        e = np.where(z > 0.42, np.hypot(x, 0.85 * (y + 0.03)), 1.0)  # distance from the axis of the neck
        c = np.minimum(z - hem, (sleeve - at) * 0.2)
        c = np.minimum(c, e - neck)
        if vneck is not None:
            zb, hw = vneck
            d = abs(x) - hw * np.clip((z - zb) / (0.56 - zb), 0, 1.3)
            c = np.where((y < -0.02) & (z > zb - 0.05), np.minimum(c, d), c)
        # not where arms hang: keep the torso hem from cutting the lower arms
        c = np.where(at > 0.35, np.minimum((sleeve - at) * 0.2, 1), c)
        return c

    def dress_up(self, full):
        r, B = self.r, self.B
        T, at = B.T[bd.TIGHTS], B.armt[bd.TIGHTS]
        x, y, z = T.T
        pats = ["plain", "stripes", "hstripes", "plaid", "check", "dots", "flowers", "blotch"]
        u = r.random()
        kind = ("suit" if u < 0.36 else "shirt" if u < 0.62 else "tee" if u < 0.85 else "sweater") if self.male else (
            "suit" if u < 0.18 else "dress" if u < 0.45 else "shirt" if u < 0.6 else "tee" if u < 0.82 else "sweater")
        self.kind = kind
        torso = at < 0.02
        belly = np.exp(-(((z - 0.2) / 0.14) ** 2)) * torso
        legs_cut = lambda lo, hi: np.where(at > 0.3, -1.0, np.minimum(hi - z, z - lo))
        # below
        low = r.choice(["trousers", "jeans", "shorts", "skirt"], p=[0.42, 0.38, 0.08, 0.12] if not self.male else [0.5, 0.42, 0.08, 0.0])
        if kind == "suit":
            low = "trousers" if self.male or r.random() < 0.6 else "skirt"
        if kind == "dress":
            low = "none"
        self.low = low
        leg_lo = {"trousers": -0.745, "jeans": -0.74, "shorts": r.uniform(-0.3, -0.12)}.get(low)
        suitcol = np.clip(r.choice([0.006, 0.012, 0.025, 0.05, 0.12]) * np.array([1, 1, r.uniform(1, 1.9)]), 0, 1)
        if leg_lo is not None:
            jc = np.array([0.03, 0.06, 0.14]) * r.uniform(0.35, 2.2) if low == "jeans" else (suitcol if kind == "suit" else cloth_colour(r, 0.5))
            m = cloth_material(r, jc, "plain" if r.random() < 0.8 else "plaid", wrinkle=0.8)
            loose = 0.006 + r.uniform(0, 0.018) * np.clip((-z - 0.1) / 0.4, 0, 1)
            self.layer(bd.TIGHTS, legs_cut(leg_lo, 0.14), loose, m, "legs", disp=0.006)
        shoe = cloth_material(r, cloth_colour(r, 0.65), rough=0.35, wrinkle=0.1)
        if full:
            fl = self.floor
            self.layer(bd.TIGHTS, np.where(at > 0.3, -1.0, -0.752 - z), 0.009, shoe, "shoes", sm=1, shape=lambda v: np.c_[v[:, :2], np.maximum(v[:, 2], fl - 0.012)])
            self.floor -= 0.012
        if low == "skirt" or kind == "dress":
            self.skirt(kind == "dress", full)
        # above
        col = cloth_colour(r, 0.25)
        pat = r.choice(pats) if r.random() < 0.45 else "plain"
        if kind == "suit":
            white = np.array([0.8, 0.8, 0.8]) if r.random() < 0.6 else cloth_colour(r, 0.1)
            ms = cloth_material(r, white, "plain" if r.random() < 0.7 else "stripes", wrinkle=0.35, scale=3)
            self.layer(bd.TIGHTS, self.top_cut(1.92, -0.02, 0.044), 0.005, ms, "shirt")
            self.collar(ms)
            zb = r.uniform(0.22, 0.33)
            if self.male and r.random() < 0.75:
                self.tie()
            mj = cloth_material(r, suitcol, "plain" if r.random() < 0.7 else "stripes", wrinkle=0.55, rough=r.uniform(0.55, 0.9), scale=4)
            hw = r.uniform(0.055, 0.08)
            cut = self.top_cut(1.84, -0.12, 0.058, (zb, hw))
            off = 0.015 + 0.012 * belly + 0.003 * np.clip((0.05 - z) / 0.15, 0, 1) * torso
            if r.random() < 0.3:  # open in front
                cut = np.where((y < -0.02) & torso, np.minimum(cut, abs(x) - hw * np.clip((z + 0.25) / 0.78, 0.12, 1.3)), cut)
            self.layer(bd.TIGHTS, cut, off, mj, "jacket", disp=0.006)
            d = abs(x) - hw * np.clip((z - zb) / (0.56 - zb), 0, 1.3)
            wid = 0.012 + 0.040 * np.clip((z - zb) / 0.16, 0, 1) - np.where((z > 0.435) & (z < 0.45), 0.018, 0)
            lap = np.where((y < 0.0) & (z > zb - 0.02) & torso, np.minimum(d, wid - d), -1.0)
            e = np.where(z > 0.42, np.hypot(x, 0.85 * (y + 0.03)), 1.0)
            lap = np.maximum(lap, np.where((z > 0.44) & (y > -0.06), np.minimum(e - 0.056, 0.088 - e), -1))
            lap = np.minimum(lap, e - 0.056)
            self.layer(bd.TIGHTS, lap, off + 0.005, mj, "lapel")
        elif kind == "dress":
            m = self.dress_mat
            zb = r.uniform(0.40, 0.5)
            sl = r.choice([0.12, 0.5, 1.0, 1.9], p=[0.4, 0.25, 0.1, 0.25])
            cut = self.top_cut(sl, 0.10, r.uniform(0.055, 0.11), (zb, r.uniform(0.04, 0.10)) if r.random() < 0.6 else None)
            self.layer(bd.TIGHTS, cut, 0.006 + 0.004 * belly, m, "bodice", disp=0.003)
        else:
            sl = {"shirt": r.choice([1.85, 0.75, 1.3]), "tee": r.uniform(0.45, 0.85), "sweater": 1.9}[kind]
            if kind == "tee" and r.random() < 0.15:
                sl = 0.02
            off = {"shirt": 0.010, "tee": 0.009, "sweater": 0.016}[kind] + r.uniform(0.004, 0.028) * belly + r.uniform(0, 0.012) * np.clip(at, 0, 1)
            neck = {"shirt": 0.046, "tee": r.uniform(0.052, 0.085), "sweater": r.choice([0.052, 0.0])}[kind]
            vn = (r.uniform(0.4, 0.49), r.uniform(0.03, 0.07)) if r.random() < (0.8 if kind == "shirt" else 0.3) else None
            m = cloth_material(r, col, pat if kind != "sweater" else r.choice(["plain", "hstripes", "blotch"]), wrinkle=1.1 if kind != "sweater" else 0.7, sheen=0.4 if kind == "sweater" else 0)
            self.layer(bd.TIGHTS, self.top_cut(sl, r.uniform(-0.12, 0.0), neck, vn), off, m, kind, disp=0.009)
            if kind == "shirt":
                self.collar(m)
            if kind != "sweater" and r.random() < 0.18:  # open jacket above it
                mj = cloth_material(r, cloth_colour(r, 0.5), wrinkle=1.2, rough=r.uniform(0.4, 0.9))
                hw = r.uniform(0.06, 0.1)
                cut = self.top_cut(1.88, -0.1, 0.056)
                cut = np.where((y < -0.02) & torso, np.minimum(cut, abs(x) - hw), cut)
                self.layer(bd.TIGHTS, cut, off + 0.016, mj, "open jacket", disp=0.012)
        # skin under cloth is not needed (and would show through)
        b = bd.BODY
        tx, ty, tz = B.T[b].T
        ba = B.armt[b]
        sl = (1.8 if kind == "suit" else sl) - 0.12
        hide = (tz > 0.0) & (tz < np.where(ty > 0, 0.46, 0.35)) & (ba < 0.02) | ((ba > 0.1) & (ba < sl))
        if leg_lo is not None:
            hide |= (tz < 0.06) & (tz > leg_lo + 0.05) & (ba < 0.02)
        if full:
            hide |= (tz < -0.775) & (ba < 0.3)
        self.body_hide |= hide & (B.headw[b] < 0.05)

    def skirt(self, dress, full):
        r, B = self.r, self.B
        T = B.T[bd.SKIRT]
        col = cloth_colour(r, 0.35)
        m = cloth_material(r, col, r.choice(["plain", "plain", "flowers", "dots", "hstripes", "blotch"]), wrinkle=1.3, rough=r.uniform(0.5, 0.9))
        self.dress_mat = m
        z = T[:, 2]
        hem = r.uniform(-0.68, -0.22)
        ang = np.arctan2(T[:, 0], T[:, 1])
        fl = np.clip((0.1 - z) / 0.5, 0, 1)
        k = r.integers(5, 14)
        off = 0.008 + fl * (r.uniform(0, 0.05) + r.uniform(0.0, 0.035) * np.sin(k * ang + r.uniform(0, 6)))
        self.layer(bd.SKIRT, np.minimum(z - hem, 0.19 - z), off, m, "skirt", disp=0.006)

    def collar(self, mat):
        T = self.B.T[bd.TIGHTS]
        x, y, z = T.T
        at = self.B.armt[bd.TIGHTS]
        e = np.where(z > 0.45, np.hypot(x, 0.85 * (y + 0.03)), 1.0)
        wing = 0.022 * np.clip(abs(x) / 0.03, 0, 1) * np.clip((-0.03 - y) / 0.03, 0, 1)
        c = np.minimum(e - 0.036, 0.062 + wing - e)
        c = np.where(y < -0.05, np.minimum(c, abs(x) - 0.005 - 0.4 * np.clip(0.56 - z, 0, 1)), c)
        self.layer(bd.TIGHTS, np.where(at > 0.0, -1, c), 0.011, mat, "collar", sub=3)

    def tie(self):
        r = self.r
        T = self.B.T[bd.TIGHTS]
        x, y, z = T.T
        m = cloth_material(r, cloth_colour(r, 0.3), r.choice(["plain", "stripes", "hstripes", "dots"]), rough=0.45, wrinkle=0.1, scale=2)
        w = 0.012 + 0.022 * np.clip((0.54 - z) / 0.4, 0, 1) + 0.007 * (z > 0.525)
        c = np.where(y < -0.02, np.minimum(w - abs(x), np.minimum(z - 0.02, np.hypot(x, 0.85 * (y + 0.03)) - 0.045)), -1.0)
        self.layer(bd.TIGHTS, c, 0.010 + 0.006 * (z > 0.525), m, "tie", sub=3)

    def build(self, full):
        r, B = self.r, self.B
        self.dress_up(full)
        v = self.v[bd.BODY]
        f = self.bf[~self.body_hide[self.bf].all(1)]
        old = self.par["age"]
        stub = (B.beard * r.choice([0, 0.25, 0.5], p=[0.4, 0.4, 0.2]) if self.male and old > 0.55 else 0 * B.beard).astype(float)
        ob = mesh("body", v, f, self.skin, attrs={"lip": B.lip, "red": B.red, "eyebag": B.eyebag, "stubble": stub}, sub=1)
        self.objs.append(ob)
        self.eyes()
        self.head_hair()
        u = r.random()
        if u < 0.16:
            self.glasses(r.random() < 0.3)
        return self.objs

    def eyes(self):
        r = self.r
        gz = self.H([r.normal(0, 0.12), -1, r.normal(0, 0.06)])
        iris = np.array([[0.05, 0.022, 0.01], [0.12, 0.06, 0.025], [0.10, 0.16, 0.25], [0.10, 0.14, 0.07], [0.03, 0.02, 0.015]])[r.integers(5)]
        m, nt, b = material("eye")
        a = node(nt, "ShaderNodeAttribute", attribute_name="ang")
        ramp = node(nt, "ShaderNodeValToRGB")
        e = ramp.color_ramp
        e.elements[0].position, e.elements[0].color = 0.0, (0.004, 0.004, 0.004, 1)
        e.elements[1].position, e.elements[1].color = 1.0, (0.62, 0.55, 0.52, 1)
        for p, c in ((0.13, (0.004, 0.004, 0.004)), (0.15, iris * 0.8), (0.32, iris), (0.36, iris * 0.3), (0.40, (0.66, 0.6, 0.57))):
            k = e.elements.new(p)
            k.color = (*c, 1)
        nt.links.new(a.outputs["Fac"], ramp.inputs[0])
        nt.links.new(ramp.outputs[0], b.inputs["Base Color"])
        b.inputs["Roughness"].default_value = 0.05
        b.inputs["Coat Weight"].default_value = 0.6
        self.eye = []
        for g in ("l", "r"):
            p = self.v[np.unique(self.B.d[f"f_helper-{g}-eye"])]
            c, rad = p.mean(0), np.linalg.norm(p - p.mean(0), axis=1).mean()
            self.eye.append(c)
            th, ph = np.meshgrid(np.linspace(0, np.pi, 28), np.linspace(0, 2 * np.pi, 33)[:-1], indexing="ij")
            u = bd.nrm(np.cross(gz, [0, 0, 1.0]))
            w = np.cross(u, gz)
            q = np.cos(th)[..., None] * gz + np.sin(th)[..., None] * (np.cos(ph)[..., None] * u + np.sin(ph)[..., None] * w)
            bulge = 1 + 0.05 * np.exp(-((th / 0.35) ** 2))
            n, k = th.shape
            idx = np.arange(n * k).reshape(n, k)
            fq = np.stack([idx[:-1], np.roll(idx[:-1], -1, 1), np.roll(idx[1:], -1, 1), idx[1:]], -1).reshape(-1, 4)
            self.objs.append(mesh("eye", (c + rad * 0.985 * bulge[..., None] * q).reshape(-1, 3), fq, m, attrs={"ang": (th / 1.3).ravel().clip(0, 1)}))
        mt, nt, b = material("teeth")
        b.inputs["Base Color"].default_value = (0.7, 0.62, 0.5, 1)
        b.inputs["Roughness"].default_value = 0.2
        for g in ("upper", "lower"):
            f = self.B.d[f"f_helper-{g}-teeth"]
            ids, inv = np.unique(f, return_inverse=True)
            self.objs.append(mesh("teeth", self.v[ids], inv.reshape(-1, 4), mt))
        ml, nt, b = material("lash")
        b.inputs["Base Color"].default_value = (0.01, 0.008, 0.007, 1)
        S = []
        for g in ("l", "r"):
            for q in ("1", "2"):
                ids = np.unique(self.B.d[f"f_helper-{g}-eyelashes-{q}"])
                p = self.v[ids]
                c = self.eye[0 if g == "l" else 1]
                d = np.linalg.norm(p - c, axis=1)
                near = ids[d < np.median(d)]
                pts = self.v[near]
                if len(pts) < 3:
                    continue
                pts = pts[np.argsort(pts @ self.H([1, 0, 0]))]
                t = np.linspace(0, len(pts) - 1.001, 40)
                base = pts[t.astype(int)] * (1 - t % 1)[:, None] + pts[t.astype(int) + 1] * (t % 1)[:, None]
                up = self.H([0, -0.7, 0.5 if q == "1" else -0.4]) if self.v[ids][:, 2].mean() >= c[2] else self.H([0, -0.8, -0.3])
                o = bd.nrm(bd.nrm(base - c) + up)
                ln = 0.007 if not self.male else 0.005
                S.append(base[:, None] + np.linspace(0, 1, 4)[None, :, None] * ln * o[:, None])
        if S:
            self.objs.append(curves("lash", S, ml, 0.00018))

    def head_hair(self):
        r, B = self.r, self.B
        old = self.par["age"]
        u = r.random()
        style = (r.choice(["buzz", "short", "side", "quiff", "curly", "afro", "receding", "bald", "long"], p=[0.1, 0.26, 0.2, 0.16, 0.07, 0.04, 0.09, 0.05, 0.03]) if self.male
                 else r.choice(["long", "bob", "tied", "bun", "curly", "afro", "short", "side"], p=[0.36, 0.17, 0.16, 0.08, 0.1, 0.05, 0.04, 0.04]))
        hat = r.choice(["none", "beanie", "cap", "brim"], p=[0.88, 0.05, 0.04, 0.03])
        self.style, self.hat = style, hat
        col = ("grey" if old > 0.85 and u < 0.7 else r.choice(["black", "brown", "light", "blond", "red", "dyed"], p=[0.3, 0.34, 0.14, 0.14, 0.06, 0.02]) if self.tone < 3 else
               r.choice(["black", "brown", "dyed"], p=[0.8, 0.17, 0.03]))
        mat = hair_material(r, col)
        coll = tuple(np.concatenate(c) for c in zip(*self.coll))
        v = self.v[bd.BODY]
        if hat != "none":
            style = {"bald": "buzz", "afro": "bob", "quiff": "short", "bun": "long", "tied": "long", "side": "short", "curly": "bob"}.get(style, style)
        if style != "bald":
            n = {"long": 13000, "bob": 12000, "curly": 11000, "afro": 14000, "buzz": 14000}.get(style, 11000)
            if hat != "none":
                self._hat(hat)
                coll = tuple(np.concatenate(c) for c in zip(*self.coll))
            S = bd.hair(r, style, B, v, self.bf, self.bn, self.Rh, self.hc + self.H([0, -0.005, 0.11]), coll, n)
            if hat != "none":  # nothing above the rim
                Sx = []
                for s in S:
                    loc = (s - self.hc) @ self.Rh
                    Sx.append(s[(loc[:, :, 2] < self.rim).all(1)])
                S = [s for s in Sx if len(s)]
            # a cap of colour under the strands, so that the scalp does not shine through
            self.objs.append(curves("hair", S, mat, 0.00022 if style not in ("buzz",) else 0.00016))
            if style not in ("receding",):
                f = self.bf[B.scalp[self.bf].all(1)]
                mm, nt, b = material("scalp")
                b.inputs["Base Color"].default_value = (*(0.5 * np.array(self.skin_rgb()) * 0.5 + 0.5 * np.array(mat["tint"])), 1)
                b.inputs["Roughness"].default_value = 0.9
                if style != "buzz":
                    self.objs.append(mesh("cap", v + self.bn * 0.0012, f, mm, sub=1))
        elif hat != "none":
            self._hat(hat)
        # brows, beard
        r_brow = (r.uniform(0.0, 0.006), r.uniform(0.45, 0.9))
        S = self.fuzz(B.browbox, int(r.uniform(250, 520)), 0.0065, (lambda T: B.brow_at(T, r_brow)), lambda P, N, T: np.where(T[:, :1] > 0, 1.0, -1.0) * self.H([1.0, 0, 0]) + self.H([0, 0, 0.25]) + 0.25 * N)
        self.objs.append(curves("brow", [S], mat if col not in ("dyed",) else hair_material(r, "brown"), 0.0002))
        if self.male and old > 0.6 and r.random() < 0.38:
            ln = r.choice([0.004, 0.008, 0.018, 0.045], p=[0.4, 0.3, 0.2, 0.1])
            ok = B.mous if r.random() < 0.15 else B.beard
            S = self.fuzz(ok, 5000 if ok is B.beard else 900, ln, None, lambda P, N, T: 0.6 * N + self.H([0, -0.1, -1.0]))
            self.objs.append(curves("beard", [S], mat, 0.0002))

    def skin_rgb(self):
        return [0.3, 0.2, 0.15] if self.tone < 3 else [0.08, 0.05, 0.035]

    def fuzz(self, ok, n, ln, at, comb):
        r, v = self.r, self.v[bd.BODY]
        t, b = bd.sample_surface(r, v, self.bf, ok, n if at is None else n * 25)
        if at is not None:
            T = (self.B.T[bd.BODY][t] * b[..., None]).sum(1)
            k = np.flatnonzero(at(T + r.normal(0, 0.0006, T.shape)))[:n]
            t, b, n = t[k], b[k], len(k)
        P, N, T = ((a[t] * b[..., None]).sum(1) for a in (v, self.bn, self.B.T[bd.BODY]))
        d = bd.nrm(bd.nrm(comb(P, N, T)) + r.normal(0, 0.22, P.shape))
        d = bd.nrm(d - np.minimum((d * N).sum(1, keepdims=True) - 0.12, 0) * N)
        L = ln * r.uniform(0.6, 1.1, (n, 1, 1))
        tt = np.linspace(0, 1, 4)[None, :, None]
        return P[:, None] + tt * L * d[:, None] + tt**2 * L * 0.15 * self.H([0, 0, -1])

    def _hat(self, hat):
        r, B, v = self.r, self.B, self.v[bd.BODY]
        T = B.T[bd.BODY]
        slope = r.uniform(-0.05, 0.35)
        cutz = r.uniform(0.775, 0.80) - slope * (T[:, 1] + 0.13) - 0.0
        ok = (T[:, 2] > cutz - 0.02) & (B.headw[bd.BODY] > 0.5)
        f = self.bf[ok[self.bf].all(1)]
        o = {"beanie": 0.014, "cap": 0.012, "brim": 0.014}[hat]
        top = np.clip((T[:, 2] - cutz) / 0.06, 0, 1)
        p = bd.smooth(v + self.bn * 0.004, self.bf, 8)
        lift = {"beanie": r.uniform(0.0, 0.03), "cap": 0.01, "brim": 0.035}[hat]
        p = p + bd.nrm(bd.smooth(self.bn, self.bf, 8)) * (o + 0.006 * top)[:, None] + self.H([0, 0, 1]) * (lift * top**2)[:, None]
        m = cloth_material(r, cloth_colour(r, 0.45), r.choice(["plain", "plain", "hstripes"]), rough=0.9, wrinkle=0.4)
        self.objs.append(mesh("hat", p, f, m, attrs={"cut": T[:, 2] - cutz}, vec={"rest": T}, sub=1))
        ids = np.unique(f)
        self.coll.append((p[ids], self.bn[ids]))
        band = np.abs(T[:, 2] - cutz) < 0.012
        band &= ok
        loc = (p[band] - self.hc) @ self.Rh
        self.rim = np.median(loc[:, 2]) + 0.01
        if hat in ("cap", "brim") and len(loc) > 8:
            c = (loc.max(0) + loc.min(0)) / 2
            ax, ay = (loc[:, 0].max() - loc[:, 0].min()) / 2, (loc[:, 1].max() - loc[:, 1].min()) / 2
            kz = np.polyfit(loc[:, 1], loc[:, 2], 1)
            an = np.linspace(-np.pi, np.pi, 65)[:-1] if hat == "brim" else np.linspace(-1.15, 1.15, 40)
            wd = r.uniform(0.05, 0.10) if hat == "brim" else 0.075
            rows = []
            for q in np.linspace(0, 1, 6):
                w = wd * q * (1 if hat == "brim" else np.sqrt(np.clip(np.cos(an / 1.15 * np.pi / 2), 0, 1)))
                xx, yy = c[0] + (ax + w * 0.8) * np.sin(an), c[1] - (ay + w) * np.cos(an)
                rows.append(np.stack([xx, yy, np.polyval(kz, yy) - 0.03 * q**2 * (1 if hat == "cap" else 0.3)], 1))
            n, k = 6, len(an)
            idx = np.arange(n * k).reshape(n, k)
            nx = np.roll(idx, -1, 1)
            fq = np.stack([idx[:-1], nx[:-1], nx[1:], idx[1:]], -1)
            fq = fq if hat == "brim" else fq[:, :-1]
            P = self.hc + np.concatenate(rows) @ self.Rh.T
            self.objs.append(mesh("brim", P, fq.reshape(-1, 4), m, attrs={"cut": np.ones(len(P))}, vec={"rest": P}, sub=1, solid=0.003))

    def glasses(self, dark):
        r = self.r
        m, nt, b = material("frame")
        b.inputs["Base Color"].default_value = (*(cloth_colour(r, 0.7) * 0.6), 1)
        b.inputs["Roughness"].default_value = 0.2
        b.inputs["Metallic"].default_value = float(r.random() < 0.3)
        lens, nt2, b2 = material("lens")
        b2.inputs["Base Color"].default_value = (0.01, 0.01, 0.012, 1)
        b2.inputs["Roughness"].default_value = 0.04
        w, h, pw = r.uniform(0.022, 0.027), r.uniform(0.016, 0.023), r.choice([2, 2.6, 4])
        an = np.linspace(0, 2 * np.pi, 41)[:-1]
        sgn = lambda a: np.sign(a) * np.abs(a) ** (2 / pw)
        rad = r.choice([0.0009, 0.0014, 0.0022])
        S = []
        pd = self.eye[0] - self.eye[1]
        for k, c in enumerate(self.eye):
            s = 1 if k == 0 else -1
            cc = c + self.H([0, -0.026, -0.003])
            loop = cc + self.H(np.stack([w * sgn(np.cos(an)), 0.004 * np.cos(an) * s, h * sgn(np.sin(an))], 1))
            S.append(np.concatenate([loop, loop[:2]])[None])
            o = cc + self.H([s * w, 0.0, h * 0.4])
            S.append(np.stack([o, o + self.H([s * 0.006, 0.004, 0]), o + self.H([s * 0.010, 0.05, 0.0]), o + self.H([s * 0.010, 0.10, 0.0]), o + self.H([s * 0.008, 0.115, -0.02])])[None])
            if dark:
                P = np.concatenate([cc[None], loop])
                f = np.array([[0, 1 + j, 1 + (j + 1) % 40, 1 + (j + 1) % 40] for j in range(40)])
                self.objs.append(mesh("lens", P, f, lens))
        a = self.eye[0] + self.H([-w, -0.026, 0.004])
        e = self.eye[1] + self.H([w, -0.026, 0.004])
        S.append(np.stack([a, (a + e) / 2 + self.H([0, -0.002, 0.004]), e])[None])
        self.objs.append(curves("frame", S, m, rad, taper=False))
