/* The table of inner loops for an instruction set. */
#include "cpu_kernels.h"
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
    case MB_ISA_AVX512_VNNI: /* these add products in 16 bits only */
    case MB_ISA_AVX512_BF16:
    case MB_ISA_AMX:
        return &mb_simd_avx512;
#endif
    default:
        return NULL;
    }
}

/* Whose products are in 16 bits. NULL as above. */
const mb_simd *mb_simd_of_bf16(mb_bf16_set set)
{
    static const mb_simd *const tables[MB_BF16_SETS] = {
        [MB_BF16_GENERIC] = &mb_simd_bf16_generic,
        [MB_BF16_NATIVE_MODEL] = &mb_simd_avx512_bf16_model,
        [MB_BF16_AMX_MODEL] = &mb_simd_amx_model,
        [MB_FIXED16_GENERIC] = &mb_simd_fixed16_generic,
#if defined(__x86_64__)
        [MB_BF16_AVX2] = &mb_simd_bf16_avx2,
        [MB_BF16_AVX512] = &mb_simd_bf16_avx512,
        [MB_BF16_NATIVE] = &mb_simd_avx512_bf16,
        [MB_BF16_AMX] = &mb_simd_amx,
        [MB_FIXED16_AVX2] = &mb_simd_fixed16_avx2,
        [MB_FIXED16_VNNI] = &mb_simd_avx512_vnni
#endif
    };
    return tables[set];
}
