/* BiRefNet with PVTv2, ResNet-50 and VGG-16 against the official code's outputs: every tap within ten times the noise
 * that the golden records. The larger goldens (MATTEBOX_GOLDENS) are not in the repository; tests/backbones.sh runs
 * them all. */
#include "harness/model_golden.h"

#define LIMITS .output = "logits", .noise = 10

static const model_case cases[] = {
    {"birefnet_tiny_pvt_64x64", "tiny_pvt", "none", true, LIMITS, .least_taps = 53},
    {"birefnet_tiny_pvt_64x64", "tiny_pvt", NULL, false, LIMITS, .least_taps = 53},
    {"birefnet_tiny_pvt_eps_64x96", "tiny_pvt_eps", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_tiny_pvt_b2_96x64", "tiny_pvt", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_resnet50_32x32", "resnet50", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_vgg16_64x96", "vgg16", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_vgg16bn_64x64", "vgg16bn", NULL, false, LIMITS, .least_taps = 10},
    /* only where they are at hand */
    {"birefnet_tiny_pvt_96x160", "tiny_pvt", "none", false, LIMITS, .least_taps = 53},
    {"birefnet_tiny_pvt_96x160", "tiny_pvt", NULL, false, LIMITS, .least_taps = 53},
    {"birefnet_tiny_pvt_224x352", "tiny_pvt", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_tiny_pvt_512x416", "tiny_pvt", NULL, false, LIMITS, .least_taps = 16},
    {"birefnet_resnet50_64x64", "resnet50", "none", false, LIMITS, .least_taps = 10},
    {"birefnet_resnet50_64x64", "resnet50", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_resnet50_96x160", "resnet50", NULL, false, LIMITS, .least_taps = 16},
    {"birefnet_vgg16bn_96x160", "vgg16bn", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_pvt_v2_b2_288x416", "pvt_v2_b2", NULL, false, LIMITS, .least_taps = 16},
};

MODEL_GOLDENS(cases, 7)
