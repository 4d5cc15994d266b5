/* Closed-form matting (Levin, Lischinski, Weiss 2008) on the unknown band of a trimap, solved outright.
 * docs/models/refine.md section 6. */
#ifndef MB_MATTING_CLOSED_FORM_H
#define MB_MATTING_CLOSED_FORM_H

#include "core/task.h"
#include "image/view.h"

#include <stdbool.h>

#define MB_CLOSED_FORM_MEMORY ((size_t)1 << 30)

typedef enum mb_solver {
    MB_SOLVER_AUTO,     /* Cholesky; conjugate gradients where its factor would exceed the memory limit */
    MB_SOLVER_CHOLESKY, /* our own: nested dissection, multifrontal */
    MB_SOLVER_PCG,      /* conjugate gradients with incomplete Cholesky */
    MB_SOLVER_CHOLMOD,  /* SuiteSparse, where the build found it */
} mb_solver;

typedef struct mb_closed_form_options {
    double epsilon;      /* regularisation of the colour model; 0: the default of the option matting_epsilon */
    size_t factor_limit; /* bytes of the factor; 0: MB_CLOSED_FORM_MEMORY */
    /* The same for one solver alone, where memory is short; mb_closed_form sets them from its task's limit. 0: none. */
    size_t direct_limit, iterative_limit;
    mb_solver solver;
} mb_closed_form_options;

typedef enum mb_closed_form_outcome {
    MB_CLOSED_FORM_SOLVED,
    MB_CLOSED_FORM_NO_UNKNOWN,    /* alpha is the trimap */
    MB_CLOSED_FORM_NO_FOREGROUND, /* unknown pixels became 0 */
    MB_CLOSED_FORM_NO_BACKGROUND, /* unknown pixels became 1 */
    MB_CLOSED_FORM_TOO_SMALL,     /* under 3 x 3: no window; unknown pixels became 0.5 */
} mb_closed_form_outcome;

typedef struct mb_closed_form_report {
    mb_closed_form_outcome outcome;
    int32_t unknown, components; /* pixels; connected components of them */
    mb_solver used;
    bool fell_back;      /* the direct solver was asked for or preferred, and could not serve */
    size_t factor_bytes; /* of the factor, unfinished parts included */
    size_t bytes;        /* held beside the results, at most */
    int iterations;      /* of conjugate gradients, or refinement steps */
    double residual;     /* |b - A x| / |b| */
} mb_closed_form_report;

/* alpha [H,W] in [0,1]: exactly 0 and 1 where the trimap (0, 255) says so. photo: first 3 channels. Always an answer:
 * report->residual says how good. MB_E_MEMORY if even the iteration needs more than the task's memory_limit: found before
 * the system is made, from the number of unknown pixels. Whether the direct solver fits is counted before its factor is
 * allocated. */
MB_MUST_CHECK mb_status mb_closed_form(const mb_task *task, mb_image_f32 *alpha, const mb_image_view *photo,
                                       const mb_image_u8 *trimap, const mb_closed_form_options *o,
                                       mb_closed_form_report *report, mb_error *err);

/* Thresholds on values in [0,1]. */
typedef struct mb_points {
    double black, white;
} mb_points;

/* LayerStyle's trimap: Gaussian blur of the mask, 0 below black, 255 above white, 128 between; white <= black takes
 * remap's rule. size: of the kernel, see mb_closed_form_blur. */
MB_MUST_CHECK mb_status mb_closed_form_trimap(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int size,
                                              mb_points points, mb_error *err);
/* Bytes beside the results for the unknown band of an ordinary outline, as a blur of this size leaves it. */
double mb_closed_form_memory(int width, int height, int blur);
/* Kernel for LayerStyle's erode and dilate: 7, 11, 17 ... 427. */
int mb_closed_form_blur(int erode, int dilate);

bool mb_solver_available(mb_solver solver);

#endif
