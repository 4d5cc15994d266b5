/* The register tile of a bf16 product: MB_BF16_TILE_ROWS rows x two vectors of columns; a pair of K per step. The
 * including file says how a pair is added (dot_pair), in the order of VDPBF16PS: the odd element first, then the even
 * one, each by a fused multiply-add. A product of two bf16 values is exact in f32, so sets without a fused one give the
 * same bits wherever nothing is subnormal. */
#include "bf16_finish.h"

#if MB_W == 16
#define MB_BF16_TILE_ROWS 8
#else
#define MB_BF16_TILE_ROWS 4
#endif
#define MB_BF16_UNROLL _Pragma("GCC unroll 8")
#ifndef MB_PAIR_SUM /* what the sum of a lane stands for */
#define MB_PAIR_SUM(p, sum, row, column) (sum)
#endif

MB_INLINE void multiply_pairs(mb_v acc[MB_BF16_TILE_ROWS][2], const mb_bf16_panel *p, int64_t row, int64_t column,
                              const int vectors)
{
    const uint16_t *w = p->w + 2 * column, *rows = p->rows + row * p->row_pitch;
    int64_t pairs = p->depth / 2, step = 2 * p->width;
    const mb_pair *at[MB_BF16_TILE_ROWS];
    MB_BF16_UNROLL
    for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
        at[r] = (const mb_pair *)(const void *)(rows + r * p->row_pitch);
        acc[r][0] = v_set(0);
        acc[r][1] = v_set(0);
    }
#pragma GCC unroll 2
    for (int64_t k = 0; k < pairs; k++, w += step) {
        mb_vi w0 = *(const mb_vi_anywhere *)(const void *)w;
        mb_vi w1 = *(const mb_vi_anywhere *)(const void *)(vectors == 2 ? w + 2 * MB_W : w);
        MB_BF16_UNROLL
        for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
            uint32_t a = at[r][k];
            acc[r][0] = dot_pair(acc[r][0], a, w0);
            if (vectors == 2) {
                acc[r][1] = dot_pair(acc[r][1], a, w1);
            }
        }
    }
}

MB_INLINE void pair_tile(const mb_bf16_panel *p, int64_t row, int64_t column, const int vectors)
{
    mb_v acc[MB_BF16_TILE_ROWS][2];
    multiply_pairs(acc, p, row, column, vectors);
    int64_t rows = p->n_rows - row, columns = p->columns - column;
    const float *bias = p->bias != NULL ? p->bias + column : NULL;
    const float *addend = p->addend != NULL ? p->addend + row * p->addend_pitch + column : NULL;
    float *out = p->out + row * p->out_pitch + column;
    if (rows >= MB_BF16_TILE_ROWS && columns >= vectors * MB_W) {
        for (int v = 0; v < vectors; v++) {
            const float *b = bias != NULL ? bias + v * MB_W : NULL;
            MB_BF16_UNROLL
            for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
                acc[r][v] = MB_PAIR_SUM(p, acc[r][v], row + r, column + v * MB_W);
                const float *more = addend != NULL ? addend + r * p->addend_pitch + v * MB_W : NULL;
                float *to = out + r * p->out_pitch + v * MB_W;
                v_store(to, finish(p, acc[r][v], b, more, to));
            }
        }
        return;
    }
    for (int r = 0; r < MB_BF16_TILE_ROWS && r < rows; r++) {
        for (int v = 0; v < vectors && v * MB_W < columns; v++) {
            int64_t n = columns - v * MB_W < MB_W ? columns - v * MB_W : MB_W;
            finish_part(p, MB_PAIR_SUM(p, acc[r][v], row + r, column + v * MB_W), bias != NULL ? bias + v * MB_W : NULL,
                        addend != NULL ? addend + r * p->addend_pitch + v * MB_W : NULL,
                        out + r * p->out_pitch + v * MB_W, n);
        }
    }
}

static void panel(const mb_bf16_panel *p)
{
    for (int64_t row = 0; row < p->n_rows; row += MB_BF16_TILE_ROWS) {
        for (int64_t column = 0; column < p->columns; column += 2 * MB_W) {
            if (p->width - column > MB_W) {
                pair_tile(p, row, column, 2);
            } else {
                pair_tile(p, row, column, 1);
            }
        }
    }
}
