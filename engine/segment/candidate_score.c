/* Features of cut-outs (see the header). */
#include "segment/candidate_score.h"

#include "core/alloc.h"
#include "image/connected_components.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 8, HUES = 12, CELLS = LEVELS * HUES * HUES };

/* Beyond these shares of the picture a cut-out says nothing. */
static const double LEAST = 0.002, MOST = 0.998;

/* The histogram cell of a colour: 8 steps of L*, 12 of a* and of b* from -60 to 60. */
static int32_t cell_of(const float *lab)
{
    int l = (int)(lab[0] * (LEVELS / 100.0f)), a = (int)((lab[1] + 60) / 10), b = (int)((lab[2] + 60) / 10);
    l = l < 0 ? 0 : l >= LEVELS ? LEVELS - 1 : l;
    a = lab[1] < -60 ? 0 : a >= HUES ? HUES - 1 : a;
    b = lab[2] < -60 ? 0 : b >= HUES ? HUES - 1 : b;
    return (l * HUES + a) * HUES + b;
}

static bool inside(const mb_image_u8 *cut, size_t i)
{
    return cut->v[i] >= 128;
}

/* Histograms of the colours inside and outside -> their overlap. */
static mb_status measure_overlap(double *f, const mb_lab *lab, const mb_image_u8 *cut, double area, mb_error *err)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    uint32_t *count = mb_calloc(CELLS, 2 * sizeof *count); /* [cell][outside, inside] */
    if (!count) {
        return mb_fail_memory(err, CELLS * 2 * sizeof *count, "the choice of a mask");
    }
    for (size_t i = 0; i < n; i++) {
        count[2 * cell_of(lab->v + 3 * i) + inside(cut, i)]++;
    }
    double both = 0;
    for (size_t c = 0; c < CELLS; c++) {
        both += count[2 * c] < count[2 * c + 1] ? count[2 * c] : count[2 * c + 1];
    }
    f[MB_FEATURE_OVERLAP] = both / fmin(area, (double)n - area);
    mb_free(count);
    return MB_OK;
}

/* Agreement with the soft masks of network and saliency. */
static void measure_agreement(double *f, const mb_score_inputs *in, const mb_image_u8 *cut, double area)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    double seen = 0, seen_inside = 0, salient_inside = 0;
    for (size_t i = 0; i < n; i++) {
        bool within = inside(cut, i);
        seen += in->network->v[i] / 255.0;
        seen_inside += within ? in->network->v[i] / 255.0 : 0;
        salient_inside += within ? in->saliency->v[i] / 255.0 : 0;
    }
    f[MB_FEATURE_NETWORK] = seen_inside / fmax(area + seen - seen_inside, 1e-6);
    f[MB_FEATURE_NETWORK_OUT] = (seen - seen_inside) / ((double)n - area);
    f[MB_FEATURE_SALIENCY_IN] = salient_inside / area;
}

/* Length of the outline, the sides it touches, its centre. */
static void measure_shape(double *f, const mb_image_u8 *cut, double area)
{
    int width = cut->width, height = cut->height;
    double edges = 0, cx = 0, cy = 0, sides = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            bool in = inside(cut, i);
            edges += x + 1 < width && in != inside(cut, i + 1);
            edges += y + 1 < height && in != inside(cut, i + (size_t)width);
            cx += in ? x : 0;
            cy += in ? y : 0;
            sides += in ? (x == 0) + (x == width - 1) : 0;
        }
    }
    f[MB_FEATURE_SIDES] = sides / (2.0 * height);
    f[MB_FEATURE_LENGTH] = edges / sqrt(area) / 10;
    f[MB_FEATURE_OFF_CENTRE] = hypot(cx / area / width - 0.5, cy / area / height - 0.5);
}

/* Share of the area outside the largest component. */
static mb_status measure_components(const mb_task *task, double *f, const mb_image_u8 *cut, double area, mb_error *err)
{
    mb_status status = MB_OK;
    mb_connected c;
    int64_t largest = 0;
    MB_TRY(mb_connected_find(task, &c, cut, 128, MB_CONNECT_8, err));
    for (int32_t k = 1; k <= c.count; k++) {
        largest = c.area[k] > largest ? c.area[k] : largest;
    }
    f[MB_FEATURE_PIECES] = 1 - (double)largest / area;
done:
    mb_connected_dispose(&c);
    return status;
}

/* Cheap ones first: where nothing or everything is inside, the others would divide by zero. */
mb_status mb_candidate_features(const mb_task *task, double features[MB_N_FEATURES], bool *usable,
                                const mb_score_inputs *in, const mb_image_u8 *cut, mb_error *err)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    double area = 0;
    mb_status status = MB_OK;
    memset(features, 0, MB_N_FEATURES * sizeof *features);
    for (size_t i = 0; i < n; i++) {
        area += inside(cut, i);
    }
    *usable = area >= LEAST * (double)n && area <= MOST * (double)n;
    if (!*usable) {
        return MB_OK;
    }
    features[MB_FEATURE_LOG_AREA] = log(area / (double)n);
    measure_agreement(features, in, cut, area);
    measure_shape(features, cut, area);
    MB_TRY(measure_overlap(features, in->lab, cut, area, err));
    MB_TRY(measure_components(task, features, cut, area, err));
done:
    return status;
}
