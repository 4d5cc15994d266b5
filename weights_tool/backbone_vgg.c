/* torchvision's VGG-16, with batch norms or without: thirteen 3x3 convolutions in four parts, under the running numbers
 * of torchvision's list of layers (a convolution, its norm, its ReLU and a pooling count one each). */
#include "backbone.h"

#include <inttypes.h>
#include <stdio.h>

#define PARTS BACKBONE_MAPS

static const backbone_preset presets[] = {
    {"vgg16", "VGG-16", {.maps = {128, 256, 512, 512}}},
    {"vgg16bn", "VGG-16 with batch norms", {.maps = {128, 256, 512, 512}, .batch_norm = true}},
};

/* Convolutions of each part; a 0 stands for a pooling between or behind them. */
static const int plan[PARTS][6] = {{1, 1, 0, 2, 2, 0}, {3, 3, 3, 0}, {4, 4, 4, 0}, {5, 5, 5, 0}};

/* Calls one for each convolution: its part, its number in the list and its level, from 1. */
typedef void (*conv_fn)(void *user, int part, int number, int level);

static void each_conv(bool batch_norm, conv_fn one, void *user)
{
    int number = 0;
    for (int part = 0; part < PARTS; part++) {
        for (int i = 0; i < (part == 0 ? 6 : 4); i++) {
            const int level = plan[part][i];
            if (level > 0) {
                one(user, part, number, level);
            }
            number += level == 0 ? 1 : batch_norm ? 3 : 2;
        }
    }
}

/* Widths of the levels, the last seen of each. */
typedef struct reading {
    const source *s;
    int64_t width[6];
} reading;

static void read_conv(void *user, int part, int number, int level)
{
    static const int64_t official[] = {0, 64, 128, 256, 512, 512};
    reading *r = user;
    const int64_t bias = backbone_dim(r->s, 0, official[level], "bb.conv%d.%d.bias", part + 1, number);
    r->width[level] = backbone_dim(r->s, 0, bias, "bb.conv%d.%d.weight", part + 1, number);
}

static mb_status describe(backbone_arch *a, const source *s, mb_error *err)
{
    reading r = {.s = s};
    const int64_t kernel = arch_dim(s, "bb.conv1.0.weight", 3, 3);
    if (kernel != 3) {
        return mb_fail(err, MB_E_MISMATCH,
                       "bb.conv1.0.weight: a kernel of %" PRId64
                       " belongs to no VGG, and a ResNet has bb.conv1.4 since "
                       "2025-04-18; older cuts are not supported",
                       kernel);
    }
    a->batch_norm = backbone_has(s, "bb.conv1.1.running_mean") || backbone_has(s, "bb.conv1.1.running_var");
    each_conv(a->batch_norm, read_conv, &r);
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        a->maps[i] = r.width[i + 2];
    }
    return MB_OK;
}

typedef struct listing {
    spec_list *l;
    const backbone_arch *a;
    int64_t in;
} listing;

static void add_conv(void *user, int part, int number, int level)
{
    listing *t = user;
    const int64_t out = level == 1 ? t->a->maps[0] / 2 : t->a->maps[level - 2];
    backbone_pair(t->l, SPEC_CONV, (int64_t[4]){out, t->in, 3, 3}, "bb.conv%d.%d", part + 1, number);
    if (t->a->batch_norm) {
        backbone_batch_norm(t->l, out, "bb.conv%d.%d", part + 1, number + 1);
    }
    t->in = out;
}

static void specs(spec_list *l, const backbone_arch *a)
{
    listing t = {l, a, 3};
    each_conv(a->batch_norm, add_conv, &t);
}

static double gain(const char *name)
{
    (void)name;
    return 1.3;
}

const backbone_family backbone_vgg = {
    .name = "vgg",
    .kind = "VGG-16",
    .marks = {"bb.conv1.0.weight", NULL},
    .trace = {"bb.conv1.0.bias", NULL},
    .presets = presets,
    .n_presets = sizeof presets / sizeof presets[0],
    .describe = describe,
    .specs = specs,
    .gain = gain,
};
