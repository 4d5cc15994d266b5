/* Runs the cases of one op on every kernel, or measures them. See op_harness.h. */
#define _GNU_SOURCE /* clock_gettime */
#include "harness/op_harness.h"

#include "core/alloc.h"
#include "harness/check.h"
#include "harness/op_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t count(const int64_t d[4])
{
    return (size_t)(d[0] * d[1] * d[2] * d[3]);
}

static mb_call call_of(const op_case *oc, const op_contents *data)
{
    mb_call c = {.attrs = &oc->attrs, .n_in = data->n_in};
    for (int i = 0; i < data->n_in; i++) {
        const int64_t *d = data->dims[i];
        if (data->in[i] != NULL) {
            c.in[i] = mb_view_of(data->in[i], d[0], d[1], d[2], d[3]);
        }
    }
    c.out = mb_view_of(NULL, data->out_dims[0], data->out_dims[1], data->out_dims[2], data->out_dims[3]);
    return c;
}

/* Random inputs and the shape of the output. */
static bool make_contents(op_contents *data, mb_op op, const op_case *oc)
{
    *data = (op_contents){0};
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        if (oc->in[i][0] == 0) {
            continue;
        }
        for (int k = 0; k < 4; k++) {
            data->dims[i][k] = oc->in[i][k] > 0 ? oc->in[i][k] : 1;
        }
        data->n_in = i + 1;
        data->in[i] = mb_alloc_array(count(data->dims[i]), sizeof(float));
        if (!CHECK(data->in[i] != NULL)) {
            return false;
        }
        op_fill(data->in[i], count(data->dims[i]), op, i, oc);
    }
    mb_call c = call_of(oc, data);
    mb_error err = {0};
    mb_status s = mb_op_get_rule(op)->shape(data->out_dims, &c, &err);
    if (!CHECK_MSG(s == MB_OK, "%s: %s", oc->name, err.message)) {
        return false;
    }
    data->n_out = count(data->out_dims);
    data->expected = mb_alloc_array(data->n_out, sizeof(float));
    return CHECK(data->expected != NULL);
}

static void free_contents(op_contents *data)
{
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        mb_free(data->in[i]);
    }
    mb_free(data->expected);
}

static bool run_once(float *dense, const op_kernel *k, mb_op op, const op_case *oc, const op_contents *data,
                     const op_variant *v)
{
    op_job j;
    bool ok = op_job_begin(&j, k, op, oc, data, v) && op_job_run(&j, k, oc) && op_job_verify(&j, dense, k, oc, data);
    op_job_end(&j);
    return ok;
}

/* How many threads a layout runs with, one number after the other; to the first 0. */
typedef int thread_counts[4];
static const thread_counts one_to_three = {1, 2, 3}, one_and_three = {1, 3}, two = {2};

/* One kernel with one layout: the same bits with each number of threads, near enough to ref. */
static void check_layout(float *scratch[2], const op_kernel *k, mb_op op, const op_case *oc, const op_contents *data,
                         op_variant v, const thread_counts threads)
{
    static const int poison[] = {0xFF, 0x00, 0x7E};
    const mb_op_rule *rule = mb_op_get_rule(op);
    double allowed = v.tolerance * (oc->looser > 0 ? (double)oc->looser : 1);
    for (int t = 0; threads[t] > 0; t++) {
        v.threads = threads[t];
        v.poison = poison[threads[t] - 1];
        float *now = scratch[t > 0];
        if (!run_once(now, k, op, oc, data, &v)) {
            return;
        }
        if (t == 0) {
            double d = op_distance(now, data->expected, data->n_out);
            CHECK_MSG(d <= allowed, "%s '%s': %s %s%s%s is %.2g from ref, %.2g is allowed", rule->name, oc->name,
                      k->backend, k->kernel->name, v.slices ? ", slices" : "", v.in_place ? ", in place" : "", d,
                      allowed);
        } else {
            CHECK_MSG(memcmp(scratch[0], now, data->n_out * sizeof(float)) == 0,
                      "%s '%s': %s %s: %d threads give other bits than %d", rule->name, oc->name, k->backend,
                      k->kernel->name, v.threads, threads[0]);
        }
    }
}

static bool can_be_in_place(const op_kernel *k, mb_op op, const op_contents *data)
{
    int i = k->kernel->in_place_input - 1;
    return i >= 0 && data->in[i] != NULL && !(op_constants(op) >> i & 1) &&
           memcmp(data->dims[i], data->out_dims, sizeof data->out_dims) == 0;
}

static void check_kernels(const op_kernel *kernels, int n, mb_op op, const op_case *oc, const op_contents *data,
                          double tolerance)
{
    float *scratch[2] = {mb_alloc_array(data->n_out, sizeof(float)), mb_alloc_array(data->n_out, sizeof(float))};
    mb_call c = call_of(oc, data);
    const op_variant dense = {.tolerance = tolerance}, slices = {.tolerance = tolerance, .slices = true};
    for (int i = 0; i < n; i++) {
        const op_kernel *k = &kernels[i];
        if (k->kernel->supports != NULL && !k->kernel->supports(&c)) {
            continue;
        }
        const bool few = test_short();
        check_layout(scratch, k, op, oc, data, dense, few ? one_and_three : one_to_three);
        check_layout(scratch, k, op, oc, data, slices, few ? two : one_to_three);
        if (can_be_in_place(k, op, data)) {
            op_variant in_place = {.tolerance = tolerance, .in_place = true};
            check_layout(scratch, k, op, oc, data, in_place, few ? two : one_to_three);
            in_place.slices = true;
            check_layout(scratch, k, op, oc, data, in_place, few ? two : one_to_three);
        }
    }
    mb_free(scratch[0]);
    mb_free(scratch[1]);
}

/* Products in bf16, against ref on rounded operands. */
static void check_bf16(const op_kernel *ref, mb_op op, const op_case *oc, const op_contents *data)
{
    op_kernel kernels[OP_MOST_KERNELS];
    op_contents rounded;
    int n = oc->f32_only ? 0 : op_bf16_kernels(kernels, op);
    if (n == 0) {
        return;
    }
    if (op_bf16_begin(&rounded, op, data) &&
        run_once(rounded.expected, ref, op, oc, &rounded, &(op_variant){.threads = 1, .poison = 0xFF})) {
        op_contents unrounded = *data; /* what the kernels get */
        unrounded.expected = rounded.expected;
        for (int i = 0; i < n; i++) {
            check_kernels(&kernels[i], 1, op, oc, kernels[i].fixed16 ? data : &unrounded,
                          kernels[i].fixed16 ? op_fixed16_tolerance(op) : op_bf16_tolerance(op));
        }
    }
    op_bf16_end(&rounded, data);
}

void op_check_case(mb_op op, const op_case *oc, const op_kernel *kernels, int n)
{
    op_contents data;
    if (make_contents(&data, op, oc) &&
        run_once(data.expected, &kernels[0], op, oc, &data, &(op_variant){.threads = 1, .poison = 0xFF})) {
        check_kernels(kernels, n, op, oc, &data, (double)mb_op_get_rule(op)->tolerance);
        check_bf16(&kernels[0], op, oc, &data);
    }
    free_contents(&data);
}

/* ---- --bench ---- */

typedef struct bench_options {
    const char *only;
    int threads;
    bool all; /* every back end, ref included; else the best instruction set */
} bench_options;

static double clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void bench_kernel(const op_kernel *k, mb_op op, const op_case *oc, const op_contents *data,
                         const bench_options *o)
{
    enum { MOST = 50 };
    double ms[MOST], begin = 0, cpu = 0;
    op_job j;
    int n = 0;
    if (op_job_begin(&j, k, op, oc, data, &(op_variant){.threads = o->threads})) {
        bool ok = op_job_run(&j, k, oc); /* warm */
        begin = clock_ms(CLOCK_MONOTONIC);
        cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
        while (ok && n < MOST && (n < 3 || clock_ms(CLOCK_MONOTONIC) - begin < 700)) {
            double t = clock_ms(CLOCK_MONOTONIC);
            ok = op_job_run(&j, k, oc);
            ms[n++] = clock_ms(CLOCK_MONOTONIC) - t;
        }
        cpu = (clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (n > 0 ? n : 1);
    }
    if (n > 0) {
        qsort(ms, (size_t)n, sizeof ms[0], by_size);
        double bytes = (double)data->n_out;
        for (int i = 0; i < data->n_in; i++) {
            bytes += data->in[i] != NULL ? (double)count(data->dims[i]) : 0;
        }
        mb_call c = call_of(oc, data);
        double median = ms[n / 2], flops = 2e-6 * mb_op_get_rule(op)->macs(&c);
        printf("%-28s %-22s %-18s %9.3f ms (least %9.3f)  %7.1f GFLOP/s  %6.1f GB/s  cpu %9.3f ms, %6.1f GFLOP/s  "
               "workspace %zu KiB\n",
               oc->name, k->backend, k->kernel->name, median, ms[0], flops / median, bytes * 4e-6 / median, cpu,
               flops / cpu, j.space_bytes >> 10);
        fflush(stdout);
    }
    op_job_end(&j);
}

static void bench_case(mb_op op, const op_case *oc, const bench_options *o, const op_kernel *kernels, int n)
{
    op_contents data;
    op_kernel bf16[OP_MOST_KERNELS];
    int n_bf16 = op_bf16_kernels(bf16, op);
    if (make_contents(&data, op, oc)) {
        mb_call c = call_of(oc, &data);
        const char *best = kernels[n - 1].backend; /* the widest instruction set comes last */
        for (int i = 0; i < n; i++) {
            if (!o->all && strcmp(kernels[i].backend, best) != 0) {
                continue;
            }
            if (kernels[i].kernel->supports == NULL || kernels[i].kernel->supports(&c)) {
                bench_kernel(&kernels[i], op, oc, &data, o);
            }
        }
        for (int i = 0; i < n_bf16; i++) {
            bool plain = strstr(bf16[i].backend, "generic") != NULL || strstr(bf16[i].backend, "model") != NULL;
            if (plain && !o->all) {
                continue;
            }
            if (bf16[i].kernel->supports == NULL || bf16[i].kernel->supports(&c)) {
                bench_kernel(&bf16[i], op, oc, &data, o);
            }
        }
    }
    free_contents(&data);
}

static int bench_main(mb_op op, const op_case *cases, int n_cases, const bench_options *o)
{
    op_kernel kernels[OP_MOST_KERNELS];
    const int n_kernels = op_kernels(kernels, op);
    for (int i = 0; i < n_cases; i++) {
        if (o->only == NULL || strstr(cases[i].name, o->only) != NULL) {
            bench_case(op, &cases[i], o, kernels, n_kernels);
        }
    }
    return 0;
}

/* ---- the sub-tests: one for each case ---- */

static mb_op tested;
static op_kernel kernels_of_op[OP_MOST_KERNELS];
static int n_kernels_of_op;

static void check_row(const void *row)
{
    op_check_case(tested, row, kernels_of_op, n_kernels_of_op);
}

int op_harness_main(int argc, char **argv, mb_op op, const op_case *cases, int n_cases)
{
    bench_options o = {.threads = 0};
    bool bench = false;
    for (int i = 1; i < argc; i++) {
        bench = bench || strcmp(argv[i], "--bench") == 0;
    }
    for (int i = 1; i < argc && bench; i++) {
        if (strcmp(argv[i], "--all") == 0) {
            o.all = true;
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            o.threads = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--bench") != 0) {
            o.only = argv[i];
        }
    }
    if (bench) {
        return bench_main(op, cases, n_cases, &o);
    }
    tested = op;
    n_kernels_of_op = op_kernels(kernels_of_op, op);
    for (int i = 0; i < n_cases; i++) {
        if (!cases[i].bench) {
            test_add_row("", cases[i].name, i, check_row, &cases[i]);
        }
    }
    return test_main(argc, argv);
}
