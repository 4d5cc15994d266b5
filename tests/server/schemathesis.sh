#!/bin/sh
# Requests made from /openapi.json against the server: schemathesis.sh BUILD [SECONDS]. Installs schemathesis 4.32.5 in a
# folder of its own (or uses that of VENV) and talks to loopback alone. What a schema cannot say (the bytes are a picture; a boolean of a form is a
# text) is left out: positive_data_acceptance and negative_data_rejection.
set -eu
build=$(cd "$1" && pwd)
seconds=${2:-120}
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
venv=${VENV:-$work/venv}
if [ ! -d "$venv" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q schemathesis==4.32.5 openapi-spec-validator==0.9.0 prometheus_client
fi
"$build/mattebox" serve --listen 127.0.0.1:7421 --model demo --model saliency -q &
server=$!
for _ in $(seq 100); do curl -sf http://127.0.0.1:7421/ready >/dev/null && break || sleep 0.2; done
curl -sf http://127.0.0.1:7421/openapi.json -o "$work/openapi.json"
"$venv/bin/openapi-spec-validator" "$work/openapi.json"
curl -sf http://127.0.0.1:7421/metrics | "$venv/bin/python" -c '
import sys
from prometheus_client.parser import text_string_to_metric_families
print(len(list(text_string_to_metric_families(sys.stdin.read()))), "families of metrics")'
cd "$work"
"$venv/bin/schemathesis" run http://127.0.0.1:7421/openapi.json -n 20 --max-time "$seconds" --continue-on-failure \
    --request-timeout 60 --no-shrink --phases examples,coverage,fuzzing \
    --exclude-checks positive_data_acceptance,negative_data_rejection
curl -sf http://127.0.0.1:7421/health
