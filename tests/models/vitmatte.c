/* VITMatte against the official code's outputs: windows with and without padding, tables shrunk and enlarged, batches,
 * trimaps with levels in between. */
#include "harness/model_golden.h"

#define LIMITS .output = "alphas", .max_abs = 1e-4, .mean_abs = 1e-5, .tap = 1e-4

static const model_case cases[] = {
    {"vitmatte_tiny4_64x64", "vitmatte_tiny4", "none", true, LIMITS, .least_taps = 24},
    {"vitmatte_tiny4_64x64", "vitmatte_tiny4", NULL, true, LIMITS, .least_taps = 24},
    {"vitmatte_tiny4_64x64", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 24},
    {"vitmatte_tiny4_20x31", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 24},
    {"vitmatte_tiny4_33x161", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_tiny4_b2_48x80", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_tiny4_ramp_70x130", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_tiny14_64x96", "vitmatte_tiny14", NULL, false, LIMITS, .least_taps = 20},
    {"vitmatte_tiny14_512x288", "vitmatte_tiny14", NULL, false, LIMITS, .least_taps = 9},
    /* only where they are at hand */
    {"vitmatte_tiny4_96x96", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_tiny4_100x75", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 23},
    {"vitmatte_tiny4_128x128", "vitmatte_tiny4", NULL, false, LIMITS, .least_taps = 23},
    {"vitmatte_tiny14_224x224", "vitmatte_tiny14", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_tiny14_250x330", "vitmatte_tiny14", NULL, false, LIMITS, .least_taps = 7},
    {"vitmatte_s_512x672", "vitmatte_s", NULL, false, LIMITS, .least_taps = 9},
    {"vitmatte_b_512x512", "vitmatte_b", NULL, false, LIMITS, .least_taps = 9},
};

MODEL_GOLDENS(cases, 9)
