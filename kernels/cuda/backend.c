/* The table of the CUDA back end, from the cuda column of ops.def: OWN puts mb_cuda_<op> into the row. */
#include "cuda/backend.h"

#define MB_CUDA_OWN(name) extern const mb_kernel mb_cuda_##name;
#define MB_CUDA_NONE(name)
#define MB_OP(name, most, least, attrs, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
#undef MB_CUDA_OWN
#undef MB_CUDA_NONE

/* Faster where they serve: they stand in front of the row's own kernel. */
extern const mb_kernel mb_cuda_window_attention_mma, mb_cuda_vit_attention_mma;

static void put_first(mb_backend *b, mb_op op, const mb_kernel *k)
{
    for (int i = MB_KERNEL_CHOICES - 1; i > 0; i--) {
        b->kernels[op][i] = b->kernels[op][i - 1];
    }
    b->kernels[op][0] = k;
}

mb_status mb_backend_cuda(mb_backend *out, mb_error *err)
{
    (void)err;
    *out = (mb_backend){.name = "cuda"};
#define MB_CUDA_OWN(name) out->kernels[MB_OP_##name][0] = &mb_cuda_##name;
#define MB_CUDA_NONE(name)
#define MB_OP(name, most, least, attrs, cpu, cuda, tol) MB_CUDA_##cuda(name)
#include "ops.def"
#undef MB_OP
    put_first(out, MB_OP_vit_attention, &mb_cuda_vit_attention_mma);
    put_first(out, MB_OP_window_attention, &mb_cuda_window_attention_mma);
    return MB_OK;
}
