#!/bin/sh
# Who may include whom. engine/core includes nothing of ours (status.h alone the public header); each line of `may` below is one
# room and what it may see. engine/image, engine/image/codec ... count as one room. The folders of kernels see what `rooms`
# says, and kernels itself. app sees the public header and, for its models command, the manager's
# own two; benchmarks the public header and, to time single methods, core, image, segment and matting.
. "$(dirname "$0")/sources.sh"

found=$(sources engine kernels weights_tool app benchmarks | xargs awk '
function folder(path) { # engine/graph/passes/x.c -> engine/graph
    split(path, p, "/")
    return p[1] == "engine" ? p[1] "/" p[2] : p[1]
}
function room(path) { # kernels/cuda/ops/x.c -> cuda/ops; kernels/cpu/isa/x.c -> cpu; kernels/x.c -> .
    sub(/^kernels\//, "", path)
    if (path !~ /\//) return "."
    sub(/\/[^\/]*$/, "", path)
    return path ~ /^cpu/ ? "cpu" : path
}
function within_kernels(from, to) {
    if (from == to || to == ".") return 1
    if (from == ".") return to == "rules" || to == "cuda" # device.c opens the CUDA back end
    return index(rooms[from], " " to " ") > 0
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
    if (f == "kernels" && t == "kernels") return within_kernels(room(from), room(to))
    if (f == t) return 1
    if (to == "engine/include/mattebox.h") {
        if (f == "engine/core") return from == "engine/core/status.h"
        return f == "engine/pipeline" || f == "app" || f == "benchmarks"
    }
    if (t == "kernels" && (f == "engine/graph" || f == "engine/pipeline"))
        return f == "engine/pipeline" ? to ~ /^kernels\/(kernel|attrs|device)\.h$/ : to ~ /^kernels\/(kernel\.h|attrs\.h|ops\.def)$/
    if (f == "app") return to ~ /^weights_tool\/manager\/(manager|catalogue)\.h$/
    return index(may[f], " " t " ") > 0
}
BEGIN {
    rooms["ref"] = " rules "
    rooms["cuda/driver"] = " cuda/vendor cuda/lang "
    rooms["cuda/ops"] = " rules cuda/driver cuda/lang "
    rooms["cuda/image_io"] = " cuda/driver cuda/lang "
    rooms["cuda"] = " cuda/driver "
    may["engine/weights"] = may["engine/image"] = may["engine/sparse"] = may["kernels"] = " engine/core "
    may["engine/graph"] = may["weights_tool"] = " engine/core engine/weights "
    may["engine/models"] = " engine/core engine/weights engine/graph "
    may["engine/segment"] = " engine/core engine/image "
    may["engine/matting"] = " engine/core engine/image engine/sparse "
    may["benchmarks"] = " engine/core engine/image engine/segment engine/matting "
    may["engine/pipeline"] = " engine/core engine/weights engine/image engine/segment engine/matting engine/graph engine/models "
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
    to = target(FILENAME, name)
    if (to == "") { if (name !~ /^(config|version)\.h$/) print FILENAME ":" FNR ": \"" name "\" is not in the tree"; next }
    if (!allowed(FILENAME, to)) print FILENAME ":" FNR ": " folder(FILENAME) " may not include " to
}')
verdict "$found"
