#include "harness/model_golden.h"

#include "core/alloc.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "harness/golden.h"
#include "models/registry.h"
#include "pipeline/vitmatte_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TAPS 128

typedef struct open_case {
    const model_case *c;
    mb_safetensors *golden;
    mb_weights *weights;
    mb_pool *pool;
    mb_backend backend;
    mb_runner *runner;
    mb_plan *plan;
    int64_t n, h, w; /* fed size */
    int64_t picture_h, picture_w;
    char names[MOST_TAPS][64]; /* of the golden's tensors, without "_slice" and the like */
    const char *taps[MOST_TAPS];
    int n_taps;
} open_case;

static int number(const mb_safetensors *g, const char *key)
{
    const char *text = mb_safetensors_meta(g, key);
    return text != NULL ? atoi(text) : 0;
}

/* The network's name of a golden's tensor: without the suffix that says which part of it was kept. */
static void plain_name(char name[64], const char *of)
{
    static const char *const suffixes[] = {"_slice", "_sub4", "_rows"};
    (void)snprintf(name, 64, "%s", of);
    for (size_t s = 0; s < sizeof suffixes / sizeof suffixes[0]; s++) {
        char *at = strstr(name, suffixes[s]);
        if (at != NULL) {
            *at = '\0';
        }
    }
}

/* Which tensors of the golden the network can show: not the processor's, not those in window layout. */
static void list_taps(open_case *o)
{
    for (size_t i = 0; i < mb_safetensors_count(o->golden) && o->n_taps < MOST_TAPS; i++) {
        const mb_st_tensor *t = mb_safetensors_at(o->golden, i);
        bool windows = strstr(t->name, ".qkv") != NULL && mb_safetensors_meta(o->golden, "timm") == NULL;
        if (t->dtype != MB_ST_F32 || strcmp(t->name, "pixel_values") == 0 || windows ||
            strstr(t->name, ".attention") != NULL) {
            continue;
        }
        char *name = o->names[o->n_taps];
        plain_name(name, t->name);
        o->taps[o->n_taps++] = name;
    }
}

static void fill_birefnet(const open_case *o, mb_view in)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};
    size_t pixels = (size_t)(o->h * o->w);
    uint8_t *image = mb_alloc(pixels * 3);
    for (int64_t n = 0; image != NULL && n < o->n; n++) {
        gen_image(image, (uint64_t)number(o->golden, "image_seed"), (int)o->h, (int)o->w, (uint64_t)n);
        float *x = (float *)in.data + n * o->h * o->w * in.pitch;
        for (size_t i = 0; i < pixels * 3; i++) {
            x[i] = ((float)image[i] / 255.0f - mean[i % 3]) / deviation[i % 3];
        }
    }
    mb_free(image);
}

static void fill_vitmatte(const open_case *o, mb_view in)
{
    static const float half[3] = {0.5f, 0.5f, 0.5f};
    const mb_st_tensor *image = mb_safetensors_find(o->golden, "image"),
                       *trimap = mb_safetensors_find(o->golden, "trimap");
    size_t pixels = (size_t)(o->picture_h * o->picture_w);
    uint8_t *rgb = mb_alloc(pixels * 3), *t = mb_alloc(pixels);
    for (int64_t n = 0; rgb != NULL && t != NULL && n < o->n; n++) {
        memcpy(rgb, (const char *)image->data + (size_t)n * pixels * 3, pixels * 3);
        memcpy(t, (const char *)trimap->data + (size_t)n * pixels, pixels);
        mb_image_u8 photo = {(int)o->picture_w, (int)o->picture_h, 3, rgb},
                    map = {(int)o->picture_w, (int)o->picture_h, 1, t};
        mb_vitmatte_process((float *)in.data + n * o->h * o->w * 4, o->h, o->w, &photo, &map, half, half);
    }
    mb_free(rgb);
    mb_free(t);
}

static bool open_all(open_case *o)
{
    mb_error err = {0};
    const mb_architecture *arch = NULL;
    const char *folder = getenv("MATTEBOX_GOLDENS");
    if (golden_open(&o->golden, MB_TEST_DATA "/goldens", o->c->golden, &err) != MB_OK) {
        err = (mb_error){0};
        if (folder == NULL || golden_open(&o->golden, folder, o->c->golden, &err) != MB_OK) {
            return false;
        }
    }
    CHECK_OK(gen_weights(&o->weights, o->c->variant, (uint64_t)number(o->golden, "weight_seed"), &err), err);
    CHECK_OK(mb_pool_create(&o->pool, 0, &err), err);
    if (o->c->backend != NULL) {
        o->backend = *o->c->backend;
    } else if (o->c->reference) {
        mb_backend_ref(&o->backend);
    } else {
        CHECK_OK(mb_backend_cpu(&o->backend, &err), err);
    }
    CHECK_OK(mb_registry_find(&arch, o->weights, &err), err);
    if (arch == NULL) {
        return false;
    }
    int step = arch->family == MB_FAMILY_VITMATTE ? 32 : 1;
    o->n = number(o->golden, "batch");
    o->picture_h = number(o->golden, "height");
    o->picture_w = number(o->golden, "width");
    o->h = (o->picture_h + step - 1) / step * step;
    o->w = (o->picture_w + step - 1) / step * step;
    list_taps(o);
    mb_runner_options options = {o->pool, &o->backend, 0, o->c->passes};
    CHECK_OK(mb_runner_create(&o->runner, o->weights, arch->record, &options, &err), err);
    CHECK_OK(mb_runner_plan(&o->plan, o->runner, o->n, o->h, o->w, o->taps, o->n_taps, &err), err);
    if (o->plan == NULL) {
        return false;
    }
    mb_view in = mb_plan_view(o->plan, "input");
    if (arch->family == MB_FAMILY_VITMATTE) {
        fill_vitmatte(o, in);
    } else {
        fill_birefnet(o, in);
    }
    CHECK_OK(mb_plan_run(o->plan, NULL, NULL, &err), err);
    return err.code == MB_OK;
}

/* map[:, ::max(1,C/8), ::max(1,h/16), ::max(1,w/16)], [::4, ::4], rows 0, 1, H/2, H-2, H-1, or everything. */
static float *pick(const char *name, const mb_view *v, bool tokens, size_t *count)
{
    int64_t c = v->dims[1], h = v->dims[2], w = v->dims[3], step[3] = {1, 1, 1};
    const int64_t rows[5] = {0, 1, h / 2, h - 2, h - 1};
    bool few_rows = strstr(name, "_rows") != NULL;
    if (strstr(name, "_slice") != NULL) {
        step[0] = c / 8 > 1 ? c / 8 : 1;
        step[1] = h / 16 > 1 ? h / 16 : 1;
        step[2] = w / 16 > 1 ? w / 16 : 1;
    } else if (strstr(name, "_sub4") != NULL) {
        step[1] = step[2] = 4;
    }
    float *out = mb_alloc_array((size_t)mb_view_count(v), sizeof *out);
    size_t n = 0;
    for (int64_t b = 0; out != NULL && b < v->dims[0]; b++) {
        for (int64_t i = 0; i < c; i += step[0]) {
            for (int64_t y = 0; y < (few_rows ? 5 : h); y += step[1]) {
                for (int64_t x = 0; x < w; x += step[2]) {
                    int64_t row = few_rows ? rows[y] : y;
                    size_t at = tokens ? (size_t)(((b * h + row) * w + x) * c + i) : n;
                    out[at] = ((const float *)v->data)[((b * h + row) * w + x) * v->pitch + i];
                    n++;
                }
            }
        }
    }
    *count = n;
    return out;
}

/* Channels last, as our views are. */
static bool is_tokens(const mb_st_tensor *t, const mb_view *v)
{
    bool last = t->rank == 4 && t->dims[3] == v->dims[1] && t->dims[1] != v->dims[1];
    return t->rank < 4 || last || strstr(t->name, ".norm1") != NULL || strstr(t->name, ".mlp") != NULL;
}

/* Within a multiple of the noise that the golden records. */
static void check_noise(const open_case *o, const char *tap, const golden_difference *d)
{
    double noise, largest;
    bool known = golden_noise(&noise, &largest, o->golden, tap);
    double limit = fmax(o->c->noise * noise, 1e-6 * largest);
    CHECK_MSG(known, "%s: nothing is recorded of %s", o->c->golden, tap);
    CHECK_MSG(d->max_abs <= limit, "%s (%s): %s is off by %.3g of %.3g, %.1f times the recorded noise", o->c->golden,
              o->c->passes != NULL ? o->c->passes : "all passes", tap, d->max_abs, largest, d->max_abs / noise);
}

/* MB_TAPS=1: one line of JSON for each tap, to see where a precision loses what. */
static void print_tap(const open_case *o, const char *name, const golden_difference *d)
{
    const char *wish = getenv("MB_TAPS");
    if (wish != NULL && strcmp(wish, "1") == 0) {
        printf("{\"golden\":\"%s\",\"tap\":\"%s\",\"max_abs\":%.3g,\"mean_abs\":%.3g,\"largest\":%.3g,\"relative\":%."
               "3g}\n",
               o->c->golden, name, d->max_abs, d->mean_abs, d->want_max, d->relative);
    }
}

static int compare_taps(const open_case *o)
{
    int compared = 0;
    for (size_t i = 0; i < mb_safetensors_count(o->golden); i++) {
        const mb_st_tensor *t = mb_safetensors_at(o->golden, i);
        char name[64];
        plain_name(name, t->name);
        mb_view v = mb_plan_view(o->plan, name);
        if (t->dtype != MB_ST_F32 || !mb_view_present(&v)) {
            continue;
        }
        size_t count = 0;
        float *got = pick(t->name, &v, is_tokens(t, &v), &count);
        golden_difference d = golden_compare(o->golden, t->name, got, count);
        print_tap(o, t->name, &d);
        const char *how = o->c->passes != NULL ? o->c->passes : "all passes";
        CHECK_MSG(d.comparable, "%s: %s: %zu values", o->c->golden, t->name, count);
        if (o->c->noise > 0) {
            check_noise(o, name, &d);
        }
        CHECK_MSG(o->c->noise > 0 || d.relative <= o->c->tap, "%s (%s): %s is off by %.3g of %.3g", o->c->golden, how,
                  t->name, d.max_abs, d.want_max);
        if (strncmp(t->name, o->c->output, strlen(o->c->output)) == 0) {
            CHECK_MSG(o->c->noise > 0 || (d.max_abs <= o->c->max_abs && d.mean_abs <= o->c->mean_abs),
                      "%s (%s): %s: max %.3g mean %.3g", o->c->golden, how, t->name, d.max_abs, d.mean_abs);
            printf("%-36s %-10s %-12s max %.2e  mean %.2e\n", o->c->golden, how, t->name, d.max_abs, d.mean_abs);
        }
        mb_free(got);
        compared++;
    }
    return compared;
}

bool model_golden_check(const model_case *c)
{
    open_case *o = mb_calloc(1, sizeof *o);
    bool done = false;
    if (o != NULL) {
        o->c = c;
        done = open_all(o);
        if (done) {
            int compared = compare_taps(o);
            CHECK_MSG(compared >= c->least_taps, "%s: %d taps compared, not %d", c->golden, compared, c->least_taps);
        }
        mb_runner_free(o->runner);
        mb_pool_free(o->pool);
        mb_weights_free(o->weights);
        mb_safetensors_free(o->golden);
    }
    mb_free(o);
    return done;
}

enum { MOST_CASES = 64 };

typedef struct listed_case {
    const model_case *c;
    bool shipped;
    char name[128];
} listed_case;

static void check_listed(const void *row)
{
    const listed_case *l = row;
    if (!model_golden_check(l->c)) {
        CHECK_MSG(!l->shipped, "the golden %s is missing, or its network", l->c->golden);
        if (!l->shipped) {
            SKIP("%s is not at hand (MATTEBOX_GOLDENS)", l->c->golden);
        }
    }
}

void model_golden_add(const model_case *cases, int n_cases, int shipped)
{
    static listed_case list[MOST_CASES];
    for (int i = 0; i < n_cases && i < MOST_CASES; i++) {
        const model_case *c = &cases[i];
        list[i] = (listed_case){.c = c, .shipped = i < shipped};
        (void)snprintf(list[i].name, sizeof list[i].name, "%s%s%s%s", c->golden, c->reference ? " plain" : "",
                       c->passes != NULL ? " passes " : "", c->passes != NULL ? c->passes : "");
        test_add_row("", list[i].name, i, check_listed, &list[i]);
    }
}
