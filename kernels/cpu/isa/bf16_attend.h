/* softmax(Q K^T + bias + mask) V for one window and head in bf16 products (mb_attend in isa.h): logits, softmax and its
 * sums stay f32, the weights are rounded just before they meet the values. */
#include "bf16_finish.h"

/* Where the scratch of mb_attend holds what. Sizes: mb_bf16_attend_sizes in cpu/bf16.c. */
typedef struct attend_layout {
    int64_t depth, key_depth; /* d and keys, padded to whole runs of pairs */
    uint16_t *k, *v, *q, *weights;
} attend_layout;

static attend_layout lay_out_attend(const mb_attend *a, int64_t unit)
{
    attend_layout l = {mb_bf16_round_up(a->d, unit), mb_bf16_round_up(a->keys, unit), a->k16, a->v16, a->q16, NULL};
    l.weights = l.q + MB_BF16_ATTEND_ROWS * l.depth;
    return l;
}

/* Keys as columns: [depth / 2][width][2] per panel. Padding columns are zero: their bias is -1e30. */
static void pack_key_panels(const mb_attend *a, const float *const *rows, float factor)
{
    attend_layout l = lay_out_attend(a, MB_BF16_UNIT);
    mb_pair row[MB_BF16_MOST_D / 2];
    uint16_t *to = l.k;
    int64_t columns = mb_bf16_columns(a->keys);
    for (int64_t n = 0; n < columns; n += MB_BF16_COLUMNS) {
        int64_t width = mb_bf16_width(columns, n);
        mb_pair *panel_of = (mb_pair *)(void *)to;
        for (int64_t j = 0; j < width; j++) {
            float scaled[MB_BF16_MOST_D];
            memset(scaled, 0, (size_t)l.depth * sizeof(float));
            for (int64_t e = 0; n + j < a->keys && e < a->d; e++) {
                scaled[e] = rows[n + j][e] * factor;
            }
            narrow((uint16_t *)(void *)row, scaled, l.depth);
            for (int64_t e = 0; e < l.depth / 2; e++) {
                panel_of[e * width + j] = row[e];
            }
        }
        to += l.depth * width;
    }
}

/* Values stay rows, two of them interleaved: [key_depth / 2][width][2] per panel of d columns. */
static void pack_value_panels(const mb_attend *a, const float *const *rows)
{
    attend_layout l = lay_out_attend(a, MB_BF16_UNIT);
    uint16_t *to = l.v;
    int64_t columns = mb_bf16_columns(a->d);
    for (int64_t n = 0; n < columns; n += MB_BF16_COLUMNS) {
        int64_t width = mb_bf16_width(columns, n), real = a->d - n < width ? a->d - n : width;
        for (int64_t j = 0; j < l.key_depth; j += 2, to += 2 * width) {
            uint16_t pair[2][MB_BF16_COLUMNS] = {{0}};
            for (int64_t i = 0; i < 2 && j + i < a->keys; i++) {
                narrow(pair[i], rows[j + i] + n, real);
            }
            for (int64_t e = 0; e < width; e++) {
                to[2 * e] = pair[0][e];
                to[2 * e + 1] = pair[1][e];
            }
        }
    }
}

static void attend_pack(const mb_attend *a, const float *const *rows, bool values, float scale)
{
    if (values) {
        pack_value_panels(a, rows);
    } else {
        pack_key_panels(a, rows, scale);
    }
}

/* Bias, mask and softmax (not yet divided) of one row of logits, rounded to `weights`; returns the sum before rounding.
 */
MB_INLINE float soften(const mb_attend *a, const attend_layout *l, float *logit, uint16_t *weights, int64_t query)
{
    const float *bias = a->bias[query];
    mb_v most = v_set(-3e38f), total = v_set(0);
    if (a->key_label != NULL) {
        int32_t label = a->key_label[a->position[query]];
        for (int64_t k = 0; k < a->keys; k++) {
            logit[k] = a->key_label[k] == label ? logit[k] : -1e30f;
        }
    }
    for (int64_t k = 0; k < a->keys_padded; k += MB_W) {
        mb_v x = v_load(logit + k) + v_load(bias + k);
        v_store(logit + k, x);
        most = v_max(most, x);
    }
    most = v_set(v_most(most));
    for (int64_t k = 0; k < a->keys_padded; k += MB_W) {
        mb_v x = v_exp_negative(v_load(logit + k) - most);
        store_narrow(weights + k, x);
        total += x;
    }
    for (int64_t k = a->keys; k < l->key_depth; k++) {
        weights[k] = 0;
    }
    return v_sum(total);
}

/* All panels of a product without an epilogue. */
static void attend_panels(mb_bf16_panel *p, const uint16_t *w, int64_t columns, int64_t wanted)
{
    float *out = p->out;
    for (int64_t n = 0; n < wanted; n += MB_BF16_COLUMNS) {
        p->width = mb_bf16_width(columns, n);
        p->columns = wanted - n < p->width ? wanted - n : p->width;
        p->w = w + n * p->depth;
        p->out = out + n;
        panel(p);
    }
}

static void attend(const mb_attend *a)
{
    attend_layout l = lay_out_attend(a, MB_BF16_UNIT);
    float totals[MB_BF16_ATTEND_ROWS];
    int64_t weights_pitch = mb_bf16_round_up(a->keys, MB_BF16_COLUMNS);
    for (int64_t first = 0; first < a->queries; first += MB_BF16_ATTEND_ROWS) {
        int64_t left = a->queries - first, block = left < MB_BF16_ATTEND_ROWS ? left : MB_BF16_ATTEND_ROWS;
        for (int64_t r = 0; r < block; r++) {
            narrow(l.q + r * l.depth, a->q[first + r], a->d);
            memset(l.q + r * l.depth + a->d, 0, (size_t)(l.depth - a->d) * sizeof *l.q);
        }
        mb_bf16_panel p = {.rows = l.q,
                           .row_pitch = l.depth,
                           .n_rows = block,
                           .depth = l.depth,
                           .out = a->logits,
                           .out_pitch = a->keys_padded,
                           .first = true,
                           .last = true};
        attend_panels(&p, l.k, mb_bf16_columns(a->keys), a->keys_padded);
        for (int64_t r = 0; r < block; r++) {
            totals[r] = soften(a, &l, a->logits + r * a->keys_padded, l.weights + r * weights_pitch, first + r);
        }
        p.rows = l.weights;
        p.row_pitch = weights_pitch;
        p.depth = l.key_depth;
        p.out = a->weighted;
        p.out_pitch = a->d_padded;
        attend_panels(&p, l.v, mb_bf16_columns(a->d), a->d_padded);
        for (int64_t r = 0; r < block; r++) {
            const float *from = a->weighted + r * a->d_padded;
            float *to = a->out[first + r], scale = 1 / totals[r];
            for (int64_t i = 0; i < a->d; i++) {
                to[i] = from[i] * scale;
            }
        }
    }
}
