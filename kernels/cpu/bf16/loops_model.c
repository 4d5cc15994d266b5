/* The bf16 products of AVX512_BF16, modelled in C: what tests hold that instruction set to, on any machine. */
#define MB_BF16_UNIT    2
#define MB_BF16_FLUSHES 1
#include "../isa/bf16_finish.h"
#include "../isa/bf16_model.h"

static mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
    for (int i = 0; i < MB_W; i++) {
        c[i] = bf16_model_pair(c[i], a, (uint32_t)w[i]);
    }
    return c;
}

#include "../isa/bf16_panel.h"
#include "../isa/bf16_table.h"

const mb_bf16_loops mb_bf16_model = MB_BF16_TABLE("avx512_bf16_model", MB_BF16_TILE_ROWS, NULL, NULL);
