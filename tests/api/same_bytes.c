/* The same photo gives the same bytes: with any number of threads, more than there are processors too, in any order and
 * at any place of a batch, wherever the caller's pixels lie in memory, and whatever was in memory before. Over
 * instruction sets the networks' outputs agree to a stated error. More of each with --long. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/image_hash.h"
#include "harness/models.h"

#include <mattebox.h>

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W      61
#define H      47
#define PHOTOS 3

static unsigned char photos[PHOTOS][H][W][3], masks[PHOTOS][H][W];

static uint64_t hash_of(const mb_result *r)
{
    return hash_mix(hash_result(HASH_START, r), &r->confidence, sizeof r->confidence);
}

/* ---- the ways to cut out */

typedef struct way {
    const char *name;
    mb_segmenter segment;
    mb_detail detail;
    mb_foreground foreground;
    bool refine, grabcut, fast;
    int size; /* of the network's input */
} way;

static const way ways[] = {
    {"network", MB_SEGMENT_NETWORK, MB_DETAIL_NONE, MB_FOREGROUND_ML, false, false, false, 64},
    {"network, 16 bits", MB_SEGMENT_NETWORK, MB_DETAIL_NONE, MB_FOREGROUND_NONE, false, false, true, 64},
    {"network, wide", MB_SEGMENT_NETWORK, MB_DETAIL_GUIDED, MB_FOREGROUND_BLURFUSION, false, false, false, 96},
    {"both", MB_SEGMENT_BOTH, MB_DETAIL_PYMATTING, MB_FOREGROUND_ML, false, true, false, 64},
    {"saliency", MB_SEGMENT_SALIENCY, MB_DETAIL_GUIDED, MB_FOREGROUND_ML, false, false, false, 64},
    {"refine, closed form", MB_SEGMENT_NETWORK, MB_DETAIL_PYMATTING, MB_FOREGROUND_ML, true, false, false, 64},
    {"refine, vitmatte", MB_SEGMENT_NETWORK, MB_DETAIL_VITMATTE, MB_FOREGROUND_NONE, true, false, false, 64}};

typedef struct machine {
    mb_context *context;
    mb_model *model, *matting;
    mb_pipeline *pipeline;
} machine;

static bool open_machine(machine *m, const way *how, int threads)
{
    mb_error err = {0};
    mb_context_options c;
    mb_options o;
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = threads;
    mb_options_init(&o);
    o.segment = how->segment;
    o.detail = how->detail;
    o.foreground = how->foreground;
    o.grabcut = how->grabcut;
    o.precision = how->fast ? MB_PRECISION_BF16 : MB_PRECISION_F32;
    o.input_width = o.input_height = how->size;
    o.want_trimap = 1;
    o.background = MB_BACKGROUND_BLUR;
    o.feather = 0.8;
    *m = (machine){0};
    CHECK_OK(mb_context_create(&m->context, &c, &err), err);
    if (err.code == MB_OK) {
        CHECK_OK(mb_model_open(&m->model, m->context, "demo", &err), err);
    }
    if (err.code == MB_OK && how->detail == MB_DETAIL_VITMATTE) {
        CHECK_OK(mb_model_open(&m->matting, m->context, test_model("vitmatte_tiny4"), &err), err);
    }
    if (err.code == MB_OK) {
        CHECK_OK(mb_pipeline_create(&m->pipeline, m->context, m->model, m->matting, &o, &err), err);
    }
    return err.code == MB_OK;
}

static void close_machine(machine *m)
{
    mb_pipeline_free(m->pipeline);
    mb_model_free(m->matting);
    mb_model_free(m->model);
    mb_context_free(m->context);
}

/* Photo i from memory that begins `odd` bytes behind a page, with `gap` bytes between rows. */
static uint64_t cut(const machine *m, const way *how, int i, size_t odd, size_t gap)
{
    mb_error err = {0};
    mb_result *r = NULL;
    const size_t row = 3 * W + gap;
    unsigned char *block = aligned_alloc(4096, 5 * 4096), *memory = block + odd;
    uint64_t h = 0;
    if (!CHECK(block != NULL && odd + H * row <= 5 * 4096)) {
        free(block);
        return 0;
    }
    memset(block, 0x5A, 5 * 4096);
    for (size_t y = 0; y < H; y++) {
        memcpy(memory + y * row, photos[i][y], 3 * W);
    }
    const mb_image photo = {.data = memory,
                            .width = W,
                            .height = H,
                            .row_bytes = row,
                            .pixels = MB_PIXELS_RGB,
                            .depth = MB_DEPTH_U8},
                   mask = {.data = masks[i], .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
    const mb_status status = how->refine ? mb_pipeline_refine(&r, m->pipeline, &photo, &mask, NULL, &err)
                                         : mb_pipeline_run(&r, m->pipeline, &photo, &err);
    CHECK_MSG(status == MB_OK, "%s: %s", how->name, err.message);
    if (status == MB_OK) {
        h = hash_of(r);
    }
    mb_result_free(r);
    free(block);
    return h;
}

TEST_ROWS(same_bytes, ways)
{
    static const int few[] = {3, 16, 0};
    uint64_t first[PHOTOS];
    machine m;
    REQUIRE(open_machine(&m, row, 1));
    for (int i = 0; i < PHOTOS; i++) {
        first[i] = cut(&m, row, i, 0, 0);
        CHECK(i == 0 || first[i] != first[i - 1]); /* the photos differ */
    }
    for (size_t odd = 1; odd < 9; odd += test_long() ? 1 : 8) {
        CHECK_MSG(cut(&m, row, 1, odd, 4 * odd + 1) == first[1], "%s: at an odd address", row->name);
    }
    close_machine(&m);
    for (int k = 0; test_long() ? k < 16 : few[k] != 0; k++) {
        const int threads = test_long() ? k + 1 : few[k];
        REQUIRE(open_machine(&m, row, threads));
        for (int j = 0; j < (test_long() ? 2 * PHOTOS : 2);
             j++) { /* other orders than 0, 1, 2; the plan is used again */
            const int i = (5 * k + 2 * j) % PHOTOS;
            CHECK_MSG(cut(&m, row, i, 0, 0) == first[i], "%s: photo %d, %d threads, place %d", row->name, i, threads,
                      j);
        }
        close_machine(&m);
    }
    /* every byte that malloc hands out, and every one that was freed, is other than zero */
#ifdef __SANITIZE_ADDRESS__
    (void)mallopt(M_PERTURB, 0xA5); /* its allocator knows no such option, and fills memory by itself */
#else
    CHECK_EQ(mallopt(M_PERTURB, 0xA5), 1);
#endif
    REQUIRE(open_machine(&m, row, 2));
    CHECK_MSG(cut(&m, row, 2, 0, 0) == first[2], "%s: in memory that is not clean", row->name);
    close_machine(&m);
    (void)mallopt(M_PERTURB, 0);
}

/* ---- instruction sets */

#define SIDE 64

static bool run_network(float out[SIDE * SIDE], const char *isa, const char *model)
{
    static float input[3 * SIDE * SIDE];
    mb_context *context = NULL;
    mb_model *net = NULL;
    mb_network *network = NULL;
    mb_context_options c;
    mb_error err = {0};
    const mb_array in = {.data = input, .dims = {1, 3, SIDE, SIDE}};
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++) {
        input[i] = (float)photos[0][i / 3 / SIDE % H][i / 3 % SIDE % W][i % 3] / 64.0f - 2.0f;
    }
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 2;
    (void)setenv("MATTEBOX_ISA", isa, 1);
    mb_status status = mb_context_create(&context, &c, &err);
    (void)unsetenv("MATTEBOX_ISA");
    const bool there = status != MB_E_UNSUPPORTED; /* by this processor */
    if (status == MB_OK) {
        status = mb_model_open(&net, context, model, &err);
    }
    if (status == MB_OK) {
        status = mb_network_create(&network, context, net, &err);
    }
    if (status == MB_OK) {
        status = mb_network_run(network, &in, NULL, 0, &err);
    }
    if (status == MB_OK) {
        status = mb_network_read(out, SIDE * SIDE, network, mb_network_output_name(network, 0), &err);
    }
    CHECK_MSG(!there || status == MB_OK, "%s: %s", isa, err.message);
    mb_network_free(network);
    mb_model_free(net);
    mb_context_free(context);
    return there && status == MB_OK;
}

static int order_of(float v)
{
    int i;
    memcpy(&i, &v, sizeof i);
    return i < 0 ? (int)(0x80000000u - (unsigned)i) : i;
}

/* The largest differences of two outputs: as numbers, relative to the largest value, and in units of the last place (of
 * values that are not close to zero). */
static void compare(const char *model, const char *isa, const float *a, const float *b)
{
    double most = 0, largest = 0;
    long ulps = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        largest = fmax(largest, fabs((double)b[i]));
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        const long n = labs((long)order_of(a[i]) - (long)order_of(b[i]));
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
        ulps = fabs((double)b[i]) > 0.1 * largest && n > ulps ? n : ulps;
    }
    printf("%s, %s against generic: %.2e of %.2f, %ld ulps\n", model, isa, most, largest, ulps);
    CHECK_MSG(most <= 2e-5 * largest, "%s, %s: %.3g of %.3g", model, isa, most, largest);
}

TEST(instruction_sets)
{
    static const char *const sets[] = {"avx2", "avx512", "neon"};
    static float base[SIDE * SIDE], other[SIDE * SIDE];
    const char *const models[] = {"demo", test_model("tiny_legacy")};
    for (int k = 0; k < 2; k++) {
        REQUIRE(run_network(base, "generic", models[k]));
        for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
            mb_context_options c;
            mb_context *context = NULL;
            mb_context_options_init(&c);
            c.device = MB_DEVICE_CPU;
            (void)setenv("MATTEBOX_ISA", sets[i], 1);
            const mb_status status = mb_context_create(&context, &c, NULL); /* a name of other processors is an error */
            (void)unsetenv("MATTEBOX_ISA");
            mb_context_free(context);
            if (status == MB_OK && run_network(other, sets[i], models[k])) {
                compare(k == 0 ? "demo" : "tiny BiRefNet", sets[i], other, base);
            }
        }
    }
}

SETUP
{
    unsigned noise = 1;
    for (int i = 0; i < PHOTOS; i++) {
        for (int y = 0; y < H; y++) {
            for (int x = 0; x < W; x++) {
                double in = (15 - hypot(x - 24 - 5 * i, y - 22)) / 6 + 0.5;
                in = in < 0 ? 0 : in > 1 ? 1 : in;
                masks[i][y][x] = (unsigned char)(in * 255);
                for (int c = 0; c < 3; c++) {
                    noise = noise * 1103515245u + 12345u;
                    photos[i][y][x][c] = (unsigned char)(in * (c == 0 ? 200 : 60 + y) + (1 - in) * (40 + 30 * c + x) +
                                                         (noise >> 16 & 15));
                }
            }
        }
    }
}
