#!/bin/sh
# Everything for macOS on Arm in one go, from another system: codecs, build, an archive, a wheel, checksums.
# usage: package.sh OUTPUT [BUILD] (default build-macos in the tree). Needs what docs/macos.md lists.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 1 ] || { echo "usage: package.sh OUTPUT [BUILD]" >&2; exit 2; }
mkdir -p "$1" "${2:-$root/build-macos}"
out=$(cd "$1" && pwd)
build=$(cd "${2:-$root/build-macos}" && pwd)
codecs=$build/codecs

[ -e "$codecs/versions.txt" ] || MATTEBOX_CODECS_FOR=macos sh "$root/cmake/windows/codecs.sh" "$codecs" "$build/codecs-work"
cmake -S "$root" -B "$build" -G Ninja --toolchain "$root/cmake/macos-arm64.cmake" -DMATTEBOX_MACOS_PREFIX="$codecs" \
    -DMATTEBOX_TESTS=OFF -DMATTEBOX_BENCHMARKS=OFF -DMATTEBOX_CUDA=OFF -DMATTEBOX_SERVER=OFF >"$build/configure.log"
ninja -C "$build" mattebox_app mattebox-weights mattebox_shared

version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
name=mattebox-$version-macos-arm64
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name/library" "$stage/$name/licences"
cp "$build/mattebox" "$build/mattebox-weights" "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/docs/macos.md" "$stage/$name/"
cp -L "$build/libmattebox.dylib" "$root/engine/include/mattebox.h" "$stage/$name/library/"
cp "$codecs/versions.txt" "$stage/$name/licences/versions.txt"
for source in "$build/codecs-work/source"/*/debian/copyright; do
    cp "$source" "$stage/$name/licences/$(basename "$(dirname "$(dirname "$source")")").txt"
done
tar -C "$stage" -czf "$out/$name.tar.gz" "$name"
python3 "$root/app/python/build_wheel.py" --system macos --build "$build" --out "$out"
(cd "$out" && sha256sum ./*.tar.gz ./*.whl >SHA256SUMS)
ls -l "$out"
