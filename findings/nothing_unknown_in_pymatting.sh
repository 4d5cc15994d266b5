#!/bin/sh
# PyMatting cannot take a trimap that is decided everywhere: with nothing left to solve, its closed form iterates 10,000
# times and fails with "Conjugate gradient descent did not converge", where the answer is the trimap itself. A pipeline that makes trimaps from masks
# meets this on every picture whose mask has no soft edge and whose band of unknown pixels is set to 0; the error speaks of numbers, not of
# the trimap. One unknown pixel is enough to make it work.
#
# Guess: no unknowns, nothing to do.
# Seen on 30 November 2026 with PyMatting 1.1.16. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pymatting==1.1.16
"$work/venv/bin/python" <<'END'
import numpy as np
import pymatting

photo = np.random.default_rng(0).random((40, 50, 3))
trimap = np.zeros((40, 50))
trimap[10:30, 15:35] = 1
for unknown in (0, 1):
    if unknown:
        trimap[20, 14] = 0.5
    try:
        found = pymatting.estimate_alpha_cf(photo, trimap)
        said = "solved" if np.array_equal(found[trimap != 0.5], trimap[trimap != 0.5]) else "solved wrongly"
    except ValueError as e:
        said = str(e)
    print(f"{unknown} unknown pixels: {said}")
    assert said == "solved" if unknown else "did not converge" in said
END
