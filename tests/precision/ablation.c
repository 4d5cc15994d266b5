/* What each choice of 16-bit arithmetic costs a network: the tables of docs/precision.md.
 *
 *     bench_ablation MODEL.mbw WIDTHxHEIGHT [PHOTO]...
 *
 * One row per choice, everything else in f32: one op at a time with 16-bit products, and maps, offsets or sampling positions
 * that are rounded to bf16 between two ops. Against the network in f32: the largest and the mean difference of alpha in
 * levels of 255, the least share of pixels within 2 levels and the least IoU at 0.5 of all pictures. Photos are scaled to the
 * network's size and normalised by ImageNet's mean and deviation; without any, one picture of noise. */
#include "cpu/cpu_kernels.h"
#include "graph/plan.h"
#include "image/codec/load.h"
#include "image/resample/reduce.h"
#include "models/registry.h"
#include "weights/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PICTURES = 64 };

typedef struct choice {
    const char *name;
    int set;                             /* of 16-bit products: mb_bf16_set; -1: f32 */
    bool every;                          /* all ops by it, else `op` alone */
    mb_op op;                            /* with 16-bit products, or whose maps are rounded */
    bool maps, all_maps;                 /* results of `op`, or of every op, become bf16 */
    bool offsets, modulators, positions; /* of deformable convolutions */
} choice;

typedef struct bench {
    const mb_weights *weights;
    const mb_architecture *arch;
    mb_pool *pool;
    int width, height, n_pictures;
    float *pictures[MOST_PICTURES]; /* [height][width][channels] */
    float *wanted[MOST_PICTURES], *got;
    mb_plan *plan; /* of the run that goes on */
    const choice *choice;
    int next; /* step of it */
} bench;

static float bf16(float x)
{
    uint16_t narrow;
    mb_from_f32(&narrow, &x, MB_BF16, 1);
    mb_to_f32(&x, &narrow, MB_BF16, 1);
    return x;
}

static void round_view(const mb_view *v)
{
    const int64_t tokens = v->dims[0] * v->dims[2] * v->dims[3];
    for (int64_t t = 0; t < tokens; t++) {
        for (int64_t c = 0; c < v->dims[1]; c++) {
            float *x = (float *)v->data + t * v->pitch + c;
            *x = bf16(*x);
        }
    }
}

/* Offsets such that pixel + tap + offset is a bf16 number. */
static void round_positions(const mb_call *c)
{
    const mb_deform_conv2d_attrs *a = c->attrs;
    const mb_view *offset = &c->in[1];
    const int64_t k = c->in[3].dims[3], height = offset->dims[2], width = offset->dims[3];
    for (int64_t t = 0; t < offset->dims[0] * height * width; t++) {
        float *o = (float *)offset->data + t * offset->pitch;
        for (int64_t tap = 0; tap < k * k; tap++) {
            const float y = (float)(t / width % height - a->pad + tap / k), x = (float)(t % width - a->pad + tap % k);
            o[2 * tap] = bf16(y + o[2 * tap]) - y;
            o[2 * tap + 1] = bf16(x + o[2 * tap + 1]) - x;
        }
    }
}

static mb_op op_of(const bench *b, int step)
{
    return b->plan->graph->nodes[b->plan->steps[step].node].op;
}

/* Between two steps: the last one's result, and what the next one reads. */
static int between(void *user, double done, const char *name)
{
    bench *b = user;
    const choice *c = b->choice;
    (void)done;
    (void)name;
    if (b->next > 0 && (c->all_maps || (c->maps && op_of(b, b->next - 1) == c->op))) {
        round_view(&b->plan->steps[b->next - 1].call.out);
    }
    if (b->next < b->plan->n_steps && op_of(b, b->next) == MB_OP_deform_conv2d) {
        const mb_call *call = &b->plan->steps[b->next].call;
        if (c->offsets) {
            round_view(&call->in[1]);
        }
        if (c->modulators) {
            round_view(&call->in[2]);
        }
        if (c->positions) {
            round_positions(call);
        }
    }
    b->next++;
    return 0;
}

/* The table of kernels for a choice. */
static mb_status backend_of(mb_backend *out, const choice *c, mb_error *err)
{
    mb_status status = mb_backend_cpu(out, err);
    if (status != MB_OK || c->set < 0) {
        return status;
    }
    mb_backend all = *out;
    status = mb_backend_cpu_use_bf16(&all, (mb_bf16_set)c->set, err);
    if (status == MB_OK && c->every) {
        *out = all;
    } else if (status == MB_OK) {
        memcpy(out->kernels[c->op], all.kernels[c->op], sizeof out->kernels[c->op]);
    }
    return status;
}

/* All pictures: alpha to out[picture]. */
static mb_status run(bench *b, float *const out[], const choice *c, mb_error *err)
{
    mb_backend backend;
    mb_runner *runner = NULL;
    mb_status status = backend_of(&backend, c, err);
    const mb_runner_options options = {b->pool, &backend, 0, NULL};
    if (status == MB_OK) {
        status = mb_runner_create(&runner, b->weights, b->arch->record, &options, err);
    }
    if (status == MB_OK) {
        status = mb_runner_plan(&b->plan, runner, 1, b->height, b->width, NULL, 0, err);
    }
    b->choice = c;
    for (int i = 0; status == MB_OK && i < b->n_pictures; i++) {
        const mb_view in = mb_plan_view(b->plan, b->arch->input);
        memcpy(in.data, b->pictures[i], (size_t)mb_view_count(&in) * sizeof(float));
        b->next = 0;
        status = mb_plan_run(b->plan, between, b, err);
        const mb_view v = mb_plan_view(b->plan, b->arch->output);
        for (int64_t p = 0; status == MB_OK && p < (int64_t)b->width * b->height; p++) {
            const float y = ((const float *)v.data)[p * v.pitch];
            out[i][p] = b->arch->family == MB_FAMILY_BIREFNET ? 1 / (1 + expf(-y)) : y;
        }
    }
    mb_runner_free(runner);
    return status;
}

static mb_status print_choice(bench *b, const choice *c, mb_error *err)
{
    const size_t n = (size_t)b->width * (size_t)b->height;
    double most = 0, sum = 0, near = 1, iou = 1;
    float *out[MOST_PICTURES];
    for (int i = 0; i < b->n_pictures; i++) {
        out[i] = b->got + (size_t)i * n;
    }
    mb_status status = run(b, out, c, err);
    if (status == MB_E_UNSUPPORTED || status == MB_E_FORMAT) { /* not this processor's; positions that left the map */
        (void)printf("| %s | %s |\n", c->name, err->message);
        *err = (mb_error){0};
        return MB_OK;
    }
    for (int i = 0; status == MB_OK && i < b->n_pictures; i++) {
        size_t close = 0, both = 0, either = 0;
        for (size_t p = 0; p < n; p++) {
            const double want = (double)b->wanted[i][p], is = (double)out[i][p], d = fabs(is - want) * 255;
            most = fmax(most, d);
            sum += d;
            close += d <= 2;
            both += want >= 0.5 && is >= 0.5;
            either += want >= 0.5 || is >= 0.5;
        }
        near = fmin(near, (double)close / (double)n);
        iou = fmin(iou, either > 0 ? (double)both / (double)either : 1);
    }
    if (status == MB_OK) {
        (void)printf("| %s | %.3g, %.2g | %.3f %% | %.5f |\n", c->name, most, sum / (double)n / b->n_pictures,
                     100 * near, iou);
        (void)fflush(stdout);
    }
    return status;
}

static mb_status print_all(bench *b, mb_error *err)
{
    static const choice plain = {.name = "f32", .set = -1};
    static const choice choices[] = {
        {.name = "f32 again", .set = -1},
        {.name = "all products in 16-bit integers", .set = MB_FIXED16_VNNI, .every = true},
        {.name = "the same, AVX2", .set = MB_FIXED16_AVX2, .every = true},
        {.name = "all products in bf16 (AVX512_BF16)", .set = MB_BF16_NATIVE, .every = true},
        {.name = "the same, widened", .set = MB_BF16_AVX2, .every = true},
        {.name = "bf16: linear layers alone", .set = MB_BF16_AVX2, .op = MB_OP_linear},
        {.name = "bf16: convolutions alone", .set = MB_BF16_AVX2, .op = MB_OP_conv2d},
        {.name = "bf16: convolutions of enlarged maps alone", .set = MB_BF16_AVX2, .op = MB_OP_upsample_conv2d},
        {.name = "bf16: deformable convolutions alone", .set = MB_BF16_AVX2, .op = MB_OP_deform_conv2d},
        {.name = "bf16: window attention alone", .set = MB_BF16_AVX2, .op = MB_OP_window_attention},
        {.name = "bf16: ViT attention alone", .set = MB_BF16_AVX2, .op = MB_OP_vit_attention},
        {.name = "integers: linear layers alone", .set = MB_FIXED16_AVX2, .op = MB_OP_linear},
        {.name = "integers: convolutions alone", .set = MB_FIXED16_AVX2, .op = MB_OP_conv2d},
        {.name = "integers: deformable convolutions alone", .set = MB_FIXED16_AVX2, .op = MB_OP_deform_conv2d},
        {.name = "maps in bf16: results of linear layers (the residual stream)",
         .set = -1,
         .op = MB_OP_linear,
         .maps = true},
        {.name = "maps in bf16: results of convolutions", .set = -1, .op = MB_OP_conv2d, .maps = true},
        {.name = "maps in bf16: normalised values", .set = -1, .op = MB_OP_layer_norm, .maps = true},
        {.name = "maps in bf16: every result", .set = -1, .all_maps = true},
        {.name = "offsets in bf16", .set = -1, .offsets = true},
        {.name = "modulators in bf16", .set = -1, .modulators = true},
        {.name = "sampling positions in bf16", .set = -1, .positions = true},
    };
    mb_status status = run(b, b->wanted, &plain, err);
    (void)printf(
        "| choice | alpha off by, largest and mean, of 255 | within 2 levels | IoU |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; status == MB_OK && i < sizeof choices / sizeof choices[0]; i++) {
        status = print_choice(b, &choices[i], err);
    }
    return status;
}

/* A photo, or noise, as the network's input. */
static mb_status read_picture(float *to, const bench *b, const char *path, mb_error *err)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};
    const size_t channels = (size_t)b->arch->input_channels, n = (size_t)b->width * (size_t)b->height;
    mb_image_u8 photo = {0}, small = {0};
    uint32_t state = 12345;
    for (size_t i = 0; i < n * channels; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (float)(state >> 8) * (4.0f / 16777216.0f) - 2.0f;
    }
    if (path == NULL) {
        return MB_OK;
    }
    mb_status status = mb_load_file(NULL, &photo, NULL, path, NULL, err);
    if (status == MB_OK) {
        status = mb_image_u8_rescale(NULL, &small, &photo, b->width, b->height, err);
    }
    for (size_t i = 0; status == MB_OK && i < n * 3; i++) {
        to[i / 3 * channels + i % 3] = ((float)small.v[i] / 255 - mean[i % 3]) / deviation[i % 3];
    }
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&small);
    return status;
}

static mb_status prepare(bench *b, int n_photos, char **photos, mb_error *err)
{
    const size_t n = (size_t)b->width * (size_t)b->height, channels = (size_t)b->arch->input_channels;
    mb_status status = MB_OK;
    b->n_pictures = n_photos > 0 ? n_photos : 1;
    b->got = calloc(n * (size_t)b->n_pictures, sizeof(float));
    for (int i = 0; status == MB_OK && i < b->n_pictures; i++) {
        b->pictures[i] = calloc(n * channels, sizeof(float));
        b->wanted[i] = calloc(n, sizeof(float));
        if (b->got == NULL || b->pictures[i] == NULL || b->wanted[i] == NULL) {
            return mb_fail(err, MB_E_MEMORY, "no memory for %d pictures", b->n_pictures);
        }
        status = read_picture(b->pictures[i], b, n_photos > 0 ? photos[i] : NULL, err);
    }
    return status;
}

int main(int argc, char **argv)
{
    mb_error err = {0};
    mb_weights *weights = NULL;
    bench b = {0};
    if (argc < 3 || argc - 3 > MOST_PICTURES || sscanf(argv[2], "%dx%d", &b.width, &b.height) != 2 || b.width < 1 ||
        b.height < 1 || b.width > 8192 || b.height > 8192) {
        (void)fprintf(stderr, "usage: bench_ablation MODEL.mbw WIDTHxHEIGHT [PHOTO]...\n");
        return 2;
    }
    mb_status status = mb_weights_open(&weights, argv[1], &err);
    b.weights = weights;
    if (status == MB_OK) {
        status = mb_registry_find(&b.arch, weights, &err);
    }
    if (status == MB_OK) {
        status = mb_pool_create(&b.pool, 0, &err);
    }
    if (status == MB_OK) {
        status = prepare(&b, argc - 3, argv + 3, &err);
    }
    if (status == MB_OK) {
        status = print_all(&b, &err);
    }
    for (int i = 0; i < b.n_pictures; i++) {
        free(b.pictures[i]);
        free(b.wanted[i]);
    }
    free(b.got);
    mb_pool_free(b.pool);
    mb_weights_free(weights);
    if (status != MB_OK) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    return status == MB_OK ? 0 : 1;
}
