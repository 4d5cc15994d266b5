/* One mb_kernel per instruction set from one driver: a driver's functions take the mb_simd as their first argument. */
#ifndef MB_CPU_VARIANTS_H
#define MB_CPU_VARIANTS_H

#include "cpu_kernels.h"
#include "isa/isa.h"

#define MB_VARIANT_SUPPORTS(set)                                                                                       \
    static bool supports_##set(const mb_call *c)                                                                       \
    {                                                                                                                  \
        return supports(&mb_simd_##set, c);                                                                            \
    }
#define MB_VARIANT_PREPARE(set)                                                                                        \
    static mb_status prepare_##set(mb_prepared *out, const mb_call *c, mb_error *err)                                  \
    {                                                                                                                  \
        return prepare(&mb_simd_##set, out, c, err);                                                                   \
    }
#define MB_VARIANT_WORKSPACE(set)                                                                                      \
    static size_t workspace_##set(const mb_call *c)                                                                    \
    {                                                                                                                  \
        return workspace(&mb_simd_##set, c);                                                                           \
    }
#define MB_VARIANT_RUN(set)                                                                                            \
    static mb_status run_##set(const mb_call *c, mb_error *err)                                                        \
    {                                                                                                                  \
        return run(&mb_simd_##set, c, err);                                                                            \
    }

/* The sets with products in f32, then those with products in bf16 (isa/bf16.h); the models serve tests. */
#if defined(__x86_64__)
#define MB_EACH_SET(X) X(generic) X(avx2) X(avx512)
#define MB_CHOOSE(op)                                                                                                  \
    const mb_kernel *mb_cpu_##op(mb_isa isa)                                                                           \
    {                                                                                                                  \
        return isa >= MB_ISA_AVX512 ? &kernel_avx512 : (isa == MB_ISA_AVX2 ? &kernel_avx2 : &kernel_generic);          \
    }
#define MB_EACH_BF16_SET(X)                                                                                            \
    X(bf16_generic)                                                                                                    \
    X(bf16_avx2)                                                                                                       \
    X(bf16_avx512)                                                                                                     \
    X(avx512_bf16) X(amx) X(avx512_bf16_model) X(amx_model) X(fixed16_generic) X(fixed16_avx2) X(avx512_vnni)
#define MB_BF16_ROWS                                                                                                   \
    [MB_BF16_GENERIC] = &kernel_bf16_generic, [MB_BF16_AVX2] = &kernel_bf16_avx2,                                      \
    [MB_BF16_AVX512] = &kernel_bf16_avx512, [MB_BF16_NATIVE] = &kernel_avx512_bf16, [MB_BF16_AMX] = &kernel_amx,       \
    [MB_FIXED16_AVX2] = &kernel_fixed16_avx2, [MB_FIXED16_VNNI] = &kernel_avx512_vnni
#elif defined(__aarch64__)
#define MB_EACH_SET(X) X(generic) X(neon)
#define MB_CHOOSE(op)                                                                                                  \
    const mb_kernel *mb_cpu_##op(mb_isa isa)                                                                           \
    {                                                                                                                  \
        return isa >= MB_ISA_NEON ? &kernel_neon : &kernel_generic;                                                    \
    }
#if defined(MB_BFMMLA_COMPILED)
#define MB_EACH_BF16_SET(X)                                                                                            \
    X(bf16_generic) X(bf16_neon) X(neon_bf16) X(avx512_bf16_model) X(amx_model) X(fixed16_generic)
#define MB_BF16_ROWS                                                                                                   \
    [MB_BF16_GENERIC] = &kernel_bf16_generic, [MB_BF16_NEON] = &kernel_bf16_neon,                                      \
    [MB_BF16_NEON_NATIVE] = &kernel_neon_bf16
#else
#define MB_EACH_BF16_SET(X) X(bf16_generic) X(bf16_neon) X(avx512_bf16_model) X(amx_model) X(fixed16_generic)
#define MB_BF16_ROWS        [MB_BF16_GENERIC] = &kernel_bf16_generic, [MB_BF16_NEON] = &kernel_bf16_neon
#endif
#else
#define MB_EACH_SET(X) X(generic)
#define MB_CHOOSE(op)                                                                                                  \
    const mb_kernel *mb_cpu_##op(mb_isa isa)                                                                           \
    {                                                                                                                  \
        (void)isa;                                                                                                     \
        return &kernel_generic;                                                                                        \
    }
#define MB_EACH_BF16_SET(X) X(bf16_generic) X(avx512_bf16_model) X(amx_model) X(fixed16_generic)
#define MB_BF16_ROWS        [MB_BF16_GENERIC] = &kernel_bf16_generic
#endif
#define MB_CHOOSE_BF16(op)                                                                                             \
    const mb_kernel *mb_cpu_bf16_##op(mb_bf16_set set)                                                                 \
    {                                                                                                                  \
        static const mb_kernel *const kernels[MB_BF16_SETS] = {                                                        \
            MB_BF16_ROWS, [MB_BF16_NATIVE_MODEL] = &kernel_avx512_bf16_model, [MB_BF16_AMX_MODEL] = &kernel_amx_model, \
            [MB_FIXED16_GENERIC] = &kernel_fixed16_generic};                                                           \
        return kernels[set];                                                                                           \
    }

#endif
