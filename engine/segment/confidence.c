/* See the header. */
#include "segment/confidence.h"

#include "image/resample/reduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 256, BAND = SIDE / 50 };

/* By weights_tool/train/doubt.py: expected IoU = constant + weights * figures. A soft mask agrees with no result by more than
 * its own strength, or little more; so the agreement counts in shares of that. */
static const double AGREEMENT_WEIGHT = 0.7110, OVERLAP_WEIGHT = -0.3389, CONSTANT = 0.2238;

mb_confidence mb_confidence_of_candidates(const mb_candidates *c, mb_candidate best)
{
    mb_confidence out = {.limit = MB_DOUBTFUL};
    if (!c->usable[best]) {
        (void)snprintf(out.basis, sizeof out.basis, "(nearly) nothing or everything was cut out");
        return out;
    }
    const double agreement = c->features[best][MB_FEATURE_NETWORK], overlap = c->features[best][MB_FEATURE_OVERLAP];
    const double share = fmin(agreement / c->strength, 1); /* the strength is at least 0.5 */
    const double expected = CONSTANT + AGREEMENT_WEIGHT * share + OVERLAP_WEIGHT * overlap;
    out.value = fmin(fmax(expected, 0), 1);
    (void)snprintf(out.basis, sizeof out.basis,
                   "the network agrees by %.1f %%, is %.1f %% sure inside; %.1f %% of the colours are outside too",
                   100 * agreement, 100 * c->strength, 100 * overlap);
    return out;
}

/* Is the outline within the band around (x, y)? */
static bool near_outline(const mb_image_u8 *m, int x, int y)
{
    const bool inside = m->v[(size_t)y * (size_t)m->width + (size_t)x] >= 128;
    for (int v = y - BAND; v <= y + BAND; v++) {
        for (int u = x - BAND; u <= x + BAND; u++) {
            if (u >= 0 && v >= 0 && u < m->width && v < m->height &&
                (m->v[(size_t)v * (size_t)m->width + (size_t)u] >= 128) != inside) {
                return true;
            }
        }
    }
    return false;
}

mb_status mb_confidence_of_mask(const mb_task *task, mb_confidence *out, const mb_image_u8 *mask, mb_error *err)
{
    mb_image_u8 small = {0};
    double sum = 0, n = 0, inside = 0;
    *out = (mb_confidence){.limit = MB_DOUBTFUL_UNDECIDED};
    mb_status status = mb_image_u8_reduce(task, &small, mask, SIDE, err);
    for (int y = 0; y < small.height; y++) {
        for (int x = 0; x < small.width; x++) {
            const int p = small.v[(size_t)y * (size_t)small.width + (size_t)x];
            inside += p >= 128;
            if (near_outline(&small, x, y)) {
                sum += abs(2 * p - 255) / 255.0;
                n++;
            }
        }
    }
    const double area = small.height > 0 ? inside / ((double)small.width * small.height) : 0;
    out->value = n > 0 ? sum / n : inside > 0 ? 1 : 0;
    (void)snprintf(out->basis, sizeof out->basis, "the mask is %.0f %% decided along its outline and fills %.1f %%",
                   100 * out->value, 100 * area);
    mb_image_u8_dispose(&small);
    return status;
}
