/* Measuring the bare network: median and spread of runs, and where the time goes.
 *
 * It measures what the library does between tensors in and tensors out: no decoding, no resizing, no
 * refinement. docs/performance-log.md has the figures that were made with it. */
#include "commands.h"
#include "json.h"
#include "message.h"

#include "core/clock.h"
#include "core/os_process.h"

#include <stdlib.h>
#include <string.h>

#define MAX_OPS   64
#define N_SLOWEST 15

/* Time and work of all nodes with one op and one kernel. */
typedef struct op_total {
    char op[32], kernel[32];
    int n;
    double ms, macs, bytes;
} op_total;

typedef struct bench {
    mb_network *network;
    mb_array input;
    float *data;
    double *ms; /* of each run */
    int n;
    double cpu_s; /* processor time of the cheapest run, all threads */
    op_total ops[MAX_OPS];
    int n_ops;
} bench;

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
        if (k == MAX_OPS) {
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

static double rate(double amount, double ms)
{
    return ms > 0.0 ? amount / ms * 1e-6 : 0.0; /* 1e9 a second */
}

/* Two tables: time by op, and the slowest nodes with their shapes. Rates count two operations for a
 * multiply-accumulate, and each input, weight and output once. */
static void print_profile(const bench *b)
{
    double total = 0.0;
    for (int i = 0; i < b->n_ops; i++) {
        total += b->ops[i].ms;
    }
    (void)printf("\n%-20s %-14s %5s %10s %7s %9s %8s\n", "op", "kernel", "nodes", "ms", "share", "GFLOP/s", "GB/s");
    for (int i = 0; i < b->n_ops; i++) {
        const op_total *o = &b->ops[i];
        (void)printf("%-20s %-14s %5d %10.2f %6.1f%% %9.1f %8.1f\n", o->op, o->kernel, o->n, o->ms,
                     total > 0.0 ? 100.0 * o->ms / total : 0.0, rate(2.0 * o->macs, o->ms), rate(o->bytes, o->ms));
    }
    double worst[N_SLOWEST];
    int index[N_SLOWEST], n = 0;
    mb_node_row row;
    for (int i = 0; mb_network_node(&row, b->network, i); i++) { /* insertion into the list of the slowest */
        int at = n < N_SLOWEST ? n++ : N_SLOWEST - 1;
        if (at == N_SLOWEST - 1 && n == N_SLOWEST && i >= N_SLOWEST && row.ms <= worst[at]) {
            continue;
        }
        for (; at > 0 && worst[at - 1] < row.ms; at--) {
            worst[at] = worst[at - 1];
            index[at] = index[at - 1];
        }
        worst[at] = row.ms;
        index[at] = i;
    }
    (void)printf("\nslowest nodes\n");
    for (int i = 0; i < n; i++) {
        (void)mb_network_node(&row, b->network, index[i]);
        (void)printf("%10.2f ms %8.1f GFLOP/s %7.1f GB/s  %-16s [%lld,%lld,%lld,%lld]  %s\n", row.ms,
                     rate(2.0 * row.macs, row.ms), rate(row.bytes, row.ms), row.op, (long long)row.dims[0],
                     (long long)row.dims[1], (long long)row.dims[2], (long long)row.dims[3], row.name);
    }
}

/* The object that docs/json.md describes; benchmarks/network.py reads it to compare with other programs. */
static void print_json(const bench *b, const mb_plan_info *plan, const args *a, const mb_context *context)
{
    json j = {stdout, 0};
    json_begin(&j, NULL, '{');
    json_text(&j, "model", a->paths[0]);
    json_text(&j, "device", mb_context_device(context));
    json_int(&j, "threads", mb_context_threads(context));
    json_int(&j, "batch", a->batch);
    json_int(&j, "width", plan->input_width);
    json_int(&j, "height", plan->input_height);
    json_int(&j, "runs", b->n);
    json_real(&j, "median_ms", b->ms[b->n / 2]);
    json_real(&j, "min_ms", b->ms[0]);
    json_real(&j, "max_ms", b->ms[b->n - 1]);
    json_real(&j, "wall_min", b->ms[0] * 1e-3); /* seconds and MB, as benchmarks/network.py compares them */
    json_real(&j, "cpu_min", b->cpu_s);
    json_real(&j, "peak_rss_mb", (double)peak_bytes() * 1e-6);
    json_real(&j, "gmac", plan->macs * 1e-9);
    json_real(&j, "gflops", rate(2.0 * plan->macs, b->ms[b->n / 2]));
    json_int(&j, "arena_bytes", (long long)plan->arena_bytes);
    json_int(&j, "weight_bytes", (long long)plan->weight_bytes);
    if (a->profile) {
        json_begin(&j, "ops", '[');
        for (int i = 0; i < b->n_ops; i++) {
            const op_total *o = &b->ops[i];
            json_begin(&j, NULL, '{');
            json_text(&j, "op", o->op);
            json_text(&j, "kernel", o->kernel);
            json_int(&j, "nodes", o->n);
            json_real(&j, "ms", o->ms);
            json_real(&j, "gflops", rate(2.0 * o->macs, o->ms));
            json_real(&j, "gbytes_per_s", rate(o->bytes, o->ms));
            json_end(&j, '}');
        }
        json_end(&j, ']');
    }
    json_end(&j, '}');
    json_line(&j);
}

/* One warm-up, then the measured runs one after the other. Processor time of the cheapest run is kept
 * beside the wall-clock times: on a busy machine it is the steadier figure. */
static mb_status run_all(bench *b, const args *a, mb_error *err)
{
    mb_network_set_progress(b->network, stop_if_interrupted, NULL);
    for (int i = -1; i < a->runs; i++) { /* run -1 packs weights and warms the caches */
        char text[64];
        (void)snprintf(text, sizeof text, i < 0 ? "warm-up" : "run %d of %d", i + 1, a->runs);
        message_progress(text);
        double start = mb_clock_ms();
        double cpu = mb_os_cpu_seconds();
        mb_status status = mb_network_run(b->network, &b->input, NULL, 0, err);
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
        message_warning(a->paths[0], mb_network_warning(b->network));
    }
    return MB_OK;
}

/* Plans the size, makes the input, runs, prints. The input is noise: the time of these networks does not
 * depend on what is in the picture. */
static int measure(bench *b, const args *a, const mb_context *context, const mb_model *model)
{
    const mb_model_info *info = mb_model_get_info(model);
    int w = a->options.input_width > 0 ? a->options.input_width : info->input_width;
    int h = a->options.input_width > 0 ? a->options.input_height : info->input_height;
    mb_plan_info plan = {.size = sizeof plan};
    mb_error err = {0};
    if (mb_network_plan(&plan, b->network, a->batch, h, w, &err) != MB_OK) {
        return message_status(code_of_status(err.code), NULL, &err);
    }
    size_t count = (size_t)a->batch * (size_t)info->input_channels * (size_t)h * (size_t)w;
    b->data = malloc(count * sizeof(float));
    b->ms = calloc((size_t)a->runs, sizeof *b->ms);
    if (b->data == NULL || b->ms == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    fill_noise(b->data, count);
    b->input = (mb_array){b->data, {a->batch, info->input_channels, h, w}};
    mb_status status = run_all(b, a, &err);
    if (status != MB_OK) {
        return message_status(status == MB_E_FORMAT ? CODE_MODEL : code_of_status(status), NULL, &err);
    }
    /* The profile is that of the last run; times are sorted for the median. */
    sum_ops(b);
    qsort(b->ms, (size_t)b->n, sizeof *b->ms, by_value);
    if (a->json) {
        print_json(b, &plan, a, context);
        return CODE_OK;
    }
    double median = b->ms[b->n / 2];
    (void)printf("%s, %s, %d threads, %d x %dx%d\n", info->summary, mb_context_device(context),
                 mb_context_threads(context), a->batch, w, h);
    (void)printf("median %.1f ms (%.1f to %.1f, %d runs), %.1f GMAC, %.1f GFLOP/s\n", median, b->ms[0], b->ms[b->n - 1],
                 b->n, plan.macs * 1e-9, rate(2.0 * plan.macs, median));
    if (a->profile) {
        print_profile(b);
    }
    return CODE_OK;
}

/* The bench has tables of some kilobytes, so it lives on the heap; everything is released at the end, on
 * every path. */
int cmd_bench(args *a)
{
    mb_context *context = NULL;
    mb_model *model = NULL;
    bench *b = calloc(1, sizeof *b);
    mb_error err = {0};
    int code = b == NULL ? message_error(CODE_MACHINE, NULL, "out of memory") : CODE_OK;
    if (code == CODE_OK && a->n_paths != 1) {
        code = message_error(CODE_USAGE, "mattebox bench [OPTION]... MODEL", "bench needs one model");
    }
    if (code == CODE_OK) {
        code = args_context(&context, a);
    }
    if (code == CODE_OK) {
        code = open_model(&model, context, a->paths[0]);
    }
    if (code == CODE_OK && mb_network_create(&b->network, context, model, &err) != MB_OK) {
        code = message_status(code_of_status(err.code), NULL, &err);
    }
    if (code == CODE_OK) {
        code = measure(b, a, context, model);
    }
    if (b != NULL) {
        mb_network_free(b->network);
        free(b->data);
        free(b->ms);
        free(b);
    }
    mb_model_free(model);
    mb_context_free(context);
    return code;
}
