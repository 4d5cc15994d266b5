#!/usr/bin/env python3
"""Where the pictures come from: Debian packages by name, unpacked; and a manifest of every file that trains or tests.

    sources.py fetch    --work W     download and unpack the packages (about 300 MB, 1.2 GB unpacked)
    sources.py render   --work W     single models, clip-art, photos, textures and the test material -> W/*.pkl
    sources.py manifest --work W     W/manifest.jsonl: file, SHA-256, licence, author, role, one line each
    sources.py authors  --work W     the attribution text for the weights

Needs apt-get, dpkg, gcc, numpy, opencv. About 10 minutes of one core. Nothing made or fetched here is ever committed.
Roles: `train` only CC0, CC BY and public domain; `test` also GPL and CC BY-SA pictures: figures are no derived work.
"""

import argparse
import glob
import hashlib
import json
import os
import pickle
import random
import subprocess
import zipfile

import cv2
import numpy as np

from paint import fit, trim
from render import Lib, load, render

# package -> (licence, role); Debian 12. Files of a package with licences of their own are in PER_FILE.
PACKAGES = {
    "sweethome3d-furniture": ("by pack", "train"),
    "openclipart-png": ("public domain", "train"),
    "lomiri-wallpapers-16.04": ("by file", "train"),
    "python3-skimage": ("by file", "train"),
    "tuxpaint-stamps-default": ("GPL-2", "test"),
    "mate-backgrounds": ("GPL-2+", "test"),
    "plasma-workspace-wallpapers": ("LGPL-3", "test"),
    "tuxpaint-data": ("GPL-2+", "test"),
}
PACKS = {  # of sweethome3d-furniture
    "BlendSwap-CC-0": ("CC0-1.0", ""),
    "BlendSwap-CC-BY": ("CC-BY-3.0", ""),
    "Scopia": ("CC-BY-3.0", "Emmanuel Puybaret / eTeks and Scopia Visual Interfaces Systems, s.l."),
    "KatorLegaz": ("CC-BY-3.0-US", "Andrew Kator & Jennifer Legaz"),
    "Reallusion": ("CC-BY-3.0-US", "Reallusion"),
}
SKIP = """door window stair rounded- square- plug parking stationnement passage rail garage carpet shower swimming gaz_ wallsocket
walldouble hole road""".split()
RESERVED = ("teddybear", "orchids", "spider_plant", "/bike/")  # models of four composites with exact alpha that are looked at
LIVE = ("boylying boystanding girlsittingtable girlsittingground girlstanding boysitting mannequinbrunette mannequinmale dog rabbit cat siamesecat "
        "bulldog horse horse2").split()  # people and animals: many more views each
PEOPLE = ("boy", "girl", "mannequin")
# The only free photos without a subject that are no dev pictures: name -> (licence, author)
CC_PHOTOS = {
    "aitzgorri": ("CC-BY-4.0", "Aitzol Berasategi"),
    "life": ("CC-BY-4.0", "Aitzol Berasategi"),
    "sunset": ("CC-BY-4.0", "Aitzol Berasategi"),
    "umang": ("CC-BY-4.0", "Abhishek Mudgal"),
}
TEXTURES = ("grass", "gravel", "brick")  # of scikit-image, CC0
CLIPART_SKIP = ("/flags", "signs_and_symbols", "letters", "/alphabet", "special/", "logo", "unsorted")


def dump(o, key, value):
    with open(os.path.join(o.work, key + ".pkl"), "wb") as f:
        pickle.dump(value, f)
    print(key, len(value), flush=True)


def read(work, key):
    """-> list of pictures; the reserved models are left out here too, whatever the file holds"""
    with open(os.path.join(work, key + ".pkl"), "rb") as f:
        return [a for name, a in pickle.load(f) if key.startswith("ev_") or not any(k in name.lower() for k in RESERVED)]


def cmd_fetch(o):
    for p in PACKAGES:
        d = os.path.join(o.work, "pkg", p)
        if not os.path.isdir(d):
            os.makedirs(d)
            subprocess.check_call(["apt-get", "download", "-q", p], cwd=d)
            for deb in glob.glob(d + "/*.deb"):
                subprocess.check_call(["dpkg", "-x", deb, d])
                os.remove(deb)
    for z in PACKS:
        d = os.path.join(o.work, "sh3f", z)
        if not os.path.isdir(d):
            zipfile.ZipFile(glob.glob(o.work + f"/pkg/sweethome3d-furniture/**/{z}.sh3f", recursive=True)[0]).extractall(d)


def model_files(work, z, limit):
    for p in sorted(glob.glob(f"{work}/sh3f/{z}/**/*.obj", recursive=True)):
        rel = os.path.relpath(p, f"{work}/sh3f").lower()
        if not any(k in rel.split("/", 1)[1] for k in SKIP + list(RESERVED)) and os.path.getsize(p) <= limit:
            yield p, rel


def is_live(rel):
    return os.path.basename(os.path.dirname(rel)) in LIVE


def picture(f, n):
    return f, fit(cv2.imread(f, 1), n)


def clipart(o):
    random.seed(1)
    files, seen = sorted(glob.glob(o.work + "/pkg/openclipart-png/**/png/**/*.png", recursive=True)), set()
    random.shuffle(files)
    for f in files:
        a = None if any(k in f for k in CLIPART_SKIP) else cv2.imread(f, -1)
        if a is None or a.ndim < 3 or a.shape[2] < 4:
            continue
        t = trim((a >> 8).astype(np.uint8) if a.dtype != np.uint8 else a)
        if t is None or min(t.shape[:2]) < 60 or not 0.25 < (t[..., 3] > 200).mean() < 0.93:
            continue
        if ((t[..., 3] > 20) & (t[..., 3] < 235)).mean() > 0.15:
            continue
        t = fit(t, 256)
        key = cv2.resize(t, (8, 8), interpolation=cv2.INTER_AREA).tobytes()
        if key not in seen:
            seen.add(key)
            yield f, t
        if len(seen) >= 1800:
            return


def train_photos(o):
    for f in sorted(glob.glob(o.work + "/pkg/lomiri*/**/*.jpg", recursive=True)):
        if os.path.basename(f).startswith(tuple(CC_PHOTOS)):
            yield f


def textures(o):
    for f in sorted(glob.glob(o.work + "/sh3f/**/*.jpg", recursive=True)):
        a = cv2.imread(f, 1)
        if a is not None and min(a.shape[:2]) >= 128:
            yield f
    for k in TEXTURES:
        yield from glob.glob(o.work + f"/pkg/python3-skimage/**/data/{k}.png", recursive=True)


def test_stamps(o):
    for f in sorted(glob.glob(o.work + "/pkg/tuxpaint-stamps-default/**/stamps/**/*.png", recursive=True)):
        a = None if any(k in f for k in ("/symbols/", "cartoon", "flags")) else cv2.imread(f, -1)
        if a is None or a.ndim < 3 or a.shape[2] < 4 or (a[..., 3] < 10).mean() < 0.05:
            continue
        t = trim(a)
        if t is not None and max(t.shape[:2]) >= 120:
            yield f, fit(t, 320)


def test_photos(o):
    ev = glob.glob(o.work + "/pkg/mate-backgrounds/**/nature/*.jpg", recursive=True)
    ev += glob.glob(o.work + "/pkg/plasma*/**/contents/images/2560x1600.jpg", recursive=True)
    ev += glob.glob(o.work + "/pkg/tuxpaint-data/**/templates/*.jpg", recursive=True)
    ev += [f for k in ("Bridge", "free_by", "greentock", "analog") for f in glob.glob(o.work + f"/pkg/lomiri*/**/{k}*.jpg", recursive=True)]
    return [f for f in sorted(ev) if cv2.imread(f, 1) is not None]


def cmd_render(o):
    lib, live = Lib.get(o.work), []
    for z in PACKS:
        out = []
        for p, rel in model_files(o.work, z, 12e6):
            if o.only_live and not is_live(rel):
                continue
            m, rng = load(p), random.Random(rel)
            if m is None:
                continue
            views = [] if o.only_live else [render(lib, m, 256, rng) for _ in range(o.views)]
            out += [(rel, a) for a in views if a is not None]
            if is_live(rel):
                views = [render(lib, m, 320, rng) for _ in range(o.live_views)]
                live += [(rel, a) for a in views if a is not None]
        if not o.only_live:
            dump(o, "fg_3d_" + z, out)
    dump(o, "fg_live", live)
    if o.only_live:
        return
    dump(o, "fg_clipart", list(clipart(o)))
    dump(o, "bg_train", [picture(f, 1100) for f in train_photos(o)])
    dump(o, "tex", [picture(f, 512) for f in textures(o)])
    dump(o, "ev_stamps", list(test_stamps(o)))  # tests only from here on
    dump(o, "ev_bg", [picture(f, 1100) for f in test_photos(o)])


# ------------------------------------------------------------------------------------------------ who made what
def creators(work, z):
    """folder of a model, lower case -> its author, from the catalogue inside the pack"""
    entry, out = {}, {}
    for line in open(f"{work}/sh3f/{z}/PluginFurnitureCatalog.properties", encoding="latin-1"):
        k, _, v = line.strip().partition("=")
        if k.split("#")[-1].isdigit():
            entry.setdefault(int(k.split("#")[1]), {})[k.split("#")[0]] = v
    for e in entry.values():
        out[e.get("model", "//").split("/")[-2].lower()] = e.get("creator") or PACKS[z][1] or "?"
    return out


def used_files(o):
    """every file that is read, as (path, licence, author, role)"""
    for z, (licence, whole) in PACKS.items():
        by = creators(o.work, z)
        for p, rel in model_files(o.work, z, 12e6):
            d = os.path.dirname(p)
            for f in sorted(os.listdir(d)):
                if f.lower().endswith((".obj", ".mtl", ".jpg", ".jpeg", ".png")):
                    yield os.path.join(d, f), licence, by.get(rel.split("/")[-2], whole), "train"
    for f, _ in clipart(o):
        yield f, "public domain", "openclipart.org contributors", "train"
    for f in train_photos(o):
        yield f, *CC_PHOTOS[os.path.basename(f).split("_")[0]], "train"
    for f in textures(o):
        if "python3-skimage" in f:
            yield f, "CC0-1.0", "scikit-image", "train"
        else:  # textures of left-out models (doors, carpets) too
            z = os.path.relpath(f, o.work + "/sh3f").split("/")[0]
            yield f, PACKS[z][0], creators(o.work, z).get(os.path.basename(os.path.dirname(f)).lower(), PACKS[z][1]), "train"
    for f, _ in test_stamps(o):
        yield f, "GPL-2", "Tux Paint contributors", "test"
    for f in test_photos(o):
        p = os.path.relpath(f, o.work + "/pkg").split("/")[0]
        yield f, "CC-BY-SA-4.0" if p.startswith("lomiri") else PACKAGES[p][0], "see the package", "test"


def cmd_manifest(o):
    seen, allowed = set(), ("CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-US", "CC-BY-4.0", "public domain")
    with open(os.path.join(o.work, "manifest.jsonl"), "w") as out:
        for f, licence, author, role in used_files(o):
            if f in seen:
                continue
            seen.add(f)
            if role == "train" and licence not in allowed:
                raise SystemExit(f"{f}: {licence} may not train")
            digest = hashlib.sha256(open(f, "rb").read()).hexdigest()
            row = {"file": os.path.relpath(f, o.work), "sha256": digest, "licence": licence, "author": author, "role": role}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(len(seen), "files in manifest.jsonl")


def cmd_authors(o):
    print("Trained on pictures made from these CC BY works (changed: rendered, recoloured, composed):\n")
    print("Photos, CC BY 4.0, Debian package lomiri-wallpapers-16.04:", *[f"{k} by {a};" for k, (_, a) in CC_PHOTOS.items()])
    print("Models and textures, CC BY 3.0, packs of Sweet Home 3D (Debian package sweethome3d-furniture):")
    for z in list(PACKS)[1:]:
        used, by, names = {rel.split("/")[-2] for _, rel in model_files(o.work, z, 12e6)}, {}, creators(o.work, z)
        for d in sorted(used):
            by.setdefault(names.get(d, PACKS[z][1] or "?"), []).append(d)
        if PACKS[z][1]:
            print(f"{z}: {PACKS[z][1]}; {len(used)} models")
        else:
            print(*[f"{z}: {c}: {', '.join(m)}" for c, m in sorted(by.items())], sep="\n")
    print("\nNo duty, named all the same: BlendSwap-CC-0 models (CC0), openclipart (public domain), brick, grass, gravel of scikit-image (CC0).")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("command", choices=["fetch", "render", "manifest", "authors"])
    ap.add_argument("--work", required=True)
    ap.add_argument("--views", type=int, default=4)
    ap.add_argument("--live-views", type=int, default=48)
    ap.add_argument("--only-live", action="store_true", help="render the people and animals alone")
    opts = ap.parse_args()
    os.makedirs(opts.work, exist_ok=True)
    {"fetch": cmd_fetch, "render": cmd_render, "manifest": cmd_manifest, "authors": cmd_authors}[opts.command](opts)
