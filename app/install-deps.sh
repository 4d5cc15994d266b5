#!/bin/sh
# Installs what building and testing mattebox needs, on Debian 12 or a relative. Does nothing where all is there.
# usage: install-deps.sh [--ci] [--windows] [--arm]. --windows: also the cross compiler, Wine, and what codecs.sh needs
# (docs/windows.md); --arm: also the cross compiler for 64-bit Arm and the emulator for its programs (docs/build.md)
set -eu

needed="gcc g++ cmake ninja-build pkg-config libopenblas-dev zlib1g-dev libjpeg62-turbo-dev libpng-dev libstb-dev libwebp-dev libtiff-dev libheif-dev libjxl-dev liblcms2-dev libcurl4-openssl-dev libmicrohttpd-dev libcjson-dev"
for argument; do
    case $argument in
    --ci) needed="$needed clang-format-14 python3-minimal python3-numpy" ;;
    --windows) needed="$needed gcc-mingw-w64-x86-64-win32 wine wine64 nasm make dpkg-dev python3-minimal debian-archive-keyring" ;;
    --arm) needed="$needed gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user qemu-user-static" ;;
    *) echo "usage: install-deps.sh [--ci] [--windows] [--arm]" >&2; exit 2 ;;
    esac
done

missing=""
for package in $needed; do
    if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed"; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "mattebox needs these packages (Debian names):$missing" >&2
    echo "  install them with your package manager, then run this again" >&2
    exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "mattebox needs these packages:$missing" >&2
        echo "  run as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "Installing with apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get install -y -qq --no-install-recommends $missing
