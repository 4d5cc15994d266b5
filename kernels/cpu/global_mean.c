/* Mean over each map: blocks of pixels are summed apart (in f32, short sums), the blocks then in order and in double,
 * so that no number of threads changes a bit.
 *     x [N,C,H,W] -> [N,C,1,1] */
#include "tokens.h"

#include "core/alloc.h"

#include <string.h>

#define PIXELS_PER_BLOCK 256

/* Of one item. */
static int64_t blocks_of(const mb_call *c)
{
    return (c->in[0].dims[2] * c->in[0].dims[3] + PIXELS_PER_BLOCK - 1) / PIXELS_PER_BLOCK;
}

/* Items: blocks of pixels. Each sum is 256 values at most, short enough for f32. */
static void sum_blocks(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const mb_token_job *j = arg;
    const mb_view *x = &j->c->in[0];
    int64_t channels = x->dims[1], pixels = x->dims[2] * x->dims[3], blocks = blocks_of(j->c);
    for (size_t i = begin; i < end; i++) {
        int64_t n = (int64_t)i / blocks, first = (int64_t)i % blocks * PIXELS_PER_BLOCK;
        float *sum = (float *)j->c->workspace + (int64_t)i * channels;
        memset(sum, 0, (size_t)channels * sizeof(float));
        for (int64_t p = first; p < first + PIXELS_PER_BLOCK && p < pixels; p++) {
            j->simd->add(sum, sum, mb_token(x, n * pixels + p), channels);
        }
    }
}

/* [N][blocks][C] sums. */
static size_t workspace(const mb_call *c)
{
    size_t bytes;
    return mb_mul_size(&bytes, (size_t)(c->in[0].dims[0] * blocks_of(c)), sizeof(float)) &&
                   mb_mul_size(&bytes, bytes, (size_t)c->in[0].dims[1])
               ? bytes
               : SIZE_MAX;
}

/* First the blocks, by all threads; then each channel's blocks in order. */
static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    mb_token_job j = {simd, c};
    int64_t blocks = blocks_of(c), channels = c->in[0].dims[1];
    double pixels = (double)(c->in[0].dims[2] * c->in[0].dims[3]);
    mb_parallel_for(c->pool, (size_t)(c->in[0].dims[0] * blocks), 1, sum_blocks, &j);
    for (int64_t n = 0; n < c->out.dims[0]; n++) {
        const float *sums = (const float *)c->workspace + n * blocks * channels;
        for (int64_t i = 0; i < channels; i++) {
            double sum = 0;
            for (int64_t b = 0; b < blocks; b++) {
                sum += (double)sums[b * channels + i];
            }
            mb_token(&c->out, n)[i] = (float)(sum / pixels);
        }
    }
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_RUN(set)                                                                                                \
    static const mb_kernel kernel_##set = {.name = #set, .workspace = workspace, .run = run_##set};
MB_EACH_SET(VARIANT)
MB_CHOOSE(global_mean)
