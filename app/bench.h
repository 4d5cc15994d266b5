/* What `mattebox bench` has measured, and the forms in which it says so. */
#ifndef APP_BENCH_H
#define APP_BENCH_H

#include "args.h"

#define BENCH_MAX_OPS 64

/* Time and work of all nodes with one op and one kernel, in one run. */
typedef struct op_total {
    char op[32], kernel[32];
    int n;
    double ms, macs, bytes;
} op_total;

/* One network with one number of threads. */
typedef struct bench {
    const args *a;
    const mb_context *context;
    mb_network *network; /* its profile is that of the last run */
    mb_plan_info plan;
    const char *summary; /* of the model */
    mb_peak peak;        /* all 0 where it could not be measured */
    double *ms;          /* of each run, sorted */
    int n;
    double cpu_s; /* processor time of the cheapest run, all threads */
    op_total ops[BENCH_MAX_OPS];
    int n_ops;
    double peak_mb;    /* of the process; NaN: not known, since the measuring of peaks took more */
    double measure_mb; /* of the process behind that measuring, of the number of threads before */
    double first_ms;   /* median with the first number of threads: speed-ups are relative to it */
} bench;

void bench_print_head(const bench *b); /* before the first number of threads: model, device, columns */
void bench_print_row(const bench *b);
void bench_print_profile(const bench *b);
/* The object that docs/json.md describes; benchmarks/network.py and compare.py read it. */
void bench_print_json(const bench *b);
void bench_print_csv_head(const args *a);
void bench_print_csv(const bench *b);

#endif
