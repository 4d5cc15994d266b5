/* ResNet as torchvision has it, cut into the four parts of BiRefNet's code: the stem and layer 1 are "conv1". */
#include "models/resnet.h"

#include "models/nn.h"

/* Convolution without bias, batch norm. */
static mb_value conv_norm(mb_scope s, const char *conv, const char *norm, mb_value x, int stride, int pad)
{
    return mb_nn_batch_norm(mb_sub(s, norm), mb_nn_conv2d(mb_sub(s, conv), x, stride, pad));
}

/* 7x7 stride 2, batch norm, ReLU, pooling: x [N,3,H,W] -> [N,64,ceil(H/4),ceil(W/4)]. */
static mb_value stem(mb_scope s, mb_value x, const char *tap)
{
    x = mb_nn_conv2d(mb_sub(s, "0"), x, 2, 3);
    mb_backbone_tap(s, tap, "stem_conv", -1, x);
    x = mb_nn_batch_norm(mb_sub(s, "1"), x);
    x = mb_nn_activation(mb_sub(s, "2"), x, MB_ACT_RELU);
    x = mb_nn_max_pool2d(mb_sub(s, "3"), x, 3, 2, 1);
    mb_backbone_tap(s, tap, "maxpool", -1, x);
    return x;
}

/* 1x1 to p channels, 3x3 with the stride, 1x1 to 4p; plus the input, projected where shapes differ. */
static mb_value bottleneck(mb_scope s, mb_value x, int stride)
{
    mb_value y = conv_norm(s, "conv1", "bn1", x, 1, 0);
    y = mb_nn_activation(mb_sub(s, "relu1"), y, MB_ACT_RELU);
    y = conv_norm(s, "conv2", "bn2", y, stride, 1);
    y = mb_nn_activation(mb_sub(s, "relu2"), y, MB_ACT_RELU);
    y = conv_norm(s, "conv3", "bn3", y, 1, 0);
    if (mb_scope_has(s, "downsample.0.weight")) {
        x = conv_norm(s, "downsample.0", "downsample.1", x, stride, 0);
    }
    y = mb_nn_add(mb_sub(s, "sum"), x, y);
    return mb_nn_activation(mb_sub(s, "relu3"), y, MB_ACT_RELU);
}

static void record(mb_value out[MB_BACKBONE_MAPS], mb_scope s, mb_value x, const char *tap)
{
    static const char *const layers[MB_BACKBONE_MAPS] = {"conv1.4", "conv2", "conv3", "conv4"};
    x = stem(mb_sub(s, "conv1"), x, tap);
    for (int i = 0; i < MB_BACKBONE_MAPS; i++) {
        for (int k = 0; mb_scope_has(mb_sub_index(s, layers[i], k), "conv1.weight"); k++) {
            x = bottleneck(mb_sub_index(s, layers[i], k), x, i > 0 && k == 0 ? 2 : 1);
            if (k == 0) {
                mb_backbone_tap(s, tap, mb_graph_text(s.g, "layer%d_", i + 1), k, x);
            }
        }
        mb_backbone_tap(s, tap, "out", i, x);
        out[i] = x;
    }
}

const mb_backbone_model mb_backbone_resnet = {.name = "resnet", .least_side = 32, .record = record};
