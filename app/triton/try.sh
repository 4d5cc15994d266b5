#!/bin/sh
# The backend in the real server, on the CPU: sh app/triton/try.sh BUILD [FOLDER]
# Installs the server of the package nvidia-pytriton 0.7.0 in FOLDER (default: a temporary one), starts it with the model
# repository beside this file on the loopback address, and asks it over HTTP (try.py). Outside CI: 55 MB are fetched.
set -eu
build=$(cd "${1:?usage: try.sh BUILD [FOLDER]}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
keep=${2:-}
work=${keep:-$(mktemp -d)}
mkdir -p "$work"
server=""
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -n "$keep" ] || rm -rf "$work"
}
trap finish EXIT
if [ ! -e "$work/server/pytriton" ]; then
    python3 -m pip install --quiet --no-deps --target "$work/server" nvidia-pytriton==0.7.0
fi
triton=$work/server/pytriton/tritonserver
rm -rf "$work/backends" "$work/repository"
mkdir -p "$work/backends/mattebox"
cp "$build/libtriton_mattebox.so" "$work/backends/mattebox/"
cp -r "$here/repository" "$work/repository"
LD_LIBRARY_PATH=$work/server/nvidia_pytriton.libs "$triton/bin/tritonserver" --model-repository="$work/repository" \
    --backend-directory="$work/backends" --http-address=127.0.0.1 --http-port=7473 --allow-grpc=false --allow-metrics=false \
    >"$work/server.log" 2>&1 &
server=$!
for i in $(seq 120); do
    python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:7473/v2/models/mattebox/ready', timeout=1)" 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { tail -n 40 "$work/server.log"; exit 1; }
    sleep 0.5
done
python3 "$here/try.py" "$build" 127.0.0.1:7473 "$server" || { tail -n 20 "$work/server.log"; exit 1; }
kill "$server"
wait "$server" || true
server=""
grep -i "error" "$work/server.log" | head -n 5 || true
echo "tried"
