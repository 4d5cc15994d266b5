/* Instruction sets by CPUID, capped by MATTEBOX_ISA. The vector kernels are compiled once for each set and chosen when
 * the program runs, so that one build serves every machine. The cap serves tests, which compare the sets with each
 * other, and users of a processor that misbehaves. */
#include "core/cpu.h"

#include "core/os_process.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#if defined(__aarch64__)
static const char *const names[MB_ISA_COUNT] = {"ref", "generic", "neon", "neon_bf16"};
#define NAMES "ref, generic, neon or neon_bf16"
#else
static const char *const names[MB_ISA_COUNT] = {"ref",         "generic",     "avx2", "avx512",
                                                "avx512_vnni", "avx512_bf16", "amx"};
#define NAMES "ref, generic, avx2, avx512, avx512_vnni, avx512_bf16 or amx"
#endif

const char *mb_isa_name(mb_isa isa)
{
    return (unsigned)isa < MB_ISA_COUNT ? names[isa] : "?";
}

#if defined(__aarch64__)
/* The compiler had the instructions, and so has the processor. */
static bool has_neon_bf16(void)
{
#if defined(MB_BFMMLA_COMPILED)
    return mb_os_has_arm_bf16();
#else
    return false;
#endif
}
#endif

#if defined(__x86_64__)
/* Not by __builtin_cpu_supports: clang 14 does not know the name. Every machine with AVX2 has it; asked all the same.
 */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

#if defined(__x86_64__)
static bool has_avx512_vnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 11 & 1) != 0;
}

static bool has_avx512_bf16(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

/* AMX-TILE and AMX-BF16, and tile registers that the system saves (XCR0 bits 17 and 18). */
static bool has_amx(void)
{
    unsigned a, b, c, d, low, high;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d >> 22 & 1) == 0 || (d >> 24 & 1) == 0 ||
        __get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) {
        return false;
    }
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low >> 17 & 3) == 3;
}

#endif

bool mb_cpu_has_slow_bf16(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) != 0 && b == signature_INTEL_ebx;
#else
    return false;
#endif
}

bool mb_cpu_amx_refused(void)
{
#if defined(__x86_64__)
    return has_amx() && !mb_os_ask_for_tiles();
#else
    return false;
#endif
}

/* AVX2 counts only with FMA and F16C, AVX-512 only with the four parts that the kernels use. */
mb_isa mb_cpu_best_isa(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        if (!has_avx512_vnni()) {
            return MB_ISA_AVX512;
        }
        if (!has_avx512_bf16()) {
            return MB_ISA_AVX512_VNNI;
        }
        return has_amx() && mb_os_ask_for_tiles() ? MB_ISA_AMX : MB_ISA_AVX512_BF16;
    }
    return avx2 ? MB_ISA_AVX2 : MB_ISA_GENERIC;
#elif defined(__aarch64__)
    return has_neon_bf16() ? MB_ISA_NEON_BF16 : MB_ISA_NEON;
#else
    return MB_ISA_GENERIC;
#endif
}

/* The best that the machine has, or MATTEBOX_ISA, which may ask for less and is refused if it asks for more. */
mb_status mb_cpu_choose_isa(mb_isa *out, mb_error *err)
{
    mb_isa best = mb_cpu_best_isa();
    const char *wish = mb_os_env("MATTEBOX_ISA");
    *out = best;
    if (wish == NULL || wish[0] == '\0') {
        return MB_OK;
    }
    for (int i = 0; i < MB_ISA_COUNT; i++) {
        if (strcmp(wish, names[i]) == 0) {
            *out = (mb_isa)i;
            return (mb_isa)i <= best ? MB_OK
                                     : mb_fail(err, MB_E_UNSUPPORTED, "MATTEBOX_ISA=%s: this processor has %s at most",
                                               wish, names[best]);
        }
    }
    return mb_fail(err, MB_E_ARGUMENT, "MATTEBOX_ISA=%.32s: " NAMES, wish);
}
