/* Between the parts of the guided filter: the streaming core, which fills either the result or the mean coefficients.
 */
#ifndef MB_MATTING_GUIDED_CORE_H
#define MB_MATTING_GUIDED_CORE_H

#include "matting/guided.h"

typedef struct mb_guided_job {
    mb_image_view guide, source;
    int radius;
    double eps;
    float *result; /* [H,W], or NULL */
    float *means;  /* [H,W,4] box means of a (3) and b, or NULL */
} mb_guided_job;

MB_MUST_CHECK mb_status mb_guided_stream(const mb_task *task, const mb_guided_job *job, mb_error *err);

#endif
