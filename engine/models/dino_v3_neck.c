/* The neck between DINOv3 and BiRefNet's decoder, as published on 2025-10-09: each map is resized to the size of its
 * level and projected to the width that the decoder has for Swin-L. docs/models/dino_v3.md, "Neck". */
#include "models/dino_v3_neck.h"

#include "models/nn.h"

/* [pyramid_neck_x<level>] x [N,2C,h,w] -> [N,C',H/2^(level+1),W/2^(level+1)]: bilinear, corners aligned; then 1x1. */
static mb_value level(mb_scope decoder, mb_value x, mb_value picture, int level)
{
    mb_scope s = mb_sub_number(decoder, "pyramid_neck_x", level);
    const int64_t *from = mb_dims(s, x), *p = mb_dims(s, picture);
    int64_t h = p[2] >> (level + 1), w = p[3] >> (level + 1);
    if (from[2] != h || from[3] != w) {
        x = mb_nn_resize(mb_sub(s, "up"), x, h, w, true);
    }
    x = mb_nn_conv2d(mb_sub(s, "conv"), x, 1, 0);
    mb_graph_tap(decoder.g, mb_graph_text(decoder.g, "neck.x%d", level), x.id);
    return x;
}

/* The coarsest map is the squeezed context, which shrinks from H/16 to H/32. */
void mb_dino_v3_neck(mb_value x[3], mb_value *squeezed, mb_scope decoder, mb_value picture)
{
    for (int i = 0; i < 3; i++) {
        x[i] = level(decoder, x[i], picture, i + 1);
    }
    *squeezed = level(decoder, *squeezed, picture, 4);
}
