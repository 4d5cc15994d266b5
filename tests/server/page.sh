#!/bin/sh
# The page without a browser: its parts fit together, it asks for nothing from elsewhere, and it is small.
# page.sh BUILD SOURCE
set -eu
page=$1/page.html parts=$2/app/server/page
fail() { echo "$1"; exit 1; }
[ -s "$page" ] || fail "no $page"
[ "$(wc -c <"$page")" -lt 150000 ] || fail "the page has $(wc -c <"$page") bytes: below 150,000"
! grep -n '/\*{' "$page" || fail "a part was not put in"

# what scripts look up by id is there, once
cat "$parts"/*.js | grep -oE '(\$|getElementById)\("[a-z-]+"\)' | grep -oE '"[a-z-]+"' | tr -d '"' | sort -u >"$1/page.ids"
[ -s "$1/page.ids" ] || fail "no ids were found"
while read -r id; do
    n=$(grep -oE " id=\"$id\"" "$parts/index.html" | wc -l)
    [ "$n" -eq 1 ] || fail "$n elements with the id $id"
done <"$1/page.ids"
# those of the sliders stand in a table
for id in $(grep -oE '\["[a-z]+", "[a-z-]+", [0-9.]+,' "$parts/panel.js" | cut -d'"' -f2); do
    grep -q " id=\"$id\"" "$parts/index.html" || fail "no slider $id"
done
# labels refer to elements that are there
for id in $(grep -oE '(for|aria-labelledby)="[a-z-]+"' "$parts/index.html" | cut -d'"' -f2); do
    grep -q " id=\"$id\"" "$parts/index.html" || fail "a label of $id, which is not there"
done

# nothing from elsewhere: the one address is the namespace of SVG
! grep -oE "(https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^ '\"]*" "$page" | grep -v '//www.w3.org/2000/svg' || fail "it names another host"
# every route that it uses is in the server's table
grep -oE '"/v1/[a-z]+' "$parts/api.js" | tr -d '"' | sort -u | while read -r route; do
    grep -q "\"$route" "$2/app/server/routes.c" || fail "no route $route"
done
# every button says what it is
! grep -nE '<button[^>]*class="icon"[^>]*>' "$parts/index.html" | grep -v aria-label || fail "a button without a name"

# the policy allows its one script and its one style by their hashes, and nothing else inline; no element brings style or code of its own
python3 - "$page" "$1/page.csp" <<'PY' || fail "page.csp is not that of the page"
import base64, hashlib, re, sys
page, policy = (open(name, "rb").read() for name in sys.argv[1:])
for name, element in ((b"script-src", b"script"), (b"style-src", b"style")):
    inside = re.findall(b"<" + element + b">(.*?)</" + element + b">", page, re.S)
    assert len(inside) == 1, (element, len(inside))
    wanted = name + b" 'sha256-" + base64.b64encode(hashlib.sha256(inside[0]).digest()) + b"';"
    assert wanted in policy, (wanted, policy)
assert b"unsafe" not in policy and policy.startswith(b"default-src 'none';")
PY
! grep -nE '<[a-z][^>]* (style|on[a-z]+)=' "$parts"/index.html "$parts"/*.js || fail "an inline style or handler, which the policy refuses"
