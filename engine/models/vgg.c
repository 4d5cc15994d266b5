/* VGG-16 as torchvision has it, cut into four parts behind poolings. Names count on through all parts: a convolution,
 * its batch norm, its ReLU and a pooling are one each. */
#include "models/vgg.h"

#include "models/nn.h"

/* `convs` convolutions 3x3 with ReLU, then a pooling that drops incomplete windows: [N,C,H,W] -> [N,C',H/2,W/2]. */
static mb_value group(mb_scope s, mb_value x, int convs, bool norms, int *number)
{
    for (int i = 0; i < convs; i++) {
        x = mb_nn_conv2d(mb_sub_number(s, "", *number), x, 1, 1);
        if (norms) {
            x = mb_nn_batch_norm(mb_sub_number(s, "", ++*number), x);
        }
        x = mb_nn_activation(mb_sub_number(s, "", ++*number), x, MB_ACT_RELU);
        ++*number;
    }
    x = mb_nn_max_pool2d(mb_sub_number(s, "", *number), x, 2, 2, 0);
    ++*number;
    return x;
}

static void record(mb_value out[MB_BACKBONE_MAPS], mb_scope s, mb_value x, const char *tap)
{
    const bool norms = mb_scope_has(s, "conv1.1.running_mean");
    int number = 0;
    for (int i = 0; i < MB_BACKBONE_MAPS; i++) {
        mb_scope part = mb_sub_number(s, "conv", i + 1);
        if (i == 0) {
            x = group(part, x, 2, norms, &number);
        }
        x = group(part, x, i == 0 ? 2 : 3, norms, &number);
        mb_backbone_tap(s, tap, "out", i, x);
        out[i] = x;
    }
}

const mb_backbone_model mb_backbone_vgg = {.name = "vgg", .least_side = 64, .record = record};
