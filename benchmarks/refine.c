/* Times one classical refinement on one picture and prints a JSON line: the least wall and CPU time of the repetitions
 * and the peak memory of the process. benchmarks/refine.py runs it beside the Python peers.
 *
 *   bench_refine make SIZE PHOTO MASK                 writes a test scene as raw bytes (RGB, grey)
 *   bench_refine METHOD SIZE PARAMETER THREADS REPEATS PHOTO MASK
 *     copy, remap, trimap (kernel size), guided (radius), cholesky / cholmod / pcg (blur size), ml, blurfusion */
#define _POSIX_C_SOURCE 200809L
#include "matting/closed_form.h"
#include "matting/foreground.h"
#include "matting/guided.h"
#include "image/levels.h"
#include "matting/trimap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct bench {
    mb_image_u8 photo, mask;
    mb_image_f32 alpha; /* of the foreground methods */
    int parameter;
    mb_pool *pool;
    double detail; /* unknown pixels, bytes of the factor: what the method wants to tell */
    double factor_bytes;
} bench;

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* An ellipse with 400 strands of hair over a smooth background, with noise: sizes scale everything. */
static int make(int size, const char *photo_name, const char *mask_name)
{
    FILE *photo = fopen(photo_name, "wb"), *mask = fopen(mask_name, "wb");
    unsigned state = 12345;
    for (int i = 0; photo != NULL && mask != NULL && i < size * size; i++) {
        double x = (double)(i % size) / size - 0.5, y = (double)(i / size) / size - 0.55;
        double angle = atan2(y, x), r = sqrt(x * x + y * y * 0.7);
        double edge = 0.3 + 0.01 * sin(7 * angle) + (y < 0 ? 0.012 * sin(200 * angle) * sin(23 * angle) : 0);
        double a = (edge - r) * 0.25 * size; /* soft over 4 pixels */
        a = a < 0 ? 0 : a > 1 ? 1 : a;
        uint8_t rgb[3];
        for (int k = 0; k < 3; k++) {
            state = state * 1664525u + 1013904223u;
            double noise = (double)(state >> 16 & 15u) - 7.5;
            double front = 90 + 60 * sin(9 * x + k) + 25 * sin(40 * y * (k + 1)),
                   back = 150 + 70 * sin(4 * y - k) * cos(3 * x);
            double v = a * front + (1 - a) * back + 0.6 * noise;
            rgb[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
        uint8_t m = (uint8_t)(255 * a);
        if (fwrite(rgb, 1, 3, photo) != 3 || fwrite(&m, 1, 1, mask) != 1) {
            return 1;
        }
    }
    return photo == NULL || mask == NULL || fclose(photo) != 0 || fclose(mask) != 0;
}

static mb_status run_copy(bench *b, mb_error *err)
{
    mb_image_u8 out = {0};
    mb_status status = mb_image_u8_create(&out, b->mask.width, b->mask.height, 1, err);
    if (status == MB_OK) {
        memcpy(out.v, b->mask.v, (size_t)out.width * (size_t)out.height);
        b->detail = out.v[out.width / 2];
    }
    mb_image_u8_dispose(&out);
    return status;
}

static mb_status run_remap(bench *b, mb_error *err)
{
    (void)err;
    uint8_t table[256];
    mb_levels_table(table, mb_levels_of(0.01, 0.99));
    mb_levels_map(&(mb_task){.pool = b->pool}, &b->mask, table);
    return MB_OK;
}

static mb_status run_trimap(bench *b, mb_error *err)
{
    mb_image_u8 out = {0};
    mb_status status =
        mb_trimap_layerstyle(&(mb_task){.pool = b->pool}, &out, &b->mask, b->parameter, b->parameter, err);
    mb_image_u8_dispose(&out);
    return status;
}

static mb_status run_guided(bench *b, mb_error *err)
{
    mb_image_view guide = mb_image_view_u8(&b->photo), source = mb_image_view_u8(&b->mask);
    mb_guided_options o = {b->parameter, 0.015, 1};
    mb_image_f32 out = {0};
    mb_status status = mb_guided_filter(&(mb_task){.pool = b->pool}, &out, &guide, &source, &o, err);
    mb_image_f32_dispose(&out);
    return status;
}

/* Blur, trimap and solution, as the node's method does it. */
static mb_status matting(bench *b, mb_solver solver, mb_error *err)
{
    const mb_task task = {.pool = b->pool};
    mb_image_view photo = mb_image_view_u8(&b->photo);
    mb_closed_form_options o = {.solver = solver};
    mb_closed_form_report report = {0};
    mb_image_u8 trimap = {0};
    mb_image_f32 alpha = {0};
    mb_status status = mb_closed_form_trimap(&task, &trimap, &b->mask, b->parameter, (mb_points){0.01, 0.99}, err);
    if (status == MB_OK) {
        status = mb_closed_form(&task, &alpha, &photo, &trimap, &o, &report, err);
    }
    b->detail = report.unknown;
    b->factor_bytes = (double)report.factor_bytes;
    mb_image_u8_dispose(&trimap);
    mb_image_f32_dispose(&alpha);
    return status;
}

static mb_status run_cholesky(bench *b, mb_error *err)
{
    return matting(b, MB_SOLVER_AUTO, err);
}
static mb_status run_cholmod(bench *b, mb_error *err)
{
    return matting(b, MB_SOLVER_CHOLMOD, err);
}
static mb_status run_pcg(bench *b, mb_error *err)
{
    return matting(b, MB_SOLVER_PCG, err);
}

static mb_status run_ml(bench *b, mb_error *err)
{
    const mb_foreground_options o = {0};
    mb_colours f = {0};
    mb_status status = mb_foreground_ml(&(mb_task){.pool = b->pool}, &f, NULL, &b->photo, &b->alpha, &o, err);
    mb_colours_dispose(&f);
    return status;
}

static mb_status run_blurfusion(bench *b, mb_error *err)
{
    const mb_foreground_options o = {0};
    mb_colours f = {0};
    mb_status status = mb_foreground_blurfusion(&(mb_task){.pool = b->pool}, &f, &b->photo, &b->alpha, &o, err);
    mb_colours_dispose(&f);
    return status;
}

static const struct {
    const char *name;
    mb_status (*run)(bench *b, mb_error *err);
} methods[] = {
    {"copy", run_copy},
    {"remap", run_remap},
    {"trimap", run_trimap},
    {"guided", run_guided},
    {"cholesky", run_cholesky},
    {"cholmod", run_cholmod},
    {"pcg", run_pcg},
    {"ml", run_ml},
    {"blurfusion", run_blurfusion},
};

static mb_status load(mb_image_u8 *out, const char *name, int size, int channels, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, size, size, channels, err);
    size_t n = (size_t)size * (size_t)size * (size_t)channels;
    FILE *f = fopen(name, "rb");
    if (status == MB_OK && (f == NULL || fread(out->v, 1, n, f) != n)) {
        status = mb_fail(err, MB_E_IO, "%s: cannot be read", name);
    }
    if (f != NULL) {
        fclose(f);
    }
    return status;
}

static mb_status prepare(bench *b, int size, int threads, char **names, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(load(&b->photo, names[0], size, 3, err));
    MB_TRY(load(&b->mask, names[1], size, 1, err));
    MB_TRY(mb_image_f32_create(&b->alpha, size, size, err));
    for (size_t i = 0; i < (size_t)size * (size_t)size; i++) {
        b->alpha.v[i] = (float)b->mask.v[i] / 255.0f;
    }
    MB_TRY(mb_pool_create(&b->pool, threads, err));
done:
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) {
        return make(atoi(argv[2]), argv[3], argv[4]);
    }
    if (argc != 8) {
        fprintf(stderr, "usage: bench_refine METHOD SIZE PARAMETER THREADS REPEATS PHOTO MASK\n");
        return 2;
    }
    bench b = {.parameter = atoi(argv[3])};
    mb_error err = {0};
    mb_status status = prepare(&b, atoi(argv[2]), atoi(argv[4]), argv + 6, &err);
    double wall = 1e30, cpu = 1e30;
    for (size_t m = 0; status == MB_OK && m < sizeof methods / sizeof *methods; m++) {
        for (int i = 0; strcmp(methods[m].name, argv[1]) == 0 && status == MB_OK && i < atoi(argv[5]); i++) {
            double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_PROCESS_CPUTIME_ID);
            status = methods[m].run(&b, &err);
            wall = fmin(wall, seconds(CLOCK_MONOTONIC) - w);
            cpu = fmin(cpu, seconds(CLOCK_PROCESS_CPUTIME_ID) - c);
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (status == MB_OK) {
        printf("{\"method\": \"%s\", \"size\": %s, \"parameter\": %s, \"threads\": %s, \"wall_ms\": %.2f, \"cpu_ms\": "
               "%.2f, "
               "\"peak_mib\": %.0f, \"detail\": %.0f, \"factor_mib\": %.1f}\n",
               argv[1], argv[2], argv[3], argv[4], wall * 1e3, cpu * 1e3, (double)usage.ru_maxrss / 1024, b.detail,
               b.factor_bytes / 1048576);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    mb_image_u8_dispose(&b.photo);
    mb_image_u8_dispose(&b.mask);
    mb_image_f32_dispose(&b.alpha);
    mb_pool_free(b.pool);
    return status == MB_OK ? 0 : 1;
}
