#!/bin/sh
# The arm64 libraries that a cross build links, in a folder of their own: root.sh DIR
# Debian's packages are fetched by apt with lists of its own below DIR and unpacked there; nothing on the system changes.
set -eu
root=${1:?usage: root.sh DIR}
if [ -f "$root/complete" ]; then exit 0; fi
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/apt/dpkg"
root=$(cd "$root" && pwd)
: >"$root/apt/dpkg/status"
apt_of_root() {
    apt-get -qq -o Dir::State="$root/apt" -o Dir::State::Lists="$root/apt/lists" -o Dir::State::status="$root/apt/dpkg/status" \
        -o Dir::Cache="$root/apt/cache" -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= \
        -o Debug::NoLocking=1 "$@"
}
apt_of_root update
(cd "$root/apt" && apt_of_root download zlib1g-dev libjpeg62-turbo-dev libpng-dev)
for package in "$root"/apt/*.deb; do
    dpkg -x "$package" "$root"
done
find "$root/usr/lib" -name '*.so*' -delete # what is linked stands alone under qemu
rm -r "$root/apt"
: >"$root/complete"
