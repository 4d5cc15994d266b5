/* The inner loops for AVX-512. */
#define MB_TABLE           mb_simd_avx512
#define MB_TABLE_ISA       MB_ISA_AVX512
#define MB_TABLE_STREAMING mb_attention_avx512
#include "table.h"
