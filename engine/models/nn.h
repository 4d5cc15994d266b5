/* Blocks that the models share. Each reads its weights from its scope under the published names and is recorded as the
 * plain ops of the paper; passes do the rest. Shapes are [N,C,H,W]. */
#ifndef MB_MODELS_NN_H
#define MB_MODELS_NN_H

#include "graph/build.h"

mb_value mb_nn_conv2d(mb_scope s, mb_value x, int stride, int pad); /* weight; bias if there is one */
mb_value mb_nn_linear(mb_scope s, mb_value x);                      /* weight; bias if there is one */
mb_value mb_nn_depthwise_conv2d(mb_scope s, mb_value x);            /* each channel by itself; weight, bias */
mb_value mb_nn_max_pool2d(mb_scope s, mb_value x, int kernel, int stride, int pad);
mb_value mb_nn_layer_norm(mb_scope s, mb_value x, float eps); /* over C; weight, bias */
mb_value mb_nn_batch_norm(mb_scope s, mb_value x);            /* eps 1e-5 */
mb_value mb_nn_activation(mb_scope s, mb_value x, mb_activation act);
mb_value mb_nn_add(mb_scope s, mb_value a, mb_value b);
mb_value mb_nn_concat(mb_scope s, const mb_value *parts, int n);   /* along C */
mb_value mb_nn_scale_by_map(mb_scope s, mb_value x, mb_value map); /* x * sigmoid(map) */
mb_value mb_nn_global_mean(mb_scope s, mb_value x);                /* [N,C,H,W] -> [N,C,1,1] */
/* Bilinear, to h x w. */
mb_value mb_nn_resize(mb_scope s, mb_value x, int64_t h, int64_t w, bool align_corners);
/* Bilinear with aligned corners to the size of `like`; x itself where the sizes are equal (an exact copy). */
mb_value mb_nn_resize_like(mb_scope s, mb_value x, mb_value like);

#endif
