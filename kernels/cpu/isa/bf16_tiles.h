/* A bf16 product on tiles of 16 rows x 16 columns (AMX): two by two of them are summed while K passes by, 32 values at
 * a time. The including file gives the tile instructions, or their model in C. */
#include "bf16_finish.h"

#define MB_TILE      16
#define MB_TILE_K    32 /* values of K in one instruction */
#define MB_TILE_COLS MB_BF16_COLUMNS

typedef struct tile_block {
    int64_t row, rows; /* of the panel; 1 to 32 */
    bool two_rows, two_columns;
} tile_block;

/* Sums of a block into out[32][32]. */
MB_INLINE void multiply_tiles(float *out, const mb_bf16_panel *p, const tile_block *b)
{
    const uint16_t *a = p->rows + b->row * p->row_pitch, *w = p->w;
    size_t a_step = (size_t)p->row_pitch * sizeof *a, w_step = (size_t)(2 * p->width) * sizeof *w;
    TILE_STATE;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int64_t k = 0; k < p->depth; k += MB_TILE_K, a += MB_TILE_K, w += MB_TILE_K * p->width) {
        TILE_LOAD(4, a, a_step);
        TILE_LOAD(6, w, w_step);
        TILE_MULTIPLY(0, 4, 6);
        if (b->two_columns) {
            TILE_LOAD(7, w + 2 * MB_TILE, w_step);
            TILE_MULTIPLY(1, 4, 7);
        }
        if (b->two_rows) {
            TILE_LOAD(5, a + MB_TILE * p->row_pitch, a_step);
            TILE_MULTIPLY(2, 5, 6);
            if (b->two_columns) {
                TILE_MULTIPLY(3, 5, 7);
            }
        }
    }
    const size_t step = MB_TILE_COLS * sizeof(float);
    TILE_STORE(0, out, step);
    TILE_STORE(1, out + MB_TILE, step);
    TILE_STORE(2, out + MB_TILE * MB_TILE_COLS, step);
    TILE_STORE(3, out + MB_TILE * MB_TILE_COLS + MB_TILE, step);
}

/* mb_bf16_loops.peak: four sums, as multiply_tiles has them. */
static int64_t peak(int64_t rounds)
{
    TILE_STATE;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    TILE_ZERO(4);
    TILE_ZERO(5);
    TILE_ZERO(6);
    TILE_ZERO(7);
    for (int64_t r = 0; r < rounds; r++) {
        TILE_MULTIPLY(0, 4, 6);
        TILE_MULTIPLY(1, 4, 7);
        TILE_MULTIPLY(2, 5, 6);
        TILE_MULTIPLY(3, 5, 7);
    }
    return rounds * 4 * MB_TILE * MB_TILE * MB_TILE_K;
}

static void finish_block(const mb_bf16_panel *p, const tile_block *b, const float *sums)
{
    for (int64_t r = 0; r < b->rows; r++, sums += MB_TILE_COLS) {
        float *out = p->out + (b->row + r) * p->out_pitch;
        const float *addend = p->addend != NULL ? p->addend + (b->row + r) * p->addend_pitch : NULL;
        for (int64_t i = 0; i < p->columns; i += MB_W) {
            const float *bias = p->bias != NULL ? p->bias + i : NULL, *more = addend != NULL ? addend + i : NULL;
            if (p->columns - i >= MB_W) {
                v_store(out + i, finish(p, v_load(sums + i), bias, more, out + i));
            } else {
                finish_part(p, v_load(sums + i), bias, more, out + i, p->columns - i);
            }
        }
    }
}

static void panel(const mb_bf16_panel *p)
{
    float sums[2 * MB_TILE * MB_TILE_COLS] __attribute__((aligned(64)));
    for (int64_t row = 0; row < p->n_rows; row += 2 * MB_TILE) {
        int64_t rows = p->n_rows - row;
        tile_block b = {row, rows < 2 * MB_TILE ? rows : 2 * MB_TILE, rows > MB_TILE, p->width > MB_TILE};
        multiply_tiles(sums, p, &b);
        finish_block(p, &b, sums);
    }
}
