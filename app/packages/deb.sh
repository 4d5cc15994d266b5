#!/bin/sh
# Debian packages of the committed sources: sh app/packages/deb.sh OUT_FOLDER [--try]
# Needs dpkg-dev, debhelper and the Build-Depends of debian/control (apt-get build-dep OUT/mattebox-VERSION). With --try
# (root, lintian, debootstrap) they are checked by lintian, installed in a clean chroot of this machine's release, from this
# machine's mirror, and used there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?usage: deb.sh OUT_FOLDER [--try]}
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
tree=$out/mattebox-$version
rm -rf "$tree"
mkdir "$tree"

# A clean export of what is committed; its day is that of the commit.
git -C "$root" archive HEAD | tar -xf - -C "$tree"
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --exclude="mattebox-$version/debian" \
    -C "$out" -cf - "mattebox-$version" | gzip -n -9 >"$out/mattebox_$version.orig.tar.gz"
cp -r "$tree/app/packages/debian" "$tree/debian"
if [ ! -e "$tree/app/server/server.cmake" ]; then # a tree without the server: three packages
    awk -v RS= -v ORS='\n\n' '!/^Package: mattebox-server/' "$tree/app/packages/debian/control" |
        sed 's/, mattebox-server$//' >"$tree/debian/control"
    rm -f "$tree"/debian/mattebox-server.*
    sed -i '/dh_installsystemd/d' "$tree/debian/rules"
fi
(cd "$tree" && dpkg-buildpackage -us -uc -d >"$out/build.log" 2>&1) || { tail -n 60 "$out/build.log"; exit 1; }
rm -rf "$tree"
ls -l "$out"/*.deb

[ "${2:-}" = "--try" ] || exit 0
lintian --fail-on error,warning --suppress-tags-from-file "$here/lintian-local" "$out"/mattebox_"$version"*.changes
sh "$here/try-deb.sh" "$out"
