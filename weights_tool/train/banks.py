#!/usr/bin/env python3
"""Banks: pictures made once by formulas and by the renderer, from which compose.py mixes samples in milliseconds.

    banks.py --work W --seed 21     one lot (about 8 minutes of one core): W/bank_*_21.pkl; more seeds add more lots

Kinds: sub (drawn subjects), live (rendered people and animals, groomed or not), misc (blobs, leaves), bg (backgrounds), scene (rendered rooms and
yards with a subject, or without one).
"""

import argparse
import glob
import os
import pickle
import random
import time

import cv2
import numpy as np

import backgrounds
import subjects
import surfaces
from paint import trim
from render import Lib, load, scene
from sources import PACKS, PEOPLE, dump, is_live, model_files, read

cv2.setNumThreads(1)


def read_banks(work, kind):
    out = []
    for f in sorted(glob.glob(os.path.join(work, f"bank_{kind}_*.pkl"))):
        with open(f, "rb") as h:
            out += pickle.load(h)
    return out


class Clutter:
    """what the background painters may use: textures, photos, and renders as things standing about"""

    weights = {
        "fg_clipart": 0.25,
        "fg_3d_BlendSwap-CC-0": 1.0,
        "fg_3d_Reallusion": 0.3,
        "fg_3d_BlendSwap-CC-BY": 1.0,
        "fg_3d_Scopia": 1.5,
        "fg_3d_KatorLegaz": 0.5,
    }

    def __init__(self, work, r):
        self.textures, self.photos = read(work, "tex"), read(work, "bg_train")
        self.textures += [surfaces.surface(r, 256).astype(np.uint8) for _ in range(150)]
        self.packs = {k: read(work, k) for k in self.weights}
        self.p = np.array(list(self.weights.values())) / sum(self.weights.values())

    def pick(self, r, clutter=True):
        pack = self.packs[list(self.weights)[int(r.choice(len(self.p), p=self.p))]]
        return pack[int(r.integers(len(pack)))]


def live(r, o):
    """rendered people (whole, or cut to a portrait or a half figure) and animals (groomed; sometimes the head or front part alone)"""
    with open(os.path.join(o.work, "fg_live.pkl"), "rb") as f:
        pool, out = pickle.load(f), []
    people = [a for name, a in pool if any(k in name for k in PEOPLE)]
    animals = [a for name, a in pool if not any(k in name for k in PEOPLE)]
    while len(out) < o.live:
        if r.random() < 0.5:
            a = people[int(r.integers(len(people)))]
            h, w = a.shape[:2]
            if h > 1.4 * w and r.random() < 0.7:
                a = trim(a[: int(h * r.uniform(0.3, 0.7))])
        else:
            a = animals[int(r.integers(len(animals)))]
            if r.random() < 0.85:
                a = subjects.groom(r, a)
        if a is not None and min(a.shape[:2]) > 40:
            out.append(a)
    return out


def scenes(r, o, S):
    lib, meshes, alive = Lib.get(o.work), [], []
    files = [q for z in PACKS for q in model_files(o.work, z, 2.5e6)]
    random.Random(o.seed).shuffle(files)
    for p, rel in files[: o.models] + [q for q in files[o.models :] if is_live(q[1])]:
        try:
            m = load(p)
        except (ValueError, IndexError):
            m = None
        if m is not None and len(m[0]) > 20:
            meshes.append(m)
            if is_live(rel):
                alive.append(m)
    meshes += alive * 3  # people and animals are the commonest subjects
    out = []
    while len(out) < o.scenes:  # one in six without a subject: a rendered background
        c, a = scene(r, lib, meshes, S.textures, subjects=r.random() >= 0.16)
        if a is None or 0.04 < a.mean() / 255 < 0.85:
            out.append((c, a))
    return out


def main(o):
    r, t = np.random.default_rng(o.seed), time.time()
    S = Clutter(o.work, r)
    dump(o, f"bank_live_{o.seed}", live(r, o))
    dump(o, f"bank_sub_{o.seed}", subjects.subjects(r, o.subjects, S))
    dump(o, f"bank_bg_{o.seed}", backgrounds.backgrounds(r, o.backgrounds, S))
    misc = [subjects.blob(r, 192, S.textures) if i % 3 else subjects.foliage(r, 192, S.textures) for i in range(o.misc)]
    misc = [trim(np.clip(a, 0, 255).astype(np.uint8)) for a in misc]
    misc = [subjects.groom(r, a) if a is not None and r.random() < 0.15 else a for a in misc]
    dump(o, f"bank_misc_{o.seed}", [a for a in misc if a is not None])
    dump(o, f"bank_scene_{o.seed}", scenes(r, o, S))
    print(f"{time.time() - t:.0f} s")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", required=True)
    for k, v in (("seed", 21), ("subjects", 2400), ("live", 1000), ("misc", 500), ("backgrounds", 2000), ("scenes", 2000), ("models", 420)):
        ap.add_argument("--" + k, type=int, default=v)
    main(ap.parse_args())
