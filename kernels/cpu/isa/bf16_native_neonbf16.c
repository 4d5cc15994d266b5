/* Products in bf16 by BFMMLA: two rows by two columns by four of K. */
#define MB_NEON              1
#define MB_BF16_UNIT         8
#define MB_BF16_TILE_ROWS    8
#define MB_BF16_OWN_MULTIPLY 1
#include "bf16_finish.h"

/* One pair in each lane: for bf16_peak.h, as half of what a BFMMLA does. */
MB_INLINE mb_v dot_pair(mb_v c, uint32_t a, mb_vi w)
{
    return (mb_v)vbfdotq_f32((float32x4_t)c, (bfloat16x8_t)vdupq_n_u32(a), (bfloat16x8_t)w);
}

/* Rows r and r + 1, four of K each; `half` says which four of eight. */
MB_INLINE bfloat16x8_t row_pair(uint16x8_t r, uint16x8_t next, const int half)
{
    uint64x2_t a = (uint64x2_t)r, b = (uint64x2_t)next;
    return (bfloat16x8_t)(half == 0 ? vzip1q_u64(a, b) : vzip2q_u64(a, b));
}

/* Two columns, four of K each, from two vectors of four columns that hold a pair of K each. */
MB_INLINE bfloat16x8_t column_pair(uint32x4_t pair, uint32x4_t next, const int high)
{
    return (bfloat16x8_t)(high == 0 ? vzip1q_u32(pair, next) : vzip2q_u32(pair, next));
}

/* acc[r][v] = rows . weights: 2 x 2 blocks while K passes by, then their lines as rows. */
MB_INLINE void multiply_pairs(mb_v acc[MB_BF16_TILE_ROWS][2], const mb_bf16_panel *p, int64_t row, int64_t column,
                              const int vectors)
{
    const uint16_t *w = p->w + 2 * column, *rows = p->rows + row * p->row_pitch;
    const int64_t step = 2 * p->width;
    float32x4_t block[MB_BF16_TILE_ROWS / 2][4];
#pragma GCC unroll 4
    for (int i = 0; i < MB_BF16_TILE_ROWS / 2; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            block[i][j] = vdupq_n_f32(0);
        }
    }
    for (int64_t k = 0; k < p->depth; k += 8, w += 4 * step) {
        uint16x8_t x[MB_BF16_TILE_ROWS];
#pragma GCC unroll 8
        for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
            x[r] = vld1q_u16(rows + r * p->row_pitch + k);
        }
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) {
            bfloat16x8_t b[4] = {(bfloat16x8_t)vdupq_n_u16(0)};
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) {
                uint32x4_t pair = (uint32x4_t)vld1q_u16(w + 2 * half * step + 2 * MB_W * v);
                uint32x4_t next = (uint32x4_t)vld1q_u16(w + (2 * half + 1) * step + 2 * MB_W * v);
                b[2 * v] = column_pair(pair, next, 0);
                b[2 * v + 1] = column_pair(pair, next, 1);
            }
#pragma GCC unroll 4
            for (int i = 0; i < MB_BF16_TILE_ROWS / 2; i++) {
                bfloat16x8_t a = row_pair(x[2 * i], x[2 * i + 1], half);
#pragma GCC unroll 4
                for (int j = 0; j < 2 * vectors; j++) {
                    block[i][j] = vbfmmlaq_f32(block[i][j], a, b[j]);
                }
            }
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < MB_BF16_TILE_ROWS / 2; i++) {
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            float64x2_t left = (float64x2_t)block[i][2 * v], right = (float64x2_t)block[i][2 * v + 1];
            acc[2 * i][v] = (mb_v)vzip1q_f64(left, right);
            acc[2 * i + 1][v] = (mb_v)vzip2q_f64(left, right);
        }
    }
}

#include "bf16_panel.h"
#include "bf16_table.h"

const mb_bf16_loops mb_bf16_neon_native = MB_BF16_TABLE("neon_bf16", MB_BF16_TILE_ROWS, NULL, NULL);
