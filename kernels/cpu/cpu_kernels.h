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

#endif
