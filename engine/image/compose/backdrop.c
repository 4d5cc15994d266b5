/* The blur works at a size where sigma is a few pixels: nothing finer survives it anyway. Weighted means of cells, a
 * small separable Gaussian on colours and weights, their quotient, bilinear enlarging. */
#include "image/compose/backdrop.h"

#include "core/alloc.h"
#include "image/resample/resize.h"

#include <math.h>
#include <string.h>

#define SMALL_SIGMA 3.0   /* pixels of the small picture: the cells' own blur is then a tenth of it */
#define LEAST       1e-3f /* weight of a pixel of the subject: counts where nothing else is near */

/* Cut first, then scaled: no pixel is computed that is cut off. Like "background-size: cover" of CSS: the picture
 * fills the whole, its middle shows, its aspect stays. */
mb_status mb_backdrop_cover(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *picture, int width, int height,
                            mb_error *err)
{
    /* The largest rectangle of the picture with the aspect of the result, from the middle. */
    double scale = fmax((double)width / picture->width, (double)height / picture->height);
    int w = (int)lround(width / scale), h = (int)lround(height / scale);
    w = w < 1 ? 1 : (w > picture->width ? picture->width : w);
    h = h < 1 ? 1 : (h > picture->height ? picture->height : h);
    mb_image_u8 part = {0};
    *out = (mb_image_u8){0};
    mb_status status = mb_image_u8_create(&part, w, h, 3, err);
    const size_t x = (size_t)(picture->width - w) / 2, y = (size_t)(picture->height - h) / 2;
    if (status == MB_OK) {
        for (size_t i = 0; i < (size_t)h; i++) {
            memcpy(part.v + i * (size_t)w * 3, picture->v + ((y + i) * (size_t)picture->width + x) * 3, (size_t)w * 3);
        }
        status = mb_resize_pillow(task, out, &part, width, height, MB_FILTER_LANCZOS, err);
    }
    mb_image_u8_dispose(&part);
    return status;
}

/* [height, width, 4]: colours times weight, weight. */
typedef struct cells {
    int width, height; /* in cells */
    float *v, *other;  /* other: the half-way result of the blur */
} cells;

typedef struct blur {
    const mb_image_u8 *photo, *alpha; /* of one size; 3 channels and 1 */
    mb_image_u8 *out;                 /* as large as the photo */
    cells c;                          /* the small picture */
    int radius;                       /* of the Gaussian, in cells */
    float *weights;                   /* [radius + 1] */
    double step[2];                   /* pixels of the photo a cell, x and y */
} blur;

/* Rows [begin, end) of cells: sums over the pixels that fall into each. The subject counts for next to nothing, so its
 * colours do not bleed into the background around it. Each cell has at least one pixel in both directions. */
static void gather_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur *b = arg;
    const int w = b->photo->width, h = b->photo->height;
    for (size_t cy = begin; cy < end; cy++) {
        int y0 = (int)((double)cy * b->step[1]), y1 = (int)((double)(cy + 1) * b->step[1]);
        y1 = y1 > y0 ? (y1 < h ? y1 : h) : y0 + 1;
        for (int cx = 0; cx < b->c.width; cx++) {
            int x0 = (int)(cx * b->step[0]), x1 = (int)((cx + 1) * b->step[0]);
            x1 = x1 > x0 ? (x1 < w ? x1 : w) : x0 + 1;
            float sum[4] = {0};
            for (int y = y0; y < y1; y++) {
                for (int x = x0; x < x1; x++) {
                    size_t at = (size_t)y * (size_t)w + (size_t)x;
                    /* Never 0, so the quotient at the end always exists. */
                    float weight = (float)(255 - b->alpha->v[at]) + 255 * LEAST;
                    for (size_t k = 0; k < 3; k++) {
                        sum[k] += weight * (float)b->photo->v[3 * at + k];
                    }
                    sum[3] += weight;
                }
            }
            memcpy(b->c.v + 4 * (cy * (size_t)b->c.width + (size_t)cx), sum, sizeof sum);
        }
    }
}

/* One direction: dst[i] = sum of weights[|k|] src[i + k], clamped at the ends. */
static void blur_line(const blur *b, float *dst, const float *src, int n, size_t stride)
{
    for (int i = 0; i < n; i++) {
        float sum[4] = {0};
        for (int k = -b->radius; k <= b->radius; k++) {
            int at = i + k < 0 ? 0 : (i + k < n ? i + k : n - 1);
            float w = b->weights[k < 0 ? -k : k];
            for (size_t c = 0; c < 4; c++) {
                sum[c] += w * src[(size_t)at * stride + c];
            }
        }
        memcpy(dst + (size_t)i * stride, sum, sizeof sum);
    }
}

/* Rows [begin, end) of cells, from v into other. */
static void blur_across(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur *b = arg;
    for (size_t y = begin; y < end; y++) {
        size_t row = 4 * y * (size_t)b->c.width;
        blur_line(b, b->c.other + row, b->c.v + row, b->c.width, 4);
    }
}

/* Columns [begin, end) of cells, from other back into v. */
static void blur_down(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur *b = arg;
    for (size_t x = begin; x < end; x++) {
        blur_line(b, b->c.v + 4 * x, b->c.other + 4 * x, b->c.height, 4 * (size_t)b->c.width);
    }
}

/* The two cells that a pixel lies between, and the weight of the second. */
static void between(int ends[2], float *share, int i, double step, int n)
{
    double c = ((double)i + 0.5) / step - 0.5, whole = floor(c);
    ends[0] = whole < 0 ? 0 : (whole < n ? (int)whole : n - 1);
    ends[1] = whole + 1 < n ? (int)whole + 1 : n - 1;
    *share = (float)(c - whole);
}

/* Rows [begin, end) of the result: bilinear between four cells, then colours over weight. */
static void enlarge_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const blur *b = arg;
    const size_t w = (size_t)b->photo->width, cw = (size_t)b->c.width;
    for (size_t y = begin; y < end; y++) {
        int ys[2], xs[2];
        float ty, tx;
        between(ys, &ty, (int)y, b->step[1], b->c.height);
        for (size_t x = 0; x < w; x++) {
            between(xs, &tx, (int)x, b->step[0], b->c.width);
            const float *up = b->c.v + 4 * (size_t)ys[0] * cw, *down = b->c.v + 4 * (size_t)ys[1] * cw;
            float m[4];
            for (size_t k = 0; k < 4; k++) {
                float top = up[4 * (size_t)xs[0] + k] * (1 - tx) + up[4 * (size_t)xs[1] + k] * tx;
                float low = down[4 * (size_t)xs[0] + k] * (1 - tx) + down[4 * (size_t)xs[1] + k] * tx;
                m[k] = top * (1 - ty) + low * ty;
            }
            for (size_t k = 0; k < 3; k++) {
                float v = m[k] / m[3] + 0.5f;
                b->out->v[3 * (y * w + x) + k] = (uint8_t)(v < 255.0f ? v : 255.0f);
            }
        }
    }
}

static double shrink_of(double sigma)
{
    return sigma > SMALL_SIGMA ? sigma / SMALL_SIGMA : 1.0;
}

double mb_backdrop_blur_memory(int width, int height, double sigma)
{
    const double shrink = shrink_of(sigma);
    return ceil(width / shrink) * ceil(height / shrink) * 8 * sizeof(float);
}

/* The small size, and the Gaussian in its pixels. Both planes of cells are one allocation, which c.v owns. Beyond
 * three sigma the Gaussian is cut off. */
static mb_status prepare(blur *b, double sigma, mb_error *err)
{
    const double shrink = shrink_of(sigma);
    b->c.width = (int)ceil(b->photo->width / shrink);
    b->c.height = (int)ceil(b->photo->height / shrink);
    b->step[0] = (double)b->photo->width / b->c.width;
    b->step[1] = (double)b->photo->height / b->c.height;
    double small = sigma / shrink, sum = 0;
    b->radius = (int)ceil(3.0 * small);
    size_t bytes, n = (size_t)b->c.width * (size_t)b->c.height;
    bool fits = mb_mul_size(&bytes, n, 8 * sizeof(float));
    b->c.v = fits ? mb_alloc_aligned(bytes) : NULL;
    b->weights = mb_alloc_array((size_t)b->radius + 1, sizeof(float));
    if (b->c.v == NULL || b->weights == NULL) {
        return mb_fail_memory(err, n * 8 * sizeof(float), "the blurred background");
    }
    b->c.other = b->c.v + 4 * n;
    for (int k = 0; k <= b->radius; k++) {
        b->weights[k] = (float)exp(-0.5 * k * k / (small * small));
        sum += (double)b->weights[k] * (k > 0 ? 2 : 1);
    }
    for (int k = 0; k <= b->radius; k++) {
        b->weights[k] /= (float)sum;
    }
    return MB_OK;
}

/* Gather, blur both ways, enlarge; the result does not depend on the threads. sigma in pixels of the photo. The alpha
 * says where the subject is. */
mb_status mb_backdrop_blur(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *photo, const mb_image_u8 *alpha,
                           double sigma, mb_error *err)
{
    blur b = {.photo = photo, .alpha = alpha, .out = out};
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    MB_TRY(prepare(&b, sigma, err));
    MB_TRY(mb_image_u8_create(out, photo->width, photo->height, 3, err));
    MB_TRY(mb_task_for(task, (size_t)b.c.height, 4, gather_rows, &b, err));
    MB_TRY(mb_task_for(task, (size_t)b.c.height, 4, blur_across, &b, err));
    MB_TRY(mb_task_for(task, (size_t)b.c.width, 4, blur_down, &b, err));
    MB_TRY(mb_task_for(task, (size_t)photo->height, 16, enlarge_rows, &b, err));
done:
    mb_free_aligned(b.c.v);
    mb_free(b.weights);
    return status;
}
