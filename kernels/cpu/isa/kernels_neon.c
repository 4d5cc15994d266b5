/* The inner loops for NEON. */
#define MB_NEON 1
#include "table.h"

const mb_simd mb_simd_neon = MB_TABLE(MB_ISA_NEON, &mb_attention_neon, NULL);
const mb_simd mb_simd_bf16_neon = MB_TABLE(MB_ISA_NEON, &mb_attention_neon, &mb_bf16_neon);
#if defined(MB_BFMMLA_COMPILED)
const mb_simd mb_simd_neon_bf16 = MB_TABLE(MB_ISA_NEON, &mb_attention_neon, &mb_bf16_neon_native);
#endif
