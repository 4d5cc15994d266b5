/* The generator: SplitMix64 seeded with FNV-1a-64(name) xor seed; element i is (float)(v * amp + offset) with v a
 * 24-bit fraction in [-1,1). The product is exact in double, so no compiler setting changes a bit. The formula stands
 * in docs/format.md, so that a second implementation can make the same tensors for its own tests. Amplitudes keep
 * activations near unit size through all layers: with plain noise a deep network overflows f16 or fades to zeros, and
 * a test of it would test nothing. */
#include "generate_internal.h"

#include "patch_order.h"

#include "core/alloc.h"
#include "core/hash.h"
#include "gains.inc"
#include "gains_backbones.inc"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GOLDEN 0x9E3779B97F4A7C15u

#define GLOBAL_12 .windowed = {1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0}, .residual = {0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1}

static const generator_variant variants[] = {
    {"birefnet-swin-l", "BiRefNet v2, Swin-L: the size of the published general model (885 MB)"},
    {"birefnet-swin-t", "BiRefNet v2, Swin-T: the size of the published lite model (178 MB)"},
    {"birefnet-legacy-l", "BiRefNet v1, Swin-L: the size of the ep480 file (849 MB)"},
    {"birefnet-tiny7", "BiRefNet v2, window 7, small backbone, for tests (52 MB)"},
    {"birefnet-tiny12", "BiRefNet v2, window 12, small backbone, for tests (59 MB)"},
    {"birefnet-tiny-legacy", "BiRefNet v1, window 12, small backbone, for tests (26 MB)"},
    {"vitmatte-s", "VITMatte-S (103 MB)"},
    {"vitmatte-b", "VITMatte-B (387 MB)"},
    {"vitmatte-tiny4", "VITMatte, window 4, for tests (1 MB)"},
    {"vitmatte-tiny14", "VITMatte, window 14, for tests (4 MB)"},
};

#define SWIN(e)                                                                                                        \
    .family = &backbone_swin, .maps = {(e), 2 * (e), 4 * (e), 8 * (e)}, .hidden = {4 * (e), 8 * (e), 16 * (e), 32 * (e)}

static const built_in models[] = {
    {.backbone = {SWIN(192), .window = 12, .depths = {2, 2, 18, 2}, .heads = {6, 12, 24, 48}},
     .amplitudes = gains_swin_l},
    {.backbone = {SWIN(96), .window = 7, .depths = {2, 2, 6, 2}, .heads = {3, 6, 12, 24}}, .amplitudes = gains_swin_t},
    {.backbone = {SWIN(192), .window = 12, .depths = {2, 2, 18, 2}, .heads = {6, 12, 24, 48}},
     .v1 = true,
     .amplitudes = gains_legacy_l},
    {.backbone = {SWIN(24), .window = 7, .depths = {2, 2, 2, 2}, .heads = {3, 3, 6, 6}}, .amplitudes = gains_tiny7},
    {.backbone = {SWIN(32), .window = 12, .depths = {2, 2, 2, 2}, .heads = {1, 2, 4, 8}}, .amplitudes = gains_tiny12},
    {.backbone = {SWIN(32), .window = 12, .depths = {2, 2, 2, 2}, .heads = {1, 2, 4, 8}},
     .v1 = true,
     .amplitudes = gains_tiny_legacy},
    {.vitmatte = {384, 12, 6, 14, 16, 4, 14, 32, GLOBAL_12, .bottleneck = 192, .conv = {48, 96, 192},
                  .fusion = {256, 128, 64, 32}, .head = 16},
     .last_gain = 1.5},
    {.vitmatte = {768, 12, 12, 14, 16, 4, 14, 32, GLOBAL_12, .bottleneck = 384, .conv = {48, 96, 192},
                  .fusion = {256, 128, 64, 32}, .head = 16},
     .last_gain = 1.2},
    {.vitmatte = {48, 4, 3, 4, 16, 4, 6, 8, .windowed = {1, 0, 1, 0}, .residual = {0, 1, 0, 1}, .bottleneck = 24,
                  .conv = {12, 24, 48}, .fusion = {40, 24, 16, 8}, .head = 16},
     .last_gain = 3},
    {.vitmatte = {128, 3, 2, 14, 16, 4, 14, 32, .windowed = {1, 1, 0}, .residual = {0, 0, 1}, .bottleneck = 64,
                  .conv = {16, 32, 64}, .fusion = {64, 32, 24, 16}, .head = 16},
     .last_gain = 3},
};

/* Calibrated gains of the presets of backbone.h, every convolution and linear layer in the order of the state dict.
 * Presets without a row take those of their family by role, and the decoder's gains of PVTv2-B2. */
static const struct {
    const char *preset;
    const double *gains;
} calibrated[] = {
    {"tiny-pvt", gains_tiny_pvt},
    {"pvt-v2-b2", gains_pvt_v2_b2},
    {"tiny-dino", gains_tiny_dino},
    {"tiny-dino-plus", gains_tiny_dino_plus},
    {"dino-v3-s-plus", gains_dino_v3_s_plus},
    {"dino-v3-b", gains_dino_v3_b},
    {"resnet50", gains_resnet50},
    {"vgg16", gains_vgg16},
    {"vgg16bn", gains_vgg16bn},
};
#define DECODER_GAINS   106
#define DEFAULT_GAINS   (gains_pvt_v2_b2 + sizeof gains_pvt_v2_b2 / sizeof gains_pvt_v2_b2[0] - DECODER_GAINS)
#define SMALL_RESIDUALS 0.03125 /* the factor of "-eps" */

#define N_MODELS (sizeof models / sizeof models[0])

/* The p-th preset of all families; its family. NULL: there are no more. */
static const backbone_preset *preset_at(size_t p, const backbone_family **family)
{
    size_t n;
    const backbone_family *const *families = backbone_families(&n);
    for (size_t i = 0; i < n; i++) {
        if (p < families[i]->n_presets) {
            *family = families[i];
            return &families[i]->presets[p];
        }
        p -= families[i]->n_presets;
    }
    return NULL;
}

/* First the table above, then the presets that are not in it. */
bool generator_variant_at(size_t index, generator_variant *v)
{
    if (index < N_MODELS) {
        *v = variants[index];
        return true;
    }
    index -= N_MODELS;
    const backbone_family *family = NULL;
    for (size_t p = 0;; p++) {
        const backbone_preset *preset = preset_at(p, &family);
        if (preset == NULL) {
            return false;
        }
        bool listed = false;
        for (size_t i = 0; i < N_MODELS; i++) {
            listed = listed || (strncmp(variants[i].name, "birefnet-", 9) == 0 &&
                                strcmp(variants[i].name + 9, preset->name) == 0);
        }
        if (!listed && index-- == 0) {
            (void)snprintf(v->name, sizeof v->name, "birefnet-%s", preset->name);
            v->description = preset->title;
            return true;
        }
    }
}

/* ---- amplitudes */

static bool contains(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

/* `last` is the gain of the last 1x1 convolution, matting_convs.3. */
static double gain_vitmatte(const char *name, double last)
{
    if (contains(name, "embeddings.projection")) {
        return 2.0;
    }
    if (contains(name, ".residual.") || contains(name, ".qkv.") || contains(name, ".fc2.")) {
        return 1.25;
    }
    if (contains(name, "backbone.")) {
        return 1.0;
    }
    return contains(name, "matting_convs.3") ? last : 1.6;
}

static double fan_in_of(const tensor_spec *t)
{
    double fan_in = 1;
    for (int i = 1; i < t->rank; i++) {
        fan_in *= (double)t->dims[i];
    }
    return fan_in;
}

/* Gain of product number *n_all of the network, or number *n_decoder behind the backbone. */
static double product_gain(const generator *g, const tensor_spec *t, size_t *n_all, size_t *n_decoder)
{
    if (!g->is_birefnet) {
        return gain_vitmatte(t->name, g->model->last_gain);
    }
    if (g->gains != NULL) {
        return g->gains[(*n_all)++];
    }
    if (strncmp(t->name, "bb.", 3) == 0) {
        return g->birefnet.backbone.family->gain(t->name);
    }
    return contains(t->name, ".pyramid_neck_") ? 1.0 : DEFAULT_GAINS[(*n_decoder)++];
}

/* Half width of the uniform distribution. Weights are scaled by fan-in and a gain, so that activations stay of order
 * one. For a uniform value in [-1, 1) the variance is amp^2 / 3, so sqrt(3 / fan_in) keeps the size of activations. The
 * counters serve gains that are a list in the order of the specs. */
static float amplitude(const generator *g, const tensor_spec *t, size_t *n_all, size_t *n_decoder)
{
    static const float fixed[] = {
        [SPEC_BIAS] = 0.125F,     [SPEC_OFFSET_BIAS] = 1.0F, [SPEC_NORM_WEIGHT] = 0.25F, [SPEC_LAYER_SCALE] = 0.4F,
        [SPEC_NORM_BIAS] = 0.25F, [SPEC_BN_MEAN] = 0.2F,     [SPEC_BN_VAR] = 0.5F,       [SPEC_TOKEN] = 1.0F,
        [SPEC_TABLE] = 0.5F,      [SPEC_POSITIONS] = 0.5F,   [SPEC_COUNTER] = 0,
    };
    if (t->kind == SPEC_REL_POS) {
        return (float)(0.8 * sqrt(3 / fan_in_of(t)));
    }
    if (t->kind != SPEC_CONV && t->kind != SPEC_LINEAR && t->kind != SPEC_OFFSET) {
        return fixed[t->kind];
    }
    if (g->model != NULL && g->model->amplitudes != NULL && strncmp(t->name, "bb.", 3) != 0) {
        return g->model->amplitudes[(*n_decoder)++];
    }
    return (float)(product_gain(g, t, n_all, n_decoder) * sqrt(3 / fan_in_of(t)));
}

/* "-eps": what writes to the residual stream of the backbone is small, and what reads it behind the backbone is large
 * where no norm stands between. Where factors end the branches, those alone are small. */
static double residual_factor(const generator *g, const tensor_spec *t)
{
    static const char *const writers[] = {"patch_embed", ".attn.proj.", ".attn.sr.", ".fc2."};
    static const char *const readers[] = {"squeeze_module.0.conv_in.weight", "pyramid_neck_x1.conv.weight",
                                          "pyramid_neck_x2.conv.weight", "pyramid_neck_x3.conv.weight"};
    const bool bare = g->birefnet.backbone.family->neck;
    if (!g->small_residuals) {
        return 1;
    }
    if (t->kind == SPEC_TOKEN || t->kind == SPEC_LAYER_SCALE) {
        return SMALL_RESIDUALS;
    }
    for (size_t i = 0; strncmp(t->name, "bb.", 3) == 0 && i < (bare ? 1 : sizeof writers / sizeof writers[0]); i++) {
        if (contains(t->name, writers[i])) {
            return SMALL_RESIDUALS;
        }
    }
    for (size_t i = 0; bare && i < sizeof readers / sizeof readers[0]; i++) {
        if (contains(t->name, readers[i])) {
            return 1 / SMALL_RESIDUALS;
        }
    }
    return 1;
}

static double offset_of(const tensor_spec *t)
{
    const bool one = t->kind == SPEC_NORM_WEIGHT || t->kind == SPEC_BN_VAR;
    return one ? 1.0 : t->kind == SPEC_LAYER_SCALE ? 0.6 : 0.0;
}

/* ---- creation */

/* True if `text` names `name`, with '_' for '-' and without "birefnet-"; what follows is in *rest. */
static bool names(const char *text, const char *name, const char **rest)
{
    static const char prefix[] = "birefnet-";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0 && strncmp(text, "birefnet", 8) != 0) {
        name += sizeof prefix - 1;
    }
    for (; *name != '\0'; name++, text++) {
        if (*text != *name && !(*text == '_' && *name == '-')) {
            return false;
        }
    }
    *rest = text;
    return true;
}

/* What may follow a BiRefNet's name, with '_' for '-'. */
static bool is_suffix(const char *text, const char *word)
{
    return (text[0] == '-' || text[0] == '_') && strcmp(text + 1, word) == 0;
}

/* Suffixes are for BiRefNets alone. */
static bool suffixes_fit(generator *g, const char *rest, bool *batch1)
{
    g->columns = is_suffix(rest, "columns");
    g->small_residuals = is_suffix(rest, "eps");
    *batch1 = is_suffix(rest, "batch1");
    return rest[0] == '\0' || (g->is_birefnet && (g->columns || g->small_residuals || *batch1));
}

/* Row i of the tables of variants and models is one variant; presets have a table of gains or none. */
static bool find_variant(generator *g, const char *variant, bool *batch1)
{
    const backbone_family *family = NULL;
    const char *rest;
    for (size_t i = 0; i < N_MODELS; i++) {
        g->model = &models[i];
        g->is_birefnet = models[i].backbone.family != NULL;
        if (names(variant, variants[i].name, &rest) && suffixes_fit(g, rest, batch1)) {
            memcpy(g->name, variants[i].name, sizeof g->name);
            if (g->is_birefnet) {
                birefnet_fit(&g->birefnet, &models[i].backbone, !models[i].v1);
            }
            return true;
        }
    }
    g->model = NULL;
    g->is_birefnet = true;
    for (size_t p = 0;; p++) {
        const backbone_preset *preset = preset_at(p, &family);
        if (preset == NULL) {
            return false;
        }
        (void)snprintf(g->name, sizeof g->name, "birefnet-%s", preset->name);
        if (!names(variant, g->name, &rest) || !suffixes_fit(g, rest, batch1)) {
            continue;
        }
        for (size_t i = 0; i < sizeof calibrated / sizeof calibrated[0]; i++) {
            g->gains = strcmp(calibrated[i].preset, preset->name) == 0 ? calibrated[i].gains : g->gains;
        }
        backbone_arch backbone = preset->numbers;
        backbone.family = family;
        birefnet_fit(&g->birefnet, &backbone, true);
        return true;
    }
}

/* Only the architecture and the amplitudes are kept; values are computed whenever they are asked for, so a generator
 * of an 885 MB model takes a few kilobytes. */
mb_status generator_create(generator **out, const char *variant, uint64_t seed, mb_error *err)
{
    *out = NULL;
    generator *g = mb_calloc(1, sizeof *g);
    if (g == NULL) {
        return mb_fail_memory(err, sizeof *g, "a generator");
    }
    g->seed = seed;
    bool batch1 = false;
    if (!find_variant(g, variant, &batch1)) {
        generator_free(g);
        return mb_fail(err, MB_E_ARGUMENT,
                       "%.80s: not an architecture that can be generated\n"
                       "mattebox-weights generate --help lists them",
                       variant);
    }
    if (g->is_birefnet) {
        g->columns = g->columns || !g->birefnet.ipt_blk5; /* the code of v1 knows columns only */
        if (batch1) {
            birefnet_drop_norms(&g->birefnet);
        }
        birefnet_specs(&g->specs, &g->birefnet);
    } else {
        vitmatte_specs(&g->specs, &g->model->vitmatte);
    }
    g->amp = g->specs.failed ? NULL : mb_alloc_array(g->specs.n, 2 * sizeof g->amp[0]);
    if (g->amp == NULL) {
        generator_free(g);
        return mb_fail_memory(err, sizeof *g, "a generator");
    }
    g->offset = g->amp + g->specs.n;
    size_t n_all = 0, n_decoder = 0;
    for (size_t i = 0; i < g->specs.n; i++) {
        const tensor_spec *t = &g->specs.v[i];
        const double factor = g->is_birefnet ? residual_factor(g, t) : 1;
        g->amp[i] = (float)((double)amplitude(g, t, &n_all, &n_decoder) * factor);
        g->offset[i] = (float)((double)(float)offset_of(t) * factor);
    }
    *out = g;
    return MB_OK;
}

void generator_free(generator *g)
{
    if (g != NULL) {
        spec_list_dispose(&g->specs);
        mb_free(g->amp);
        mb_free(g);
    }
}

size_t generator_count(const generator *g)
{
    return g->specs.n;
}

const tensor_spec *generator_spec(const generator *g, size_t index)
{
    return &g->specs.v[index];
}

/* ---- values */

/* Element i of a tensor whose stream begins at `state`. 2k - 2^24 is exact, and so is its product with a float amp in
 * double: 25 + 24 bits. */
static float value_at(uint64_t state, uint64_t i, double amp, double offset)
{
    uint64_t z = state + (i + 1) * GOLDEN;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    int64_t k = (int64_t)(z >> 40);
    double v = (double)(2 * k - (1 << 24)) * 0x1p-24;
    return (float)(v * amp + offset);
}

/* Index of key pixel seen from query pixel in the bias table of a w x w window. */
static int64_t window_index(int64_t i, int64_t w)
{
    int64_t q = i / (w * w), k = i % (w * w);
    return (q / w - k / w + w - 1) * (2 * w - 1) + (q % w - k % w + w - 1);
}

/* The stream depends on the name, so a tensor has the same stream of numbers in every architecture that has it. */
static uint64_t state_of(const generator *g, const tensor_spec *t)
{
    return mb_fnv1a64(MB_FNV1A64_BASIS, t->name, strlen(t->name)) ^ g->seed;
}

/* dst holds n floats, or n int64_t for indices and counters. The index table of a window with w pixels a side has w^2
 * rows. */
void generator_fill(const generator *g, size_t index, size_t first, size_t n, void *dst)
{
    const tensor_spec *t = &g->specs.v[index];
    if (t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER) {
        int64_t w = (int64_t)lround(sqrt((double)t->dims[0]));
        for (size_t i = 0; i < n; i++) {
            ((int64_t *)dst)[i] = t->kind == SPEC_INDEX ? window_index((int64_t)(first + i), w) : 0;
        }
        return;
    }
    const uint64_t state = state_of(g, t);
    for (size_t i = 0; i < n; i++) {
        ((float *)dst)[i] = value_at(state, first + i, (double)g->amp[index], (double)g->offset[index]);
    }
}

/* The same for a model file: tile convolutions of a column-order checkpoint with their input channels in row order. */
void generator_fill_as_rows(const generator *g, size_t index, size_t first, size_t n, float *dst)
{
    const tensor_spec *t = &g->specs.v[index];
    const int64_t grid = g->columns ? patch_grid(t->name) : 0;
    if (grid == 0) {
        generator_fill(g, index, first, n, dst);
        return;
    }
    const uint64_t state = state_of(g, t);
    const int64_t kernel = t->dims[2] * t->dims[3], channels = t->dims[1];
    for (size_t i = 0; i < n; i++) {
        int64_t e = (int64_t)(first + i), in_kernel = e % kernel, channel = e / kernel % channels;
        /* The same element of the checkpoint: its channel in column order. */
        int64_t from = (e / kernel / channels * channels + patch_column_channel(channel, grid)) * kernel + in_kernel;
        dst[i] = value_at(state, (uint64_t)from, (double)g->amp[index], (double)g->offset[index]);
    }
}
