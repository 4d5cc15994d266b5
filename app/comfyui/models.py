"""Which model files there are, in ComfyUI's folders and in mattebox's, and their conversion on first use.

Checkpoints are converted by mattebox-weights, which comes with the wheel: it needs no torch, runs nothing that a file contains, and
writes a file as a whole or not at all. The result lies in models/mattebox and is found by the checkpoint's path, size and time.
"""
from __future__ import annotations

import hashlib
import logging
import os
import pathlib
import subprocess
import threading
import time

import folder_paths

log = logging.getLogger("mattebox")
VERSIONS = ["BiRefNet-General", "RMBG-2.0"]
OFFICIAL = "BiRefNet-general-epoch_244.pth"
ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".mbw")
BUILT_IN = "mattebox default"
_converting = threading.Lock()


def folders(name: str) -> list:
    """The folders of that kind, of ComfyUI's settings and in its models folder."""
    try:
        known = [pathlib.Path(p) for p in folder_paths.get_folder_paths(name)]
    except KeyError:
        known = []
    own = pathlib.Path(folder_paths.models_dir, name)
    return known + ([own] if own not in known else [])


def files(name: str) -> dict:
    """Checkpoints in these folders, two levels deep: file name, or the folder's name where a folder holds one model."""
    found: dict = {}
    for folder in folders(name):
        for path in sorted(p for pattern in ("*", "*/*") for p in folder.glob(pattern)):
            if path.suffix not in ENDINGS or not path.is_file():
                continue
            alone = path.stem in ("model", "pytorch_model", "diffusion_pytorch_model") and path.parent != folder
            found.setdefault(path.parent.name if alone else path.name, path)
    return found


def known() -> dict:
    return {**files("BiRefNet"), **files("background_removal"), **files("mattebox")}


def names() -> list:
    """For the list of the loader. The general checkpoint is there in any case: workflows name it."""
    found = [name for name in known() if not name.startswith("converted-")]
    first = [OFFICIAL] + [name for name in ("birefnet.safetensors",) if name in found]
    return first + [name for name in found if name not in first] + [BUILT_IN]


def first_of(candidates: tuple) -> str | None:
    """A path of ComfyUI's folders, or a name that mattebox has installed."""
    import mattebox

    found = known()
    for name in candidates:
        if name in found:
            return str(found[name])
        for folder in mattebox.folders():
            if os.path.isfile(os.path.join(folder, name + ".mbw")):
                return os.path.join(folder, name + ".mbw")
    return None


GENERAL = ("BiRefNet-General", OFFICIAL, "birefnet.safetensors", "birefnet-general", "BiRefNet")
WANTED = {
    "ultra": ("BiRefNet-ep480.pth", "birefnet-ep480", "birefnet-legacy", *GENERAL),
    "BiRefNet-General": GENERAL,
    "RMBG-2.0": ("RMBG-2.0", "RMBG-2.0.safetensors", "bria-rmbg", "rmbg-2.0"),
    OFFICIAL: (OFFICIAL, *GENERAL),
}


def segmenter(name: str) -> str | None:
    """The path for a name of the lists; None: what mattebox takes by default."""
    if name == BUILT_IN:
        return None
    path = first_of(WANTED.get(name, (name,)))
    if path is None and name in ("RMBG-2.0",):
        raise FileNotFoundError(f"{name}: no such model in {places('BiRefNet')}")
    if path is None and name not in WANTED:
        raise FileNotFoundError(f"{name}: no such file in {places('BiRefNet', 'background_removal', 'mattebox')}")
    if path is None:
        log.warning("mattebox: no BiRefNet checkpoint in %s: the small built-in network is used, which is sometimes wrong. Put "
                    "birefnet.safetensors into models/background_removal", places("BiRefNet", "background_removal"))
    return path


def matting(base: bool) -> str:
    """The path of VITMatte-S or -B."""
    found = files("vitmatte")
    wanted = ("vitmatte-base-composition-1k", "vitmatte_base", "vitmatte-b") if base else ("vitmatte-small-composition-1k", "vitmatte-s")
    for name, path in found.items():
        if any(name.startswith(w) for w in wanted) or (not base and "base" not in name and "-b" not in name):
            return str(path)
    path = first_of(("vitmatte-b",) if base else ("vitmatte-s",))
    if path is None:
        raise FileNotFoundError(f"VITMatte{' base' if base else ''} is not in {places('vitmatte')}: put its model.safetensors there, or run "
                                f"mattebox models get {'vitmatte-b' if base else 'vitmatte-s'}. PyMatting and GuidedFilter need no model")
    return path


def places(*kinds: str) -> str:
    return ", ".join(str(folder) for kind in kinds for folder in folders(kind))


def ready(path: str, interrupted=lambda: None) -> str:
    """The .mbw file for a checkpoint; converted if it has not been yet."""
    if path.endswith(".mbw"):
        return path
    facts = os.stat(path)
    key = hashlib.sha256(f"{os.path.abspath(path)}|{facts.st_size}|{facts.st_mtime_ns}".encode()).hexdigest()[:12]
    out = pathlib.Path(folder_paths.models_dir, "mattebox", f"converted-{pathlib.Path(path).stem}-{key}.mbw")
    with _converting:
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            convert(path, out, interrupted)
    return str(out)


def convert(path: str, out: pathlib.Path, interrupted) -> None:
    from mattebox.__main__ import program

    tool = program("mattebox-weights")
    if tool is None:
        raise RuntimeError("mattebox-weights is missing: install the wheel of mattebox, which has it")
    log.info("mattebox: converting %s, once", path)
    with subprocess.Popen([tool, "convert", path, "-o", str(out), "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as run:
        try:
            while run.poll() is None:
                interrupted()
                time.sleep(0.05)
        except BaseException:
            run.kill()
            run.wait()
            raise
        said = run.stderr.read().strip()
    if run.returncode != 0:
        raise RuntimeError(f"{path}: cannot be converted: {said or run.returncode}")
