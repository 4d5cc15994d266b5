/* Element access and TF32 for the stand-ins of cuBLASLt and cuDNN. */
#ifndef MB_STANDIN_NUMBERS_H
#define MB_STANDIN_NUMBERS_H

#include "core/tensor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline float get(const void *p, mb_dtype t, int64_t i)
{
    float v;
    mb_to_f32(&v, (const char *)p + (size_t)i * mb_dtype_size(t), t, 1);
    return v;
}
static inline void put(void *p, mb_dtype t, int64_t i, float v)
{
    mb_from_f32((char *)p + (size_t)i * mb_dtype_size(t), &v, t, 1);
}
/* Ten bits of mantissa stay, as in the hardware's operand. */
static inline float tf32(float v, bool rounds)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = rounds ? (bits + 0x1000u) & ~0x1fffu : bits;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* n floats; there is no way to report that there is no memory from the middle of a stream. */
static inline float *floats(int64_t n)
{
    float *p = malloc((size_t)(n > 0 ? n : 1) * sizeof *p);
    if (p == NULL) {
        (void)fprintf(stderr, "a stand-in is out of memory\n");
        abort();
    }
    return p;
}
/* sums[i] += factor * row[i]. Each sum adds its products one by one in the order of the calls, as a loop over one sum
 * would; the loop over many of them is what compilers make vectors of. */
static inline void add_row(float *sums, float factor, const float *row, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        sums[i] += factor * row[i];
    }
}

#endif
