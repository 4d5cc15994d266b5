#!/bin/sh
# pillow-heif gives the samples of a 10-bit HEIC picture shifted by six bits, not scaled: white is 65472 of 65535, and so is every value
# up to 0.1 % too dark. A white product shot read this way is no longer
# white, and a mask in such a file never reaches 1.
#
# Guess: the largest value of 10 bits becomes the largest of 16.
# Seen on 30 November 2026 with pillow-heif 1.8.1 (convert_hdr_to_8bit=False): 65472. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pillow-heif==1.8.1 numpy
"$work/venv/bin/python" - "$work" <<'END'
import sys

import numpy as np
import pillow_heif

path = sys.argv[1] + "/white.heic"
white = np.full((64, 64, 3), 65535, np.uint16)
pillow_heif.from_bytes("RGB;16", (64, 64), white.tobytes()).save(path, quality=-1)
photo = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
found = int(np.asarray(photo).max())
print(f"{photo.mode}, {photo.info['bit_depth']} bits in the file: white is read as {found}")
assert photo.info["bit_depth"] == 10 and found == 1023 << 6 == 65472
END
