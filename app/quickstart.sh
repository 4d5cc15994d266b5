#!/bin/sh
# From a fresh Debian machine to a cut-out photo: sh app/quickstart.sh [PHOTO]
# Installs what is missing (and says so), builds, and cuts the photo out with what is installed or built in: offline.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
photo=${1:-$root/docs/pictures/cat.jpg}
build=$root/build
if [ ! -f "$photo" ]; then
    echo "quickstart: $photo: no such file" >&2
    exit 2
fi
case $photo in /*) ;; *) photo=$PWD/$photo ;; esac

sh "$root/app/install-deps.sh"
echo "Building in $build (a few minutes) ..."
# The CPU path alone: compiling for GPUs takes long and is a choice of its own (docs/build.md).
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMATTEBOX_TESTS=OFF -DMATTEBOX_CUDA=OFF >"$root/build.log" 2>&1 &&
    cmake --build "$build" >>"$root/build.log" 2>&1 || {
    tail -n 30 "$root/build.log" >&2
    echo "quickstart: the build failed; the whole log is in $root/build.log" >&2
    exit 1
}
rm -f "$root/build.log"

name=$(basename "$photo")
out=$PWD/${name%.*}.cutout.png
"$build/mattebox" "$photo" -o "$out" --force
echo "The result: $out"
