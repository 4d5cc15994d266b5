/* What 16-bit products cost a network: bench_precision MODEL.mbw WIDTHxHEIGHT [--input FILE] [--save PREFIX]. Runs it
 * in f32 and by every set of loops in 16 bits that MATTEBOX_ISA can name here, and prints the largest and the mean
 * difference of the output from f32, before and after the sigmoid, beside the processor's seconds of the second run.
 * --input: raw floats [channels][height][width] (default: noise); --save: the outputs, raw floats, PREFIX.f32.raw ...
 */
#define _GNU_SOURCE
#include <mattebox.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct run {
    float *out;
    size_t n;
    double cpu_s;
    char device[96];
} run;

static int fail(const mb_error *err)
{
    (void)fprintf(stderr, "%s\n", err->message);
    return 1;
}

/* One precision: a warm-up, then the run that counts. */
static int measure(run *r, const char *path, const float *pixels, int w, int h, mb_precision precision)
{
    mb_error err = {0};
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_network *network = NULL;
    mb_context_options o;
    mb_context_options_init(&o);
    o.device = MB_DEVICE_CPU;
    o.precision = precision;
    if (mb_context_create(&context, &o, &err) != MB_OK || mb_model_open(&model, context, path, &err) != MB_OK ||
        mb_network_create(&network, context, model, &err) != MB_OK) {
        return fail(&err);
    }
    mb_array input = {pixels, {1, mb_model_get_info(model)->input_channels, h, w}};
    for (int i = 0; i < 2; i++) {
        clock_t start = clock();
        if (mb_network_run(network, &input, NULL, 0, &err) != MB_OK) {
            return fail(&err);
        }
        r->cpu_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    }
    r->n = (size_t)w * (size_t)h;
    r->out = calloc(r->n, sizeof(float));
    (void)snprintf(r->device, sizeof r->device, "%.95s", mb_context_device(context));
    mb_status status =
        r->out == NULL ? MB_E_MEMORY : mb_network_read(r->out, r->n, network, mb_network_output_name(network, 0), &err);
    mb_network_free(network);
    mb_model_free(model);
    mb_context_free(context);
    return status == MB_OK ? 0 : fail(&err);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void report(const run *r, const run *f32)
{
    double most = 0, sum = 0, alpha_most = 0, alpha_sum = 0, magnitude = 0;
    for (size_t i = 0; i < r->n; i++) {
        double a = (double)r->out[i], b = (double)f32->out[i], d = fabs(a - b), e = fabs(sigmoid(a) - sigmoid(b));
        most = fmax(most, d);
        alpha_most = fmax(alpha_most, e);
        magnitude = fmax(magnitude, fabs(b));
        sum += d;
        alpha_sum += e;
    }
    (void)printf("%-38s %7.2f s  largest %.3g mean %.3g of %.3g, after the sigmoid %.3g %.3g\n", r->device, r->cpu_s,
                 most, sum / (double)r->n, magnitude, alpha_most, alpha_sum / (double)r->n);
}

static void save(const run *r, const char *prefix, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s.%s.raw", prefix, name);
    FILE *f = fopen(path, "wb");
    if (f != NULL) {
        (void)fwrite(r->out, sizeof(float), r->n, f);
        (void)fclose(f);
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"", "generic", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx"};
    const char *input = NULL, *prefix = NULL;
    int w = 0, h = 0;
    run f32 = {0};
    for (int i = 3; i + 1 < argc; i += 2) {
        input = strcmp(argv[i], "--input") == 0 ? argv[i + 1] : input;
        prefix = strcmp(argv[i], "--save") == 0 ? argv[i + 1] : prefix;
    }
    if (argc < 3 || sscanf(argv[2], "%dx%d", &w, &h) != 2 || w < 1 || h < 1 || w > 8192 || h > 8192) {
        (void)fprintf(stderr, "usage: bench_precision MODEL.mbw WIDTHxHEIGHT [--input FILE] [--save PREFIX]\n");
        return 2;
    }
    size_t n = (size_t)w * (size_t)h * 4;
    float *pixels = calloc(n, sizeof(float));
    FILE *f = input != NULL ? fopen(input, "rb") : NULL;
    uint32_t state = 12345;
    for (size_t i = 0; pixels != NULL && i < n; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (float)(state >> 8) * (4.0f / 16777216.0f) - 2.0f;
    }
    if (pixels == NULL || (input != NULL && (f == NULL || fread(pixels, sizeof(float), n, f) < n / 4 * 3))) {
        (void)fprintf(stderr, "%s: cannot be read\n", input != NULL ? input : "memory");
        return 1;
    }
    if (measure(&f32, argv[1], pixels, w, h, MB_PRECISION_F32) != 0) {
        return 1;
    }
    report(&f32, &f32);
    if (prefix != NULL) {
        save(&f32, prefix, "f32");
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        run r = {0};
        (void)setenv("MATTEBOX_ISA", names[i], 1);
        if (measure(&r, argv[1], pixels, w, h, MB_PRECISION_BF16) == 0) {
            report(&r, &f32);
            if (prefix != NULL) {
                save(&r, prefix, names[i][0] != '\0' ? names[i] : "default");
            }
        }
        free(r.out);
    }
    free(f32.out);
    free(pixels);
    return 0;
}
