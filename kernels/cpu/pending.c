/* Ops of ops.def whose CPU kernel has not landed yet: kernels/ref serves them. Each line goes when its kernel comes. */
#include "cpu_kernels.h"

#define MB_PENDING(name)                                                                                               \
    const mb_kernel *mb_cpu_##name(mb_isa isa)                                                                         \
    {                                                                                                                  \
        (void)isa;                                                                                                     \
        return NULL;                                                                                                   \
    }

MB_PENDING(deform_conv2d)
MB_PENDING(layer_norm)
MB_PENDING(unary)
MB_PENDING(add)
MB_PENDING(scale_by_map)
MB_PENDING(concat)
MB_PENDING(window_attention)
MB_PENDING(patch_merge)
MB_PENDING(resize_bilinear)
MB_PENDING(global_mean)
