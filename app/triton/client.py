#!/usr/bin/env python3
"""A client of the backend, with the standard library alone: raw pixels in and out by the binary tensor extension.

    client.py HOST:PORT WIDTH HEIGHT <IN.rgb >OUT.rgba        RGB of 8 bits in, RGBA out
"""
import json
import sys
import urllib.request


def infer(address, tensors, outputs, model="mattebox", timeout=120.0, parameters=None):
    """tensors: {name: (shape, datatype, bytes)}; returns {name: (shape, bytes)} of the outputs that were asked for."""
    head = {
        "inputs": [
            {"name": n, "shape": list(s), "datatype": d, "parameters": {"binary_data_size": len(b)}}
            for n, (s, d, b) in tensors.items()
        ],
        "outputs": [{"name": n, "parameters": {"binary_data": True}} for n in outputs],
    }
    if parameters:
        head["parameters"] = parameters
    text = json.dumps(head).encode()
    request = urllib.request.Request(
        f"http://{address}/v2/models/{model}/infer",
        data=text + b"".join(b for _, _, b in tensors.values()),
        headers={"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))},
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        size = int(answer.headers["Inference-Header-Content-Length"])
        body = answer.read()
    result, at = {}, size
    for tensor in json.loads(body[:size])["outputs"]:
        n = tensor["parameters"]["binary_data_size"]
        result[tensor["name"]] = (tensor["shape"], body[at : at + n])
        at += n
    return result


if __name__ == "__main__":
    address, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pixels = sys.stdin.buffer.read()
    shape = (1, height, width, 3)
    sys.stdout.buffer.write(infer(address, {"image": (shape, "UINT8", pixels)}, ["cutout"])["cutout"][1])
