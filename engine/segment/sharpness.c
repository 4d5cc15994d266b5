/* Sharpness from re-blurring: the gradient of the picture over the gradient of a blurred copy is large at a sharp edge
 * and near 1 at one that was blurred already (S. Zhuo, T. Sim, "Defocus map estimation from a single image", Pattern
 * Recognition 2011). Edges alone tell; superpixels without edges take the value of their neighbours through a sparse
 * smoothing system, solved by Gauss-Seidel. */
#include "segment/sharpness.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 120 };

/* Gaussian blur of a plane, both ways, edges repeated; tmp is as large as v. */
static void blur(float *v, float *tmp, int width, int height, float sigma)
{
    int reach = (int)ceilf(3 * sigma);
    float weight[16], sum = 0;
    for (int k = 0; k <= reach; k++) {
        weight[k] = expf(-(float)(k * k) / (2 * sigma * sigma));
        sum += k ? 2 * weight[k] : weight[k];
    }
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const float *row = v + (size_t)y * (size_t)width;
            float t = weight[0] * row[x];
            for (int k = 1; k <= reach; k++) {
                t += weight[k] * (row[x - k < 0 ? 0 : x - k] + row[x + k >= width ? width - 1 : x + k]);
            }
            tmp[(size_t)y * (size_t)width + (size_t)x] = t / sum;
        }
    }
    for (int y = 0; y < height; y++) {
        float *out = v + (size_t)y * (size_t)width;
        memset(out, 0, (size_t)width * sizeof *out);
        for (int k = -reach; k <= reach; k++) {
            int from = y + k < 0 ? 0 : y + k >= height ? height - 1 : y + k;
            const float *row = tmp + (size_t)from * (size_t)width;
            float w = weight[k < 0 ? -k : k] / sum;
            for (int x = 0; x < width; x++) {
                out[x] += w * row[x];
            }
        }
    }
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

/* Per superpixel: sum of edge strength, and of sharpness weighted by it. */
static mb_status gather(double *strength, double *sharp, const mb_image_u8 *rgb, const mb_superpixels *s, mb_error *err)
{
    int width = rgb->width, height = rgb->height;
    size_t n = (size_t)width * (size_t)height;
    float *fine = mb_alloc_array(n, 3 * sizeof *fine);
    if (!fine) {
        return mb_fail_memory(err, n * 12, "focus");
    }
    float *coarse = fine + n, *tmp = coarse + n;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = rgb->v + i * (size_t)rgb->channels;
        fine[i] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
    }
    blur(fine, tmp, width, height, 0.7f);
    memcpy(coarse, fine, n * sizeof *fine);
    blur(coarse, tmp, width, height, 2.0f);
    for (int y = 0; y < height; y++) {
        const int32_t *label = s->label + (size_t)(y * s->height / height) * (size_t)s->width;
        for (int x = 0; x < width; x++) {
            float g = gradient(fine, width, height, x, y), w = g - 1.5f; /* below: noise */
            if (w > 0) {
                float ratio = g / (gradient(coarse, width, height, x, y) + 0.5f);
                int32_t c = label[x * s->width / width];
                strength[c] += (double)w;
                sharp[c] += (double)(w * fminf(ratio, 4.0f));
            }
        }
    }
    mb_free(fine);
    return MB_OK;
}

mb_status mb_focus_measure(float *sharpness, const mb_image_u8 *rgb, const mb_superpixels *s, const uint8_t *adjacent,
                           mb_error *err)
{
    mb_status status = MB_OK;
    int k = s->count;
    double *strength = mb_calloc((size_t)k, 2 * sizeof *strength), *sharp = strength + k, all = 0, total = 0;
    if (!strength) {
        return mb_fail_memory(err, (size_t)k * 16, "focus");
    }
    MB_TRY(gather(strength, sharp, rgb, s, err));
    double scale = (double)s->width * s->height / ((double)rgb->width * rgb->height);
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
            for (int j = 0; j < k; j++) {
                if (adjacent[(size_t)i * (size_t)k + (size_t)j]) {
                    sum += 0.15 * (double)sharpness[j];
                    weight += 0.15;
                }
            }
            sharpness[i] = (float)(sum / weight);
        }
    }
done:
    mb_free(strength);
    return status;
}
