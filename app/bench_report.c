/* The report of `mattebox bench`: tables for people, JSON and CSV for programs.
 *
 * Rates count two operations for a multiply-accumulate, and each input, weight and output once. Shares are of what this
 * machine was measured to reach with as many threads: of the multiply-adds of the instruction in use, and of a copy of
 * maps that no cache holds, so that an op whose maps stay in a cache may show more than 100 %. */
#include "bench.h"
#include "commands.h"
#include "json.h"

#include <math.h>
#include <string.h>

#define N_SLOWEST 15
#define BAR       20 /* characters of a bar */

static double rate(double amount, double ms)
{
    return ms > 0.0 ? amount / ms * 1e-6 : 0.0; /* 1e9 a second */
}

static double median(const bench *b)
{
    return b->ms[b->n / 2];
}

/* Percent of the multiply-adds that the instruction of this kernel reaches; < 0: not known. */
static double share_of_peak(const bench *b, const char *kernel, double macs, double ms)
{
    double peak = b->peak.macs16 > 0 && strcmp(kernel, b->peak.kernel16) == 0 ? b->peak.macs16 : b->peak.macs;
    return peak > 0.0 && ms > 0.0 ? 100.0 * macs / (ms * 1e-3) / peak : -1.0;
}

static double share_of_memory(const bench *b, double bytes, double ms)
{
    return b->peak.bytes > 0.0 && ms > 0.0 ? 100.0 * bytes / (ms * 1e-3) / b->peak.bytes : -1.0;
}

/* "12%" in six places, "-" where there is nothing to say. */
static const char *percent(char text[16], double share)
{
    (void)snprintf(text, 16, share < 0.0 ? "-" : "%.0f%%", share);
    return text;
}

/* The kernel that most multiply-adds of the network go through. */
static const char *main_kernel(const bench *b)
{
    return b->peak.macs16 > 0 ? b->peak.kernel16 : b->peak.kernel != NULL ? b->peak.kernel : "";
}

void bench_print_head(const bench *b)
{
    (void)printf("%s\n%s, %d x %dx%d, %.1f GMAC, %d runs after a warm-up\n\n", b->summary,
                 mb_context_device(b->context), b->a->batch, b->plan.input_width, b->plan.input_height,
                 b->plan.macs * 1e-9, b->a->runs);
    (void)printf("%7s %10s %20s %8s %9s %8s %9s\n", "threads", "median", "from .. to", "CPU", "GFLOP/s", "of peak",
                 "speed-up");
}

void bench_print_row(const bench *b)
{
    char share[16], span[48], speed_up[16] = "-";
    double ms = median(b);
    (void)snprintf(span, sizeof span, "%.1f .. %.1f", b->ms[0], b->ms[b->n - 1]);
    if (b->first_ms > 0.0 && ms > 0.0) {
        (void)snprintf(speed_up, sizeof speed_up, "%.2fx", b->first_ms / ms);
    }
    (void)printf("%7d %7.1f ms %17s ms %6.2f s %9.1f %8s %9s\n", mb_context_threads(b->context), ms, span, b->cpu_s,
                 rate(2.0 * b->plan.macs, ms), percent(share, share_of_peak(b, main_kernel(b), b->plan.macs, ms)),
                 speed_up);
    (void)fflush(stdout);
}

static void print_peaks(const bench *b)
{
    const mb_peak *p = &b->peak;
    if (p->macs <= 0.0) {
        return;
    }
    (void)printf("\nat most, measured with %d threads: %.1f GFLOP/s in f32 (%s)", mb_context_threads(b->context),
                 2e-9 * p->macs, p->kernel);
    if (p->macs16 > 0.0) {
        (void)printf(", %.1f in 16 bits (%s)", 2e-9 * p->macs16, p->kernel16);
    }
    (void)printf(", %.1f GB/s to and from memory\n", 1e-9 * p->bytes);
}

static void print_slowest(const bench *b)
{
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
        char share[16];
        (void)mb_network_node(&row, b->network, index[i]);
        (void)printf("%10.2f ms %8.1f GFLOP/s %5s of peak %6.1f GB/s  %-16s [%lld,%lld,%lld,%lld]  %s\n", row.ms,
                     rate(2.0 * row.macs, row.ms), percent(share, share_of_peak(b, row.kernel, row.macs, row.ms)),
                     rate(row.bytes, row.ms), row.op, (long long)row.dims[0], (long long)row.dims[1],
                     (long long)row.dims[2], (long long)row.dims[3], row.name);
    }
}

/* Time by op with a bar for its share, what bounds it, and the slowest nodes with their shapes. */
void bench_print_profile(const bench *b)
{
    static const char bar[BAR + 1] = "####################";
    double total = 0.0, most = 0.0;
    for (int i = 0; i < b->n_ops; i++) {
        total += b->ops[i].ms;
        most = b->ops[i].ms > most ? b->ops[i].ms : most;
    }
    print_peaks(b);
    (void)printf("\n%-18s %-14s %5s %10s %6s %9s %8s %7s %10s\n", "op", "kernel", "nodes", "ms", "share", "GFLOP/s",
                 "of peak", "GB/s", "of memory");
    for (int i = 0; i < b->n_ops; i++) {
        const op_total *o = &b->ops[i];
        char peak[16], memory[16];
        (void)printf("%-18s %-14s %5d %10.2f %5.1f%% %9.1f %8s %7.1f %10s  %.*s\n", o->op, o->kernel, o->n, o->ms,
                     total > 0.0 ? 100.0 * o->ms / total : 0.0, rate(2.0 * o->macs, o->ms),
                     percent(peak, share_of_peak(b, o->kernel, o->macs, o->ms)), rate(o->bytes, o->ms),
                     percent(memory, share_of_memory(b, o->bytes, o->ms)),
                     most > 0.0 ? (int)(BAR * o->ms / most + 0.5) : 0, bar);
    }
    print_slowest(b);
}

static void json_share(json *j, const char *key, double share)
{
    if (share >= 0.0) {
        json_real(j, key, share * 1e-2);
    }
}

void bench_print_json(const bench *b)
{
    json j = {stdout, 0};
    double ms = median(b);
    json_begin(&j, NULL, '{');
    json_text(&j, "model", b->a->paths[0]);
    json_text(&j, "device", mb_context_device(b->context));
    json_int(&j, "threads", mb_context_threads(b->context));
    json_int(&j, "batch", b->a->batch);
    json_int(&j, "width", b->plan.input_width);
    json_int(&j, "height", b->plan.input_height);
    json_int(&j, "runs", b->n);
    json_real(&j, "median_ms", ms);
    json_real(&j, "min_ms", b->ms[0]);
    json_real(&j, "max_ms", b->ms[b->n - 1]);
    json_real(&j, "wall_min", b->ms[0] * 1e-3); /* seconds and MB, as benchmarks/network.py compares them */
    json_real(&j, "cpu_min", b->cpu_s);
    json_real(&j, "peak_rss_mb", b->peak_mb); /* null where it is not known */
    json_real(&j, "gmac", b->plan.macs * 1e-9);
    json_real(&j, "gflops", rate(2.0 * b->plan.macs, ms));
    json_share(&j, "share_of_peak", share_of_peak(b, main_kernel(b), b->plan.macs, ms));
    if (b->peak.macs > 0.0) {
        json_real(&j, "peak_gflops", 2e-9 * b->peak.macs);
        json_real(&j, "peak16_gflops", 2e-9 * b->peak.macs16);
        json_real(&j, "memory_gbytes_per_s", 1e-9 * b->peak.bytes);
    }
    json_int(&j, "arena_bytes", (long long)b->plan.arena_bytes);
    json_int(&j, "weight_bytes", (long long)b->plan.weight_bytes);
    if (b->a->profile) {
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
            json_share(&j, "share_of_peak", share_of_peak(b, o->kernel, o->macs, o->ms));
            json_share(&j, "share_of_memory", share_of_memory(b, o->bytes, o->ms));
            json_end(&j, '}');
        }
        json_end(&j, ']');
    }
    json_end(&j, '}');
    json_line(&j);
}

/* In quotes, which are doubled inside, as spreadsheets read it. */
static void csv_text(const char *text)
{
    (void)fputc('"', stdout);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', stdout);
        }
        (void)fputc(*text, stdout);
    }
    (void)fputs("\",", stdout);
}

static void csv_share(double share, const char *end)
{
    if (share >= 0.0) {
        (void)printf("%.4f", share * 1e-2);
    }
    (void)fputs(end, stdout);
}

void bench_print_csv_head(const args *a)
{
    (void)fputs("model,device,threads,batch,width,height,", stdout);
    (void)puts(a->profile ? "op,kernel,nodes,ms,gflops,share_of_peak,gbytes_per_s,share_of_memory"
                          : "runs,median_ms,min_ms,max_ms,cpu_s,gflops,share_of_peak,peak_rss_mb");
}

void bench_print_csv(const bench *b)
{
    double ms = median(b);
    for (int i = 0; i < (b->a->profile ? b->n_ops : 1); i++) {
        const op_total *o = &b->ops[i];
        csv_text(b->a->paths[0]);
        csv_text(mb_context_device(b->context));
        (void)printf("%d,%d,%d,%d,", mb_context_threads(b->context), b->a->batch, b->plan.input_width,
                     b->plan.input_height);
        if (b->a->profile) {
            csv_text(o->op);
            csv_text(o->kernel);
            (void)printf("%d,%.4f,%.2f,", o->n, o->ms, rate(2.0 * o->macs, o->ms));
            csv_share(share_of_peak(b, o->kernel, o->macs, o->ms), ",");
            (void)printf("%.2f,", rate(o->bytes, o->ms));
            csv_share(share_of_memory(b, o->bytes, o->ms), "\n");
        } else {
            (void)printf("%d,%.4f,%.4f,%.4f,%.4f,%.2f,", b->n, ms, b->ms[0], b->ms[b->n - 1], b->cpu_s,
                         rate(2.0 * b->plan.macs, ms));
            csv_share(share_of_peak(b, main_kernel(b), b->plan.macs, ms), ",");
            (void)(isnan(b->peak_mb) ? puts("") : printf("%.1f\n", b->peak_mb));
        }
    }
    (void)fflush(stdout);
}
