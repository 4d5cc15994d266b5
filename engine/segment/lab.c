#include "segment/lab.h"

#include "core/alloc.h"

#include <math.h>

#define GRAIN 4096 /* pixels of a chunk */

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

/* The cube root of CIE 1976, with its straight piece near black. */
static float curve(float t)
{
    return t > 0.008856452f ? cbrtf(t) : 7.787037f * t + 16.0f / 116.0f;
}

/* sRGB bytes to light, to X Y Z over the white point, to L* a* b*. */
static void convert(float lab[3], const uint8_t rgb[3], const float linear[256])
{
    float r = linear[rgb[0]], g = linear[rgb[1]], b = linear[rgb[2]];
    float x = curve((0.4124564f * r + 0.3575761f * g + 0.1804375f * b) / 0.95047f);
    float y = curve(0.2126729f * r + 0.7151522f * g + 0.0721750f * b);
    float z = curve((0.0193339f * r + 0.1191920f * g + 0.9503041f * b) / 1.08883f);
    lab[0] = 116.0f * y - 16.0f;
    lab[1] = 500.0f * (x - y);
    lab[2] = 200.0f * (y - z);
}

static void convert_pixels(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const lab_job *j = arg;
    size_t step = (size_t)j->rgb->channels;
    for (size_t i = begin; i < end; i++) {
        convert(j->v + 3 * i, j->rgb->v + i * step, j->linear);
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
