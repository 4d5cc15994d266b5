#!/bin/sh
# Installs the packages in a clean chroot and uses them as a stranger would: sh app/packages/try-deb.sh FOLDER_OF_DEBS
# Needs root and debootstrap; about a minute and 700 MB, which are removed again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
debs=$(cd "${1:?usage: try-deb.sh FOLDER_OF_DEBS}" && pwd)
. "$here/chroot.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_chroot "$work/system"
mkdir "$work/system/debs"
cp "$debs"/*.deb "$work/system/debs/"
rm -f "$work/system/debs/"*dbgsym*
cp "$here/../../docs/pictures/cat.jpg" "$here/../../docs/example.c" "$work/system/tmp/"
inside() { chroot "$work/system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp DEBIAN_FRONTEND=noninteractive sh -euc "$1"; }
inside 'apt-get update -qq; apt-get install -y -qq --no-install-recommends $(ls /debs/mattebox_*.deb /debs/libmattebox0_*.deb)' >"$work/log" 2>&1 ||
    { tail -n 30 "$work/log"; exit 1; }
echo "== the program, offline"
inside 'cd /tmp; mattebox --version; mattebox cat.jpg; test -s cat.cutout.png; mattebox-weights --version
        mattebox models path; test -s /usr/share/man/man1/mattebox.1.gz -o -e /etc/dpkg/dpkg.cfg.d/docker'
echo "== the library, for a C compiler, pkg-config and CMake"
inside 'apt-get install -y -qq --no-install-recommends /debs/libmattebox-dev_*.deb gcc libc6-dev cmake make pkg-config' >"$work/log" 2>&1 ||
    { tail -n 30 "$work/log"; exit 1; }
cat >"$work/system/tmp/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(stranger C)
find_package(mattebox 0.1 REQUIRED COMPONENTS static)
foreach(kind mattebox static)
    add_executable(by_${kind} example.c)
    target_link_libraries(by_${kind} PRIVATE mattebox::${kind})
endforeach()
END
inside 'cd /tmp; cc example.c $(pkg-config --cflags --libs mattebox) -o by_pkg; ./by_pkg default cat.jpg a.png; test -s a.png
        cc example.c -static-libgcc $(pkg-config --cflags --libs --static mattebox) -o by_pkg_static
        cmake -S . -B b >log || { cat log; exit 1; }; cmake --build b >log || { cat log; exit 1; }
        ./b/by_mattebox default cat.jpg b.png; ./b/by_static default cat.jpg c.png; cmp a.png b.png; cmp a.png c.png
        cmp a.png cat.cutout.png'
if ls "$debs"/mattebox-server_*.deb >/dev/null 2>&1; then
    echo "== the server"
    inside 'mattebox serve 2>/tmp/none.log && exit 1; grep -q "apt-get install libmicrohttpd12" /tmp/none.log' # it comes with the next package
    inside 'apt-get install -y -qq --no-install-recommends /debs/mattebox-server_*.deb curl' >"$work/log" 2>&1 ||
        { tail -n 30 "$work/log"; exit 1; }
    inside 'ls /usr/lib/systemd/system/ /lib/systemd/system/ 2>/dev/null | grep mattebox; getent passwd | grep mattebox || true
            mattebox serve --listen 127.0.0.1:7399 >/tmp/serve.log 2>&1 & pid=$!
            for i in $(seq 100); do curl -fs http://127.0.0.1:7399/health >/dev/null && break; sleep 0.2; done
            curl -fsS -F file=@/tmp/cat.jpg http://127.0.0.1:7399/api/remove -o /tmp/served.png
            kill $pid; wait $pid || true; test -s /tmp/served.png'
fi
echo "== removed without a trace"
inside 'apt-get purge -y -qq "mattebox*" "libmattebox*" >/dev/null; ! command -v mattebox; ! find / -xdev -name "*mattebox*" -not -path "/debs/*" -not -path "/tmp/*" -not -path "/proc/*" -not -path "/var/cache/*" | grep .'
echo "tried: installed, used and removed"
