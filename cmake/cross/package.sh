# Of cmake/windows/package.sh and cmake/macos/package.sh, which source it: what making a package has in common. Set before: root;
# system; the arguments are theirs, OUTPUT [BUILD].
#   begin TARGET...     builds the picture libraries, then these targets; makes $stage/$name with our texts and the licences
#   finish ARCHIVE      adds the wheel, and checksums of it and the archive, a file in $out
# They set: out build codecs, folders; name, of the package; stage, a folder that goes at the end.
# shellcheck shell=sh disable=SC2154
[ $# -ge 1 ] || { echo "usage: package.sh OUTPUT [BUILD]" >&2; exit 2; }
. "$root/cmake/cross/system.sh"
mkdir -p "$1" "${2:-$root/build-$system}"
out=$(cd "$1" && pwd)
build=$(cd "${2:-$root/build-$system}" && pwd)
codecs=$build/codecs

begin() {
    sh "$root/cmake/cross/codecs.sh" "$system" "$codecs" "$build/codecs-work"
    # shellcheck disable=SC2086 # several options
    cmake -S "$root" -B "$build" -G Ninja --toolchain "$toolchain" -DMATTEBOX_CROSS_PREFIX="$codecs" \
        $our_options >"$build/configure.log"
    ninja -C "$build" "$@"
    version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
    name=mattebox-$version-$system-$machine
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    mkdir -p "$stage/$name/library" "$stage/$name/licences"
    cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/docs/$system.md" "$stage/$name/"
    cp "$root/engine/include/mattebox.h" "$stage/$name/library/"
    cp "$codecs/versions.txt" "$stage/$name/licences/versions.txt"
    for source in "$build/codecs-work/source"/*/debian/copyright; do
        cp "$source" "$stage/$name/licences/$(basename "$(dirname "$(dirname "$source")")").txt"
    done
}

finish() {
    python3 "$root/app/python/build_wheel.py" --system "$system" --build "$build" --out "$out"
    (cd "$out" && sha256sum "./$1" ./*.whl >SHA256SUMS)
    ls -l "$out"
}
