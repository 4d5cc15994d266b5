/* BiRefNet with DINOv3 against the official code's outputs: every tap within ten times the noise that the golden records.
 * The larger goldens (MATTEBOX_GOLDENS) are not in the repository; tests/dino_v3.sh runs them all. */
#include "harness/model_golden.h"

#define LIMITS .output = "logits", .noise = 10

static const model_case cases[] = {
    {"birefnet_tiny_dino_32x32", "tiny_dino", "none", true, LIMITS, .least_taps = 43},
    {"birefnet_tiny_dino_32x32", "tiny_dino", NULL, false, LIMITS, .least_taps = 43},
    {"birefnet_tiny_dino_plus_64x96", "tiny_dino_plus", NULL, false, LIMITS, .least_taps = 43},
    {"birefnet_tiny_dino_eps_64x96", "tiny_dino_eps", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_tiny_dino_b2_64x96", "tiny_dino", NULL, false, LIMITS, .least_taps = 10},
    /* only where they are at hand */
    {"birefnet_tiny_dino_64x64", "tiny_dino", NULL, false, LIMITS, .least_taps = 43},
    {"birefnet_tiny_dino_96x160", "tiny_dino", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_tiny_dino_512x704", "tiny_dino", NULL, false, LIMITS, .least_taps = 18},
    {"birefnet_tiny_dino_plus_224x128", "tiny_dino_plus", NULL, false, LIMITS, .least_taps = 10},
    {"birefnet_dino_v3_s_plus_224x160", "dino_v3_s_plus", NULL, false, LIMITS, .least_taps = 18},
    {"birefnet_dino_v3_b_288x416", "dino_v3_b", NULL, false, LIMITS, .least_taps = 18},
};

MODEL_GOLDENS(cases, 5)
