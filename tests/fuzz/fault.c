/* Allocations that fail: the linker sends the heap calls of everything that is linked in here (CMakeLists.txt). Once in
 * about a thousand inputs one allocation fails, so that the paths behind it are walked with all kinds of files. */
#include "fuzz.h"

#include <errno.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **p, size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **p, size_t alignment, size_t n);

static long countdown = -1; /* allocations until one fails; negative: none does */
static bool failed;

static bool fails_now(void)
{
    if (countdown < 0 || countdown-- > 0) {
        return false;
    }
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails_now() ? NULL : __real_realloc(p, n);
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t n)
{
    return fails_now() ? ENOMEM : __real_posix_memalign(p, alignment, n);
}

void fuzz_fault_begin(const uint8_t *bytes, size_t n)
{
    uint32_t key = 1;
    for (size_t i = n > 4 ? n - 4 : 0; i < n; i++) {
        key = (key ^ bytes[i]) * 16777619u;
    }
    key = (key ^ (uint32_t)n) * 2654435761u;
    key ^= key >> 15;
    countdown = key % 1000 == 0 ? (long)(key / 1000 % 24) : -1;
    failed = false;
}

bool fuzz_fault_end(void)
{
    countdown = -1;
    return failed;
}
