#!/usr/bin/env python3
"""Many clients at once, half of what they send broken: load.py BUILD SECONDS CLIENTS [SERVE OPTION]...

Photos of 1 to 12 megapixels (or of the SIZES of the environment, "320x240 640x480") are drawn by formula, PNG and JPEG in turn.
Every answer is checked: a whole photo gives the bytes that the program itself writes, a broken one gives these (what was
changed was of no weight) or 413, 415 or 422, and 429 is an answer that asks to come again.
Prints counts and, for whole photos, times: of the work, of waiting in the queue, the server's overhead (docs/server.md, "Times"),
of receiving, and what the client took beyond all of these, which is sending the answer and its own lateness; memory, descriptors and threads of the server and its decoders twenty times, or each LOG_SECONDS of the environment, into the file LOG as well.
Fails if an answer is wrong, if the server died, if it has more descriptors or threads when all clients are gone than before they came, or
if the second half's most memory exceeds the first half's by more than 5 %."""
import collections
import hashlib
import http.client
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PORT = int(os.environ.get("PORT", "7441"))
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


def files_of(program, folder):
    """The photos, and what the program makes of them."""
    photos, expected = [], []
    for i, (w, h) in enumerate(SIZES):
        name, cut = f"{folder}/{i}.png", f"{folder}/{i}.cutout.png"
        with open(name, "wb") as f:
            f.write(png(w, h, i))
        if i % 2:
            subprocess.run([program, name, "--model", "saliency", "--background", "teal", "-q", "-o", f"{folder}/{i}.jpeg"], check=True)
            name = f"{folder}/{i}.jpeg"
        subprocess.run([program, name, "--model", "demo", "--detail", "guided", "-q", "-o", cut], check=True)
        photos.append(open(name, "rb").read())
        expected.append(hashlib.sha256(open(cut, "rb").read()).hexdigest())
    return photos, expected


def process(pid):
    """Resident KiB, descriptors and threads."""
    fields = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return int(fields["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])


def decoders_of(pid):
    """Resident KiB of all of them, and how many there are: they are started again after each crash or limit."""
    total = n = 0
    for child in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split():
        try:
            total += process(child)[0]
            n += 1
        except (OSError, KeyError):
            pass
    return total, n


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.statuses, self.wrong, self.seconds = {}, [], []
        self.times = {"work": [], "queue": [], "overhead": [], "receive": [], "beyond": []}
        self.other = 0  # broken in its pixels alone: a picture still, but another one


def client(number, photos, expected, until, tally):
    rng = random.Random(number)
    while time.time() < until:
        which = rng.randrange(len(photos))
        data, bad = photos[which], rng.random() < 0.5
        sent = broken(rng, data) if bad else data
        start = time.perf_counter()
        try:
            c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1800)
            c.request("POST", "/v1/cut?detail=guided", sent, {"Content-Type": "application/octet-stream"})
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
            if r.status == 200:
                right = hashlib.sha256(body).hexdigest() == expected[which]
                if not right and not bad:
                    tally.wrong.append(f"photo {which}: other bytes")
                tally.other += bad and not right
            elif r.status != 429 and not (bad and r.status in (413, 415, 422)):
                tally.wrong.append(f"{'broken' if bad else 'whole'}: {r.status} {body[:100]}")
            if r.status == 200 and not bad:
                tally.seconds.append(seconds)
                work = sum(times.get(k, 0.0) for k in ("decode", "network", "refine", "compose", "other", "encode"))
                found = {"work": work, "queue": times["queue"], "overhead": times.get("overhead", 0.0), "receive": times.get("receive", 0.0),
                         "beyond": 1e3 * seconds - times.get("receive", 0.0) - times["total"]}
                for what, ms in found.items():
                    tally.times[what].append(ms)
        if r.status == 429:
            time.sleep(min(5, int(r.headers["Retry-After"])))


def watch(server, seconds, log):
    """Marks of the server's memory, descriptors and threads until the time is over."""
    marks, end, step = [], time.time() + seconds, float(os.environ.get("LOG_SECONDS", seconds / 20))
    while time.time() < end and server.poll() is None:
        time.sleep(max(0.5, min(step, end - time.time())))
        if server.poll() is None:
            marks.append(process(server.pid) + decoders_of(server.pid))
            print(f"{seconds - end + time.time():7.0f} s: {marks[-1][0]} KiB, {marks[-1][1]} descriptors, {marks[-1][2]} threads; "
                  f"{marks[-1][4]} decoders with {marks[-1][3]} KiB", file=log, flush=True)
    return marks


def await_ready(server):
    while server.poll() is None:
        try:
            c = http.client.HTTPConnection("127.0.0.1", PORT)
            c.request("GET", "/ready")
            if c.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit("the server has ended")


def judge(server, tally, marks, before):
    """Ends the server and says what was seen. True: something was wrong."""
    alive = server.poll() is None
    time.sleep(2)
    after = process(server.pid) if alive else before
    server.terminate()
    code = server.wait(60)
    kinds = collections.Counter(text[:90] for text in tally.wrong)
    print("answers", dict(sorted(tally.statuses.items())), "wrong", len(tally.wrong), kinds.most_common(5), "changed, but still pictures", tally.other)
    if tally.seconds:
        print(f"whole photos {len(tally.seconds)}: p50 {statistics.median(tally.seconds):.2f} s; "
              + ", ".join(f"{k} {statistics.median(v):.1f} ms" for k, v in tally.times.items()))
    failed = bool(tally.wrong) or not alive or code != 0
    half = len(marks) // 2
    for what, column in (("resident KiB", 0), ("descriptors", 1), ("threads", 2), ("decoders' KiB", 3)):
        early, late = (max(m[column] for m in part) for part in (marks[1:half], marks[half:]))
        print(f"{what}: at most {early} in the first half, {late} in the second ({100 * (late - early) / max(early, 1):+.1f} %)")
        failed |= column == 0 and late > 1.05 * early
    print(f"before the clients came {before[1]} descriptors, {before[2]} threads; after they were gone {after[1]}, {after[2]}")
    failed |= after[1] > before[1] or after[2] > before[2]
    print(f"exit code {code}")
    return failed


def main():
    build, seconds, clients = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        photos, expected = files_of(build + "/mattebox", folder)
    server = subprocess.Popen(
        [build + "/mattebox", "serve", "--listen", f"127.0.0.1:{PORT}", "--model", "demo", "--connections", "200", "-q"] + sys.argv[4:])
    await_ready(server)
    before = process(server.pid)
    tally = Tally()
    until = time.time() + seconds
    threads = [threading.Thread(target=client, args=(i, photos, expected, until, tally)) for i in range(clients)]
    for t in threads:
        t.start()
    with open(os.environ.get("LOG", "/dev/null"), "w") as log:
        marks = watch(server, seconds, log)
    for t in threads:
        t.join()
    sys.exit(judge(server, tally, marks, before))


if __name__ == "__main__":
    main()
