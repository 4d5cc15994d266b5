#!/bin/sh
# usage: symbols.sh TREE BUILD. Who may call whom, by the symbols of the object files that BUILD has made of TREE: what a
# file uses must be defined in a room that it may see (rooms.awk). So an upward call through the public header, which
# every room has by way of core/status.h, is found, too. app may call what the public header declares, wherever it is
# defined. And circles: files of one room that use each other in a ring are refused, except a dispatcher and its methods
# as listed in circles.txt (a line for each ring, its folder and names; a part of a line is fine as well).
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$2" && pwd) || exit 2
. "$here/sources.sh"
tree=$(pwd)
command -v nm >/dev/null || { echo "no nm here"; exit 77; }
[ -f "$build/compile_commands.json" ] || { echo "$build/compile_commands.json is missing"; exit 2; }
lists=$(mktemp -d) || exit 2
trap 'rm -rf "$lists"' EXIT

# Source and object of every file of ours that is built; of a source that is built twice, the first.
sed -n 's/^ *"command" *:.* -o \([^ ]*\) .*/object \1/p; s/^ *"file" *: *"\(.*\)",*$/file \1/p' "$build/compile_commands.json" |
    awk -v tree="$tree/" '
    $1 == "object" { object = $2 }
    $1 == "file" && index($0, tree) == 6 {
        path = substr($0, 6 + length(tree))
        if (path ~ /^(engine|kernels|weights_tool|app|benchmarks)\// && !(path in seen)) { seen[path] = 1; print path, object }
    }' >"$lists/objects"
cd "$build" || exit 2
cut -d' ' -f2 "$lists/objects" | while read -r object; do [ -f "$object" ] && echo "$object"; done | xargs nm -A -g -P 2>/dev/null |
    awk 'FNR == NR { path[$2 ":"] = $1; next } { print path[$1], $3, $2 }' "$lists/objects" - >"$lists/symbols"
cd "$tree" || exit 2
if [ ! -s "$lists/symbols" ]; then
    echo "no object file of $tree in $build"
    exit 2
fi
grep -oE '\bmb_[a-z0-9_]+\(' engine/include/mattebox.h | tr -d '(' | sort -u | sed 's/^/public header /' >"$lists/public"

found=$(awk "$(cat "$here/rooms.awk")"'
function may_use(from, to) {
    if (room(to) == "kernels" && room(from) ~ /^engine\/(graph|pipeline)$/) return 1 # its interface: kernel.h
    # what kernel.h and device.h declare is defined in any room of kernels; every back end may ask for the plain kernels
    if (room(from) == "kernels" && room(to) == "kernels" && (kernel_room(from) == "." || kernel_room(to) ~ /^(ref|rules)$/)) return 1
    if (room(from) == "app") return to ~ /^(app|weights_tool\/manager)\/|^engine\/core\/os_/
    return sees(from, to)
}
$1 == "public" { public[$3] = 1; next }
$2 ~ /^[TDBRVWCG]$/ { if (index(definers[$3] " ", " " $1 " ") == 0) definers[$3] = definers[$3] " " $1 }
$2 == "U" { n++; user[n] = $1; used[n] = $3 }
END {
    for (i = 1; i <= n; i++) {
        count = split(definers[used[i]], where, " ")
        if (count == 0) continue # of another library
        fine = (room(user[i]) == "app" || room(user[i]) == "benchmarks") && used[i] in public
        for (k = 1; k <= count; k++) fine = fine || may_use(user[i], where[k])
        if (!fine) print user[i] ": " room(user[i]) " may not call " used[i] " of " where[1]
    }
}' "$lists/public" "$lists/symbols" | sort -u
awk '
FNR == NR { allowed[++rings] = " " $0 " "; next }
$2 ~ /^[TDBRVWCG]$/ { definer[$3] = $1; next }
$2 == "U" { n++; user[n] = $1; used[n] = $3 }
function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
function name(path) { sub(/.*\//, "", path); return path }
END {
    for (i = 1; i <= n; i++) {
        a = user[i]; b = definer[used[i]]
        if (b == "" || a == b || folder(a) != folder(b)) continue
        if (!(a in number)) { number[a] = ++files; path[files] = a }
        if (!(b in number)) { number[b] = ++files; path[files] = b }
        if (!((number[a], number[b]) in reach)) { reach[number[a], number[b]] = 1; out[number[a]]++; into[number[b]]++ }
    }
    # what nobody uses, or what uses nobody, is in no ring
    do {
        gone = 0
        for (a = 1; a <= files; a++) {
            if (dead[a] || (out[a] > 0 && into[a] > 0)) continue
            dead[a] = gone = 1
            for (b = 1; b <= files; b++) {
                if ((a, b) in reach && !dead[b]) into[b]--
                if ((b, a) in reach && !dead[b]) out[b]--
            }
        }
    } while (gone)
    m = 0
    for (a = 1; a <= files; a++) if (!dead[a]) left[++m] = a
    for (k = 1; k <= m; k++)
        for (i = 1; i <= m; i++)
            if ((left[i], left[k]) in reach)
                for (j = 1; j <= m; j++) if ((left[k], left[j]) in reach) reach[left[i], left[j]] = 1
    for (i = 1; i <= m; i++) {
        a = left[i]
        if (done[a] || !((a, a) in reach)) continue
        ring = ""; members = 0
        for (j = i; j <= m; j++) {
            b = left[j]
            if ((a, b) in reach && (b, a) in reach) { done[b] = 1; ring = ring " " name(path[b]); member[++members] = name(path[b]) }
        }
        fine = 0
        for (r = 1; r <= rings && !fine; r++) {
            fine = index(allowed[r], " " folder(path[a]) " ") == 1
            for (j = 1; j <= members; j++) fine = fine && index(allowed[r], " " member[j] " ") > 0
        }
        if (!fine) print folder(path[a]) ": a ring of files that use each other:" ring
    }
}' "$here/circles.txt" "$lists/symbols" | sort -u)
verdict "$found"
