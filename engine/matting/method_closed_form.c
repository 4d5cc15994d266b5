/* Method `pymatting`: blur and thresholds make the trimap, closed-form matting solves it; black and white point are the
 * thresholds, and no remap follows. What cannot be solved keeps the mask, with a warning: the batch goes on.
 * docs/models/refine.md sections 1 and 6.3. */
#include "image/convert.h"
#include "image/blur.h"
#include "matting/methods.h"

/* An mb_blur_sink: to 8 bits. */
static void blurred_row(void *arg, int y, int x, const double *values, int n)
{
    mb_image_u8 *out = arg;
    uint8_t *dst = out->v + (size_t)y * (size_t)out->width + (size_t)x;
    for (int i = 0; i < n; i++) {
        dst[i] = mb_to8((float)values[i]);
    }
}

/* What the user should know of the solution, as warnings of the task. */
static void warn(const mb_task *task, const mb_matte_job *job, const mb_closed_form_report *r)
{
    const bool made = job->mask != NULL; /* of a given trimap mb_matte_warn_trimap has said it */
    switch (r->outcome) {
    case MB_CLOSED_FORM_NO_FOREGROUND:
        if (made) {
            mb_task_warn(task, MB_WARN_NO_FOREGROUND, "the trimap has no foreground: the mask was kept as it is");
        }
        break;
    case MB_CLOSED_FORM_NO_BACKGROUND:
        if (made) {
            mb_task_warn(task, MB_WARN_NO_BACKGROUND, "the trimap has no background: the mask was kept as it is");
        }
        break;
    case MB_CLOSED_FORM_TOO_SMALL:
        mb_task_warn(task, MB_WARN_TOO_SMALL, "%d x %d is too small for matting: the %s was kept", job->photo->width,
                     job->photo->height, made ? "blurred mask" : "trimap");
        break;
    case MB_CLOSED_FORM_NO_UNKNOWN:
    case MB_CLOSED_FORM_SOLVED:
        break;
    }
    if (r->fell_back) {
        mb_task_warn(task, MB_WARN_ITERATIVE, "%d unknown pixels were solved by iteration (%d steps)", r->unknown,
                     r->iterations);
    }
    if (r->outcome == MB_CLOSED_FORM_SOLVED && !(r->residual <= 1e-6)) {
        mb_task_warn(task, MB_WARN_RESIDUAL, "matting is solved to a relative residual of %.1e only", r->residual);
    }
}

/* The result of a picture that has nothing to solve. */
static mb_status keep(const mb_task *task, mb_matte_job *job, mb_closed_form_outcome outcome, int blur, mb_error *err)
{
    const mb_image_u8 *source = mb_matte_source(job);
    if (outcome != MB_CLOSED_FORM_TOO_SMALL || job->mask == NULL) {
        return mb_matte_first_channel(&job->alpha, source, err);
    }
    mb_status status = mb_image_u8_create(&job->alpha, source->width, source->height, 1, err);
    return status == MB_OK ? mb_gauss_blur(task, source, blur, blurred_row, &job->alpha, err) : status;
}

/* job->trimap: the user's own as it is, else from the blurred mask by the two points. */
static mb_status make_trimap(const mb_task *task, mb_matte_job *job, int blur, mb_error *err)
{
    const mb_options *o = job->options;
    if (job->mask == NULL) {
        return mb_matte_first_channel(&job->trimap, job->user_trimap, err);
    }
    if (o->black_point > o->white_point) {
        mb_task_warn(task, MB_WARN_POINTS_SWAPPED, "black_point %g is above white_point %g: %g was used",
                     o->black_point, o->white_point, o->white_point - 0.001);
    }
    return mb_closed_form_trimap(task, &job->trimap, job->mask, blur, (mb_points){o->black_point, o->white_point}, err);
}

/* Trimap, solution, and what becomes of pictures that have nothing to solve. */
mb_status mb_matte_closed_form(const mb_task *task, mb_matte_job *job, mb_error *err)
{
    const mb_options *o = job->options;
    int blur = mb_closed_form_blur(o->erode, o->dilate);
    const mb_closed_form_options options = {
        .epsilon = o->matting_epsilon,
        .factor_limit = job->solver_memory,
        .solver = job->solver,
    };
    mb_image_view photo = mb_image_view_u8(job->photo);
    mb_closed_form_report report;
    mb_image_f32 solved = {0};
    mb_status status = MB_OK;
    MB_TRY(make_trimap(task, job, blur, err));
    MB_TRY(mb_closed_form(task, &solved, &photo, &job->trimap, &options, &report, err));
    job->scratch_bytes = report.bytes;
    warn(task, job, &report);
    if (report.outcome == MB_CLOSED_FORM_SOLVED || report.outcome == MB_CLOSED_FORM_NO_UNKNOWN) {
        MB_TRY(mb_image_u8_from_f32(&job->alpha, &solved, err));
        mb_matte_return_f32(job, &solved);
    } else {
        MB_TRY(keep(task, job, report.outcome, blur, err));
    }
done:
    mb_image_f32_dispose(&solved);
    return status;
}
