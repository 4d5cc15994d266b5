#!/bin/sh
# Each script must refuse a tree with a violation of each kind, and accept the same tree without it.
here=$(cd "$1" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/engine/core" "$tree/engine/graph/passes" "$tree/engine/include" "$tree/kernels/cpu" "$tree/kernels/rules" "$tree/kernels/ref" \
    "$tree/kernels/cuda/driver" "$tree/kernels/cuda/vendor" "$tree/kernels/cuda/ops" "$tree/kernels/cuda/lang" "$tree/app"
cp "$here/../../.clang-format" "$tree/" 2>/dev/null
: >"$tree/engine/include/mattebox.h"
printf '#include "mattebox.h"\n' >"$tree/engine/core/status.h"
printf 'int graph;\n' >"$tree/engine/graph/graph.h"
printf 'int kernel;\n' >"$tree/kernels/kernel.h"
for room in rules/rules ref/ref cuda/driver/device cuda/vendor/nvlib cuda/ops/host cuda/lang/launch; do
    printf 'int room;\n' >"$tree/kernels/$room.h"
done
printf 'MB_OP(conv2d, 4, 2)\nMB_OP(add, 2, 2)\n' >"$tree/kernels/ops.def"
failed=0

# usage: expect STATUS SCRIPT PATH TEXT: the verdict of the script on a tree with that file
expect() {
    printf "$4" >"$tree/$3"
    sh "$here/$2.sh" "$tree" >"$tree/log" 2>&1
    got=$?
    if [ $got -ne "$1" ]; then
        echo "$2 gives $got, not $1, on $3: $4"
        cat "$tree/log"
        failed=1
    fi
    rm "$tree/$3"
}
expect 0 includes engine/core/a.c '#include "core/status.h"\n'
expect 1 includes engine/core/a.c '#include "graph/graph.h"\n'
expect 1 includes engine/core/a.c '#include "mattebox.h"\n'
expect 1 includes engine/core/a.c '#include "missing.h"\n'
expect 0 includes engine/graph/a.c '#include "kernel.h"\n'
expect 1 includes kernels/a.c '#include "graph/graph.h"\n'
expect 0 includes kernels/ref/a.c '#include "rules/rules.h"\n'
expect 1 includes kernels/rules/a.c '#include "ref/ref.h"\n'
expect 1 includes kernels/cpu/a.c '#include "ref/ref.h"\n'
expect 1 includes kernels/cpu/a.c '#include "cuda/lang/launch.h"\n'
expect 0 includes kernels/cuda/ops/a.c '#include "cuda/driver/device.h"\n'
expect 1 includes kernels/cuda/driver/a.c '#include "cuda/ops/host.h"\n'
expect 0 includes kernels/cuda/driver/a.c '#include "cuda/vendor/nvlib.h"\n'
expect 1 includes kernels/cuda/vendor/a.c '#include "cuda/driver/device.h"\n'
expect 1 includes kernels/cuda/lang/a.c '#include "cuda/ops/host.h"\n'
expect 0 ops kernels/ref/conv2d.c 'MB_OP_conv2d;\n'
expect 0 ops kernels/cuda/ops/conv2d_dnn.c 'mb_cuda_conv2d;\n'
expect 0 ops engine/graph/passes/a.c 'if (op == MB_OP_conv2d) a = n->attrs.conv2d;\n'
expect 0 ops engine/graph/a.c '/* MB_OP_conv2d */ MB_OP_conv2d_extra; x.add = 1;\n'
expect 1 ops engine/graph/a.c 'if (op == MB_OP_conv2d) {\n'
expect 1 ops kernels/a.c 'static mb_conv2d_attrs a;\n'
expect 1 ops kernels/cuda/a.c 'extern mb_cuda_add;\n'
expect 1 ops kernels/ref/conv2d.c 'n->attrs.add;\n'
expect 1 includes app/a.c '#include "core/status.h"\n'
expect 0 includes app/a.c '#include "mattebox.h"\n'
expect 0 sizes app/a.c "$(printf '%600s' '' | sed 's/ /\\n/g')"
expect 1 sizes app/a.c "$(printf '%601s' '' | sed 's/ /\\n/g')"
expect 0 sizes app/a.c "int f(void)\\n{$(printf '%119s' '' | sed 's/ /\\n/g')}\\n"
expect 1 sizes app/a.c "int f(void)\\n{$(printf '%120s' '' | sed 's/ /\\n/g')}\\n"
expect 0 forbidden engine/graph/a.c '/* malloc(1) */ char *s = "abort()"; p->free(x); mb_alloc(n);\n'
expect 1 forbidden engine/graph/a.c 'p = malloc(1);\n'
expect 1 forbidden engine/graph/a.c 'free(p);\n'
expect 0 forbidden engine/core/alloc.c 'free(p);\n'
expect 1 forbidden engine/graph/a.c 'p = mb_alloc(n * sizeof *p);\n'
expect 1 forbidden engine/graph/a.c 'exit(1);\n'
expect 1 forbidden engine/graph/a.c 'grow((void **)&values);\n'
expect 0 forbidden engine/graph/a.c 'p = (const float **)(void *)scratch;\n'
expect 0 forbidden app/a.c 'exit(1); printf("");\n'
expect 1 forbidden engine/graph/a.c 'fprintf(stderr, "");\n'
expect 1 forbidden app/a.c 'strcpy(a, b);\n'
expect 1 forbidden engine/graph/a.c '#ifdef __AVX2__\n'
expect 0 forbidden kernels/cpu/a.c '#ifdef __AVX2__\n'
sh "$here/format.sh" "$tree" >/dev/null 2>&1
if [ $? -ne 77 ]; then
    expect 0 format app/a.c 'int a;\n'
    expect 1 format app/a.c 'int   a;\n'
fi
[ $failed -eq 0 ] && echo "all scripts refuse what they should"
exit $failed
