/* softmax(Q K^T + bias + mask) V for one window and head, all in cache: blocks of a few tiles of queries go through
 * product, softmax and product while their logits lie in L1 (mb_attend in isa.h). */
#include "isa.h"
#include "simd.h"

#include <string.h>

#define MB_ATTEND_TILES 4 /* query tiles per block: mb_attend.logits holds so many */

/* The largest of logit + bias, which are stored; keys of another label than the query's get -1e30. */
MB_INLINE mb_v add_bias(const mb_attend *a, float *logit, int64_t query)
{
    const float *bias = a->bias[query];
    mb_v most = v_set(-3e38f);
    if (a->key_label == NULL) {
        for (int64_t k = 0; k < a->keys_padded; k += MB_W) {
            mb_v x = v_load(logit + k) + v_load(bias + k);
            v_store(logit + k, x);
            most = v_max(most, x);
        }
        return most;
    }
    const mb_vi label = (mb_vi){0} + a->key_label[a->position[query]], far = (mb_vi)v_set(-1e30f);
    for (int64_t k = 0; k < a->keys_padded; k += MB_W) {
        mb_vi seen;
        memcpy(&seen, a->key_label + k, sizeof seen);
        seen = seen == label;
        mb_v x = (mb_v)(((mb_vi)v_load(logit + k) & seen) | (far & ~seen)) + v_load(bias + k);
        v_store(logit + k, x);
        most = v_max(most, x);
    }
    return most;
}

/* Bias, mask and softmax (not yet divided) of one row of logits; returns the sum. */
MB_INLINE float soften(const mb_attend *a, float *logit, int64_t query)
{
    mb_v most = add_bias(a, logit, query), total = v_set(0);
    most = v_set(v_most(most));
    for (int64_t k = 0; k < a->keys_padded; k += MB_W) {
        mb_v x = v_exp_negative(v_load(logit + k) - most);
        v_store(logit + k, x);
        total += x;
    }
    return v_sum(total);
}

/* Panels of `columns` (a multiple of the vector) columns: out[rows][columns]. */
MB_INLINE void attend_product(mb_panel *p, const float *w, int64_t columns)
{
    int64_t depth = p->segments * p->length;
    float *out = p->out;
    for (int64_t n = 0; n < columns; n += 2 * MB_W) {
        p->width = columns - n > MB_W ? 2 * MB_W : MB_W;
        p->columns = p->width;
        p->w = w + n * depth;
        p->out = out + n;
        panel(p);
    }
}

/* Blocks of queries: logits [block][keys_padded] by the panel loop, softened in place, times the values, then
 * divided by their sums. Rows up to a whole tile repeat the block's first query and are not written. */
static void attend(const mb_attend *a)
{
    const float *rows[MB_ATTEND_TILES * MB_TILE_ROWS];
    float totals[MB_ATTEND_TILES * MB_TILE_ROWS];
    for (int64_t first = 0; first < a->queries; first += MB_ATTEND_TILES * MB_TILE_ROWS) {
        int64_t left = a->queries - first, block = MB_ATTEND_TILES * MB_TILE_ROWS;
        block = left < block ? (left + MB_TILE_ROWS - 1) / MB_TILE_ROWS * MB_TILE_ROWS : block;
        for (int64_t r = 0; r < block; r++) {
            rows[r] = a->q[first + (r < left ? r : 0)];
        }
        mb_panel p = {.rows = rows,
                      .n_rows = block,
                      .segments = 1,
                      .length = a->d,
                      .out = a->logits,
                      .out_pitch = a->keys_padded,
                      .first = true,
                      .last = true};
        attend_product(&p, a->k, a->keys_padded);
        for (int64_t r = 0; r < block; r++) {
            rows[r] = a->logits + r * a->keys_padded;
            totals[r] = soften(a, a->logits + r * a->keys_padded, first + (r < left ? r : 0));
        }
        p.length = a->keys;
        p.out = a->weighted;
        p.out_pitch = a->d_padded;
        attend_product(&p, a->v, a->d_padded);
        for (int64_t r = 0; r < block && r < left; r++) {
            const float *from = a->weighted + r * a->d_padded;
            float *to = a->out[first + r], scale = 1 / totals[r];
            int64_t i = 0;
            for (; i + MB_W <= a->d; i += MB_W) {
                v_store(to + i, v_load(from + i) * v_set(scale));
            }
            for (; i < a->d; i++) {
                to[i] = from[i] * scale;
            }
        }
    }
}

/* Keys as columns: panels [d][2 vectors] (the last [d][1 vector] if that is enough); values stay rows: panels
 * [keys][...] of d columns. Source rows are runs of d values. */
MB_INLINE int64_t panel_width(int64_t columns, int64_t n)
{
    return columns - n > MB_W ? 2 * MB_W : MB_W;
}

/* Four keys' values e..e+3 as four rows of columns. */
MB_INLINE void transpose4(float *to, int64_t width, const float *const row[4], int64_t e, float factor)
{
#if defined(__SSE__)
    __m128 f = _mm_set1_ps(factor);
    __m128 r0 = _mm_loadu_ps(row[0] + e), r1 = _mm_loadu_ps(row[1] + e);
    __m128 r2 = _mm_loadu_ps(row[2] + e), r3 = _mm_loadu_ps(row[3] + e);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_storeu_ps(to + e * width, _mm_mul_ps(r0, f));
    _mm_storeu_ps(to + (e + 1) * width, _mm_mul_ps(r1, f));
    _mm_storeu_ps(to + (e + 2) * width, _mm_mul_ps(r2, f));
    _mm_storeu_ps(to + (e + 3) * width, _mm_mul_ps(r3, f));
#elif defined(MB_NEON)
    float32x4x2_t low = vzipq_f32(vld1q_f32(row[0] + e), vld1q_f32(row[2] + e));
    float32x4x2_t high = vzipq_f32(vld1q_f32(row[1] + e), vld1q_f32(row[3] + e));
    float32x4x2_t first = vzipq_f32(low.val[0], high.val[0]), last = vzipq_f32(low.val[1], high.val[1]);
    vst1q_f32(to + e * width, vmulq_n_f32(first.val[0], factor));
    vst1q_f32(to + (e + 1) * width, vmulq_n_f32(first.val[1], factor));
    vst1q_f32(to + (e + 2) * width, vmulq_n_f32(last.val[0], factor));
    vst1q_f32(to + (e + 3) * width, vmulq_n_f32(last.val[1], factor));
#else
    for (int64_t i = 0; i < 4; i++) {
        for (int64_t j = 0; j < 4; j++) {
            to[(e + i) * width + j] = row[j][e + i] * factor;
        }
    }
#endif
}

/* rows[i] are the keys' d values; the scale of the logits goes into them. */
static void pack_keys(float *to, const float *const *rows, const mb_attend *a, float factor)
{
    for (int64_t n = 0; n < a->keys_padded; n += 2 * MB_W) {
        int64_t width = panel_width(a->keys_padded, n);
        for (int64_t j = 0; j < width; j += 4) {
            const float *row[4]; /* padding repeats the last key: its bias is -1e30 */
            for (int64_t i = 0; i < 4; i++) {
                row[i] = rows[n + j + i < a->keys ? n + j + i : a->keys - 1];
            }
            int64_t e = 0;
            for (; e + 4 <= a->d; e += 4) {
                transpose4(to + j, width, row, e, factor);
            }
            for (; e < a->d; e++) {
                for (int64_t i = 0; i < 4; i++) {
                    to[e * width + j + i] = row[i][e] * factor;
                }
            }
        }
        to += a->d * width;
    }
}

/* rows[i] are the values' d values, zeros behind them. */
static void pack_values(float *to, const float *const *rows, const mb_attend *a)
{
    for (int64_t n = 0; n < a->d_padded; n += 2 * MB_W) {
        int64_t width = panel_width(a->d_padded, n), real = a->d - n < width ? a->d - n : width;
        for (int64_t j = 0; j < a->keys; j++, to += width) {
            if (real == 2 * MB_W) {
                v_store(to, v_load(rows[j] + n));
                v_store(to + MB_W, v_load(rows[j] + n + MB_W));
                continue;
            }
            memcpy(to, rows[j] + n, (size_t)real * sizeof(float));
            memset(to + real, 0, (size_t)(width - real) * sizeof(float));
        }
    }
}
