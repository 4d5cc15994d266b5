#!/bin/sh
# PySODMetrics, by which nearly all papers on salient objects and BiRefNet report, stretches every mask so that its smallest value is 0
# and its largest 1 before it measures anything. A mask at half or at four per cent of its strength, or one whose background is 100 of 255, has an MAE
# of 0 and an S-measure of 1. So the published MAE says nothing about the strength of a mask, and figures of a tool that does not stretch
# (such as mattebox's evaluate.py) are not comparable: they are worse for the same mask. A mask of one value alone is not stretched.
#
# Guess: the mean absolute error is the mean of the absolute errors.
# Seen on 30 November 2026 with pysodmetrics 1.6.2: 0 where the plain mean is 0.12 to 0.29. Fails if that changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pysodmetrics==1.6.2
"$work/venv/bin/python" <<'END'
import numpy as np
from py_sod_metrics import MAE, Smeasure

truth = np.zeros((64, 64), np.uint8)
truth[16:48, 16:48] = 255
masks = {"half as strong": truth // 2, "4 % as strong": truth // 25, "background at 100": np.maximum(truth, 100), "128 everywhere": np.full_like(truth, 128)}
for name, mask in masks.items():
    mae, s = MAE(), Smeasure()
    mae.step(pred=mask, gt=truth)
    s.step(pred=mask, gt=truth)
    reported, plain = mae.get_results()["mae"], np.abs(mask / 255 - truth / 255).mean()
    print(f"{name}: MAE {reported:.3f}, the plain mean {plain:.3f}; S-measure {s.get_results()['sm']:.3f}")
    assert abs(reported - plain) < 1e-3 if name == "128 everywhere" else reported == 0 and plain > 0.1
END
