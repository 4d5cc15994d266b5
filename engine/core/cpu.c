/* Instruction sets by CPUID, capped by MATTEBOX_ISA. */
#include "core/cpu.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[MB_ISA_COUNT] = {"ref", "generic", "avx2", "avx512"};

const char *mb_isa_name(mb_isa isa)
{
    return (unsigned)isa < MB_ISA_COUNT ? names[isa] : "?";
}

#if defined(__x86_64__)
/* Not by __builtin_cpu_supports: clang 14 does not know the name. Every machine with AVX2 has it; asked all the same.
 */
static bool has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

mb_isa mb_cpu_best_isa(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return MB_ISA_AVX512;
    }
    return avx2 ? MB_ISA_AVX2 : MB_ISA_GENERIC;
#else
    return MB_ISA_GENERIC;
#endif
}

/* The best that the machine has, or MATTEBOX_ISA, which may ask for less and is refused if it asks for more. */
mb_status mb_cpu_choose_isa(mb_isa *out, mb_error *err)
{
    mb_isa best = mb_cpu_best_isa();
    const char *wish = getenv("MATTEBOX_ISA");
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
    return mb_fail(err, MB_E_ARGUMENT, "MATTEBOX_ISA=%.32s: ref, generic, avx2 or avx512", wish);
}
