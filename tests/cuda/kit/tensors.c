/* Inputs and comparisons of whole models, without anything but this program. */
#include "kit.h"

#include "core/alloc.h"
#include "harness/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int kit_input(const char *path, char **dims, const char *scale)
{
    const float factor = scale != NULL ? strtof(scale, NULL) : 1.0f;
    mb_error err = {0};
    mb_st_tensor t = {.name = "input", .dtype = MB_ST_F32, .rank = 4, .bytes = sizeof(float)};
    uint32_t state = 12345;
    for (int i = 0; i < 4; i++) {
        t.dims[i] = strtol(dims[i], NULL, 10);
        if (t.dims[i] < 1 || t.dims[i] > 65536 || !mb_mul_size(&t.bytes, t.bytes, (size_t)t.dims[i])) {
            fprintf(stderr, "input: bad size %s\n", dims[i]);
            return 2;
        }
    }
    float *v = mb_alloc(t.bytes);
    for (size_t i = 0; v != NULL && i < t.bytes / sizeof *v; i++) { /* waves and some noise, as normalised pixels */
        state = state * 1664525u + 1013904223u;
        v[i] = factor * ((float)sin((double)i * 0.01) + (float)(state >> 8) / 33554432.0f - 0.25f);
    }
    t.data = v;
    const mb_st_contents c = {.tensors = &t, .n_tensors = 1};
    mb_status status = v != NULL ? mb_safetensors_write(path, &c, true, &err) : MB_E_MEMORY;
    mb_free(v);
    if (status != MB_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    return status != MB_OK;
}

int kit_compare(const char *got_path, const char *wanted_path)
{
    mb_safetensors *got = NULL, *wanted = NULL;
    mb_error err = {0};
    int bad = 0;
    if (mb_safetensors_open(&got, got_path, &err) != MB_OK ||
        mb_safetensors_open(&wanted, wanted_path, &err) != MB_OK) {
        fprintf(stderr, "%s\n", err.message);
        bad = 1;
    }
    for (size_t i = 0; bad == 0 && i < mb_safetensors_count(got); i++) {
        const char *name = mb_safetensors_at(got, i)->name;
        size_t n = 0;
        float *v = golden_floats(got, name, &n);
        golden_difference d = golden_compare(wanted, name, v, n);
        printf("{\"tensor\":\"%s\",\"comparable\":%s,\"count\":%zu,\"max_abs\":%.6g,\"mean_abs\":%.6g,"
               "\"largest\":%.6g}\n",
               name, d.comparable ? "true" : "false", n, d.max_abs, d.mean_abs, d.want_max);
        bad += !d.comparable || !isfinite(d.max_abs);
        free(v);
    }
    mb_safetensors_free(got);
    mb_safetensors_free(wanted);
    return bad != 0;
}
