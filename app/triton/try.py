#!/usr/bin/env python3
"""The end-to-end test that try.sh runs beside a server: try.py BUILD ADDRESS PID. See there."""
import os
import subprocess
import sys
import threading
import time
import urllib.error

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import infer  # noqa: E402

build, address, pid = sys.argv[1], sys.argv[2], sys.argv[3]
tick = os.sysconf("SC_CLK_TCK")


def photo(width, height, seed=1):
    """A bright ellipse on a dark gradient: something that is found."""
    out = bytearray(width * height * 3)
    for y in range(height):
        for x in range(width):
            inside = ((x - width / 2) / (width / 4)) ** 2 + ((y - height / 2) / (height / 3)) ** 2 < 1
            out[3 * (y * width + x) : 3 * (y * width + x) + 3] = (
                (220, 190 - seed % 50, 60) if inside else (x * 60 // width, 40, y * 90 // height)
            )
    return bytes(out)


def program(pixels, width, height, n=1, out="rgba", size="", more=()):
    """The same by the program: n frames; returns bytes, seconds, CPU seconds."""
    begin, times = time.perf_counter(), os.times()
    done = subprocess.run(
        [f"{build}/mattebox", "frames", "--size", f"{width}x{height}", "--out", out, "-q", "-d", "guided", *more],
        input=pixels * n, stdout=subprocess.PIPE, check=True,
    )
    after = os.times()
    cpu = after.children_user + after.children_system - times.children_user - times.children_system
    return done.stdout, time.perf_counter() - begin, cpu


def cpu_of(process):
    fields = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / tick


def check(what, good):
    print(("ok      " if good else "FAILED  ") + what, flush=True)
    if not good:
        sys.exit(1)


width, height = 320, 240
one = photo(width, height)
both = infer(address, {"image": ((1, height, width, 3), "UINT8", one)}, ["alpha", "cutout"])
want = program(one, width, height)[0]
check("the cut-out is the program's, byte for byte", both["cutout"][1] == want)
check("shapes", both["cutout"][0] == [1, height, width, 4] and both["alpha"][0] == [1, height, width])
check("alpha is that of the cut-out", both["alpha"][1] == want[3::4])
only = infer(address, {"image": ((1, height, width, 3), "UINT8", one)}, ["alpha"])
check("only what is asked for", list(only) == ["alpha"])

three = [photo(width, height, seed) for seed in (1, 20, 40)]
batch = infer(address, {"image": ((3, height, width, 3), "UINT8", b"".join(three))}, ["cutout"])["cutout"]
check("three in one request", batch[0][0] == 3 and batch[1] == b"".join(program(p, width, height)[0] for p in three))

for shape, kind, data, words in (
    ((1, 2, 2, 2), "UINT8", bytes(8), "shape"),
    ((1, 2, 2, 3), "FP32", bytes(48), ""),
):
    try:
        infer(address, {"image": (shape, kind, data)}, ["alpha"])
        check(f"{shape} {kind} is refused", False)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        check(f"{shape} {kind} is refused: {text[:90]}", error.code == 400 and words in text)

# Many at once, of different sizes: every answer is the right one, and the batcher has put some together.
answers, sizes = {}, [(96, 64), (64, 96), (128, 128)]
wanted = {s: program(photo(*s), *s)[0] for s in sizes}


def ask(k):
    size = sizes[k % 3]
    shape = (1, size[1], size[0], 3)
    answers[k] = infer(address, {"image": (shape, "UINT8", photo(*size))}, ["cutout"])["cutout"][1] == wanted[size]


threads = [threading.Thread(target=ask, args=(k,)) for k in range(24)]
[t.start() for t in threads]
[t.join() for t in threads]
check("24 at once, all right", len(answers) == 24 and all(answers.values()))
import json  # noqa: E402
import urllib.request  # noqa: E402

stats = json.load(urllib.request.urlopen(f"http://{address}/v2/models/mattebox/stats"))["model_stats"][0]
check(f"dynamic batching: {stats['inference_count']} pictures in {stats['execution_count']} executions",
      stats["execution_count"] < stats["inference_count"])

# A client that goes away: the work is stopped, and the next one is served at once.
large = photo(1600, 1200)
try:
    infer(address, {"image": ((1, 1200, 1600, 3), "UINT8", large)}, ["alpha"], timeout=0.3)
except Exception as error:  # the time limit of this client
    print(f"        gave up: {type(error).__name__}")
begin = time.perf_counter()
ask(0)
check(f"after a client that went away, the next is right ({time.perf_counter() - begin:.2f} s)", answers[0])

# Latency: one client, one after the other, against the library in the program; CPU and clock, alternating.
pictures, rounds = 6, 5
infer(address, {"image": ((1, height, width, 3), "UINT8", one)}, ["cutout"])
clock, cpu = [[], []], [[], []]
for _ in range(rounds):
    before = cpu_of(pid)
    for _ in range(pictures):
        begin = time.perf_counter()
        infer(address, {"image": ((1, height, width, 3), "UINT8", one)}, ["cutout"])
        clock[0].append(time.perf_counter() - begin)
    cpu[0].append((cpu_of(pid) - before) / pictures)
    # What one more picture costs in the program: the difference of two runs takes its start away.
    few, many = program(one, width, height, 2), program(one, width, height, 2 + pictures)
    clock[1].append((many[1] - few[1]) / pictures)
    cpu[1].append((many[2] - few[2]) / pictures)
middle = [sorted(c)[len(c) // 2] for c in clock]
work = [sorted(c)[len(c) // 2] for c in cpu]
print(f"        a picture of {width}x{height}: server {1e3 * middle[0]:.1f} ms, CPU {1e3 * work[0]:.1f} ms; "
      f"library {1e3 * middle[1]:.1f} ms, CPU {1e3 * work[1]:.1f} ms")
check(f"CPU of the server is within 10 % of the library's ({work[0] / work[1]:.3f})", work[0] <= 1.1 * work[1])
print(f"        latency is {middle[0] / middle[1]:.3f} of the library's (the clock: only on an idle machine)")
