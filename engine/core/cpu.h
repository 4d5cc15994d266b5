/* What the processor can do, found at run time. */
#ifndef MB_CORE_CPU_H
#define MB_CORE_CPU_H

#include "core/status.h"

#include <stdbool.h>

/* Each holds what those before it hold. */
typedef enum mb_isa {
    MB_ISA_REF = 0,     /* plain reference kernels only */
    MB_ISA_GENERIC = 1, /* portable C; its matrix products come from OpenBLAS where that is there */
#if defined(__aarch64__)
    MB_ISA_NEON = 2,      /* what every 64-bit Arm has */
    MB_ISA_NEON_BF16 = 3, /* BFMMLA: for products in bf16 */
    MB_ISA_COUNT,
    MB_ISA_VECTORS = MB_ISA_NEON, /* the first with loops of its own */
    MB_ISA_LAST_F32 = MB_ISA_NEON /* those behind it add products in 16 bits only */
#else
    MB_ISA_AVX2 = 2,        /* AVX2 + FMA + F16C */
    MB_ISA_AVX512 = 3,      /* AVX-512 F, BW, DQ, VL */
    MB_ISA_AVX512_VNNI = 4, /* VPDPWSSD: for products in 16-bit integers */
    MB_ISA_AVX512_BF16 = 5, /* VDPBF16PS: for products in bf16 */
    MB_ISA_AMX = 6,         /* TDPBF16PS, and the system lets this process use tile registers */
    MB_ISA_COUNT,
    MB_ISA_VECTORS = MB_ISA_AVX2,
    MB_ISA_LAST_F32 = MB_ISA_AVX512
#endif
} mb_isa;

/* What this processor has. Where it has AMX, the first call asks the system for tile registers. */
mb_isa mb_cpu_best_isa(void);
/* "ref", "generic", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx"; on Arm "ref", "generic", "neon", "neon_bf16" */
const char *mb_isa_name(mb_isa isa);
/* Whether VDPBF16PS does fewer products a second than an FMA in f32, as on Intel's processors (docs/precision.md). */
bool mb_cpu_has_slow_bf16(void);
/* Whether the processor has AMX for bf16 and the system refuses its tile registers. */
bool mb_cpu_amx_refused(void);

/* The best set, capped by the environment's MATTEBOX_ISA (one of the names; an unknown one, or one that this processor
 * lacks, is an error). */
MB_MUST_CHECK mb_status mb_cpu_choose_isa(mb_isa *out, mb_error *err);

#endif
