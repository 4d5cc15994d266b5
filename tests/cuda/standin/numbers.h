/* Element access and TF32 for the stand-ins of cuBLASLt and cuDNN. */
#ifndef MB_STANDIN_NUMBERS_H
#define MB_STANDIN_NUMBERS_H

#include "core/tensor.h"

#include <stdbool.h>
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

#endif
