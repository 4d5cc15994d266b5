/* The register tile of a bf16 product: MB_BF16_TILE_ROWS rows x two vectors of columns; a pair of K per step. The
 * including file says how a pair is added (dot_pair), in the order of VDPBF16PS: the odd element first, then the even
 * one, each by a fused multiply-add. A product of two bf16 values is exact in f32, so sets without a fused one give the
 * same bits wherever nothing is subnormal. */
#include "bf16_finish.h"
#include "bf16_peak.h"

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
    const uint16_t *w = p->w + 2 * column;
    const char *rows = (const char *)(p->rows + row * p->row_pitch);
    int64_t pairs = p->depth / 2, step = 2 * p->width, pitch = p->row_pitch * (int64_t)sizeof *w;
    MB_BF16_UNROLL
    for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
        acc[r][0] = v_set(0);
        acc[r][1] = v_set(0);
    }
    const char *four[MB_BF16_TILE_ROWS / 4]; /* one pointer for four rows: eight of them do not fit into registers */
    MB_BF16_UNROLL
    for (int i = 0; i < MB_BF16_TILE_ROWS / 4; i++) {
        four[i] = rows + 4 * i * pitch;
    }
    for (int64_t k = 0; k < pairs; k++, w += step) {
        mb_vi w0 = *(const mb_vi_anywhere *)(const void *)w;
        mb_vi w1 = *(const mb_vi_anywhere *)(const void *)(vectors == 2 ? w + 2 * MB_W : w);
        MB_BF16_UNROLL
        for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
            uint32_t a = *(const mb_pair *)(const void *)(four[r / 4] + (r % 4) * pitch);
            acc[r][0] = dot_pair(acc[r][0], a, w0);
            if (vectors == 2) {
                acc[r][1] = dot_pair(acc[r][1], a, w1);
            }
        }
        MB_BF16_UNROLL
        for (int i = 0; i < MB_BF16_TILE_ROWS / 4; i++) {
            four[i] += sizeof(mb_pair);
        }
    }
}

/* The end of a tile that lies on the output as a whole. */
MB_INLINE void finish_tile(mb_v acc[MB_BF16_TILE_ROWS][2], const mb_bf16_panel *p, int64_t row, int64_t column,
                           const int vectors)
{
    const float *addend = p->addend != NULL ? p->addend + row * p->addend_pitch + column : NULL;
    float *out = p->out + row * p->out_pitch + column;
    const int64_t pitch = p->out_pitch, addend_pitch = p->addend_pitch;
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        mb_v bias = p->first && p->bias != NULL ? v_load(p->bias + column + v * MB_W) : v_set(0);
        MB_BF16_UNROLL
        for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
            acc[r][v] = MB_PAIR_SUM(p, acc[r][v], row + r, column + v * MB_W) + bias;
        }
    }
    const float *more = p->first ? addend : out;
    const int64_t more_pitch = p->first ? addend_pitch : pitch;
    if (more != NULL) {
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            MB_BF16_UNROLL
            for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
                acc[r][v] += v_load(more + r * more_pitch + v * MB_W);
            }
        }
    }
    const mb_activation act = p->last ? p->act : MB_ACT_NONE;
    if (act != MB_ACT_NONE) {
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            MB_BF16_UNROLL
            for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
                acc[r][v] = bf16_activate(acc[r][v], act);
            }
        }
    }
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
        MB_BF16_UNROLL
        for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
            v_store(out + r * pitch + v * MB_W, acc[r][v]);
        }
    }
}

/* The end of a tile that juts out over the last row or column. */
static __attribute__((noinline)) void finish_part_tile(const mb_v acc[MB_BF16_TILE_ROWS][2], const mb_bf16_panel *p,
                                                       int64_t row, int64_t column, int vectors)
{
    int64_t rows = p->n_rows - row, columns = p->columns - column;
    for (int r = 0; r < MB_BF16_TILE_ROWS && r < rows; r++) {
        for (int v = 0; v < vectors && v * MB_W < columns; v++) {
            int64_t at = column + v * MB_W, n = p->columns - at < MB_W ? p->columns - at : MB_W;
            finish_part(p, MB_PAIR_SUM(p, acc[r][v], row + r, at), p->bias != NULL ? p->bias + at : NULL,
                        p->addend != NULL ? p->addend + (row + r) * p->addend_pitch + at : NULL,
                        p->out + (row + r) * p->out_pitch + at, n);
        }
    }
}

MB_INLINE void pair_tile(const mb_bf16_panel *p, int64_t row, int64_t column, const int vectors)
{
    mb_v acc[MB_BF16_TILE_ROWS][2];
    MB_BF16_UNROLL
    for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
        __builtin_prefetch(p->out + (row + r) * p->out_pitch + column, 1);
    }
    multiply_pairs(acc, p, row, column, vectors);
    if (p->n_rows - row >= MB_BF16_TILE_ROWS && p->columns - column >= vectors * MB_W) {
        finish_tile(acc, p, row, column, vectors);
        return;
    }
    mb_v copy[MB_BF16_TILE_ROWS][2]; /* so that acc needs no address */
    MB_BF16_UNROLL
    for (int r = 0; r < MB_BF16_TILE_ROWS; r++) {
        copy[r][0] = acc[r][0];
        copy[r][1] = acc[r][1];
    }
    finish_part_tile((const mb_v(*)[2])copy, p, row, column, vectors);
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
