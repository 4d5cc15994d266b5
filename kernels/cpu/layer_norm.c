/* Layer norm over the channels of each token. x [N,C,H,W], weight [C], bias [C] -> [N,C,H,W]. */
#include "variants.h"

#define TOKENS_PER_CHUNK 64

typedef struct job {
    const mb_simd *simd;
    const mb_call *c;
} job;

/* An optional weight or bias, or NULL. */
static const float *vector(const mb_call *c, int input)
{
    return input < c->n_in && mb_view_present(&c->in[input]) ? c->in[input].data : NULL;
}

/* Items: tokens. The inner loop takes them all at once. */
static void run_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const job *j = arg;
    const mb_call *c = j->c;
    const mb_norm_attrs *a = c->attrs;
    const mb_view *x = &c->in[0], *y = &c->out;
    const mb_norm_rows rows = {.x = (const float *)x->data + (int64_t)begin * x->pitch,
                               .weight = vector(c, 1),
                               .bias = vector(c, 2),
                               .y = (float *)y->data + (int64_t)begin * y->pitch,
                               .x_pitch = x->pitch,
                               .y_pitch = y->pitch,
                               .rows = (int64_t)(end - begin),
                               .channels = y->dims[1],
                               .eps = a->eps,
                               .zero_mean = a->zero_mean};
    j->simd->norm(&rows);
}

/* Chunks of tokens depend on the shape only. */
static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)
{
    (void)err;
    job j = {simd, c};
    mb_parallel_for(c->pool, (size_t)mb_view_tokens(&c->out), TOKENS_PER_CHUNK, run_rows, &j);
    return MB_OK;
}

#define VARIANT(set)                                                                                                   \
    MB_VARIANT_RUN(set) static const mb_kernel kernel_##set = {.name = #set, .run = run_##set, .in_place_input = 1};
MB_EACH_SET(VARIANT)
MB_CHOOSE(layer_norm)
