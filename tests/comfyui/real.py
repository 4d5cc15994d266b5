"""Talks to a running ComfyUI: real.py PORT COMFYUI SOURCE. Started by real.sh."""
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
from PIL import Image

PORT, COMFYUI, SOURCE = int(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, {"Content-Type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as why:
        raise SystemExit(f"{path}: {why.code} {why.read().decode()[:1500]}")
    return json.loads(text) if text else None


def wait_for_server():
    for _ in range(600):
        try:
            return ask("/system_stats")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise SystemExit("ComfyUI did not start")


def finished(job):
    for _ in range(1200):
        history = ask(f"/history/{job}")
        if job in history:
            return history[job]
        time.sleep(0.25)
    raise SystemExit("the workflow did not end")


def run(workflow):
    job = ask("/prompt", {"prompt": workflow})["prompt_id"]
    done = finished(job)
    if done["status"]["status_str"] != "success":
        raise SystemExit(json.dumps(done["status"], indent=1)[:3000])
    return done["outputs"]


def saved(outputs, node):
    one = outputs[node]["images"][0]
    return np.asarray(Image.open(COMFYUI / "output" / one["subfolder"] / one["filename"]))


def program(photo, model, out, *options):
    tool = pathlib.Path(__import__("mattebox").__file__).parent / "bin/mattebox"
    subprocess.run([tool, photo, "-o", out, "--model", model, "--foreground", "none", "--device", "cpu", "--force", *options], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.asarray(Image.open(out))


def main():
    stats = wait_for_server()
    print("ComfyUI", stats["system"].get("comfyui_version"), "torch", stats["system"].get("pytorch_version"))
    info = ask("/object_info")
    ours = sorted(name for name in info if name.startswith("mattebox: "))
    assert len(ours) == 7, ours
    v2 = info["mattebox: BiRefNetUltraV2"]
    print(json.dumps(v2["input"])[:400])
    assert v2["input_order"]["required"][:4] == ["image", "birefnet_model", "detail_method", "detail_erode"]
    assert v2["output"] == ["IMAGE", "MASK"] and v2["output_name"] == ["image", "mask"]

    workflow = json.loads((SOURCE / "app/comfyui/example_workflows/cutout_api.json").read_text())
    picture = saved(run(workflow), "4")
    model = next((COMFYUI / "models/mattebox").glob("converted-birefnet-*.mbw"))
    photo = COMFYUI / "input/cat.jpg"
    expected = program(photo, model, COMFYUI / "p.png", "--detail", "guided", "--recipe", "layerstyle-v2", "--erode", "4", "--dilate", "2")
    assert picture.shape == expected.shape and np.array_equal(picture, expected), np.abs(picture.astype(int) - expected).max()
    print("LoadImage -> BiRefNetUltraV2 -> SaveImage: the program's pixels", picture.shape)

    # ComfyUI's own loader of masks -> our matting node; and the first node.
    more = {
        "1": workflow["1"],
        "2": {"class_type": "mattebox: BiRefNetUltra", "inputs": {
            **{key: value for key, value in workflow["3"]["inputs"].items() if key != "birefnet_model"}, "detail_method": "PyMatting"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "first"}},
        "4": {"class_type": "mattebox: Trimap", "inputs": {"mask": ["2", 1], "erode": 6, "dilate": 6}},
        "5": {"class_type": "MaskToImage", "inputs": {"mask": ["4", 0]}},
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "trimap"}},
        "7": {"class_type": "mattebox: Matte", "inputs": {
            **{key: value for key, value in workflow["3"]["inputs"].items() if key != "birefnet_model"}, "mask": ["2", 1],
            "hidden_colours": "black"}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "matte"}},
    }
    outputs = run(more)
    first = saved(outputs, "3")
    expected = program(photo, model, COMFYUI / "q.png", "--detail", "pymatting", "--recipe", "layerstyle", "--erode", "4", "--dilate", "2")
    assert np.array_equal(first, expected)
    assert set(np.unique(saved(outputs, "6"))) <= {0, 127, 255}
    matte = saved(outputs, "8")
    assert matte.shape == first.shape and matte[matte[:, :, 3] == 0][:, :3].max(initial=0) == 0
    print("BiRefNetUltra, Trimap, Matte: through the HTTP interface")

    # A workflow that was saved with the nodes of LayerStyle, which are not installed here.
    replacements = None
    for path in ("/node_replacements", "/api/node_replacements"):
        try:
            replacements = ask(path)
            break
        except SystemExit:
            continue
    if replacements is not None:
        assert "LayerMask: BiRefNetUltraV2" in json.dumps(replacements)
        old = json.loads(json.dumps(workflow).replace("mattebox: ", "LayerMask: "))
        again = saved(run(old), "4")
        assert np.array_equal(again, picture)
        print("the same workflow with the names of LayerStyle's nodes: replaced by ComfyUI, the same pixels")
    else:
        print("this ComfyUI replaces no nodes: names have to be changed by hand")

    # Cancel ends a run.
    slow = json.loads(json.dumps(workflow))
    slow["3"]["inputs"].update(detail_erode=200, detail_dilate=200, detail_method="PyMatting")
    job = ask("/prompt", {"prompt": slow})["prompt_id"]
    time.sleep(0.5)
    start = time.time()
    ask("/interrupt", {})
    status = finished(job)["status"]
    print(f"interrupt: {status['status_str']} after {time.time() - start:.1f} s")
    print("passed")


main()
