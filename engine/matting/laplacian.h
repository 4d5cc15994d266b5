/* The matting Laplacian (Levin, Lischinski, Weiss 2008) over the unknown pixels of a trimap. docs/models/refine.md
 * section 6.2. */
#ifndef MB_MATTING_LAPLACIAN_H
#define MB_MATTING_LAPLACIAN_H

#include "core/task.h"
#include "image/bitmap.h"
#include "image/view.h"
#include "sparse/symmetric.h"

enum { MB_SEES_FOREGROUND = 1, MB_SEES_BACKGROUND = 2 };

/* L_UU x = b: U are the unknown pixels in raster order, b = -L_UF 1 (F: known foreground). */
typedef struct mb_matting_system {
    int32_t n;
    int32_t *pixel; /* [n] y * width + x */
    mb_symmetric a;
    double *b;     /* [n] */
    uint8_t *sees; /* [n] MB_SEES_...: known pixels that share a window with this one */
} mb_matting_system;

typedef struct mb_matting_input {
    const mb_image_view *photo; /* colours (first 3 channels; grey counts thrice) */
    const mb_image_u8 *trimap;  /* [H,W]: 0 background, 255 foreground, else unknown; at least 3 x 3 */
    double epsilon;
} mb_matting_input;
MB_MUST_CHECK mb_status mb_matting_system_create(const mb_task *task, mb_matting_system *out,
                                                 const mb_matting_input *in, mb_error *err);
void mb_matting_system_dispose(mb_matting_system *s);

/* One 3 x 3 window: z with (I_i - mu)^T (S + epsilon/9 Id)^-1 (I_j - mu) = z_i . z_j. */
void mb_matting_window(double z[9][3], const double colour[9][3], double epsilon);

#endif
