/* Choosing a kernel: the first of an op's row that supports the call. */
#include "kernel.h"

static void put(mb_backend *b, mb_op op, const mb_kernel *kernel)
{
    for (int i = MB_KERNEL_CHOICES - 1; i > 0; i--) {
        b->kernels[op][i] = b->kernels[op][i - 1];
    }
    b->kernels[op][0] = kernel;
}

void mb_backend_put_first(mb_backend *b, mb_op op, const mb_kernel *kernel)
{
    if (kernel != NULL) {
        put(b, op, kernel);
    }
    if (kernel != NULL && kernel->before != NULL) {
        put(b, op, kernel->before);
    }
}

/* Rows are in the order of preference: libraries and instruction sets first, ref or the general kernel last. */
const mb_kernel *mb_backend_choose(const mb_backend *b, mb_op op, const mb_call *c)
{
    for (int i = 0; i < MB_KERNEL_CHOICES; i++) {
        const mb_kernel *k = b->kernels[op][i];
        if (k != NULL && (k->supports == NULL || k->supports(c))) {
            return k;
        }
    }
    return NULL;
}
