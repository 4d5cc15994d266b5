"""`python -m mattebox`, and the commands that pip installs: the programs of the wheel, or the system's."""
from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys


def program(name: str) -> str | None:
    """Where mattebox or mattebox-weights is: $MATTEBOX_PROGRAMS, the wheel, $PATH."""
    name += ".exe" if os.name == "nt" else ""
    folder = os.environ.get("MATTEBOX_PROGRAMS")
    for path in ([pathlib.Path(folder) / name] if folder else []) + [pathlib.Path(__file__).resolve().parent / "bin" / name]:
        if os.access(path, os.X_OK):
            return str(path)
    found = shutil.which(name)
    ours = found is not None and os.path.realpath(found) == os.path.realpath(sys.argv[0])  # the script that started this
    return None if ours else found


def _become(name: str) -> int:
    path = program(name)
    if path is None:
        print(f"{name}: the program is neither in this package nor in $PATH", file=sys.stderr)
        return 2
    if os.name == "nt":  # there execv returns to the shell at once, and the exit code is lost
        try:
            return subprocess.call([path, *sys.argv[1:]])
        except KeyboardInterrupt:  # the program has heard it, too, and has ended in order
            return 130
    os.execv(path, [name, *sys.argv[1:]])


def main() -> int:
    return _become("mattebox")


def weights() -> int:
    return _become("mattebox-weights")


if __name__ == "__main__":
    sys.exit(main())
