/* Streaming attention, the inner loops, on the vectors of simd.h: included once per instruction set.
 *
 * product: the register tile of a matrix product (rows x two vectors) that starts from what is in C, so that the
 * relative terms and the running output cost one load each. softmax: a row's maximum grows rarely after the first
 * tiles, so the running sums are scaled only when it does. */
#include "attention.h"
#include "simd.h"

#include <math.h>
#include <string.h>

#if defined(MB_NEON)
#define MB_ATTENTION_ROWS  8
#define MB_ATTENTION_LANES -1, -1, -1, -1
#elif MB_W == 16
#define MB_ATTENTION_ROWS  8
#define MB_ATTENTION_LANES -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1
#elif MB_W == 8
#define MB_ATTENTION_ROWS  6
#define MB_ATTENTION_LANES -1, -1, -1, -1, -1, -1, -1, -1
#else
#define MB_ATTENTION_ROWS  6
#define MB_ATTENTION_LANES -1, -1, -1, -1
#endif
#define MB_ATTENTION_UNROLL _Pragma("GCC unroll 8")

/* c[rows][two vectors] += a[rows][n] . b[n][two vectors] (fresh: =), the sums in registers. */
MB_INLINE void product_tile(float *c, int64_t c_pitch, const float *a, int64_t a_pitch, const float *b, int64_t n,
                            const bool fresh)
{
    mb_v acc[MB_ATTENTION_ROWS][2];
    MB_ATTENTION_UNROLL
    for (int r = 0; r < MB_ATTENTION_ROWS; r++) {
        acc[r][0] = fresh ? v_set(0) : v_load(c + r * c_pitch);
        acc[r][1] = fresh ? v_set(0) : v_load(c + r * c_pitch + MB_W);
    }
    int64_t k = 0;
#if defined(MB_NEON)
    for (; k + 4 <= n; k += 4) { /* a row's values are one load */
        mb_v four[MB_ATTENTION_ROWS];
        MB_ATTENTION_UNROLL
        for (int r = 0; r < MB_ATTENTION_ROWS; r++) {
            four[r] = v_load(a + r * a_pitch + k);
        }
#define MB_STEP(lane)                                                                                                  \
    do {                                                                                                               \
        mb_v b0 = v_load(b), b1 = v_load(b + MB_W);                                                                    \
        MB_ATTENTION_UNROLL                                                                                            \
        for (int r = 0; r < MB_ATTENTION_ROWS; r++) {                                                                  \
            acc[r][0] = v_fma_lane(b0, four[r], lane, acc[r][0]);                                                      \
            acc[r][1] = v_fma_lane(b1, four[r], lane, acc[r][1]);                                                      \
        }                                                                                                              \
        b += 2 * MB_W;                                                                                                 \
    } while (0)
        MB_STEP(0);
        MB_STEP(1);
        MB_STEP(2);
        MB_STEP(3);
#undef MB_STEP
    }
#endif
#pragma GCC unroll 4
    for (; k < n; k++) {
        mb_v b0 = v_load(b), b1 = v_load(b + MB_W);
        MB_ATTENTION_UNROLL
        for (int r = 0; r < MB_ATTENTION_ROWS; r++) {
            mb_v x = v_set(a[r * a_pitch + k]);
            acc[r][0] = v_fma(x, b0, acc[r][0]);
            acc[r][1] = v_fma(x, b1, acc[r][1]);
        }
        b += 2 * MB_W;
    }
    MB_ATTENTION_UNROLL
    for (int r = 0; r < MB_ATTENTION_ROWS; r++) {
        v_store(c + r * c_pitch, acc[r][0]);
        v_store(c + r * c_pitch + MB_W, acc[r][1]);
    }
}

/* Panels outside: one panel (k x 64 bytes on AVX2) stays in the first cache while the rows pass by. */
static void product(const mb_attention_product *p)
{
    for (int64_t j = 0; j < p->panels; j++) {
        for (int64_t r = 0; r < p->rows; r += MB_ATTENTION_ROWS) {
            float *c = p->c + r * p->c_pitch + j * 2 * MB_W;
            const float *a = p->a + r * p->a_pitch, *b = p->b + j * p->b_panel;
            if (p->fresh) {
                product_tile(c, p->c_pitch, a, p->a_pitch, b, p->k, true);
            } else {
                product_tile(c, p->c_pitch, a, p->a_pitch, b, p->k, false);
            }
        }
    }
}

/* n values' exponentials, summed relative to their maximum, so that neither overflows nor vanishes. */
typedef struct exp_sum {
    float most, sum; /* -inf, 0: of none */
} exp_sum;

/* The first n floats, 1 <= n <= MB_W, -inf behind them. */
MB_INLINE mb_v first_lanes(const float *x, int64_t n)
{
    static const int32_t ones[2 * MB_W] = {MB_ATTENTION_LANES};
    mb_vi keep;
    memcpy(&keep, ones + MB_W - n, sizeof keep);
    return (mb_v)(((mb_vi)v_load(x) & keep) | ((mb_vi)v_set(-INFINITY) & ~keep));
}

/* Reads whole vectors, so up to one beyond. */
MB_INLINE exp_sum exp_sum_of(const float *x, int64_t n)
{
    mb_v most = v_set(-INFINITY), sum = v_set(0);
    if (n <= 0) {
        return (exp_sum){-INFINITY, 0};
    }
    int64_t whole = (n - 1) / MB_W * MB_W;
    for (int64_t i = 0; i < whole; i += MB_W) {
        most = v_max(most, v_load(x + i));
    }
    mb_v tail = first_lanes(x + whole, n - whole);
    exp_sum e = {v_most(v_max(most, tail)), 0};
    for (int64_t i = 0; i < whole; i += MB_W) {
        sum += v_exp(v_load(x + i) - v_set(e.most));
    }
    e.sum = v_sum(sum + v_exp(tail - v_set(e.most)));
    return e;
}

/* The padding of a window: the rows below the picture, then what is beside it. Each sum that counts is at least 1. */
MB_INLINE float pads_term(const mb_attention_terms *t)
{
    exp_sum below = exp_sum_of(t->rh + t->rows, t->window_a - t->rows), all = exp_sum_of(t->rw, t->window_b);
    exp_sum beside = exp_sum_of(t->rh, t->rows), right = exp_sum_of(t->rw + t->b, t->window_b - t->b);
    float low = below.most + all.most, high = beside.most + right.most;
    float low_sum = below.sum * all.sum, high_sum = beside.sum * right.sum;
    if (low > high) {
        return low + logf(low_sum + expf(high - low) * high_sum);
    }
    return high + logf(high_sum + expf(low - high) * low_sum);
}

/* Whole vectors are written; what juts out over a row of the map is overwritten by the next row. */
static void terms(const mb_attention_terms *t)
{
    int64_t y = t->j0 / t->b, x = t->j0 % t->b;
    for (int64_t i = 0; i < t->n; y++, x = 0) {
        int64_t n = t->b - x < t->n - i ? t->b - x : t->n - i;
        mb_v h = v_set(t->rh[y]);
        for (int64_t k = 0; k < n; k += MB_W) {
            v_store(t->s + i + k, v_load(t->rw + x + k) + h);
        }
        i += n;
    }
    float *end = t->s + t->n;
    if (t->window_a > 0) {
        *end++ = pads_term(t);
    }
    v_store(end, v_set(-INFINITY));
    v_store(end + MB_W, v_set(-INFINITY));
}

/* n is a multiple of two vectors. */
MB_INLINE float most_of(const float *s, int64_t n)
{
    mb_v m0 = v_load(s), m1 = v_load(s + MB_W);
    for (int64_t i = 2 * MB_W; i < n; i += 2 * MB_W) {
        m0 = v_max(m0, v_load(s + i));
        m1 = v_max(m1, v_load(s + i + MB_W));
    }
    return v_most(v_max(m0, m1));
}

static void scale_row(const mb_attention_softmax *p, int64_t r, float factor)
{
    mb_v f = v_set(factor);
    v_store(p->sum + r * MB_W, v_load(p->sum + r * MB_W) * f);
    for (int64_t i = 0; i < p->out_pitch; i += MB_W) {
        float *o = p->out + r * p->out_pitch + i;
        v_store(o, v_load(o) * f);
    }
}

/* logit -> exp(logit - max), the sums and the output scaled down where the maximum has grown. */
static void softmax(const mb_attention_softmax *p)
{
    for (int64_t r = 0; r < p->rows; r++) {
        float *s = p->s + r * p->pitch, most = most_of(s, p->n);
        if (most > p->max[r]) {
            float factor[MB_W];
            v_store(factor, v_exp(v_set(p->max[r] - most)));
            scale_row(p, r, factor[0]);
            p->max[r] = most;
        }
        mb_v m = v_set(p->max[r]), sum0 = v_load(p->sum + r * MB_W), sum1 = v_set(0);
        for (int64_t i = 0; i < p->n; i += 2 * MB_W) {
            mb_v e0 = v_exp_negative(v_load(s + i) - m), e1 = v_exp_negative(v_load(s + i + MB_W) - m);
            v_store(s + i, e0);
            v_store(s + i + MB_W, e1);
            sum0 += e0;
            sum1 += e1;
        }
        v_store(p->sum + r * MB_W, sum0 + sum1);
    }
}

#define MB_ATTENTION_LOOPS                                                                                             \
    {                                                                                                                  \
        MB_W, 2 * MB_W, MB_ATTENTION_ROWS, product, terms, softmax                                                     \
    }
