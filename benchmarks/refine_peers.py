"""One peer on one picture, timed as bench_refine times ours: METHOD SIZE PARAMETER REPEATS PHOTO MASK -> a JSON line.

Needs numpy, OpenCV with its contrib modules (guidedFilter) and pymatting; single-threaded.
"""
import json
import resource
import sys
import time

import numpy as np

method, size, parameter, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
photo = np.fromfile(sys.argv[5], np.uint8).reshape(size, size, 3)
mask = np.fromfile(sys.argv[6], np.uint8).reshape(size, size)

if method == "copy":
    run = lambda: mask.copy()
elif method == "remap":
    def run():
        m = mask.astype(np.float32) / 255
        return (np.clip((m - 0.01) / (0.99 - 0.01), 0, 1) * 255).astype(np.uint8)
elif method == "trimap":
    import cv2
    cv2.setNumThreads(1)
    kernel = np.ones((parameter, parameter), np.uint8)
    def run():
        m = (mask == 255).astype(np.uint8) * 255
        eroded = cv2.erode(m, kernel, iterations=5)
        dilated = cv2.dilate(m, kernel, iterations=5)
        out = np.zeros_like(m)
        out[dilated == 255] = 127
        out[eroded == 255] = 255
        return out
elif method == "guided":
    import cv2
    cv2.setNumThreads(1)
    guide, source = photo.astype(np.float32) / 255, mask.astype(np.float32) / 255
    run = lambda: cv2.ximgproc.guidedFilter(guide=guide, src=source, radius=parameter, eps=0.015)
elif method == "cholesky":
    import cv2
    import pymatting
    cv2.setNumThreads(1)
    image = photo.astype(np.float64) / 255
    def run():
        g = cv2.GaussianBlur(mask.astype(np.float64) / 255, (parameter, parameter), 0)
        trimap = np.full(g.shape, 0.5)
        trimap[g < 0.01] = 0
        trimap[g > 0.99] = 1
        return pymatting.estimate_alpha_cf(image, trimap, laplacian_kwargs={"epsilon": 1e-6},
                                           cg_kwargs={"maxiter": 2000})
elif method == "ml":
    from pymatting import estimate_foreground_ml
    image, alpha = photo.astype(np.float32) / 255, mask.astype(np.float32) / 255
    run = lambda: estimate_foreground_ml(image, alpha)
elif method == "blurfusion":
    import cv2
    cv2.setNumThreads(1)
    image, alpha = photo / 255.0, mask[:, :, None] / 255.0
    def one(image, f, b, alpha, r):
        blurred = cv2.blur(alpha, (r, r))[:, :, None]
        f_mean = cv2.blur(f * alpha, (r, r)) / (blurred + 1e-5)
        b_mean = cv2.blur(b * (1 - alpha), (r, r)) / (1 - blurred + 1e-5)
        return np.clip(f_mean + alpha * (image - alpha * f_mean - (1 - alpha) * b_mean), 0, 1), b_mean
    def run():
        f, b = one(image, image, image, alpha, 90)
        return one(image, f, b, alpha, 6)[0]
else:
    sys.exit(f"no peer for {method}")

run()  # compiled caches warm
wall = cpu = 1e30
for _ in range(repeats):
    w, c = time.perf_counter(), time.process_time()
    run()
    wall, cpu = min(wall, time.perf_counter() - w), min(cpu, time.process_time() - c)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"method": method, "size": size, "parameter": parameter, "wall_ms": round(wall * 1e3, 2),
                  "cpu_ms": round(cpu * 1e3, 2), "peak_mib": round(peak)}))
