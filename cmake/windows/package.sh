#!/bin/sh
# Everything for Windows in one go: codecs, build, a zip for people without Python, the library for developers, a wheel, checksums.
# usage: package.sh OUTPUT [BUILD] (default build-windows in the tree). Needs what docs/windows.md lists, and python3.
# MATTEBOX_CUDA=ON in the environment adds the CUDA back end (docs/windows.md: never run).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 1 ] || { echo "usage: package.sh OUTPUT [BUILD]" >&2; exit 2; }
mkdir -p "$1" "${2:-$root/build-windows}"
out=$(cd "$1" && pwd)
build=$(cd "${2:-$root/build-windows}" && pwd)
codecs=$build/codecs

[ -e "$codecs/versions.txt" ] || sh "$root/cmake/windows/codecs.sh" "$codecs" "$build/codecs-work"
cmake -S "$root" -B "$build" -G Ninja --toolchain "$root/cmake/windows-x86_64.cmake" -DMATTEBOX_WINDOWS_PREFIX="$codecs" \
    -DMATTEBOX_TESTS=OFF -DMATTEBOX_CUDA="${MATTEBOX_CUDA:-OFF}" >"$build/configure.log"
ninja -C "$build" mattebox_app mattebox-weights mattebox_shared mattebox_lib

version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
name=mattebox-$version-windows-x86_64
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name/library"
for file in mattebox.exe mattebox-weights.exe; do
    x86_64-w64-mingw32-strip -o "$stage/$name/$file" "$build/$file"
done
x86_64-w64-mingw32-strip --strip-unneeded -o "$stage/$name/library/mattebox.dll" "$build/mattebox.dll"
cp "$build/mattebox.def" "$build/mattebox.lib" "$build/libmattebox.dll.a" "$root/engine/include/mattebox.h" "$stage/$name/library/"
cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/docs/windows.md" "$stage/$name/"
mkdir "$stage/$name/licences"
cp "$codecs/versions.txt" "$stage/$name/licences/versions.txt"
for source in "$build/codecs-work/source"/*/debian/copyright; do
    cp "$source" "$stage/$name/licences/$(basename "$(dirname "$(dirname "$source")")").txt"
done

# Each file of ours fits where people send files: less than 8 MB without the model, which adds its own size.
model=$(stat -c %s "$root/app/models/demo.mbw")
for file in mattebox.exe library/mattebox.dll; do
    bytes=$(($(stat -c %s "$stage/$name/$file") - model))
    echo "$file: $bytes bytes without the model"
    [ "$bytes" -lt 8000000 ] || { echo "$file is too large" >&2; exit 1; }
done
rm -f "$out/$name.zip"
(cd "$stage" && python3 -m zipfile -c "$out/$name.zip" "$name")
python3 "$root/app/python/build_wheel.py" --system windows --build "$build" --out "$out"
(cd "$out" && sha256sum ./*.zip ./*.whl >SHA256SUMS)
ls -l "$out"
