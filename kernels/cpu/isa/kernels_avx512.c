/* The inner loops for AVX-512. */
#include "table.h"

const mb_simd mb_simd_avx512 = MB_TABLE(MB_ISA_AVX512, &mb_attention_avx512, NULL);
const mb_simd mb_simd_bf16_avx512 = MB_TABLE(MB_ISA_AVX512, &mb_attention_avx512, &mb_bf16_avx512);
const mb_simd mb_simd_avx512_bf16 = MB_TABLE(MB_ISA_AVX512, &mb_attention_avx512, &mb_bf16_native);
const mb_simd mb_simd_amx = MB_TABLE(MB_ISA_AVX512, &mb_attention_avx512, &mb_bf16_amx);
const mb_simd mb_simd_avx512_vnni = MB_TABLE(MB_ISA_AVX512, &mb_attention_avx512, &mb_fixed16_vnni);
