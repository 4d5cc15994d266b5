#!/bin/sh
# docs/deploy.md: the proxy's configuration under nginx's own check, the units under systemd's, as far as they are there and
# the checkers installed. deploy.sh BUILD SOURCE
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
work=$build/test-files/deploy
rm -rf "$work"
mkdir -p "$work"
tried=0
if [ -e "$source/docs/deploy.md" ] && command -v nginx >/dev/null && command -v openssl >/dev/null; then
    awk '/^```nginx$/ { on = 1; next } on && /^```$/ { exit } on { print }' "$source/docs/deploy.md" >"$work/site"
    [ -s "$work/site" ] || { echo "docs/deploy.md has no configuration of nginx"; exit 1; }
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=cut.example.org -days 2 -keyout "$work/key.pem" -out "$work/cert.pem" \
        2>/dev/null
    printf 'pid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\nssl_certificate %s/cert.pem;\nssl_certificate_key %s/key.pem;\ninclude %s/site;\n}\n' \
        "$work" "$work" "$work" "$work" >"$work/nginx.conf"
    sed -i '/^ *ssl_certificate/d' "$work/site"
    nginx -t -q -c "$work/nginx.conf"
    echo "nginx takes its configuration"
    tried=$((tried + 1))
fi
if [ -e "$source/app/server/systemd/mattebox.service.in" ] && command -v systemd-analyze >/dev/null; then
    sed "s|^ExecStart=[^ ]*|ExecStart=$build/mattebox|" "$source/app/server/systemd/mattebox.service.in" >"$work/mattebox.service"
    cp "$source/app/server/systemd/mattebox.socket" "$work/"
    systemd-analyze verify --man=no "$work/mattebox.service" "$work/mattebox.socket" 2>"$work/complaints" || true
    ! grep -E "^$work" "$work/complaints" || exit 1
    systemd-analyze security --offline=yes --threshold=25 "$work/mattebox.service" >"$work/security" 2>/dev/null ||
        { tail -n 1 "$work/security"; exit 1; }
    tail -n 1 "$work/security"
    tried=$((tried + 1))
fi
[ "$tried" -gt 0 ] || { echo "nothing to check, or no checker is installed"; exit 77; }
