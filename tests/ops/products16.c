/* Panels of 16-bit products, bit for bit: AVX512_BF16 and AMX against their models in C, where this processor has them;
 * 16-bit integers alike in every set; NaN stays NaN in all of them. Values of all magnitudes, subnormal and infinite ones included. The models
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

typedef enum kind { USUAL, TINY, EDGE, ANY_BITS, INTEGERS } kind;

/* Few products, whose sums come within parts of a unit of the least normal number, from both sides. */
static uint16_t edge_value(test_random *r)
{
    static const int powers[] = {-63, -63, -63, -75, -76, -88, -90};
    uint64_t pick = test_random_below(r, 20);
    float x = pick < 7 ? ldexpf(test_random_below(r, 2) == 0 ? 1 : -1, powers[pick]) : 0;
    x *= test_random_below(r, 4) == 0 ? 1 + (float)test_random_below(r, 128) / 128 : 1;
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return (uint16_t)(u >> 16);
}

static uint16_t value(test_random *r, kind k)
{
    float x = test_random_float(r, -1, 1) * (k == TINY ? 0x1p-62f : 1) * ldexpf(1, (int)test_random_below(r, 12) - 6);
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    if (k == EDGE) {
        return edge_value(r);
    }
    if (k == INTEGERS) {
        return (uint16_t)(int16_t)(test_random_float(r, -1, 1) * 2000);
    }
    return k == ANY_BITS ? (uint16_t)test_random_below(r, 65536) : (uint16_t)(u >> 16);
}

static void fill(test_random *r, kind k)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rows[i] = value(r, k);
    }
    for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++) {
        weights[i] = value(r, k);
    }
    for (int i = 0; i < PADDED; i++) {
        row_scale[i] = test_random_float(r, 0.5f, 2);
    }
    for (int i = 0; i < MB_BF16_COLUMNS; i++) {
        column_scale[i] = test_random_float(r, 0.5f, 2);
    }
}

static void run_act(float *out, const mb_bf16_loops *loops, bool first, mb_activation act)
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
                       .last = true,
                       .act = act};
    if (loops->begin != NULL) {
        loops->begin();
    }
    loops->panel(&p);
    if (loops->end != NULL) {
        loops->end();
    }
}

static void run(float *out, const mb_bf16_loops *loops, bool first)
{
    run_act(out, loops, first, MB_ACT_NONE);
}

/* A value that is none in row 1 (in fixed point its scale is none): through every activation, and in no other row. */
static void check_nan(const mb_bf16_loops *loops)
{
    static float out[ROWS * COLUMNS];
    test_random r = {5};
    fill(&r, loops->quantise != NULL ? INTEGERS : USUAL);
    if (loops->quantise != NULL) {
        row_scale[1] = NAN;
    } else {
        rows[DEPTH + 3] = 0x7fc0;
    }
    for (mb_activation act = MB_ACT_NONE; act <= MB_ACT_SIGMOID; act++) {
        size_t none = 0, in_row = 0;
        run_act(out, loops, true, act);
        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            bool nan = isnan(out[i]);
            none += nan;
            in_row += nan && i / COLUMNS == 1;
        }
        CHECK_MSG(none == COLUMNS && in_row == COLUMNS, "%s, activation %d: %zu values are NaN, %zu of %d in their row",
                  loops->name, (int)act, none, in_row, COLUMNS);
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
        fill(&r, k);
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

#if defined(MB_BFMMLA_COMPILED)
/* BFMMLA rounds its sums in a way of its own (decision 022): to the last places of the largest sum. */
static void check_close(const mb_bf16_loops *a, const mb_bf16_loops *b)
{
    static float x[ROWS * COLUMNS], y[ROWS * COLUMNS];
    test_random r = {11};
    float largest = 0, off = 0;
    fill(&r, USUAL);
    run(x, a, true);
    run(y, b, true);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        largest = fmaxf(largest, fabsf(y[i]));
        off = fmaxf(off, fabsf(x[i] - y[i]));
    }
    CHECK_MSG(off <= 2e-6f * largest, "%s and %s differ by %g of %g", a->name, b->name, (double)off, (double)largest);
}
#endif

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
    CHECK(bf16_model_pair(1, one, 0x3f80u << 16 | 0xbf80u) == 1);     /* -1 even, 1 odd */
    CHECK(bf16_model_pair(0x1p-130f, 0, 0) == 0);                     /* a subnormal sum counts as zero */
    CHECK(bf16_model_pair(0, 0x0040u, one) == 0);                     /* and so does a subnormal value */
    CHECK(bf16_model_pair(0, 0x2000u, 0x1f00u) == 0);                 /* and a subnormal product */
    CHECK(bf16_model_pair(0x1p-126f, 0x1a00u, 0x9980u) == 0x1p-126f); /* 2^-151 less: rounded up again */
    CHECK(bf16_model_pair(0x1p-126f, 0x1a00u, 0x9a00u) == 0);         /* 2^-150 less: representable, if not in f32 */
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
    check_nan(&mb_bf16_generic);
    check_nan(&mb_bf16_model);
    check_nan(&mb_bf16_amx_model);
    check_nan(&mb_fixed16_generic);
    for (kind k = USUAL; k <= TINY; k++) {
        check_same(&mb_bf16_model, k == USUAL ? &mb_bf16_generic : &mb_bf16_model, k);
    }
#if defined(__x86_64__)
    mb_isa best = mb_cpu_best_isa();
    if (best >= MB_ISA_AVX512_BF16) {
        check_nan(&mb_bf16_native);
    }
    if (best >= MB_ISA_AMX) {
        check_nan(&mb_bf16_amx);
    }
    for (kind k = USUAL; k <= ANY_BITS; k++) {
        if (best >= MB_ISA_AVX512_BF16) {
            check_same(&mb_bf16_native, &mb_bf16_model, k);
        }
        if (best >= MB_ISA_AMX) {
            check_same(&mb_bf16_amx, &mb_bf16_amx_model, k);
        }
    }
    if (best >= MB_ISA_AVX2) {
        check_nan(&mb_bf16_avx2);
        check_nan(&mb_fixed16_avx2);
        check_same(&mb_bf16_avx2, &mb_bf16_generic, USUAL);
        check_same(&mb_fixed16_avx2, &mb_fixed16_generic, INTEGERS);
    }
    if (best >= MB_ISA_AVX512_VNNI) {
        check_nan(&mb_bf16_avx512);
        check_nan(&mb_fixed16_vnni);
        check_same(&mb_bf16_avx512, &mb_bf16_generic, USUAL);
        check_same(&mb_fixed16_vnni, &mb_fixed16_generic, INTEGERS);
    }
    (void)printf("compared on this processor: %s%s\n", best >= MB_ISA_AVX512_BF16 ? "VDPBF16PS " : "",
                 best >= MB_ISA_AMX ? "TDPBF16PS" : "(no AMX)");
#elif defined(__aarch64__)
    check_nan(&mb_bf16_neon);
    check_same(&mb_bf16_neon, &mb_bf16_generic, USUAL);
    bool native = false;
#if defined(MB_BFMMLA_COMPILED)
    if (mb_cpu_best_isa() >= MB_ISA_NEON_BF16) {
        check_nan(&mb_bf16_neon_native);
        check_close(&mb_bf16_neon_native, &mb_bf16_generic);
        native = true;
    }
#endif
    (void)printf("compared on this processor: NEON%s\n", native ? " BFMMLA" : "");
#endif
    return test_report();
}
