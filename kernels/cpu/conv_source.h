/* Where a convolution's product finds its rows: the patches of a channels-last map (see mb_rows_wanted in gemm.h). */
#ifndef MB_CPU_CONV_SOURCE_H
#define MB_CPU_CONV_SOURCE_H

#include "gemm.h"

typedef struct mb_patches {
    mb_view x;
    int64_t out_h, out_w, kernel_w, stride, pad;
    const float *zeros; /* mb_packed.zeros */
} mb_patches;

/* Fewer channels than this are copied into scratch rows: the runs would be too short for the product's loop. */
#define MB_PATCH_POINTER_CHANNELS 16

void mb_source_patches(const void *patches, const mb_rows_wanted *wanted);
void mb_source_small_patches(const void *patches, const mb_rows_wanted *wanted);

#endif
