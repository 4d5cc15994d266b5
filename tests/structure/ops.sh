#!/bin/sh
# A new op edits ops.def and attrs.h, and adds files of its own. So no other file may know an op by name: its own files
# (kernels/{rules,ref,cpu,cpu/isa,cuda/ops}/<op>*, tests/ops), and whoever uses it (engine/models, engine/graph/passes).
# What knows ops for another reason stands in `known` below, with the reason.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"

ops=$(sed -n 's/^MB_OP(\([a-z0-9_]*\),.*/\1/p' kernels/ops.def)
[ -n "$ops" ] || { echo "kernels/ops.def has no rows"; exit 1; }
found=$(sources engine kernels app benchmarks tests/harness tests/cuda tests/structure | xargs awk -f "$here/strip.awk" |
    awk -v ops="$(echo $ops)" '
BEGIN {
    n = split(ops, op, " ")
    known["engine/graph/schedule.c concat"] = 1       # decides in which order its inputs are made
    known["kernels/device_check.c *"] = 1             # picks the cases that a GPU is tried with
    known["kernels/cpu/openblas.c linear"] = 1        # a library for these two
    known["kernels/cpu/openblas.c conv2d"] = 1
}
{
    path = $0; sub(/:.*/, "", path)
    code = $0; sub(/^[^:]*:[0-9]+:/, "", code)
    file = path; sub(/.*\//, "", file)
    if (path ~ /^engine\/(models|graph\/passes)\//) next
    for (i = 1; i <= n; i++) {
        o = op[i]
        if (code !~ "(^|[^A-Za-z0-9_])(MB_OP_" o "|mb_(ref|cpu|cuda|openblas)_" o "|mb_" o "_(attrs|shape|macs)|attrs\\." o ")([^A-Za-z0-9_]|$)") continue
        if (path ~ "^kernels/(rules|ref|cpu|cpu/isa|cuda/ops)/" && file ~ "^" o "[._]") continue
        if (path == "kernels/attrs.h" || (path " " o) in known || (path " *") in known) continue
        print $0 "    <- knows the op " o
    }
}')
verdict "$found"
