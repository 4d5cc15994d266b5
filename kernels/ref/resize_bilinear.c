/* Bilinear resize, y = up(x) + addend, both directions, never antialiased.
 *     align_corners: r = (in-1)/(out-1), 0 if out = 1; p = r*o          (docs/models/birefnet.md 3)
 *     else         : r = in/out; p = max(r*(o + 0.5) - 0.5, 0)          (docs/models/vitmatte.md 4.5)
 *     i0 = trunc(p), i1 = min(i0 + 1, in - 1), l = p - i0, (1-l) x[i0] + l x[i1], on both axes.
 * All index arithmetic is f32 with every operation rounded (the build forbids contraction to fma): in double, or with a
 * fused l, results move by 1e-5 per 100 pixels, and the published models computed it in f32. Equal sizes copy exactly.
 * x [N,C,H,W], addend [N,C,out_h,out_w] -> [N,C,out_h,out_w]. */
#include "ref.h"

/* Two neighbours along one axis, and their weights (sum 1). */
typedef struct tap {
    int64_t i0, i1;
    double w0, w1;
} tap;

/* Output o of `out` on an axis of `in` pixels. In f32, operation by operation: see above. */
static tap tap_of(int64_t o, int64_t in, int64_t out, bool align_corners)
{
    float p;
    if (align_corners) {
        float r = out > 1 ? (float)(in - 1) / (float)(out - 1) : 0.0f;
        p = r * (float)o;
    } else {
        float r = (float)in / (float)out;
        p = r * ((float)o + 0.5f) - 0.5f;
        p = p > 0.0f ? p : 0.0f;
    }
    int64_t i0 = (int64_t)p < in - 1 ? (int64_t)p : in - 1;
    float l = p - (float)i0;
    return (tap){i0, i0 + 1 < in ? i0 + 1 : in - 1, (double)(1.0f - l), (double)l};
}

/* Rows are blended first, then columns; the addend comes last, before rounding to f32. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_resize_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *y = &c->out;
    int64_t h = y->dims[2], w = y->dims[3];
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        int64_t n = t / (h * w);
        tap v = tap_of(t / w % h, x->dims[2], h, a->align_corners), u = tap_of(t % w, x->dims[3], w, a->align_corners);
        const float *p00 = mb_px(x, n, v.i0, u.i0), *p01 = mb_px(x, n, v.i0, u.i1);
        const float *p10 = mb_px(x, n, v.i1, u.i0), *p11 = mb_px(x, n, v.i1, u.i1);
        const float *addend = mb_call_has(c, 1) ? mb_tok(&c->in[1], t) : NULL;
        for (int64_t i = 0; i < y->dims[1]; i++) {
            double top = u.w0 * p00[i] + u.w1 * p01[i], bottom = u.w0 * p10[i] + u.w1 * p11[i];
            mb_tok(y, t)[i] = (float)(v.w0 * top + v.w1 * bottom + (addend != NULL ? addend[i] : 0));
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_resize_bilinear = {.name = "ref", .run = run, .in_place_input = 1 + 1};
