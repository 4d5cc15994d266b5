/* One run of one kernel: guarded buffers, prepare, workspace, run, and what must not have changed. */
#include "harness/op_run.h"

#include "core/alloc.h"
#include "harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN     16 /* floats in front of and behind an output */
#define GUARD_BYTE 0xA5
#define GUARD_TAIL 64 /* bytes behind the workspace */

static void *must(void *p)
{
    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return p;
}

/* A view of dims with `gap` floats between pixels, `front` and `behind` floats around it. */
static op_buffer make_buffer(const int64_t dims[4], size_t front, size_t gap, size_t behind, int byte)
{
    size_t channels = (size_t)dims[1], tokens = (size_t)(dims[0] * dims[2] * dims[3]);
    op_buffer b = {.floats = front + (tokens - 1) * (channels + gap) + channels + behind};
    b.base = must(mb_alloc_array(b.floats, sizeof(float)));
    memset(b.base, byte, b.floats * sizeof(float));
    b.view = mb_view_of(b.base + front, dims[0], dims[1], dims[2], dims[3]);
    b.view.pitch = (int64_t)(channels + gap);
    return b;
}

static void copy_in(const mb_view *v, const float *dense)
{
    size_t channels = (size_t)v->dims[1];
    for (int64_t t = 0; t < mb_view_tokens(v); t++) {
        memcpy((float *)v->data + t * v->pitch, dense + (size_t)t * channels, channels * sizeof(float));
    }
}

static void erase(const mb_view *v, int byte)
{
    for (int64_t t = 0; t < mb_view_tokens(v); t++) {
        memset((float *)v->data + t * v->pitch, byte, (size_t)v->dims[1] * sizeof(float));
    }
}

/* An input as the kernel sees it: maps are slices or not, constants never; NaN (all bits set) in front and between,
 * nothing behind. */
static op_buffer make_input(const op_contents *data, int i, bool slice)
{
    op_buffer b = make_buffer(data->dims[i], slice ? 5 : 0, slice ? (size_t)(3 + 2 * i) : 0, 0, 0xFF);
    copy_in(&b.view, data->in[i]);
    return b;
}

static bool is_slice(const op_variant *v, mb_op op, int i)
{
    return v->slices && !(op_constants(op) >> i & 1);
}

/* Constants alone have data while planning. */
static mb_call planning_call(const mb_call *c, mb_op op)
{
    mb_call p = *c;
    for (int i = 0; i < p.n_in; i++) {
        if (!(op_constants(op) >> i & 1)) {
            p.in[i].data = NULL;
        }
    }
    p.out.data = NULL;
    return p;
}

static bool prepare(op_job *j, const op_kernel *k, mb_op op, const op_case *oc, int poison)
{
    mb_call plan = planning_call(&j->call, op);
    mb_error err = {0};
    if (k->kernel->prepare != NULL) {
        mb_status s = k->kernel->prepare(&j->prepared, &plan, &err);
        if (!CHECK_MSG(s == MB_OK, "%s %s: %s", oc->name, k->kernel->name, err.message)) {
            return false;
        }
        j->call.prepared = plan.prepared = &j->prepared;
    }
    j->space_bytes = k->kernel->workspace != NULL ? k->kernel->workspace(&plan) : 0;
    if (!CHECK_MSG(j->space_bytes < (size_t)1 << 40, "%s: workspace", oc->name)) {
        return false;
    }
    j->space = must(mb_alloc_aligned(j->space_bytes + GUARD_TAIL));
    memset(j->space, poison, j->space_bytes);
    memset(j->space + j->space_bytes, GUARD_BYTE, GUARD_TAIL);
    j->call.workspace = j->space_bytes > 0 ? j->space : NULL;
    for (int i = 0; i < j->call.n_in; i++) {
        if (j->prepared.replaces >> i & 1) {
            j->call.in[i].data = NULL;
        }
    }
    return true;
}

bool op_job_begin(op_job *j, const op_kernel *k, mb_op op, const op_case *oc, const op_contents *data,
                  const op_variant *v)
{
    *j = (op_job){.taken = v->in_place ? k->kernel->in_place_input - 1 : -1};
    j->call = (mb_call){.attrs = &oc->attrs, .n_in = data->n_in};
    mb_error err = {0};
    if (!CHECK_MSG(mb_pool_create(&j->call.pool, v->threads, &err) == MB_OK, "%s", err.message)) {
        return false;
    }
    for (int i = 0; i < data->n_in; i++) {
        if (data->in[i] != NULL) {
            j->in[i] = make_input(data, i, is_slice(v, op, i));
            j->call.in[i] = j->in[i].view;
        }
    }
    j->out = make_buffer(data->out_dims, MARGIN, v->slices ? 7 : 0, MARGIN, GUARD_BYTE);
    j->call.out = j->out.view;
    if (j->taken >= 0) {
        copy_in(&j->out.view, data->in[j->taken]);
        j->call.in[j->taken] = j->out.view;
    } else {
        erase(&j->out.view, v->poison);
    }
    return prepare(j, k, op, oc, v->poison);
}

bool op_job_run(op_job *j, const op_kernel *k, const op_case *oc)
{
    mb_error err = {0};
    size_t before = mb_alloc_count();
    mb_status s = k->kernel->run(&j->call, &err);
    return CHECK_MSG(s == MB_OK, "%s %s: %s", oc->name, k->kernel->name, err.message) &&
           CHECK_MSG(mb_alloc_count() == before, "%s %s: run allocates", oc->name, k->kernel->name);
}

static bool all_bytes(const void *p, size_t n, int byte)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++) {
        if (b[i] != byte) {
            return false;
        }
    }
    return true;
}

bool op_job_verify(op_job *j, float *dense, const op_kernel *k, const op_case *oc, const op_contents *data)
{
    const mb_view *v = &j->out.view;
    for (int64_t t = 0; t < mb_view_tokens(v); t++) {
        memcpy(dense + t * v->dims[1], (float *)v->data + t * v->pitch, (size_t)v->dims[1] * sizeof(float));
    }
    erase(v, GUARD_BYTE);
    bool ok = CHECK_MSG(all_bytes(j->out.base, j->out.floats * sizeof(float), GUARD_BYTE),
                        "%s %s %s: written outside of the output", oc->name, k->backend, k->kernel->name);
    ok = CHECK_MSG(all_bytes(j->space + j->space_bytes, GUARD_TAIL, GUARD_BYTE),
                   "%s %s %s: written behind the workspace", oc->name, k->backend, k->kernel->name) &&
         ok;
    for (int i = 0; i < data->n_in; i++) {
        if (i == j->taken || data->in[i] == NULL) {
            continue;
        }
        op_buffer same = make_input(data, i, j->in[i].view.data != j->in[i].base);
        ok = CHECK_MSG(memcmp(same.base, j->in[i].base, same.floats * sizeof(float)) == 0, "%s %s %s: input %d changed",
                       oc->name, k->backend, k->kernel->name, i) &&
             ok;
        mb_free(same.base);
    }
    return ok;
}

void op_job_end(op_job *j)
{
    if (j->prepared.free != NULL) {
        j->prepared.free(j->prepared.data);
    }
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        mb_free(j->in[i].base);
    }
    mb_free(j->out.base);
    mb_free_aligned(j->space);
    mb_pool_free(j->call.pool);
}
