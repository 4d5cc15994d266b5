/* Panels of 16-bit products, bit for bit: AVX512_BF16 and AMX against their models in C, where this processor has them;
 * 16-bit integers alike in every set. Values of all magnitudes, subnormal and infinite ones included. The models
 * themselves: sums that tell one order from another, on any machine. */
#include "core/cpu.h"
#include "cpu/isa/bf16.h"
#include "cpu/isa/bf16_model.h"
#include "harness/check.h"
#include "harness/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS    45 /* no multiple of any tile's */
#define DEPTH   96
#define PADDED  64
#define COLUMNS 29

static uint16_t rows[PADDED * DEPTH], weights[DEPTH * MB_BF16_COLUMNS];
static float row_scale[PADDED], column_scale[MB_BF16_COLUMNS];

typedef enum kind { USUAL, TINY, ANY_BITS, INTEGERS } kind;

static uint16_t value(test_random *r, kind k)
{
    float x = test_random_float(r, -1, 1) * (k == TINY ? 0x1p-62f : 1) * ldexpf(1, (int)test_random_below(r, 12) - 6);
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if (k == INTEGERS) {
        return (uint16_t)(int16_t)(test_random_float(r, -1, 1) * 2000);
    }
    return k == ANY_BITS ? (uint16_t)test_random_below(r, 65536) : (uint16_t)(u >> 16);
}

static void run(float *out, const mb_bf16_loops *loops, bool first)
{
    mb_bf16_panel p = {.rows = rows,
                       .row_pitch = DEPTH,
                       .n_rows = ROWS,
                       .depth = DEPTH,
                       .w = weights,
                       .width = MB_BF16_COLUMNS,
                       .columns = COLUMNS,
                       .row_scale = row_scale,
                       .column_scale = column_scale,
                       .out = out,
                       .out_pitch = COLUMNS,
                       .first = first,
                       .last = true};
    if (loops->begin != NULL) {
        loops->begin();
    }
    loops->panel(&p);
    if (loops->end != NULL) {
        loops->end();
    }
}

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static void check_same(const mb_bf16_loops *a, const mb_bf16_loops *b, kind k)
{
    static float x[ROWS * COLUMNS], y[ROWS * COLUMNS];
    test_random r = {(uint64_t)k + 7};
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            rows[i] = value(&r, k);
        }
        for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
            weights[i] = value(&r, k);
        }
        for (int i = 0; i < PADDED; i++) {
            row_scale[i] = test_random_float(&r, 0.5f, 2);
        }
        for (int i = 0; i < MB_BF16_COLUMNS; i++) {
            column_scale[i] = test_random_float(&r, 0.5f, 2);
        }
        size_t different = 0;
        run(x, a, true);
        run(y, b, true);
        run(x, a, false);
        run(y, b, false);
        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            different += !same(x[i], y[i]);
        }
        if (!CHECK_MSG(different == 0, "%s and %s differ in %zu of %d sums, values of kind %d", a->name, b->name,
                       different, ROWS * COLUMNS, (int)k)) {
            return;
        }
    }
}

/* The first two values of K: 1 and 1 in the first row, `even` and `odd` in the first column. */
static void set_pair(uint16_t even, uint16_t odd)
{
    rows[0] = rows[1] = 0x3f80;
    weights[0] = even;
    weights[1] = odd;
}

/* 2^24 with 1 and 1: odd then even, each rounded to even, loses both; a sum of the pair first would keep 2. */
static void check_models(void)
{
    uint32_t one = 0x3f803f80u;
    CHECK(bf16_model_pair(0x1p24f, one, one) == 0x1p24f);
    CHECK(bf16_model_pair(1, one, 0x3f80u << 16 | 0xbf80u) == 1); /* -1 even, 1 odd */
    CHECK(bf16_model_pair(0x1p-130f, 0, 0) == 0);                 /* a subnormal sum counts as zero */
    CHECK(bf16_model_pair(0, 0x0040u, one) == 0);                 /* and so does a subnormal value */
    CHECK(bf16_model_pair(0, 0x2000u, 0x1f00u) == 0);             /* and a subnormal product */
    static float out[ROWS * COLUMNS];
    memset(rows, 0, sizeof rows);
    memset(weights, 0, sizeof weights);
    memset(out, 0, sizeof out);
    set_pair(0x3f80, 0x3f80);
    out[0] = 0x1p24f;
    run(out, &mb_bf16_amx_model, false);
    CHECK_MSG(out[0] == 0x1p24f + 2, "AMX adds the two chains before the sum: %.9g", (double)out[0]);
    out[0] = 0x1p24f;
    run(out, &mb_bf16_generic, false);
    CHECK_MSG(out[0] == 0x1p24f + 2, "a block's sum begins at zero: %.9g", (double)out[0]);
}

int main(void)
{
    check_models();
    for (kind k = USUAL; k <= TINY; k++) {
        check_same(&mb_bf16_model, k == USUAL ? &mb_bf16_generic : &mb_bf16_model, k);
    }
#if defined(__x86_64__)
    mb_isa best = mb_cpu_best_isa();
    for (kind k = USUAL; k <= ANY_BITS; k++) {
        if (best >= MB_ISA_AVX512_BF16) {
            check_same(&mb_bf16_native, &mb_bf16_model, k);
        }
        if (best >= MB_ISA_AMX) {
            check_same(&mb_bf16_amx, &mb_bf16_amx_model, k);
        }
    }
    if (best >= MB_ISA_AVX2) {
        check_same(&mb_bf16_avx2, &mb_bf16_generic, USUAL);
        check_same(&mb_fixed16_avx2, &mb_fixed16_generic, INTEGERS);
    }
    if (best >= MB_ISA_AVX512_VNNI) {
        check_same(&mb_bf16_avx512, &mb_bf16_generic, USUAL);
        check_same(&mb_fixed16_vnni, &mb_fixed16_generic, INTEGERS);
    }
    (void)printf("compared on this processor: %s%s\n", best >= MB_ISA_AVX512_BF16 ? "VDPBF16PS " : "",
                 best >= MB_ISA_AMX ? "TDPBF16PS" : "(no AMX)");
#elif defined(__aarch64__)
    check_same(&mb_bf16_neon, &mb_bf16_generic, USUAL);
#endif
    return test_report();
}
