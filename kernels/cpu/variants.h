/* One mb_kernel per instruction set from one driver: a driver's functions take the mb_simd as their first argument. */
#ifndef MB_CPU_VARIANTS_H
#define MB_CPU_VARIANTS_H

#include "cpu_kernels.h"
#include "isa/isa.h"

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

#if defined(__x86_64__)
#define MB_EACH_SET(X) X(generic) X(avx2) X(avx512)
#define MB_CHOOSE(op)                                                                                                  \
    const mb_kernel *mb_cpu_##op(mb_isa isa)                                                                           \
    {                                                                                                                  \
        return isa == MB_ISA_AVX512 ? &kernel_avx512 : (isa == MB_ISA_AVX2 ? &kernel_avx2 : &kernel_generic);          \
    }
#else
#define MB_EACH_SET(X) X(generic)
#define MB_CHOOSE(op)                                                                                                  \
    const mb_kernel *mb_cpu_##op(mb_isa isa)                                                                           \
    {                                                                                                                  \
        (void)isa;                                                                                                     \
        return &kernel_generic;                                                                                        \
    }
#endif

#endif
