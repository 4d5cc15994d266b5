/* The only door to the heap: every allocation of the library passes here, with sizes checked for overflow. */
#ifndef MB_CORE_ALLOC_H
#define MB_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b or a + b; false on overflow (and *out is untouched). */
static inline bool mb_mul_size(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}
static inline bool mb_add_size(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r)) {
        return false;
    }
    *out = r;
    return true;
}

/* Elements of a shape, zeros aside (so that no product of some of the dimensions overflows either), times *size; *empty: one
 * of the dimensions is 0. False where one is negative or the product leaves 64 bits or this machine's sizes. */
static inline bool mb_mul_dims(size_t *size, bool *empty, const int64_t *dims, int rank)
{
    uint64_t product = *size;
    *empty = false;
    for (int i = 0; i < rank; i++) {
        *empty = *empty || dims[i] == 0;
        if (dims[i] < 0 || __builtin_mul_overflow(product, dims[i] > 0 ? (uint64_t)dims[i] : 1u, &product)) {
            return false;
        }
    }
    if (product > SIZE_MAX) {
        return false;
    }
    *size = (size_t)product;
    return true;
}

/* NULL on failure or overflow, never a partial result. A size of 0 gives a valid pointer. */
void *mb_alloc(size_t bytes);
void *mb_calloc(size_t count, size_t size);      /* zeroed */
void *mb_alloc_array(size_t count, size_t size); /* not zeroed */
void *mb_realloc_array(void *p, size_t count, size_t size);
void mb_free(void *p); /* NULL is fine */
char *mb_strdup(const char *text);

/* 64-byte aligned, for tensors; freed by mb_free_aligned. Large blocks ask for huge pages. */
void *mb_alloc_aligned(size_t bytes);
void mb_free_aligned(void *p);

/* Number of successful allocations since start, all threads: a test compares it around the executor's loop. */
size_t mb_alloc_count(void);

#endif
