#!/usr/bin/env python3
"""Backgrounds from free photographs and panoramas: many views of each, for compose.py.

    photos.py --work W --lot 1 --seed 1 FOLDER...      -> W/bank_bg_photo1.pkl, W/manifest_photos_1.jsonl

A FOLDER holds JPEG or PNG photos without a subject that fills them, or panoramas (.hdr, width twice the height: a camera looks into them), and licence.txt: one line with the
licence and where they are from. Only CC0, CC BY and public domain may train. Nothing of it is committed.
"""

import argparse
import glob
import hashlib
import json
import math
import os
import pickle

import cv2
import numpy as np

SIDE = 256


def crops(r, im, count):
    """parts of a photo, from most of it to an eighth of its side, as far as its pixels reach; the shape a little changed, as the program's square is"""
    out, (h, w) = [], im.shape[:2]
    low = max(0.12, SIDE * 0.7 / min(h, w))
    while len(out) < count:
        q = min(h, w) * math.exp(r.uniform(math.log(min(low, 1)), 0))
        qh, qw = int(q), int(min(w, q * math.exp(abs(r.normal(0, 0.25)))))
        y, x = int(r.integers(0, h - qh + 1)), int(r.integers(0, w - qw + 1))
        c = cv2.resize(im[y : y + qh, x : x + qw], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        if c.std() > 12 or r.random() < 0.2:  # plain sky is common enough
            out.append(c)
    return out


def views(r, pano, count):
    """what a camera sees in an equirectangular panorama of linear light, exposed for what it sees"""
    out, (h, w) = [], pano.shape[:2]
    i, j = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    for _ in range(count):
        half = math.tan(math.radians(r.uniform(45, 85)) / 2)
        d = np.stack([(i + 0.5) / SIDE * 2 * half - half, half - (j + 0.5) / SIDE * 2 * half, np.ones((SIDE, SIDE))], -1)
        tilt, turn = math.radians(r.normal(-8, 12)), r.uniform(0, 2 * math.pi)
        y, z = d[..., 1] * math.cos(tilt) + d[..., 2] * math.sin(tilt), d[..., 2] * math.cos(tilt) - d[..., 1] * math.sin(tilt)
        u = (np.arctan2(d[..., 0], z) + turn) / (2 * math.pi) % 1
        v = np.arccos(np.clip(y / np.linalg.norm(d, axis=-1), -1, 1)) / math.pi
        at = lambda t: t.astype(np.float32)
        c = cv2.remap(pano, at(u * w - 0.5), at(v * h - 0.5), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        c = c / max(1e-6, float(np.percentile(c, r.uniform(70, 97)))) * r.uniform(0.5, 0.9)
        c = c * (1 + c / 9) / (1 + c)  # highlights roll off
        c = np.where(c <= 0.0031308, 12.92 * c, 1.055 * np.maximum(c, 1e-9) ** (1 / 2.4) - 0.055)
        out.append(np.clip(c * r.uniform(0.8, 1.2) * 255, 0, 255).astype(np.uint8))
    return out


def main(o):
    r, bank = np.random.default_rng(o.seed), []
    with open(os.path.join(o.work, f"manifest_photos_{o.lot}.jsonl"), "w") as manifest:
        for folder in o.folders:
            licence = open(os.path.join(folder, "licence.txt")).read().strip()
            if not licence.startswith(("CC0", "CC-BY-2", "CC-BY-3", "CC-BY-4", "public domain")):
                raise SystemExit(f"{folder}: {licence!r} may not train")
            for f in sorted(glob.glob(os.path.join(folder, "*"))):
                im = cv2.imread(f, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
                if im is None:
                    continue
                if im.dtype == np.float32:
                    bank += views(r, im, o.views)
                else:
                    k = min(1, 2200 / min(im.shape[:2]))
                    bank += crops(r, cv2.resize(im, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), o.crops)
                digest = hashlib.sha256(open(f, "rb").read()).hexdigest()
                print(json.dumps({"file": os.path.basename(f), "sha256": digest, "licence": licence, "role": "train"}, ensure_ascii=False), file=manifest)
    with open(os.path.join(o.work, f"bank_bg_photo{o.lot}.pkl"), "wb") as f:
        pickle.dump(bank, f)
    print(len(bank), "backgrounds")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folders", nargs="+")
    ap.add_argument("--work", required=True)
    for k, v in (("lot", 1), ("seed", 1), ("crops", 30), ("views", 24)):
        ap.add_argument("--" + k, type=int, default=v)
    main(ap.parse_args())
