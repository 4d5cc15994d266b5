#!/usr/bin/env python3
"""rembg's own examples with nothing changed but the import, and its curl line with nothing changed but the port:
rembg_scripts.py CHECKOUT PROGRAM PHOTO

CHECKOUT is a checkout of rembg (its README.md and USAGE.md are read, nothing of it is run or copied); mattebox, Pillow, numpy and cv2
are on the path. Left out are the examples that need SAM, and the one that names a model which rembg does not have either. Each
must run, and leave an output.png with transparency or, where the example asks for one, a mask. Outside CI."""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from PIL import Image

checkout, program, photo = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
PORT = 7465


def snippets(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (checkout / name).read_text(), re.S)


def changed(code):
    return code.replace("from rembg import", "from mattebox.compat import")


def run(what, code, folder):
    (folder / "example.py").write_text(changed(code))
    output = folder / "output.png"
    output.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "example.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{what}\n{code}\n{done.stderr}"
    written = Image.open(next(folder.glob("path/to/folder/*.out.png")) if "path/to/folder" in code else output)
    assert written.size == Image.open(folder / "input.png").size and written.mode in ("RGBA", "L"), (what, written)
    print("ran", what, written.mode, written.size)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "path/to/folder").mkdir(parents=True)
        for place in ("input.png", "path/to/folder/input.png"):
            Image.open(photo).convert("RGB").save(folder / place)
        for i, code in enumerate(snippets("README.md", "python")):
            run(f"README {i + 1}", code, folder)
        parts = snippets("USAGE.md", "python")
        first, last = parts[0], parts[-1]
        for i, code in enumerate(parts[1:-1]):
            if "input_points" not in code and '"unet"' not in code:
                run(f"USAGE {i + 2}", first + code + last, folder)
        server = subprocess.Popen([program, "serve", "--listen", f"127.0.0.1:{PORT}", "-q"])
        try:
            line = next(s for s in snippets("README.md", "shell") if s.startswith("curl -s -F file=@"))
            line = line.replace("localhost:7000", f"localhost:{PORT}").replace("/path/to/input.jpg", str(photo))
            for _ in range(300):
                if subprocess.run(["curl", "-sf", f"http://127.0.0.1:{PORT}/ready"], capture_output=True).returncode == 0:
                    break
                time.sleep(0.2)
            subprocess.run(["sh", "-euc", line], cwd=folder, check=True)
            print("ran", line.strip(), Image.open(folder / "output.png").mode)
        finally:
            server.terminate()
            server.wait()


main()
