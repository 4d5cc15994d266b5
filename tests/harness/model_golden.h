/* Runs a whole network on a golden's picture and compares the output and every tap the golden holds. */
#ifndef MB_TEST_MODEL_GOLDEN_H
#define MB_TEST_MODEL_GOLDEN_H

#include "kernel.h"

typedef struct model_case {
    const char *golden;  /* file of tests/data/goldens, or of the folder MATTEBOX_GOLDENS (skipped if in neither) */
    const char *variant; /* of gen_weights */
    const char *passes;  /* NULL: all; "none" */
    bool reference;      /* kernels/ref alone */
    const char *output;  /* "logits", "alphas" */
    double max_abs, mean_abs; /* limits of the output */
    double tap;               /* limit of every tap, relative to its maximum */
    double noise;             /* limit of the output and every tap in multiples of what the golden records of it, but at
                               * least 1e-6 of its maximum; 0: the limits above. The golden must record every tap */
    int least_taps;           /* so many taps must have been compared */
    mb_backend *backend;      /* NULL: the CPU's */
} model_case;

/* All checks of one case; false if it was skipped. */
bool model_golden_check(const model_case *c);
/* Adds each case as a sub-test. The goldens of the first `shipped` must be there; a later one without is skipped. */
void model_golden_add(const model_case *cases, int n_cases, int shipped);
#define MODEL_GOLDENS(cases, shipped)                                                                                  \
    __attribute__((constructor)) static void model_goldens(void)                                                       \
    {                                                                                                                  \
        model_golden_add(cases, (int)(sizeof(cases) / sizeof((cases)[0])), shipped);                                   \
    }

#endif
