/* Judging cut-outs (see the header). */
#include "segment/candidate_score.h"

#include "core/alloc.h"
#include "image/connected_components.h"
#include "segment/slic.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 8, HUES = 12, CELLS = LEVELS * HUES * HUES };

/* Below and above these shares of the picture a cut-out says nothing. */
static const double LEAST = 0.002, MOST = 0.998;

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

/* Histograms of the colours in and out -> the overlap. */
static mb_status look_at_colours(double *f, const mb_image_u8 *rgb, const mb_image_u8 *cut, double area, mb_error *err)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    float *lab = mb_alloc_array(n, 3 * sizeof *lab);
    uint32_t *count = mb_calloc(CELLS, 2 * sizeof *count);
    if (!lab || !count) {
        mb_free(lab);
        mb_free(count);
        return mb_fail_memory(err, n * 12, "the choice of a mask");
    }
    mb_rgb_to_lab(lab, rgb->v, n, rgb->channels);
    for (size_t i = 0; i < n; i++) {
        count[2 * cell_of(lab + 3 * i) + inside(cut, i)]++;
    }
    double both = 0;
    for (size_t c = 0; c < CELLS; c++) {
        both += count[2 * c] < count[2 * c + 1] ? count[2 * c] : count[2 * c + 1];
    }
    f[MB_FEATURE_OVERLAP] = both / fmin(area, (double)n - area);
    mb_free(lab);
    mb_free(count);
    return MB_OK;
}

/* What network and saliency say of it. */
static void look_at_masks(double *f, const mb_score_inputs *j, const mb_image_u8 *cut, double area)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    double seen = 0, seen_inside = 0, salient_inside = 0;
    for (size_t i = 0; i < n; i++) {
        bool in = inside(cut, i);
        seen += j->network->v[i] / 255.0;
        seen_inside += in ? j->network->v[i] / 255.0 : 0;
        salient_inside += in ? j->saliency->v[i] / 255.0 : 0;
    }
    f[MB_FEATURE_NETWORK] = seen_inside / fmax(area + seen - seen_inside, 1e-6);
    f[MB_FEATURE_NETWORK_OUT] = (seen - seen_inside) / ((double)n - area);
    f[MB_FEATURE_SALIENCY_IN] = salient_inside / area;
}

/* Length of the outline, the sides it touches, its middle. */
static void look_at_shape(double *f, const mb_image_u8 *cut, double area)
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

/* Share of the area that does not hang together with the largest piece. */
static mb_status look_at_pieces(double *f, const mb_image_u8 *cut, double area, mb_error *err)
{
    static const mb_component_rule largest = {.largest = true};
    size_t n = (size_t)cut->width * (size_t)cut->height;
    double kept = 0;
    int dropped;
    mb_image_u8 piece = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_image_u8_create(&piece, cut->width, cut->height, 1, err));
    for (size_t i = 0; i < n; i++) {
        piece.v[i] = inside(cut, i) ? 255 : 0;
    }
    MB_TRY(mb_keep_components(&piece, NULL, &largest, &dropped, err));
    for (size_t i = 0; i < n; i++) {
        kept += piece.v[i] > 0;
    }
    f[MB_FEATURE_PIECES] = 1 - kept / area;
done:
    mb_image_u8_dispose(&piece);
    return status;
}

mb_status mb_candidate_features(double f[MB_N_FEATURES], bool *usable, const mb_score_inputs *j, const mb_image_u8 *cut,
                                mb_error *err)
{
    size_t n = (size_t)cut->width * (size_t)cut->height;
    double area = 0;
    mb_status status = MB_OK;
    memset(f, 0, MB_N_FEATURES * sizeof *f);
    for (size_t i = 0; i < n; i++) {
        area += inside(cut, i);
    }
    *usable = area >= LEAST * (double)n && area <= MOST * (double)n;
    if (!*usable) {
        return MB_OK;
    }
    f[MB_FEATURE_LOG_AREA] = log(area / (double)n);
    look_at_masks(f, j, cut, area);
    look_at_shape(f, cut, area);
    MB_TRY(look_at_colours(f, j->rgb, cut, area, err));
    MB_TRY(look_at_pieces(f, cut, area, err));
done:
    return status;
}
