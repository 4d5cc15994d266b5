#!/usr/bin/env python3
"""What the server adds to a cut, one client, one request after the other: cost.py BUILD PHOTO [PAIRS [SERVE OPTION...]]

Needs numpy, and a Python that can load BUILD/libmattebox.so. The same bytes go, in turn, to the library in this process (file in
memory to PNG in memory) and to an idle server over a kept connection; every other pair goes the other way round, and answers must
be the same bytes. Both have all processors. Said are

  wall     medians, and the median of the differences within a pair: what a client sees more than who calls the library. On a
           machine with other work, the quarter of the pairs that the least processor time was taken from is the fairer half
  cpu      processor time of both, the server with its decoders' processes: others cannot change it much
  server   its own account of the same requests: receiving the body, the stages, and the rest, which is its overhead; what the
           client saw beyond that is sending the answer

Fails if an answer is not the library's, or the server's own overhead has a median of 5 ms or more."""
import ctypes
import http.client
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = 7461
STAGES = ("decode", "network", "refine", "compose", "other", "encode")


def cpu_ms(pid):
    """Of a process with all its threads: the clock of another process, which Linux numbers so."""
    return 1e3 * time.clock_gettime((~pid << 3) | 2)


class Library:
    def __init__(self, build, photo):
        os.environ["MATTEBOX_LIBRARY"] = os.path.abspath(f"{build}/libmattebox.so")
        sys.path.insert(0, ROOT + "/app/python")
        import mattebox
        from mattebox import _library, _pictures

        self.library, self.pictures, self.photo = _library, _pictures, photo
        self.model = mattebox.Model(os.path.abspath(f"{build}/demo.mbw"), detail="guided", foreground="ml")

    def cut(self):
        result = self.model.run(self.photo)
        options = self.pictures.save_options("png", result._photo.metadata, 3, 0)
        options.threads = 0  # all processors
        out, n = ctypes.c_void_p(), ctypes.c_size_t()
        self.library.call("mb_image_encode", ctypes.byref(out), ctypes.byref(n), ctypes.byref(result._image("cutout")), ctypes.byref(options))
        data = ctypes.string_at(out, n.value)
        self.library.lib().mb_buffer_free(out)
        return data

    def cpu(self):
        return 1e3 * time.process_time()


class Server:
    def __init__(self, build, photo, options):
        self.photo = photo
        self.process = subprocess.Popen([f"{build}/mattebox", "serve", "--listen", f"127.0.0.1:{PORT}", "-q", "--model", "demo", *options])
        for _ in range(600):
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
                self.connection.request("GET", "/ready")
                r = self.connection.getresponse()
                r.read()
                if r.status == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.pids = [self.process.pid] + [int(x) for x in children]

    def cut(self):
        self.connection.request("POST", "/v1/cut?detail=guided", self.photo, {"Content-Type": "application/octet-stream"})
        r = self.connection.getresponse()
        data = r.read()
        assert r.status == 200, data[:300]
        self.times = {k: float(v) for k, v in re.findall(r"(\w+);dur=([\d.]+)", r.headers["Server-Timing"])}
        return data

    def cpu(self):
        return sum(cpu_ms(pid) for pid in self.pids)


def measured(what):
    cpu, start = what.cpu(), time.perf_counter()
    data = what.cut()
    return 1e3 * (time.perf_counter() - start), what.cpu() - cpu, data


def main():
    build, name = sys.argv[1:3]
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    photo = open(name, "rb").read()
    library, server = Library(build, photo), Server(build, photo, sys.argv[4:])
    rows, times = [], []
    try:
        for i in range(pairs + 2):
            first = library if i % 2 else server
            a = measured(first)
            b = measured(server if first is library else library)
            mine, theirs = (b, a) if first is server else (a, b)  # the library's, the server's
            assert mine[2] == theirs[2], "the server's answer is not the library's"
            if i >= 2:
                rows.append(mine[:2] + theirs[:2])
                times.append(dict(server.times, client=theirs[0]))
    finally:
        server.process.terminate()
        server.process.wait()
    median = statistics.median
    wall = sorted(((t - m, m, t) for m, _, t, _ in rows), key=lambda r: r[1] + r[2])
    print(f"{pairs} pairs, {len(photo)} bytes in")
    for what, part in (("all pairs", wall), ("the quarter that took least", wall[: max(1, len(wall) // 4)])):
        lib, http_ms, more = median(m for _, m, _ in part), median(t for _, _, t in part), median(d for d, _, _ in part)
        print(f"wall    {what}: library {lib:.1f} ms, HTTP {http_ms:.1f} ms; differences {more:+.1f} ms ({100 * more / lib:+.1f} %)")
    cpu_lib, cpu_http, more = median(r[1] for r in rows), median(r[3] for r in rows), median(r[3] - r[1] for r in rows)
    print(f"cpu     library {cpu_lib:.1f} ms, server {cpu_http:.1f} ms; differences {more:+.1f} ms ({100 * more / cpu_lib:+.1f} %)")
    own = [t["overhead"] for t in times]
    stages = ", ".join(f"{k} {median(t[k] for t in times):.1f}" for k in ("receive", "queue") + STAGES)
    print(f"server  {stages}; overhead {median(own):.2f} (at most {max(own):.1f}); "
          f"beyond that {median(t['client'] - t['receive'] - t['total'] for t in times):.1f} ms")
    sys.exit(median(own) >= 5.0)


main()
