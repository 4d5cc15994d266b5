#!/bin/sh
# Who may include whom. engine/core includes nothing of ours (status.h alone the public header); each line of `may` below is one
# room and what it may see. engine/image, engine/image/codec ... count as one room; so do the folders of kernels, except that
# kernels/rules, ref and cpu see nothing of kernels/cuda. app sees the public header, the table of options and, for its models command, the
# manager's own two; benchmarks the public header and, to time single methods, core, image, segment and matting.
. "$(dirname "$0")/sources.sh"

found=$(sources engine kernels weights_tool app benchmarks | xargs awk '
function folder(path) { # engine/graph/passes/x.c -> engine/graph
    split(path, p, "/")
    return p[1] == "engine" ? p[1] "/" p[2] : p[1]
}
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
    f = folder(from); t = folder(to)
    if (from ~ /^kernels\/(rules|ref|cpu)\// && to ~ /^kernels\/cuda\//) return 0
    if (f == t) return 1
    if (to == "engine/include/mattebox.h") {
        if (f == "engine/core") return from == "engine/core/status.h"
        return f == "engine/options" || f == "engine/pipeline" || f == "app" || f == "benchmarks"
    }
    if (t == "kernels" && (f == "engine/graph" || f == "engine/pipeline"))
        return f == "engine/pipeline" ? to ~ /^kernels\/(kernel|attrs|device)\.h$/ : to ~ /^kernels\/(kernel\.h|attrs\.h|ops\.def)$/
    if (to == "engine/options/options.def" && f == "app") return 1
    if (f == "app") return to ~ /^weights_tool\/manager\/(manager|catalogue)\.h$/
    return index(may[f], " " t " ") > 0
}
BEGIN {
    may["engine/weights"] = may["engine/image"] = may["engine/sparse"] = may["kernels"] = " engine/core "
    may["engine/graph"] = may["weights_tool"] = " engine/core engine/weights "
    may["engine/models"] = " engine/core engine/weights engine/graph "
    may["engine/segment"] = may["engine/options"] = " engine/core engine/image "
    may["engine/matting"] = " engine/core engine/image engine/sparse engine/options "
    may["benchmarks"] = " engine/core engine/image engine/segment engine/matting "
    may["engine/pipeline"] = " engine/core engine/weights engine/image engine/segment engine/matting engine/options engine/graph engine/models "
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
    to = target(FILENAME, name)
    if (to == "") { if (name !~ /^(config|version)\.h$/) print FILENAME ":" FNR ": \"" name "\" is not in the tree"; next }
    if (!allowed(FILENAME, to)) print FILENAME ":" FNR ": " folder(FILENAME) " may not include " to
}')
verdict "$found"
