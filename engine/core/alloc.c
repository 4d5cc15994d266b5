/* Heap wrappers: overflow checks, alignment, a counter for the tests. */
#include "core/alloc.h"

#include "core/os_process.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MB_ALIGNMENT  64u
#define MB_HUGE_BYTES ((size_t)4 << 20) /* from here on, 2 MiB pages save TLB misses */

static atomic_size_t n_allocations; /* a statistic only: nothing depends on it */

/* All allocations pass here: tests count them. */
static void *counted(void *p)
{
    if (p != NULL) {
        atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
    }
    return p;
}

size_t mb_alloc_count(void)
{
    return atomic_load_explicit(&n_allocations, memory_order_relaxed);
}

void *mb_alloc(size_t bytes)
{
    return counted(malloc(bytes > 0 ? bytes : 1));
}

/* Never of 0 bytes: NULL always means that there is no memory. */
void *mb_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!mb_mul_size(&bytes, count, size)) {
        return NULL;
    }
    return counted(calloc(1, bytes > 0 ? bytes : 1));
}

void *mb_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return mb_mul_size(&bytes, count, size) ? mb_alloc(bytes) : NULL;
}

/* On failure the old block stays, as with realloc. */
void *mb_realloc_array(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (!mb_mul_size(&bytes, count, size)) {
        return NULL;
    }
    return counted(realloc(p, bytes > 0 ? bytes : 1));
}

void mb_free(void *p)
{
    free(p);
}

/* The caller frees it with mb_free. */
char *mb_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = mb_alloc(n);
    if (copy != NULL) {
        memcpy(copy, text, n);
    }
    return copy;
}

/* Aligned for the widest vectors. Large blocks at 2 MiB: arenas and weights are read from end to end. */
void *mb_alloc_aligned(size_t bytes)
{
    bool huge = bytes >= MB_HUGE_BYTES;
    size_t alignment = huge ? (size_t)2 << 20 : MB_ALIGNMENT;
    return bytes > SIZE_MAX - alignment ? NULL : counted(mb_os_alloc_aligned(bytes > 0 ? bytes : 1, alignment, huge));
}

void mb_free_aligned(void *p)
{
    mb_os_free_aligned(p);
}
