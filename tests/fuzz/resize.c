/* F14, sizes: any size to any other by each rule of the pipelines, against plain references in f64: Pillow's filters within
 * the rounding of its two passes, OpenCV's and PyTorch's bilinear to f32. */
#include "image/resample/resize.h"
#include "core/alloc.h"
#include "fuzz.h"

#include <math.h>

#define SIDE 24

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

static double linear_at(const float *v, int n, double at, int stride)
{
    const double p = clamp(at, 0, n - 1);
    const int i = (int)p, k = i + 1 < n ? i + 1 : i;
    return (double)v[i * stride] + (p - i) * ((double)v[k * stride] - (double)v[i * stride]);
}

static double bilinear(const float *v, int w, int h, double x, double y)
{
    const double p = clamp(y, 0, h - 1);
    const int i = (int)p, k = i + 1 < h ? i + 1 : i;
    const double a = linear_at(v + i * w, w, x, 1), b = linear_at(v + k * w, w, x, 1);
    return a + (p - i) * (b - a);
}

/* Box and triangle, as Pillow has them: the box is open on its left. */
static double weight(mb_filter filter, double x)
{
    if (filter == MB_FILTER_BOX) {
        return x > -0.5 && x <= 0.5 ? 1 : 0;
    }
    return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

/* One output value along an axis, as Pillow's precompute_coeffs has it. */
static double tap(mb_filter filter, const double *v, int in, int out, int i)
{
    const double scale = (double)in / out, stretch = scale > 1 ? scale : 1;
    const double reach = (filter == MB_FILTER_BOX ? 0.5 : 1) * stretch;
    const double centre = (i + 0.5) * scale;
    const int first = (int)clamp(floor(centre - reach + 0.5), 0, in),
              last = (int)clamp(floor(centre + reach + 0.5), 0, in);
    double sum = 0, total = 0;
    for (int k = first; k < last; k++) {
        const double w = weight(filter, (k - centre + 0.5) / stretch);
        sum += w * v[k];
        total += w;
    }
    return total != 0 ? sum / total : v[first < in ? first : in - 1];
}

/* Each of the two passes rounds to 8 bits. */
static void check_pillow(const mb_image_u8 *src, int w, int h, mb_filter filter)
{
    mb_image_u8 out = {0};
    double row[SIDE], columns[SIDE][SIDE];
    FUZZ_MUST(mb_resize_pillow(NULL, &out, src, w, h, filter, NULL) == MB_OK && out.width == w && out.height == h);
    for (int x = 0; x < w; x++) {
        for (int y = 0; y < src->height; y++) {
            for (int k = 0; k < src->width; k++) {
                row[k] = src->v[y * src->width + k];
            }
            columns[x][y] = clamp(tap(filter, row, src->width, w, x), 0, 255);
        }
        for (int y = 0; y < h; y++) {
            const double want = clamp(tap(filter, columns[x], src->height, h, y), 0, 255);
            FUZZ_MUST(fabs(out.v[y * w + x] - want) <= 1.5);
        }
    }
    mb_image_u8_dispose(&out);
}

static void check_linear(const float *v, int w, int h, int to_w, int to_h)
{
    float got[SIDE * SIDE];
    mb_image_f32 corners = {0};
    const mb_floats src = {(float *)(uintptr_t)v, w, h, 1}, dst = {got, to_w, to_h, 1};
    FUZZ_MUST(mb_resize_cv_f32(NULL, &dst, &src, NULL) == MB_OK);
    FUZZ_MUST(mb_resize_align_corners(NULL, &corners, v, w, h, to_w, to_h, NULL) == MB_OK);
    for (int y = 0; y < to_h; y++) {
        for (int x = 0; x < to_w; x++) {
            const double cx = (x + 0.5) * w / to_w - 0.5, cy = (y + 0.5) * h / to_h - 0.5;
            const double ax = to_w > 1 ? (double)x * (w - 1) / (to_w - 1) : 0;
            const double ay = to_h > 1 ? (double)y * (h - 1) / (to_h - 1) : 0;
            FUZZ_MUST(fabs((double)got[y * to_w + x] - bilinear(v, w, h, cx, cy)) < 1e-4);
            FUZZ_MUST(fabs((double)corners.v[y * to_w + x] - bilinear(v, w, h, ax, ay)) < 1e-4);
        }
    }
    mb_image_f32_dispose(&corners);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const mb_filter filters[] = {MB_FILTER_BOX, MB_FILTER_BILINEAR};
    fuzz_input in = {bytes, bytes + n};
    float v[SIDE * SIDE];
    uint8_t grey[SIDE * SIDE];
    const int w = fuzz_range(&in, 1, SIDE), h = fuzz_range(&in, 1, SIDE);
    const int to_w = fuzz_range(&in, 1, SIDE), to_h = fuzz_range(&in, 1, SIDE);
    const mb_filter filter = filters[fuzz_range(&in, 0, 1)];
    const size_t rest = (size_t)(in.end - in.at);
    for (int i = 0; i < w * h; i++) {
        grey[i] = rest > 0 ? in.at[(size_t)i % rest] : (uint8_t)(i * 37);
        v[i] = (float)grey[i] / 255.0F;
    }
    const mb_image_u8 src = {w, h, 1, grey};
    check_pillow(&src, to_w, to_h, filter);
    check_linear(v, w, h, to_w, to_h);
    return 0;
}
