/* Which kernels there are on this machine for an op: ref, and the CPU's table at every instruction set. */
#define _GNU_SOURCE /* setenv */
#include "harness/op_harness.h"

#include "core/cpu.h"
#include "harness/check.h"

#include <stdlib.h>

static int add_row(op_kernel *out, int n, const mb_backend *b, mb_op op, const char *name)
{
    for (int i = 0; i < MB_KERNEL_CHOICES; i++) {
        const mb_kernel *k = b->kernels[op][i];
        bool known = k == NULL;
        for (int j = 0; j < n; j++) {
            known = known || out[j].kernel == k;
        }
        if (!known && n < OP_MOST_KERNELS) {
            out[n++] = (op_kernel){name, k, false};
        }
    }
    return n;
}

int op_kernels(op_kernel out[OP_MOST_KERNELS], mb_op op)
{
    mb_backend b;
    mb_backend_ref(&b);
    int n = add_row(out, 0, &b, op, "ref");
    for (int isa = MB_ISA_GENERIC; isa <= (int)mb_cpu_best_isa(); isa++) {
        mb_error err;
        setenv("MATTEBOX_ISA", mb_isa_name((mb_isa)isa), 1);
        CHECK_OK(mb_backend_cpu(&b, &err), err);
        n = add_row(out, n, &b, op, mb_isa_name((mb_isa)isa));
    }
    unsetenv("MATTEBOX_ISA");
    return n;
}
