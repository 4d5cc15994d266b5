# For scripts: make_chroot FOLDER makes a minimal system of this machine's release from this machine's mirror, as its apt is
# configured; packages are kept in $MATTEBOX_DEB_CACHE, if that is set.
make_chroot() {
    command -v debootstrap >/dev/null || { echo "debootstrap is not installed"; exit 77; }
    [ "$(id -u)" -eq 0 ] || { echo "a chroot needs root"; exit 77; }
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release" | sort -u | head -n 1)
    [ -n "$mirror" ] || { echo "apt knows no mirror of $release: apt-get update"; exit 77; }
    debootstrap --variant=minbase ${MATTEBOX_DEB_CACHE:+--cache-dir="$MATTEBOX_DEB_CACHE"} "$release" "$1" "$mirror" >"$1.log" 2>&1 ||
        { tail -n 20 "$1.log"; exit 1; }
    # The same lists and the same proxy.
    rm -f "$1"/etc/apt/sources.list
    cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$1"/etc/apt/ 2>/dev/null || true
    [ ! -s /etc/apt/sources.list ] || cp /etc/apt/sources.list "$1"/etc/apt/
    printf '#!/bin/sh\nexit 101\n' >"$1"/usr/sbin/policy-rc.d # no service starts in a chroot
    chmod +x "$1"/usr/sbin/policy-rc.d
    cp /etc/resolv.conf "$1"/etc/
}
