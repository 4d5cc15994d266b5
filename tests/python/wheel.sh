#!/bin/sh
# The wheel as a stranger has it: sh tests/python/wheel.sh [WHEEL]
# Builds it if none is given, checks its name with auditwheel (from PyPI), types with mypy --strict, and runs it in a Debian system that
# has Python and numpy and nothing else of ours (debootstrap, as root). Outside CI.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
if [ $# -eq 0 ]; then
    python3 "$root/app/python/build_wheel.py" --out "$work/dist"
    set -- "$work"/dist/*.whl
fi
wheel=$(realpath "$1")
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q auditwheel mypy numpy pillow
tag=$(basename "$wheel" .whl | sed 's/.*-//')
"$work/venv/bin/auditwheel" show "$wheel" >"$work/said"
tr '\n' ' ' <"$work/said" | grep -q "consistent with the following platform tag: \"$tag\"" || { cat "$work/said"; exit 1; }
echo "auditwheel: $tag"
(cd "$root/app/python" && "$work/venv/bin/mypy")

debootstrap --variant=minbase --include=python3-minimal,python3-numpy bookworm "$work/debian" >"$work/log" 2>&1 ||
    { tail "$work/log"; exit 1; }
mkdir "$work/debian/site"
python3 -m zipfile -e "$wheel" "$work/debian/site"
chmod +x "$work/debian/site/mattebox/bin/"*
cp "$root/docs/pictures/cat.jpg" "$work/debian/tmp/"
cat >"$work/debian/tmp/try.py" <<'END'
import glob, sys, time
start = time.perf_counter()
import mattebox
spent = time.perf_counter() - start
assert "numpy" not in sys.modules
data = open("/tmp/cat.jpg", "rb").read()
assert mattebox.cut(data).startswith(b"\x89PNG")
print(mattebox.cut("/tmp/cat.jpg"), f"import {spent * 1e3:.0f} ms;", mattebox.build_info()["pictures"])
system = [p for p in glob.glob("/usr/lib/*/lib*.so.*") if any(n in p for n in ("libjpeg", "libpng", "libwebp", "liblcms"))]
assert not system, system  # so those that were used are the wheel's
END
# with /proc, by which the loader finds a program's folder; the mount ends with the command
inside() {
    unshare --mount sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' sh "$work/debian" chroot "$work/debian" env PYTHONPATH=/site "$@"
}
inside python3 /tmp/try.py
inside python3 -m mattebox version
echo "passed"
