#!/bin/sh
# docs/deploy.md: the proxy's configuration under nginx's own check and with requests through it, the units under systemd's check
# and the server behind its socket, as far as they are there and the tools installed. app/packages/try-systemd.sh runs the units in
# a system of their own. deploy.sh BUILD SOURCE
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$2" && pwd)
work=$build/test-files/deploy
rm -rf "$work"
mkdir -p "$work"
tried=0
serves=$("$build/mattebox" help serve >/dev/null 2>&1 && command -v curl || true)
port=$((20000 + $$ % 20000))
photo=$source/docs/pictures/astronaut.jpg
pids=""
trap 'for p in $pids; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done' EXIT
# usage: eventually COMMAND...: within twenty seconds
eventually() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "not within 20 s: $*"
    exit 1
}
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
if [ -s "$work/nginx.conf" ] && [ -n "$serves" ]; then # the same one, but for port, socket, and files below $work
    sed -i "s|443 ssl|127.0.0.1:$port ssl|; s|/run/mattebox/http.sock|$work/http.sock|" "$work/site"
    [ "$(grep -c "$port\|$work/http.sock" "$work/site")" -eq 2 ]
    [ "$(id -u)" -ne 0 ] || echo "user root;" >>"$work/nginx.conf" # the socket is its owner's and group's
    for kind in client_body proxy fastcgi uwsgi scgi; do paths="${paths:-}${kind}_temp_path $work/$kind; "; done
    sed -i "s|^http {|daemon off;\nhttp { $paths|" "$work/nginx.conf"
    "$build/mattebox" serve --unix "$work/http.sock" --model saliency --host cut.example.org --quiet &
    pids=$!
    nginx -c "$work/nginx.conf" 2>"$work/nginx.log" &
    pids="$pids $!"
    through() { curl -fsS --cacert "$work/cert.pem" --resolve "cut.example.org:$port:127.0.0.1" "$@"; }
    eventually through "https://cut.example.org:$port/ready"
    through -F file=@"$photo" "https://cut.example.org:$port/v1/cut" -o "$work/proxied.png"
    "$build/mattebox" "$photo" --model saliency --quiet -o "$work/own.png"
    cmp "$work/proxied.png" "$work/own.png"
    head -c 53000000 /dev/zero >"$work/large"
    status=$(through -o /dev/null -w '%{http_code}' -F file=@"$work/large" "https://cut.example.org:$port/v1/cut" 2>/dev/null || true)
    [ "$status" = 413 ] || { echo "a body beyond client_max_body_size: $status"; exit 1; }
    rm "$work/large"
    for p in $pids; do kill "$p"; done
    for p in $pids; do wait "$p" || { echo "the exit code of a drained server or of nginx is $?"; exit 1; }; done
    pids=""
    echo "a photo through nginx is the program's own bytes"
fi
if command -v systemd-socket-activate >/dev/null && [ -n "$serves" ]; then
    systemd-socket-activate -l "127.0.0.1:$port" "$build/mattebox" serve --model saliency --quiet 2>"$work/activate.log" &
    pids=$!
    eventually curl -fsS -F file=@"$photo" "http://127.0.0.1:$port/v1/cut?model=saliency" -o "$work/activated.png"
    [ -e "$work/own.png" ] || "$build/mattebox" "$photo" --model saliency --quiet -o "$work/own.png"
    cmp "$work/activated.png" "$work/own.png"
    kill "$pids"
    wait "$pids" || { echo "the exit code of the activated server is $?"; exit 1; }
    pids=""
    echo "the first connection starts the server"
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
