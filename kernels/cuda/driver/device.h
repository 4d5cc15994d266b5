/* One GPU in use: its context, three streams, memory, and the errors of all of them. Opened by context.h; used by one
 * thread at a time. Calls of this back end carry it in mb_call.device. */
#ifndef MB_CUDA_DRIVER_DEVICE_H
#define MB_CUDA_DRIVER_DEVICE_H

#include "core/os_thread.h"
#include "cuda/vendor/nvlib.h"
#include "kernel.h"

#define MB_CUDA_OLDEST            75                 /* Turing: the oldest that today's toolkits compile for */
#define MB_CUDA_ALIGNMENT         256                /* of every block of device memory */
#define MB_CUDA_SPARE             (64 << 20)         /* left free on the device: the driver and the display want some */
#define MB_CUDA_SHARED_EVERYWHERE ((size_t)64 << 10) /* what a block can ask for on the oldest device */

typedef struct mb_gpu mb_cuda_device;
struct mb_gpu {
    mb_nvlib lib;
    int index;
    mb_cu_device id;
    mb_cu_context context;
    mb_cu_stream compute, copy, back; /* never the default stream: it cannot be captured; copy: to the device */
    int sm, n_processors;             /* 90, 132 */
    size_t shared_most;               /* shared memory that a block can ask for */
    char name[96];
    struct mb_blaslt *blaslt;    /* NULL: our own gemm runs */
    struct mb_dnn *dnn;          /* NULL: our own convolution runs */
    struct mb_plan_cache *cache; /* NULL: nothing is kept on disk */
    double tune_ms;              /* time left for timing candidates (tune.h) */
    struct mb_cuda_weights *weights;
    mb_recursive_mutex lock; /* held by the thread that is in (mb_cuda_enter) */
    mb_error broken;         /* the first sticky error: the context is dead, every later call returns it */
};

/* Makes the device current for this thread (runtime calls and launches go by thread). At entry of every public call. */
MB_MUST_CHECK mb_status mb_cuda_use(mb_cuda_device *d, mb_error *err);
/* The same, and other threads wait until leave. On failure there is nothing to leave. */
MB_MUST_CHECK mb_status mb_cuda_enter(mb_cuda_device *d, mb_error *err);
void mb_cuda_leave(mb_cuda_device *d);

/* MB_OK, or MB_E_DEVICE (MB_E_MEMORY for want of it) with what was done, the code and the driver's words. */
MB_MUST_CHECK mb_status mb_cuda_check(mb_cuda_device *d, mb_cu_result r, const char *what, mb_error *err);
/* The same for what a launch function (cuda/lang/launch.h) returned. */
MB_MUST_CHECK mb_status mb_cuda_launched(mb_cuda_device *d, int code, const char *kernel, mb_error *err);

/* Device memory. `what` for the message: "the arena". A failure names the bytes and what is free. */
MB_MUST_CHECK mb_status mb_cuda_alloc(mb_cuda_device *d, void **out, size_t bytes, const char *what, mb_error *err);
void mb_cuda_free(mb_cuda_device *d, void *p);
MB_MUST_CHECK mb_status mb_cuda_free_bytes(mb_cuda_device *d, size_t *out, mb_error *err);
/* MB_OK if activations and weights fit into what is free, less MB_CUDA_SPARE; else MB_E_MEMORY with the numbers. */
MB_MUST_CHECK mb_status mb_cuda_check_free(mb_cuda_device *d, size_t activations, size_t weights, mb_error *err);
/* Pinned host memory; NULL if there is none left. */
void *mb_cuda_pin(mb_cuda_device *d, size_t bytes);
void mb_cuda_unpin(mb_cuda_device *d, void *p);
/* On the compute stream; host memory must stay until mb_cuda_wait. */
MB_MUST_CHECK mb_status mb_cuda_copy_in(mb_cuda_device *d, void *dst, const void *src, size_t bytes, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_copy_out(mb_cuda_device *d, void *dst, const void *src, size_t bytes, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_wait(mb_cuda_device *d, mb_error *err);

/* Records the compute stream (mb_device_memory says how it may be used). */
MB_MUST_CHECK mb_status mb_cuda_capture_begin(mb_cuda_device *d, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_capture_end(mb_cuda_device *d, void **out, mb_error *err);
MB_MUST_CHECK mb_status mb_cuda_replay(mb_cuda_device *d, void *captured, mb_error *err);
void mb_cuda_captured_free(mb_cuda_device *d, void *captured);

#endif
