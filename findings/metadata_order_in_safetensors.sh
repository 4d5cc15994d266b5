#!/bin/sh
# safetensors writes the entries of `__metadata__` in an order drawn anew for each file. The same tensors with the same metadata, saved
# twice by the same program, give files of the same size with different SHA-256, as soon as there are two entries. Caches and
# catalogues that go by a file's hash take them for different models; a hash of the tensors' bytes is what stays.
#
# Guess: a format without timestamps gives the same bytes for the same values.
# Seen on 30 November 2026 with safetensors 0.8.0: 20 files with eight entries have 20 different hashes, with one entry or none a single
# one. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q safetensors==0.8.0 numpy
"$work/venv/bin/python" <<'END'
import hashlib

import numpy as np
from safetensors.numpy import load, save

weights = {"w": np.arange(6, dtype=np.float32)}
for entries in (0, 1, 8):
    metadata = {f"key{i}": str(i) for i in range(entries)} or None
    files = [save(weights, metadata=metadata) for _ in range(20)]
    hashes = {hashlib.sha256(f).hexdigest() for f in files}
    assert len({len(f) for f in files}) == 1 and all(np.array_equal(load(f)["w"], weights["w"]) for f in files)
    print(f"{entries} entries: 20 files of {len(files[0])} bytes, {len(hashes)} different SHA-256")
    assert len(hashes) > 10 if entries == 8 else len(hashes) == 1
END
