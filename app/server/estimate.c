/* Seconds and bytes of a cut before it starts: the plan's own sums, and what earlier runs have taken. */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

/* Multiply-accumulates a second of one thread where nothing has run yet: an AVX2 machine (docs/performance-log.md). */
#define TYPICAL_MACS 3e10

static size_t free_bytes(void)
{
    size_t kilobytes = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "MemAvailable: %zu", &kilobytes) == 1) {
            break;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kilobytes << 10;
}

static void write_estimate(work *w, json *j, const mb_plan_info *plan, const lane_costs *costs)
{
    const double megapixels = 1e-6 * (double)w->width * (double)w->height;
    int threads = mb_context_threads(lanes_context(w->s->lanes));
    double network = costs->network_ms > 0.0 ? costs->network_ms : 1e3 * plan->macs / (TYPICAL_MACS * threads);
    double matting = costs->refine_ms * megapixels, rest = costs->rest_ms * megapixels;
    size_t limit = w->s->a->max_memory > 0.0 ? (size_t)w->s->a->max_memory : free_bytes();
    json_begin(j, NULL, '{');
    json_int(j, "width", w->width);
    json_int(j, "height", w->height);
    json_text(j, "model", w->network);
    json_text(j, "detail", mb_detail_name(w->options.process_detail ? (int)w->options.detail : 0));
    json_real(j, "seconds", 1e-3 * (network + matting + rest));
    json_real(j, "seconds_network", 1e-3 * network);
    json_real(j, "seconds_refine", 1e-3 * matting);
    json_real(j, "seconds_again", 1e-3 * (matting + rest)); /* with the kept mask */
    json_text(j, "basis", w->saliency || costs->network_ms > 0.0 ? "measured" : "typical");
    json_real(j, "seconds_wait", w->wait_seconds);
    json_int(j, "bytes", (long long)plan->total_bytes);
    json_int(j, "bytes_weights", (long long)plan->weight_bytes);
    json_int(j, "bytes_available", (long long)limit);
    json_bool(j, "fits", plan->total_bytes <= limit);
    json_real(j, "gmac", 1e-9 * plan->macs);
    json_end(j, '}');
}

void estimate(lane *n, work *w)
{
    mb_error err = {0};
    mb_pipeline *p = NULL;
    mb_plan_info plan = {.size = sizeof plan};
    mb_status status = lane_pipeline(n, &p, w->model, w->matting, &w->options, &err);
    if (status == MB_OK) {
        status = mb_pipeline_plan(&plan, p, w->width, w->height, &err);
    }
    if (status != MB_OK) {
        work_fail_with(w, 0, &err);
        return;
    }
    const lane_costs costs = lanes_costs(w->s->lanes, w->model, w->options.process_detail ? (int)w->options.detail : 0);
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out != NULL) {
        json j = {out, 0};
        write_estimate(w, &j, &plan, &costs);
        (void)fputc('\n', out);
        (void)fclose(out);
    }
    if (text == NULL) {
        work_fail(w, 503, "no_memory", "out of memory");
        return;
    }
    w->out = (answer){.status = 200, .body = text, .bytes = bytes, .free_body = free};
    (void)snprintf(w->out.type, sizeof w->out.type, "application/json");
}
