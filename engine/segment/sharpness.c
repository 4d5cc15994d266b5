/* Sharpness from re-blurring: the gradient of the picture over the gradient of a blurred copy is large at a sharp edge
 * and near 1 at one that was blurred already (S. Zhuo, T. Sim, "Defocus map estimation from a single image", Pattern
 * Recognition 2011). Only edges show it; superpixels without edges take the value of their neighbours through a sparse
 * smoothing system, solved by Gauss-Seidel. */
#include "segment/sharpness.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 120, ROWS_PER_CHUNK = 16 };

/* Gaussian blur of a plane, edges repeated: rows from `v` into `tmp`, then columns from `tmp` back into `v`. */
typedef struct blur_job {
    float *v, *tmp;
    int width, height, reach;
    float weight[16], sum;
} blur_job;

/* Every row on its own; positions beyond its ends repeat the last pixel. */
static void blur_across(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur_job *j = arg;
    int width = j->width;
    for (size_t y = begin; y < end; y++) {
        const float *row = j->v + y * (size_t)width;
        for (int x = 0; x < width; x++) {
            float t = j->weight[0] * row[x];
            for (int k = 1; k <= j->reach; k++) {
                t += j->weight[k] * (row[x - k < 0 ? 0 : x - k] + row[x + k >= width ? width - 1 : x + k]);
            }
            j->tmp[y * (size_t)width + (size_t)x] = t / j->sum;
        }
    }
}

/* Weighted sums of whole rows: the inner loop is a vector. */
static void blur_down(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur_job *j = arg;
    int width = j->width;
    for (int y = (int)begin; y < (int)end; y++) {
        float *out = j->v + (size_t)y * (size_t)width;
        memset(out, 0, (size_t)width * sizeof *out);
        for (int k = -j->reach; k <= j->reach; k++) {
            int from = y + k < 0 ? 0 : y + k >= j->height ? j->height - 1 : y + k;
            const float *row = j->tmp + (size_t)from * (size_t)width;
            float w = j->weight[k < 0 ? -k : k] / j->sum;
            for (int x = 0; x < width; x++) {
                out[x] += w * row[x];
            }
        }
    }
}

/* In place; tmp is as large as v. */
static mb_status blur(const mb_task *task, float *v, float *tmp, int width, int height, float sigma, mb_error *err)
{
    blur_job j = {.v = v, .tmp = tmp, .width = width, .height = height, .reach = (int)ceilf(3 * sigma)};
    mb_status status = MB_OK;
    for (int k = 0; k <= j.reach; k++) {
        j.weight[k] = expf(-(float)(k * k) / (2 * sigma * sigma));
        j.sum += k ? 2 * j.weight[k] : j.weight[k];
    }
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, blur_across, &j, err));
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, blur_down, &j, err));
done:
    return status;
}

/* Length of the Sobel gradient at (x, y), in grey levels a pixel. */
static float gradient(const float *v, int width, int height, int x, int y)
{
    int l = x > 0 ? x - 1 : 0, r = x < width - 1 ? x + 1 : x;
    const float *u = v + (size_t)(y > 0 ? y - 1 : 0) * (size_t)width, *m = v + (size_t)y * (size_t)width,
                *d = v + (size_t)(y < height - 1 ? y + 1 : y) * (size_t)width;
    float gx = u[r] - u[l] + 2 * (m[r] - m[l]) + d[r] - d[l], gy = d[l] + 2 * d[x] + d[r] - u[l] - 2 * u[x] - u[r];
    return sqrtf(gx * gx + gy * gy) / 8;
}

typedef struct edges_job {
    const mb_image_u8 *rgb;
    const float *base, *blurred; /* [H,W] luma, slightly blurred against noise, and much */
    float *luma;
    mb_edges *out;
} edges_job;

/* ITU-R 601, in f32. */
static void luma_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const edges_job *j = arg;
    size_t width = (size_t)j->rgb->width, step = (size_t)j->rgb->channels;
    for (size_t i = begin * width; i < end * width; i++) {
        const uint8_t *p = j->rgb->v + i * step;
        j->luma[i] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
    }
}

/* Gradient of the picture over that of its blurred copy, where there is an edge at all. */
static void edge_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const edges_job *j = arg;
    int width = j->out->width, height = j->out->height;
    for (int y = (int)begin; y < (int)end; y++) {
        for (int x = 0; x < width; x++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            float g = gradient(j->base, width, height, x, y), w = g - 1.5f; /* below: noise */
            j->out->strength[i] = j->out->sharp[i] = 0;
            if (w > 0) {
                float ratio = g / (gradient(j->blurred, width, height, x, y) + 0.5f);
                j->out->strength[i] = w;
                j->out->sharp[i] = w * fminf(ratio, 4.0f);
            }
        }
    }
}

/* A slight blur first, so that noise is no edge. */
mb_status mb_edges_create(const mb_task *task, mb_edges *out, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    int width = rgb->width, height = rgb->height;
    size_t n = (size_t)width * (size_t)height;
    *out = (mb_edges){.width = width, .height = height};
    out->strength = mb_alloc_array(n, 2 * sizeof(float));
    float *luma = mb_alloc_array(n, 3 * sizeof *luma); /* three planes: slightly blurred, much blurred, scratch */
    if (out->strength == NULL || luma == NULL) {
        status = mb_fail_memory(err, n * 5 * sizeof(float), "sharpness");
        goto done;
    }
    out->sharp = out->strength + n;
    float *blurred = luma + n, *tmp = blurred + n;
    edges_job job = {rgb, luma, blurred, luma, out};
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, luma_rows, &job, err));
    MB_TRY(blur(task, luma, tmp, width, height, 0.7f, err));
    memcpy(blurred, luma, n * sizeof *luma);
    MB_TRY(blur(task, blurred, tmp, width, height, 2.0f, err));
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, edge_rows, &job, err));
done:
    mb_free(luma);
    if (status != MB_OK) {
        mb_edges_dispose(out);
    }
    return status;
}

void mb_edges_dispose(mb_edges *e)
{
    mb_free(e->strength);
    *e = (mb_edges){0};
}

/* Per superpixel: sums of the strength of its edges, and of their sharpness weighted by it, in raster order. */
static void gather(double *strength, double *sharp, const mb_edges *e, const mb_superpixels *s)
{
    for (int y = 0; y < e->height; y++) {
        const int32_t *label = s->label + (size_t)(y * s->height / e->height) * (size_t)s->width;
        size_t row = (size_t)y * (size_t)e->width;
        for (int x = 0; x < e->width; x++) {
            if (e->strength[row + (size_t)x] > 0) {
                int32_t c = label[x * s->width / e->width];
                strength[c] += (double)e->strength[row + (size_t)x];
                sharp[c] += (double)e->sharp[row + (size_t)x];
            }
        }
    }
}

/* Neighbours of each superpixel, ascending: those of i are at[begin[i] .. begin[i + 1]). */
typedef struct neighbours {
    int *begin, *at;
} neighbours;

/* From flags [count][count] to lists: each has some six neighbours among hundreds. */
static mb_status list_neighbours(neighbours *out, const uint8_t *adjacent, int k, mb_error *err)
{
    size_t n = (size_t)k, count = 0;
    for (size_t i = 0; i < n * n; i++) {
        count += adjacent[i] != 0;
    }
    out->begin = mb_alloc_array(n + 1 + count, sizeof *out->begin);
    if (out->begin == NULL) {
        return mb_fail_memory(err, (n + 1 + count) * sizeof *out->begin, "sharpness");
    }
    out->at = out->begin + n + 1;
    out->begin[0] = 0;
    for (size_t i = 0; i < n; i++) {
        out->begin[i + 1] = out->begin[i];
        for (size_t j = 0; j < n; j++) {
            if (adjacent[i * n + j]) {
                out->at[out->begin[i + 1]++] = (int)j;
            }
        }
    }
    return MB_OK;
}

/* Sums of edges per superpixel, then values for those without edges from their neighbours. */
mb_status mb_sharpness_measure(const mb_task *task, float *sharpness, const mb_edges *e, const mb_superpixels *s,
                               const uint8_t *adjacent, mb_error *err)
{
    mb_status status = MB_OK;
    neighbours near = {0};
    int k = s->count;
    double *strength = mb_calloc((size_t)k, 2 * sizeof *strength), *sharp = strength + k, all = 0, total = 0;
    if (!strength) {
        return mb_fail_memory(err, (size_t)k * 16, "sharpness");
    }
    MB_TRY(list_neighbours(&near, adjacent, k, err));
    gather(strength, sharp, e, s);
    MB_TRY(mb_task_check(task, err));
    double scale = (double)s->width * s->height / ((double)e->width * e->height);
    for (int i = 0; i < k; i++) {
        all += sharp[i];
        total += strength[i];
        strength[i] *= scale / s->area[i];
        sharp[i] *= scale / s->area[i];
    }
    double usual = total > 0 ? all / total : 1;
    for (int i = 0; i < k; i++) {
        sharpness[i] = (float)usual;
    }
    /* (strength + 0.01) f - 0.15 laplace(f) = sharp + 0.008 usual: without edges, a little below the usual sharpness */
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < k; i++) {
            double sum = sharp[i] + 0.008 * usual, weight = strength[i] + 0.01;
            for (int j = near.begin[i]; j < near.begin[i + 1]; j++) {
                sum += 0.15 * (double)sharpness[near.at[j]];
                weight += 0.15;
            }
            sharpness[i] = (float)(sum / weight);
        }
    }
done:
    mb_free(near.begin);
    mb_free(strength);
    return status;
}
