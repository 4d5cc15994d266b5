/* One run of one kernel on one case, with guards around everything. Used by op_harness.c. */
#ifndef MB_TEST_OP_RUN_H
#define MB_TEST_OP_RUN_H

#include "harness/op_harness.h"

/* Of a case: the dense inputs (NULL: absent), and what ref makes of them. */
typedef struct op_contents {
    float *in[MB_MAX_INPUTS];
    int64_t dims[MB_MAX_INPUTS][4];
    int n_in;
    int64_t out_dims[4];
    float *expected;
    size_t n_out;
} op_contents;

typedef struct op_variant {
    int threads;
    bool slices;   /* views with pitch > C, unaligned */
    bool in_place; /* the output takes over the input that the kernel names */
    int poison;    /* byte that output and workspace are filled with */
    double tolerance;
} op_variant;

/* A call that is ready to run. */
typedef struct op_buffer {
    float *base;
    size_t floats;
    mb_view view;
} op_buffer;

typedef struct op_job {
    mb_call call;
    mb_prepared prepared;
    op_buffer in[MB_MAX_INPUTS], out;
    unsigned char *space;
    size_t space_bytes;
    int taken; /* the input whose memory the output is, or -1 */
} op_job;

bool op_job_begin(op_job *j, const op_kernel *k, mb_op op, const op_case *oc, const op_contents *data,
                  const op_variant *v);
bool op_job_run(op_job *j, const op_kernel *k, const op_case *oc);
/* Copies the output out densely and checks that nothing else was written. Once only: it erases the output. */
bool op_job_verify(op_job *j, float *dense, const op_kernel *k, const op_case *oc, const op_contents *data);
void op_job_end(op_job *j);

/* ---- products in bf16 (op_bf16.c) ---- */

/* Kernels of an op with products in bf16: none for most ops. */
int op_bf16_kernels(op_kernel out[OP_MOST_KERNELS], mb_op op);
double op_bf16_tolerance(mb_op op);
double op_fixed16_tolerance(mb_op op);
/* The same contents with rounded operands, and room for what is expected of them. */
bool op_bf16_begin(op_contents *rounded, mb_op op, const op_contents *data);
void op_bf16_end(op_contents *rounded, const op_contents *data);

#endif
