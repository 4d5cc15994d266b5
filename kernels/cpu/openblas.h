/* The matrix products of linear and conv2d through OpenBLAS: the fallback where no micro-kernel of ours fits the
 * processor (instruction set "generic"), and the yardstick of our own (MATTEBOX_GEMM=openblas). */
#ifndef MB_CPU_OPENBLAS_H
#define MB_CPU_OPENBLAS_H

#include "core/cpu.h"
#include "kernel.h"

/* NULL: it has nothing for this op. */
const mb_kernel *mb_openblas_kernel(mb_op op);

/* From MATTEBOX_GEMM: "openblas" (MB_E_UNSUPPORTED where the library is not there), "own", or unset: OpenBLAS for the
 * generic set only, where it is there and suits (mb_openblas_suits). */
MB_MUST_CHECK mb_status mb_openblas_wanted(bool *out, mb_isa isa, mb_error *err);

#endif
