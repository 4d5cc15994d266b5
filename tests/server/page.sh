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

# the policy allows its style and its two scripts by their hashes, and nothing else inline; no element brings style or code of its own.
# What costs time before the first paint is small: one short script, few elements of which the most are hidden, nothing to decode or to load;
# the program itself lies in the page as text until then (browser.py measures the time)
python3 - "$page" "$1/page.csp" <<'PY' || fail "page.html is not as it should be"
import base64, hashlib, re, sys
page, policy = (open(name, "rb").read() for name in sys.argv[1:])
inside = lambda start, end: re.findall(start + b"(.*?)" + end, page, re.S)
first, program, style = inside(b"<script>", b"</script>"), inside(b'<script type="text/plain" id="program">', b"</script>"), inside(b"<style>", b"</style>")
assert [len(first), len(program), len(style)] == [1, 1, 1] and page.count(b"<script") == 2, "two scripts and a style"
for name, parts in ((b"script-src", first + program), (b"style-src", style)):
    wanted = b" ".join([name] + [b"'sha256-" + base64.b64encode(hashlib.sha256(part).digest()) + b"'" for part in parts]) + b";"
    assert wanted in policy, (wanted, policy)
assert b"unsafe" not in policy and policy.startswith(b"default-src 'none';")
assert len(first[0]) < 2000, f"the first script has {len(first[0])} bytes"
html = re.sub(rb"<(script|style)\b.*?</\1>", b"", page, flags=re.S)
count = lambda text: len(re.findall(rb"<[a-z]", text))
seen = html[html.index(b"<header>"):html.index(b'<section id="work"')]
assert count(html) < 300 and count(seen) < 90, f"{count(html)} elements, {count(seen)} of them in the first view"
assert not re.search(rb"<(img|iframe|object|video|link rel=.stylesheet)", html) and not re.search(rb"@import|@font-face|url[(]", style[0]), "something to load"
assert b"data:image/svg" not in html, "the icon of an SVG document is built before the first paint"
PY
! grep -nE '<[a-z][^>]* (style|on[a-z]+)=' "$parts"/index.html "$parts"/*.js || fail "an inline style or handler, which the policy refuses"
