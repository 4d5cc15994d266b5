#!/usr/bin/env python3
"""Processor time of a picture over HTTP and by the program, alternating: cost.py BUILD PHOTO [N [ROUNDS]]

The clock of a shared machine says nothing, processor time does: the server with its decoders' processes, less what its start
took, against `mattebox` on N copies, less what it takes on one."""
import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
OPTIONS = ["--model", "demo", "--threads", "1"]


def seconds(pid):
    total = 0
    for line in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split() + [str(pid)]:
        fields = open(f"/proc/{line}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def by_program(build, photo, n):
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):
            shutil.copy(photo, f"{folder}/{i}.jpg")
        before = os.times()
        subprocess.run([f"{build}/mattebox", folder, "-o", folder + "/out/", "-q", "-d", "guided", *OPTIONS], check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system


def by_server(build, photo, n):
    data = open(photo, "rb").read()
    server = subprocess.Popen([f"{build}/mattebox", "serve", "--listen", "127.0.0.1:7461", "-q", *OPTIONS])
    waits = []
    try:
        for i in range(n + 1):
            for _ in range(3000):
                try:
                    c = http.client.HTTPConnection("127.0.0.1", 7461)
                    c.request("POST", "/v1/cut?detail=guided", data, {"Content-Type": "image/jpeg"})
                    r = c.getresponse()
                    assert r.status == 200, r.read()
                    r.read()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.1)
            times = {k: float(v) for k, v in re.findall(r"(\w+);dur=([\d.]+)", r.headers["Server-Timing"])}
            waits.append(times["queue"])
            if i == 0:
                before = seconds(server.pid)
        return seconds(server.pid) - before
    finally:
        server.terminate()
        server.wait()


build, photo = sys.argv[1:3]
n, rounds = (int(x) for x in (sys.argv[3:5] + ["20", "3"])[:2]) if len(sys.argv) > 4 else (20, 3)
for _ in range(rounds):
    one, many, served = by_program(build, photo, 1), by_program(build, photo, n + 1), by_server(build, photo, n)
    print(f"program {1e3 * (many - one) / n:.1f} ms, server {1e3 * served / n:.1f} ms of processor time a picture ({served / (many - one):.3f})")
