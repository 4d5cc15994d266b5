#!/bin/sh
# Who may include whom: the table of rooms.awk, and by file: of ours engine/core includes the public header alone (in
# status.h); graph and pipeline see a few headers of kernels; app sees the public header, the platform seam, the table of options
# and, for its models command, the manager's own two; benchmarks the public header and, to time single methods, some rooms.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"

found=$(sources engine kernels weights_tool app benchmarks | xargs awk "$(cat "$here/rooms.awk")"'
function exists(path,  line, ok) { ok = (getline line < path) >= 0; close(path); return ok }
# The file that an include names: beside the includer, or on one of the three include paths.
function target(from, name,  dir) {
    dir = from; sub(/[^\/]*$/, "", dir)
    if (exists(dir name)) return dir name
    if (exists("engine/" name)) return "engine/" name
    if (exists("kernels/" name)) return "kernels/" name
    if (exists("weights_tool/" name)) return "weights_tool/" name
    if (exists("engine/include/" name)) return "engine/include/" name
    return ""
}
function allowed(from, to,  f, t) {
    f = room(from); t = room(to)
    if (to == "engine/include/mattebox.h") {
        if (f == "engine/core") return from == "engine/core/status.h"
        return f == "engine/options" || f == "engine/pipeline" || f == "app" || f == "benchmarks"
    }
    if (t == "kernels" && (f == "engine/graph" || f == "engine/pipeline"))
        return f == "engine/pipeline" ? to ~ /^kernels\/(kernel|attrs|device)\.h$/ : to ~ /^kernels\/(kernel\.h|attrs\.h|ops\.def)$/
    if (to == "engine/options/options.def" && f == "app") return 1
    if (f == "app" && to ~ /^engine\/core\/(os_[a-z]+|clock)\.h$/) return 1
    if (f == "app" && t != "app") return to ~ /^weights_tool\/manager\/(manager|catalogue)\.h$/
    return sees(from, to)
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
    to = target(FILENAME, name)
    if (to == "") { if (name !~ /^(config|version)\.h$/) print FILENAME ":" FNR ": \"" name "\" is not in the tree"; next }
    if (!allowed(FILENAME, to)) print FILENAME ":" FNR ": " room(FILENAME) " may not include " to
}')
verdict "$found"
