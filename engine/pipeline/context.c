/* The context: which device and instruction set run, with how many threads and how much memory.
 *
 *   cpu      always possible
 *   cuda     the GPU asked for, or an error that says what is missing
 *   auto     the first GPU whose kernels, and whose handling of pictures, agree with the CPU's on small cases; else the
 *            CPU, and mb_context_device_note says why. A GPU that fails later is left by the pipeline (run.c) */
#define _GNU_SOURCE
#include "pipeline/context.h"

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "device.h"
#include "pipeline/image_io_check.h"
#include "core/sized.h"
#include "core/os_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mb_context_options_init(mb_context_options *options)
{
    *options = (mb_context_options){.size = sizeof *options};
}

/* The CPU always can. */
static mb_status use_cpu(mb_context *c, mb_error *err)
{
    c->backend = (mb_backend){0};
    const char *wish = mb_os_env("MATTEBOX_PRECISION");
    mb_precision precision = c->options.precision;
    if (precision == MB_PRECISION_AUTO && c->options.fast && (wish == NULL || wish[0] == '\0') && mb_cpu_bf16_pays()) {
        precision = MB_PRECISION_BF16;
    }
    mb_status status = mb_device_set_precision(&c->backend, precision, err);
    (void)snprintf(c->device, sizeof c->device, "%s", c->backend.name);
    return status;
}

/* The device, in the arithmetic asked for; `auto` trusts it only when its kernels compute what the plain ones do. */
static mb_status use_gpu(mb_context *c, const mb_device_report *report, mb_error *err)
{
    mb_status status = mb_device_open(&c->backend, report, err);
    if (status == MB_OK) {
        status = mb_device_set_precision(&c->backend, c->options.precision, err);
    }
    if (status == MB_OK && c->options.device == MB_DEVICE_AUTO) {
        status = mb_device_check(&c->backend, err);
        if (status == MB_OK && !mb_image_io_agrees(&c->backend)) {
            c->backend.image_io = NULL; /* the CPU prepares them, with the same network in between */
        }
    }
    if (status != MB_OK) {
        mb_device_close(&c->backend);
    }
    (void)snprintf(c->device, sizeof c->device, "cuda:%d (%s, %s)", report->index, report->name,
                   c->backend.tf32 ? "tf32" : mb_dtype_name(c->backend.activations));
    return status;
}

/* The device asked for. `auto` takes the first GPU that passes its checks, else the CPU, and the note says why; but an
 * argument that is wrong (a precision that is not known) is an error for `auto` too. */
static mb_status choose_device(mb_context *c, mb_error *err)
{
    mb_device_report report;
    mb_device_wish wish = {c->options.device, c->options.device_index};
    mb_status status = mb_device_probe(&report, wish, err);
    if (status != MB_OK) {
        return status;
    }
    (void)snprintf(c->note, sizeof c->note, "%s", report.note);
    if (report.kind == MB_DEVICE_CPU) {
        return use_cpu(c, err);
    }
    mb_error why = {0};
    status = use_gpu(c, &report, &why);
    if (status != MB_OK && c->options.device == MB_DEVICE_AUTO && status != MB_E_ARGUMENT) {
        const char *said = strncmp(why.message, "CUDA: ", 6) == 0 ? why.message + 6 : why.message;
        (void)snprintf(c->note, sizeof c->note, "CUDA: %s: %.*s; using the CPU. Use device=cpu to silence this.",
                       report.name, (int)strcspn(said, "\n"), said);
        return use_cpu(c, err);
    }
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", why.message);
}

/* Ranges, before a device is opened. */
static mb_status check_context_options(const mb_context_options *o, mb_error *err)
{
    if (o->threads < 0 || o->threads > 1024) {
        return mb_fail(err, MB_E_ARGUMENT, "threads %d: 1 to 1024, or 0 for all processors", o->threads);
    }
    if (mb_device_name((int)o->device) == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "device %d: 0 to 2", (int)o->device);
    }
    if (o->device_index < 0 || o->device_index > 999) {
        return mb_fail(err, MB_E_ARGUMENT, "device_index %d: 0 to 999", o->device_index);
    }
    if (mb_precision_name((int)o->precision) == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "precision %d: 0 to 4", (int)o->precision);
    }
    return MB_OK;
}

/* Threads are not started here: every pipeline and network has a pool of its own. */
mb_status mb_context_create(mb_context **out, const mb_context_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    mb_context *c = mb_calloc(1, sizeof *c);
    if (c == NULL) {
        return mb_fail_memory(err, sizeof *c, "the context");
    }
    mb_context_options_init(&c->options);
    if (options != NULL) {
        MB_TRY(mb_copy_sized(&c->options, sizeof c->options, options, "mb_context_options", err));
    }
    MB_TRY(check_context_options(&c->options, err));
    c->threads = c->options.threads > 0 ? c->options.threads : mb_machine_processors();
    MB_TRY(choose_device(c, err));
    *out = c;
    c = NULL;
done:
    mb_context_free(c);
    return status;
}

void mb_context_free(mb_context *context)
{
    if (context != NULL) {
        mb_device_close(&context->backend);
    }
    mb_free(context);
}

const char *mb_context_device(const mb_context *context)
{
    return context->device;
}

const char *mb_context_device_note(const mb_context *context)
{
    return context->note;
}

int mb_context_threads(const mb_context *context)
{
    return context->threads;
}

/* Plans are made against what the machine (or its control group) has available now. */
size_t mb_memory_limit(const mb_context *context)
{
    if (context->options.max_memory > 0) {
        return context->options.max_memory;
    }
    return mb_machine_memory();
}

size_t mb_network_limit(const mb_context *context, const mb_backend *backend)
{
    /* A device looks after its own memory, when a plan is made ready. */
    return backend->memory != NULL ? context->options.max_memory : mb_memory_limit(context);
}
