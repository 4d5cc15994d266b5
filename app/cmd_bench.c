/* Measuring the bare network: median and spread of runs, and where the time goes.
 *
 * It measures what the library does between tensors in and tensors out: no decoding, no resizing, no
 * refinement. docs/performance-log.md has the figures that were made with it. */
#include "bench.h"
#include "commands.h"
#include "message.h"

#include "core/clock.h"
#include "core/os_process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The most expensive first. */
static int by_time(const void *a, const void *b)
{
    return by_value(&((const op_total *)b)->ms, &((const op_total *)a)->ms);
}

/* The network's progress callback, here only a way to stop. */
static int stop_if_interrupted(void *user, const mb_progress *p)
{
    (void)user;
    (void)p;
    return interrupted();
}

/* Reproducible noise around zero, about as large as normalised pixels. */
static void fill_noise(float *v, size_t n)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = (float)(state >> 8) * (4.0f / 16777216.0f) - 2.0f;
    }
}

/* Adds up the nodes of the last run by op and kernel. There are some forty pairs; a table that is full
 * leaves the rest out of the profile, not out of the total time. */
static void sum_ops(bench *b)
{
    mb_node_row row;
    for (int i = 0; mb_network_node(&row, b->network, i); i++) {
        int k = 0;
        while (k < b->n_ops && (strcmp(b->ops[k].op, row.op) != 0 || strcmp(b->ops[k].kernel, row.kernel) != 0)) {
            k++;
        }
        if (k == BENCH_MAX_OPS) {
            continue;
        }
        if (k == b->n_ops) {
            b->n_ops++;
            (void)snprintf(b->ops[k].op, sizeof b->ops[k].op, "%.31s", row.op);
            (void)snprintf(b->ops[k].kernel, sizeof b->ops[k].kernel, "%.31s", row.kernel);
        }
        b->ops[k].n++;
        b->ops[k].ms += row.ms;
        b->ops[k].macs += row.macs;
        b->ops[k].bytes += row.bytes;
    }
    qsort(b->ops, (size_t)b->n_ops, sizeof b->ops[0], by_time);
}

/* One warm-up, then the measured runs one after the other. Processor time of the cheapest run is kept
 * beside the wall-clock times: on a busy machine it is the steadier figure. */
static mb_status run_all(bench *b, const mb_array *input, mb_error *err)
{
    mb_network_set_progress(b->network, stop_if_interrupted, NULL);
    for (int i = -1; i < b->a->runs; i++) { /* run -1 packs weights and warms the caches */
        char text[64];
        (void)snprintf(text, sizeof text, i < 0 ? "warm-up" : "run %d of %d", i + 1, b->a->runs);
        message_progress(text);
        double start = mb_clock_ms();
        double cpu = mb_os_cpu_seconds();
        mb_status status = mb_network_run(b->network, input, NULL, 0, err);
        if (status != MB_OK) {
            return status;
        }
        if (i >= 0) {
            b->ms[b->n++] = mb_clock_ms() - start;
            double cpu_s = mb_os_cpu_seconds() - cpu;
            b->cpu_s = i == 0 || cpu_s < b->cpu_s ? cpu_s : b->cpu_s;
        }
    }
    message_progress("");
    if (mb_network_warning(b->network)[0] != '\0') {
        message_warning(b->a->paths[0], mb_network_warning(b->network));
    }
    /* The profile is that of the last run; times are sorted for the median. */
    sum_ops(b);
    qsort(b->ms, (size_t)b->n, sizeof *b->ms, by_value);
    return MB_OK;
}

/* Plans the size, makes the input, runs. The input is noise: the time of these networks does not depend on what is in
 * the picture. */
static int measure(bench *b, const mb_model *model)
{
    const mb_model_info *info = mb_model_get_info(model);
    const args *a = b->a;
    int w = a->options.input_width > 0 ? a->options.input_width : info->input_width;
    int h = a->options.input_width > 0 ? a->options.input_height : info->input_height;
    mb_error err = {0};
    b->summary = info->summary;
    b->plan.size = sizeof b->plan;
    if (mb_network_plan(&b->plan, b->network, a->batch, h, w, &err) != MB_OK) {
        return message_status(code_of_status(err.code), NULL, &err);
    }
    size_t count = (size_t)a->batch * (size_t)info->input_channels * (size_t)h * (size_t)w;
    float *data = malloc(count * sizeof(float));
    b->ms = calloc((size_t)a->runs, sizeof *b->ms);
    if (data == NULL || b->ms == NULL) {
        free(data);
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    fill_noise(data, count);
    mb_array input = {data, {a->batch, info->input_channels, h, w}};
    mb_status status = run_all(b, &input, &err);
    free(data);
    if (status != MB_OK) {
        return message_status(status == MB_E_FORMAT ? CODE_MODEL : code_of_status(status), NULL, &err);
    }
    double now_mb = (double)peak_bytes() * 1e-6;
    b->peak_mb = now_mb > b->measure_mb ? now_mb : (double)NAN;
    b->peak.size = sizeof b->peak;
    if (mb_context_measure_peak(&b->peak, b->context, &err) != MB_OK) {
        b->peak = (mb_peak){0}; /* a GPU, or too little memory for a look at it: shares stay out */
    }
    b->measure_mb = (double)peak_bytes() * 1e-6;
    return CODE_OK;
}

static void print(const bench *b, int first, int last)
{
    if (b->a->json) {
        bench_print_json(b);
    } else if (b->a->csv) {
        if (first) {
            bench_print_csv_head(b->a);
        }
        bench_print_csv(b);
    } else {
        if (first) {
            bench_print_head(b);
        }
        bench_print_row(b);
        if (b->a->profile && last) { /* of the last number of threads */
            bench_print_profile(b);
        }
    }
}

/* A context, a model and a network of their own for each number of threads. */
static int bench_once(bench *b, args *a, int index)
{
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_error err = {0};
    a->threads = a->thread_counts.n > 0 ? a->thread_counts.values[index] : 0;
    int code = args_context(&context, a);
    b->context = context;
    if (code == CODE_OK) {
        code = open_model(&model, context, a->paths[0]);
    }
    if (code == CODE_OK && mb_network_create(&b->network, context, model, &err) != MB_OK) {
        code = message_status(code_of_status(err.code), NULL, &err);
    }
    if (code == CODE_OK) {
        code = measure(b, model);
    }
    if (code == CODE_OK) {
        b->first_ms = index == 0 ? b->ms[b->n / 2] : b->first_ms;
        print(b, index == 0, index + 1 >= a->thread_counts.n);
    }
    mb_network_free(b->network);
    free(b->ms);
    mb_model_free(model);
    mb_context_free(context);
    return code;
}

/* The bench has tables of some kilobytes, so it lives on the heap. */
int cmd_bench(args *a)
{
    if (a->n_paths != 1) {
        return message_error(CODE_USAGE, "mattebox bench [OPTION]... MODEL", "bench needs one model");
    }
    if (a->json && a->csv) {
        return message_error(CODE_USAGE, NULL, "--json and --csv: one of them");
    }
    bench *b = calloc(1, sizeof *b);
    int code = b == NULL ? message_error(CODE_MACHINE, NULL, "out of memory") : CODE_OK;
    for (int i = 0; code == CODE_OK && (i == 0 || i < a->thread_counts.n); i++) {
        *b = (bench){.a = a, .first_ms = b->first_ms, .measure_mb = b->measure_mb};
        code = bench_once(b, a, i);
    }
    free(b);
    return code;
}
