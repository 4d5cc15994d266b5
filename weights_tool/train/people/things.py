"""The catalogue of free models by name and true size; things held, carried, or shown as subjects; fur on animals. Own code."""

import os
import sys

import bpy
import numpy as np
from mathutils import Matrix

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import body as bd  # noqa: E402
from sources import PACKS, RESERVED, SKIP  # noqa: E402
from stage import curves  # noqa: E402

HELD = """plasticcup beerglass yogurtbottle flacon tetrapak iphone coffee_cup glass beer_bottle cocktailglass mobile tulip tulips cup wine_bottle jar
hotdog cupcake hamburger 12-oz-glass coffee-mug highball-glass red-wine-bottle-01 spray-bottle flashlight newspaper tablet phone ps4-joystick
basic_camera reflex_camera marteau perceuse-electrique book tabletennisbat tennisracket rubix2 gift textmarker apples""".split()
HUNG = "handbag briefcase suitcase lantern shopping-basket campinglamp backpack umbrellafolded japaneselantern".split()
CARRIED = """basketball cardboard-box crate gift littleplant decorativeplant birthday_cake bowlwithfruits laptop cat rabbit siamesecat bread book
toytrain doll folded_clothes casque succulentplant calla_lily_with_roses vase1 vase2 pottery clothes-basket skateboard mini_stereo radio electricguitar
spatifilum white_lily chicken maceta""".split()
ANIMALS = "horse horse2 deer chicken dog cat siamesecat rabbit bulldog".split()
INSTRUMENTS = "electricguitar pianoaqueue piano midi-keyboard xylophone".split()
NOT_ALONE = ("sink", "cabinet", "cooktop", "wallhung", "curtain", "frame", "pool", "escalator", "elevator", "football-goal", "hedge", "fence", "mannequin", "female", "male0", "boy", "girl", "billet")


USED = []  # (name, licence, author) of every model loaded since it was emptied: whose works a picture shows


class Models:
    """entries of the catalogues inside the packs: name -> dict(file, name, size in m (width, depth, height), category, licence, author)"""

    def __init__(self, folder):
        self.all = {}
        for pack, (licence, whole) in PACKS.items():
            entry = {}
            with open(os.path.join(folder, pack, "PluginFurnitureCatalog.properties"), encoding="latin-1") as f:
                for line in f:
                    k, _, v = line.strip().partition("=")
                    if k.split("#")[-1].isdigit():
                        entry.setdefault(int(k.split("#")[1]), {})[k.split("#")[0]] = v
            for e in entry.values():
                self.add(os.path.join(folder, pack), licence, whole, e)

    def add(self, folder, licence, whole, e):
        path = folder + e.get("model", "/none")
        rel = path.lower()
        bad = any(k in rel for k in RESERVED) or any(k in os.path.basename(rel) for k in SKIP) or "modelRotation" in e or e.get("doorOrWindow") == "true"
        if bad or not path.endswith(".obj") or not os.path.exists(path) or os.path.getsize(path) > 4e6:
            return
        size = [float(e.get(k, 0)) / 100 for k in ("width", "depth", "height")]
        if min(size) <= 0:
            return
        name = os.path.basename(os.path.dirname(rel))
        author = e.get("creator") or whole or "?"
        self.all.setdefault(name, dict(file=path, name=name, size=size, category=e.get("category", ""), licence=licence, author=author))

    def some(self, names):
        return [self.all[n] for n in names if n in self.all]

    def subject(self, r):
        """an entry that can be the subject of a picture; animals, instruments and vehicles more often than chairs"""
        u = r.random()
        if u < 0.16:
            return self.pick(r, self.some(ANIMALS))
        if u < 0.24:
            return self.pick(r, self.some(INSTRUMENTS))
        ok = [e for e in self.all.values() if not any(k in e["name"] for k in NOT_ALONE)]
        if u < 0.38:
            return self.pick(r, [e for e in ok if e["category"] == "Vehicles"])
        small = [e for e in ok if max(e["size"]) < 0.6]
        return self.pick(r, small if u < 0.75 else ok)

    @staticmethod
    def pick(r, entries):
        return entries[int(r.integers(len(entries)))]


def points(objs):
    """corners of all meshes in world space [n, 3]"""
    out = []
    for o in objs:
        if o.type == "MESH" and len(o.data.vertices):
            v = np.empty(3 * len(o.data.vertices), np.float32)
            o.data.vertices.foreach_get("co", v)
            M = np.array(o.matrix_world)
            out.append(v.reshape(-1, 3) @ M[:3, :3].T + M[:3, 3])
    return np.concatenate(out)


def load(entry, scale=1.0):
    """the model with its middle of the floor at the origin, in metres -> (objects, size [3])"""
    before = set(bpy.data.objects)
    bpy.ops.wm.obj_import(filepath=entry["file"], forward_axis="NEGATIVE_Z", up_axis="Y")
    new = [o for o in bpy.data.objects if o not in before]
    p = points(new)
    lo, hi = p.min(0), p.max(0)
    s = scale * max(entry["size"]) / max(hi - lo)
    USED.append((entry["name"], entry["licence"], entry["author"]))
    move(new, Matrix.Scale(s, 4) @ Matrix.Translation((-(lo[0] + hi[0]) / 2, -(lo[1] + hi[1]) / 2, -lo[2])))
    for m in bpy.data.materials:  # Wavefront gloss comes out too shiny
        if m.use_nodes and "Principled BSDF" in m.node_tree.nodes:
            b = m.node_tree.nodes["Principled BSDF"]
            if not b.inputs["Roughness"].is_linked and m.name.split(".")[0] not in ("eye", "skin", "lens"):
                b.inputs["Roughness"].default_value = max(b.inputs["Roughness"].default_value, 0.3)
    return new, (hi - lo) * s


def move(objs, M):
    for o in objs:
        o.matrix_world = M @ o.matrix_world


def in_hands(r, models, P):
    """what the person P holds, hangs from a hand or carries before the belly; in the person's own axes -> objects"""
    kind = {"hold": HELD, "hang": HUNG, "carry": CARRIED}[P.act]
    entry = Models.pick(r, models.some(kind))
    limit = {"hold": 0.32, "hang": 0.5, "carry": 0.55}[P.act]
    if entry["name"] == "electricguitar":
        limit = 1.0
    new, size = load(entry, min(1.0, limit / max(entry["size"])))
    grip = [P.grip(s) for s in "LR"]
    turn = Matrix.Rotation(r.uniform(0, 6.28), 4, "Z")
    if P.act == "carry":
        mid = (grip[0] + grip[1]) / 2
        front = P.v[bd.TIGHTS][(abs(P.v[bd.TIGHTS][:, 2] - mid[2]) < 0.1) & (abs(P.v[bd.TIGHTS][:, 0]) < 0.15)]
        y = min(mid[1], (front[:, 1].min() if len(front) else mid[1]) - min(size[:2]) * 0.5)
        if entry["name"] == "electricguitar":  # the long side across the body, strings to the front
            turn = Matrix.Rotation(np.radians(r.uniform(55, 80)) * r.choice([-1, 1]), 4, "Y") @ Matrix.Translation((0, 0, -size[2] * 0.4))
            at = (mid[0], y - 0.03, mid[2])
        else:
            at = (mid[0], y, mid[2] - size[2] * r.uniform(0.1, 0.5))
            if max(size[:2]) > 1.5 * min(size[:2]):
                turn = Matrix.Rotation(r.choice([0.0, np.pi]) + r.normal(0, 0.2), 4, "Z")
    else:
        g = grip[int(r.integers(2))] if P.act == "hang" else grip[0 if P.holds == "L" else 1]
        at = g + (np.array([0, 0, -size[2] * (0.97 if P.act == "hang" else r.uniform(0.35, 0.6))]))
        if P.act == "hold":
            turn = Matrix.Rotation(r.normal(0, 0.25), 4, "X") @ turn
    move(new, Matrix.Translation(at) @ turn)
    P.holding = entry["name"]
    return new


def mean_colour(material):
    """the base colour of an imported material: its value, or the mean of its picture; linear light"""
    if not (material and material.use_nodes and "Principled BSDF" in material.node_tree.nodes):
        return np.array([0.2, 0.15, 0.1])
    c = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
    if c.is_linked and getattr(c.links[0].from_node, "image", None) is not None:
        im = c.links[0].from_node.image
        if im.size[0] * im.size[1] == 0:
            return np.array([0.2, 0.15, 0.1])
        p = np.empty(im.size[0] * im.size[1] * im.channels, np.float32)
        im.pixels.foreach_get(p)
        return np.median(p.reshape(-1, im.channels)[:, :3], 0).astype(float) ** 2.2
    return np.array(c.default_value[:3], float)


def fur(r, objs, n=16000):
    """strands over every mesh of an animal, combed back and down"""
    out, p_all = [], points(objs)
    extent = float(np.linalg.norm(p_all.max(0) - p_all.min(0)))
    length, comb = extent * r.choice([0.006, 0.012, 0.025], p=[0.4, 0.4, 0.2]), np.array([r.normal(0, 0.3), r.normal(0, 0.6), -0.6])
    for o in [o for o in objs if o.type == "MESH" and len(o.data.polygons) > 30]:
        o.data.calc_loop_triangles()
        f = np.array([t.vertices[:] for t in o.data.loop_triangles])
        v = points([o])
        nrm = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
        area = np.linalg.norm(nrm, axis=1)
        k = int(n * min(1.0, area.sum() / (0.3 * extent**2)))
        if k < 50 or area.sum() <= 0:
            continue
        t = r.choice(len(f), k, p=area / area.sum())
        w = r.dirichlet([1, 1, 1], k)
        p = (v[f[t]] * w[..., None]).sum(1)
        d = bd.nrm(0.7 * nrm[t] / (area[t, None] + 1e-12) + comb + r.normal(0, 0.25, (k, 3)))
        s = np.linspace(0, 1, 4)[None, :, None]
        strands = p[:, None] + s * length * r.uniform(0.6, 1.2, (k, 1, 1)) * d[:, None] + s**2 * np.array([0, 0, -0.3 * length])
        m = bpy.data.materials.new("fur")
        m.use_nodes = True
        m.node_tree.nodes.clear()
        h, to = m.node_tree.nodes.new("ShaderNodeBsdfHairPrincipled"), m.node_tree.nodes.new("ShaderNodeOutputMaterial")
        h.parametrization = "COLOR"
        h.inputs["Color"].default_value = (*np.clip(mean_colour(o.data.materials[0] if len(o.data.materials) else None) * r.uniform(0.7, 1.2), 0.01, 0.8), 1)
        h.inputs["Roughness"].default_value = 0.4
        m.node_tree.links.new(h.outputs[0], to.inputs["Surface"])
        out.append(curves("fur", [strands], m, extent * 0.0004))
    return out
