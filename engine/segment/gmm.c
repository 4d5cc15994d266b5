/* Palette and mixtures (see the header). The EM starts from a partition: the component of the largest spread is cut
 * across its longest axis until there are five (M. Orchard, C. Bouman, "Color quantization of images", 1991), so there
 * are no random numbers. */
#include "segment/gmm.h"

#include "core/alloc.h"
#include "segment/lab.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 64, CELLS = LEVELS * LEVELS * LEVELS, EM_ROUNDS = 6 };

/* Variance added to every component, Lab units squared: none may be thinner than the noise of a camera. */
static const double FLOOR = 4.0;

static size_t cell_of(const uint8_t *rgb)
{
    return ((size_t)(rgb[0] >> 2) * LEVELS + (size_t)(rgb[1] >> 2)) * LEVELS + (size_t)(rgb[2] >> 2);
}

/* Colours are numbered in the order in which they first appear. */
mb_status mb_palette_create(const mb_task *task, mb_palette *out, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)rgb->width * (size_t)rgb->height;
    uint32_t *sum = NULL;
    mb_image_u8 mean = {0};
    mb_lab lab;
    *out = (mb_palette){0};
    int32_t *table = mb_alloc_array(CELLS, sizeof *table);
    out->cell = mb_alloc_array(n, sizeof *out->cell);
    if (!table || !out->cell) {
        status = mb_fail_memory(err, (CELLS + n) * 4, "palette");
        goto done;
    }
    memset(table, 0xff, CELLS * sizeof *table);
    for (size_t i = 0; i < n; i++) {
        int32_t *t = &table[cell_of(rgb->v + i * (size_t)rgb->channels)];
        *t = *t < 0 ? out->colours++ : *t;
        out->cell[i] = *t;
    }
    size_t k = (size_t)out->colours;
    sum = mb_calloc(k, 4 * sizeof *sum);
    if (!sum) {
        status = mb_fail_memory(err, k * 4 * sizeof *sum, "palette");
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t *q = sum + 4 * out->cell[i];
        for (int c = 0; c < 3; c++) {
            q[c] += rgb->v[i * (size_t)rgb->channels + (size_t)c];
        }
        q[3]++;
    }
    MB_TRY(mb_image_u8_create(&mean, out->colours, 1, 3, err));
    for (size_t i = 0; i < k; i++) {
        const uint32_t *q = sum + 4 * i;
        for (size_t c = 0; c < 3; c++) {
            mean.v[3 * i + c] = (uint8_t)((q[c] + q[3] / 2) / q[3]);
        }
    }
    MB_TRY(mb_lab_create(task, &lab, &mean, err));
    out->lab = lab.v;
done:
    mb_free(table);
    mb_free(sum);
    mb_image_u8_dispose(&mean);
    if (status != MB_OK) {
        mb_palette_dispose(out);
    }
    return status;
}

void mb_palette_dispose(mb_palette *p)
{
    mb_free(p->lab);
    mb_free(p->cell);
    *p = (mb_palette){0};
}

/* Weight, mean and covariance of weighted colours: sums first, then (finish_moments) what they stand for. */
typedef struct moments {
    double w, m[3], c[6];
} moments;

/* w: weight of the colour lab [3]. */
static void add_moments(moments *q, const float *lab, double w)
{
    double x = (double)lab[0], y = (double)lab[1], z = (double)lab[2];
    q->w += w;
    q->m[0] += w * x;
    q->m[1] += w * y;
    q->m[2] += w * z;
    q->c[0] += w * x * x;
    q->c[1] += w * x * y;
    q->c[2] += w * x * z;
    q->c[3] += w * y * y;
    q->c[4] += w * y * z;
    q->c[5] += w * z * z;
}

/* Sums to mean and covariance, with the floor on its diagonal. */
static void finish_moments(moments *q)
{
    static const int row[6] = {0, 0, 0, 1, 1, 2}, column[6] = {0, 1, 2, 1, 2, 2};
    double w = q->w > 1e-9 ? q->w : 1e-9;
    for (int i = 0; i < 3; i++) {
        q->m[i] /= w;
    }
    for (int i = 0; i < 6; i++) {
        q->c[i] = q->c[i] / w - q->m[row[i]] * q->m[column[i]] + (row[i] == column[i] ? FLOOR : 0);
    }
}

/* Component k from its moments: inverse covariance by cofactors. */
static void set_component(mb_gmm *g, int k, const moments *q, double total)
{
    const double *c = q->c;
    double a = c[3] * c[5] - c[4] * c[4], b = c[2] * c[4] - c[1] * c[5], d = c[1] * c[4] - c[2] * c[3];
    double det = c[0] * a + c[1] * b + c[2] * d;
    det = det > 1e-6 ? det : 1e-6;
    double inverse[6] = {a, b, d, c[0] * c[5] - c[2] * c[2], c[1] * c[2] - c[0] * c[4], c[0] * c[3] - c[1] * c[1]};
    for (int i = 0; i < 6; i++) {
        g->inverse[k][i] = (float)(inverse[i] / det);
    }
    for (int i = 0; i < 3; i++) {
        g->mean[k][i] = (float)q->m[i];
    }
    g->log_weight[k] = (float)(log((q->w + 1e-9) / total) - 0.5 * log(det) - 2.756815599614018);
}

/* log of weight times density of one component. */
static float component_log(const mb_gmm *g, int k, const float *lab)
{
    const float *m = g->mean[k], *v = g->inverse[k];
    float x = lab[0] - m[0], y = lab[1] - m[1], z = lab[2] - m[2];
    float q = x * (v[0] * x + 2 * (v[1] * y + v[2] * z)) + y * (v[3] * y + 2 * v[4] * z) + z * z * v[5];
    return g->log_weight[k] - 0.5f * q;
}

/* log p(lab), and the summands of each component, without overflow. */
static float log_density(float each[MB_GMM_COMPONENTS], const mb_gmm *g, const float *lab)
{
    float top = -1e9f, sum = 0;
    for (int i = 0; i < g->components; i++) {
        each[i] = component_log(g, i, lab);
        top = each[i] > top ? each[i] : top;
    }
    for (int i = 0; i < g->components; i++) {
        sum += expf(each[i] - top);
    }
    return g->components ? top + logf(sum) : top;
}

float mb_gmm_log(const mb_gmm *g, const float *lab)
{
    float each[MB_GMM_COMPONENTS];
    return log_density(each, g, lab);
}

/* The longest axis of a covariance, by power iteration. */
static double longest_axis(const double *c, double *axis)
{
    double v[3] = {1.0, 0.7, 0.4}, length = 1;
    for (int i = 0; i < 20; i++) {
        double u[3] = {c[0] * v[0] + c[1] * v[1] + c[2] * v[2], c[1] * v[0] + c[3] * v[1] + c[4] * v[2],
                       c[2] * v[0] + c[4] * v[1] + c[5] * v[2]};
        length = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
        for (int k = 0; k < 3; k++) {
            v[k] = u[k] / (length > 1e-12 ? length : 1);
        }
    }
    memcpy(axis, v, sizeof v);
    return length;
}

/* A partition of the colours: owner[colour], by cutting the component of the largest spread until there are `wanted`.
 * -> how many there are; q [wanted]: their moments. */
static int split(const mb_palette *p, const float *weights, int wanted, float *owner, moments *q)
{
    int count = 1;
    memset(owner, 0, (size_t)p->colours * sizeof *owner);
    for (;;) {
        double axis[MB_GMM_COMPONENTS][3], worst = -1;
        int at = 0;
        memset(q, 0, MB_GMM_COMPONENTS * sizeof *q);
        for (int i = 0; i < p->colours; i++) {
            if (weights[i] > 0) { /* half of the colours are on one side alone */
                add_moments(&q[(int)owner[i]], p->lab + 3 * i, (double)weights[i]);
            }
        }
        for (int k = 0; k < count; k++) {
            finish_moments(&q[k]);
            double spread = q[k].w * (longest_axis(q[k].c, axis[k]) - FLOOR);
            if (spread > worst) {
                worst = spread;
                at = k;
            }
        }
        if (count == wanted || worst < 1e-3) {
            return count;
        }
        const double *a = axis[at], *m = q[at].m;
        for (int i = 0; i < p->colours; i++) {
            const float *c = p->lab + 3 * i;
            if (weights[i] <= 0 || (int)owner[i] != at) {
                continue;
            }
            double t = a[0] * ((double)c[0] - m[0]) + a[1] * ((double)c[1] - m[1]) + a[2] * ((double)c[2] - m[2]);
            if (t > 0) {
                owner[i] = (float)count;
            }
        }
        count++;
    }
}

/* All components, with weights that add up to 1. */
static void set_components(mb_gmm *g, const moments *q, int count)
{
    double total = 0;
    for (int k = 0; k < count; k++) {
        total += q[k].w;
    }
    g->components = total > 1e-6 ? count : 0;
    for (int k = 0; k < g->components; k++) {
        set_component(g, k, &q[k], total);
    }
}

/* EM: shares of each colour in each component by the mixture of the round before, then moments by these shares. */
void mb_gmm_fit(mb_gmm *g, const mb_palette *p, const float *weights, float *scratch)
{
    moments q[MB_GMM_COMPONENTS];
    int count = split(p, weights, MB_GMM_COMPONENTS, scratch, q);
    set_components(g, q, count);
    for (int round = 0; round < EM_ROUNDS && g->components; round++) {
        memset(q, 0, sizeof q);
        for (int i = 0; i < p->colours; i++) {
            if (weights[i] <= 0) {
                continue;
            }
            float each[MB_GMM_COMPONENTS], all = log_density(each, g, p->lab + 3 * i);
            for (int k = 0; k < count; k++) {
                double share = (double)weights[i] * (double)expf(each[k] - all);
                add_moments(&q[k], p->lab + 3 * i, share);
            }
        }
        for (int k = 0; k < count; k++) {
            finish_moments(&q[k]);
        }
        set_components(g, q, count);
    }
}
