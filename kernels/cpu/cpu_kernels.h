/* The CPU's own kernels: for each op marked OWN in ops.def one function that gives the kernel for an instruction set.
 *
 * NULL says that this op has nothing for that set, and kernels/ref runs. Drivers (packing, blocking, threads) are
 * plain C in kernels/cpu; only inner loops differ between sets (isa/). */
#ifndef MB_CPU_KERNELS_H
#define MB_CPU_KERNELS_H

#include "core/cpu.h"
#include "kernel.h"

#define MB_CPU_ROW_OWN(name) const mb_kernel *mb_cpu_##name(mb_isa isa);
#define MB_CPU_ROW_REF(name)
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_CPU_ROW_##cpu(name)
#include "ops.def"
#undef MB_OP
#undef MB_CPU_ROW_OWN
#undef MB_CPU_ROW_REF

/* Products in bf16: the ops that have any, for a set of loops; NULL where the set is not of this processor's kind. */
typedef enum mb_bf16_set {
    MB_BF16_GENERIC,
    MB_BF16_AVX2,
    MB_BF16_AVX512,
    MB_BF16_NATIVE, /* AVX512_BF16 */
    MB_BF16_AMX,
    MB_BF16_NATIVE_MODEL, /* in C, for tests */
    MB_BF16_AMX_MODEL,
    MB_FIXED16_GENERIC, /* 16-bit integers with a scale per run of K (isa/fixed16.h); window attention stays f32 */
    MB_FIXED16_AVX2,
    MB_FIXED16_VNNI,
    MB_BF16_SETS
} mb_bf16_set;
#define MB_CPU_BF16_OPS(X)    X(linear) X(conv2d) X(upsample_conv2d) X(deform_conv2d) X(vit_attention)
#define MB_CPU_BF16_ROW(name) const mb_kernel *mb_cpu_bf16_##name(mb_bf16_set set);
MB_CPU_BF16_OPS(MB_CPU_BF16_ROW)
MB_CPU_BF16_ROW(window_attention)
#undef MB_CPU_BF16_ROW
struct mb_simd;
const struct mb_simd *mb_simd_of_bf16(mb_bf16_set set); /* NULL: of another processor */
/* The set for this processor, or the one that MATTEBOX_ISA names. */
MB_MUST_CHECK mb_status mb_cpu_choose_bf16(mb_bf16_set *out, mb_error *err);
/* Puts that set's kernels first; MB_E_UNSUPPORTED where there are none. */
MB_MUST_CHECK mb_status mb_backend_cpu_use_bf16(mb_backend *b, mb_bf16_set set, mb_error *err);

#endif
