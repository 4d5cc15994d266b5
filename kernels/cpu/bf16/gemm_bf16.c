/* The matrix product in bf16 (gemm.h): rows of a block are rounded once, however many panels of weights they meet. The
 * same with 16-bit integers, where each row and each column of a block of K has a scale. */
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

/* Channels c .. c + count of one tap of one column, as f32. */
static void read_run(float *run, const mb_packed *p, const float *weight, int64_t tap, int64_t c, int64_t count,
                     float scale)
{
    const float *from = weight + c * p->taps + tap; /* [channels][taps] */
    for (int64_t i = 0; i < count; i++) {
        run[i] = scale * from[i * p->taps];
    }
}

/* Fixed point: what a column is multiplied by in a block of K, and *back. */
static float column_scale(const mb_packed *p, const mb_blocks *b, const float *weight, int64_t block, float scale,
                          float *back)
{
    int64_t tap = block / b->channel_blocks * b->taps, c = block % b->channel_blocks * b->length;
    int64_t taps = p->taps - tap < b->taps ? p->taps - tap : b->taps;
    int64_t end = p->channels - c < b->length ? p->channels : c + b->length;
    float sum = 0;
    for (int64_t t = tap; t < tap + taps; t++) {
        for (int64_t i = c; i < end; i += PACKED_AT_ONCE) {
            float run[PACKED_AT_ONCE];
            int64_t count = end - i < PACKED_AT_ONCE ? end - i : PACKED_AT_ONCE;
            read_run(run, p, weight, t, i, count, scale);
            sum += p->simd->bf16->square_sum(run, count);
        }
    }
    return mb_fixed16_scale(sum, back);
}

/* Columns n .. n + width: [tap][padded channels / 2][width][2]. */
void mb_bf16_pack_panel(const mb_packed *p, const float *weight, int64_t n, float scale)
{
    const mb_bf16_loops *loops = p->simd->bf16;
    int64_t channels = mb_packed_channels(p), k_total = p->taps * channels, width = mb_bf16_width(p->n, n);
    int64_t columns = p->n - n < width ? p->n - n : width;
    uint16_t *to = p->w16 + n * k_total;
    mb_blocks b;
    mb_gemm_cut_k(p, &b);
    if (columns < width || channels > p->channels) {
        memset(to, 0, (size_t)(width * k_total) * sizeof *to);
    }
    for (int64_t block = 0; block < b.tap_blocks * b.channel_blocks; block++) {
        int64_t tap = block / b.channel_blocks * b.taps, first = block % b.channel_blocks * b.length;
        int64_t end_tap = p->taps - tap < b.taps ? p->taps : tap + b.taps;
        int64_t end = p->channels - first < b.length ? p->channels : first + b.length;
        for (int64_t j = 0; j < columns; j++) {
            const float *from = weight + (n + j) * p->channels * p->taps;
            float factor = 1;
            if (loops->quantise != NULL) {
                factor = column_scale(p, &b, from, block, scale, &p->scale16[block * p->columns + n + j]);
            }
            for (int64_t t = tap; t < end_tap; t++) {
                for (int64_t c = first; c < end; c += PACKED_AT_ONCE) {
                    int64_t count = end - c < PACKED_AT_ONCE ? end - c : PACKED_AT_ONCE;
                    float run[PACKED_AT_ONCE] = {0};
                    uint16_t narrow[PACKED_AT_ONCE];
                    read_run(run, p, from, t, c, count, scale);
                    if (loops->quantise != NULL) {
                        loops->quantise(narrow, run, PACKED_AT_ONCE, factor);
                    } else {
                        loops->narrow(narrow, run, PACKED_AT_ONCE);
                    }
                    uint16_t *pair = to + (t * channels + c) * width + 2 * j;
                    for (int64_t i = 0; i < count; i += 2, pair += 2 * width) {
                        pair[0] = narrow[i];
                        pair[1] = narrow[i + 1];
                    }
                }
            }
        }
    }
}

/* Row i's run of tap t. */
static const float *run_of(const mb_gemm *g, const mb_rows_wanted *r, int64_t i, int64_t t)
{
    return g->gathers ? r->rows[i] + t * r->length : r->rows[i * r->taps + t];
}

static void narrow_rows(const mb_gemm *g, const mb_rows_wanted *r, int64_t length, uint16_t *to, float *row_scale)
{
    const mb_bf16_loops *loops = g->w->simd->bf16;
    size_t rest = (size_t)(length - r->length) * sizeof *to;
    for (int64_t i = 0; i < r->n_rows; i++) {
        float factor = 1, sum = 0;
        if (r->taps == 1 && i + 2 < r->n_rows) { /* rows lie a pitch apart: the processor does not guess the next one */
            const char *soon = (const char *)run_of(g, r, i + 2, 0);
            for (int64_t at = 0; at < r->length * (int64_t)sizeof(float); at += 64) {
                __builtin_prefetch(soon + at);
            }
        }
        if (loops->quantise != NULL) {
            for (int64_t t = 0; t < r->taps; t++) {
                sum += loops->square_sum(run_of(g, r, i, t), r->length);
            }
            factor = mb_fixed16_scale(sum, &row_scale[i]);
        }
        for (int64_t t = 0; t < r->taps; t++, to += length) {
            const float *run = run_of(g, r, i, t);
            if (loops->quantise != NULL) {
                loops->quantise(to, run, r->length, factor);
            } else {
                loops->narrow(to, run, r->length);
            }
            if (rest > 0) {
                memset(to + r->length, 0, rest);
            }
        }
    }
}

void mb_bf16_multiply_block(const mb_gemm *g, const mb_blocks *b, const mb_rows_wanted *r, uint16_t *rows16,
                            float *row_scale, int64_t column, int64_t columns, bool last)
{
    const mb_packed *w = g->w;
    const mb_bf16_loops *loops = w->simd->bf16;
    int64_t channels = mb_packed_channels(w), k_total = w->taps * channels, k = r->tap * channels + r->channel;
    int64_t length = channels - r->channel < b->length ? channels - r->channel : b->length;
    int64_t block = r->tap / b->taps * b->channel_blocks + r->channel / b->length;
    narrow_rows(g, r, length, rows16, row_scale);
    mb_bf16_panel p = {.rows = rows16,
                       .row_pitch = r->taps * length,
                       .n_rows = r->n_rows,
                       .depth = r->taps * length,
                       .row_scale = row_scale,
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
        p.column_scale = w->scale16 + block * w->columns + n;
        p.bias = w->bias != NULL ? w->bias + n : NULL;
        p.addend = addend != NULL ? addend + n : NULL;
        p.out = (float *)g->out.data + r->row * g->out.pitch + n;
        loops->panel(&p);
    }
}
