/* One output row of a 3x3 convolution of an enlarged map, from products at the small size (mb_shift_row in isa.h).
 * `activate` of panel.h must be in scope. */
#include "isa.h"
#include "simd.h"

#include <string.h>

/* Output pixel 2m or 2m+1, tap 0..2: the first of its two small pixels relative to m, and the weight of that one. */
static const int shift_first[2][3] = {{-1, -1, 0}, {-1, 0, 0}};
static const float shift_weight[2][3] = {{0.75f, 0.25f, 0.75f}, {0.25f, 0.75f, 0.25f}};

/* z[j][m] = sum over the tap rows i of the two small rows that the enlarged row lies between. */
static void mix_rows(const mb_shift_row *q)
{
    int64_t o_count = q->padded;
    for (int64_t m = 0; m < q->width; m++) {
        for (int64_t j = 0; j < 3; j++) {
            float *z = q->scratch + (j * q->width + m) * o_count;
            for (int64_t o = 0; o < o_count; o += MB_W) {
                mb_v sum = v_set(0);
                for (int64_t i = 0; i < 3; i++) {
                    int64_t at = (m * 9 + i * 3 + j) * o_count + o;
                    sum = v_fma(v_set(q->weight[i][0]), v_load(q->rows[i][0] + at), sum);
                    sum = v_fma(v_set(q->weight[i][1]), v_load(q->rows[i][1] + at), sum);
                }
                v_store(z + o, sum);
            }
        }
    }
}

/* bias + six weighted runs of z, + addend, activated; the last vector may be a part. */
static void finish_pixel(const mb_shift_row *q, int64_t x, const float *const z[6], const float weight[6])
{
    float *out = q->out + x * q->out_pitch;
    for (int64_t o = 0; o < q->padded; o += MB_W) {
        mb_v sum = q->bias != NULL ? v_load(q->bias + o) : v_set(0);
        for (int k = 0; k < 6; k++) {
            sum = v_fma(v_set(weight[k]), v_load(z[k] + o), sum);
        }
        size_t left = (size_t)(q->outputs - o);
        if (left >= MB_W) {
            if (q->addend != NULL) {
                sum += v_load(q->addend + x * q->addend_pitch + o);
            }
            v_store(out + o, activate(sum, q->act));
        } else {
            float rest[MB_W] = {0};
            if (q->addend != NULL) {
                memcpy(rest, q->addend + x * q->addend_pitch + o, left * sizeof(float));
            }
            v_store(rest, activate(sum + v_load(rest), q->act));
            memcpy(out + o, rest, left * sizeof(float));
        }
    }
}

/* mb_simd.shift_row: mixes the small rows once, then each output pixel takes two pixels for each of its three
 * tap columns. */
static void shift_row(const mb_shift_row *q)
{
    mix_rows(q);
    for (int64_t x = 0; x < 2 * q->width; x++) {
        const float *z[6];
        float weight[6];
        for (int j = 0; j < 3; j++) {
            int64_t a = x / 2 + shift_first[x % 2][j], b = a + 1;
            bool outside = x + j < 1 || x + j > 2 * q->width; /* the ring of zeros */
            a = a < 0 ? 0 : a;
            b = b > q->width - 1 ? q->width - 1 : b;
            z[2 * j] = q->scratch + (j * q->width + a) * q->padded;
            z[2 * j + 1] = q->scratch + (j * q->width + b) * q->padded;
            weight[2 * j] = outside ? 0 : shift_weight[x % 2][j];
            weight[2 * j + 1] = outside ? 0 : 1 - shift_weight[x % 2][j];
        }
        finish_pixel(q, x, z, weight);
    }
}
