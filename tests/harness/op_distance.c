#include "harness/op_harness.h"

#include <math.h>
#include <string.h>

double op_distance(const float *a, const float *b, size_t n)
{
    double error = 0, magnitude = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) {
            if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
                return INFINITY;
            }
            continue;
        }
        error = fmax(error, fabs((double)a[i] - (double)b[i]));
        magnitude = fmax(magnitude, fabs((double)b[i]));
    }
    return error == 0 ? 0 : error / magnitude;
}
