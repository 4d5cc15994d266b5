/* Saliency (see the header). For one set of n superpixels, all in Lab:
 *   D_ij       colour distance of the means
 *   G_ij       length of the cheapest path over neighbours, a step costing max(D - 3, 0); border pieces are joined
 *              directly
 *   S_ij       exp(-G_ij^2 / (2 * 12^2))
 *   A_i        sum over j of S_ij, L_i: the same over border pieces j                    (equations 3, 4 of the paper)
 *   ground_i   1 - exp(-(L_i / sqrt(A_i))^2 / (2 * 1.4^2))                                                       (5, 6)
 *   subject_i  sum over j of D_ij ground_j exp(-distance_ij^2 / (2 * 0.3^2)), plus sharpness, weighted towards
 *              the middle                                                                                           (7)
 * and the values v minimise                                                                                         (9)
 *   sum of ground_i v_i^2 + sum of subject_i (v_i - 1)^2 + sum over neighbours of W_ij (v_i - v_j)^2.
 * Three sizes of superpixels are averaged. The superpixels are found one size after the other with all threads, the
 * graphs are solved side by side. */
#include "segment/saliency.h"

#include "core/alloc.h"
#include "core/target_clones.h"
#include "image/resample/reduce.h"
#include "segment/sharpness.h"
#include "segment/slic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 320, EDGE_SIDE = 640 }; /* longer sides of the copies for colours and for sharpness */
static const int sizes[] = {120, 250, 400};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Where the stages lie in the progress: reduced copies and edges, superpixels of each size, graphs. */
static const double COPIES_SHARE = 0.3, SUPERPIXELS_SHARE = 0.45;

typedef struct region_graph {
    mb_superpixels s;
    uint8_t *adjacent;       /* [n][n] */
    float *colour, *path;    /* [n][n]: D, G */
    float *ground, *subject; /* [n] */
    double *system;          /* [n][n], the upper triangle */
    double *value;           /* [n] */
    mb_status status;        /* of the worker that solved it */
    mb_error err;
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

/* Labels of pixels side by side; each pair in both directions, none with itself. */
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

/* Everything of size n^2 for one set of superpixels. */
static mb_status open_graph(region_graph *g, mb_error *err)
{
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
    return MB_OK;
}

/* row[j] = min(row[j], first + rest[j]). */
MB_CLONES static void shorten_row(float *row, float first, const float *rest, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        float d = first + rest[j];
        row[j] = d < row[j] ? d : row[j];
    }
}

/* D, and G by Floyd-Warshall (n <= about 450: some 10 ms, the inner loop is vectors). */
static mb_status measure_distances(const mb_task *task, region_graph *g, mb_error *err)
{
    mb_status status = MB_OK;
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
        MB_TRY(mb_task_check(task, err));
        for (size_t i = 0; i < n; i++) {
            shorten_row(g->path + i * n, g->path[i * n + k], g->path + k * n, n);
        }
    }
done:
    return status;
}

/* Equations 3 to 6: how likely each piece is background. */
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

/* To 0 .. 1. */
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

/* Equation 7: contrast with what is likely background. */
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

/* Pieces sharper than the border are more subject and less ground. This counts only where the sharpest pieces differ
 * clearly from the border, so that a picture that is sharp throughout is not touched. */
static mb_status add_sharpness(const mb_task *task, region_graph *g, const mb_edges *edges, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)g->s.count, edge = 0;
    float *sharp = mb_alloc_array(n, 3 * sizeof *sharp);
    if (!sharp) {
        return mb_fail_memory(err, n * 12, "saliency");
    }
    float *sorted = sharp + n, *border = sorted + n;
    MB_TRY(mb_sharpness_measure(task, sharp, edges, &g->s, g->adjacent, err));
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

/* row[i] -= factor * other[i]. */
MB_CLONES static void subtract_row(double *row, double factor, const double *other, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        row[i] -= factor * other[i];
    }
}

/* Equation 9: a symmetric positive definite system, by Cholesky's method. Row j of the upper triangle is column j of the
 * factor L; every entry is summed in the same order as in the textbook's loop over rows. */
static mb_status solve(const mb_task *task, region_graph *g, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)g->s.count;
    double *a = g->system, *v = g->value;
    for (size_t i = 0; i < n; i++) {
        double *diagonal = a + i * n + i;
        *diagonal += (double)g->ground[i] + (double)g->subject[i] + 1e-6;
        v[i] = (double)g->subject[i];
        for (size_t j = 0; j < n; j++) {
            if (g->adjacent[i * n + j]) {
                double d = (double)g->colour[i * n + j], w = exp(-d * d / 200) + 0.1;
                if (j > i) {
                    a[i * n + j] -= w;
                }
                *diagonal += w;
            }
        }
    }
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n;
        MB_TRY(mb_task_check(task, err));
        for (size_t k = 0; k < j; k++) {
            subtract_row(row + j, a[k * n + j], a + k * n + j, n - j);
        }
        row[j] = sqrt(row[j]);
        for (size_t i = j + 1; i < n; i++) {
            row[i] /= row[j];
        }
    }
    for (size_t k = 0; k < n; k++) { /* L y = v */
        v[k] /= a[k * n + k];
        for (size_t i = k + 1; i < n; i++) {
            v[i] -= a[k * n + i] * v[k];
        }
    }
    for (size_t i = n; i-- > 0;) { /* L^T x = y */
        for (size_t k = i + 1; k < n; k++) {
            v[i] -= a[i * n + k] * v[k];
        }
        v[i] /= a[i * n + i];
    }
done:
    return status;
}

/* From superpixels to their saliency, 0 .. 1, in g->subject. */
static mb_status solve_graph(const mb_task *task, region_graph *g, const mb_edges *edges, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)g->s.count;
    MB_TRY(open_graph(g, err));
    MB_TRY(measure_distances(task, g, err));
    score_ground(g);
    score_subject(g);
    MB_TRY(add_sharpness(task, g, edges, err));
    weigh_middle(g);
    MB_TRY(solve(task, g, err));
    for (size_t i = 0; i < n; i++) {
        g->subject[i] = (float)g->value[i];
    }
    stretch(g->subject, n);
done:
    return status;
}

/* All sizes of one picture. */
typedef struct saliency_job {
    mb_task serial; /* for the workers */
    region_graph graph[SIZES];
    mb_edges edges;
    mb_image_u8 *gray;
} saliency_job;

/* Sizes [begin, end), each alone in its worker. */
static void solve_graphs(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    saliency_job *j = arg;
    for (size_t i = begin; i < end; i++) {
        region_graph *g = &j->graph[SIZES - 1 - i]; /* the largest first: the others fit beside it */
        g->status = solve_graph(&j->serial, g, &j->edges, &g->err);
        mb_report_progress(&j->serial, (double)(i + 1) / SIZES);
    }
}

/* Rows [begin, end) of the result at the reduced size: the mean over the sizes, summed in their order. */
static void average_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const saliency_job *j = arg;
    size_t width = (size_t)j->gray->width;
    for (size_t i = begin * width; i < end * width; i++) {
        float sum = 0;
        for (int k = 0; k < SIZES; k++) {
            sum += j->graph[k].subject[j->graph[k].s.label[i]];
        }
        j->gray->v[i] = (uint8_t)(sum * (255.0f / SIZES) + 0.5f);
    }
}

/* Colours at SIDE, sharpness at EDGE_SIDE: blur is lost in a picture that is too small. */
mb_status mb_saliency(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 large = {0}, small = {0}, gray = {0};
    mb_lab lab = {0};
    const double graphs_first = COPIES_SHARE + SUPERPIXELS_SHARE;
    const mb_task graphs = mb_task_part(task, graphs_first, 1.0 - graphs_first);
    saliency_job job = {.serial = mb_task_serial(&graphs), .gray = &gray};
    *out = (mb_image_u8){0};
    if (rgb->channels < 3) {
        return mb_fail(err, MB_E_ARGUMENT, "saliency needs an RGB picture, not %d channels", rgb->channels);
    }
    MB_TRY(mb_image_u8_reduce(task, &large, rgb, EDGE_SIDE, err));
    mb_report_progress(task, 0.5 * COPIES_SHARE);
    MB_TRY(mb_image_u8_reduce(task, &small, &large, SIDE, err));
    MB_TRY(mb_image_u8_create(&gray, small.width, small.height, 1, err));
    MB_TRY(mb_lab_create(task, &lab, &small, err));
    MB_TRY(mb_edges_create(task, &job.edges, &large, err));
    for (int i = 0; i < SIZES; i++) {
        const double share = SUPERPIXELS_SHARE / SIZES;
        const mb_task part = mb_task_part(task, COPIES_SHARE + i * share, share);
        MB_TRY(mb_superpixels_create(&part, &job.graph[i].s, &lab, sizes[i], 15.0f, err));
    }
    MB_TRY(mb_task_for(task, SIZES, 1, solve_graphs, &job, err));
    for (int i = 0; i < SIZES; i++) {
        if (job.graph[i].status != MB_OK) {
            status = mb_fail(err, job.graph[i].status, "%s", job.graph[i].err.message);
            goto done;
        }
    }
    MB_TRY(mb_task_for(task, (size_t)gray.height, 16, average_rows, &job, err));
    MB_TRY(mb_image_u8_rescale(task, out, &gray, rgb->width, rgb->height, err));
done:
    for (int i = 0; i < SIZES; i++) {
        dispose_graph(&job.graph[i]);
    }
    mb_edges_dispose(&job.edges);
    mb_lab_dispose(&lab);
    mb_image_u8_dispose(&large);
    mb_image_u8_dispose(&small);
    mb_image_u8_dispose(&gray);
    return status;
}
