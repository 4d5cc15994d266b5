/* One inner loop again and again, for counting its instructions under an emulator (instructions.sh):
 * bench_instructions SET LOOP TIMES. Prints the multiply-adds done (or values, where a loop has none); TIMES 0 does everything but the loop, so that the
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

/* Tiles of a Winograd convolution, 64 channels: to their points, and back with bias and ReLU. Counted is a value of the map. */
static double run_winograd_in(const work *s, int points)
{
    const float *pixels[49];
    for (int i = 0; i < points * points; i++) {
        pixels[i] = s->x + i * 64;
    }
    mb_winograd_in q = {.pixels = pixels, .points = points, .channels = 64, .to = s->out, .plane = 4096};
    for (long i = 0; i < s->times; i++) {
        s->simd->winograd_in(&q);
    }
    return 16.0 * 64;
}

static double run_winograd_out(const work *s, int points)
{
    mb_winograd_out q = {.from = s->x,
                         .points = points,
                         .plane = 4096,
                         .rows = 4,
                         .columns = 4,
                         .channels = 64,
                         .out = s->out,
                         .out_pitch = 64,
                         .out_row = 4096,
                         .bias = s->w,
                         .act = MB_ACT_RELU};
    for (long i = 0; i < s->times; i++) {
        s->simd->winograd_out(&q);
    }
    return 16.0 * 64;
}

static double run_winograd_in_6(const work *s)
{
    return run_winograd_in(s, 6);
}

static double run_winograd_in_7(const work *s)
{
    return run_winograd_in(s, 7);
}

static double run_winograd_out_6(const work *s)
{
    return run_winograd_out(s, 6);
}

static double run_winograd_out_7(const work *s)
{
    return run_winograd_out(s, 7);
}

/* The running softmax of streaming attention: 48 queries, 64 keys, heads of 64; no maximum grows. A value is a logit. */
static double run_softmax(const work *s)
{
    enum { KEYS = 64 };
    float max[ROWS];
    for (int i = 0; i < ROWS; i++) {
        max[i] = 10;
    }
    mb_attention_softmax m = {
        .s = s->x, .pitch = KEYS, .rows = ROWS, .n = KEYS, .max = max, .sum = s->w, .out = s->out, .out_pitch = KEYS};
    for (long i = 0; i < s->times; i++) {
        s->simd->streaming->softmax(&m);
    }
    return (double)ROWS * KEYS;
}

/* One row of a 3x3 convolution of an enlarged map: 64 small pixels, 64 outputs; what its mixing multiplies. */
static double run_shift_row(const work *s)
{
    enum { WIDTH = 64, OUTPUTS = 64 };
    mb_shift_row q = {.width = WIDTH, .outputs = OUTPUTS, .padded = OUTPUTS, .act = MB_ACT_RELU, .out_pitch = OUTPUTS};
    for (int i = 0; i < 3; i++) {
        q.rows[i][0] = s->x;
        q.rows[i][1] = s->x + 9 * WIDTH * OUTPUTS;
        q.weight[i][0] = 0.75f;
        q.weight[i][1] = 0.25f;
    }
    q.scratch = s->w;
    q.out = s->out;
    q.bias = s->w + 3 * WIDTH * OUTPUTS;
    for (long i = 0; i < s->times; i++) {
        s->simd->shift_row(&q);
    }
    return (double)WIDTH * OUTPUTS * (3 * 6 + 2 * 6);
}

/* Layer norm of 48 tokens of 384 channels; a value is one of these. */
static double run_norm(const work *s)
{
    mb_norm_rows r = {.x = s->x,
                      .weight = s->w,
                      .bias = s->w + DEPTH,
                      .y = s->out,
                      .x_pitch = DEPTH,
                      .y_pitch = DEPTH,
                      .rows = ROWS,
                      .channels = DEPTH,
                      .eps = 1e-6f};
    for (long i = 0; i < s->times; i++) {
        s->simd->norm(&r);
    }
    return (double)ROWS * DEPTH;
}

static double run_gelu(const work *s)
{
    for (long i = 0; i < s->times; i++) {
        s->simd->activate(s->out, s->x, ROWS * DEPTH, MB_ACT_GELU);
    }
    return (double)ROWS * DEPTH;
}

/* A depthwise 3x3 of 96 channels. */
static double run_taps(const work *s)
{
    const float *pixels[9];
    for (int i = 0; i < 9; i++) {
        pixels[i] = s->x + i * 96;
    }
    mb_taps t = {.x = pixels, .weight = s->w, .bias = s->w + 9 * 96, .taps = 9, .channels = 96};
    for (long i = 0; i < s->times; i++) {
        s->simd->taps(s->out, &t);
    }
    return 9.0 * 96;
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
    } loops[] = {{"panel", run_panel},
                 {"panel16", run_panel16},
                 {"product", run_product},
                 {"softmax", run_softmax},
                 {"attend", run_attend},
                 {"plane_row", run_plane_row},
                 {"sample", run_sample},
                 {"shift_row", run_shift_row},
                 {"winograd_in_6", run_winograd_in_6},
                 {"winograd_in_7", run_winograd_in_7},
                 {"winograd_out_6", run_winograd_out_6},
                 {"winograd_out_7", run_winograd_out_7},
                 {"norm", run_norm},
                 {"gelu", run_gelu},
                 {"taps", run_taps}};
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
        (void)fprintf(stderr, "usage: bench_instructions SET LOOP TIMES; the loops stand in instructions.sh\n");
    }
    return done ? 0 : 2;
}
