/* The inner loops with the vectors that every processor has. */
#include "isa/table.h"

const mb_simd mb_simd_generic = MB_TABLE(MB_ISA_GENERIC, &mb_attention_generic, NULL);
const mb_simd mb_simd_bf16_generic = MB_TABLE(MB_ISA_GENERIC, &mb_attention_generic, &mb_bf16_generic);
const mb_simd mb_simd_avx512_bf16_model = MB_TABLE(MB_ISA_GENERIC, &mb_attention_generic, &mb_bf16_model);
const mb_simd mb_simd_amx_model = MB_TABLE(MB_ISA_GENERIC, &mb_attention_generic, &mb_bf16_amx_model);
const mb_simd mb_simd_fixed16_generic = MB_TABLE(MB_ISA_GENERIC, &mb_attention_generic, &mb_fixed16_generic);
