/* The refinement of a mask's edge: one call, one table of methods. docs/models/refine.md section 1; docs/edges.md says
 * when to choose which. */
#ifndef MB_MATTING_MATTE_H
#define MB_MATTING_MATTE_H

#include "core/threads.h"
#include "image/raster.h"
#include "core/cancel.h"
#include "matting/closed_form.h"

/* What the methods read of mb_options, in range (mb_options_check), and what the pipeline adds. */
typedef struct mb_matte_options {
    bool process_detail; /* false: the mask is the result, untouched; nothing below acts */
    mb_detail detail;    /* which method */
    int erode, dilate;
    double black_point, white_point;
    double max_megapixels; /* of 1048576 pixels: what VITMatte sees at most */
    int guided_radius;     /* 0: from erode and dilate */
    double guided_eps;
    double guided_scale; /* below 1: the fast variant */
    double matting_epsilon;
    size_t matting_memory; /* bytes of the direct solver; 0: 1 GiB */
    size_t available;      /* bytes that a method may take at all; 0: not known */
    mb_solver matting_solver;
} mb_matte_options;
mb_matte_options mb_matte_options_of(const mb_options *o);
void mb_matte_options_init(mb_matte_options *o); /* of the default options */

typedef enum mb_warning_code {
    MB_WARN_NO_FOREGROUND,  /* the trimap has none: the mask was kept (VITMatte still runs) */
    MB_WARN_NO_BACKGROUND,  /* likewise */
    MB_WARN_TOO_SMALL,      /* under 3 x 3 pixels: the blurred mask was kept */
    MB_WARN_POINTS_SWAPPED, /* black point above white point */
    MB_WARN_ITERATIVE,      /* the direct solver could not serve; slower, same answer */
    MB_WARN_RESIDUAL,       /* the system is solved less exactly than wanted; the text has the number */
    MB_WARN_REDUCED,        /* VITMatte saw a smaller picture (max_megapixels) */
} mb_warning_code;

#define MB_MAX_WARNINGS 8
typedef struct mb_warnings {
    int n;
    struct {
        mb_warning_code code;
        char text[160]; /* one line */
    } item[MB_MAX_WARNINGS];
} mb_warnings;
const char *mb_warning_name(mb_warning_code code); /* "no-foreground" ... for JSON */

/* The VITMatte network: alpha [H,W] or larger (what is beyond the photo's size is padding, right and bottom) for an RGB
 * photo and a grey trimap of one size. */
typedef mb_status (*mb_matting_fn)(mb_image_f32 *alpha, void *user, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                                   mb_error *err);

/* What a run uses and reports besides alpha; all may be 0. */
typedef struct mb_matte_context {
    mb_pool *pool;
    mb_cancel cancel;
    mb_matting_fn matting; /* NULL: the details named vitmatte are refused */
    void *matting_user;
    mb_warnings *warnings;
    mb_image_u8 *trimap; /* receives the trimap of a method that makes one (the caller disposes it) */
    const mb_image_f32
        *fine_mask;     /* the mask at more than 8 bits, for details that only pass it on; NULL: there is none */
    mb_image_f32 *fine; /* receives alpha [H,W] before it is rounded to 8 bits (the caller disposes it) */
} mb_matte_context;

/* alpha [H,W] for a photo (grey, RGB or RGBA: the alpha is ignored) and a mask of the same size (its first channel). */
MB_MUST_CHECK mb_status mb_matte_from_mask(mb_image_u8 *alpha, const mb_image_u8 *photo, const mb_image_u8 *mask,
                                           const mb_matte_options *o, const mb_matte_context *c, mb_error *err);
/* The same with the user's own trimap: 0, 255, anything between is unknown (VITMatte sees the values as they are; the
 * guided filter takes them for a mask). erode and dilate do not act on it. */
MB_MUST_CHECK mb_status mb_matte_from_trimap(mb_image_u8 *alpha, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                                             const mb_matte_options *o, const mb_matte_context *c, mb_error *err);

/* Size that VITMatte sees of a width x height picture: reduced only if it has more than max_megapixels. */
void mb_matte_limit(int *out_width, int *out_height, int width, int height, double max_megapixels);

/* Rough bytes a method needs besides photo and mask (VITMatte: without the network), for the check before work. `share`
 * of the pixels is unknown. */
size_t mb_matte_bytes(mb_detail detail, int width, int height, double share);

#endif
