/* Every op has a kernel on the CPU at every instruction set, the plain one last; what is promised in ops.def is there,
 * and every op has a CUDA kernel (kernels/cuda/backend.c does not link without). */
#define _GNU_SOURCE /* setenv */
#include "core/cpu.h"
#include "harness/check.h"
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN, REF, NONE };
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) {cpu, cuda},
static const int promised[MB_OP_COUNT][2] = {
#include "ops.def"
};
#undef MB_OP

static int kernels_of(const mb_backend *b, int op)
{
    int n = 0;
    while (n < MB_KERNEL_CHOICES && b->kernels[op][n] != NULL) {
        n++;
    }
    return n;
}

static void check_cpu(mb_isa isa, const mb_backend *ref)
{
    mb_error err;
    mb_backend b;
    setenv("MATTEBOX_ISA", mb_isa_name(isa), 1);
    CHECK_OK(mb_backend_cpu(&b, &err), err);
    for (int op = 0; op < MB_OP_COUNT; op++) {
        const char *name = mb_op_get_rule((mb_op)op)->name;
        int n = kernels_of(&b, op);
        if (!CHECK_MSG(n > 0, "%s: no kernel at %s", name, mb_isa_name(isa))) {
            continue;
        }
        CHECK_MSG(b.kernels[op][n - 1] == ref->kernels[op][0], "%s: the last choice is not ref", name);
        CHECK_MSG(promised[op][0] == OWN || n == 1, "%s: has a kernel, ops.def says REF", name);
        CHECK_MSG(promised[op][0] == REF || n > 1 || isa < MB_ISA_VECTORS, "%s: ops.def says OWN, ref serves at %s",
                  name, mb_isa_name(isa));
        for (int k = 0; k < n; k++) {
            CHECK_MSG(b.kernels[op][k]->run != NULL && b.kernels[op][k]->name != NULL, "%s", name);
        }
    }
}

TEST(one_reference_kernel_each)
{
    mb_backend ref;
    mb_backend_ref(&ref);
    for (int op = 0; op < MB_OP_COUNT; op++) {
        CHECK_EQ(kernels_of(&ref, op), 1);
    }
}

TEST(cpu_as_promised)
{
    mb_backend ref;
    mb_backend_ref(&ref);
    for (int isa = 0; isa <= (int)mb_cpu_best_isa(); isa++) {
        check_cpu((mb_isa)isa, &ref);
    }
}

TEST(cuda_serves_all)
{
    for (int op = 0; op < MB_OP_COUNT; op++) { /* both models record ops of every kind */
        CHECK_MSG(promised[op][1] == OWN, "%s: no CUDA kernel", mb_op_get_rule((mb_op)op)->name);
    }
}
