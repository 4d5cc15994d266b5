/* Products in 16-bit integers by AVX2 (VPMADDWD). */
#include "fixed16.h"

const mb_bf16_loops mb_fixed16_avx2 = MB_FIXED16_TABLE("fixed16_avx2");
