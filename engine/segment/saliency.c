/* saliency (see the header). For one set of n superpixels, all in Lab:
 *   D[i][j]   colour distance of the means
 *   G[i][j]   length of the cheapest path over neighbours, a step costing max(D - 3, 0); border pieces are joined
 * directly S = exp(-G^2 / (2 * 12^2));  A_i = sum_j S;  L_i = sum over border pieces S        (equations 3, 4 of the
 * paper) ground_i  = 1 - exp(-(L_i / sqrt(A_i))^2 / (2 * 1.4^2))                              (5, 6) subject_i = sum_j
 * D ground_j exp(-distance^2 / (2 * 0.3^2)), weighted towards the middle, plus sharpness   (7) and the values v
 * minimise sum ground v^2 + sum subject (v - 1)^2 + sum over neighbours W (v_i - v_j)^2       (9). Three sizes of
 * superpixels are averaged. */
#include "segment/saliency.h"

#include "core/alloc.h"
#include "segment/sharpness.h"
#include "image/resample/reduce.h"
#include "segment/slic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 320, FOCUS_SIDE = 640 };
static const int sizes[] = {120, 250, 400};
enum { SIZES = sizeof sizes / sizeof *sizes };

typedef struct region_graph {
    mb_superpixels s;
    uint8_t *adjacent;       /* [n][n] */
    float *colour, *path;    /* [n][n]: D, G */
    float *ground, *subject; /* [n] */
    double *system;          /* [n][n] */
    double *value;           /* [n] */
} region_graph;

static void dispose_graph(region_graph *g)
{
    mb_superpixels_dispose(&g->s);
    mb_free(g->adjacent);
    mb_free(g->colour);
    mb_free(g->path);
    mb_free(g->ground);
    mb_free(g->subject);
    mb_free(g->system);
    mb_free(g->value);
}

static void find_neighbours(region_graph *g)
{
    const mb_superpixels *s = &g->s;
    size_t n = (size_t)s->count;
    for (int y = 0; y < s->height; y++) {
        for (int x = 0; x < s->width; x++) {
            const int32_t *p = s->label + (size_t)y * (size_t)s->width + (size_t)x;
            size_t a = (size_t)p[0], right = (size_t)p[x + 1 < s->width],
                   below = (size_t)p[y + 1 < s->height ? s->width : 0];
            g->adjacent[a * n + right] = g->adjacent[right * n + a] = 1;
            g->adjacent[a * n + below] = g->adjacent[below * n + a] = 1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        g->adjacent[i * n + i] = 0;
    }
}

static mb_status open_graph(region_graph *g, const mb_image_u8 *rgb, int wanted, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_superpixels_create(&g->s, rgb, wanted, 15.0f, err));
    size_t n = (size_t)g->s.count;
    g->adjacent = mb_calloc(n, n);
    g->colour = mb_alloc_array(n * n, sizeof(float));
    g->path = mb_alloc_array(n * n, sizeof(float));
    g->ground = mb_calloc(n, sizeof(float));
    g->subject = mb_calloc(n, sizeof(float));
    g->system = mb_calloc(n * n, sizeof(double));
    g->value = mb_calloc(n, sizeof(double));
    if (!g->adjacent || !g->colour || !g->path || !g->ground || !g->subject || !g->system || !g->value) {
        return mb_fail_memory(err, n * n * 17, "saliency");
    }
    find_neighbours(g);
done:
    return status;
}

/* D, and G by Floyd-Warshall (n <= about 450: some 15 ms, and the inner loop is vectors). */
static void measure_distances(region_graph *g)
{
    size_t n = (size_t)g->s.count;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const float *a = g->s.mean + 5 * i, *b = g->s.mean + 5 * j;
            float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2], d = sqrtf(x * x + y * y + z * z);
            bool joined = g->adjacent[i * n + j] || (g->s.on_border[i] && g->s.on_border[j]);
            g->colour[i * n + j] = d;
            g->path[i * n + j] = i == j ? 0 : joined ? fmaxf(d - 3.0f, 0) : 1e9f;
        }
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            float *row = g->path + i * n, first = row[k];
            const float *rest = g->path + k * n;
            for (size_t j = 0; j < n; j++) {
                float d = first + rest[j];
                row[j] = d < row[j] ? d : row[j];
            }
        }
    }
}

static void score_ground(region_graph *g)
{
    size_t n = (size_t)g->s.count;
    for (size_t i = 0; i < n; i++) {
        float area = 0, border = 0;
        for (size_t j = 0; j < n; j++) {
            float d = g->path[i * n + j], s = expf(-d * d / 288.0f);
            area += s;
            border += g->s.on_border[j] ? s : 0;
        }
        g->ground[i] = 1 - expf(-border * border / area / (2 * 1.4f * 1.4f));
    }
}

static void stretch(float *v, size_t n)
{
    float lo = v[0], hi = v[0];
    for (size_t i = 1; i < n; i++) {
        lo = fminf(lo, v[i]);
        hi = fmaxf(hi, v[i]);
    }
    for (size_t i = 0; i < n; i++) {
        v[i] = (v[i] - lo) / (hi - lo + 1e-9f);
    }
}

static void score_subject(region_graph *g)
{
    size_t n = (size_t)g->s.count;
    for (size_t i = 0; i < n; i++) {
        const float *a = g->s.mean + 5 * i;
        for (size_t j = 0; j < n; j++) {
            const float *b = g->s.mean + 5 * j;
            float x = a[3] - b[3], y = a[4] - b[4];
            g->subject[i] += g->colour[i * n + j] * g->ground[j] * expf(-(x * x + y * y) / (2 * 0.3f * 0.3f));
        }
    }
    stretch(g->subject, n);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Pieces sharper than the border are more subject and less ground; counts only where the sharpest parts differ clearly
 * from the border, so that a picture sharp throughout is not touched. */
static mb_status add_focus(region_graph *g, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)g->s.count, edge = 0;
    float *sharp = mb_alloc_array(n, 3 * sizeof *sharp);
    if (!sharp) {
        return mb_fail_memory(err, n * 12, "saliency");
    }
    float *sorted = sharp + n, *border = sorted + n;
    MB_TRY(mb_focus_measure(sharp, rgb, &g->s, g->adjacent, err));
    memcpy(sorted, sharp, n * sizeof *sharp);
    for (size_t i = 0; i < n; i++) {
        if (g->s.on_border[i]) {
            border[edge++] = sharp[i];
        }
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    qsort(border, edge, sizeof *border, by_value);
    float top = sorted[n * 9 / 10], usual = border[edge / 2], trust = fminf(fmaxf((top - usual) / 0.5f, 0), 1);
    for (size_t i = 0; i < n; i++) {
        float share = fminf(fmaxf((sharp[i] - usual) / (top - usual + 0.15f), 0), 1.2f);
        g->subject[i] += 0.7f * trust * share;
        g->ground[i] *= 1 - 0.42f * trust * fminf(share, 1);
    }
done:
    mb_free(sharp);
    return status;
}

/* Subjects are rarely at the edge: a broad bell over the picture. */
static void weigh_middle(region_graph *g)
{
    size_t n = (size_t)g->s.count;
    float side = (float)(g->s.width > g->s.height ? g->s.width : g->s.height), top = 1e-9f;
    for (size_t i = 0; i < n; i++) {
        top = fmaxf(top, g->subject[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const float *m = g->s.mean + 5 * i;
        float x = m[3] - 0.5f * (float)g->s.width / side, y = m[4] - 0.5f * (float)g->s.height / side;
        g->subject[i] *= expf(-(x * x + y * y) / (2 * 0.4f * 0.4f)) / top;
    }
}

/* Equation 9: a symmetric positive definite system, by Cholesky's method. */
static void solve(region_graph *g)
{
    size_t n = (size_t)g->s.count;
    double *a = g->system, *v = g->value;
    for (size_t i = 0; i < n; i++) {
        a[i * n + i] += (double)g->ground[i] + (double)g->subject[i] + 1e-6;
        v[i] = (double)g->subject[i];
        for (size_t j = 0; j < n; j++) {
            if (g->adjacent[i * n + j]) {
                double d = (double)g->colour[i * n + j], w = exp(-d * d / 200) + 0.1;
                a[i * n + j] -= w;
                a[i * n + i] += w;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++) {
                sum -= a[i * n + k] * a[j * n + k];
            }
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
        for (size_t k = 0; k < i; k++) {
            v[i] -= a[i * n + k] * v[k];
        }
        v[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) {
            v[i] -= a[k * n + i] * v[k];
        }
        v[i] /= a[i * n + i];
    }
}

/* Adds the stretched values of one set of superpixels to sum[H,W]. */
static mb_status add_saliency(float *sum, const mb_image_u8 *rgb, const mb_image_u8 *large, int wanted, mb_error *err)
{
    mb_status status = MB_OK;
    region_graph g = {0};
    MB_TRY(open_graph(&g, rgb, wanted, err));
    measure_distances(&g);
    score_ground(&g);
    score_subject(&g);
    MB_TRY(add_focus(&g, large, err));
    weigh_middle(&g);
    solve(&g);
    size_t n = (size_t)g.s.count;
    for (size_t i = 0; i < n; i++) {
        g.subject[i] = (float)g.value[i];
    }
    stretch(g.subject, n);
    for (size_t i = 0; i < (size_t)rgb->width * (size_t)rgb->height; i++) {
        sum[i] += g.subject[g.s.label[i]];
    }
done:
    dispose_graph(&g);
    return status;
}

mb_status mb_saliency(mb_image_u8 *out, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 large = {0}, small = {0}, grey = {0};
    float *sum = NULL;
    *out = (mb_image_u8){0};
    if (rgb->channels < 3) {
        return mb_fail(err, MB_E_ARGUMENT, "saliency needs an RGB picture, not %d channels", rgb->channels);
    }
    MB_TRY(mb_image_u8_reduce(&large, rgb, FOCUS_SIDE, err));
    MB_TRY(mb_image_u8_reduce(&small, &large, SIDE, err));
    MB_TRY(mb_image_u8_create(&grey, small.width, small.height, 1, err));
    size_t n = (size_t)small.width * (size_t)small.height;
    sum = mb_calloc(n, sizeof *sum);
    if (!sum) {
        status = mb_fail_memory(err, n * sizeof *sum, "saliency");
        goto done;
    }
    for (int i = 0; i < SIZES; i++) {
        MB_TRY(add_saliency(sum, &small, &large, sizes[i], err));
    }
    for (size_t i = 0; i < n; i++) {
        grey.v[i] = (uint8_t)(sum[i] * (255.0f / SIZES) + 0.5f);
    }
    MB_TRY(mb_image_u8_rescale(out, &grey, rgb->width, rgb->height, err));
done:
    mb_image_u8_dispose(&large);
    mb_image_u8_dispose(&small);
    mb_image_u8_dispose(&grey);
    mb_free(sum);
    return status;
}
