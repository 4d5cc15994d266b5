/* Choosing a seed (see the header). Everything happens on a copy of 320 pixels. */
#include "refine/choose.h"

#include "core/alloc.h"
#include "refine/reduce.h"
#include "refine/snap.h"
#include "refine/superpixel.h"

#include <math.h>
#include <stdbool.h>

enum { SIDE = 320, LEVELS = 8, HUES = 12, CELLS = LEVELS * HUES * HUES };

/* The photographer points at the subject: a share of the network's seed is a box in the middle. */
static const float BOX_HALF = 0.36f, BOX_SHARE = 0.3f, BOX_INSIDE = 0.9f, BOX_OUTSIDE = 0.1f;
/* The network's seed must be better by the margin: saliency is right more often. */
static const double WEIGHT_OVERLAP = -1.0, WEIGHT_AGREEMENT = 1.5, MARGIN = 0.1;

static int cell_of(const float *lab)
{
    int l = (int)(lab[0] * (LEVELS / 100.0f)), a = (int)((lab[1] + 60) / 10), b = (int)((lab[2] + 60) / 10);
    l = l < 0 ? 0 : l >= LEVELS ? LEVELS - 1 : l;
    a = lab[1] < -60 ? 0 : a >= HUES ? HUES - 1 : a;
    b = lab[2] < -60 ? 0 : b >= HUES ? HUES - 1 : b;
    return (l * HUES + a) * HUES + b;
}

mb_status mb_choose_judge(mb_choose_figures *out, const mb_picture *rgb, const mb_picture *mask, const mb_picture *seed,
                          mb_error *err)
{
    size_t n = (size_t)rgb->width * (size_t)rgb->height;
    float *lab = mb_alloc_array(n, 3 * sizeof *lab);
    double *count = mb_calloc(CELLS, 2 * sizeof *count);
    if (lab == NULL || count == NULL) {
        mb_free(lab);
        mb_free(count);
        return mb_fail_memory(err, n * 12, "the choice of a mask");
    }
    double inside = 0, both = 0, either = 0, overlap = 0;
    mb_rgb_to_lab(lab, rgb->v, n, rgb->channels);
    for (size_t i = 0; i < n; i++) {
        bool in = mask->v[i] >= 128;
        double s = seed->v[i] / 255.0;
        count[2 * cell_of(lab + 3 * i) + in]++;
        inside += in;
        both += in ? s : 0;
        either += in ? 1 : s;
    }
    for (size_t c = 0; c < CELLS; c++) {
        overlap += fmin(count[2 * c], count[2 * c + 1]);
    }
    double least = fmin(inside, (double)n - inside);
    *out = (mb_choose_figures){least > 0 ? overlap / least : 1.0, either > 0 ? both / either : 0.0};
    mb_free(lab);
    mb_free(count);
    return MB_OK;
}

/* Network and middle, of the network's own size. */
static mb_status lean_to_middle(mb_picture *out, const mb_picture *network, mb_error *err)
{
    mb_status status = mb_picture_create(out, network->width, network->height, 1, err);
    for (int y = 0; status == MB_OK && y < out->height; y++) {
        float v = fabsf(((float)y + 0.5f) / (float)out->height - 0.5f);
        for (int x = 0; x < out->width; x++) {
            float u = fabsf(((float)x + 0.5f) / (float)out->width - 0.5f);
            float box = u < BOX_HALF && v < BOX_HALF ? BOX_INSIDE : BOX_OUTSIDE;
            size_t i = (size_t)y * (size_t)out->width + (size_t)x;
            out->v[i] = (uint8_t)((1 - BOX_SHARE) * network->v[i] + BOX_SHARE * 255.0f * box + 0.5f);
        }
    }
    return status;
}

/* What snap makes of a seed, judged. */
static mb_status try_seed(double *score, const mb_picture *small, const mb_picture *seed, const mb_picture *network,
                          mb_error *err)
{
    mb_picture snapped = {0};
    mb_choose_figures f;
    mb_status status = mb_snap(&snapped, small, seed, NULL, err);
    if (status == MB_OK) {
        status = mb_choose_judge(&f, small, &snapped, network, err);
    }
    if (status == MB_OK) {
        *score = WEIGHT_OVERLAP * f.overlap + WEIGHT_AGREEMENT * f.agreement;
    }
    mb_picture_dispose(&snapped);
    return status;
}

mb_status mb_choose(mb_picture *out, const mb_picture *rgb, const mb_picture *network, const mb_picture *saliency,
                    mb_error *err)
{
    mb_status status = MB_OK;
    mb_picture small = {0}, seen = {0}, seeds[2] = {{0}, {0}};
    double score[2];
    *out = (mb_picture){0};
    if (rgb->channels < 3 || network->channels != 1 || saliency->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "a choice of masks needs an RGB picture and grey masks");
    }
    MB_TRY(mb_picture_reduce(&small, rgb, SIDE, err));
    MB_TRY(mb_picture_rescale(&seen, network, small.width, small.height, err));
    MB_TRY(lean_to_middle(&seeds[0], &seen, err));
    MB_TRY(mb_picture_rescale(&seeds[1], saliency, small.width, small.height, err));
    for (int i = 0; i < 2; i++) {
        MB_TRY(try_seed(&score[i], &small, &seeds[i], &seen, err));
    }
    MB_TRY(mb_picture_rescale(out, &seeds[score[0] <= score[1] + MARGIN], rgb->width, rgb->height, err));
done:
    mb_picture_dispose(&small);
    mb_picture_dispose(&seen);
    mb_picture_dispose(&seeds[0]);
    mb_picture_dispose(&seeds[1]);
    return status;
}
