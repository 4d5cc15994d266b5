/* Products in 16-bit integers by AVX512_VNNI (VPDPWSSD). */
#include "fixed16.h"

const mb_bf16_loops mb_fixed16_vnni = MB_FIXED16_TABLE("avx512_vnni");
