/* Whole networks on the CUDA back end, by emulation, against the official code's outputs: the plan, its memory on the
 * (stand-in) device, copies, every kernel in the order of the graph. f32 within the limits of the engine; f16 and bf16
 * within those of docs/cuda.md. Usage: graphs CASE PRECISION. */
#define _GNU_SOURCE /* setenv */
#include "cuda/backend.h"
#include "harness/check.h"
#include "harness/model_golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct graph_case {
    const char *name, *golden, *variant, *output;
    int least_taps;
    double torch[3]; /* largest error of PyTorch's own run (2.15, CPU) in f32, f16, bf16 against its f32 golden */
} graph_case;

static const graph_case cases[] = {
    {"tiny7", "birefnet_tiny7_32x32", "tiny7", "logits", 47, {0}},
    {"tiny7_64", "birefnet_tiny7_64x64", "tiny7", "logits", 47, {0}},
    {"tiny12", "birefnet_tiny12_96x160", "tiny12", "logits", 47, {0}},
    {"tiny_legacy", "birefnet_tiny_legacy_64x64", "tiny_legacy_columns", "logits", 38, {0}},
    {"tiny4", "vitmatte_tiny4_64x64", "vitmatte_tiny4", "alphas", 7, {0, 5.72e-3, 6.24e-2}},
    {"tiny4_b2", "vitmatte_tiny4_b2_48x80", "vitmatte_tiny4", "alphas", 7, {0, 1.19e-2, 1.38e-1}},
    {"tiny14", "vitmatte_tiny14_64x96", "vitmatte_tiny14", "alphas", 20, {0, 4.7e-3, 3.67e-2}},
    {"tiny_dino", "birefnet_tiny_dino_32x32", "tiny_dino", "logits", 43, {0}},
    {"tiny_dino_plus", "birefnet_tiny_dino_plus_64x96", "tiny_dino_plus", "logits", 43, {0}},
    {"tiny_pvt", "birefnet_tiny_pvt_64x64", "tiny_pvt", "logits", 53, {0}},
    /* minutes: by name only */
    {"resnet50", "birefnet_resnet50_32x32", "resnet50", "logits", 10, {0}},
    {"vgg16bn", "birefnet_vgg16bn_64x64", "vgg16bn", "logits", 10, {0}},
    {"swin_t", "birefnet_swin_t_288x512", "swin_t", "logits", 11, {0}},
    {"tiny14_512", "vitmatte_tiny14_512x288", "vitmatte_tiny14", "alphas", 9, {0}},
};

/* max abs, mean abs, taps relative to their largest: f32, f16, bf16 */
static const double mask_limits[3][3] = {{1e-3, 5e-5, 5e-5}, {5e-2, 3e-3, 2e-2}, {4e-1, 2e-2, 2e-1}};
/* Of the maximum, what trained weights are held to; the test models' are random and damp no rounding, so that PyTorch
 * itself is above it: then a fifth more than PyTorch's own error (docs/cuda.md). */
static const double alpha_limits[3][3] = {{1e-4, 1e-5, 5e-5}, {5e-3, 1e-3, 1.5e-2}, {3e-2, 8e-3, 1.2e-1}};

static void check_graph(const graph_case *g, const char *precision, mb_dtype t)
{
    mb_backend b = {0};
    mb_error err;
    REQUIRE_OK(mb_backend_cuda_open(&b, 0, t, &err), err);
    bool mask = strcmp(g->output, "logits") == 0;
    const double *limits = mask ? mask_limits[t] : alpha_limits[t];
    const double torch = 1.2 * g->torch[t];
    const model_case c = {.golden = g->golden,
                          .variant = g->variant,
                          .output = g->output,
                          .max_abs = torch > limits[0] ? torch : limits[0],
                          .mean_abs = limits[1],
                          .tap = limits[2],
                          .least_taps = g->least_taps,
                          .backend = &b};
    printf("%s: ", precision);
    CHECK(model_golden_check(&c));
    mb_backend_cuda_close(&b);
}

static void check_f32(const void *row)
{
    check_graph(row, "f32", MB_F32);
}

static void check_f16(const void *row)
{
    check_graph(row, "f16", MB_F16);
}

static void check_bf16(const void *row)
{
    check_graph(row, "bf16", MB_BF16);
}

int main(int argc, char **argv)
{
#if !defined(MB_ON_DEVICE)
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
#endif
    setenv("MATTEBOX_CACHE", "", 0); /* no trace at home */
    /* registered here, not before main: the kit calls this among others */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_add_row("f32", cases[i].name, 1, check_f32, &cases[i]);
        test_add_row("f16", cases[i].name, 2, check_f16, &cases[i]);
        test_add_row("bf16", cases[i].name, 3, check_bf16, &cases[i]);
    }
    if (argc == 3) {
        char name[64], *arguments[] = {argv[0], name, NULL};
        (void)snprintf(name, sizeof name, "%s: %s", argv[2], argv[1]);
        return test_main(2, arguments);
    }
    if (argc < 2) {
        fprintf(stderr, "usage: test_cuda_graphs CASE PRECISION (minutes for all of them; --list shows them)\n");
        return 2;
    }
    return test_main(argc, argv);
}
