#!/usr/bin/env python3
"""Throughput and memory beside rembg's server, with the same network: beside_rembg.py BUILD FOLDER [ROUNDS [SECONDS [CLIENTS]]]

Outside CI. FOLDER keeps what is made once: a virtual environment with rembg[cpu,cli]==2.0.86 (or VENV), and the small built-in
network as ONNX for rembg and as a model for mattebox, both at 1024x1024 with rembg's own way of scaling. TORCH names a Python
with torch, onnx and onnxscript for the export.

Both servers run; in turn each is asked for SECONDS by CLIENTS that send photos of 1 to 4 megapixels to /api/remove, ROUNDS times. The machine may
be shared, so beside the answers per second there is the processor time of each answer (of the server with its children), which
others cannot change. Memory is the most that the server and its children held at once. Prints a table and the ratios; fails if an
answer is not a picture of the photo's size, or the alphas of both differ by more than a hundredth in the mean."""
import http.client
import io
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TICKS = os.sysconf("SC_CLK_TCK")
EXPORT = """
import json, struct, sys
sys.path.insert(0, sys.argv[1] + "/weights_tool/train")
import torch, mbw, model
state = mbw.read_mbw(sys.argv[3])
net = model.BiRefNet(model.CFG).eval()
wrong = net.load_state_dict(state, strict=False)
assert not wrong.unexpected_keys and all("_spvn_" in k or "gdt_convs_pred" in k for k in wrong.missing_keys), wrong
torch.onnx.export(net, (torch.rand(1, 3, 1024, 1024),), sys.argv[2] + "/birefnet-general.onnx", input_names=["in"], output_names=["out"],
                  dynamo=True, external_data=False)
head, data = {}, b""
types = {torch.float32: "F32", torch.int64: "I64"}
for name, t in state.items():
    raw = t.numpy().tobytes()
    head[name] = {"dtype": types[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[2] + "/tiny.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
"""


def prepare(build, folder):
    venv = os.environ.get("VENV", folder + "/venv")
    if not os.path.exists(venv):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv + "/bin/pip", "install", "-q", "rembg[cpu,cli]==2.0.86"], check=True)
    if not os.path.exists(folder + "/tiny.safetensors"):
        subprocess.run([os.environ.get("TORCH", "python3"), "-c", EXPORT, ROOT, folder, build + "/demo.mbw"], check=True)
    model = folder + "/birefnet-general.mbw"
    if not os.path.exists(model):
        subprocess.run([build + "/mattebox-weights", "convert", folder + "/tiny.safetensors", "-o", model, "--input-size", "1024x1024",
                        "--recipe", "rembg", "--name", "birefnet-general", "-q"], check=True)
    return venv, model


def family(pid):
    """The process and all below it."""
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += [int(x) for x in subprocess.run(["pgrep", "-P", str(found[-1])], capture_output=True, text=True).stdout.split()]
    return found


def seconds_of(pid):
    total = 0
    for p in family(pid):
        fields = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def megabytes_of(pid):
    total = 0
    for p in family(pid):
        try:
            total += int(next(x for x in open(f"/proc/{p}/smaps_rollup") if x.startswith("Pss:")).split()[1])
        except (OSError, StopIteration):
            pass
    return total / 1000


def ask(port, photo):
    boundary = "mattebox-boundary"
    body = b""
    for name, value in (("model", b"birefnet-general"),):
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value + b"\r\n"
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'.encode() + photo + f"\r\n--{boundary}--\r\n".encode()
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
    c.request("POST", "/api/remove", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    r = c.getresponse()
    answer = r.read()
    c.close()
    return r.status, answer


def await_answer(port, photo):
    for _ in range(900):
        try:
            status, answer = ask(port, photo)
        except OSError:
            time.sleep(1)
            continue
        assert status == 200, answer[:300]
        return answer
    sys.exit(f"no answer on port {port}")


class Peer:
    def __init__(self, name, port, command, environment):
        self.name, self.port = name, port
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.answers, self.seconds, self.cpu, self.memory, self.wrong = 0, 0.0, 0.0, 0.0, []

    def round(self, photos, seconds, clients):
        start, cpu, lock = time.time(), seconds_of(self.process.pid), threading.Lock()

        def client(number):
            i = number
            while time.time() < start + seconds:
                status, answer = ask(self.port, photos[i % len(photos)])
                with lock:
                    self.answers += status == 200
                    if status not in (200, 429):
                        self.wrong.append(f"{status} {answer[:100]}")
                i += 1

        threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            self.memory = max(self.memory, megabytes_of(self.process.pid))
            time.sleep(0.2)
        self.seconds += time.time() - start
        self.cpu += seconds_of(self.process.pid) - cpu


COMPARE = """
import io, sys
import numpy
from PIL import Image
a, b = (numpy.asarray(Image.open(n))[..., 3].astype(float) / 255 for n in sys.argv[1:])
assert a.shape == b.shape, (a.shape, b.shape)
print(abs(a - b).mean())
"""


def main():
    build, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    rounds, seconds, clients = (int(x) for x in (sys.argv[3:6] + ["3", "60", "4"][len(sys.argv) - 3:]))
    os.makedirs(folder, exist_ok=True)
    venv, model = prepare(build, folder)
    make = "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').resize((int(sys.argv[2]), int(sys.argv[3]))).save(sys.argv[4], quality=92)"
    photos = []
    for i, (w, h) in enumerate(((1155, 866), (1633, 1225), (2309, 1732))):
        name = f"{folder}/photo{i}.jpg"
        source = ROOT + "/docs/pictures/" + ("cat.jpg", "astronaut.jpg", "cat.jpg")[i]
        subprocess.run([venv + "/bin/python", "-c", make, source, str(w), str(h), name], check=True)
        photos.append(open(name, "rb").read())
    rembg = Peer("rembg 2.0.86", 7471, [venv + "/bin/rembg", "s", "--host", "127.0.0.1", "--port", "7471", "--no-ui", "-l", "error"],
                 {"U2NET_HOME": folder, "MODEL_CHECKSUM_DISABLED": "1", "BROWSER": "true"})
    ours = Peer("mattebox", 7472, [build + "/mattebox", "serve", "--listen", "127.0.0.1:7472", "--model", model, "--timeout", "900", "-q"], {})
    try:
        for peer in (ours, rembg):
            with open(f"{folder}/{peer.port}.png", "wb") as f:
                f.write(await_answer(peer.port, photos[0]))
        apart = float(subprocess.run([venv + "/bin/python", "-c", COMPARE, f"{folder}/7471.png", f"{folder}/7472.png"],
                                     capture_output=True, text=True, check=True).stdout)
        print(f"mean difference of the alphas: {apart:.4f}", flush=True)
        for i in range(rounds):
            for peer in (ours, rembg) if i % 2 == 0 else (rembg, ours):
                peer.round(photos, seconds, clients)
                print(f"round {i + 1}, {peer.name}: {peer.answers} answers so far", flush=True)
    finally:
        for peer in (ours, rembg):
            peer.process.terminate()
            peer.process.wait()
    print("| | answers | answers/s | processor seconds an answer | most memory, MB |\n| --- | ---: | ---: | ---: | ---: |")
    for p in (ours, rembg):
        print(f"| {p.name} | {p.answers} | {p.answers / p.seconds:.3f} | {p.cpu / max(p.answers, 1):.2f} | {p.memory:.0f} |")
    print(f"| **ratio** | | {ours.answers / ours.seconds / (rembg.answers / rembg.seconds):.2f} | "
          f"{ours.cpu / ours.answers / (rembg.cpu / rembg.answers):.2f} | {ours.memory / rembg.memory:.2f} |")
    print("not as it should be:", ours.wrong[:3], rembg.wrong[:3])
    sys.exit(bool(ours.wrong or rembg.wrong or apart > 0.01))


main()
