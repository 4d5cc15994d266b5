/* Ops that treat every token (pixel) alike: threads take chunks of tokens. */
#ifndef MB_CPU_TOKENS_H
#define MB_CPU_TOKENS_H

#include "variants.h"

typedef struct mb_token_job {
    const mb_simd *simd;
    const mb_call *c;
} mb_token_job;

/* Tokens of about 64 KB of output; depends on the shape only. */
static inline size_t mb_token_grain(const mb_call *c)
{
    int64_t grain = 16384 / c->out.dims[1];
    return grain < 1 ? 1 : (size_t)grain;
}

static inline float *mb_token(const mb_view *v, int64_t t)
{
    return (float *)v->data + t * v->pitch;
}

/* A file with `static void tokens(const mb_token_job *, int64_t begin, int64_t end)` gets its kernels by this. */
#define MB_TOKEN_KERNELS(op, in_place)                                                                                 \
    static void run_tokens(void *arg, size_t begin, size_t end, int worker)                                            \
    {                                                                                                                  \
        (void)worker;                                                                                                  \
        tokens(arg, (int64_t)begin, (int64_t)end);                                                                     \
    }                                                                                                                  \
    static mb_status run(const mb_simd *simd, const mb_call *c, mb_error *err)                                         \
    {                                                                                                                  \
        (void)err;                                                                                                     \
        mb_token_job j = {simd, c};                                                                                    \
        mb_parallel_for(c->pool, (size_t)mb_view_tokens(&c->out), mb_token_grain(c), run_tokens, &j);                  \
        return MB_OK;                                                                                                  \
    }                                                                                                                  \
    MB_EACH_SET(MB_VARIANT_RUN)                                                                                        \
    enum { IN_PLACE = (in_place) };                                                                                    \
    MB_EACH_SET(MB_TOKEN_KERNEL)                                                                                       \
    MB_CHOOSE(op)
#define MB_TOKEN_KERNEL(set)                                                                                           \
    static const mb_kernel kernel_##set = {.name = #set, .run = run_##set, .in_place_input = IN_PLACE};

#endif
