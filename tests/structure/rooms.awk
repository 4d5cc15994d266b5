# The rooms of the tree and who may see whom, for includes.sh and symbols.sh. engine/core sees nothing of ours; each line of
# `may` is one room and what it may see. engine/image, engine/image/codec ... count as one room; so do the folders of kernels,
# except that kernels/rules, ref and cpu see nothing of kernels/cuda.
function room(path,  p) { # engine/graph/passes/x.c -> engine/graph
    split(path, p, "/")
    return p[1] == "engine" ? p[1] "/" p[2] : p[1]
}
function sees(from, to,  f, t) {
    if (from ~ /^kernels\/(rules|ref|cpu)\// && to ~ /^kernels\/cuda\//) return 0
    f = room(from); t = room(to)
    return f == t || index(may[f], " " t " ") > 0
}
BEGIN {
    may["engine/weights"] = may["engine/image"] = may["engine/sparse"] = may["kernels"] = " engine/core "
    may["engine/graph"] = may["weights_tool"] = " engine/core engine/weights "
    may["engine/models"] = " engine/core engine/weights engine/graph "
    may["engine/segment"] = " engine/core engine/image "
    may["engine/matting"] = " engine/core engine/image engine/sparse "
    may["benchmarks"] = " engine/core engine/image engine/segment engine/matting "
    may["engine/pipeline"] = " engine/core engine/weights engine/image engine/segment engine/matting engine/graph engine/models "
}
