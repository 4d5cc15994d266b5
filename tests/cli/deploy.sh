#!/bin/sh
# docs/deploy.md: the proxy's configuration under nginx's own check, the units under systemd's, as far as they are installed.
# deploy.sh BUILD SOURCE
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
work=$build/test-files/deploy
rm -rf "$work"
mkdir -p "$work"
tried=0
awk '$0 == "<!-- test: nginx -->" { on = 1; next } on && /^```$/ { exit } on && !/^```/ { print }' "$source/docs/deploy.md" >"$work/site"
[ -s "$work/site" ] || { echo "docs/deploy.md has no configuration of nginx"; exit 1; }
if command -v nginx >/dev/null && command -v openssl >/dev/null; then
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=cutout.example.org -days 2 -keyout "$work/cutout.key" -out "$work/cutout.pem" \
        2>/dev/null
    printf 'pid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\ninclude %s/site;\n}\n' "$work" "$work" >"$work/nginx.conf"
    sed -i "s|/etc/ssl/certs|$work|; s|/etc/ssl/private|$work|" "$work/site"
    nginx -t -q -c "$work/nginx.conf"
    tried=$((tried + 1))
fi
if command -v systemd-analyze >/dev/null; then
    for unit in service socket; do
        sed "s|/usr/bin/mattebox|$build/mattebox|" "$source/app/packages/systemd/mattebox.$unit" >"$work/mattebox.$unit"
    done
    systemd-analyze verify --man=no "$work/mattebox.service" "$work/mattebox.socket"
    systemd-analyze security --offline=yes --threshold=25 "$work/mattebox.service" >"$work/security" ||
        { tail -n 1 "$work/security"; exit 1; }
    tail -n 1 "$work/security"
    tried=$((tried + 1))
fi
[ "$tried" -gt 0 ] || { echo "neither nginx nor systemd-analyze is installed"; exit 77; }
