/* Products in bf16 by VDPBF16PS. */
#define MB_BF16_UNIT    2
#define MB_BF16_FLUSHES 1 /* VCVTNEPS2BF16 does */
#include "bf16_finish.h"

MB_INLINE mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(c) : "v"(_mm512_set1_epi32((int32_t)a)), "v"(w));
    return c; /* not the intrinsic: gcc 12 copies the sums around it */
}

#include "bf16_panel.h"
#include "bf16_table.h"

const mb_bf16_loops mb_bf16_native = MB_BF16_TABLE("avx512_bf16", MB_BF16_TILE_ROWS, NULL, NULL);
