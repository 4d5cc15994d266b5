/* One inner loop again and again, for counting its instructions under an emulator (instructions.sh):
 * bench_instructions SET LOOP TIMES. Prints the multiply-adds done; TIMES 0 does everything but the loop, so that the
 * difference of two counts is the loop's. SET: a name of MATTEBOX_ISA with f32 loops, or of a set with 16-bit products. */
#include "core/alloc.h"
#include "cpu/cpu_kernels.h"
#include "cpu/isa/attention.h"
#include "cpu/isa/bf16.h"
#include "cpu/isa/isa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 48, DEPTH = 384, SPAN = 1 << 18 };

typedef struct work {
    const mb_simd *simd;
    float *x, *w, *out;
    uint16_t *x16, *w16;
    long times;
} work;

/* A gemm's tile: all rows against one panel. */
static double run_panel(const work *s)
{
    const float *rows[ROWS];
    for (int r = 0; r < ROWS; r++) {
        rows[r] = s->x + r * DEPTH;
    }
    mb_panel p = {.rows = rows,
                  .n_rows = ROWS,
                  .segments = 1,
                  .length = DEPTH,
                  .w = s->w,
                  .width = 2 * s->simd->width,
                  .columns = 2 * s->simd->width,
                  .out = s->out,
                  .out_pitch = 64,
                  .first = true,
                  .last = true};
    for (long i = 0; i < s->times; i++) {
        s->simd->panel(&p);
    }
    return (double)ROWS * DEPTH * 2 * (double)s->simd->width;
}

/* The same in 16 bits, rows rounded already. */
static double run_panel16(const work *s)
{
    float scale[MB_BF16_COLUMNS + ROWS] = {0};
    mb_bf16_panel p = {.rows = s->x16,
                       .row_pitch = DEPTH,
                       .n_rows = ROWS,
                       .depth = DEPTH,
                       .w = s->w16,
                       .width = MB_BF16_COLUMNS,
                       .columns = MB_BF16_COLUMNS,
                       .out = s->out,
                       .out_pitch = 64,
                       .row_scale = scale,
                       .column_scale = scale,
                       .first = true,
                       .last = true};
    for (long i = 0; i < s->times; i++) {
        s->simd->bf16->panel(&p);
    }
    return (double)ROWS * DEPTH * MB_BF16_COLUMNS;
}

/* Streaming attention: 48 queries, 64 keys, heads of 64. */
static double run_product(const work *s)
{
    const mb_attention_loops *l = s->simd->streaming;
    mb_attention_product p = {.c = s->out, .c_pitch = 64, .a = s->x, .a_pitch = 64, .b = s->w};
    p.b_panel = 64 * l->width;
    p.rows = ROWS;
    p.panels = 64 / l->width;
    p.k = 64;
    for (long i = 0; i < s->times; i++) {
        l->product(&p);
    }
    return (double)ROWS * 64 * 64;
}

/* A window of 144 positions, a head of 32. Its softmax is in the count. */
static double run_attend(const work *s)
{
    enum { N = 144, D = 32 };
    const float *q[N], *bias[N];
    float *out[N];
    for (int i = 0; i < N; i++) {
        q[i] = s->x + i * D;
        bias[i] = s->x + N * D;
        out[i] = s->out + i * D;
    }
    mb_attend a = {.queries = N, .keys = N, .d = D, .keys_padded = N, .d_padded = D, .q = q, .bias = bias, .out = out};
    a.k = s->w;
    a.v = s->w + N * D;
    a.logits = s->out + N * D;
    a.weighted = s->out + N * D + 64 * N;
    for (long i = 0; i < s->times; i++) {
        s->simd->attend(&a);
    }
    return 2.0 * N * N * D;
}

/* 3x3 over four planes, 512 pixels. */
static double run_plane_row(const work *s)
{
    mb_plane_rows p = {.planes = s->x, .pitch = 1024, .channels = 4, .kernel_h = 3, .kernel_w = 3, .w = s->w};
    for (long i = 0; i < s->times; i++) {
        s->simd->plane_row(&p, s->out, 512);
    }
    return 512.0 * 36;
}

/* 49 deformable samples of 64 channels: four multiply-adds a value. */
static double run_sample(const work *s)
{
    static float offset[98], modulator[49], zeros[64];
    for (int i = 0; i < 98; i++) {
        offset[i] = 0.25f;
        modulator[i / 2] = 0.5f;
    }
    mb_samples m = {.item = s->x,
                    .height = 16,
                    .width = 16,
                    .pitch = 64,
                    .channels = 64,
                    .offset = offset,
                    .modulator = modulator,
                    .y = 2,
                    .x = 2,
                    .kernel_w = 7,
                    .taps = 49,
                    .zeros = zeros};
    for (long i = 0; i < s->times; i++) {
        s->simd->sample(&m, s->out);
    }
    return 49.0 * 64 * 4;
}

static const mb_simd *find(const char *name)
{
    for (int isa = MB_ISA_GENERIC; isa < MB_ISA_COUNT; isa++) {
        if (strcmp(name, mb_isa_name((mb_isa)isa)) == 0 && isa <= (int)MB_ISA_LAST_F32) {
            return mb_simd_of((mb_isa)isa);
        }
    }
    for (int set = 0; set < MB_BF16_SETS; set++) {
        const mb_simd *simd = mb_simd_of_bf16((mb_bf16_set)set);
        if (simd != NULL && strcmp(name, simd->bf16->name) == 0) {
            return simd;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(const work *s);
    } loops[] = {{"panel", run_panel},   {"panel16", run_panel16},     {"product", run_product},
                 {"attend", run_attend}, {"plane_row", run_plane_row}, {"sample", run_sample}};
    work s = {.simd = argc == 4 ? find(argv[1]) : NULL, .times = argc == 4 ? strtol(argv[3], NULL, 10) : 0};
    s.x = mb_calloc(SPAN, sizeof(float));
    s.w = mb_calloc(SPAN, sizeof(float));
    s.out = mb_calloc(SPAN, sizeof(float));
    s.x16 = (uint16_t *)(void *)s.x;
    s.w16 = (uint16_t *)(void *)s.w;
    bool done = false;
    for (size_t i = 0;
         s.simd != NULL && s.out != NULL && s.w != NULL && s.x != NULL && i < sizeof loops / sizeof loops[0]; i++) {
        if (strcmp(argv[2], loops[i].name) == 0 && (s.simd->bf16 != NULL || loops[i].run != run_panel16)) {
            (void)printf("%.0f\n", loops[i].run(&s) * (double)s.times);
            done = true;
        }
    }
    mb_free(s.x);
    mb_free(s.w);
    mb_free(s.out);
    if (!done) {
        (void)fprintf(stderr, "usage: bench_instructions SET panel|panel16|product|attend|plane_row|sample TIMES\n");
    }
    return done ? 0 : 2;
}
