#include "harness/narrow.h"

#include "arch.h"
#include "harness/random.h"
#include "writer.h"

#include <math.h>
#include <stdlib.h>

/* Of the last no backbone is looked at. */
static const backbone_arch backbones[NARROW_NETWORKS - 1] = {
    {.family = &backbone_swin,
     .maps = {8, 16, 32, 64},
     .hidden = {16, 32, 64, 128},
     .depths = {2, 1, 1, 1},
     .heads = {1, 2, 2, 4},
     .window = 3},
    {.family = &backbone_swin,
     .maps = {4, 8, 16, 32},
     .hidden = {16, 32, 64, 128},
     .depths = {2, 2, 1, 1},
     .heads = {1, 1, 2, 2},
     .window = 2},
    {.family = &backbone_pvt,
     .maps = {8, 16, 20, 32},
     .hidden = {32, 64, 40, 64},
     .depths = {1, 1, 2, 1},
     .heads = {1, 2, 5, 8},
     .reductions = {8, 4, 2, 1},
     .norm_eps = "1e-6,1e-5"},
    {.family = &backbone_dino,
     .maps = {64, 64, 64, 64},
     .hidden = {72},
     .depths = {4},
     .heads = {1},
     .outputs = {0, 1, 2, 3},
     .registers = 4,
     .gated = true,
     .norm_eps = "1e-5",
     .rope_base = "100"},
    {.family = &backbone_resnet, .maps = {8, 16, 32, 64}, .hidden = {2, 4, 8, 16}, .depths = {1, 2, 1, 1}},
    {.family = &backbone_vgg, .maps = {8, 12, 16, 16}, .batch_norm = true}};

static const vitmatte_arch vitmatte = {.hidden = 24,
                                       .depth = 2,
                                       .heads = 3,
                                       .window = 2,
                                       .patch = 16,
                                       .mlp_ratio = 2,
                                       .table_side = 4,
                                       .global_side = 4,
                                       .windowed = {true, false},
                                       .residual = {false, true},
                                       .bottleneck = 12,
                                       .conv = {6, 8, 10},
                                       .fusion = {12, 10, 8, 6},
                                       .head = 5};

/* The published decoder, narrow. The first network is of the first generation. */
static birefnet_arch narrow(int which)
{
    birefnet_arch a;
    birefnet_fit(&a, &backbones[which], which != 0);
    a.squeeze.inner = 6;
    a.squeeze.branch = 5;
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        a.levels[i] = backbones[which].family->neck ? (int64_t)8 << i : a.backbone.maps[i];
        a.block[i + 1].inner = 4 + i;
        a.block[i + 1].branch = 3 + i;
    }
    for (int i = 1; i <= 5; i++) {
        a.tile_inner[i] = 3;
        a.tile_out[i] = 2;
    }
    return a;
}

/* Values that keep a network's activations of order one. */
static mb_status put_values(mbw_writer *w, const tensor_spec *t, test_random *r)
{
    const bool product = t->kind == SPEC_CONV || t->kind == SPEC_LINEAR || t->kind == SPEC_OFFSET;
    const float middle = t->kind == SPEC_NORM_WEIGHT || t->kind == SPEC_BN_VAR ? 1.0F : 0.0F;
    size_t n = 1, fan_in = 1;
    for (int i = 0; i < t->rank; i++) {
        n *= (size_t)t->dims[i];
        fan_in *= i > 0 ? (size_t)t->dims[i] : 1;
    }
    float *v = malloc(n * sizeof *v);
    const float amplitude = product ? sqrtf(3.0F / (float)fan_in) : 0.25F;
    for (size_t i = 0; v != NULL && i < n; i++) {
        v[i] = middle + test_random_float(r, -amplitude, amplitude);
    }
    const mb_status status = v != NULL ? mbw_writer_data(w, v, n * sizeof *v, NULL) : MB_E_MEMORY;
    free(v);
    return status;
}

static mb_status declare(mbw_writer *w, spec_list *specs, int which)
{
    mb_status status;
    if (which < NARROW_NETWORKS - 1) {
        const birefnet_arch a = narrow(which);
        birefnet_specs(specs, &a);
        status = birefnet_write_meta(w, &a, NULL);
    } else {
        vitmatte_specs(specs, &vitmatte);
        status = vitmatte_write_meta(w, &vitmatte, NULL);
    }
    status = specs->failed ? MB_E_MEMORY : status;
    for (size_t i = 0; i < specs->n && status == MB_OK; i++) {
        const tensor_spec *t = &specs->v[i];
        status = t->ignored ? MB_OK : mbw_writer_tensor(w, t->name, MB_F32, t->rank, t->dims, NULL);
    }
    return status;
}

void *narrow_network(size_t *n, int which)
{
    mbw_writer *w = NULL;
    spec_list specs = {0};
    void *bytes = NULL;
    test_random r = {(uint64_t)which};
    mb_status status = mbw_writer_create(&w, NULL);
    status = status == MB_OK ? declare(w, &specs, which) : status;
    status = status == MB_OK ? mbw_writer_start_memory(w, NULL) : status;
    for (size_t i = 0; i < specs.n && status == MB_OK; i++) {
        status = specs.v[i].ignored ? MB_OK : put_values(w, &specs.v[i], &r);
    }
    status = status == MB_OK ? mbw_writer_finish_memory(w, &bytes, n, NULL) : status;
    mbw_writer_free(w);
    spec_list_dispose(&specs);
    return status == MB_OK ? bytes : NULL;
}
