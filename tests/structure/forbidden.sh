#!/bin/sh
# What must not stand in the library and its tools: the heap other than through core/alloc.c, sizes multiplied without a
# check, functions that end the process or print, unbounded string functions, back ends in #if outside their folders.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"

code=$(sources engine kernels weights_tool app benchmarks | xargs awk -f "$here/strip.awk")
# usage: look MESSAGE PATTERN EXCEPT_PATHS
look() {
    printf '%s\n' "$code" | grep -E "^[^:]*:[0-9]+:(.*[^a-zA-Z0-9_.>])?$2" | grep -vE "^($3):" | sed "s|\$|    <- $1|"
}
library='(app|benchmarks|weights_tool)/[^:]*'
found=$(
    look 'the heap is reached through core/alloc.h' '(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|free) ?\(' \
        'engine/core/(alloc|os_memory_[a-z]+)\.c|(app|benchmarks)/[^:]*'
    look 'multiply sizes with mb_mul_size, or use mb_alloc_array' 'mb_alloc(_aligned)? ?\(.* \* ' 'engine/core/alloc\.c|engine/matting/guided_core\.c' # guided: radius times a tile's width, both limited
    look 'the library never ends the process' '(exit|_exit|abort|quick_exit|raise|__builtin_trap) ?\(' "$library|engine/core/os_process_[a-z]+\.c" # for the programs' signal handlers
    look 'the library never prints' '(printf|puts|putchar|perror|vprintf) ?\(' "$library"
    look 'the library never prints' 'fprintf ?\( ?(stderr|stdout)' "$library"
    look 'unbounded' '(strcpy|strcat|sprintf|vsprintf|gets|alloca) ?\(' 'none'
    look 'a pointer is written through its own type, not as void *' '\(void \*\*\) ?&' 'none'
    look 'not safe with threads' '(strtok|strerror|localtime|gmtime|ctime|asctime|rand|srand) ?\(' 'app/[^:]*' # one thread there
    printf '%s\n' "$code" | grep -E '^[^:]*:[0-9]+:[ \t]*# *(el)?if(.*[^A-Z])?(CUDA|CUDNN|NVCC|OPENBLAS|AVX|SSE[0-9]?_|NEON)' |
        grep -vE '^kernels/(cuda|cpu)/' | sed 's|$|    <- back ends are asked for in their own folder only|'
    sources engine kernels | xargs awk -v strings=1 -f "$here/strip.awk" | grep -E '"([^"]*([^"a-zA-Z0-9-]|\\n))?--[a-z]' |
        sed 's|$|    <- the library names its fields; app/option_words.c makes options of them|'
)
verdict "$found"
