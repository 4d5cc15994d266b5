/* What a back end implements: one mb_kernel per op. Kernels know tensors and attributes, never models.
 *
 * All views are f32 unless a back end says otherwise; constants (weights, tables) are f32 as well: the plan converts
 * f16 and bf16 files before prepare. Activations are channels last with a pitch (core/tensor.h): inputs and output may
 * be slices of wider maps, so never assume pitch == C. An output never overlaps an input, except where
 * `in_place_input` allows it. */
#ifndef MB_KERNEL_H
#define MB_KERNEL_H

#include "attrs.h"
#include "core/status.h"
#include "core/tensor.h"
#include "core/threads.h"
#include "image_io.h"

#define MB_MAX_INPUTS 8

/* MB_OP_conv2d, MB_OP_linear, ... */
typedef enum mb_op {
#define MB_OP(name, ...) MB_OP_##name,
#include "ops.def"
#undef MB_OP
    MB_OP_COUNT
} mb_op;

/* The attributes of any op: one member for each row of ops.def, called like the op. */
typedef union mb_attrs {
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol) attributes name;
#include "ops.def"
#undef MB_OP
    unsigned char bytes[32]; /* what is compared, hashed and copied */
} mb_attrs;

/* Constants in the form a kernel wants them (packed weights, expanded bias tables). Depends on attributes and
 * constants only, never on N, H, W, so that plans of several sizes share it. */
typedef struct mb_prepared {
    void *data;
    size_t bytes;
    void (*free)(void *data);
    uint32_t replaces; /* bit i: run() no longer reads the constant input i; its memory may be released */
} mb_prepared;

typedef struct mb_gpu mb_gpu; /* a device with memory of its own; its back end alone knows what is inside */

typedef struct mb_call {
    const void *attrs;         /* of the op's type, never NULL */
    mb_view in[MB_MAX_INPUTS]; /* absent optional inputs have dims[0] == 0; while planning only constants have data */
    int n_in;
    uint32_t constants; /* bit i: input i is a constant (f32 in host memory on every back end) */
    mb_view out;
    void *workspace; /* 64-byte aligned, as many bytes as workspace() asked for; contents undefined */
    const mb_prepared *prepared;
    mb_pool *pool;  /* CPU: may be NULL (one thread) */
    mb_gpu *device; /* of a back end that has one */
    bool tf32;      /* f32 products may round their operands to TF32 */
    bool once;      /* a self-check: nothing that pays off later only is to be done for it */
} mb_call;

typedef struct mb_kernel {
    const char *name;                                                        /* "avx2", "openblas", ... for profiles */
    bool (*supports)(const mb_call *c);                                      /* sizes and attributes; NULL: always */
    mb_status (*prepare)(mb_prepared *out, const mb_call *c, mb_error *err); /* once per model; NULL: nothing */
    size_t (*more_weights)(const mb_call *c); /* bytes of prepared weights beyond the published ones; NULL: 0 */
    size_t (*workspace)(const mb_call *c);    /* bytes; c->pool gives the number of threads; NULL: 0.
                                              SIZE_MAX: the size overflows */
    /* Devices: times the implementations of this call, before the first run; overwrites maps. NULL: there is one. Only
     * a device that broke is an error. */
    mb_status (*tune)(const mb_call *c, mb_error *err);
    mb_status (*run)(const mb_call *c, mb_error *err); /* no allocation, no global state */
    int in_place_input;                                /* 1 + index of the input whose memory the output may
                                                          take over (same shape and pitch); 0: none */
    const struct mb_kernel *before;                    /* to be tried first; NULL: none */
} mb_kernel;

/* The rule of an op, the same for all back ends: the output's shape, and multiply-accumulates for the plan. */
typedef struct mb_op_rule {
    mb_op op;
    const char *name;
    int most_inputs, least_inputs;
    uint32_t constants, f32_inputs; /* masks, see ops.def */
    size_t attrs_bytes;
    int act_offset; /* of `act` in the attributes; -1: the op has no activation of its own */
    int addend;     /* the input added before the activation; 0: none */
    float tolerance;
    mb_status (*shape)(int64_t out_dims[4], const mb_call *c, mb_error *err); /* checks every input too */
    double (*macs)(const mb_call *c);                                         /* NULL: counted as 0 */
} mb_op_rule;

const mb_op_rule *mb_op_get_rule(mb_op op);

/* A back end is a table of kernels; a row may hold up to MB_KERNEL_CHOICES kernels, the first that supports a call is
 * taken. The last of the CPU's is always kernels/ref. */
#define MB_KERNEL_CHOICES 6

/* A device with memory of its own: all that the executor needs to know of it. Copies and kernels of one device happen
 * in the order of the calls; wait returns when all are done, and reports their faults. */
typedef struct mb_device_memory {
    mb_status (*alloc)(mb_gpu *device, void **out, size_t bytes, const char *what, mb_error *err);
    void (*free)(mb_gpu *device, void *p);      /* NULL is fine */
    void *(*pin)(mb_gpu *device, size_t bytes); /* host memory that copies are fast from; NULL: there is none */
    void (*unpin)(mb_gpu *device, void *p);     /* NULL is fine */
    /* Before anything is allocated: will a plan fit beside what is there? weights: those still to come; they are then
     * allocated at once. */
    mb_status (*reserve)(mb_gpu *device, size_t activations, size_t weights, mb_error *err);
    mb_status (*copy_in)(mb_gpu *device, void *dst, const void *src, size_t bytes, mb_error *err);
    mb_status (*copy_out)(mb_gpu *device, void *dst, const void *src, size_t bytes, mb_error *err);
    mb_status (*wait)(mb_gpu *device, mb_error *err);
    /* For this thread, until leave; other threads wait. Fails if the device is broken; then there is nothing to leave.
     * May be entered again by the same thread. */
    mb_status (*enter)(mb_gpu *device, mb_error *err);
    void (*leave)(mb_gpu *device);
    /* Around the `tune` of a plan's calls; false: there is no time or wish for it, and no end to call. */
    bool (*tune_begin)(mb_gpu *device);
    void (*tune_end)(mb_gpu *device);
    /* What the calls between begin and end do, as one launch; NULL in *out: this device cannot, the calls must be made
     * again (none of them happened). */
    mb_status (*capture_begin)(mb_gpu *device, mb_error *err);
    mb_status (*capture_end)(mb_gpu *device, void **out, mb_error *err);
    mb_status (*replay)(mb_gpu *device, void *captured, mb_error *err);
    void (*captured_free)(mb_gpu *device, void *captured); /* NULL is fine */
} mb_device_memory;

typedef struct mb_backend {
    const char *name; /* "ref", "cpu (avx2)", "cuda" */
    const mb_kernel *kernels[MB_OP_COUNT][MB_KERNEL_CHOICES];
    const mb_device_memory *memory;     /* NULL: the host's */
    const mb_device_image_io *image_io; /* NULL: none; with memory only */
    mb_gpu *device;                     /* goes into mb_call.device */
    mb_dtype activations;               /* type of the maps between nodes: MB_F32 (0), or 16 bit on a device */
    bool tf32;                          /* with f32 maps: products may round their operands to TF32 */
    bool bf16_products;                 /* with f32 maps: products round their operands to bf16 */
    mb_dtype fallback_dtype;            /* what to compute in when `activations` overflows: bf16 or f32 */
    int output_multiple; /* odd counts of outputs are better padded to this (offset convolutions); 0: not */
} mb_backend;

void mb_backend_ref(mb_backend *out);
/* ref, then kernels/cpu, then what the instruction set (core/cpu.h) adds. */
MB_MUST_CHECK mb_status mb_backend_cpu(mb_backend *out, mb_error *err);
/* The same with products in bf16, by what the processor has; maps stay f32 (docs/precision.md). */
MB_MUST_CHECK mb_status mb_backend_cpu_bf16(mb_backend *out, mb_error *err);
/* Whether there are instructions for it: without, bf16 is no faster than f32. */
bool mb_cpu_bf16_pays(void);
/* What runs for them here, one line. */
void mb_backend_cpu_products16(char *text, size_t text_bytes);
/* Whose gemm the CPU runs here, one line: "own (avx512)", "OpenBLAS 0.3.21, Haswell". */
void mb_backend_cpu_products(char *text, size_t text_bytes);
/* Multiply-adds a second of all threads of a pool, in f32 and by the instruction for 16-bit products, and the bytes a
 * second that a copy of large maps reads and writes. Takes some tenths of a second and 200 MB. */
typedef struct mb_cpu_peak {
    double macs, macs16, bytes;    /* macs16: 0 where the back end computes in f32 */
    const char *kernel, *kernel16; /* as kernels are called; static */
} mb_cpu_peak;
MB_MUST_CHECK mb_status mb_cpu_measure_peak(mb_cpu_peak *out, const mb_backend *b, mb_pool *pool, mb_error *err);
/* Puts a kernel at the head of an op's row, and before it the one that it names. NULL: there is nothing to put. */
void mb_backend_put_first(mb_backend *b, mb_op op, const mb_kernel *kernel);
/* The kernel that runs this call; NULL only if the back end has none (CUDA). */
const mb_kernel *mb_backend_choose(const mb_backend *b, mb_op op, const mb_call *c);

#endif
