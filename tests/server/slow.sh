#!/bin/sh
# slowhttptest (Debian) against the server: slow heads, slow bodies, slow readers, 150 connections each, while another
# client is served. slow.sh BUILD [SECONDS]
set -eu
build=$(cd "$1" && pwd)
seconds=${2:-40}
command -v slowhttptest >/dev/null || { echo "apt-get install slowhttptest"; exit 77; }
"$build/mattebox" serve --listen 127.0.0.1:7451 --model saliency --connections 200 -q &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 300); do curl -sf http://127.0.0.1:7451/ready >/dev/null && break || sleep 0.2; done
failed=0
for mode in "-H -i 2" "-B -i 2 -s 8192 -t POST" "-X -w 10 -y 20 -n 2 -z 32 -k 3"; do
    path=/v1/cut
    [ "${mode#-X}" = "$mode" ] || path=/openapi.json
    # shellcheck disable=SC2086 # several words
    slowhttptest $mode -c 150 -r 50 -l "$seconds" -p 5 -u "http://127.0.0.1:7451$path" >/dev/null 2>&1 &
    attack=$!
    worst=0 n=0 missed=0
    while kill -0 $attack 2>/dev/null; do
        ms=$(curl -s -m 10 -o /dev/null -w '%{http_code} %{time_total}' http://127.0.0.1:7451/health | awk '{ print $1 == 200 ? int($2 * 1000) : -1 }')
        n=$((n + 1))
        [ "$ms" -ge 0 ] || missed=$((missed + 1))
        [ "$ms" -le "$worst" ] || worst=$ms
        sleep 0.5
    done
    wait $attack || true
    echo "slowhttptest $mode: $n other requests, $missed without an answer, the slowest $worst ms"
    [ $missed -eq 0 ] || failed=1
done
curl -s http://127.0.0.1:7451/metrics | grep '^mattebox_dropped'
exit $failed
