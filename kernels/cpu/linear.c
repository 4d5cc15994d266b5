/* Linear layer: y = act(x weight^T + bias + addend) over the tokens of a map. x [N,I,H,W], weight [O,I,1,1]. */
#include "gemm.h"
#include "variants.h"

/* Packs the weight, and the bias behind it. */
static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    return mb_prepare_packed(out, c, simd, 1, 2, 1.0f, err);
}

/* All tokens of all items are one group: an addend has one row per token. */
static mb_gemm gemm_of(const mb_packed *w, const mb_call *c)
{
    const mb_linear_attrs *a = c->attrs;
    mb_gemm g = {.w = w,
                 .groups = 1,
                 .m = mb_view_tokens(&c->out),
                 .source = mb_source_tokens,
                 .source_arg = &c->in[0],
                 .out = c->out,
                 .act = a->act,
                 .pool = c->pool,
                 .workspace = c->workspace};
    if (c->n_in > 3) {
        g.addend = c->in[3];
    }
    return g;
}

/* While planning there are no packed weights yet: their shape will do. */
static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    const mb_packed shape = {.simd = simd, .n = c->in[1].dims[0], .channels = c->in[1].dims[1], .taps = 1};
    mb_gemm g = gemm_of(&shape, c);
    return mb_gemm_workspace(&g);
}

/* Nothing is copied: rows are the map's own tokens. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    mb_gemm g = gemm_of(c->prepared->data, c);
    mb_gemm_run(&g);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    static const mb_kernel kernel_##set = {                                                                            \
        .name = #set, .prepare = prepare_##set, .workspace = workspace_##set, .run = run, .in_place_input = 1 + 3};
MB_EACH_SET(VARIANT)
MB_CHOOSE(linear)
