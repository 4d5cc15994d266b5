#!/usr/bin/env python3
"""Many clients at once, half of what they send broken: load.py BUILD SECONDS CLIENTS [SERVE OPTION]...

Photos of 1 to 12 megapixels (or of the SIZES of the environment, "320x240 640x480", for a soak) are drawn by formula. Every answer is checked: a whole photo
gives the bytes of the first answer to it, a broken one 413, 415 or 422, and 429 is an answer that asks to come again.
Prints counts, times, the server's overhead (the client's time less the stages' and the queue's), memory at a tenth of the time and at the end,
and fails if an answer is wrong, the server died, or its memory grew by more than 5 %."""
import hashlib
import http.client
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib

PORT = 7441
SIZES = [tuple(map(int, s.split("x")))
         for s in os.environ.get("SIZES", "1155x866 1633x1225 2309x1732 2828x2121 3464x2598 4000x3000").split()]


def png(width, height, seed):
    """A disc before a gradient, as a PNG."""
    rows = []
    cx, cy, r = width * (0.4 + 0.02 * seed), height * 0.5, height * 0.35
    ramp = bytes((x * 255 // width, 90, (seed * 40) % 256)[c] for x in range(width) for c in range(3))
    for y in range(height):
        half = (r * r - (y - cy) ** 2) ** 0.5 if abs(y - cy) < r else 0
        a, b = int(cx - half), int(cx + half)
        row = ramp if half < 1 else ramp[: 3 * a] + bytes((220, 60, 50)) * (b - a) + ramp[3 * b :]
        rows.append(b"\0" + row)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(rows), 1)) + chunk(b"IEND", b"")


def broken(rng, data):
    way = rng.randrange(4)
    if way == 0:
        return data[: rng.randrange(1, len(data) - 20)]
    if way == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5000)))
    changed = bytearray(data)
    for _ in range(20):
        changed[rng.randrange(8, 400)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def resident(pid):
    total = 0
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            total = int(line.split()[1])
    return total


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.statuses, self.wrong, self.seconds, self.overhead, self.work = {}, [], [], [], []
        self.digests = {}


def client(number, photos, until, tally):
    rng = random.Random(number)
    while time.time() < until:
        which = rng.randrange(len(photos))
        data, bad = photos[which], rng.random() < 0.5
        sent = broken(rng, data) if bad else data
        start = time.perf_counter()
        try:
            c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
            c.request("POST", "/v1/cut?detail=guided", sent, {"Content-Type": "image/png"})
            r = c.getresponse()
            body = r.read()
            c.close()
        except (OSError, http.client.HTTPException) as e:
            with tally.lock:
                tally.wrong.append(repr(e))
            time.sleep(1)
            continue
        seconds = time.perf_counter() - start
        times = {k: float(v) for k, v in re.findall(r"(\w+);dur=([\d.]+)", r.headers.get("Server-Timing", ""))}
        with tally.lock:
            tally.statuses[r.status] = tally.statuses.get(r.status, 0) + 1
            if r.status == 200 and not bad:
                digest = hashlib.sha256(body).hexdigest()
                if tally.digests.setdefault(which, digest) != digest:
                    tally.wrong.append(f"photo {which}: other bytes")
                tally.seconds.append(seconds)
                tally.work.append(sum(times[k] for k in ("decode", "network", "refine", "compose", "encode")))
                tally.overhead.append(1e3 * seconds - tally.work[-1] - times["queue"])
            elif not (r.status in (413, 415, 422) if bad else r.status == 200) and r.status != 429 and not (bad and r.status == 200):
                tally.wrong.append(f"{'broken' if bad else 'whole'}: {r.status} {body[:100]}")
        if r.status == 429:
            time.sleep(min(5, int(r.headers["Retry-After"])))


def main():
    build, seconds, clients = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    photos = [png(w, h, i) for i, (w, h) in enumerate(SIZES)]
    server = subprocess.Popen(
        [build + "/mattebox", "serve", "--listen", f"127.0.0.1:{PORT}", "--model", "demo", "--connections", "200", "-q"] + sys.argv[4:])
    for _ in range(600):
        try:
            c = http.client.HTTPConnection("127.0.0.1", PORT)
            c.request("GET", "/ready")
            if c.getresponse().status == 200:
                break
        except OSError:
            pass
        time.sleep(0.2)
    tally = Tally()
    until = time.time() + seconds
    threads = [threading.Thread(target=client, args=(i, photos, until, tally)) for i in range(clients)]
    for t in threads:
        t.start()
    marks = []
    while time.time() < until:
        time.sleep(max(0.5, seconds / 20))
        marks.append(resident(server.pid))
    for t in threads:
        t.join()
    alive = server.poll() is None
    marks.append(resident(server.pid) if alive else 0)
    server.terminate()
    code = server.wait(60)
    early, late = max(marks[1 : len(marks) // 2]), max(marks[len(marks) // 2 :])
    print("answers", dict(sorted(tally.statuses.items())), "wrong", len(tally.wrong), tally.wrong[:5])
    if tally.seconds:
        print(f"whole photos {len(tally.seconds)}: p50 {statistics.median(tally.seconds):.2f} s, work {statistics.median(tally.work):.0f} ms, "
              f"overhead p50 {statistics.median(tally.overhead):.1f} ms")
    print(f"resident KiB: most of the first half {early}, of the second {late} ({100 * (late - early) / early:+.1f} %); exit code {code}")
    sys.exit(bool(tally.wrong) or not alive or code != 0 or late > 1.05 * early)


main()
