/* A 3x3 convolution of a map enlarged to twice its size (docs/models/vitmatte.md, F1):
 *   u[2i] = 0.25 x[i-1] + 0.75 x[i],  u[2i+1] = 0.75 x[i] + 0.25 x[i+1]   on both axes, indices clamped;
 *   y[o] = act( sum_{i,ky,kx} weight[o,i,ky,kx] u[i, y-1+ky, x-1+kx] + bias[o] + addend[o] ),  u zero outside.
 * x [N,I,h,w], weight [O,I,3,3], bias [O], addend [N,O,2h,2w] -> [N,O,2h,2w]. */
#include "ref.h"

/* The two source indices of enlarged index u, and the weight of the second. */
static double source(int64_t u, int64_t size, int64_t *i, int64_t *j)
{
    int64_t first = u % 2 == 0 ? u / 2 - 1 : u / 2;
    *i = first < 0 ? 0 : first;
    *j = first + 1 > size - 1 ? size - 1 : first + 1;
    return u % 2 == 0 ? 0.75 : 0.25;
}

/* u at (uy,ux) of the enlarged map, blended from four pixels of the small one. */
static double enlarged(const mb_view *x, int64_t n, int64_t channel, int64_t uy, int64_t ux)
{
    int64_t y0, y1, x0, x1;
    double fy = source(uy, x->dims[2], &y0, &y1), fx = source(ux, x->dims[3], &x0, &x1);
    double top = (1 - fx) * mb_px(x, n, y0, x0)[channel] + fx * mb_px(x, n, y0, x1)[channel];
    double bottom = (1 - fx) * mb_px(x, n, y1, x0)[channel] + fx * mb_px(x, n, y1, x1)[channel];
    return (1 - fy) * top + fy * bottom;
}

/* The sum over i and the nine taps for output (o, oy, ox); the ring outside of the enlarged map is zero. */
static double product(const mb_call *c, int64_t n, int64_t o, int64_t oy, int64_t ox)
{
    const int64_t inputs = c->in[0].dims[1];
    const float *kernel = (const float *)c->in[1].data + o * inputs * 9;
    double sum = 0;
    for (int64_t tap = 0; tap < 9; tap++) {
        int64_t uy = oy - 1 + tap / 3, ux = ox - 1 + tap % 3;
        if (uy < 0 || uy >= c->out.dims[2] || ux < 0 || ux >= c->out.dims[3]) {
            continue;
        }
        for (int64_t i = 0; i < inputs; i++) {
            sum += (double)kernel[i * 9 + tap] * enlarged(&c->in[0], n, i, uy, ux);
        }
    }
    return sum;
}

/* Output value by output value, straight from the formula. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_upsample_conv2d_attrs *a = c->attrs;
    const mb_view *y = &c->out;
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        int64_t ox = t % y->dims[3], oy = t / y->dims[3] % y->dims[2], n = t / y->dims[3] / y->dims[2];
        for (int64_t o = 0; o < y->dims[1]; o++) {
            double sum = product(c, n, o, oy, ox) + mb_vec(c, 2, o, 0);
            sum += mb_call_has(c, 3) ? mb_px(&c->in[3], n, oy, ox)[o] : 0;
            mb_px(y, n, oy, ox)[o] = (float)mb_ref_activate(a->act, sum);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_upsample_conv2d = {.name = "ref", .run = run, .in_place_input = 1 + 3};
