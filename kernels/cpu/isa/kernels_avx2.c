/* The inner loops for AVX2 and FMA. */
#define MB_TABLE           mb_simd_avx2
#define MB_TABLE_ISA       MB_ISA_AVX2
#define MB_TABLE_STREAMING mb_attention_avx2
#include "table.h"
