/* The refinement of a mask's edge: one job, one table of methods. docs/models/refine.md section 1; docs/edges.md says
 * when to choose which. The details named vitmatte need a network, which this folder does not know: their picture side
 * is in vitmatte.h, and the caller runs the network between its two halves. */
#ifndef MB_MATTING_MATTE_H
#define MB_MATTING_MATTE_H

#include "core/task.h"
#include "image/raster.h"
#include "matting/closed_form.h"

/* Codes of the warnings that a refinement adds to its task. */
typedef enum mb_warning_code {
    MB_WARN_NO_FOREGROUND,  /* the trimap has none: the mask was kept (VITMatte still runs) */
    MB_WARN_NO_BACKGROUND,  /* likewise */
    MB_WARN_TOO_SMALL,      /* under 3 x 3 pixels: the blurred mask was kept */
    MB_WARN_POINTS_SWAPPED, /* black point above white point */
    MB_WARN_ITERATIVE,      /* the direct solver could not serve; slower, same answer */
    MB_WARN_RESIDUAL,       /* the system is solved less exactly than wanted; the text has the number */
    MB_WARN_REDUCED,        /* VITMatte saw a smaller picture (max_megapixels) */
    MB_WARN_NOT_SOLVED,     /* a given trimap, and a method that has no use for its unknown pixels */
    MB_WARN_NO_UNKNOWN,     /* the made trimap leaves nothing to the method */
} mb_warning_code;

const char *mb_warning_name(mb_warning_code code); /* "no-foreground" ... for JSON */

/* One refinement: what it works on, and what it gives. */
typedef struct mb_matte_job {
    const mb_image_u8 *photo; /* grey, RGB or RGBA (its alpha is ignored) */
    /* Exactly one of the two, of the photo's size; the first channel counts. */
    const mb_image_u8 *mask;
    const mb_image_u8 *user_trimap; /* 0, 255, anything between is unknown (VITMatte sees the values as they are; the
                                     * guided filter takes them for a mask, and keeps what is known). erode and dilate
                                     * do not act on it. */
    const mb_image_f32 *mask_f32;   /* the mask at more than 8 bits, for details that only pass it on; NULL: none */
    const mb_options *options;      /* checked by mb_options_check; process_detail 0: the mask is the result */
    size_t solver_memory;           /* bytes of the direct solver; 0: 1 GiB */
    mb_solver solver;
    bool want_f32; /* alpha_f32 is wanted */
    /* Results: {0} before the run and after an error; mb_matte_job_dispose frees them. */
    mb_image_u8 alpha;      /* [H,W], grey */
    mb_image_f32 alpha_f32; /* [H,W] in [0,1]: alpha before it is rounded to 8 bits */
    size_t scratch_bytes;   /* held beside these where only the mask could tell; 0: as planned */
    mb_image_u8 trimap;     /* [H,W]: of a method that uses one, else {0} */
} mb_matte_job;

/* Runs the detail of the options. MB_E_ARGUMENT: another size than the photo's. MB_E_UNSUPPORTED: the detail needs a
 * network (mb_matte_needs_network). MB_E_MEMORY: beyond the task's memory_limit, too. */
MB_MUST_CHECK mb_status mb_matte_run(const mb_task *task, mb_matte_job *job, mb_error *err);
void mb_matte_job_dispose(mb_matte_job *job); /* the results alone */

/* Whether these options ask for a VITMatte network (vitmatte.h). */
bool mb_matte_needs_network(const mb_options *o);

/* Bytes of the results, and of what a refinement holds at a time beside photo, mask and results (VITMatte: vitmatte.h),
 * for the check before the work. How much closed-form matting has to solve shows only with the mask: an outline
 * of ordinary length is planned here, and mb_closed_form checks what it is given. */
double mb_matte_result_bytes(const mb_options *o, int width, int height, bool want_f32);
double mb_matte_scratch_bytes(const mb_options *o, int width, int height, bool want_f32);

#endif
