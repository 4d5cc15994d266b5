/* The table of inner loops for an instruction set. */
#include "isa/isa.h"

/* Tables of other processors are not compiled in. */
const mb_simd *mb_simd_of(mb_isa isa)
{
    switch (isa) {
    case MB_ISA_GENERIC:
        return &mb_simd_generic;
#if defined(__x86_64__)
    case MB_ISA_AVX2:
        return &mb_simd_avx2;
    case MB_ISA_AVX512:
        return &mb_simd_avx512;
#endif
    default:
        return NULL;
    }
}
