/* The inner loops for AVX2 and FMA. */
#include "table.h"

const mb_simd mb_simd_avx2 = MB_TABLE(MB_ISA_AVX2, &mb_attention_avx2, NULL);
const mb_simd mb_simd_bf16_avx2 = MB_TABLE(MB_ISA_AVX2, &mb_attention_avx2, &mb_bf16_avx2);
const mb_simd mb_simd_fixed16_avx2 = MB_TABLE(MB_ISA_AVX2, &mb_attention_avx2, &mb_fixed16_avx2);
