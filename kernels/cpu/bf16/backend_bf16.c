/* The CPU's table with products in bf16, or in 16-bit integers: which of them, and the kernels put first. */
#include "../cpu_kernels.h"

#include "core/os_process.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[MB_BF16_SETS] = {[MB_BF16_GENERIC] = "cpu (bf16: generic)",
                                                [MB_BF16_AVX2] = "cpu (bf16: avx2)",
                                                [MB_BF16_AVX512] = "cpu (bf16: avx512)",
                                                [MB_BF16_NATIVE] = "cpu (bf16: avx512_bf16)",
                                                [MB_BF16_AMX] = "cpu (bf16: amx)",
                                                [MB_BF16_NEON] = "cpu (bf16: neon, widened)",
                                                [MB_BF16_NEON_NATIVE] = "cpu (bf16: neon_bf16)",
                                                [MB_BF16_NATIVE_MODEL] = "cpu (model of avx512_bf16)",
                                                [MB_BF16_AMX_MODEL] = "cpu (model of amx)",
                                                [MB_FIXED16_GENERIC] = "cpu (16-bit integers: generic)",
                                                [MB_FIXED16_AVX2] = "cpu (16-bit integers: avx2)",
                                                [MB_FIXED16_VNNI] = "cpu (16-bit integers: avx512_vnni)"};

/* Integers are less than twice as fast as f32: what stands before the f32 kernel for its calls stays there. */
static void put_first(mb_backend *b, mb_op op, const mb_kernel *kernel, bool keep)
{
    const mb_kernel *before =
        b->kernels[op][1] != NULL && b->kernels[op][1]->before == b->kernels[op][0] ? b->kernels[op][0] : NULL;
    mb_backend_put_first(b, op, kernel);
    mb_backend_put_first(b, op, keep ? before : NULL);
}

mb_status mb_backend_cpu_use_bf16(mb_backend *b, mb_bf16_set set, mb_error *err)
{
    if (mb_cpu_bf16_linear(set) == NULL) {
        return mb_fail(err, MB_E_UNSUPPORTED, "this processor has no such products in bf16");
    }
#define MB_PUT(op) put_first(b, MB_OP_##op, mb_cpu_bf16_##op(set), set >= MB_FIXED16_GENERIC);
    MB_CPU_BF16_OPS(MB_PUT)
    if (set < MB_FIXED16_GENERIC) { /* one window is too little for a scale of its own: it stays f32 */
        MB_PUT(window_attention)
    }
#undef MB_PUT
    b->name = names[set];
    b->bf16_products = set < MB_FIXED16_GENERIC;
    return MB_OK;
}

mb_status mb_cpu_choose_bf16(mb_bf16_set *out, mb_error *err)
{
#if defined(__aarch64__)
    static const mb_bf16_set sets[MB_ISA_COUNT] = {MB_BF16_GENERIC, MB_BF16_GENERIC, MB_BF16_NEON, MB_BF16_NEON_NATIVE};
#else
    static const mb_bf16_set sets[MB_ISA_COUNT] = {MB_BF16_GENERIC, MB_BF16_GENERIC, MB_BF16_AVX2, MB_BF16_AVX512,
                                                   MB_FIXED16_VNNI, MB_BF16_NATIVE,  MB_BF16_AMX};
#endif
    const char *wish = mb_os_env("MATTEBOX_ISA");
    mb_isa isa;
    mb_status status = mb_cpu_choose_isa(&isa, err);
    if (status == MB_OK && isa == MB_ISA_REF) {
        return mb_fail(err, MB_E_UNSUPPORTED, "MATTEBOX_ISA=ref: the plain kernels compute in f32 only");
    }
    if (status != MB_OK) {
        return status;
    }
    *out = sets[isa];
    if (wish != NULL && wish[0] != '\0') {
        return MB_OK; /* those loops and no others */
    }
#if !defined(__aarch64__)
    if (isa == MB_ISA_AVX512_BF16 && mb_cpu_has_slow_bf16()) {
        *out = MB_FIXED16_VNNI;
    }
    if (isa == MB_ISA_AVX2 || isa == MB_ISA_AVX512) {
        *out = MB_FIXED16_AVX2;
    }
#endif
    return MB_OK;
}

mb_status mb_backend_cpu_bf16(mb_backend *out, mb_error *err)
{
    mb_bf16_set set = MB_BF16_GENERIC;
    mb_status status = mb_cpu_choose_bf16(&set, err);
    if (status == MB_OK) {
        status = mb_backend_cpu(out, err);
    }
    return status == MB_OK ? mb_backend_cpu_use_bf16(out, set, err) : status;
}

bool mb_cpu_bf16_pays(void)
{
    mb_bf16_set set = MB_BF16_GENERIC;
    return mb_cpu_choose_bf16(&set, NULL) == MB_OK &&
           (set == MB_BF16_NATIVE || set == MB_BF16_AMX || set == MB_FIXED16_VNNI || set == MB_BF16_NEON_NATIVE);
}

void mb_backend_cpu_products16(char *text, size_t text_bytes)
{
    mb_bf16_set set = MB_BF16_GENERIC;
    mb_error err = {0};
    if (mb_cpu_choose_bf16(&set, &err) != MB_OK) {
        (void)snprintf(text, text_bytes, "none: %.100s", err.message);
        return;
    }
    (void)snprintf(text, text_bytes, "%s%s%s", names[set], mb_cpu_bf16_pays() ? "" : ", no faster than f32",
                   mb_cpu_amx_refused() ? "; the system refuses AMX to this process" : "");
}
