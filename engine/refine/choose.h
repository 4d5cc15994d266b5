/* Which of several rough masks of one photo to believe: a small network's, saliency's.
 *
 * Each is a seed for snap; what comes out is judged without knowing the truth: a good cut-out has colours of its own,
 * and agrees with what the network saw. The weights of that judgement were fitted to photos with hand-made masks
 * (docs/models/default.md has the figures, each photo judged with weights that had not seen it). */
#ifndef MB_REFINE_CHOOSE_H
#define MB_REFINE_CHOOSE_H

#include "core/status.h"
#include "image/plane.h"

/* network, saliency: grey, any size of rgb's shape. *out: the seed that won, grey, of the size of rgb, meant for
 * mb_snap. */
MB_MUST_CHECK mb_status mb_choose(mb_picture *out, const mb_picture *rgb, const mb_picture *network,
                                  const mb_picture *saliency, mb_error *err);

/* The judgement alone, for tests: shares in 0..1 of how much the colours in and out of the mask overlap (0 is best),
 * and of the agreement of mask and seed (1 is best). All pictures have one size; mask and seed are grey. */
typedef struct mb_choose_figures {
    double overlap, agreement;
} mb_choose_figures;
MB_MUST_CHECK mb_status mb_choose_judge(mb_choose_figures *out, const mb_picture *rgb, const mb_picture *mask,
                                        const mb_picture *seed, mb_error *err);

#endif
