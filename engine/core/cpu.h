/* What the processor can do, found at run time. */
#ifndef MB_CORE_CPU_H
#define MB_CORE_CPU_H

#include "core/status.h"

typedef enum mb_isa {
    MB_ISA_REF = 0,     /* plain reference kernels only */
    MB_ISA_GENERIC = 1, /* portable C; its matrix products come from OpenBLAS where that is there */
    MB_ISA_AVX2 = 2,    /* AVX2 + FMA + F16C */
    MB_ISA_AVX512 = 3,  /* AVX-512 F, BW, DQ, VL */
    MB_ISA_COUNT
} mb_isa;

mb_isa mb_cpu_best_isa(void);        /* what this processor has */
const char *mb_isa_name(mb_isa isa); /* "ref", "generic", "avx2", "avx512" */

/* The best set, capped by the environment's MATTEBOX_ISA (one of the names; an unknown one, or one that this processor
 * lacks, is an error). */
MB_MUST_CHECK mb_status mb_cpu_choose_isa(mb_isa *out, mb_error *err);

#endif
