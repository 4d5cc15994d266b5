/* The CPU's table: this processor's own kernel first where there is one, kernels/ref last, row by row from ops.def. */
#include "cpu_kernels.h"
#include "openblas.h"
#include "openblas_api.h"

#include <stdio.h>

static void put_first(mb_backend *b, mb_op op, const mb_kernel *kernel)
{
    if (kernel == NULL) {
        return;
    }
    for (int i = MB_KERNEL_CHOICES - 1; i > 0; i--) {
        b->kernels[op][i] = b->kernels[op][i - 1];
    }
    b->kernels[op][0] = kernel;
}

mb_status mb_backend_cpu(mb_backend *out, mb_error *err)
{
    static const char *const names[] = {"cpu (ref)", "cpu (generic)", "cpu (avx2)", "cpu (avx512)"};
    mb_isa isa;
    mb_status status = mb_cpu_choose_isa(&isa, err);
    if (status != MB_OK) {
        return status;
    }
    mb_backend_ref(out);
    out->name = names[isa > MB_ISA_AVX512 ? MB_ISA_AVX512 : isa]; /* those behind it add products in 16 bits */
    if (isa == MB_ISA_REF) {
        return MB_OK;
    }
#define MB_ROW_OWN(name) put_first(out, MB_OP_##name, mb_cpu_##name(isa));
#define MB_ROW_REF(name)
#define MB_OP(name, most, least, attrs, cpu, cuda, tol) MB_ROW_##cpu(name)
#include "ops.def"
#undef MB_OP
#undef MB_ROW_OWN
#undef MB_ROW_REF
    bool openblas = false;
    status = mb_openblas_wanted(&openblas, isa, err);
    if (openblas) {
        put_first(out, MB_OP_linear, &mb_openblas_linear);
        put_first(out, MB_OP_conv2d, &mb_openblas_conv2d);
    }
    return status;
}

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
        (void)snprintf(text, text_bytes, "own (%s)", mb_isa_name(isa > MB_ISA_AVX512 ? MB_ISA_AVX512 : isa));
    }
}
