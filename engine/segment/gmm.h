/* Colour models: a palette of the picture's colours, and Gaussian mixtures over it.
 *
 * C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, section 3, with two changes: the mixture is fitted by
 * weighted EM instead of hard assignments, and on the palette (colours in cells of 4 levels, some thousands) instead of
 * on pixels, which makes a fit a matter of a few milliseconds at any picture size. */
#ifndef MB_SEGMENT_GMM_H
#define MB_SEGMENT_GMM_H

#include "core/task.h"
#include "image/raster.h"

/* The colours of a picture in cells of 4 x 4 x 4 levels. */
typedef struct mb_palette {
    int colours;   /* occupied cells */
    float *lab;    /* [colours][3] L*a*b* of the mean of the pixels in a cell */
    int32_t *cell; /* [H,W] colour of each pixel */
} mb_palette;

MB_MUST_CHECK mb_status mb_palette_create(const mb_task *task, mb_palette *out, const mb_image_u8 *rgb, mb_error *err);
void mb_palette_dispose(mb_palette *p);

enum { MB_GMM_COMPONENTS = 5 };

typedef struct mb_gmm {
    int components;                      /* 0: no data */
    float log_weight[MB_GMM_COMPONENTS]; /* log of weight / sqrt(det(2 pi covariance)) */
    float mean[MB_GMM_COMPONENTS][3];
    float inverse[MB_GMM_COMPONENTS][6]; /* xx xy xz yy yz zz of the inverse covariance */
} mb_gmm;

/* Fits to the colours with weights[colours] >= 0. `scratch`: colours floats. Some milliseconds: not interruptible. */
void mb_gmm_fit(mb_gmm *out, const mb_palette *palette, const float *weights, float *scratch);
/* log p(lab); about -1e9 without data. */
float mb_gmm_log(const mb_gmm *g, const float *lab);

#endif
