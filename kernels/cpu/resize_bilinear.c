/* Bilinear resize of channels-last maps: a blend of four pixels' channels, plus addend (docs/models/birefnet.md 3,
 * docs/models/vitmatte.md 4.5). Index arithmetic is f32 with every operation rounded, as in kernels/ref.
 * x [N,C,H,W], addend [N,C,out_h,out_w] -> [N,C,out_h,out_w]. */
#include "variants.h"

#include <string.h>

/* What the workers share. */
typedef struct job {
    const mb_simd *simd;
    const mb_call *c;
} job;

/* Two neighbours along one axis, and their weights. */
typedef struct tap {
    int64_t i0, i1;
    float w0, w1;
} tap;

/* As in kernels/ref, but the weights stay f32. */
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
    return (tap){i0, i0 + 1 < in ? i0 + 1 : in - 1, 1.0f - l, l};
}

/* One output row. The two source rows are the same for all of it; each pixel then blends four pixels' channels. */
static void run_row(const job *j, int64_t row)
{
    const mb_call *c = j->c;
    const mb_resize_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *y = &c->out;
    bool has_addend = c->n_in > 1 && mb_view_present(&c->in[1]);
    int64_t height = y->dims[2], width = y->dims[3], n = row / height;
    tap v = tap_of(row % height, x->dims[2], height, a->align_corners);
    const float *top = (const float *)x->data + (n * x->dims[2] + v.i0) * x->dims[3] * x->pitch;
    const float *bottom = (const float *)x->data + (n * x->dims[2] + v.i1) * x->dims[3] * x->pitch;
    float *to = (float *)y->data + row * width * y->pitch;
    const float *addend = has_addend ? (const float *)c->in[1].data + row * width * c->in[1].pitch : NULL;
    bool same = x->dims[2] == height && x->dims[3] == width;
    for (int64_t ox = 0; ox < width; ox++, to += y->pitch) {
        tap u = tap_of(ox, x->dims[3], width, a->align_corners);
        const float *const from[4] = {top + u.i0 * x->pitch, top + u.i1 * x->pitch, bottom + u.i0 * x->pitch,
                                      bottom + u.i1 * x->pitch};
        if (same && addend == NULL) { /* an exact copy, of infinities too */
            memcpy(to, from[0], (size_t)y->dims[1] * sizeof(float));
            continue;
        }
        /* The product of both axes' weights, each rounded once. */
        const float weight[4] = {v.w0 * u.w0, v.w0 * u.w1, v.w1 * u.w0, v.w1 * u.w1};
        j->simd->blend(to, from, weight, addend, y->dims[1]);
        addend = addend != NULL ? addend + c->in[1].pitch : NULL;
    }
}

/* Items: output rows. */
static void run_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        run_row(arg, (int64_t)i);
    }
}

static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    job j = {simd, c};
    mb_parallel_for(c->pool, (size_t)(c->out.dims[0] * c->out.dims[2]), 1, run_rows, &j);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_RUN(set) static const mb_kernel kernel_##set = {.name = #set, .run = run_##set, .in_place_input = 1 + 1};
MB_EACH_SET(VARIANT)
MB_CHOOSE(resize_bilinear)
