/* VITMatte's absolute positions (docs/models/vitmatte.md 4.1): the table [1+g*g,C] without its first row is a g x g
 * map, resized to out_h x out_w by the bicubic kernel with a = -0.75, half-pixel centres that are not clamped, four
 * taps with clamped indices, no antialiasing; an axis that keeps its size is copied.
 *     table [1+g*g,C,1,1] -> [1,C,out_h,out_w] */
#include "ref.h"
#include "rules/position_embedding.h"

/* Four neighbours along one axis, clamped to the grid, and their weights (sum 1). */
typedef struct taps {
    int64_t index[4];
    double weight[4];
} taps;

/* The bicubic kernel at output o of `out`, on an axis of `in` places. s = (o + 0.5) in/out - 0.5 is not
 * clamped; f is its distance from the second tap. */
static taps taps_of(int64_t o, int64_t in, int64_t out)
{
    const double a = -0.75;
    double s = ((double)o + 0.5) * (double)in / (double)out - 0.5, i = floor(s), f = s - i;
    double far0 = f + 1, near0 = f, near1 = 1 - f, far1 = 2 - f;
    taps t;
    t.weight[0] = ((a * far0 - 5 * a) * far0 + 8 * a) * far0 - 4 * a;
    t.weight[1] = ((a + 2) * near0 - (a + 3)) * near0 * near0 + 1;
    t.weight[2] = ((a + 2) * near1 - (a + 3)) * near1 * near1 + 1;
    t.weight[3] = ((a * far1 - 5 * a) * far1 + 8 * a) * far1 - 4 * a;
    for (int k = 0; k < 4; k++) {
        int64_t j = (int64_t)i - 1 + k;
        t.index[k] = j < 0 ? 0 : (j >= in ? in - 1 : j);
    }
    return t;
}

/* 16 taps for each output pixel, all channels alike. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    int64_t channels = c->out.dims[1], h = c->out.dims[2], w = c->out.dims[3], g = mb_position_grid(c->in[0].dims[0]);
    const float *map = (const float *)c->in[0].data + channels; /* row 0 belongs to the class token */

    /* Both axes' taps are the same for all channels. */
    for (int64_t t = 0; t < h * w; t++) {
        taps v = taps_of(t / w, g, h), u = taps_of(t % w, g, w);
        for (int64_t i = 0; i < channels; i++) {
            double sum = 0;
            for (int k = 0; k < 16; k++) {
                sum += v.weight[k / 4] * u.weight[k % 4] * map[(v.index[k / 4] * g + u.index[k % 4]) * channels + i];
            }
            mb_tok(&c->out, t)[i] = (float)sum;
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_position_embedding = {.name = "ref", .run = run};
