#include "segment/lab.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <math.h>

#define GRAIN 4096 /* pixels of a chunk */

enum { BLOCK = 64 };                    /* pixels that are converted side by side */
static const float KNEE = 0.008856452f; /* below it the curve is straight */

typedef struct lab_job {
    const mb_image_u8 *rgb;
    float *v;
    float linear[256]; /* sRGB byte -> light, 0 .. 1 */
} lab_job;

static void fill_linear(float linear[256])
{
    for (int i = 0; i < 256; i++) {
        float v = (float)i / 255.0f;
        linear[i] = v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
    }
}

/* Cube roots of n values from 0.008 to 1.1, rounded to float: an estimate from the exponent, then two steps of Halley's
 * method. Of the four operations and so the same on every machine, which the C library's cbrtf is not. */
MB_CLONES static void cube_roots(float *v, int n)
{
    for (int i = 0; i < n; i++) {
        union {
            float value;
            uint32_t bits;
        } guess = {v[i]};
        guess.bits = guess.bits / 3 + 0x2a512ce3u; /* two thirds of the exponent's bias: within 4 % */
        const double t = (double)v[i], r = (double)guess.value, c = r * r * r, s = r * (c + 2 * t) / (2 * c + t);
        const double d = s * s * s;
        v[i] = (float)(s * (d + 2 * t) / (2 * d + t));
    }
}

/* The curve of CIE 1976: a cube root, with a straight piece near black. */
static void apply_curve(float *v, int n)
{
    float root[3 * BLOCK];
    for (int i = 0; i < n; i++) {
        root[i] = v[i] > KNEE ? v[i] : 1.0f;
    }
    cube_roots(root, n);
    for (int i = 0; i < n; i++) {
        v[i] = v[i] > KNEE ? root[i] : 7.787037f * v[i] + 16.0f / 116.0f;
    }
}

/* sRGB bytes of n <= BLOCK pixels to light, to X Y Z over the white point, to L* a* b*. */
static void convert(float *lab, const uint8_t *rgb, size_t step, int n, const float linear[256])
{
    float v[3 * BLOCK];
    for (int i = 0; i < n; i++, rgb += step) {
        const float r = linear[rgb[0]], g = linear[rgb[1]], b = linear[rgb[2]];
        v[3 * i] = (0.4124564f * r + 0.3575761f * g + 0.1804375f * b) / 0.95047f;
        v[3 * i + 1] = 0.2126729f * r + 0.7151522f * g + 0.0721750f * b;
        v[3 * i + 2] = (0.0193339f * r + 0.1191920f * g + 0.9503041f * b) / 1.08883f;
    }
    apply_curve(v, 3 * n);
    for (int i = 0; i < n; i++) {
        const float x = v[3 * i], y = v[3 * i + 1], z = v[3 * i + 2];
        lab[3 * i] = 116.0f * y - 16.0f;
        lab[3 * i + 1] = 500.0f * (x - y);
        lab[3 * i + 2] = 200.0f * (y - z);
    }
}

static void convert_pixels(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const lab_job *j = arg;
    const size_t step = (size_t)j->rgb->channels;
    for (size_t i = begin; i < end; i += BLOCK) {
        convert(j->v + 3 * i, j->rgb->v + i * step, step, end - i < BLOCK ? (int)(end - i) : BLOCK, j->linear);
    }
}

/* Pixels are independent: the same values for any number of threads. */
mb_status mb_lab_create(const mb_task *task, mb_lab *out, const mb_image_u8 *rgb, mb_error *err)
{
    size_t n = (size_t)rgb->width * (size_t)rgb->height;
    *out = (mb_lab){rgb->width, rgb->height, mb_alloc_array(n, 3 * sizeof(float))};
    if (out->v == NULL) {
        return mb_fail_memory(err, n * 3 * sizeof(float), "a picture in L*a*b*");
    }
    lab_job job = {.rgb = rgb, .v = out->v};
    fill_linear(job.linear);
    mb_status status = mb_task_for(task, n, GRAIN, convert_pixels, &job, err);
    if (status != MB_OK) {
        mb_lab_dispose(out);
    }
    return status;
}

void mb_lab_dispose(mb_lab *lab)
{
    mb_free(lab->v);
    *lab = (mb_lab){0};
}
