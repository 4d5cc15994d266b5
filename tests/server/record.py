#!/usr/bin/env python3
"""Records what clients of rembg's server send, for tests/data/server: record.py FOLDER PHOTO

Each client library sends a request to a socket of ours, which keeps the bytes and answers with nothing. Needs the
packages requests, httpx and aiohttp, and curl."""
import asyncio
import os
import socket
import subprocess
import sys
import threading

PORT = 17412  # any free one: rembg itself listens on 7000


def listen():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", PORT))
    s.listen(1)
    return s


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if b"expect: 100-continue" in lines:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    lengths = [line.split(b":")[1] for line in lines if line.startswith(b"content-length:")]
    chunked = b"transfer-encoding: chunked" in lines
    while len(body) < int(lengths[0]) if lengths else chunked and not body.endswith(b"0\r\n\r\n"):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def record(path, client):
    s = listen()
    kept = {}

    def serve():
        connection, _ = s.accept()
        kept["data"] = read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client()
    thread.join()
    s.close()
    with open(path, "wb") as f:
        f.write(kept["data"])
    print(path, len(kept["data"]))


def main():
    import httpx
    import requests

    folder, photo = sys.argv[1:3]
    url = f"http://localhost:{PORT}/api/remove"
    data = open(photo, "rb").read()
    name = os.path.basename(photo)

    def curl(*words):
        return lambda: subprocess.run(["curl", "-s", *words], check=True)

    async def post_aiohttp():
        import aiohttp

        form = aiohttp.FormData()
        form.add_field("file", data, filename=name, content_type="image/png")
        form.add_field("a", "true")
        form.add_field("af", "240")
        async with aiohttp.ClientSession() as session:
            async with session.post(url, data=form):
                pass

    clients = {
        "curl": curl("-F", f"file=@{photo}", url),  # the README's own line
        "curl_form_matting": curl("-F", f"file=@{photo}", "-F", "a=true", "-F", "ae=5", url),
        "curl_query": curl("-F", f"file=@{photo}", url + "?om=true&bgc=255,0,0,255"),
        "curl_url": curl(url + "?url=http://input.png"),
        "requests": lambda: requests.post(url, files={"file": data}, timeout=9),
        "requests_mask": lambda: requests.post(
            url, files={"file": (name, data, "image/png")}, data={"om": True, "ppm": "1"}, timeout=9
        ),
        "requests_colour": lambda: requests.post(
            url, files={"file": data}, params={"bgc": "0,128,255,255", "extras": '{"putalpha": true}'}, timeout=9
        ),
        "httpx": lambda: httpx.post(url, files={"file": data}, data={"dc": "true", "model": ""}),
        "aiohttp": lambda: asyncio.run(post_aiohttp()),
    }
    for client, call in clients.items():
        record(os.path.join(folder, client + ".http"), call)


if __name__ == "__main__":
    main()
