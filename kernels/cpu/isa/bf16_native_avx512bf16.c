/* Products in bf16 by VDPBF16PS. */
#define MB_BF16_UNIT    2
#define MB_BF16_FLUSHES 1 /* VCVTNEPS2BF16 does */
#include "bf16_finish.h"

MB_INLINE mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
    return (mb_v)_mm512_dpbf16_ps((__m512)c, (__m512bh)_mm512_set1_epi32((int32_t)a), (__m512bh)w);
}

#include "bf16_panel.h"
#include "bf16_table.h"

const mb_bf16_loops mb_bf16_native = MB_BF16_TABLE("avx512_bf16", MB_BF16_TILE_ROWS, NULL, NULL);
