#!/usr/bin/env python3
"""What tests/endurance.sh starts: run.py ROOT BUILD HOURS FOLDER."""
import hashlib
import http.client
import json
import os
import platform
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT, BUILD, HOURS, FOLDER = sys.argv[1], os.path.abspath(sys.argv[2]), float(sys.argv[3]), os.path.abspath(sys.argv[4])
PICTURES = ROOT + "/tests/data/pictures/"
SECONDS = HOURS * 3600
STEP = min(30.0, SECONDS / 20)  # between samples
HOSTILE = 0.05
stop = threading.Event()
lock = threading.Lock()
wrong = []  # lines of what was not as it should be
start = time.time()


def complain(text):
    with lock:
        wrong.append(f"{time.time() - start:.0f} s: {text}")
        if len(wrong) <= 200:
            with open(FOLDER + "/wrong.txt", "a") as f:
                f.write(wrong[-1] + "\n")


# ---- pictures: small, of all kinds that are written and read

def make_photos(folder):
    """Small photos as PPM, JPEG and PNG, made of the test's own ones by the program itself."""
    os.makedirs(folder, exist_ok=True)
    chelsea = PICTURES + "chelsea.ppm"
    data = open(chelsea, "rb").read()
    head, width, height, pixels = read_ppm(data)
    for i, step in enumerate((2, 3, 4)):
        rows = [pixels[3 * width * y : 3 * width * (y + 1)] for y in range(0, height, step)]
        small = [b"".join(r[3 * x : 3 * x + 3] for x in range(0, width, step)) for r in rows]
        with open(f"{folder}/small{i}.ppm", "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % (len(small[0]) // 3, len(small)) + b"".join(small))
    for name in ("files/rgb420.jpg", "files/rgba8.png", "files/gray16.png", "tiff/tiled.tif", "profiles/p3.webp", "square.jpg"):
        if os.path.exists(PICTURES + name):
            with open(folder + "/" + os.path.basename(name), "wb") as f:
                f.write(open(PICTURES + name, "rb").read())
    return sorted(folder + "/" + n for n in os.listdir(folder))


def read_ppm(data):
    words, at = [], 0
    while len(words) < 4:
        end = at
        while data[end : end + 1] not in b" \n\t":
            end += 1
        words.append(data[at:end])
        at = end + 1
    return words[0], int(words[1]), int(words[2]), data[at:]


def hostile(rng, data):
    """A body that is no whole picture: cut, flipped, boundary values in its head, noise, two files in one, nothing."""
    way = rng.randrange(6)
    if way == 0:
        return data[: rng.randrange(0, len(data))]
    if way == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5000)))
    if way == 2:
        return data[: len(data) // 2] + data[: len(data) // 2]
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 30)):
        at = rng.randrange(min(len(changed), 400)) if way != 3 else rng.randrange(len(changed))
        changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, changed[at] ^ (1 << rng.randrange(8))))
    return bytes(changed)


# ---- batches of the program

BATCHES = [
    ("saliency", ["-m", "saliency"], ".cutout.png"),
    ("guided", ["-m", "saliency", "-d", "guided", "--mask"], ".cutout.png"),
    ("closed", ["-m", "saliency", "-d", "pymatting", "-b", "white"], ".composite.png"),
    ("grabcut", ["-m", "saliency", "--grabcut", "--crop=3"], ".cutout.png"),
    ("webp", ["-m", "saliency", "--format", "webp", "--feather", "1"], ".cutout.webp"),
    ("network", ["-m", "demo", "--size", "128", "-d", "guided"], ".cutout.png"),
    ("threads", ["-m", "demo", "--size", "128", "-d", "guided", "-t", "5"], ".cutout.png"),
    ("network", ["-m", "demo", "--size", "128", "-d", "guided", "-t", "1"], ".cutout.png"),
]


class Batches(threading.Thread):
    """Random photos in random order, one in twenty of them broken; each result is compared with its first."""

    def __init__(self, photos):
        super().__init__()
        self.photos, self.rng, self.first = photos, random.Random(11), {}
        self.runs = self.results = self.refused = self.peak = 0

    def run(self):
        while not stop.is_set():
            self.batch()

    def batch(self):
        kind, options, ending = self.rng.choice(BATCHES)
        chosen = self.rng.sample(self.photos, self.rng.randrange(1, 5))
        inside, out = FOLDER + "/in", FOLDER + "/out"
        subprocess.run(["rm", "-rf", inside, out], check=True)
        os.makedirs(inside)
        bad = 0
        for path in chosen:
            os.symlink(path, inside + "/" + os.path.basename(path))
        if self.rng.random() < 0.2:
            with open(inside + "/zz.png", "wb") as f:
                f.write(b"\x89PNG\r\n\x1a\n" + bytes(self.rng.randrange(256) for _ in range(200)))
            bad = 1
        p = subprocess.Popen([BUILD + "/mattebox", inside, "-o", out + "/", "-q"] + options, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        text = p.stderr.read()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        self.runs += 1
        self.peak = max(self.peak, usage.ru_maxrss)
        if p.returncode != bad:
            complain(f"batch {kind} {options}: exit code {p.returncode}: {text[-300:]!r}")
            return
        self.refused += bad
        for path in chosen:
            stem = os.path.splitext(os.path.basename(path))[0]
            try:
                digest = hashlib.sha256(open(f"{out}/{stem}{ending}", "rb").read()).hexdigest()
            except OSError as e:
                complain(f"batch {kind}: {e}")
                continue
            # any number of threads gives the same bytes
            key = ("network" if kind == "threads" else kind, stem)
            if self.first.setdefault(key, digest) != digest:
                complain(f"batch {kind}: {stem} has other bytes")
            self.results += 1


# ---- the server and its clients

QUERIES = ["/v1/cut?model=saliency&detail=guided", "/v1/cut?model=saliency&output=mask", "/api/remove?model=saliency",
           "/v1/cut?model=demo&input-size=128", "/v1/cut?model=saliency&background=red&format=jpeg", "/v1/trimap"]


class Client(threading.Thread):
    def __init__(self, number, port, photos, first):
        super().__init__()
        self.port, self.rng, self.first = port, random.Random(number), first
        self.bodies = [open(p, "rb").read() for p in photos]
        self.statuses, self.latencies, self.hostile = {}, [], 0

    def run(self):
        connection = None
        while not stop.is_set():
            which, path = self.rng.randrange(len(self.bodies)), self.rng.choice(QUERIES)
            bad = self.rng.random() < HOSTILE
            body = hostile(self.rng, self.bodies[which]) if bad else self.bodies[which]
            if path == "/v1/trimap":
                path, body, kind = path, *form("mask", body)
            elif path.startswith("/api/remove"):
                path, body, kind = path, *form("file", body)
            else:
                kind = "application/octet-stream"
            try:
                if connection is None or self.rng.random() < 0.1:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
                begin = time.monotonic()
                connection.request("POST", path, body, {"Content-Type": kind})
                answer = connection.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException) as e:
                connection = None
                if not stop.is_set():
                    complain(f"server: no answer: {e!r}")
                    stop.wait(1)
                continue
            self.judge(answer.status, data, path, which, bad)
            if not bad and answer.status == 200:
                self.latencies.append((time.time() - start, time.monotonic() - begin))
            if answer.getheader("Connection", "").lower() == "close":
                connection = None

    def judge(self, status, data, path, which, bad):
        with lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.hostile += bad
            known = self.first.setdefault((path, which), (status, hashlib.sha256(data).hexdigest() if status == 200 else "")) \
                if not bad and status != 429 else None
        if bad and status not in (200, 400, 413, 415, 422, 429):
            complain(f"server: hostile body: {status} {data[:200]!r}")
        if known is not None and known != (status, hashlib.sha256(data).hexdigest() if status == 200 else ""):
            complain(f"server: {path}, photo {which}: {status}, not as the first time ({known[0]}): {data[:200]!r}")


def form(name, data):
    boundary = "x7f3b0c55aa"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\nContent-Type: application/octet-stream\r\n\r\n'
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), "multipart/form-data; boundary=" + boundary


def start_server():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    log = open(FOLDER + "/server.log", "w")
    server = subprocess.Popen([BUILD + "/mattebox", "serve", "--listen", f"127.0.0.1:{port}", "-m", "demo", "-m", "saliency", "--timeout", "3600"],  # a starved machine is no fault
                              stdout=log, stderr=log, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    for _ in range(1200):
        try:
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            c.request("GET", "/ready")
            if c.getresponse().status == 200:
                return server, port
        except OSError:
            pass
        time.sleep(0.25)
    sys.exit("the server does not become ready: " + FOLDER + "/server.log")


# ---- measuring

def process_numbers(pid):
    """Resident KiB, descriptors, threads."""
    resident = threads = 0
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS"):
                resident = int(line.split()[1])
            elif line.startswith("Threads"):
                threads = int(line.split()[1])
    return resident, len(os.listdir(f"/proc/{pid}/fd")), threads


def family(pid):
    """The process and those that its threads started."""
    pids = [pid]
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as f:
                pids += [int(c) for c in f.read().split()]
        except OSError:  # a thread that has ended, or a system without that file
            pass
    return pids


def judge_series(name, rows, lines, drift_most=2.0):
    """rows: (second, work done, resident, descriptors, threads). The first third is warming up."""
    if len(rows) < 9:
        lines.append(f"{name}: too few samples ({len(rows)}) to judge growth")
        return True
    tail = rows[len(rows) // 3 :]
    half = len(tail) // 2
    early, late = statistics.median(r[2] for r in tail[:half]), statistics.median(r[2] for r in tail[half:])
    drift = 100 * (late - early) / early
    descriptors, threads = [r[3] for r in tail], [r[4] for r in tail]
    # those of requests and jobs that are under way come and go: a leak shows in the most there were
    ground = max(descriptors[half:]) - max(descriptors[:half]), max(threads[half:]) - max(threads[:half])
    ok = drift <= drift_most and ground[0] <= 3 and ground[1] <= 3
    lines.append(f"{name}: resident {early / 1024:.1f} MiB (median of the second third), {late / 1024:.1f} MiB (of the last): {drift:+.2f} %; "
                 f"most {max(r[2] for r in rows) / 1024:.1f} MiB; descriptors {min(descriptors)} to {max(descriptors)}, threads {min(threads)} to "
                 f"{max(threads)}, at the most {ground[0]:+d} and {ground[1]:+d} in the last third{'' if ok else '   <- GROWS'}")
    return ok


def percentiles(latencies, lines):
    latencies.sort()
    if len(latencies) < 100:
        return
    for i in range(4):
        part = sorted(s for _, s in latencies[i * len(latencies) // 4 : (i + 1) * len(latencies) // 4])
        lines.append(f"  quarter {i + 1} of the answers: p50 {1e3 * part[len(part) // 2]:.0f} ms, p99 {1e3 * part[len(part) * 99 // 100]:.0f} ms")


def main():
    for name in ("wrong.txt", "server.tsv", "decoders.tsv"):
        open(FOLDER + "/" + name, "w").close()
    for s in (signal.SIGINT, signal.SIGTERM):
        signal.signal(s, lambda *_: stop.set())
    photos = make_photos(FOLDER + "/photos")
    server, port = start_server()
    files = photos + [PICTURES + "animated/" + n for n in sorted(os.listdir(PICTURES + "animated")) if n.endswith((".gif", ".webp"))]
    library = subprocess.Popen([BUILD + "/endurance_library" if os.path.exists(BUILD + "/endurance_library") else BUILD + "/tests/endurance_library",
                                str(int(SECONDS)), "8", FOLDER + "/library.tsv"] + files, stdout=open(FOLDER + "/library.txt", "w"),
                               stderr=open(FOLDER + "/library.err", "w"), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    first = {}
    clients = [Client(i, port, photos, first) for i in range(3)]
    batches = Batches(photos)
    for t in clients + [batches]:
        t.start()
    served, decoders = [], []
    while time.time() - start < SECONDS and not stop.is_set():
        stop.wait(STEP)
        if server.poll() is not None:
            complain(f"the server died: {server.returncode}")
            break
        done = sum(sum(c.statuses.values()) for c in clients)
        now, pids = time.time() - start, family(server.pid)
        served.append((now, done) + process_numbers(pids[0]))
        try:
            numbers = [process_numbers(p) for p in pids[1:]]
        except (OSError, ValueError):  # one that is being replaced
            numbers = []
        if numbers:
            decoders.append((now, done) + tuple(sum(n[k] for n in numbers) for k in range(3)))
        for name, row in (("server", served[-1]), ("decoders", decoders[-1] if decoders else ())):
            with open(f"{FOLDER}/{name}.tsv", "a") as f:
                f.write("\t".join(f"{v:.0f}" for v in row) + "\n")
        report(clients, batches, served, decoders, library, None)
    stop.set()
    if library.poll() is None and time.time() - start < SECONDS - 1:
        library.terminate()  # ended early: what it has sampled so far counts
    for t in clients + [batches]:
        t.join()
    server.terminate()
    code = server.wait(60)
    if code != 0:
        complain(f"the server's exit code is {code}")
    early = time.time() - start < SECONDS - 1
    library_code = library.wait(600)
    if library_code != 0 and not (early and library_code == -signal.SIGTERM):
        complain(f"the library's program: exit code {library_code}: {open(FOLDER + '/library.err').read()[-500:]}")
    sys.exit(0 if report(clients, batches, served, decoders, library, code) else 1)


def library_rows():
    try:
        lines = open(FOLDER + "/library.tsv").read().splitlines()[1:]
    except OSError:
        return []
    rows = [list(map(int, line.split("\t"))) for line in lines if line.count("\t") == 6]
    if rows and rows[-1][5] == 1:
        rows.pop()  # after the threads have ended
    return rows


def report(clients, batches, served, decoders, library, code):
    """Writes report.txt; also while it runs, so that a machine that goes away leaves the last one."""
    with lock:
        statuses = {}
        for c in clients:
            for k, v in c.statuses.items():
                statuses[k] = statuses.get(k, 0) + v
        n_hostile, latencies = sum(c.hostile for c in clients), [x for c in clients for x in c.latencies]
    rows = library_rows()
    seconds = time.time() - start
    lines = [f"{time.strftime('%Y-%m-%d %H:%M')}, {seconds / 3600:.2f} hours{'' if code is not None else ' so far'}, {platform.machine()}, "
             f"{os.cpu_count()} processors, lowest priority",
             f"program: {batches.runs} batches, {batches.results} results compared, {batches.refused} broken photos refused, "
             f"peak of one run {batches.peak / 1024:.0f} MiB",
             f"server: {sum(statuses.values())} answers {json.dumps(dict(sorted(statuses.items())))}, {n_hostile} of hostile bodies"]
    percentiles(latencies, lines)
    ok = judge_series("server", served, lines)
    ok &= judge_series("its decoders", decoders, lines)
    if rows:
        lines.append(f"library: {rows[-1][1]} jobs in 8 threads, {rows[-1][6]} of other bytes")
        ok &= judge_series("library", [(r[0], r[1], r[2], r[4], r[5]) for r in rows], lines, drift_most=3.0)
        ok &= rows[-1][6] == 0
    lines.append(f"{len(wrong)} results or codes were wrong" + (": " + wrong[0] if wrong else ""))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines.append(f"processor time of the children that ended: {usage.ru_utime + usage.ru_stime:.0f} s")
    with open(FOLDER + "/report.txt.new", "w") as f:
        f.write("\n".join(lines) + "\n")
    os.replace(FOLDER + "/report.txt.new", FOLDER + "/report.txt")
    if code is not None:
        print("\n".join(lines))
    return ok and not wrong


main()
