/* The table of refinement methods, the checks before them, and warnings. docs/models/refine.md section 1. */
#include "matting/matte.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "matting/methods.h"

#include <string.h>

/* One row per value of mb_detail. */
typedef struct method_row {
    mb_matte_method run; /* NULL: the mask as it is, or a network's work */
    bool trimap;         /* makes one */
    bool planes;         /* works in f32 of the photo's size, whatever the results have */
    bool network;
} method_row;

static const method_row methods[] = {
    [MB_DETAIL_NONE] = {NULL, false, false, false},
    [MB_DETAIL_GUIDED] = {mb_matte_guided, false, true, false},
    [MB_DETAIL_PYMATTING] = {mb_matte_closed_form, true, true, false},
    [MB_DETAIL_VITMATTE] = {NULL, true, false, true},
    [MB_DETAIL_VITMATTE_LOCAL] = {NULL, true, false, true},
    [MB_DETAIL_VITMATTE_BASE] = {NULL, true, false, true},
};
#define N_METHODS (sizeof methods / sizeof *methods)

/* The row of what the options ask for: that of MB_DETAIL_NONE where they ask for no refinement. */
static const method_row *row_of(const mb_options *o)
{
    bool refines = o->process_detail && (size_t)o->detail < N_METHODS;
    return &methods[refines ? o->detail : MB_DETAIL_NONE];
}

bool mb_matte_needs_network(const mb_options *o)
{
    return row_of(o)->network;
}

double mb_matte_result_bytes(const mb_options *o, int width, int height, bool want_f32)
{
    return (double)width * (double)height * (1 + row_of(o)->trimap + (want_f32 ? (int)sizeof(float) : 0));
}

/* Measured: what a method holds at a time beside its results (tests/fault/memory_plan.c). */
double mb_matte_scratch_bytes(const mb_options *o, int width, int height, bool want_f32)
{
    const method_row *m = row_of(o);
    const double pixels = (double)width * (double)height, plane = pixels * sizeof(float);
    double bytes = m->planes && !want_f32 ? plane : 0;
    if (m->run == mb_matte_guided && o->guided_scale < 1.0) { /* photo, mask and coefficients, smaller */
        bytes += 8 * plane * o->guided_scale * o->guided_scale;
    }
    if (m->run == mb_matte_closed_form) {
        bytes += pixels / 4 + mb_closed_form_memory(width, height, mb_closed_form_blur(o->erode, o->dilate));
    }
    return bytes;
}

const char *mb_warning_name(mb_warning_code code)
{
    static const char *const names[] = {"no-foreground", "no-background", "too-small",  "points-swapped", "iterative",
                                        "residual",      "reduced",       "not-solved", "no-unknown"};
    return (size_t)code < sizeof names / sizeof *names ? names[code] : "unknown";
}

/* alpha_f32 where the method gave none: what the mask has beyond 8 bits if it was passed on as it is, else alpha / 255.
 */
static mb_status fill_f32(mb_matte_job *job, bool passed_on, mb_error *err)
{
    const mb_image_f32 *from = passed_on ? job->mask_f32 : NULL;
    if (from == NULL) {
        return mb_image_f32_from_u8(&job->alpha_f32, &job->alpha, err);
    }
    mb_status status = mb_image_f32_create(&job->alpha_f32, from->width, from->height, err);
    if (status == MB_OK) {
        memcpy(job->alpha_f32.v, from->v, (size_t)from->width * (size_t)from->height * sizeof *from->v);
    }
    return status;
}

/* A detail that only passes the mask on keeps what it has beyond 8 bits. */
mb_status mb_matte_run(const mb_task *task, mb_matte_job *job, mb_error *err)
{
    const method_row *method = row_of(job->options);
    mb_status status = MB_OK;
    MB_TRY(mb_matte_check_sizes(job, err));
    mb_matte_warn_trimap(task, job);
    if (method->network) {
        status = mb_fail(err, MB_E_UNSUPPORTED, "this detail needs a matting network");
        goto done;
    }
    MB_TRY(method->run != NULL ? method->run(task, job, err)
                               : mb_matte_first_channel(&job->alpha, mb_matte_source(job), err));
    if (job->want_f32 && job->alpha_f32.v == NULL) {
        MB_TRY(fill_f32(job, method->run == NULL, err));
    }
done:
    if (status != MB_OK) {
        mb_matte_job_dispose(job);
    }
    return status;
}

void mb_matte_job_dispose(mb_matte_job *job)
{
    mb_image_u8_dispose(&job->alpha);
    mb_image_f32_dispose(&job->alpha_f32);
    mb_image_u8_dispose(&job->trimap);
}
