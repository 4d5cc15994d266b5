/* The matrix product in bf16 (gemm.h): rows of a block are rounded once, however many panels of weights they meet. */
#include "../gemm.h"
#include "../isa/bf16.h"

#include <string.h>

#define PACKED_AT_ONCE 64 /* channels: even */

const mb_bf16_loops *mb_packed_bf16(const mb_packed *w)
{
    return w->n <= MB_NARROW_COLUMNS ? NULL : w->simd->bf16;
}

int64_t mb_packed_channels(const mb_packed *w)
{
    const mb_bf16_loops *bf16 = mb_packed_bf16(w);
    return bf16 != NULL ? mb_bf16_round_up(w->channels, bf16->unit) : w->channels;
}

/* Columns n .. n + width: [tap][padded channels / 2][width][2]. */
void mb_bf16_pack_panel(const mb_packed *p, const float *weight, int64_t n, float scale)
{
    int64_t channels = mb_packed_channels(p), k_total = p->taps * channels, width = mb_bf16_width(p->n, n);
    int64_t columns = p->n - n < width ? p->n - n : width;
    uint16_t *to = p->w16 + n * k_total;
    if (columns < width || channels > p->channels) {
        memset(to, 0, (size_t)(width * k_total) * sizeof *to);
    }
    for (int64_t t = 0; t < p->taps; t++) {
        for (int64_t c = 0; c < p->channels; c += PACKED_AT_ONCE) {
            int64_t count = p->channels - c < PACKED_AT_ONCE ? p->channels - c : PACKED_AT_ONCE;
            for (int64_t j = 0; j < columns; j++) {
                const float *from = weight + ((n + j) * p->channels + c) * p->taps + t; /* [channels][taps] */
                float run[PACKED_AT_ONCE] = {0};
                uint16_t narrow[PACKED_AT_ONCE];
                for (int64_t i = 0; i < count; i++) {
                    run[i] = scale * from[i * p->taps];
                }
                p->simd->bf16->narrow(narrow, run, PACKED_AT_ONCE);
                uint16_t *pair = to + (t * channels + c) * width + 2 * j;
                for (int64_t i = 0; i < count; i += 2, pair += 2 * width) {
                    pair[0] = narrow[i];
                    pair[1] = narrow[i + 1];
                }
            }
        }
    }
}

static void narrow_rows(const mb_gemm *g, const mb_rows_wanted *r, int64_t length, uint16_t *to)
{
    const mb_bf16_loops *loops = g->w->simd->bf16;
    const float **from = r->rows;
    size_t rest = (size_t)(length - r->length) * sizeof *to;
    for (int64_t i = 0; i < r->n_rows; i++) {
        for (int64_t t = 0; t < r->taps; t++, to += length) {
            const float *run = g->gathers ? from[i] + t * r->length : from[i * r->taps + t];
            loops->narrow(to, run, r->length);
            if (rest > 0) {
                memset(to + r->length, 0, rest);
            }
        }
    }
}

void mb_bf16_multiply_block(const mb_gemm *g, const mb_blocks *b, const mb_rows_wanted *r, uint16_t *rows16,
                            int64_t column, int64_t columns, bool last)
{
    const mb_packed *w = g->w;
    const mb_bf16_loops *loops = w->simd->bf16;
    int64_t channels = mb_packed_channels(w), k_total = w->taps * channels, k = r->tap * channels + r->channel;
    int64_t length = channels - r->channel < b->length ? channels - r->channel : b->length;
    narrow_rows(g, r, length, rows16);
    mb_bf16_panel p = {.rows = rows16,
                       .row_pitch = r->taps * length,
                       .n_rows = r->n_rows,
                       .depth = r->taps * length,
                       .out_pitch = g->out.pitch,
                       .first = k == 0,
                       .last = last,
                       .act = g->act};
    const float *addend = NULL;
    if (mb_view_present(&g->addend)) {
        bool vector = g->addend.dims[2] * g->addend.dims[3] != g->out.dims[2] * g->out.dims[3];
        p.addend_pitch = vector ? 0 : g->addend.pitch;
        addend = (const float *)g->addend.data + (vector ? r->row / g->m : r->row) * g->addend.pitch;
    }
    for (int64_t n = column; n < column + columns; n += MB_BF16_COLUMNS) {
        p.width = mb_bf16_width(w->n, n);
        p.columns = w->n - n < p.width ? w->n - n : p.width;
        p.w = w->w16 + n * k_total + k * p.width;
        p.bias = w->bias != NULL ? w->bias + n : NULL;
        p.addend = addend != NULL ? addend + n : NULL;
        p.out = (float *)g->out.data + r->row * g->out.pitch + n;
        loops->panel(&p);
    }
}
