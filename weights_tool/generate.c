/* The generator: SplitMix64 seeded with FNV-1a-64(name) xor seed; element i is (float)(v * amp + offset) with v a
 * 24-bit fraction in [-1,1). The product is exact in double, so no compiler setting changes a bit. */
#include "generate.h"

#include "arch.h"
#include "patch_order.h"

#include "core/alloc.h"
#include "core/hash.h"
#include "gains.inc"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHUNK  ((size_t)1 << 16) /* elements made at a time */
#define GOLDEN 0x9E3779B97F4A7C15u

#define V1_DECODER                                                                                                     \
    .squeeze = {64, 256, 1, {3}},                                                                                      \
    .block = {{0}, {64, 256, 1, {3}}, {64, 256, 1, {3}}, {64, 256, 1, {3}}, {64, 256, 1, {3}}}
#define V2_DECODER                                                                                                     \
    .ipt_blk5 = true, .gate4 = true, .squeeze = {64, 256, 3, {1, 3, 7}},                                               \
    .block = {{0}, {64, 256, 3, {1, 3, 7}}, {64, 256, 3, {1, 3, 7}}, {64, 256, 3, {1, 3, 7}}, {64, 256, 3, {1, 3, 7}}}
#define WIDTHS(e)                                                                                                      \
    .embed_dim = (e), .mlp_ratio = 4, .tile_inner = {0, 64, 64, 64, 64, 64},                                           \
    .tile_out = {0, (e) / 4, (e) / 2, (e), 2 * (e), 2 * (e)}, .gate_width = {0, 0, 16, 16, 16}

typedef struct built_in {
    birefnet_arch birefnet; /* embed_dim 0: it is a VITMatte */
    vitmatte_arch vitmatte;
    const float *gains;
    double last_gain; /* VITMatte: of the last 1x1 convolution */
} built_in;

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

static const built_in models[] = {
    {.birefnet = {WIDTHS(192), .window = 12, .depths = {2, 2, 18, 2}, .heads = {6, 12, 24, 48}, V2_DECODER},
     .gains = gains_swin_l},
    {.birefnet = {WIDTHS(96), .window = 7, .depths = {2, 2, 6, 2}, .heads = {3, 6, 12, 24}, V2_DECODER},
     .gains = gains_swin_t},
    {.birefnet = {WIDTHS(192), .window = 12, .depths = {2, 2, 18, 2}, .heads = {6, 12, 24, 48}, V1_DECODER},
     .gains = gains_legacy_l},
    {.birefnet = {WIDTHS(24), .window = 7, .depths = {2, 2, 2, 2}, .heads = {3, 3, 6, 6}, V2_DECODER},
     .gains = gains_tiny7},
    {.birefnet = {WIDTHS(32), .window = 12, .depths = {2, 2, 2, 2}, .heads = {1, 2, 4, 8}, V2_DECODER},
     .gains = gains_tiny12},
    {.birefnet = {WIDTHS(32), .window = 12, .depths = {2, 2, 2, 2}, .heads = {1, 2, 4, 8}, V1_DECODER},
     .gains = gains_tiny_legacy},
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

struct generator {
    const built_in *model;
    const char *name;
    birefnet_arch birefnet; /* the model's, or without its norms */
    bool columns;
    uint64_t seed;
    spec_list specs;
    float *amp; /* of each tensor */
};

const generator_variant *generator_variants(size_t *n)
{
    *n = sizeof variants / sizeof variants[0];
    return variants;
}

/* ---- amplitudes */

static bool contains(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

static double gain_swin(const char *name)
{
    return contains(name, ".qkv.") ? 1.25 : contains(name, ".attn.proj.") ? 0.5 : contains(name, ".fc2.") ? 0.75 : 1.0;
}

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

/* Half width of the uniform distribution. Weights are scaled by fan-in and a gain, so that activations stay of order
 * one; n_decoder counts BiRefNet's decoder tensors, whose gains are a table. */
static float amplitude(const generator *g, const tensor_spec *t, size_t *n_decoder)
{
    static const float fixed[] = {
        [SPEC_BIAS] = 0.125F,     [SPEC_OFFSET_BIAS] = 1.0F, [SPEC_NORM_WEIGHT] = 0.25F,
        [SPEC_NORM_BIAS] = 0.25F, [SPEC_BN_MEAN] = 0.2F,     [SPEC_BN_VAR] = 0.5F,
        [SPEC_TABLE] = 0.5F,      [SPEC_POSITIONS] = 0.5F,   [SPEC_COUNTER] = 0,
    };
    double fan_in = 1;
    for (int i = 1; i < t->rank; i++) {
        fan_in *= (double)t->dims[i];
    }
    if (t->kind == SPEC_REL_POS) {
        return (float)(0.8 * sqrt(3 / fan_in));
    }
    if (t->kind != SPEC_CONV && t->kind != SPEC_LINEAR && t->kind != SPEC_OFFSET) {
        return fixed[t->kind];
    }
    if (g->model->gains == NULL) {
        return (float)(gain_vitmatte(t->name, g->model->last_gain) * sqrt(3 / fan_in));
    }
    if (strncmp(t->name, "bb.", 3) == 0) {
        return (float)(gain_swin(t->name) * sqrt(3 / fan_in));
    }
    return g->model->gains[(*n_decoder)++];
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

/* Names are a variant, optionally with -columns or -batch1 (BiRefNet only). NULL: no such name. */
static const built_in *find_variant(const char *variant, bool *columns, bool *batch1, const char **name)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        const char *rest;
        if (!names(variant, variants[i].name, &rest)) {
            continue;
        }
        *columns = is_suffix(rest, "columns");
        *batch1 = is_suffix(rest, "batch1");
        *name = variants[i].name;
        if (rest[0] == '\0' || ((*columns || *batch1) && models[i].gains != NULL)) {
            return &models[i];
        }
    }
    return NULL;
}

mb_status generator_create(generator **out, const char *variant, uint64_t seed, mb_error *err)
{
    *out = NULL;
    generator *g = mb_calloc(1, sizeof *g);
    if (g == NULL) {
        return mb_fail_memory(err, sizeof *g, "a generator");
    }
    g->seed = seed;
    bool batch1 = false;
    g->model = find_variant(variant, &g->columns, &batch1, &g->name);
    if (g->model == NULL) {
        generator_free(g);
        return mb_fail(err, MB_E_ARGUMENT,
                       "%.80s: not an architecture that can be generated\n"
                       "mattebox-weights generate --help lists them",
                       variant);
    }
    if (g->model->gains != NULL) {
        g->columns = g->columns || !g->model->birefnet.ipt_blk5; /* the code of v1 knows columns only */
        g->birefnet = g->model->birefnet;
        if (batch1) {
            birefnet_drop_norms(&g->birefnet);
        }
        birefnet_specs(&g->specs, &g->birefnet);
    } else {
        vitmatte_specs(&g->specs, &g->model->vitmatte);
    }
    g->amp = g->specs.failed ? NULL : mb_alloc_array(g->specs.n, sizeof g->amp[0]);
    if (g->amp == NULL) {
        generator_free(g);
        return mb_fail_memory(err, sizeof *g, "a generator");
    }
    size_t n_decoder = 0;
    for (size_t i = 0; i < g->specs.n; i++) {
        g->amp[i] = amplitude(g, &g->specs.v[i], &n_decoder);
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

static double offset_of(const tensor_spec *t)
{
    return t->kind == SPEC_NORM_WEIGHT || t->kind == SPEC_BN_VAR ? 1.0 : 0.0;
}

static uint64_t state_of(const generator *g, const tensor_spec *t)
{
    return mb_fnv1a64(MB_FNV1A64_BASIS, t->name, strlen(t->name)) ^ g->seed;
}

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
        ((float *)dst)[i] = value_at(state, first + i, (double)g->amp[index], offset_of(t));
    }
}

/* The same for a model file: tile convolutions of a column-order checkpoint with their input channels in row order. */
static void fill_as_rows(const generator *g, size_t index, size_t first, size_t n, float *dst)
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
        int64_t from = (e / kernel / channels * channels + patch_column_channel(channel, grid)) * kernel + in_kernel;
        dst[i] = value_at(state, (uint64_t)from, (double)g->amp[index], offset_of(t));
    }
}

/* ---- files */

static size_t elements(const tensor_spec *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) {
        n *= (size_t)t->dims[i]; /* built-in shapes: far from overflow */
    }
    return n;
}

/* Metadata and table of the model file, before any value. */
static mb_status declare(const generator *g, mbw_writer *w, mb_dtype dtype, mb_error *err)
{
    mb_status status;
    char note[160];
    if (g->model->gains != NULL) {
        MB_TRY(birefnet_write_meta(w, &g->birefnet, err));
        MB_TRY(mbw_writer_meta(w, "source.patch_order", g->columns ? "columns" : "rows", err));
        MB_TRY(mbw_writer_meta(w, "input.width", "1024", err));
        MB_TRY(mbw_writer_meta(w, "input.height", "1024", err));
        MB_TRY(mbw_writer_meta(w, "task", "general", err));
    } else {
        MB_TRY(vitmatte_write_meta(w, &g->model->vitmatte, err));
    }
    (void)snprintf(note, sizeof note, "generated: %s, seed %llu", g->name, (unsigned long long)g->seed);
    MB_TRY(mbw_writer_meta(w, "source.file", note, err));
    MB_TRY(mbw_writer_meta(w, "name", g->name, err));
    MB_TRY(mbw_writer_meta(w, "licence", "CC0-1.0: pseudo-random numbers, no training data", err));
    for (size_t i = 0; i < g->specs.n; i++) {
        const tensor_spec *t = &g->specs.v[i];
        if (!t->ignored) {
            MB_TRY(mbw_writer_tensor(w, t->name, dtype, t->rank, t->dims, err));
        }
    }
done:
    return status;
}

/* The values in the table's order, chunk by chunk. */
static mb_status stream(const generator *g, mbw_writer *w, mb_dtype dtype, mb_error *err)
{
    mb_status status = MB_OK;
    float *values = mb_alloc_array(CHUNK, sizeof values[0]);
    uint16_t *narrow = mb_alloc_array(CHUNK, sizeof narrow[0]);
    if (values == NULL || narrow == NULL) {
        status = mb_fail_memory(err, CHUNK * sizeof values[0], "generated weights");
        goto done;
    }
    for (size_t i = 0; i < g->specs.n; i++) {
        const size_t count = g->specs.v[i].ignored ? 0 : elements(&g->specs.v[i]);
        for (size_t at = 0; at < count; at += CHUNK) {
            size_t n = count - at < CHUNK ? count - at : CHUNK;
            fill_as_rows(g, i, at, n, values);
            const void *bytes = values;
            if (dtype != MB_F32) {
                mb_from_f32(narrow, values, dtype, n);
                bytes = narrow;
            }
            MB_TRY(mbw_writer_data(w, bytes, n * mb_dtype_size(dtype), err));
        }
    }
done:
    mb_free(values);
    mb_free(narrow);
    return status;
}

mb_status generate_file(const generator *g, const char *path, bool replace, mb_dtype dtype, mb_error *err)
{
    mbw_writer *w = NULL;
    mb_status status;
    MB_TRY(mbw_writer_create(&w, err));
    MB_TRY(declare(g, w, dtype, err));
    MB_TRY(mbw_writer_start_file(w, path, replace, err));
    MB_TRY(stream(g, w, dtype, err));
    status = mbw_writer_finish_file(w, err);
done:
    mbw_writer_free(w);
    return status;
}

/* A model in memory, for tests and benchmarks. *out owns its bytes. */
mb_status generate_memory(const generator *g, mb_weights **out, mb_dtype dtype, mb_error *err)
{
    mbw_writer *w = NULL;
    void *data;
    size_t bytes;
    mb_status status;
    *out = NULL;
    MB_TRY(mbw_writer_create(&w, err));
    MB_TRY(declare(g, w, dtype, err));
    MB_TRY(mbw_writer_start_memory(w, err));
    MB_TRY(stream(g, w, dtype, err));
    MB_TRY(mbw_writer_finish_memory(w, &data, &bytes, err));
    status = mb_weights_open_owned(out, data, bytes, err);
done:
    mbw_writer_free(w);
    return status;
}

/* ---- as a checkpoint */

typedef struct checkpoint {
    const generator *g;
    mb_dtype dtype;
    float *scratch; /* for narrowing: as many elements as a piece of f16 holds */
    size_t capacity;
} checkpoint;

/* Called by the safetensors writer for any part of any tensor: values depend on index and offset alone. */
static mb_status read_piece(void *user, size_t index, size_t offset, void *dst, size_t bytes, mb_error *err)
{
    checkpoint *c = user;
    const spec_kind kind = c->g->specs.v[index].kind;
    if (kind == SPEC_INDEX || kind == SPEC_COUNTER) {
        generator_fill(c->g, index, offset / 8, bytes / 8, dst);
        return MB_OK;
    }
    size_t size = mb_dtype_size(c->dtype), n = bytes / size;
    if (c->dtype == MB_F32) {
        generator_fill(c->g, index, offset / size, n, dst);
        return MB_OK;
    }
    if (n > c->capacity) {
        return mb_fail(err, MB_E_INTERNAL, "a piece of %zu bytes exceeds the agreed size", bytes);
    }
    generator_fill(c->g, index, offset / size, n, c->scratch);
    mb_from_f32(dst, c->scratch, c->dtype, n);
    return MB_OK;
}

/* A checkpoint as the official code would save it, with its integer buffers, for tests of convert. */
mb_status generate_safetensors(const generator *g, const char *path, bool replace, mb_dtype dtype, mb_error *err)
{
    static const mb_st_dtype types[] = {[MB_F32] = MB_ST_F32, [MB_F16] = MB_ST_F16, [MB_BF16] = MB_ST_BF16};
    static const char *const meta[] = {"format", "pt"};
    checkpoint c = {g, dtype, NULL, (size_t)1 << 19};
    mb_status status;
    mb_st_tensor *tensors = mb_calloc(g->specs.n, sizeof tensors[0]);
    c.scratch = mb_alloc_array(c.capacity, sizeof c.scratch[0]);
    if (tensors == NULL || c.scratch == NULL) {
        status = mb_fail_memory(err, g->specs.n * sizeof tensors[0], "generated weights");
        goto done;
    }
    for (size_t i = 0; i < g->specs.n; i++) {
        const tensor_spec *t = &g->specs.v[i];
        bool integer = t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER;
        tensors[i] = (mb_st_tensor){.name = t->name, .dtype = integer ? MB_ST_I64 : types[dtype], .rank = t->rank};
        memcpy(tensors[i].dims, t->dims, sizeof t->dims);
        tensors[i].bytes = elements(t) * mb_st_dtype_size(tensors[i].dtype);
    }
    mb_st_contents contents = {tensors, g->specs.n, meta, 1, read_piece, &c};
    status = mb_safetensors_write(path, &contents, replace, err);
done:
    mb_free(tensors);
    mb_free(c.scratch);
    return status;
}
