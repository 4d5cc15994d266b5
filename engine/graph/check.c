/* MATTEBOX_CHECK=finite: every result is checked where it arises. Slow; to find where an overflow begins. */
#include "core/alloc.h"
#include "graph/plan.h"

#include <math.h>
#include <string.h>

#define CHUNK 256

typedef struct census {
    double largest;
    int64_t bad, nan, total;
} census;

/* n values of type t in host memory. */
static void count_bad(census *c, const char *data, mb_dtype t, size_t n)
{
    float v[CHUNK];
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t m = n - i < CHUNK ? n - i : CHUNK;
        mb_to_f32(v, data + i * mb_dtype_size(t), t, m);
        for (size_t k = 0; k < m; k++) {
            c->bad += !isfinite(v[k]);
            c->nan += isnan(v[k]);
            c->largest = isfinite(v[k]) && fabs((double)v[k]) > c->largest ? fabs((double)v[k]) : c->largest;
        }
    }
    c->total += (int64_t)n;
}

/* Counts what is not finite in a result. On a device the result is copied to host memory first, gaps between the pixels
 * of a slice included. */
mb_status mb_plan_check_step(mb_plan *p, mb_step *s, mb_error *err)
{
    const mb_backend *b = p->backend;
    const mb_view *out = &s->call.out;
    const mb_node *n = &p->graph->nodes[s->node];
    const char *data = out->data;
    census c = {0};
    if (b->memory != NULL) {
        mb_status status = b->memory->copy_out(b->device, p->checked, out->data, mb_plan_span_bytes(p, n->out), err);
        if (status == MB_OK) {
            status = b->memory->wait(b->device, err);
        }
        if (status != MB_OK) {
            return status;
        }
        data = p->checked;
    }
    for (int64_t t = 0; t < mb_view_tokens(out); t++) {
        count_bad(&c, data + (size_t)(t * out->pitch) * mb_dtype_size(out->dtype), out->dtype, (size_t)out->dims[1]);
    }
    s->largest = c.largest;
    if (c.bad > 0) {
        p->bad_node = s->node;
        p->bad_is_nan = c.nan > 0;
        return mb_fail(err, MB_E_INTERNAL,
                       "%lld of %lld results of this %s (%s, %s) are not finite; the largest of the others is %.4g",
                       (long long)c.bad, (long long)c.total, mb_op_get_rule(n->op)->name, s->kernel->name,
                       mb_dtype_name(out->dtype), c.largest);
    }
    return MB_OK;
}

/* As large as the largest result. On the CPU results are read where they lie. */
mb_status mb_plan_prepare_check(mb_plan *p, mb_error *err)
{
    size_t most = 1;
    if (!p->check || p->backend->memory == NULL || p->checked != NULL) {
        return MB_OK;
    }
    for (int t = 0; t < p->n_steps; t++) {
        size_t bytes = mb_plan_span_bytes(p, p->graph->nodes[p->steps[t].node].out);
        most = bytes > most ? bytes : most;
    }
    p->checked = mb_alloc(most);
    return p->checked != NULL ? MB_OK : mb_fail_memory(err, most, "a checked run");
}
