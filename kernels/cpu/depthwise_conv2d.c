/* Convolution of each channel by itself, pixel by pixel over contiguous channels: a pointer per tap, the zero pixel for
 * those outside of the map. With few products a value, memory is the limit, and the activation the rest.
 *     x [N,C,H,W], weight [C,1,k,k], bias [C] -> [N,C,H,W] */
#include "tokens.h"

#include "core/alloc.h"

#include <string.h>

#define MOST_KERNEL 7 /* wider ones: kernels/ref */

/* mb_prepared.data: weights turned to [taps][C], then bias [C], then a pixel of zeros [C]. */
typedef struct turned {
    int64_t channels, taps;
    float v[];
} turned;

static bool supports(const mb_call *c)
{
    return c->in[1].dims[2] <= MOST_KERNEL;
}

static mb_status prepare(mb_prepared *out, const mb_call *c, mb_error *err)
{
    const int64_t channels = c->in[1].dims[0], taps = c->in[1].dims[2] * c->in[1].dims[3];
    size_t bytes;
    if (!mb_mul_size(&bytes, (size_t)channels, (size_t)(taps + 2) * sizeof(float)) ||
        !mb_add_size(&bytes, bytes, sizeof(turned))) {
        return mb_fail_memory(err, SIZE_MAX, "weights of a convolution");
    }
    turned *t = mb_calloc(1, bytes);
    if (t == NULL) {
        return mb_fail_memory(err, bytes, "weights of a convolution");
    }
    t->channels = channels;
    t->taps = taps;
    const float *w = c->in[1].data;
    for (int64_t i = 0; i < channels; i++) {
        for (int64_t k = 0; k < taps; k++) {
            t->v[k * channels + i] = w[i * taps + k];
        }
    }
    const bool has_bias = c->n_in > 2 && mb_view_present(&c->in[2]);
    if (has_bias) {
        memcpy(t->v + taps * channels, c->in[2].data, (size_t)channels * sizeof(float));
    }
    *out = (mb_prepared){t, bytes, mb_free, has_bias ? 6u : 2u};
    return MB_OK;
}

static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_call *c = j->c;
    const mb_depthwise_attrs *a = c->attrs;
    const turned *t = c->prepared->data;
    const mb_view *x = &c->in[0];
    const int64_t h = x->dims[2], w = x->dims[3], k = c->in[1].dims[2];
    const float *rows[MOST_KERNEL * MOST_KERNEL], *zeros = t->v + (t->taps + 1) * t->channels;
    const mb_taps taps = {rows, t->v, t->v + t->taps * t->channels, t->taps, t->channels};
    for (int64_t i = begin; i < end; i++) {
        const int64_t n = i / (h * w), y0 = i / w % h - k / 2, x0 = i % w - k / 2;
        for (int64_t tap = 0; tap < t->taps; tap++) {
            const int64_t iy = y0 + tap / k, ix = x0 + tap % k;
            const bool inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
            rows[tap] = inside ? mb_token(x, (n * h + iy) * w + ix) : zeros;
        }
        float *y = mb_token(&c->out, i);
        j->simd->taps(y, &taps);
        if (a->act != MB_ACT_NONE) {
            j->simd->activate(y, y, t->channels, a->act);
        }
    }
}

static void run_tokens(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    tokens(arg, (int64_t)begin, (int64_t)end);
}

static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    mb_token_job j = {simd, c};
    mb_parallel_for(c->pool, (size_t)mb_view_tokens(&c->out), mb_token_grain(c), run_tokens, &j);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_RUN(set)                                                                                                \
    static const mb_kernel kernel_##set = {.name = #set, .supports = supports, .prepare = prepare, .run = run_##set};
MB_EACH_SET(VARIANT)
MB_CHOOSE(depthwise_conv2d)
