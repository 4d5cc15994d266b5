#!/bin/sh
# Archives of the committed sources, the same bytes wherever and whenever they are made:
#     sh app/packages/tarball.sh OUT_FOLDER [--check]
# mattebox-VERSION.tar.gz (source), mattebox-VERSION-linux-ARCH.tar.gz (programs, library, manual; built in Release), SHA256SUMS.
# --check builds the second one twice, in folders of different names, and compares.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?usage: tarball.sh OUT_FOLDER [--check]}
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# usage: pack FOLDER NAME FILE: FOLDER/NAME as FILE, sorted, of one owner and one day
pack() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
        --format=gnu -C "$1" -cf - "$2" | gzip -n -9 >"$3"
}

# usage: build FOLDER FILE: from the source archive alone, without git
build() {
    mkdir -p "$1"
    tar -xzf "$out/mattebox-$version.tar.gz" -C "$1"
    tree=$1/mattebox-$version
    name=mattebox-$version-linux-$(uname -m)
    CFLAGS="-ffile-prefix-map=$tree=." CMAKE_C_COMPILER_LAUNCHER="" cmake -S "$tree" -B "$1/b" -DCMAKE_BUILD_TYPE=Release \
        -DMATTEBOX_TESTS=OFF -DMATTEBOX_BENCHMARKS=OFF -DMATTEBOX_CUDA=OFF \
        -DCMAKE_INSTALL_LIBDIR=lib >"$1/log"
    cmake --build "$1/b" -j "$(nproc)" >>"$1/log" 2>&1 || { tail -n 30 "$1/log"; exit 1; }
    cmake --install "$1/b" --strip --prefix "$1/tree/$name" >>"$1/log"
    pack "$1/tree" "$name" "$2"
}

mkdir "$work/source"
git -C "$root" archive --prefix="mattebox-$version/" HEAD | tar -xf - -C "$work/source"
pack "$work/source" "mattebox-$version" "$out/mattebox-$version.tar.gz"
binary=$out/mattebox-$version-linux-$(uname -m).tar.gz
build "$work/one" "$binary"
if [ "${2:-}" = "--check" ]; then
    build "$work/another/folder" "$work/again.tar.gz"
    cmp "$binary" "$work/again.tar.gz"
    pack "$work/source" "mattebox-$version" "$work/source.tar.gz"
    cmp "$out/mattebox-$version.tar.gz" "$work/source.tar.gz"
    mkdir "$work/use"
    tar -xzf "$binary" -C "$work/use"
    "$work"/use/*/bin/mattebox "$root/docs/pictures/cat.jpg" --model saliency -o "$work/use/cat.png" -q
    test -s "$work/use/cat.png"
    echo "built twice with the same bytes, unpacked and used"
fi
(cd "$out" && sha256sum "mattebox-$version"*.tar.gz >SHA256SUMS && cat SHA256SUMS && ls -l ./*.tar.gz)
