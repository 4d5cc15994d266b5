#include "harness/golden.h"

#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mb_status golden_open(mb_safetensors **out, const char *folder, const char *name, mb_error *err)
{
    char path[600];
    const char *end = strstr(name, ".safetensors") != NULL ? "" : ".safetensors";
    (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    return mb_safetensors_open(out, path, err);
}

float *golden_floats(const mb_safetensors *g, const char *name, size_t *count)
{
    const mb_st_tensor *t = mb_safetensors_find(g, name);
    *count = 0;
    if (t == NULL) {
        return NULL;
    }
    size_t n = t->bytes / mb_st_dtype_size(t->dtype);
    float *v = malloc((n > 0 ? n : 1) * sizeof *v);
    if (v != NULL) {
        mb_st_to_float(v, t->data, t->dtype, n);
        *count = n;
    }
    return v;
}

static void compare_one(golden_difference *d, float got, float want, size_t index)
{
    double difference = fabs((double)got - (double)want);
    if (!isfinite(got) || !isfinite(want)) {
        difference = INFINITY;
    }
    if (difference > d->max_abs) {
        d->max_abs = difference;
        d->worst = index;
    }
    d->mean_abs += difference;
    d->want_max = fmax(d->want_max, fabs((double)want));
    d->count++;
}

static golden_difference finish(golden_difference d)
{
    d.mean_abs = d.count > 0 ? d.mean_abs / (double)d.count : 0;
    d.relative = d.max_abs > 0 ? d.max_abs / d.want_max : 0;
    d.comparable = true;
    return d;
}

golden_difference golden_compare(const mb_safetensors *g, const char *name, const float *got, size_t count)
{
    size_t n;
    golden_difference d = {.max_abs = 0};
    float *want = golden_floats(g, name, &n);
    if (want == NULL || n != count) {
        free(want);
        return (golden_difference){.max_abs = INFINITY, .mean_abs = INFINITY, .relative = INFINITY};
    }
    for (size_t i = 0; i < n; i++) {
        compare_one(&d, got[i], want[i], i);
    }
    free(want);
    return finish(d);
}

golden_difference golden_compare_nhwc(const mb_safetensors *g, const char *name, const float *got, size_t pitch)
{
    size_t count;
    golden_difference d = {.max_abs = 0};
    const mb_st_tensor *t = mb_safetensors_find(g, name);
    float *want = golden_floats(g, name, &count);
    if (want == NULL || t->rank != 4) {
        free(want);
        return (golden_difference){.max_abs = INFINITY, .mean_abs = INFINITY, .relative = INFINITY};
    }
    const size_t channels = (size_t)t->dims[1], pixels = (size_t)(t->dims[2] * t->dims[3]);
    for (size_t i = 0; i < count; i++) {
        size_t image = i / (channels * pixels), c = i / pixels % channels, p = i % pixels;
        compare_one(&d, got[(image * pixels + p) * pitch + c], want[i], i);
    }
    free(want);
    return finish(d);
}

/* One entry of "stats": an object of numbers, and the shape. */
static bool read_stats(double *noise, double *largest, mb_json_reader *r)
{
    char key[64];
    bool found = false;
    (void)mb_json_enter(r, '{');
    while (mb_json_next_key(r, key, sizeof key, NULL)) {
        if (strcmp(key, "fp32_vs_fp64_maxabs") == 0) {
            found = mb_json_get_number(r, noise);
        } else if (strcmp(key, "absmax") == 0) {
            (void)mb_json_get_number(r, largest);
        } else {
            (void)mb_json_skip(r);
        }
    }
    return found;
}

bool golden_noise(double *noise, double *largest, const mb_safetensors *g, const char *tap)
{
    const char *text = mb_safetensors_meta(g, "stats");
    char key[128];
    mb_json_reader r;
    *noise = *largest = 0;
    mb_json_read_init(&r, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    if (!mb_json_enter(&r, '{')) {
        return false;
    }
    while (mb_json_next_key(&r, key, sizeof key, NULL)) {
        if (strcmp(key, tap) == 0) {
            return read_stats(noise, largest, &r);
        }
        (void)mb_json_skip(&r);
    }
    return false;
}
