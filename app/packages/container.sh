#!/bin/sh
# Builds the container without a registry and tries it: sh app/packages/container.sh [--keep]
# The base image is made with debootstrap, from this machine's mirror (chroot.sh); buildah builds in a chroot, so neither
# namespaces nor a daemon are needed. Needs root, debootstrap, buildah; some 2 GB for a while. With --keep the image stays in
# buildah's storage as localhost/mattebox:VERSION.
# On a machine with a registry: buildah bud -f app/packages/Containerfile . is all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/chroot.sh"
command -v buildah >/dev/null || { echo "buildah is not installed"; exit 77; }
version=$(sed -n 's/^project(mattebox VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
work=$(mktemp -d)
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
[ "${1:-}" = "--keep" ] || storage="--root $work/storage --runroot $work/run"
# shellcheck disable=SC2086 # several words, or none
buildah() { command buildah ${storage:-} "$@"; }
box=""
finish() {
    [ -z "$box" ] || buildah rm "$box" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT

echo "== base image"
make_chroot "$work/base"
rm -rf "$work"/base/var/lib/apt/lists/* "$work"/base/var/cache/apt/* "$work"/base/usr/share/doc/* "$work"/base/usr/share/man/* \
    "$work"/base/usr/share/locale/* "$work"/base/var/log/* "$work"/base/debootstrap
box=$(buildah from scratch)
buildah copy -q "$box" "$work/base" / >/dev/null
buildah commit -q --rm "$box" debian-base >/dev/null
box=""
rm -rf "$work/base"

echo "== image"
mkdir "$work/source"
git -C "$root" archive HEAD | tar -xf - -C "$work/source"
buildah bud -q --format docker --build-arg BASE=localhost/debian-base -f "$work/source/app/packages/Containerfile" \
    -t "mattebox:$version" "$work/source" >"$work/log" 2>&1 || { tail -n 40 "$work/log"; exit 1; }
rm -rf "$work/source"

echo "== tried"
box=$(buildah from --pull-never "localhost/mattebox:$version")
buildah inspect --type image "localhost/mattebox:$version" >"$work/inspect"
grep -q '"Healthcheck"' "$work/inspect" || { echo "the image has no health check"; exit 1; }
grep -q '"User": "10001"' "$work/inspect" || { echo "the image runs as root"; exit 1; }
mounted=$(buildah mount "$box")
size=$(du -sx --apparent-size --block-size=1000000 "$mounted" | cut -f1)
echo "size: $size MB unpacked"
[ "$size" -lt 200 ] || { echo "more than 200 MB"; exit 1; }
cp "$root/docs/pictures/cat.jpg" "$mounted/tmp/"
chmod 644 "$mounted/tmp/cat.jpg"
buildah run "$box" -- sh -euc 'test "$(id -u)" = 10001; mattebox version --verbose | head -n 4
    mattebox /tmp/cat.jpg -o /tmp/cat.png; test -s /tmp/cat.png; touch /models/writable; ! touch /usr/forbidden 2>/dev/null'
if buildah run "$box" -- mattebox help serve >/dev/null 2>&1; then
    # The command and the health check as the image has them.
    check=$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))["Docker"]["config"]["Healthcheck"]["Test"]; print(d[-1])' "$work/inspect")
    printf '%s\n' "$check" >"$mounted/tmp/health.sh"
    chmod 644 "$mounted/tmp/health.sh"
    buildah run "$box" -- sh -euc '! bash /tmp/health.sh 2>/dev/null
        mattebox serve --listen 0.0.0.0:7000 2>/tmp/serve.log & server=$!
        for i in $(seq 100); do bash /tmp/health.sh 2>/dev/null && break; sleep 0.2; done
        bash /tmp/health.sh && echo "the health check passes"; kill $server; wait $server || true'
fi
echo "container: built, smaller than 200 MB, not root, used"
