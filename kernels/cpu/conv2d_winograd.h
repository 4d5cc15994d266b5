/* Convolutions of 3x3 and 7x7 at stride 1 by Winograd's minimal filtering, for maps large enough that the transformed
 * weights are worth their memory (four times that of the published ones, more for 7x7). */
#ifndef MB_CPU_CONV2D_WINOGRAD_H
#define MB_CPU_CONV2D_WINOGRAD_H

#include "variants.h"

#define MB_WINOGRAD_KERNEL(set) extern const mb_kernel mb_conv2d_winograd_##set;
MB_EACH_SET(MB_WINOGRAD_KERNEL)
#undef MB_WINOGRAD_KERNEL

#endif
