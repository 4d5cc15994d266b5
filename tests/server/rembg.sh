#!/bin/sh
# rembg's own server (2.0.86, the newest that pip can install here) beside ours: the recorded requests of its clients go to
# both, and the answers are compared: status, type, size and channels. rembg.sh BUILD [PORT]. Installs rembg[cpu,cli] in a
# folder of its own (or uses that of VENV); its network is one that this script makes, so nothing is downloaded. Loopback.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
servers=""
trap 'for p in $servers; do kill "$p"; done; rm -rf "$work"' EXIT
venv=${VENV:-$work/venv}
if [ ! -d "$venv" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q 'rembg[cpu,cli]==2.0.86' onnx
fi
# A network of rembg's shape (1x3x1024x1024 to 1x1x1024x1024): the red channel. It stands where bria-rmbg, rembg's
# default, is looked for.
"$venv/bin/python" - "$work" <<'PY'
import sys
import onnx
from onnx import TensorProto, helper
graph = helper.make_graph(
    [helper.make_node("Slice", ["in", "from", "to", "axis"], ["out"])], "red",
    [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 3, 1024, 1024])],
    [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1, 1024, 1024])],
    [helper.make_tensor(n, TensorProto.INT64, [1], [v]) for n, v in (("from", 0), ("to", 1), ("axis", 1))])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
onnx.save(model, sys.argv[1] + "/bria-rmbg.onnx")
PY
export U2NET_HOME="$work" MODEL_CHECKSUM_DISABLED=1 BROWSER=true NO_PROXY=127.0.0.1
"$venv/bin/rembg" s --host 127.0.0.1 --port 7431 --no-ui -l error >"$work/rembg.log" 2>&1 &
servers="$servers $!"
"$build/mattebox" serve --listen 127.0.0.1:7432 --model demo -q &
servers="$servers $!"
"$venv/bin/python" - "$here/../data/server" <<'PY'
import io
import os
import socket
import sys
import time
from PIL import Image


def ask(port, data):
    for _ in range(3000):
        try:
            s = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.2)
    s.settimeout(300)
    # the same bytes, but for a connection that ends
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [x for x in head.split(b"\r\n") if not x.lower().startswith((b"connection:", b"expect:"))]
    s.sendall(b"\r\n".join(lines + [b"Connection: close"]) + b"\r\n\r\n" + body)
    answer = b""
    while True:
        piece = s.recv(1 << 16)
        if not piece:
            break
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    kind = [x.split(b":")[1].strip().decode() for x in head.split(b"\r\n") if x.lower().startswith(b"content-type:")][0]
    if kind != "image/png":
        return status, kind, None, None
    picture = Image.open(io.BytesIO(body))
    return status, kind, picture.size, picture.mode


bad = 0
for name in sorted(os.listdir(sys.argv[1])):
    data = open(os.path.join(sys.argv[1], name), "rb").read()
    theirs, ours = ask(7431, data), ask(7432, data)
    # refusing to fetch is ours alone; so is hearing what a POST says in its query
    same = theirs == ours or name in ("curl_url.http", "curl_query.http")
    bad += not same
    print("same  " if theirs == ours else "differs", name, theirs, ours)
sys.exit(bad > 0)
PY
