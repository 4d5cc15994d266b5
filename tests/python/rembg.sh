#!/bin/sh
# rembg and mattebox.compat on the same pictures: sh tests/python/rembg.sh WHEEL [PICTURE...]
# Installs rembg from PyPI into an environment of its own; no network is downloaded: rembg gets its masks from us. Outside CI.
set -eu
wheel=$(realpath "$1")
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || set -- "$root/docs/pictures/cat.jpg" "$root/docs/pictures/astronaut.jpg"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "rembg[cpu]==${REMBG_VERSION:-2.0.86}" "$wheel"
"$work/venv/bin/python" "$root/tests/python/compare_rembg.py" "$@"
