/* The dense product under dense.c, once per instruction set. */
#ifndef MB_SPARSE_DENSE_KERNELS_H
#define MB_SPARSE_DENSE_KERNELS_H

#include "sparse/dense.h"

void mb_dense_subtract_generic(const mb_dense_product *p);
#if defined(__x86_64__)
void mb_dense_subtract_avx2(const mb_dense_product *p);
void mb_dense_subtract_avx512(const mb_dense_product *p);
#endif

#endif
