#!/usr/bin/env python3
"""Fits the confidence of the built-in default: the overlap with the truth that its result is expected to have.

    python3 doubt.py MATTEBOX PHOTOS [SET...]

Cuts every NAME.jpg of PHOTOS that has a NAME_mask.png with the built-in default, and seven parts of each: four corners, both
sides, the middle. Many parts hold little of the subject or none, and so show what results look like that are wrong. What a
result rests on comes from the JSON report: how far the network's mask agrees with it, how sure the network is within its mask
(the agreement with a soft mask cannot exceed that by much: their ratio is the figure), and the share of colours that inside and
outside have in common. A part without a subject (under 2 % of it) has overlap 0, whatever was found; parts that the subject fills
(over 80 %) and the photo without a subject are left out.

Ridge regression on standardised figures, ridge 2, a photo counts for three parts; every photo is judged by weights that have
not seen it or its parts. Prints the weights for engine/segment/confidence.c and the largest limit (confidence.h) that calls at
most one good result of six doubtful among photos and parts. SET: folders with tNNN.png and tNNN_cutout.png (evaluate.py
testset), for figures alone.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

RIDGE, PHOTO_WEIGHT, SIDE = 2.0, 3.0, 900
PARTS = {"tl": (0, 0, 0.45), "tr": (0, 1, 0.45), "bl": (1, 0, 0.45), "br": (1, 1, 0.45), "l": (0.5, 0, 0.6), "r": (0.5, 1, 0.6),
         "c": (0.5, 0.5, 0.75)}  # place down, place across, share of each side
GOOD, BAD = 0.85, 0.7


def found_and_figures(program, photos, folder):
    """Masks and [ratio, overlap of colours] of pictures by name; none where (nearly) nothing or everything was cut out."""
    (folder / "list").write_text("\n".join(map(str, photos)) + "\n")
    run = subprocess.run([program, "--files-from", folder / "list", "--model", "default", "-d", "none", "--only-mask", "--json", "-q", "-f",
                          "-o", folder / "out"], capture_output=True, text=True)
    out = {}
    for row in map(json.loads, run.stdout.splitlines()):
        basis = [float(v) / 100 for v in re.findall(r"([0-9.]+) %", row.get("confidence_basis") or "")]
        if len(basis) == 3:
            name = Path(row["input"]).stem
            agreement, strength, overlap = basis
            out[name] = np.array(Image.open(folder / "out" / f"{name}.mask.png").convert("L")) > 127, [min(1.0, agreement / strength), overlap]
    return out


def parts_of(photo, mask, folder):
    """Files of the parts, at most SIDE pixels before they are cut out, and their masks by name."""
    scale = min(1.0, SIDE / max(photo.size))
    size = [round(v * scale) for v in photo.size]
    photo, mask = photo.resize(size, Image.Resampling.BOX), mask.resize(size)
    for name, (down, across, share) in PARTS.items():
        w, h = int(size[0] * share), int(size[1] * share)
        x, y = int((size[0] - w) * across), int((size[1] - h) * down)
        photo.crop((x, y, x + w, y + h)).save(folder / f"{name}.png")
        yield name, np.array(mask.crop((x, y, x + w, y + h))) > 127


def overlap(found, truth):
    return (found & truth).sum() / max(1, (found | truth).sum())


def fit(x, y, weight):
    weight = weight / weight.mean()
    mean = (weight[:, None] * x).mean(0)
    spread = np.sqrt((weight[:, None] * (x - mean) ** 2).mean(0)) + 1e-9
    z, middle = (x - mean) / spread, (weight * y).mean()
    w = np.linalg.solve(z.T @ (weight[:, None] * z) + RIDGE * np.eye(z.shape[1]), z.T @ (weight * (y - middle))) / spread
    return w, middle - mean @ w


def flags(value, y, limit):
    kinds = ("bad", y < BAD), ("between", (y >= BAD) & (y < GOOD)), ("good", y >= GOOD)
    return ", ".join(f"{(value[m] < limit).sum()} of {m.sum()} {name}" for name, m in kinds)


def main():
    program, rows = sys.argv[1], []  # photo, name, overlap, figures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [p for p in sorted(Path(sys.argv[2]).glob("*.jpg")) if p.stem != "mountains"]
        whole = found_and_figures(program, photos, folder)
        for photo in photos:
            mask = Image.open(photo.with_name(photo.stem + "_mask.png")).convert("L")
            rows.append((photo.stem, "", overlap(whole[photo.stem][0], np.array(mask) > 127), whole[photo.stem][1]))
            truths = dict(parts_of(Image.open(photo).convert("RGB"), mask, folder))
            for part, (found, figures) in found_and_figures(program, [folder / f"{n}.png" for n in truths], folder).items():
                if truths[part].mean() <= 0.8:
                    rows.append((photo.stem, part, overlap(found, truths[part]) if truths[part].mean() >= 0.02 else 0.0, figures))
        sets = {}
        for test in map(Path, sys.argv[3:]):
            files = [f for f in sorted(test.glob("*.png")) if not f.stem.endswith("_cutout")]
            found = found_and_figures(program, files, folder)
            truth = {n: np.array(Image.open(test / f"{n}_cutout.png"))[..., 3] > 127 for n in found}
            sets[test.name] = np.array([overlap(found[n][0], truth[n]) for n in found]), np.array([found[n][1] for n in found])
    of, y, x = np.array([r[0] for r in rows]), np.array([r[2] for r in rows]), np.array([r[3] for r in rows])
    is_photo = np.array([r[1] == "" for r in rows])
    weight = np.where(is_photo, PHOTO_WEIGHT, 1.0)
    w, b = fit(x, y, weight)
    unseen = np.zeros(len(y))
    for one in set(of):
        weights, constant = fit(x[of != one], y[of != one], weight[of != one])
        unseen[of == one] = np.clip(x[of == one] @ weights + constant, 0, 1)
    good = np.sort(unseen[y >= GOOD])
    limit = good[len(good) // 6]
    print(f"agreement {w[0]:.4f}, overlap {w[1]:.4f}, constant {b:.4f}, limit {limit:.3f}")
    seen = {"photos, left out": (y[is_photo], unseen[is_photo]), "their parts, left out": (y[~is_photo], unseen[~is_photo])}
    seen.update({n: (truth, np.clip(figures @ w + b, 0, 1)) for n, (truth, figures) in sets.items()})
    for kind, (truth, value) in seen.items():
        print(f"{kind}: below the limit are {flags(value, truth, limit)}; correlation {np.corrcoef(value, truth)[0, 1]:.2f}")
    truth, value = (np.concatenate(v) for v in zip(*seen.values()))
    for low, high in ((0, 0.4), (0.4, 0.55), (0.55, 0.65), (0.65, 0.75), (0.75, 0.85), (0.85, 1.01)):
        inside = (value >= low) & (value < high)
        print(f"expected {low} to {min(high, 1)}: {inside.sum()} with {truth[inside].mean() if inside.any() else 0:.2f} on the mean")
    for i in np.argsort(-y):
        if is_photo[i]:
            print(f"| {of[i]} | {y[i]:.2f} | {unseen[i]:.2f} |")


if __name__ == "__main__":
    main()
