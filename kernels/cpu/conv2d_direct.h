/* Convolutions of few channels in and out at stride 1 (a 5x5 from the picture to one logit, with border variants): rows
 * are split into planes once, then vectors of pixels meet one broadcast weight after the other. */
#ifndef MB_CPU_CONV2D_DIRECT_H
#define MB_CPU_CONV2D_DIRECT_H

#include "isa/isa.h"
#include "kernel.h"

MB_MUST_CHECK mb_status mb_direct_conv_prepare(mb_prepared *out, const mb_call *c, const mb_simd *simd, mb_error *err);
size_t mb_direct_conv_workspace(const mb_call *c);
void mb_direct_conv_run(const mb_call *c);

#endif
