#!/usr/bin/env python3
"""A light load for a long time: soak.py BUILD SECONDS [SERVE OPTION...]

Two clients with photos up to 1 megapixel, half of them broken (as load.py, whose checks these are), one that loads the page, /metrics
and /openapi.json, one that keeps a photo, refines it and forgets it, and one that sends slowly, stops in the middle, or leaves.
PAUSE of the environment: seconds between two requests of a client (1). Memory, descriptors and threads of the server and its
decoders go into the file LOG each 30 seconds.

Fails as load.py does: a wrong answer, a server that ended, more descriptors or threads afterwards, or a second half whose most
memory exceeds the first's by more than 5 % (the first minute apart)."""
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

os.environ.setdefault("PORT", "7442")
os.environ.setdefault("SIZES", "200x150 320x240 640x480 1155x866")
import load

PAUSE = float(os.environ.get("PAUSE", "1"))


def ask(method, path, body=None, headers={}):
    c = http.client.HTTPConnection("127.0.0.1", load.PORT, timeout=120)
    c.request(method, path, body, headers)
    r = c.getresponse()
    data = r.read()
    c.close()
    return r.status, data


def expect(tally, wanted, got, what):
    if got not in wanted:
        with tally.lock:
            tally.wrong.append(f"{what}: {got}")


def photos(number, files, expected, until, tally):
    """load.client for one request at a time, with pauses."""
    while time.time() < until:
        load.client(f"{number} {time.time()}", files, expected, time.time() + 0.001, tally)
        time.sleep(PAUSE)


def pages(until, tally):
    while time.time() < until:
        for path in ("/", "/metrics", "/openapi.json", "/v1/models", "/ready"):
            expect(tally, (200,), ask("GET", path)[0], path)
        time.sleep(5 * PAUSE)


def keeps(files, until, tally):
    while time.time() < until:
        status, data = ask("POST", "/v1/photos", files[2], {"Content-Type": "image/png"})
        expect(tally, (201, 429), status, "/v1/photos")
        if status == 201:
            name = json.loads(data)["id"]
            for erode in (4, 9):
                expect(tally, (200, 429), ask("POST", f"/v1/cut?photo={name}&detail=guided&erode={erode}")[0], "a kept photo")
            expect(tally, (200,), ask("DELETE", f"/v1/photos/{name}")[0], "forgetting it")
        time.sleep(15 * PAUSE)


def slow(files, until, tally):
    rng = random.Random(1)
    while time.time() < until:
        with socket.create_connection(("127.0.0.1", load.PORT)) as s:
            head = f"POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: {len(files[0])}\r\n\r\n".encode()
            data = head + files[0]
            way = rng.randrange(4)
            try:
                if way == 0:  # a byte now and then, until the server has enough of it
                    for i in range(40):
                        s.sendall(data[i : i + 1])
                        time.sleep(1)
                elif way == 1:  # half a body, and away
                    s.sendall(data[: len(data) // 2])
                elif way == 2:  # everything, and away without the answer
                    s.sendall(data)
                else:  # nothing
                    time.sleep(15)
            except OSError:
                pass  # it was closed, as it should be
        time.sleep(3 * PAUSE)


def main():
    build, seconds = sys.argv[1], float(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        files, expected = load.files_of(build + "/mattebox", folder)
    server = subprocess.Popen([build + "/mattebox", "serve", "--listen", f"127.0.0.1:{load.PORT}", "--model", "demo", "-q"] + sys.argv[3:])
    load.await_ready(server)
    before, tally, until = load.process(server.pid), load.Tally(), time.time() + seconds
    work = [(photos, (1, files, expected, until, tally)), (photos, (2, files, expected, until, tally)), (pages, (until, tally)),
            (keeps, (files, until, tally)), (slow, (files, until, tally))]
    threads = [threading.Thread(target=f, args=a) for f, a in work]
    for t in threads:
        t.start()
    os.environ["LOG_SECONDS"] = "30"
    with open(os.environ.get("LOG", "/dev/null"), "w") as log:
        marks = load.watch(server, seconds, log)
    for t in threads:
        t.join()
    sys.exit(load.judge(server, tally, marks, before))


main()
