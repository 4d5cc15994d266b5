#!/bin/sh
# The nodes in the real ComfyUI, headless, through its HTTP interface: sh tests/comfyui/real.sh COMFYUI PYTHON WHEEL
#   COMFYUI  a checkout of ComfyUI; it is copied, not changed
#   PYTHON   of an environment with its requirements (torch for the CPU is enough); the wheel is put on its path, not installed
#   WHEEL    what app/python/build_wheel.py made
# Not part of CI: it needs torch and a public repository. It ends with "passed" or the first thing that is wrong.
set -eu
comfyui=$(realpath "$1") python=$2 wheel=$(realpath "$3")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cp -r "$comfyui" "$work/ComfyUI"
cp -r "$root/app/comfyui" "$work/ComfyUI/custom_nodes/mattebox"
mkdir -p "$work/site" "$work/ComfyUI/models/background_removal" "$work/ComfyUI/input"
"$python" -m zipfile -e "$wheel" "$work/site"
chmod +x "$work/site/mattebox/bin/"*
cp "$root/docs/pictures/cat.jpg" "$work/ComfyUI/input/"
"$work/site/mattebox/bin/mattebox-weights" generate birefnet-tiny-legacy --checkpoint --quiet \
    -o "$work/ComfyUI/models/background_removal/birefnet.safetensors"
port=$((20000 + $$ % 20000))
cd "$work/ComfyUI"
PYTHONPATH=$work/site HOME=$work "$python" main.py --cpu --listen 127.0.0.1 --port "$port" --disable-api-nodes --database-url sqlite:///:memory: >"$work/log" 2>&1 &
server=$!
PYTHONPATH=$work/site "$python" "$root/tests/comfyui/real.py" "$port" "$work/ComfyUI" "$root" || { tail -60 "$work/log"; exit 1; }
grep -E "mattebox" "$work/log" || true
