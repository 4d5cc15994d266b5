/* BiRefNet: recorded for a batch of n pictures of h x w. Input "input" [N,3,H,W], output "logits" [N,1,H,W]. */
#ifndef MB_MODELS_BIREFNET_H
#define MB_MODELS_BIREFNET_H

#include "graph/graph.h"

/* Sizes must be multiples of this: 32 (v2), 16 (v1). */
int mb_birefnet_size_step(const mb_weights *w);
MB_MUST_CHECK mb_status mb_birefnet_record(mb_graph *g, int64_t n, int64_t h, int64_t w, mb_error *err);

#endif
