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
    int least_taps;           /* so many taps must have been compared */
    mb_backend *backend;      /* NULL: the CPU's */
} model_case;

/* All checks of one case; false if it was skipped. */
bool model_golden_check(const model_case *c);
/* The main function of a test of one architecture: all cases, of which at least `shipped` are at hand. */
int model_golden_main(const model_case *cases, int n_cases, int shipped);

#endif
