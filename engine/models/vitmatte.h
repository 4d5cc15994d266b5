/* VITMatte: recorded for a batch of n pictures of h x w. Input "input" [N,4,H,W] (R, G, B, trimap, as the processor
 * gives them), output "alphas" [N,1,H,W] in [0,1]. */
#ifndef MB_MODELS_VITMATTE_H
#define MB_MODELS_VITMATTE_H

#include "graph/graph.h"

int mb_vitmatte_size_step(const mb_weights *w); /* 32 */
MB_MUST_CHECK mb_status mb_vitmatte_record(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err);

#endif
