/* BiRefNet against the official code's outputs: v2 and v1, windows 7 and 12, batches, odd sizes, columns order, Swin-T.
 * The large goldens (MATTEBOX_GOLDENS) are not in the repository. */
#include "harness/model_golden.h"

#define LIMITS .output = "logits", .max_abs = 1e-3, .mean_abs = 5e-5, .tap = 5e-5

static const model_case cases[] = {
    {"birefnet_tiny7_32x32", "tiny7", "none", true, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_32x32", "tiny7", NULL, true, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_32x32", "tiny7", NULL, false, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_64x64", "tiny7", NULL, false, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_b2_96x64", "tiny7", NULL, false, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_columns_96x160", "tiny7_columns", NULL, false, LIMITS, .least_taps = 6},
    {"birefnet_tiny_legacy_64x64", "tiny_legacy_columns", NULL, false, LIMITS, .least_taps = 38},
    {"birefnet_tiny12_96x160", "tiny12", NULL, false, LIMITS, .least_taps = 47},
    {"birefnet_swin_t_288x512", "swin_t", NULL, false, LIMITS, .least_taps = 11},
    /* only where they are at hand */
    {"birefnet_tiny7_96x160", "tiny7", NULL, false, LIMITS, .least_taps = 47},
    {"birefnet_tiny7_224x224", "tiny7", NULL, false, LIMITS, .least_taps = 6},
    {"birefnet_tiny12_416x224", "tiny12", NULL, false, LIMITS, .least_taps = 6},
    {"birefnet_tiny_legacy_96x160", "tiny_legacy_columns", NULL, false, LIMITS, .least_taps = 38},
    {"birefnet_swin_t_1024x1024", "swin_t", NULL, false, LIMITS, .least_taps = 11},
    {"birefnet_swin_l_288x512", "swin_l", NULL, false, LIMITS, .least_taps = 11},
    {"birefnet_swin_l_1024x1024", "swin_l", NULL, false, LIMITS, .least_taps = 11},
    {"birefnet_legacy_l_1024x1024", "legacy_l_columns", NULL, false, LIMITS, .least_taps = 8},
};

MODEL_GOLDENS(cases, 9)
