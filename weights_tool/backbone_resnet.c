/* torchvision's ResNet-50, cut into four parts: bottlenecks of any number. Layer 1 stands in bb.conv1.4, layers 2 to 4
 * are bb.conv2 to bb.conv4; no convolution has a bias. */
#include "backbone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EXPANSION 4 /* outputs of a bottleneck, in widths of its middle */

static const backbone_preset presets[] = {
    {"resnet50", "ResNet-50", {.maps = {256, 512, 1024, 2048}, .hidden = {64, 128, 256, 512}, .depths = {3, 4, 6, 3}}},
};

static const char *const layers[BACKBONE_MAPS] = {"bb.conv1.4", "bb.conv2", "bb.conv3", "bb.conv4"};

static mb_status describe(backbone_arch *a, const source *s, mb_error *err)
{
    static const char *const inner[] = {"conv1.weight", "conv2.weight", "conv3.weight", NULL};
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        const int64_t norm = backbone_dim(s, 0, (int64_t)64 << i, "%s.0.bn1.weight", layers[i]);
        a->hidden[i] = backbone_dim(s, 0, norm, "%s.0.conv1.weight", layers[i]);
        a->maps[i] = EXPANSION * a->hidden[i];
        a->depths[i] = backbone_count(s, inner, "%s.", layers[i]);
        if (a->depths[i] == 0) {
            return mb_fail(err, MB_E_MISMATCH, "layer %d of the backbone has no blocks (%s.0 is missing)", i + 1,
                           layers[i]);
        }
    }
    return MB_OK;
}

static void specs(spec_list *l, const backbone_arch *a)
{
    int64_t in = a->hidden[0];
    spec_add(l, SPEC_CONV, (int64_t[4]){in, 3, 7, 7}, "bb.conv1.0.weight");
    backbone_batch_norm(l, in, "bb.conv1.1");
    for (int i = 0; i < BACKBONE_MAPS; i++) {
        const int64_t p = a->hidden[i], out = a->maps[i];
        for (int k = 0; k < a->depths[i]; k++) {
            spec_add(l, SPEC_CONV, (int64_t[4]){p, in, 1, 1}, "%s.%d.conv1.weight", layers[i], k);
            backbone_batch_norm(l, p, "%s.%d.bn1", layers[i], k);
            spec_add(l, SPEC_CONV, (int64_t[4]){p, p, 3, 3}, "%s.%d.conv2.weight", layers[i], k);
            backbone_batch_norm(l, p, "%s.%d.bn2", layers[i], k);
            spec_add(l, SPEC_CONV, (int64_t[4]){out, p, 1, 1}, "%s.%d.conv3.weight", layers[i], k);
            backbone_batch_norm(l, out, "%s.%d.bn3", layers[i], k);
            if (k == 0) {
                spec_add(l, SPEC_CONV, (int64_t[4]){out, in, 1, 1}, "%s.0.downsample.0.weight", layers[i]);
                backbone_batch_norm(l, out, "%s.0.downsample.1", layers[i]);
            }
            in = out;
        }
    }
}

static double gain(const char *name)
{
    return strstr(name, ".conv3.weight") != NULL ? 0.7 : 1.2;
}

const backbone_family backbone_resnet = {
    .name = "resnet",
    .kind = "ResNet",
    .marks = {"bb.conv1.4.0.conv1.weight", NULL},
    .trace = {"bb.conv1.4.0.conv2.weight", NULL},
    .stages = BACKBONE_MAPS,
    .presets = presets,
    .n_presets = sizeof presets / sizeof presets[0],
    .describe = describe,
    .specs = specs,
    .gain = gain,
};
