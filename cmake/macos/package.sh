#!/bin/sh
# Everything for macOS on Arm in one go, from another system: codecs, build, an archive, a wheel, checksums.
# usage: package.sh OUTPUT [BUILD] (default build-macos in the tree). Needs what docs/macos.md lists.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
system=macos
. "$root/cmake/cross/package.sh"
begin mattebox_app mattebox-weights mattebox_shared
cp "$build/mattebox" "$build/mattebox-weights" "$stage/$name/"
cp -L "$build/libmattebox.dylib" "$stage/$name/library/"
tar -C "$stage" -czf "$out/$name.tar.gz" "$name"
finish "$name.tar.gz"
