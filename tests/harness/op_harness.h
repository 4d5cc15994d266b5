/* Holds every kernel of every back end to kernels/ref (after the idea of checkasm, with a numeric tolerance).
 *
 * tests/ops/<op>.c lists cases. For each case, and each kernel of the op's rows that supports it (ref, then the CPU's
 * at each instruction set of this machine), with contiguous views and with slices of wider maps, with 1, 2 and 3
 * threads, and in place where the kernel offers it:
 *   - the output is within the tolerance of ops.def, and the same bits for every number of threads, whatever was in
 *     output and workspace before (both are poisoned differently each time);
 *   - nothing else is written: margins, the gaps between slices, inputs;
 *   - gaps and replaced constants are never read (NaN, or NULL), nor anything behind the last element (with the address
 *     sanitizer).
 * Each case is a sub-test of its name (harness/check.h has --list and the rest).
 * `--bench` prints milliseconds, GFLOP/s and GB/s per case and kernel instead; `--bench TEXT` only cases whose name
 * contains it; `--threads N`; `--all` times every instruction set and the plain kernels, not the best alone. */
#ifndef MB_TEST_OP_HARNESS_H
#define MB_TEST_OP_HARNESS_H

#include "graph/graph.h" /* mb_attrs */
#include "kernel.h"

/* What goes into an input. By itself a constant (ops.def) is a vector and anything else a map. */
typedef enum op_fill_kind {
    OP_FILL_USUAL,
    OP_FILL_MAP,      /* activations: mostly [-1,1] * amplitude, some eight times as large, some zeros */
    OP_FILL_VECTOR,   /* biases, scales, tables: [-1,1] */
    OP_FILL_WEIGHT,   /* scaled by the number of inputs */
    OP_FILL_POSITIVE, /* variances */
    OP_FILL_OFFSET    /* positions relative to a pixel, also far outside of the map */
} op_fill_kind;

typedef struct op_case {
    const char *name;
    mb_attrs attrs;
    int64_t in[MB_MAX_INPUTS][4]; /* dims; {0}: absent; zeros behind the first are 1, so a vector is {n} */
    float amplitude;              /* of the activations; 0: 1 */
    float looser;                 /* factor on the tolerance, with the reason beside the case; 0: 1 */
    float looser16;               /* the same for 16-bit back ends, beside `looser`; 0: 1 */
    op_fill_kind fill[MB_MAX_INPUTS];
    bool hostile;         /* infinities, huge values and NaN where the op promises to survive them */
    bool bench;           /* large: for --bench only */
    bool long_to_emulate; /* on the emulated device only with test_long() */
    bool f32_only;        /* no meaning in 16 bits: logits so large that rounding turns the softmax over */
} op_case;

/* Largest error of `a` over the largest magnitude of `b`, n values each; infinite where one is finite and the other is not. */
double op_distance(const float *a, const float *b, size_t n);

/* The main function of a test of one op. */
int op_harness_main(int argc, char **argv, mb_op op, const op_case *cases, int n_cases);
#define OP_HARNESS(op, cases)                                                                                          \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        return op_harness_main(argc, argv, op, cases, (int)(sizeof(cases) / sizeof(cases)[0]));                        \
    }

/* ---- inside the harness ---- */

/* Bit i: input i of the op is a constant (weight or table). */
uint32_t op_constants(mb_op op);
/* Fills input `i` of a case: n floats in memory order (constants: published order; maps: channels last). */
void op_fill(float *dst, size_t n, mb_op op, int i, const op_case *c);

/* The kernels of an op on this machine, each once. */
typedef struct op_kernel {
    const char *backend;
    const mb_kernel *kernel;
    bool fixed16; /* products of 16-bit integers: against unrounded operands */
} op_kernel;
#define OP_MOST_KERNELS 16
int op_kernels(op_kernel out[OP_MOST_KERNELS], mb_op op); /* out[0] is ref */
/* All checks of one case on these kernels; the first is the truth. */
void op_check_case(mb_op op, const op_case *oc, const op_kernel *kernels, int n);

#endif
