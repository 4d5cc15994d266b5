/* The table of refinement methods, the checks before them, and warnings. docs/models/refine.md section 1. */
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

void mb_matte_options_init(mb_matte_options *o)
{
    *o = (mb_matte_options){
        .process_detail = true,
        .detail = MB_DETAIL_NONE,
        .erode = 6,
        .dilate = 6,
        .black_point = 0.01,
        .white_point = 0.99,
        .max_megapixels = 2.0,
    };
}

mb_status mb_matte_options_check(const mb_matte_options *o, mb_error *err)
{
    const struct {
        const char *name;
        double value, min, max;
        bool zero_too; /* 0 stands for the node's rule */
    } rows[] = {
        {"erode", o->erode, 1, 255, false},
        {"dilate", o->dilate, 1, 255, false},
        {"black-point", o->black_point, 0.01, 0.98, false},
        {"white-point", o->white_point, 0.02, 0.99, false},
        {"max-megapixels", o->max_megapixels, 1e-4, 999, false},
        {"guided-radius", o->guided_radius, 1, MB_GUIDED_MAX_RADIUS, true},
        {"guided-eps", o->guided_eps, 1e-9, 1e6, true},
        {"guided-scale", o->guided_scale, 0.01, 1, true},
        {"matting-epsilon", o->matting_epsilon, 1e-12, 1, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool in = rows[i].value >= rows[i].min && rows[i].value <= rows[i].max; /* NaN is not */
        if (!in && !(rows[i].zero_too && rows[i].value == 0)) {
            return mb_fail(err, MB_E_ARGUMENT, "--%s %.10g: %.10g to %.10g", rows[i].name, rows[i].value, rows[i].min,
                           rows[i].max);
        }
    }
    if ((size_t)o->detail >= N_METHODS) {
        return mb_fail(err, MB_E_ARGUMENT, "detail %d is not known", (int)o->detail);
    }
    return MB_OK;
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
    mb_status status = mb_matte_options_check(o, err);
    return status == MB_OK ? refine(alpha, &job, err) : status;
}

mb_status mb_matte_from_trimap(mb_image_u8 *alpha, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                               const mb_matte_options *o, const mb_matte_context *c, mb_error *err)
{
    static const mb_matte_context nothing;
    mb_matte_job job = {photo, NULL, trimap, o, c != NULL ? c : &nothing};
    mb_status status = mb_matte_options_check(o, err);
    return status == MB_OK ? refine(alpha, &job, err) : status;
}
