/* Convolution: y[o] = act( sum_{i,ky,kx} weight[o,i,ky,kx] * x[i, y*stride - pad + ky, x*stride - pad + kx]
 *                          + bias[o] + addend[o] ),  zero outside of the map.
 * x [N,I,H,W], weight [O,I,kh,kw], bias [O], addend [N,O,Ho,Wo] or [N,O,1,1] -> [N,O,Ho,Wo],
 * Ho = floor((H + 2 pad - kh) / stride) + 1. Border variants: see attrs.h. */
#include "ref.h"

mb_status mb_conv2d_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_conv2d_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, MB_OP_conv2d, err));
    MB_TRY(mb_rule_range(MB_OP_conv2d, "stride", a->stride, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(MB_OP_conv2d, "pad", a->pad, 0, 1 << 20, err));
    MB_TRY(mb_rule_activation(MB_OP_conv2d, a->act, err));
    const int64_t *x = c->in[0].dims, *w = c->in[1].dims;
    if (w[1] != x[1]) {
        return mb_fail(
            err, MB_E_MISMATCH, "conv2d: weight [%lld,%lld,%lld,%lld] wants %lld input channels, the map has %lld",
            (long long)w[0], (long long)w[1], (long long)w[2], (long long)w[3], (long long)w[1], (long long)x[1]);
    }
    int64_t h = x[2] + 2 * a->pad - w[2], v = x[3] + 2 * a->pad - w[3];
    if (h < 0 || v < 0) {
        return mb_fail(err, MB_E_MISMATCH, "conv2d: the kernel %lldx%lld is larger than the padded map %lldx%lld",
                       (long long)w[2], (long long)w[3], (long long)(x[2] + 2 * a->pad),
                       (long long)(x[3] + 2 * a->pad));
    }
    int64_t out[4] = {x[0], w[0], h / a->stride + 1, v / a->stride + 1};
    if (a->border_variants) {
        if (a->stride != 1 || w[0] % 9 != 0 || out[2] < 2 || out[3] < 2) {
            return mb_fail(err, MB_E_ARGUMENT,
                           "conv2d: border variants need stride 1 (is %d), 9*O kernels (are %lld) and an output of at "
                           "least 2x2 (is %lldx%lld)",
                           a->stride, (long long)w[0], (long long)out[2], (long long)out[3]);
        }
        out[1] /= 9;
    }
    MB_TRY(mb_rule_vector(c, MB_OP_conv2d, 2, "bias", w[0], err));
    bool vector = mb_call_has(c, 3) && c->in[3].dims[2] == 1 && c->in[3].dims[3] == 1;
    MB_TRY(mb_rule_dims(c, MB_OP_conv2d, 3, "addend",
                        (const int64_t[4]){out[0], out[1], vector ? 1 : out[2], vector ? 1 : out[3]}, err));
    MB_TRY(mb_rule_out(out_dims, out, MB_OP_conv2d, err));
done:
    return status;
}

double mb_conv2d_macs(const mb_call *c)
{
    const int64_t *w = c->in[1].dims;
    return (double)mb_view_count(&c->out) * (double)w[1] * (double)w[2] * (double)w[3];
}

/* The sum over i, ky, kx for kernel `o` at output (oy,ox). */
static double product(const mb_call *c, int64_t n, int64_t o, int64_t oy, int64_t ox)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0];
    const int64_t *w = c->in[1].dims;
    const float *kernel = (const float *)c->in[1].data + o * w[1] * w[2] * w[3];
    double sum = 0;
    for (int64_t ky = 0; ky < w[2]; ky++) {
        for (int64_t kx = 0; kx < w[3]; kx++) {
            int64_t iy = oy * a->stride - a->pad + ky, ix = ox * a->stride - a->pad + kx;
            if (iy < 0 || iy >= x->dims[2] || ix < 0 || ix >= x->dims[3]) {
                continue;
            }
            const float *p = mb_px(x, n, iy, ix);
            for (int64_t i = 0; i < w[1]; i++) {
                sum += (double)kernel[(i * w[2] + ky) * w[3] + kx] * p[i];
            }
        }
    }
    return sum;
}

/* 0 on the first row or column, 2 on the last, 1 inside. */
static int64_t side(int64_t i, int64_t size)
{
    return i == 0 ? 0 : (i == size - 1 ? 2 : 1);
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *y = &c->out;
    int64_t channels = y->dims[1], h = y->dims[2], w = y->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        int64_t n = t / (h * w), oy = t / w % h, ox = t % w;
        int64_t variant = a->border_variants ? 3 * side(oy, h) + side(ox, w) : 0;
        const float *addend = NULL;
        if (mb_call_has(c, 3)) {
            const mb_view *v = &c->in[3];
            addend = v->dims[2] == h && v->dims[3] == w ? mb_px(v, n, oy, ox) : mb_px(v, n, 0, 0);
        }
        for (int64_t o = 0; o < channels; o++) {
            int64_t k = variant * channels + o;
            double sum = product(c, n, k, oy, ox) + mb_vec(c, 2, k, 0) + (addend != NULL ? addend[o] : 0);
            mb_px(y, n, oy, ox)[o] = (float)mb_ref_activate(a->act, sum);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_conv2d = {.name = "ref", .run = run, .in_place_input = 1 + 3};
