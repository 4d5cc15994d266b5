/* Adding a pair without an instruction for it: each half of the lane, widened. */
#include "bf16_finish.h"

MB_INLINE float widen_low(uint32_t pair)
{
    uint32_t u = pair << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

MB_INLINE float widen_high(uint32_t pair)
{
    uint32_t u = pair & 0xffff0000u;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

MB_INLINE mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
    mb_v even = (mb_v)(w << 16), odd = (mb_v)(w & (int32_t)0xffff0000);
    return v_fma(v_set(widen_low(a)), even, v_fma(v_set(widen_high(a)), odd, c));
}
