# The rooms of the tree and who may see whom, for includes.sh and symbols.sh. engine/core sees nothing of ours; each line of
# `may` is one room and what it may see. engine/image, engine/image/codec ... count as one room; so do the folders of kernels,
# seen from outside. Among themselves they see what `within` says, and the files of kernels itself.
function room(path,  p) { # engine/graph/passes/x.c -> engine/graph
    split(path, p, "/")
    return p[1] == "engine" ? p[1] "/" p[2] : p[1]
}
function kernel_room(path) { # kernels/cuda/ops/x.c -> cuda/ops; kernels/cpu/isa/x.c -> cpu; kernels/x.c -> .
    sub(/^kernels\//, "", path)
    if (path !~ /\//) return "."
    sub(/\/[^\/]*$/, "", path)
    return path ~ /^cpu/ ? "cpu" : path
}
function sees_within_kernels(from, to) {
    if (from == to || to == ".") return 1
    if (from == ".") return to == "rules" || to == "cuda" # device.c opens the CUDA back end
    return index(within[from], " " to " ") > 0
}
function sees(from, to,  f, t) {
    f = room(from); t = room(to)
    if (f == "kernels" && t == "kernels") return sees_within_kernels(kernel_room(from), kernel_room(to))
    return f == t || index(may[f], " " t " ") > 0
}
BEGIN {
    within["ref"] = " rules "
    within["cuda/driver"] = " cuda/vendor cuda/lang "
    within["cuda/ops"] = " rules cuda/driver cuda/lang "
    within["cuda/image_io"] = " cuda/driver cuda/lang "
    within["cuda"] = " cuda/driver cuda/ops cuda/image_io "
    may["engine/weights"] = may["engine/image"] = may["engine/sparse"] = may["kernels"] = " engine/core "
    may["engine/graph"] = may["weights_tool"] = " engine/core engine/weights "
    may["engine/models"] = " engine/core engine/weights engine/graph "
    may["engine/segment"] = may["engine/options"] = " engine/core engine/image "
    may["engine/matting"] = " engine/core engine/image engine/sparse engine/options "
    may["benchmarks"] = " engine/core engine/image engine/segment engine/matting "
    may["engine/pipeline"] = " engine/core engine/weights engine/image engine/segment engine/matting engine/options engine/graph engine/models "
}
