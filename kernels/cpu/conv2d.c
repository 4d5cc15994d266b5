/* Convolution as a matrix product over patches (gemm.h, conv_source.h); few channels in and out at stride 1 go to the
 * direct kernel (conv2d_direct.h), which also knows border variants. Wide convolutions with border variants:
 * kernels/ref.
 *     x [N,I,H,W], weight [O,I,kh,kw], bias [O], addend [N,O,Ho,Wo] or [N,O,1,1] -> [N,O,Ho,Wo] */
#include "conv2d_direct.h"
#include "conv2d_winograd.h"
#include "conv_source.h"
#include "variants.h"

/* Few outputs and few inputs: a tile of the gemm would be mostly empty, and patches cost more than they give. */
static bool direct(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    const int64_t *w = c->in[1].dims;
    int64_t outputs = a->border_variants ? w[0] / 9 : w[0];
    return a->stride == 1 && outputs <= MB_NARROW_COLUMNS && w[1] < MB_PATCH_POINTER_CHANNELS;
}

/* A border variant is a set of weights by pixel, which a gemm over patches does not know. */
static bool supports(const mb_call *c)
{
    const mb_conv2d_attrs *a = c->attrs;
    return !a->border_variants || direct(c);
}

/* In 16 bits: copied patches of few channels cost more to round than their products save. */
static bool supports16(const mb_call *c)
{
    return supports(c) && c->in[1].dims[1] >= MB_PATCH_POINTER_CHANNELS;
}

/* Weights as published for the direct kernel, else packed into panels. */
static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    return direct(c) ? mb_direct_conv_prepare(out, c, simd, err) : mb_prepare_packed(out, c, simd, 1, 2, 1.0f, err);
}

/* The gemm of this call; *patches is its source and must live as long. Three sources: tokens as they lie
 * (1x1, stride 1), pointers to the pixels of each tap, or, with too few channels for that to pay, copied patches. */
static mb_gemm gemm_of(const mb_packed *w, const mb_call *c, mb_patches *patches)
{
    const mb_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *y = &c->out;
    *patches = (mb_patches){*x, y->dims[2], y->dims[3], c->in[1].dims[3], a->stride, a->pad, w->zeros};
    bool small = w->channels < MB_PATCH_POINTER_CHANNELS;
    bool tokens = w->taps == 1 && a->stride == 1 && a->pad == 0;
    mb_gemm g = {.w = w,
                 .groups = y->dims[0],
                 .m = y->dims[2] * y->dims[3],
                 .source = small ? mb_source_small_patches : mb_source_patches,
                 .source_arg = patches,
                 .gathers = small && !tokens,
                 .out = *y,
                 .act = a->act,
                 .pool = c->pool,
                 .workspace = c->workspace};
    if (tokens) {
        g.source = mb_source_tokens;
        g.source_arg = x;
    }
    if (c->n_in > 3) {
        g.addend = c->in[3];
    }
    return g;
}

/* Bytes for either kernel. While planning there are no packed weights yet: their shape will do. */
static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    if (direct(c)) {
        return mb_direct_conv_workspace(c);
    }
    const int64_t *w = c->in[1].dims;
    const mb_packed shape = {.simd = simd, .n = w[0], .channels = w[1], .taps = w[2] * w[3]};
    mb_patches patches;
    mb_gemm g = gemm_of(&shape, c, &patches);
    return mb_gemm_workspace(&g);
}

/* Item by item of the batch is one group of the gemm: an addend may be a vector per item. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    if (direct(c)) {
        mb_direct_conv_run(c);
        return MB_OK;
    }
    mb_patches patches;
    mb_gemm g = gemm_of(c->prepared->data, c, &patches);
    mb_gemm_run(&g);
    return MB_OK;
}

#define VARIANT_OF(set, supports_, before_)                                                                            \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    static const mb_kernel kernel_##set = {.name = #set,                                                               \
                                           .supports = (supports_),                                                    \
                                           .prepare = prepare_##set,                                                   \
                                           .workspace = workspace_##set,                                               \
                                           .run = run,                                                                 \
                                           .in_place_input = 1 + 3,                                                    \
                                           .before = (before_)};
#define VARIANT(set) VARIANT_OF(set, supports, &mb_conv2d_winograd_##set)
MB_EACH_SET(VARIANT)
MB_CHOOSE(conv2d)
#define VARIANT16(set) VARIANT_OF(set, supports16, NULL)
MB_EACH_BF16_SET(VARIANT16)
MB_CHOOSE_BF16(conv2d)
