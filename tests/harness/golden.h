/* Golden tensors (safetensors) and comparison with them. */
#ifndef MB_TEST_GOLDEN_H
#define MB_TEST_GOLDEN_H

#include "weights/safetensors.h"

typedef struct golden_difference {
    bool comparable; /* the tensor exists and the counts match */
    size_t count;
    double max_abs, mean_abs; /* of got - want; infinite where one side is not finite */
    double want_max;          /* largest magnitude of the golden */
    double relative;          /* max_abs / want_max */
    size_t worst;             /* index of the largest difference */
} golden_difference;

/* NAME or NAME.safetensors in tests/data/goldens (the folder is `folder`, usually MB_TEST_DATA "/goldens"). */
MB_MUST_CHECK mb_status golden_open(mb_safetensors **out, const char *folder, const char *name, mb_error *err);

/* Elements of a tensor as floats, in the golden's own order; NULL: absent or no memory. Free with free(). */
float *golden_floats(const mb_safetensors *g, const char *name, size_t *count);

/* Compares `got` (count values in the golden's order) with a tensor. */
golden_difference golden_compare(const mb_safetensors *g, const char *name, const float *got, size_t count);
/* The same with `got` channels last: [N][H][W][pitch] against a golden [N,C,H,W]. */
golden_difference golden_compare_nhwc(const mb_safetensors *g, const char *name, const float *got, size_t pitch);

/* What the golden's metadata records of a tap (its tensors may hold a part of it): how far the official code in f32 is
 * from itself in f64, and the largest magnitude. False: nothing. */
bool golden_noise(double *noise, double *largest, const mb_safetensors *g, const char *tap);

#endif
