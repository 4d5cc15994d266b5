/* The table of refinement methods, and warnings. docs/models/refine.md section 1. */
#include "matting/matte.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "matting/guided.h"
#include "matting/methods.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One row per value of mb_detail; run NULL: the mask as it is. Bytes: measured, see docs/edges.md. */
typedef struct method_row {
    mb_matte_method run;
    double bytes_per_pixel, bytes_per_unknown;
} method_row;

static const method_row methods[] = {
    [MB_DETAIL_NONE] = {NULL, 1, 0},
    [MB_DETAIL_GUIDED] = {mb_matte_guided, 6, 0},
    [MB_DETAIL_PYMATTING] = {mb_matte_closed_form, 7, 1700},
    [MB_DETAIL_VITMATTE] = {mb_matte_vitmatte, 3, 0},
    [MB_DETAIL_VITMATTE_LOCAL] = {mb_matte_vitmatte, 3, 0},
    [MB_DETAIL_VITMATTE_BASE] = {mb_matte_vitmatte, 3, 0},
};
#define N_METHODS (sizeof methods / sizeof *methods)

size_t mb_matte_bytes(mb_detail detail, int width, int height, double share)
{
    const method_row *m = &methods[(size_t)detail < N_METHODS ? detail : MB_DETAIL_NONE];
    double bytes = (double)width * (double)height * (m->bytes_per_pixel + share * m->bytes_per_unknown);
    return bytes < 9e18 ? (size_t)bytes : SIZE_MAX;
}

mb_matte_options mb_matte_options_of(const mb_options *o)
{
    return (mb_matte_options){
        .process_detail = o->process_detail != 0,
        .detail = o->detail,
        .erode = o->erode,
        .dilate = o->dilate,
        .black_point = o->black_point,
        .white_point = o->white_point,
        .max_megapixels = o->max_megapixels,
        .guided_radius = o->guided_radius,
        .guided_eps = o->guided_eps,
        .guided_scale = o->guided_scale,
        .matting_epsilon = o->matting_epsilon,
    };
}

void mb_matte_options_init(mb_matte_options *o)
{
    mb_options standard;
    mb_options_init(&standard);
    *o = mb_matte_options_of(&standard);
}

const char *mb_warning_name(mb_warning_code code)
{
    static const char *const names[] = {"no-foreground", "no-background", "too-small", "points-swapped",
                                        "iterative",     "residual",      "reduced"};
    return (size_t)code < sizeof names / sizeof *names ? names[code] : "unknown";
}

void mb_matte_warn(const mb_matte_job *job, mb_warning_code code, const char *format, ...)
{
    mb_warnings *w = job->c->warnings;
    if (w == NULL || w->n >= MB_MAX_WARNINGS) {
        return;
    }
    va_list args;
    va_start(args, format);
    w->item[w->n].code = code;
    vsnprintf(w->item[w->n].text, sizeof w->item[w->n].text, format, args);
    va_end(args);
    w->n++;
}

void mb_matte_return_trimap(const mb_matte_job *job, mb_image_u8 *trimap)
{
    if (job->c->trimap != NULL) {
        *job->c->trimap = *trimap;
        *trimap = (mb_image_u8){0};
    }
}

mb_status mb_matte_first_channel(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 1, err);
    if (status == MB_OK) {
        size_t n = (size_t)src->width * (size_t)src->height, step = (size_t)src->channels;
        for (size_t i = 0; i < n; i++) {
            out->v[i] = src->v[i * step];
        }
    }
    return status;
}

void mb_matte_return_f32(const mb_matte_job *job, mb_image_f32 *alpha)
{
    if (job->c->fine != NULL) {
        *job->c->fine = *alpha;
        *alpha = (mb_image_f32){0};
    }
}

/* Where a method kept the mask: what the mask has beyond 8 bits, or nothing. */
static mb_status fine_of_mask(mb_image_f32 *out, const mb_image_u8 *alpha, const mb_image_f32 *fine_mask, mb_error *err)
{
    if (fine_mask == NULL) {
        return mb_image_f32_from_u8(out, alpha, err);
    }
    mb_status status = mb_image_f32_create(out, fine_mask->width, fine_mask->height, err);
    if (status == MB_OK) {
        memcpy(out->v, fine_mask->v, (size_t)out->width * (size_t)out->height * sizeof *out->v);
    }
    return status;
}

/* Runs the method on what the caller gave; after a failure nothing is left in the context's results. */
static mb_status refine(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err)
{
    const mb_image_u8 *input = job->mask != NULL ? job->mask : job->given_trimap;
    *alpha = (mb_image_u8){0};
    if (job->c->trimap != NULL) {
        *job->c->trimap = (mb_image_u8){0};
    }
    if (job->c->fine != NULL) {
        *job->c->fine = (mb_image_f32){0};
    }
    if (input->width != job->photo->width || input->height != job->photo->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the %s is %d x %d, the photo %d x %d\nboth must have one size",
                       job->mask != NULL ? "mask" : "trimap", input->width, input->height, job->photo->width,
                       job->photo->height);
    }
    mb_matte_method run = job->o->process_detail ? methods[job->o->detail].run : NULL;
    mb_status status = run != NULL ? run(alpha, job, err) : mb_matte_first_channel(alpha, input, err);
    if (status == MB_OK && job->c->fine != NULL && job->c->fine->v == NULL) {
        status = fine_of_mask(job->c->fine, alpha, run == NULL ? job->c->fine_mask : NULL, err);
    }
    if (status != MB_OK) {
        mb_image_u8_dispose(alpha);
        if (job->c->trimap != NULL) {
            mb_image_u8_dispose(job->c->trimap);
        }
        if (job->c->fine != NULL) {
            mb_image_f32_dispose(job->c->fine);
        }
    }
    return status;
}

mb_status mb_matte_from_mask(mb_image_u8 *alpha, const mb_image_u8 *photo, const mb_image_u8 *mask,
                             const mb_matte_options *o, const mb_matte_context *c, mb_error *err)
{
    static const mb_matte_context nothing;
    mb_matte_job job = {photo, mask, NULL, o, c != NULL ? c : &nothing};
    return refine(alpha, &job, err);
}

mb_status mb_matte_from_trimap(mb_image_u8 *alpha, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                               const mb_matte_options *o, const mb_matte_context *c, mb_error *err)
{
    static const mb_matte_context nothing;
    mb_matte_job job = {photo, NULL, trimap, o, c != NULL ? c : &nothing};
    return refine(alpha, &job, err);
}
