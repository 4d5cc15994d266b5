/* The transforms of convolutions by Winograd's minimal filtering (Lavin & Gray 2016, "Fast algorithms for convolutional
 * neural networks"), a tile of 4 x 4 outputs at a time, vectors along the channels.
 *
 * Along one side a tile of outputs is z = A (U m), m = B x, where U are the transformed weights (conv2d_winograd.c):
 *   6 points, 0 1 -1 1/2 -2 and infinity: 4 outputs of 3 taps
 *   7 points, 0 1 -1 2 -2 1/2 and infinity: 4 outputs of 4 taps
 * The points were chosen for the smallest error in f32; factors that are no powers of two stand in the weights. */
#include "isa.h"
#include "simd.h"

#include <string.h>

#define MB_WINOGRAD_OUT 4 /* outputs along one side of a tile */

/* The first n values, 0 < n; those behind a vector's end are zeros. */
MB_INLINE mb_v load_some(const float *p, int64_t n)
{
    float some[MB_W] = {0};
    if (n >= MB_W) {
        return v_load(p);
    }
    memcpy(some, p, (size_t)n * sizeof(float));
    return v_load(some);
}

MB_INLINE void store_some(float *p, mb_v x, int64_t n)
{
    float some[MB_W];
    if (n >= MB_W) {
        v_store(p, x);
        return;
    }
    v_store(some, x);
    memcpy(p, some, (size_t)n * sizeof(float));
}

/* B of 6 points. */
MB_INLINE void points_6(mb_v y[6], const mb_v x[6])
{
    mb_v p = x[3] - x[1], q = x[4] - x[2], k = v_set(1.5f);
    y[0] = (x[0] - x[2]) + v_fma(k, p, q);
    y[1] = v_fma(k, x[2] + x[3], q + p);
    y[2] = v_fma(k, x[3] - x[2], q - p);
    y[3] = v_fma(v_set(2.0f), p, q);
    y[4] = v_fma(v_set(-0.5f), p, q);
    y[5] = (x[5] - x[3]) + v_fma(k, q, -p);
}

/* B of 7 points. */
MB_INLINE void points_7(mb_v y[7], const mb_v x[7])
{
    mb_v e = v_fma(v_set(4.0f), x[1], v_fma(v_set(-5.0f), x[3], x[5]));
    y[0] = v_fma(v_set(-2.0f), x[0], v_fma(v_set(2.5f), x[2], v_fma(v_set(-0.5f), x[4], e)));
    y[1] = v_fma(v_set(2.0f), x[1] - x[2], v_fma(v_set(-4.5f), x[3], v_fma(v_set(0.5f), x[4], x[5])));
    y[2] =
        v_fma(v_set(-2.0f), x[1], v_fma(v_set(6.0f), x[2], v_fma(v_set(-3.5f), x[3], v_fma(v_set(-1.5f), x[4], x[5]))));
    y[3] = x[1] + v_fma(v_set(1.5f), x[4] - x[2], v_fma(v_set(-2.0f), x[3], x[5]));
    y[4] = v_fma(v_set(2.5f), x[2] - x[4], x[5] - x[1]);
    y[5] = e;
    y[6] = v_fma(
        v_set(-2.0f), x[1],
        v_fma(v_set(4.0f), x[2], v_fma(v_set(2.5f), x[3], v_fma(v_set(-5.0f), x[4], v_fma(v_set(-0.5f), x[5], x[6])))));
}

/* A of 6 points. */
MB_INLINE void outputs_6(mb_v z[MB_WINOGRAD_OUT], const mb_v m[6])
{
    mb_v a = m[1] + m[2], b = m[1] - m[2];
    z[0] = (m[0] + a) + (m[3] + m[4]);
    z[1] = v_fma(v_set(0.5f), m[3], v_fma(v_set(-2.0f), m[4], b));
    z[2] = v_fma(v_set(0.25f), m[3], v_fma(v_set(4.0f), m[4], a));
    z[3] = v_fma(v_set(0.125f), m[3], v_fma(v_set(-8.0f), m[4], b + m[5]));
}

/* A of 7 points. */
MB_INLINE void outputs_7(mb_v z[MB_WINOGRAD_OUT], const mb_v m[7])
{
    mb_v a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    z[0] = (m[0] + m[5]) + (a + c);
    z[1] = v_fma(v_set(2.0f), d, v_fma(v_set(0.5f), m[5], b));
    z[2] = v_fma(v_set(4.0f), c, v_fma(v_set(0.25f), m[5], a));
    z[3] = v_fma(v_set(8.0f), d, v_fma(v_set(0.125f), m[5], b + m[6]));
}

/* Down the columns of the tile, then along its rows; n is a constant at both calls. */
MB_INLINE void points_of(const mb_winograd_in *q, const int n)
{
    for (int64_t c = 0; c < q->channels; c += MB_W) {
        int64_t left = q->channels - c;
        mb_v t[7][7], x[7], y[7];
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < n; i++) {
                x[i] = load_some(q->pixels[i * n + j] + c, left);
            }
            n == 6 ? points_6(y, x) : points_7(y, x);
            for (int i = 0; i < n; i++) {
                t[i][j] = y[i];
            }
        }
        for (int i = 0; i < n; i++) {
            n == 6 ? points_6(y, t[i]) : points_7(y, t[i]);
            for (int j = 0; j < n; j++) {
                v_store(q->to + (i * n + j) * q->plane + c, y[j]);
            }
        }
    }
}

/* mb_simd.winograd_in. */
static void winograd_in(const mb_winograd_in *q)
{
    if (q->points == 6) {
        points_of(q, 6);
    } else {
        points_of(q, 7);
    }
}

MB_INLINE void outputs_of(const mb_winograd_out *q, const int n)
{
    for (int64_t c = 0; c < q->channels; c += MB_W) {
        int64_t left = q->channels - c;
        mb_v t[MB_WINOGRAD_OUT][7], m[7], z[MB_WINOGRAD_OUT], bias = v_load(q->bias + c);
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < n; i++) {
                m[i] = v_load(q->from + (i * n + j) * q->plane + c);
            }
            n == 6 ? outputs_6(z, m) : outputs_7(z, m);
            for (int i = 0; i < MB_WINOGRAD_OUT; i++) {
                t[i][j] = z[i];
            }
        }
        for (int64_t i = 0; i < q->rows; i++) {
            n == 6 ? outputs_6(z, t[i]) : outputs_7(z, t[i]);
            for (int64_t j = 0; j < q->columns; j++) {
                mb_v y = z[j] + bias;
                if (q->addend != NULL) {
                    y += load_some(q->addend + i * q->addend_row + j * q->addend_pitch + c, left);
                }
                store_some(q->out + i * q->out_row + j * q->out_pitch + c, activate(y, q->act), left);
            }
        }
    }
}

/* mb_simd.winograd_out. */
static void winograd_out(const mb_winograd_out *q)
{
    if (q->points == 6) {
        outputs_of(q, 6);
    } else {
        outputs_of(q, 7);
    }
}
