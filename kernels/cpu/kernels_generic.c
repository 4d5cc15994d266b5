/* The inner loops with the vectors that every processor has. */
#define MB_TABLE           mb_simd_generic
#define MB_TABLE_ISA       MB_ISA_GENERIC
#define MB_TABLE_STREAMING mb_attention_generic
#include "isa/table.h"
