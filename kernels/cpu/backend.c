/* The CPU's table: this processor's own kernel first where there is one, kernels/ref last, row by row from ops.def. */
#include "cpu_kernels.h"
#include "openblas.h"
#include "openblas_api.h"

#include <stdio.h>

/* From the bottom: ref for every op, then this instruction set's own kernels, then OpenBLAS where it is
 * wanted. The name says the instruction set. MB_E_ARGUMENT: MATTEBOX_ISA or MATTEBOX_GEMM is not known. */
mb_status mb_backend_cpu(mb_backend *out, mb_error *err)
{
    /* In the order of mb_isa, as far as f32 goes. */
#if defined(__aarch64__)
    static const char *const names[] = {"cpu (ref)", "cpu (generic)", "cpu (neon)"};
#else
    static const char *const names[] = {"cpu (ref)", "cpu (generic)", "cpu (avx2)", "cpu (avx512)"};
#endif
    mb_isa isa;
    mb_status status = mb_cpu_choose_isa(&isa, err);
    if (status != MB_OK) {
        return status;
    }
    mb_backend_ref(out);
    out->name = names[isa > MB_ISA_LAST_F32 ? MB_ISA_LAST_F32 : isa]; /* those behind it add products in 16 bits */
    if (isa == MB_ISA_REF) {
        return MB_OK;
    }
#define MB_ROW_OWN(name) mb_backend_put_first(out, MB_OP_##name, mb_cpu_##name(isa));
#define MB_ROW_REF(name)
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) MB_ROW_##cpu(name)
#include "ops.def"
#undef MB_OP
#undef MB_ROW_OWN
#undef MB_ROW_REF
    bool openblas = false;
    status = mb_openblas_wanted(&openblas, isa, err);
    if (openblas) {
        for (int op = 0; op < MB_OP_COUNT; op++) {
            mb_backend_put_first(out, (mb_op)op, mb_openblas_kernel((mb_op)op));
        }
    }
    return status;
}

/* For reports: the choice that mb_backend_cpu would make now. */
void mb_backend_cpu_products(char *text, size_t text_bytes)
{
    mb_isa isa = MB_ISA_GENERIC;
    bool openblas = false;
    if (mb_cpu_choose_isa(&isa, NULL) != MB_OK || mb_openblas_wanted(&openblas, isa, NULL) != MB_OK) {
        (void)snprintf(text, text_bytes, "none: MATTEBOX_ISA or MATTEBOX_GEMM asks for what is not here");
    } else if (openblas) {
        const mb_openblas_api *blas = mb_openblas_open();
        (void)snprintf(text, text_bytes, "%.80s, kernels for %.40s", blas->get_config(), blas->get_corename());
    } else {
        (void)snprintf(text, text_bytes, "own (%s)", mb_isa_name(isa > MB_ISA_LAST_F32 ? MB_ISA_LAST_F32 : isa));
    }
}
