/* What rembg does to masks before matting, by its rules and ours at the frame: its erosion of a trimap takes what is
 * outside the picture for "not foreground", so a subject that is cut off by the frame loses a strip along it; here the
 * frame is no edge. */
#include "stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t row_of(const mb_image *m)
{
    return m->row_bytes != 0 ? m->row_bytes : (size_t)m->width;
}

/* One row or column of n samples, `step` apart: 1 where all of [i - before, i + after] are 1. Outside counts as 1. */
static void erode_line(unsigned char *v, size_t step, int n, int before, int after, int *last_zero)
{
    int last = -1; /* the last 0 at or before i + after; -1: none */
    for (int i = 0; i < n; i++) {
        last = v[(size_t)i * step] == 0 ? i : last;
        last_zero[i] = last;
    }
    for (int i = 0; i < n; i++) {
        int right = i + after < n ? i + after : n - 1;
        int left = i - before > 0 ? i - before : 0;
        v[(size_t)i * step] = last_zero[right] < left;
    }
}

/* By a square of size x size, its centre at size / 2; size 0: by the four neighbours, as scipy's default is. */
static int erode(unsigned char *v, int w, int h, int size)
{
    int *last = malloc((size_t)(w > h ? w : h) * sizeof *last);
    unsigned char *copy = size == 0 ? malloc((size_t)w * (size_t)h) : NULL;
    if (last == NULL || (size == 0 && copy == NULL)) {
        free(last);
        free(copy);
        return 0;
    }
    if (size == 0) {
        memcpy(copy, v, (size_t)w * (size_t)h);
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                const unsigned char *p = copy + (size_t)y * (size_t)w + x;
                int all =
                    p[0] && (x == 0 || p[-1]) && (x + 1 == w || p[1]) && (y == 0 || p[-w]) && (y + 1 == h || p[w]);
                v[(size_t)y * (size_t)w + (size_t)x] = (unsigned char)all;
            }
        }
    } else {
        int before = size / 2, after = size - 1 - before;
        for (int y = 0; y < h; y++) {
            erode_line(v + (size_t)y * (size_t)w, 1, w, before, after, last);
        }
        for (int x = 0; x < w; x++) {
            erode_line(v + x, (size_t)w, h, before, after, last);
        }
    }
    free(last);
    free(copy);
    return 1;
}

mb_status rembg_trimap(mb_image *trimap, const mb_image *mask, const rembg_options *o, mb_error *err)
{
    const int w = mask->width, h = mask->height;
    const size_t n = (size_t)w * (size_t)h;
    unsigned char *inside = malloc(n), *outside = malloc(n);
    mb_status status = mb_image_create(trimap, w, h, MB_PIXELS_GRAY, MB_DEPTH_U8, err);
    if (status == MB_OK && (inside == NULL || outside == NULL)) {
        status = own_error(err, MB_E_MEMORY, "out of memory");
    }
    for (int y = 0; status == MB_OK && y < h; y++) {
        const unsigned char *from = (const unsigned char *)mask->data + (size_t)y * row_of(mask);
        for (int x = 0; x < w; x++) {
            inside[(size_t)y * (size_t)w + (size_t)x] = from[x] > o->above;
            outside[(size_t)y * (size_t)w + (size_t)x] = from[x] < o->below;
        }
    }
    if (status == MB_OK && (!erode(inside, w, h, o->erode) || !erode(outside, w, h, o->erode))) {
        status = own_error(err, MB_E_MEMORY, "out of memory");
    }
    if (status == MB_OK) {
        unsigned char *to = trimap->data;
        for (size_t i = 0; i < n; i++) {
            to[i] = outside[i] ? 0 : inside[i] ? 255 : 128;
        }
    } else {
        mb_image_dispose(trimap);
    }
    free(inside);
    free(outside);
    return status;
}

/* ---- post-processing: opening by a cross, a Gaussian of 2 pixels, a threshold */

#define RADIUS 8 /* 4 standard deviations */

/* The least (or largest) of a pixel and its four neighbours; outside does not count. */
static void cross(unsigned char *to, const unsigned char *from, int w, int h, int largest)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            const unsigned char *p = from + (size_t)y * (size_t)w + x;
            const int near[4] = {x > 0 ? p[-1] : -1, x + 1 < w ? p[1] : -1, y > 0 ? p[-w] : -1, y + 1 < h ? p[w] : -1};
            int best = p[0];
            for (int i = 0; i < 4; i++) {
                if (near[i] >= 0 && (largest ? near[i] > best : near[i] < best)) {
                    best = near[i];
                }
            }
            to[(size_t)y * (size_t)w + (size_t)x] = (unsigned char)best;
        }
    }
}

/* Index i of a line of n that is mirrored at both ends, the last sample twice. */
static size_t mirrored(int i, int n)
{
    const int period = 2 * n;
    i = i % period;
    i = i < 0 ? i + period : i;
    return (size_t)(i < n ? i : period - 1 - i);
}

static void blur_line(double *to, const double *from, size_t step, int n, const double *weights)
{
    for (int i = 0; i < n; i++) {
        double sum = 0.0;
        for (int k = -RADIUS; k <= RADIUS; k++) {
            sum += weights[k + RADIUS] * from[mirrored(i + k, n) * step];
        }
        to[(size_t)i * step] = sum;
    }
}

static void blur(double *v, double *scratch, int w, int h)
{
    double weights[2 * RADIUS + 1], sum = 0.0;
    for (int k = -RADIUS; k <= RADIUS; k++) {
        sum += weights[k + RADIUS] = exp(-0.125 * k * k);
    }
    for (int k = 0; k <= 2 * RADIUS; k++) {
        weights[k] /= sum;
    }
    for (int x = 0; x < w; x++) {
        blur_line(scratch + x, v + x, (size_t)w, h, weights);
    }
    for (int y = 0; y < h; y++) {
        blur_line(v + (size_t)y * (size_t)w, scratch + (size_t)y * (size_t)w, 1, w, weights);
    }
}

mb_status rembg_smooth(const mb_image *mask, mb_error *err)
{
    const int w = mask->width, h = mask->height;
    const size_t n = (size_t)w * (size_t)h;
    unsigned char *a = malloc(n), *b = malloc(n);
    double *v = malloc(n * sizeof *v), *scratch = malloc(n * sizeof *scratch);
    if (a == NULL || b == NULL || v == NULL || scratch == NULL || row_of(mask) != (size_t)w) {
        free(a);
        free(b);
        free(v);
        free(scratch);
        return own_error(err, MB_E_MEMORY, "out of memory");
    }
    cross(a, mask->data, w, h, 0);
    cross(b, a, w, h, 1);
    for (size_t i = 0; i < n; i++) {
        v[i] = b[i];
    }
    blur(v, scratch, w, h);
    unsigned char *to = mask->data;
    for (size_t i = 0; i < n; i++) {
        to[i] = v[i] < 127.0 ? 0 : 255;
    }
    free(a);
    free(b);
    free(v);
    free(scratch);
    return MB_OK;
}
