#!/bin/sh
# Everything for Windows in one go: codecs, build, a zip for people without Python, the library for developers, a wheel, checksums.
# usage: package.sh OUTPUT [BUILD] (default build-windows in the tree). Needs what docs/windows.md lists, and python3.
# MATTEBOX_CUDA=ON in the environment adds the CUDA back end (docs/windows.md: never run).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
system=windows
. "$root/cmake/cross/package.sh"
begin mattebox_app mattebox-weights mattebox_shared mattebox_lib
for file in mattebox.exe mattebox-weights.exe; do
    $host-strip -o "$stage/$name/$file" "$build/$file"
done
$host-strip --strip-unneeded -o "$stage/$name/library/mattebox.dll" "$build/mattebox.dll"
cp "$build/mattebox.def" "$build/mattebox.lib" "$build/libmattebox.dll.a" "$stage/$name/library/"

# Each file of ours fits where people send files: less than 8 MB without the model, which adds its own size.
for file in mattebox.exe mattebox-weights.exe library/mattebox.dll; do
    model=$(stat -c %s "$build/demo.mbw")
    [ $file != mattebox-weights.exe ] || model=0 # it carries none
    bytes=$(($(stat -c %s "$stage/$name/$file") - model))
    echo "$file: $bytes bytes without the model"
    [ "$bytes" -lt 8000000 ] || { echo "$file is too large" >&2; exit 1; }
done
rm -f "$out/$name.zip"
(cd "$stage" && python3 -m zipfile -c "$out/$name.zip" "$name")
finish "$name.zip"
