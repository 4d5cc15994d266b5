/* Runs on a device: inputs go over, steps run, kept values come back (or what the caller has put in the place of these
 * copies: mb_plan_io); nothing is allocated. The first run makes every launch by itself; the second is recorded, and
 * from then on all steps are one launch. A device or a library that cannot be recorded goes on launch by launch. */
#include "graph/plan.h"

#include "core/os_process.h"

#include <stdlib.h>
#include <string.h>

static bool is_on(const char *variable, const char *value)
{
    const char *text = mb_os_env(variable);
    return text != NULL && strcmp(text, value) == 0;
}

/* Host copies of the inputs, converted to the plan's type in the staging memory, onto the device. */
static mb_status upload(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = MB_OK;
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const mb_location *l = &p->locations[v];
        if (p->graph->values[v].kind != MB_VALUE_INPUT || l->host_copy == NULL) {
            continue;
        }
        const int64_t *d = p->graph->values[v].dims; /* an input is never a slice: dense */
        mb_from_f32(p->staging + l->staging, l->host_copy, l->dtype, (size_t)(d[0] * d[1] * d[2] * d[3]));
        status = b->memory->copy_in(b->device, p->arena + l->byte_offset, p->staging + l->staging,
                                    mb_plan_span_bytes(p, v), err);
    }
    return status;
}

static bool is_result(const mb_plan *p, int v)
{
    return p->graph->values[v].kind != MB_VALUE_INPUT && p->locations[v].host_copy != NULL;
}

/* Kept values back into their host copies: all copies are queued, waited for once, then converted. A slice comes with
 * the gaps between its pixels, which are left out here. */
static mb_status download(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = MB_OK;
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const mb_location *l = &p->locations[v];
        if (is_result(p, v)) {
            status = b->memory->copy_out(b->device, p->staging + l->staging, p->arena + l->byte_offset,
                                         mb_plan_span_bytes(p, v), err);
        }
    }
    if (status == MB_OK) {
        status = b->memory->wait(b->device, err); /* faults of the kernels show here */
    }
    for (int v = 0; v < p->graph->n_values && status == MB_OK; v++) {
        const mb_location *l = &p->locations[v];
        if (!is_result(p, v)) {
            continue;
        }
        const int64_t *d = p->graph->values[v].dims;
        size_t channels = (size_t)d[1], tokens = (size_t)(d[0] * d[2] * d[3]);
        size_t step = tokens > 1 ? (mb_plan_span_bytes(p, v) / mb_dtype_size(l->dtype) - channels) / (tokens - 1) : 0;
        for (size_t t = 0; t < tokens; t++) {
            mb_to_f32(l->host_copy + t * channels, p->staging + l->staging + t * step * mb_dtype_size(l->dtype),
                      l->dtype, channels);
        }
    }
    return status;
}

/* Records all steps; p->captured stays NULL if that cannot be done. Only a device that broke is an error. */
static mb_status capture(mb_plan *p, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_error local = {0}, ending = {0};
    p->no_capture = true;
    if (b->memory->capture_begin(b->device, &local) != MB_OK) {
        return MB_OK;
    }
    mb_status status = mb_plan_run_steps(p, NULL, NULL, &local);
    mb_status ended = b->memory->capture_end(b->device, &p->captured, &ending);
    if (status != MB_OK || ended != MB_OK) {
        b->memory->captured_free(b->device, p->captured);
        p->captured = NULL;
    }
    if (b->memory->enter(b->device, err) != MB_OK) { /* broken by now: it says why */
        return MB_E_DEVICE;
    }
    b->memory->leave(b->device);
    return MB_OK;
}

/* Uploads the host copies, or lets the caller write the input where it lies. */
static mb_status write_input(mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    if (io == NULL || io->write_input == NULL) {
        return upload(p, err);
    }
    mb_view input = mb_plan_own_view(p, io->input);
    return mb_view_present(&input) ? io->write_input(io->user, &input, err)
                                   : mb_fail(err, MB_E_INTERNAL, "the plan has no input '%s'", io->input);
}

/* Downloads into the host copies, or lets the caller take the output from where it lies (and nothing is waited for). */
static mb_status read_output(mb_plan *p, const mb_plan_io *io, mb_error *err)
{
    if (io == NULL || io->read_output == NULL) {
        return download(p, err);
    }
    mb_view output = mb_plan_own_view(p, io->output);
    return mb_view_present(&output) ? io->read_output(io->user, &output, err)
                                    : mb_fail(err, MB_E_INTERNAL, "the plan has no output '%s'", io->output);
}

/* With the device entered. From the second run on the steps are recorded once and replayed as one launch; not while
 * results are checked or each step is waited for, which needs single launches. */
static mb_status run_inside(mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = write_input(p, io, err);
    if (status == MB_OK && p->run_before && !p->no_capture && !p->check && !is_on("MATTEBOX_CUDA_SYNC", "1") &&
        !is_on("MATTEBOX_CUDA_GRAPH", "off")) {
        status = capture(p, err);
    }
    if (status == MB_OK && p->captured != NULL && !p->check) {
        if (on_progress != NULL && on_progress(user, 0.0, "") != 0) {
            return mb_fail(err, MB_E_CANCELLED, "cancelled");
        }
        status = b->memory->replay(b->device, p->captured, err);
    } else if (status == MB_OK) {
        status = mb_plan_run_steps(p, on_progress, user, err);
        p->run_before = status == MB_OK;
    }
    return status == MB_OK ? read_output(p, io, err) : status;
}

/* Two networks in two threads take turns on the device from enter to leave. */
mb_status mb_plan_run_device(mb_plan *p, const mb_plan_io *io, mb_progress_fn on_progress, void *user, mb_error *err)
{
    const mb_backend *b = p->backend;
    mb_status status = b->memory->enter(b->device, err);
    if (status == MB_OK) {
        status = run_inside(p, io, on_progress, user, err);
        b->memory->leave(b->device);
    }
    return status;
}
