/* Inner loops over the channels of a token: deformable samples, layer norm, blending, sums, gates, rotations. */
#include "isa.h"
#include "simd.h"

#include <math.h>
#include <string.h>

/* Four pixels' channels, weighted; the vectors' rest one by one, with the same operations. */
static void blend(float *y, const float *const x[4], const float weight[4], const float *addend, int64_t n)
{
    mb_v w0 = v_set(weight[0]), w1 = v_set(weight[1]), w2 = v_set(weight[2]), w3 = v_set(weight[3]);
    int64_t i = 0;
    for (; i + MB_W <= n; i += MB_W) {
        mb_v s = addend != NULL ? v_load(addend + i) : v_set(0);
        s = v_fma(w0, v_load(x[0] + i), s);
        s = v_fma(w1, v_load(x[1] + i), s);
        s = v_fma(w2, v_load(x[2] + i), s);
        v_store(y + i, v_fma(w3, v_load(x[3] + i), s));
    }
    for (; i < n; i++) {
        float s = addend != NULL ? addend[i] : 0;
        y[i] = s + weight[0] * x[0][i] + weight[1] * x[1][i] + weight[2] * x[2][i] + weight[3] * x[3][i];
    }
}

/* Taps of one pixel. A position outside (or not a number) gives zeros, a neighbour outside counts as zero. */
static void sample(const mb_samples *s, float *to)
{
    int64_t ky = s->tap / s->kernel_w, kx = s->tap % s->kernel_w;
    for (int64_t t = s->tap; t < s->tap + s->taps; t++, to += s->channels) {
        float y = (float)(s->y + ky) + s->offset[2 * t], x = (float)(s->x + kx) + s->offset[2 * t + 1];
        if (++kx == s->kernel_w) {
            kx = 0;
            ky++;
        }
        if (!(y > -1 && y < (float)s->height && x > -1 && x < (float)s->width)) {
            memset(to, 0, (size_t)s->channels * sizeof(float));
            continue;
        }
        float fy = floorf(y), fx = floorf(x), ly = y - fy, lx = x - fx, m = s->modulator[t - s->tap];
        int64_t y0 = (int64_t)fy, x0 = (int64_t)fx;
        bool top = y0 >= 0, bottom = y0 + 1 < s->height, left = x0 >= 0, right = x0 + 1 < s->width;
        const float *p = s->item + (y0 * s->width + x0) * s->pitch, *below = p + s->width * s->pitch;
        const float *const x4[4] = {top && left ? p : s->zeros, top && right ? p + s->pitch : s->zeros,
                                    bottom && left ? below : s->zeros, bottom && right ? below + s->pitch : s->zeros};
        const float w4[4] = {m * (1 - ly) * (1 - lx), m * (1 - ly) * lx, m * ly * (1 - lx), m * ly * lx};
        blend(to, x4, w4, NULL, s->channels);
    }
}

/* Sum of (x - mean)^2 or, with power 1, of x. */
MB_INLINE float row_sum(const float *x, int64_t n, float mean, const int power)
{
    mb_v a = v_set(0), b = v_set(0), m = v_set(mean);
    float rest = 0;
    int64_t i = 0;
    for (; i + 2 * MB_W <= n; i += 2 * MB_W) {
        mb_v p = v_load(x + i) - m, q = v_load(x + i + MB_W) - m;
        a = power == 2 ? v_fma(p, p, a) : a + p;
        b = power == 2 ? v_fma(q, q, b) : b + q;
    }
    for (; i < n; i++) {
        float p = x[i] - mean;
        rest += power == 2 ? p * p : p;
    }
    return v_sum(a + b) + rest;
}

/* Layer norm token by token: mean, squared differences from it, then scale, weight and bias. */
static void norm(const mb_norm_rows *r)
{
    float count = (float)r->channels;
    for (int64_t t = 0; t < r->rows; t++) {
        const float *x = r->x + t * r->x_pitch;
        float *y = r->y + t * r->y_pitch;
        float mean = 0;
        if (!r->zero_mean) { /* the second sum takes out the rounding of the first */
            mean = row_sum(x, r->channels, 0, 1) / count;
            mean += row_sum(x, r->channels, mean, 1) / count;
        }
        float scale = 1 / sqrtf(row_sum(x, r->channels, mean, 2) / count + r->eps);
        mb_v vm = v_set(mean), vs = v_set(scale);
        int64_t i = 0;
        for (; i + MB_W <= r->channels; i += MB_W) {
            mb_v v = (v_load(x + i) - vm) * vs;
            v = r->weight != NULL ? v * v_load(r->weight + i) : v;
            v_store(y + i, r->bias != NULL ? v + v_load(r->bias + i) : v);
        }
        for (; i < r->channels; i++) {
            float v = (x[i] - mean) * scale;
            v = r->weight != NULL ? v * r->weight[i] : v;
            y[i] = r->bias != NULL ? v + r->bias[i] : v;
        }
    }
}

/* Two vectors of channels at a time: one load of a weight and one of a pixel for each product. */
static void taps(float *y, const mb_taps *t)
{
    const int64_t n = t->channels;
    int64_t i = 0;
    for (; i + 2 * MB_W <= n; i += 2 * MB_W) {
        mb_v s0 = v_load(t->bias + i), s1 = v_load(t->bias + i + MB_W);
        for (int64_t k = 0; k < t->taps; k++) {
            const float *x = t->x[k] + i, *w = t->weight + k * n + i;
            s0 = v_fma(v_load(w), v_load(x), s0);
            s1 = v_fma(v_load(w + MB_W), v_load(x + MB_W), s1);
        }
        v_store(y + i, s0);
        v_store(y + i + MB_W, s1);
    }
    for (; i < n; i++) {
        float s = t->bias[i];
        for (int64_t k = 0; k < t->taps; k++) {
            s += t->weight[k * n + i] * t->x[k][i];
        }
        y[i] = s;
    }
}

static void larger(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = b[i] <= a[i] || a[i] != a[i] ? a[i] : b[i];
    }
}

static void add(float *y, const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static void scale(float *y, const float *x, float factor, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = factor * x[i];
    }
}

static void gate_all(float *y, const float *gate, const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + MB_W <= n; i += MB_W) {
        mb_v g = v_load(gate + i);
        v_store(y + i, g * v_sigmoid(g) * v_load(x + i));
    }
    if (i < n) {
        float rest[2][MB_W] = {{0}};
        memcpy(rest[0], gate + i, (size_t)(n - i) * sizeof(float));
        memcpy(rest[1], x + i, (size_t)(n - i) * sizeof(float));
        mb_v g = v_load(rest[0]);
        v_store(rest[0], g * v_sigmoid(g) * v_load(rest[1]));
        memcpy(y + i, rest[0], (size_t)(n - i) * sizeof(float));
    }
}

static void rotate(float *y, const float *x, const float *sine, const float *cosine, int64_t n)
{
    int64_t i = 0;
    for (; i + MB_W <= n; i += MB_W) {
        mb_v a = v_load(x + i), b = v_load(x + n + i), s = v_load(sine + i), c = v_load(cosine + i);
        v_store(y + i, a * c - b * s);
        v_store(y + n + i, b * c + a * s);
    }
    for (; i < n; i++) {
        float a = x[i], b = x[n + i];
        y[i] = a * cosine[i] - b * sine[i];
        y[n + i] = b * cosine[i] + a * sine[i];
    }
}
