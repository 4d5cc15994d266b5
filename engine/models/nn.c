/* Shared blocks: one op each, weights by published name. */
#include "models/nn.h"

/* x [N,C,H,W] -> [N,O,H',W']; a bias where the file has one. */
mb_value mb_nn_conv2d(mb_scope s, mb_value x, int stride, int pad)
{
    mb_attrs a = {.conv2d = {.stride = stride, .pad = pad}};
    return mb_record(s, MB_OP_conv2d, &a, (mb_value[]){x, mb_weight(s, "weight"), mb_weight_if(s, "bias")}, 3);
}

/* Per pixel: x [N,C,H,W] -> [N,O,H,W]. */
mb_value mb_nn_linear(mb_scope s, mb_value x)
{
    mb_attrs a = {0};
    return mb_record(s, MB_OP_linear, &a, (mb_value[]){x, mb_weight(s, "weight"), mb_weight_if(s, "bias")}, 3);
}

/* x [N,C,H,W] -> same, zero padded. */
mb_value mb_nn_depthwise_conv2d(mb_scope s, mb_value x)
{
    mb_attrs a = {0};
    return mb_record(s, MB_OP_depthwise_conv2d, &a, (mb_value[]){x, mb_weight(s, "weight"), mb_weight_if(s, "bias")},
                     3);
}

/* Incomplete windows are dropped. */
mb_value mb_nn_max_pool2d(mb_scope s, mb_value x, int kernel, int stride, int pad)
{
    mb_attrs a = {.max_pool2d = {kernel, stride, pad}};
    return mb_record(s, MB_OP_max_pool2d, &a, &x, 1);
}

/* Over the channels of each pixel. */
mb_value mb_nn_layer_norm(mb_scope s, mb_value x, float eps)
{
    mb_attrs a = {.layer_norm = {.eps = eps}};
    return mb_record(s, MB_OP_layer_norm, &a, (mb_value[]){x, mb_weight(s, "weight"), mb_weight(s, "bias")}, 3);
}

/* With the running statistics of the file, as in inference. */
mb_value mb_nn_batch_norm(mb_scope s, mb_value x)
{
    mb_attrs a = {.batch_norm = {.eps = 1e-5f}};
    mb_value in[] = {x, mb_weight(s, "weight"), mb_weight(s, "bias"), mb_weight(s, "running_mean"),
                     mb_weight(s, "running_var")};
    return mb_record(s, MB_OP_batch_norm, &a, in, 5);
}

/* Element by element; usually joins the op before it (fuse_epilogue). */
mb_value mb_nn_activation(mb_scope s, mb_value x, mb_activation act)
{
    mb_attrs a = {.unary = {.act = act}};
    return mb_record(s, MB_OP_unary, &a, &x, 1);
}

/* Two maps of the same shape. */
mb_value mb_nn_add(mb_scope s, mb_value a, mb_value b)
{
    mb_attrs none = {.bytes = {0}};
    return mb_record(s, MB_OP_add, &none, (mb_value[]){a, b}, 2);
}

/* Along the channels; usually costs nothing (alias_concat). */
mb_value mb_nn_concat(mb_scope s, const mb_value *parts, int n)
{
    mb_attrs none = {.bytes = {0}};
    return mb_record(s, MB_OP_concat, &none, parts, n);
}

/* x [N,C,H,W] * sigmoid(map [N,1,H,W]). */
mb_value mb_nn_scale_by_map(mb_scope s, mb_value x, mb_value map)
{
    mb_attrs none = {.bytes = {0}};
    return mb_record(s, MB_OP_scale_by_map, &none, (mb_value[]){x, map}, 2);
}

/* [N,C,H,W] -> [N,C,1,1]. */
mb_value mb_nn_global_mean(mb_scope s, mb_value x)
{
    mb_attrs none = {.bytes = {0}};
    return mb_record(s, MB_OP_global_mean, &none, &x, 1);
}

/* Bilinear, to h x w. align_corners: PyTorch's meaning. */
mb_value mb_nn_resize(mb_scope s, mb_value x, int64_t h, int64_t w, bool align_corners)
{
    mb_attrs a = {.resize_bilinear = {.out_h = (int32_t)h, .out_w = (int32_t)w, .align_corners = align_corners}};
    return mb_record(s, MB_OP_resize_bilinear, &a, &x, 1);
}

/* As the published decoder enlarges: corners aligned, nothing to do where the sizes are equal. */
mb_value mb_nn_resize_like(mb_scope s, mb_value x, mb_value like)
{
    const int64_t *from = mb_dims(s, x), *to = mb_dims(s, like);
    if (from[2] == to[2] && from[3] == to[3]) {
        return x;
    }
    return mb_nn_resize(s, x, to[2], to[3], true);
}
