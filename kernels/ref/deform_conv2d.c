/* Modulated deformable convolution (Zhu et al., Deformable ConvNets v2, eq. 1; docs/models/birefnet.md 3.2):
 *     y[o](p) = act( sum_t m_t(p) * sum_i weight[o,i,t] * x[i](p + p_t + offset_t(p)) + bias[o] ),
 *     m_t = modulator_scale * sigmoid(logit_t),  tap t = row * k + column, p_t = (row - pad, column - pad).
 * Offset channel 2t is y, 2t + 1 is x. The position is an integer plus the offset, rounded to f32 once. A sample whose
 * position has y <= -1, y >= H, x <= -1 or x >= W (or is not a number) is 0; else bilinear, and a neighbour outside
 * counts as 0.
 * x [N,I,H,W], offset [N,2kk,H,W], logits [N,kk,H,W], weight [O,I,k,k], bias [O] -> [N,O,H,W]. */
#include "ref.h"

/* x[i] of item n at (y,x), bilinear. */
static double sample(const mb_view *v, int64_t n, int64_t i, float y, float x)
{
    int64_t h = v->dims[2], w = v->dims[3];
    if (!(y > -1 && y < (float)h && x > -1 && x < (float)w)) {
        return 0;
    }
    int64_t y0 = (int64_t)floorf(y), x0 = (int64_t)floorf(x);
    double ly = (double)y - (double)y0, lx = (double)x - (double)x0, sum = 0;
    for (int corner = 0; corner < 4; corner++) {
        int64_t cy = y0 + corner / 2, cx = x0 + corner % 2;
        double weight = (corner / 2 ? ly : 1 - ly) * (corner % 2 ? lx : 1 - lx);
        if (cy >= 0 && cy < h && cx >= 0 && cx < w) {
            sum += weight * mb_px(v, n, cy, cx)[i];
        }
    }
    return sum;
}

/* Pixel by pixel: sums start at the bias, each tap adds its modulated sample of every input channel to
 * all outputs. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_deform_conv2d_attrs *a = c->attrs;
    const int64_t *w = c->in[3].dims;
    int64_t inputs = w[1], k = w[2], height = c->out.dims[2], width = c->out.dims[3];
    for (int64_t p = 0; p < mb_view_tokens(&c->out); p++) {
        int64_t n = p / (height * width), oy = p / width % height, ox = p % width;
        const float *offset = mb_tok(&c->in[1], p), *logit = mb_tok(&c->in[2], p);
        double *sum = c->workspace; /* [O] */
        for (int64_t o = 0; o < w[0]; o++) {
            sum[o] = mb_vec(c, 4, o, 0);
        }
        /* The position in f32, as the published models computed it. */
        for (int64_t t = 0; t < k * k; t++) {
            float y = (float)(oy - a->pad + t / k) + offset[2 * t];
            float x = (float)(ox - a->pad + t % k) + offset[2 * t + 1];
            double m = (double)a->modulator_scale * mb_ref_activate(MB_ACT_SIGMOID, logit[t]);
            for (int64_t i = 0; i < inputs; i++) {
                double value = m * sample(&c->in[0], n, i, y, x);
                for (int64_t o = 0; o < w[0]; o++) {
                    sum[o] += value * ((const float *)c->in[3].data)[(o * inputs + i) * k * k + t];
                }
            }
        }
        for (int64_t o = 0; o < w[0]; o++) {
            mb_tok(&c->out, p)[o] = (float)mb_ref_activate(a->act, sum[o]);
        }
    }
    return MB_OK;
}

/* The sums of one pixel, [O] doubles. */
static size_t workspace(const mb_call *c)
{
    return (size_t)c->in[3].dims[0] * sizeof(double);
}

const mb_kernel mb_ref_deform_conv2d = {.name = "ref", .workspace = workspace, .run = run};
