#!/bin/sh
# Builds the picture codecs for another system from Debian's source packages, at the versions that the Linux build uses, so that
# pictures have the same bytes. usage: codecs.sh windows|macos PREFIX [WORK]. Needs: apt-get, dpkg-dev, cmake, ninja, nasm (Windows),
# the cross compiler. The sources are fetched once into WORK/source; what PREFIX has already is not built again.
# MATTEBOX_CODECS_ONLY=required: without libwebp and Little CMS, which mattebox can be built without; a third of the time.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 2 ] || { echo "usage: codecs.sh windows|macos PREFIX [WORK]" >&2; exit 2; }
system=$1
. "$root/cmake/cross/system.sh"
mkdir -p "$2" "${3:-$2-work}"
prefix=$(cd "$2" && pwd)
work=$(cd "${3:-$2-work}" && pwd)
# Upstream versions; of the Debian revisions the newest of this release, which add fixes of security alone.
packages="zlib=1.2.13.dfsg libjpeg-turbo=2.1.5 libpng1.6=1.6.39 libwebp=1.2.4 lcms2=2.14 libstb=0.0~git20220908.8b5f1f3+ds"
optional=yes
[ "${MATTEBOX_CODECS_ONLY:-}" != required ] || optional=""
[ -n "$optional" ] || packages=$(echo "$packages" | sed 's/libwebp=[^ ]* //; s/lcms2=[^ ]* //')

# usage: all_in FILE: has it a line for each of the packages?
all_in() {
    for package in $packages; do
        grep -qsF "${package%%=*} ${package#*=}-" "$1" || grep -qsF "${package%%=*} 1:${package#*=}-" "$1" || return 1
    done
}
! all_in "$prefix/versions.txt" || exit 0

# Sources of the suites that this machine's apt knows, from its own mirrors.
fetch() {
    mkdir -p "$work/source" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    for suite in bookworm bookworm-updates bookworm-security; do
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | sort -u | head -n 1)
        [ -z "$mirror" ] || echo "deb-src [signed-by=$key] $mirror $suite main"
    done >"$work/apt/sources.list"
    [ -s "$work/apt/sources.list" ] || { echo "apt knows no mirror of bookworm: apt-get update" >&2; exit 1; }
    options="-o Dir::Etc::SourceList=$work/apt/sources.list -o Dir::Etc::SourceParts=/nonexistent -o Dir::State::Lists=$work/apt/lists -o Dir::Cache=$work/apt/cache -o APT::Sandbox::User=$(id -un)"
    # shellcheck disable=SC2086 # the options are meant to be split
    apt-get $options -qq update
    cd "$work/source"
    for package in $packages; do
        name=${package%%=*}
        wanted=${package#*=}
        got=""
        # shellcheck disable=SC2086
        for version in $(apt-cache $options showsrc "$name" 2>/dev/null | sed -n 's/^Version: //p' | sort -Vru); do
            case ${version#*:} in "$wanted"-*) ;; *) continue ;; esac
            if apt-get $options -qq source "$name=$version" >/dev/null 2>"$work/fetch.log"; then
                got=$version
                break
            fi # a mirror may not have the newest yet
        done
        [ -n "$got" ] || { echo "$name $wanted cannot be had" >&2; cat "$work/fetch.log" >&2; exit 1; }
        echo "$name $got"
    done >versions.txt
}
all_in "$work/source/versions.txt" || fetch

# usage: build NAME OPTION...: a CMake project of the sources, installed as static libraries
build() {
    name=$1
    shift
    folder=$(find "$work/source" -maxdepth 1 -type d -name "$name-*" | head -1)
    cmake -S "$folder" -B "$work/build/$name" -G Ninja --toolchain "$toolchain" -DCMAKE_BUILD_TYPE=Release \
        "-DMATTEBOX_CROSS_PREFIX=$prefix" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DBUILD_SHARED_LIBS=OFF "$@" >"$work/$name.log" 2>&1 || { tail -20 "$work/$name.log"; exit 1; }
    ninja -C "$work/build/$name" install >>"$work/$name.log" 2>&1 || { tail -20 "$work/$name.log"; exit 1; }
    echo "$name: built"
}

source_of() {
    find "$work/source" -maxdepth 1 -type d -name "$1-*" | head -1
}
mkdir -p "$prefix/lib/pkgconfig" "$prefix/include"

# zlib: Debian's sources come without its files for Windows, which only name the version in a DLL.
cd "$(source_of zlib)"
objects=""
for file in adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil; do
    "$cc" -O3 -w ${zlib_flags:+"$zlib_flags"} -c -o "$work/$file.o" "$file.c"
    objects="$objects $file.o"
done
# shellcheck disable=SC2086 # names without blanks
(cd "$work" && "$ar" crs "$prefix/lib/libz.a" $objects)
cp zlib.h zconf.h "$prefix/include/"
echo "zlib: built"

build libjpeg-turbo -DENABLE_SHARED=OFF -DENABLE_STATIC=ON -DWITH_TURBOJPEG=OFF -DREQUIRE_SIMD=ON
build libpng1.6 ${png_flags:+"$png_flags"} -DPNG_SHARED=OFF -DPNG_STATIC=ON -DPNG_TESTS=OFF
if [ -n "$optional" ]; then
    build libwebp -DWEBP_BUILD_ANIM_UTILS=OFF -DWEBP_BUILD_CWEBP=OFF -DWEBP_BUILD_DWEBP=OFF -DWEBP_BUILD_GIF2WEBP=OFF \
        -DWEBP_BUILD_IMG2WEBP=OFF -DWEBP_BUILD_VWEBP=OFF -DWEBP_BUILD_WEBPINFO=OFF -DWEBP_BUILD_WEBPMUX=OFF -DWEBP_BUILD_EXTRAS=OFF \
        -DWEBP_BUILD_LIBWEBPMUX=ON
    mkdir -p "$work/build/lcms2"
    cd "$work/build/lcms2"
    { "$(source_of lcms2)/configure" --host=$host --prefix="$prefix" --disable-shared --enable-static --without-jpeg --without-tiff \
        --without-zlib CC="$cc" AR="$ar" RANLIB="$ranlib" CFLAGS=-O2 && make -C src install && make install-pkgconfigDATA &&
        make -C include install; } >"$work/lcms2.log" 2>&1 || { tail -20 "$work/lcms2.log"; exit 1; }
    echo "lcms2: built"
fi

mkdir -p "$prefix/include/stb"
cp "$(source_of libstb)"/stb_image.h "$prefix/include/stb/"
cp "$work/source/versions.txt" "$prefix/versions.txt"
