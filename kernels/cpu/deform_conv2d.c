/* Modulated deformable convolution as a matrix product whose rows are sampled on the fly (Zhu et al., Deformable
 * ConvNets v2, eq. 1): a block of pixels x taps lies in L2 while all output channels pass, so the columns never reach
 * memory.
 *     x [N,I,H,W], offset [N,2kk,H,W], logits [N,kk,H,W], weight [O,I,k,k], bias [O] -> [N,O,H,W] */
#include "gemm.h"
#include "variants.h"

#define MOST_TAPS_AT_ONCE 64

/* The modulator's scale goes into the weights: one multiplication less per sample. */
static mb_status prepare(const mb_simd *simd, mb_prepared *out, const mb_call *c, mb_error *err)
{
    const mb_deform_conv2d_attrs *a = c->attrs;
    return mb_prepare_packed(out, c, simd, 3, 4, a->modulator_scale, err);
}

/* What the source needs: the call, and the packed weights for their zero pixel. */
typedef struct sampled {
    const mb_call *call;
    const mb_packed *w;
} sampled;

/* Fills rows of scratch [taps][channels]: for each pixel and tap the bilinear sample times sigmoid(logit).
 * Modulators of up to MOST_TAPS_AT_ONCE taps are activated in one call. */
static void source(const void *arg, const mb_rows_wanted *w)
{
    const sampled *d = arg;
    const mb_call *c = d->call;
    const mb_deform_conv2d_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *offset = &c->in[1], *logit = &c->in[2];
    int64_t height = x->dims[2], width = x->dims[3], row_floats = w->taps * w->length;
    mb_samples s = {.height = height,
                    .width = width,
                    .pitch = x->pitch,
                    .channels = w->length,
                    .kernel_w = c->in[3].dims[3],
                    .zeros = d->w->zeros};
    for (int64_t r = 0; r < w->n_rows; r++) {
        /* The pixel, and where tap 0 lies without its offset. */
        int64_t token = w->row + r;
        float *to = w->scratch + r * row_floats;
        s.item = (const float *)x->data + token / (height * width) * height * width * x->pitch + w->channel;
        s.y = token / width % height - a->pad;
        s.x = token % width - a->pad;
        s.offset = (const float *)offset->data + token * offset->pitch;
        for (s.tap = w->tap; s.tap < w->tap + w->taps; s.tap += s.taps) {
            float modulator[MOST_TAPS_AT_ONCE];
            int64_t left = w->tap + w->taps - s.tap;
            s.taps = left < MOST_TAPS_AT_ONCE ? left : MOST_TAPS_AT_ONCE;
            const float *from = (const float *)logit->data + token * logit->pitch + s.tap;
            d->w->simd->activate(modulator, from, s.taps, MB_ACT_SIGMOID);
            s.modulator = modulator;
            d->w->simd->sample(&s, to + (s.tap - w->tap) * w->length);
        }
        w->rows[r] = to;
    }
    for (int64_t r = w->n_rows; r % w->tile_rows != 0; r++) {
        w->rows[r] = w->rows[w->n_rows - 1];
    }
}

/* The gemm over the sampled rows: [pixels][taps * I] x [taps * I][O]. */
static mb_gemm gemm_of(const sampled *arg)
{
    const mb_call *c = arg->call;
    const mb_deform_conv2d_attrs *a = c->attrs;
    return (mb_gemm){.w = arg->w,
                     .groups = c->out.dims[0],
                     .m = c->out.dims[2] * c->out.dims[3],
                     .source = source,
                     .source_arg = arg,
                     .gathers = true,
                     .out = c->out,
                     .act = a->act,
                     .pool = c->pool,
                     .workspace = c->workspace};
}

/* While planning there are no packed weights yet: their shape will do. */
static size_t workspace(const mb_simd *simd, const mb_call *c)
{
    const int64_t *w = c->in[3].dims;
    const mb_packed shape = {.simd = simd, .n = w[0], .channels = w[1], .taps = w[2] * w[3]};
    const sampled arg = {c, &shape};
    mb_gemm g = gemm_of(&arg);
    return mb_gemm_workspace(&g);
}

/* The samples of a block are made where the gemm asks for them, on the thread that uses them. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const sampled arg = {c, c->prepared->data};
    mb_gemm g = gemm_of(&arg);
    mb_gemm_run(&g);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_PREPARE(set)                                                                                            \
    MB_VARIANT_WORKSPACE(set)                                                                                          \
    static const mb_kernel kernel_##set = {                                                                            \
        .name = #set, .prepare = prepare_##set, .workspace = workspace_##set, .run = run};
MB_EACH_SET(VARIANT)
MB_CHOOSE(deform_conv2d)
