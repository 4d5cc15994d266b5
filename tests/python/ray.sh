#!/bin/sh
# mattebox.ray on a local cluster: sh tests/python/ray.sh WHEEL [ROWS]
# Installs ray[data] from PyPI into an environment of its own. Outside CI.
set -eu
wheel=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "ray[data]==${RAY_VERSION:-2.60.0}" "$wheel"
"$work/venv/bin/python" "$root/tests/python/ray_test.py" "$root/docs/pictures/cat.jpg" "${2:-60}"
