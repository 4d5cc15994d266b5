"""The nodes against a stand-in of ComfyUI: python3 nodes_test.py BUILD SOURCE. Standard library and numpy."""
import asyncio
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD, SOURCE = map(pathlib.Path, sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="mattebox-comfyui-"))
os.environ.update(STANDIN_MODELS=str(WORK / "models"), MATTEBOX_LIBRARY=str(BUILD / "libmattebox.so"), MATTEBOX_PROGRAMS=str(BUILD),
                  XDG_DATA_HOME=str(WORK / "data"), HOME=str(WORK), PYTHONDONTWRITEBYTECODE="1")
os.environ.pop("MATTEBOX_MODELS", None)
sys.dont_write_bytecode = True
sys.path[:0] = [str(SOURCE / "tests/comfyui/standin"), str(SOURCE / "app/python")]

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy (python3-numpy)")
    sys.exit(77)
import comfy.model_management
import comfy.utils
import comfy_api.latest
import mattebox

ROWS = [  # spec: id, kind, default, least, most, step, for both nodes; V2's defaults stand where they differ
    ("detail_method", "COMBO", "VITMatte"), ("detail_erode", "INT", (6, 4), 1, 255, 1), ("detail_dilate", "INT", (6, 2), 1, 255, 1),
    ("black_point", "FLOAT", 0.01, 0.01, 0.98, 0.01), ("white_point", "FLOAT", 0.99, 0.02, 0.99, 0.01),
    ("process_detail", "BOOLEAN", (True, False)), ("device", "COMBO", "cuda"), ("max_megapixels", "FLOAT", 2.0, 1, 999, 0.1)]


def load_pack(name="mattebox_nodes"):
    spec = importlib.util.spec_from_file_location(name, SOURCE / "app/comfyui/__init__.py",
                                                  submodule_search_locations=[str(SOURCE / "app/comfyui")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def pack_nodes():
    extension = asyncio.run(load_pack().comfy_entrypoint())
    asyncio.run(extension.on_load())
    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(extension.get_node_list())}


def check_interface(node, which, first):
    schema = node.GET_SCHEMA()
    ids = [one.id for one in schema.inputs]
    assert ids == first + [row[0] for row in ROWS] + ["hidden_colours"], ids
    for row, one in zip(ROWS, schema.inputs[len(first):]):
        default = row[2][which] if isinstance(row[2], tuple) else row[2]
        assert (one.id, one.io_type, one.default) == (row[0], row[1], default), one.id
        assert not one.optional
        if len(row) == 6:
            assert (one.min, one.max, one.step) == row[3:], one.id
    by_id = {one.id: one for one in schema.inputs}
    assert by_id["detail_method"].options[:4] == ["VITMatte", "VITMatte(local)", "PyMatting", "GuidedFilter"]
    assert by_id["device"].options == ["cuda", "cpu"]
    assert by_id["black_point"].display_mode == by_id["white_point"].display_mode == "slider"
    assert by_id["hidden_colours"].optional
    assert [(out.io_type, out.display_name) for out in schema.outputs] == [("IMAGE", "image"), ("MASK", "mask")]
    assert not schema.is_output_node


def edge(**changes):
    return {"detail_method": "GuidedFilter", "detail_erode": 6, "detail_dilate": 6, "black_point": 0.01, "white_point": 0.99,
            "process_detail": True, "device": "cuda", "max_megapixels": 2.0, **changes}


def read_pixels(path):
    """A picture file as the library reads it."""
    from mattebox._pictures import copy_of, load
    picture = load(str(path), keep_depth=False)
    return copy_of(picture.image)


def by_program(photo, model, *options):
    out = WORK / "program.png"
    mask = WORK / "program.mask.png"
    for path in (out, mask):
        path.unlink(missing_ok=True)
    subprocess.run([BUILD / "mattebox", photo, "-o", out, "--model", model, "--foreground", "none", "--mask", "--device", "cpu", *options], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
    return read_pixels(out)


def main():
    nodes = pack_nodes()
    check_interface(nodes["mattebox: BiRefNetUltra"], 0, ["image"])
    check_interface(nodes["mattebox: BiRefNetUltraV2"], 1, ["image", "birefnet_model"])
    replaced = {one.old_node_id: one.new_node_id for one in comfy_api.latest.ComfyAPI.replaced}
    assert replaced["LayerMask: BiRefNetUltraV2"] == "mattebox: BiRefNetUltraV2" and len(replaced) == 4, replaced
    print("interface: as the specification")

    # A checkpoint as it is published, in ComfyUI's own folder; a small one, of generated weights.
    folder = WORK / "models/background_removal"
    folder.mkdir(parents=True)
    checkpoint = folder / "birefnet.safetensors"
    subprocess.run([BUILD / "mattebox-weights", "generate", "birefnet-tiny-legacy", "--checkpoint", "-o", checkpoint, "--quiet"], check=True)
    loader = nodes["mattebox: LoadBiRefNetModel"]
    options = loader.GET_SCHEMA().inputs[0].options
    assert options[:2] == ["BiRefNet-general-epoch_244.pth", "birefnet.safetensors"], options
    photo_file = SOURCE / "docs/pictures/cat.jpg"
    photo = read_pixels(photo_file)[:, :, :3]
    image = photo[None].astype(np.float32) / np.float32(255)  # what LoadImage gives
    before = sorted(folder.iterdir())
    chosen = loader.execute(model="birefnet.safetensors").args[0]
    cutout, mask = nodes["mattebox: BiRefNetUltraV2"].execute(image=image, birefnet_model=chosen, **edge()).args
    assert cutout.shape == (1, *photo.shape[:2], 4) and mask.shape == (1, *photo.shape[:2]), (cutout.shape, mask.shape)
    assert cutout.dtype == mask.dtype == np.float32
    converted = list((WORK / "models/mattebox").glob("converted-birefnet-*.mbw"))
    assert len(converted) == 1 and sorted(folder.iterdir()) == before, converted
    facts = converted[0].stat()
    program = by_program(photo_file, converted[0], "--detail", "guided", "--recipe", "layerstyle-v2")
    assert np.array_equal(np.round(cutout[0] * 255).astype(np.uint8), program)
    assert np.array_equal(cutout[0, :, :, 3], mask[0])
    print("BiRefNetUltraV2: the program's levels")

    cutout, mask = nodes["mattebox: BiRefNetUltra"].execute(image=image, **edge(detail_method="PyMatting")).args
    program = by_program(photo_file, converted[0], "--detail", "pymatting", "--recipe", "layerstyle")
    assert np.array_equal(np.round(cutout[0] * 255).astype(np.uint8), program)
    assert converted[0].stat().st_mtime_ns == facts.st_mtime_ns  # not again
    print("BiRefNetUltra: the program's levels")

    # A batch of pictures of one size, progress, alpha channel in, and the three colours.
    two = np.concatenate([image, image[:, ::-1]])
    four = np.concatenate([two, np.ones_like(two[..., :1])], axis=3)
    comfy.utils.ProgressBar.bars.clear()
    both = nodes["mattebox: BiRefNetUltra"].execute(image=four, **edge(process_detail=False)).args
    assert both[0].shape[0] == 2 and not np.array_equal(both[1][0], both[1][1])
    alone = nodes["mattebox: BiRefNetUltra"].execute(image=two[1:], **edge(process_detail=False)).args
    assert np.array_equal(both[1][1], alone[1][0])
    bar = comfy.utils.ProgressBar.bars[0]
    assert bar.total == 200 and bar.values == sorted(bar.values) and bar.values[-1] == 200 and len(bar.values) > 5, bar.values

    square = np.zeros((1, *photo.shape[:2]), np.float32)
    square[:, 60:240, 100:350] = 1
    matte = nodes["mattebox: Matte"]
    kept = matte.execute(image=image, mask=square, **edge()).args
    same = matte.execute(image=image, mask=square[:, None], **edge()).args  # [B,1,H,W], as ComfyUI's own node gives it
    assert np.array_equal(kept[0], same[0]) and np.array_equal(kept[1], same[1])
    assert np.array_equal(np.round(kept[0][0, :, :, :3] * 255).astype(np.uint8), photo)
    clear = kept[1][0] == 0
    assert clear.mean() > 0.2
    black = matte.execute(image=image, mask=square, hidden_colours="black", **edge()).args[0]
    assert black[0][clear][:, :3].max() == 0 and np.array_equal(black[0][~clear], kept[0][0][~clear])
    estimated = matte.execute(image=image, mask=square, hidden_colours="estimated", **edge()).args[0]
    soft = (kept[1][0] > 0.2) & (kept[1][0] < 0.8)
    assert np.abs(estimated[0][soft][:, :3] - kept[0][0][soft][:, :3]).max() > 0.05
    many = matte.execute(image=two, mask=square, **edge()).args
    assert many[0].shape[0] == 2
    try:
        matte.execute(image=two, mask=np.concatenate([square] * 3), **edge())
        raise AssertionError("three masks for two pictures")
    except ValueError as why:
        assert "3 masks for 2 pictures" in str(why), why
    three = nodes["mattebox: Trimap"].execute(mask=square, erode=3, dilate=3).args[0]
    assert sorted(set(np.round(three * 255).astype(int).flat)) == [0, 127, 255]
    alpha = nodes["mattebox: MatteFromTrimap"].execute(image=image, trimap=three, detail_method="PyMatting").args[1]
    assert alpha[three == 1].min() == 1 and alpha[three == 0].max() == 0
    print("batches, masks, colours, trimaps")

    comfy.model_management.interrupt_after = 3
    try:
        nodes["mattebox: BiRefNetUltra"].execute(image=image, **edge())
        raise AssertionError("not interrupted")
    except comfy.model_management.InterruptProcessingException:
        pass
    try:
        nodes["mattebox: BiRefNetUltra"].execute(image=image, **edge(detail_method="VITMatte"))
        raise AssertionError("VITMatte without a model")
    except FileNotFoundError as why:
        assert "vitmatte" in str(why)
    broken = folder / "broken.safetensors"
    broken.write_bytes(b"\x08\0\0\0\0\0\0\0notjson!")
    try:
        nodes["mattebox: BiRefNetUltraV2"].execute(image=image, birefnet_model=loader.execute(model="broken.safetensors").args[0], **edge())
        raise AssertionError("a broken checkpoint")
    except RuntimeError as why:
        assert "broken.safetensors" in str(why) and "converted" in str(why), why
    assert not list((WORK / "models/mattebox").glob("converted-broken*"))
    print("interrupt and messages")

    # Without the API of version 3: the same nodes as classes.
    for name in [name for name in sys.modules if name.startswith("comfy_api")]:
        del sys.modules[name]
    sys.modules["comfy_api"] = None
    old = load_pack("mattebox_old")
    assert set(old.NODE_CLASS_MAPPINGS) == set(nodes) == set(old.NODE_DISPLAY_NAME_MAPPINGS) and not hasattr(old, "comfy_entrypoint")
    classic = old.NODE_CLASS_MAPPINGS["mattebox: BiRefNetUltraV2"]
    types = classic.INPUT_TYPES()
    assert list(types["required"]) == ["image", "birefnet_model"] + [row[0] for row in ROWS]
    assert types["required"]["detail_erode"][1]["default"] == 4 and types["required"]["black_point"][1]["display"] == "slider"
    assert classic.RETURN_TYPES == ("IMAGE", "MASK")
    again = getattr(old.NODE_CLASS_MAPPINGS["mattebox: Matte"](), old.NODE_CLASS_MAPPINGS["mattebox: Matte"].FUNCTION)(image=image, mask=square, **edge())
    assert np.array_equal(again[0], kept[0])
    workflow = json.loads((SOURCE / "app/comfyui/example_workflows/cutout_api.json").read_text())
    for step in workflow.values():
        if step["class_type"].startswith("mattebox"):
            given = set(step["inputs"])
            assert set(old.NODE_CLASS_MAPPINGS[step["class_type"]].INPUT_TYPES()["required"]) <= given, step
    print("old interface; all passed")


try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
