#!/bin/sh
# Each script must refuse a tree with a violation of each kind, and accept the same tree without it.
here=$(cd "$1" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/engine/core" "$tree/engine/graph/passes" "$tree/engine/include" "$tree/kernels/cpu" "$tree/kernels/rules" "$tree/kernels/ref" \
    "$tree/kernels/cuda/driver" "$tree/kernels/cuda/vendor" "$tree/kernels/cuda/ops" "$tree/kernels/cuda/lang" "$tree/app/server" "$tree/cmake/cross"
cp "$here/../../.clang-format" "$tree/" 2>/dev/null
: >"$tree/engine/include/mattebox.h"
printf '#include "mattebox.h"\n' >"$tree/engine/core/status.h"
printf 'int file;\n' >"$tree/engine/core/os_file.h"
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
expect 0 includes app/a.c '#include "core/os_file.h"\n'
expect 0 platform engine/core/os_a.c '#ifdef _WIN32\n#include <windows.h>\ngetenv();\n'
expect 1 platform engine/core/a.c '#ifdef _WIN32\n'
expect 1 platform kernels/cpu/a.c '#if defined(__linux__)\n'
expect 1 platform app/a.c '#include <windows.h>\n'
expect 1 platform app/app.cmake 'if(WIN32)\n'
expect 1 platform CMakeLists.txt 'if(CMAKE_SYSTEM_NAME STREQUAL "Linux")\n'
expect 0 platform cmake/platform.cmake 'if(APPLE)\n'
expect 0 platform cmake/some-arm64.cmake 'set(CMAKE_SYSTEM_NAME Some)\n'
expect 1 platform cmake/cross/a.sh '[ "$system" != windows ]\n'
expect 1 platform app/a.c '#include <sys/stat.h>\n'
expect 0 platform app/server/a.c '#include <sys/stat.h>\n'
expect 1 platform app/a.c 'f = fopen(path, "rb");\n'
expect 1 platform engine/graph/a.c 's = getenv("A");\n'
expect 0 platform engine/graph/a.c '/* getenv( */ s = mb_os_env("A");\n'
expect 0 sizes app/a.c "$(printf '%600s' '' | sed 's/ /\\n/g')"
expect 1 sizes app/a.c "$(printf '%601s' '' | sed 's/ /\\n/g')"
expect 0 sizes app/a.c "int f(void)\\n{$(printf '%119s' '' | sed 's/ /\\n/g')}\\n"
expect 1 sizes app/a.c "int f(void)\\n{$(printf '%120s' '' | sed 's/ /\\n/g')}\\n"
expect 0 forbidden engine/graph/a.c '/* malloc(1) */ char *s = "abort()"; p->free(x); mb_alloc(n);\n'
expect 1 forbidden engine/graph/a.c 's = "no mask (--mask-scale)";\n'
expect 1 forbidden engine/graph/a.c 's = "no mask\\n--mask-channel auto";\n'
expect 1 forbidden kernels/cpu/a.c 's = "--fast helps";\n'
expect 0 forbidden engine/graph/a.c '/* "--fast" */ s = "a -- b; x---y"; i = --n;\n'
expect 0 forbidden app/a.c 's = "--fast";\n'
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

# usage: expect_symbols STATUS WHY PATH CODE [PATH CODE]...: the verdict of symbols.sh on a build of a tree with those files
expect_symbols() {
    wanted=$1
    why=$2
    shift 2
    rm -rf "$tree/build"
    mkdir "$tree/build"
    made=""
    echo "[" >"$tree/build/compile_commands.json"
    while [ $# -gt 1 ]; do
        mkdir -p "$tree/$(dirname "$1")"
        printf '%s\n' "$2" >"$tree/$1"
        made="$made $1"
        object=$(echo "$1" | tr / _).o
        (cd "$tree/build" && "${CC:-cc}" -c "../$1" -o "$object") || failed=1
        printf '{\n  "command": "cc -o %s -c %s",\n  "file": "%s"\n},\n' "$object" "$tree/$1" "$tree/$1" >>"$tree/build/compile_commands.json"
        shift 2
    done
    sh "$here/symbols.sh" "$tree" "$tree/build" >"$tree/log" 2>&1
    got=$?
    if [ $got -ne "$wanted" ]; then
        echo "symbols gives $got, not $wanted, on $why"
        cat "$tree/log"
        failed=1
    fi
    for path in $made; do rm "$tree/$path"; done
}
tree=$(cd "$tree" && pwd -P)
printf 'int mb_public(int x);\n' >"$tree/engine/include/mattebox.h"
low='int mb_low(void); int mb_low(void) { return 1; }'
uses_low='int mb_low(void); int mb_a(void); int mb_a(void) { return mb_low(); }'
public='int mb_public(int x); int mb_public(int x) { return x; }'
uses_public='int mb_public(int x); int mb_a(void); int mb_a(void) { return mb_public(2); }'
expect_symbols 0 "a call downwards" engine/core/low.c "$low" engine/graph/a.c "$uses_low"
expect_symbols 1 "a call upwards" engine/graph/low.c "$low" engine/core/a.c "$uses_low"
expect_symbols 1 "a call aside" engine/sparse/low.c "$low" engine/image/a.c "$uses_low"
expect_symbols 1 "a call upwards through the public header" engine/pipeline/p.c "$public" engine/matting/a.c "$uses_public"
expect_symbols 0 "the program's call through the public header" engine/pipeline/p.c "$public" app/a.c "$uses_public"
expect_symbols 1 "the program's call behind the public header" engine/core/low.c "$low" app/a.c "$uses_low"
expect_symbols 1 "a CPU kernel that calls a CUDA one" kernels/cuda/driver/low.c "$low" kernels/cpu/a.c "$uses_low"
expect_symbols 0 "a call of another library" engine/core/a.c 'int puts(const char *); int mb_a(void); int mb_a(void) { return puts(""); }'
expect_symbols 1 "a variable upwards" engine/graph/v.c 'int mb_v = 3;' engine/core/a.c 'extern int mb_v; int mb_a(void); int mb_a(void) { return mb_v; }'
expect_symbols 1 "a ring of two files" engine/core/a.c 'int mb_b(void); int mb_a(void); int mb_a(void) { return mb_b(); }' \
    engine/core/b.c 'int mb_a(void); int mb_b(void); int mb_b(void) { return mb_a(); }'
expect_symbols 1 "a ring of three files" engine/core/a.c 'int mb_b(void); int mb_a(void); int mb_a(void) { return mb_b(); }' \
    engine/core/b.c 'int mb_c(void); int mb_b(void); int mb_b(void) { return mb_c(); }' \
    engine/core/c.c 'int mb_a(void); int mb_c(void); int mb_c(void) { return mb_a(); }'
expect_symbols 0 "a ring that is listed" engine/image/codec/load.c 'int mb_b(void); int mb_a(void); int mb_a(void) { return mb_b(); }' \
    engine/image/codec/load_png.c 'int mb_a(void); int mb_b(void); int mb_b(void) { return mb_a(); }'
expect_symbols 2 "a build of nothing"
sh "$here/format.sh" "$tree" >/dev/null 2>&1
if [ $? -ne 77 ]; then
    expect 0 format app/a.c 'int a;\n'
    expect 1 format app/a.c 'int   a;\n'
fi
[ $failed -eq 0 ] && echo "all scripts refuse what they should"
exit $failed
