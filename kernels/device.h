/* Which device runs, and why: the one question the rest of the engine asks, answerable in a build without CUDA too.
 *
 * `cpu` is always there. `cuda` is an error (MB_E_DEVICE, the message says what is missing and what to do) where no GPU
 * can be used. `auto` takes the first usable GPU, else the CPU, and the report keeps the reason for it. */
#ifndef MB_DEVICE_PROBE_H
#define MB_DEVICE_PROBE_H

#include "kernel.h"

typedef struct mb_device_wish {
    mb_device kind;
    int index; /* which GPU; 0 unless asked for */
} mb_device_wish;

typedef struct mb_device_report {
    mb_device kind; /* what runs: MB_DEVICE_CPU or MB_DEVICE_CUDA */
    int index;
    char name[96]; /* of the GPU; "" on the CPU */
    int compute;   /* 90 for sm_90 */
    size_t total_bytes, free_bytes;
    int driver_cuda;     /* newest CUDA of the driver: 13000 for 13.0 */
    int cublaslt, cudnn; /* versions as the libraries give them; 0: not there, our own kernels run */
    char note[768];      /* one line: why the CPU runs though a GPU was not ruled out, or which library is missing */
} mb_device_report;

/* "auto", "cpu", "cuda", "cuda:1"; MB_E_ARGUMENT for anything else. */
MB_MUST_CHECK mb_status mb_device_parse(mb_device_wish *out, const char *text, mb_error *err);

/* Opens the driver and its libraries, looks, and lets go of them again. */
MB_MUST_CHECK mb_status mb_device_probe(mb_device_report *out, mb_device_wish wish, mb_error *err);

/* The back end of a report: the CPU's, or the GPU opened, in f32. Closed after the last plan and runner that uses it
 * (or a copy of it) is gone. */
MB_MUST_CHECK mb_status mb_device_open(mb_backend *out, const mb_device_report *report, mb_error *err);
void mb_device_close(mb_backend *b); /* a zeroed one is fine */

/* Small cases of the kernels that matter against the plain ones; MB_OK at once on the CPU. MB_E_DEVICE says which one
 * is wrong (device_check.c). */
MB_MUST_CHECK mb_status mb_device_check(const mb_backend *b, mb_error *err);

/* In which arithmetic plans of this back end (or copy) run. AUTO: MATTEBOX_PRECISION (f32, tf32, f16, bf16), else f32.
 * The CPU computes in f32 whatever is asked for, which no result can suffer from. MB_E_DEVICE: the GPU cannot. */
MB_MUST_CHECK mb_status mb_device_set_precision(mb_backend *b, mb_precision precision, mb_error *err);

/* ---- what a back end with a device provides (kernels/cuda; kernels/cuda/absent.c in a build without) ---- */

/* Two clauses of a message. */
typedef struct mb_device_refusal {
    char reason[512]; /* "no driver (libcuda.so.1 not found)" */
    char cure[160];   /* "Install the NVIDIA driver" */
} mb_device_refusal;
/* Fills everything but kind and index; false and the refusal when this GPU cannot be used. */
bool mb_cuda_probe(mb_device_report *out, mb_device_refusal *refusal, int index);

#endif
