/* Opening and reading files of several pictures (frames.h). */
#include "image/codec/frames.h"

#include "core/alloc.h"
#include "image/codec/codec.h"
#include "image/codec/exif.h"
#include "image/codec/metadata.h"

#include <stdio.h>
#include <string.h>

#define CANVAS_BYTES_PER_PIXEL 16 /* 16-bit RGBA, and what is to be restored */
#define CANVAS_BASE            ((size_t)64 << 20)

/* Only where there is more than one frame: the others are pictures like any. */
static const mb_frame_walk *walk_of(const mb_sniffed *head)
{
    if (!head->animated) {
        return NULL;
    }
    switch (head->type) {
    case MB_FILE_GIF:
        return &mb_gif_walk;
    case MB_FILE_PNG:
        return &mb_apng_walk;
#if MB_HAVE_WEBP
    case MB_FILE_WEBP:
        return &mb_webp_walk;
#endif
    default:
        return NULL;
    }
}

/* Pages and collections, and JPEG XL, which its library composes. -1: out of memory. */
static int count_pages(mb_frame_file *f, const mb_load_limits *limits)
{
    mb_budget budget;
    mb_load_info info = {0};
    mb_error ignored = {0};
    int n = 1;
    mb_decode_job job = {.bytes = f->bytes,
                         .n = f->n,
                         .head = f->head,
                         .limits = limits,
                         .budget = &budget,
                         .info = &info,
                         .err = &ignored};
    (void)job; /* in a build without these libraries */
    mb_budget_init(&budget, CANVAS_BASE);
    (void)job; /* without any of the three */
    switch (f->head.type) {
#if MB_HAVE_TIFF
    case MB_FILE_TIFF:
        n = mb_tiff_count(&job);
        break;
#endif
#if MB_HAVE_HEIF
    case MB_FILE_HEIC:
    case MB_FILE_AVIF:
        n = mb_heif_count(&job);
        break;
#endif
#if MB_HAVE_JXL
    case MB_FILE_JXL:
        n = mb_jxl_count(&job, &f->loops);
        f->animated = n > 1;
        break;
#endif
    default:
        break;
    }
    mb_budget_release(&budget);
    return budget.starved ? -1 : n;
}

mb_status mb_frame_file_open(mb_frame_file *out, const void *bytes, size_t n, const char *name,
                             const mb_load_limits *limits, mb_error *err)
{
    mb_load_limits standard;
    mb_status status = MB_OK;
    if (limits == NULL) {
        mb_load_limits_init(&standard);
        limits = &standard;
    }
    *out = (mb_frame_file){.bytes = bytes, .n = n, .count = 1, .head = mb_sniff(bytes, n)};
    (void)snprintf(out->name, sizeof out->name, "%s", name != NULL ? name : "picture");
    const size_t area = (size_t)out->head.width * (size_t)out->head.height; /* within 2^60 */
    mb_budget_init(&out->budget, CANVAS_BASE);
    out->walk = mb_load_within_limits(&out->head, limits) ? walk_of(&out->head) : NULL;
    if (out->walk != NULL) {
        out->budget.limit += area * CANVAS_BYTES_PER_PIXEL;
        out->animated = true;
        out->orientation = mb_exif_orientation(out->head.type, bytes, n);
        MB_TRY(out->walk->begin(out, err));
    } else if (mb_load_within_limits(&out->head, limits)) {
        out->count = count_pages(out, limits);
        if (out->count < 0) {
            MB_TRY(mb_fail(err, MB_E_MEMORY, "out of memory while its pictures were counted"));
        }
    }
    if (out->count > limits->max_frames) {
        MB_TRY(mb_fail(err, MB_E_ARGUMENT, "it has more than %d frames\nmb_load_options.max_frames raises the limit",
                       limits->max_frames));
    }
    out->count = out->count > 0 ? out->count : 1; /* what is wrong with it shows when it is read */
done:
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", out->name);
        mb_frame_file_close(out);
    }
    return status;
}

void mb_frame_file_close(mb_frame_file *f)
{
    if (f->walk != NULL && f->walk->end != NULL) {
        f->walk->end(f);
    }
    f->walk = NULL;
    mb_metadata_dispose(f->has_metadata ? &f->metadata : NULL);
    f->has_metadata = false;
    mb_budget_release(&f->budget);
}

/* The canvas as a decoder leaves a picture. */
static mb_status copy_canvas(mb_decode_job *job)
{
    const mb_frame_file *f = job->user;
    const mb_canvas *c = &f->canvas;
    const size_t n = (size_t)c->width * (size_t)c->height;
    const uint8_t *narrow = c->rgba;
    const uint16_t *wide = c->rgba;
    mb_status status = MB_OK;
    MB_TRY(mb_decode_begin(job));
    if (c->deep) {
        MB_TRY(mb_decode_begin_u16(job));
    }
    job->info->alpha = true;
    MB_TRY(mb_decode_begin_alpha(job));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 3; k++) {
            job->out->v[3 * i + k] = c->deep ? (uint8_t)(wide[4 * i + k] >> 8) : narrow[4 * i + k];
        }
        if (job->info->u16 != NULL) {
            memcpy(job->info->u16 + 3 * i, wide + 4 * i, 3 * sizeof *wide);
        }
        if (job->info->alpha_plane.v != NULL) {
            job->info->alpha_plane.v[i] = c->deep ? (uint8_t)(wide[4 * i + 3] >> 8) : narrow[4 * i + 3];
        }
        if (job->info->u16_alpha != NULL) {
            job->info->u16_alpha[i] = wide[4 * i + 3];
        }
    }
    job->info->frames_ignored = false;
    job->info->warning[0] = '\0';
    job->info->duration_ms = f->duration_ms;
done:
    return status;
}

/* Onwards to frame i. */
static mb_status show(mb_frame_file *f, int i, const mb_task *task, const mb_load_limits *limits, mb_error *err)
{
    mb_status status = MB_OK;
    f->budget.starved = f->budget.exceeded = false;
    if (i < f->shown || f->unsettled) {
        if (f->walk->end != NULL) {
            f->walk->end(f);
        }
        f->shown = f->broken = 0;
        f->unsettled = true;
        MB_TRY(f->walk->begin(f, err));
        f->unsettled = false;
    }
    if (f->broken > 0 && f->broken < i) {
        return mb_fail(err, MB_E_FORMAT, "it is shown over frame %d, which is damaged", f->broken);
    }
    while (f->shown < i) {
        status = f->walk->next(f, task, limits, err);
        f->unsettled = status == MB_E_MEMORY;
        if (status != MB_OK && status != MB_E_CANCELLED && !f->unsettled) {
            f->broken = f->shown + 1;
        }
        MB_TRY(status);
        f->shown++;
    }
done:
    return status;
}

mb_status mb_frame_file_load(const mb_task *task, mb_image_u8 *out, mb_load_info *info, mb_frame_file *f, int i,
                             const mb_load_limits *limits, mb_error *err)
{
    mb_load_limits own;
    mb_error why = {0};
    mb_load_limits_init(&own);
    own = limits != NULL ? *limits : own;
    own.frame = f->count > 1 ? i : 0;
    char name[sizeof f->name + 32];
    (void)snprintf(name, sizeof name, f->count > 1 ? "%s, frame %d of %d" : "%s", f->name, i, f->count);
    *out = (mb_image_u8){0};
    if (f->walk == NULL) {
        return mb_load_memory(task, out, info, f->bytes, f->n, name, &own, err);
    }
    mb_status status = show(f, i, task, &own, &why);
    if (status != MB_OK) {
        mb_error_prefix(&why, "%s", name);
        return mb_fail(err, status, "%s", why.message);
    }
    if (own.metadata != NULL && !f->has_metadata) {
        mb_metadata_init(&f->metadata);
        status = mb_metadata_read(&f->metadata, f->head.type, (mb_bytes){f->bytes, f->n}, err);
        f->has_metadata = status == MB_OK;
        if (status != MB_OK) {
            mb_metadata_dispose(&f->metadata);
            mb_error_prefix(err, "%s", name);
            return status;
        }
    }
    const mb_load_way by = {copy_canvas, f, &f->head, f->orientation, &f->metadata};
    return mb_load_by(&by, task, out, info, f->bytes, f->n, name, &own, err);
}
