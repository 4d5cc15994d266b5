/* The little of NVIDIA's C interfaces that we call: types, constants and signatures, declared here so that the host
 * side compiles, and is tested with stand-in libraries, on machines without a toolkit. tests/cuda/headers_match.c
 * compares every line with the vendor's headers where they are installed. Sources: CUDA driver API, cuBLASLt and cuDNN
 * references (interfaces of CUDA 12 and 13, cuDNN 9). */
#ifndef MB_CUDA_VENDOR_NVAPI_H
#define MB_CUDA_VENDOR_NVAPI_H

#include <stddef.h>
#include <stdint.h>

/* ---- driver ---- */
typedef int mb_cu_result; /* CUresult */
typedef int mb_cu_device; /* CUdevice */
typedef unsigned long long mb_cu_ptr;
typedef struct CUctx_st *mb_cu_context;
typedef struct CUstream_st *mb_cu_stream;
typedef struct CUevent_st *mb_cu_event;
typedef struct CUgraph_st *mb_cu_graph;
typedef struct CUgraphExec_st *mb_cu_graph_exec;

enum {
    MB_CU_SUCCESS = 0,
    MB_CU_OUT_OF_MEMORY = 2,
    MB_CU_NO_DEVICE = 100,
    MB_CU_INVALID_DEVICE = 101,
    MB_CU_ILLEGAL_ADDRESS = 700,
    MB_CU_LAUNCH_FAILED = 719,
    MB_CU_NOT_SUPPORTED = 801,
    MB_CU_STREAM_NON_BLOCKING = 1,
    MB_CU_CAPTURE_THREAD_LOCAL = 1,
    MB_CU_EVENT_DISABLE_TIMING = 2,
    MB_CU_ATTR_SM_COUNT = 16,
    MB_CU_ATTR_MAJOR = 75,
    MB_CU_ATTR_MINOR = 76,
    MB_CU_ATTR_SHARED_OPTIN = 97,
    MB_CU_FUNCTION_SHARED_BYTES = 8
};

/*  X(name in the library, member, arguments) */
#define MB_DRIVER_SYMBOLS(X)                                                                                           \
    X(cuInit, init, (unsigned flags))                                                                                  \
    X(cuDriverGetVersion, version, (int *out))                                                                         \
    X(cuGetErrorName, error_name, (mb_cu_result r, const char **out))                                                  \
    X(cuGetErrorString, error_text, (mb_cu_result r, const char **out))                                                \
    X(cuDeviceGetCount, device_count, (int *out))                                                                      \
    X(cuDeviceGet, device_get, (mb_cu_device * out, int index))                                                        \
    X(cuDeviceGetName, device_name, (char *out, int bytes, mb_cu_device d))                                            \
    X(cuDeviceGetAttribute, device_attribute, (int *out, int attribute, mb_cu_device d))                               \
    X(cuDeviceTotalMem_v2, device_total, (size_t * out, mb_cu_device d))                                               \
    X(cuDevicePrimaryCtxRetain, context_retain, (mb_cu_context * out, mb_cu_device d))                                 \
    X(cuDevicePrimaryCtxRelease_v2, context_release, (mb_cu_device d))                                                 \
    X(cuCtxSetCurrent, context_set, (mb_cu_context c))                                                                 \
    X(cuMemGetInfo_v2, mem_info, (size_t * free, size_t * total))                                                      \
    X(cuMemAlloc_v2, mem_alloc, (mb_cu_ptr * out, size_t bytes))                                                       \
    X(cuMemFree_v2, mem_free, (mb_cu_ptr p))                                                                           \
    X(cuMemAllocHost_v2, pinned_alloc, (void **out, size_t bytes))                                                     \
    X(cuMemFreeHost, pinned_free, (void *p))                                                                           \
    X(cuMemcpyHtoDAsync_v2, copy_in, (mb_cu_ptr dst, const void *src, size_t bytes, mb_cu_stream s))                   \
    X(cuMemcpyDtoHAsync_v2, copy_out, (void *dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s))                        \
    X(cuMemcpyDtoDAsync_v2, copy_on, (mb_cu_ptr dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s))                     \
    X(cuMemsetD8Async, set_bytes, (mb_cu_ptr dst, unsigned char value, size_t bytes, mb_cu_stream s))                  \
    X(cuStreamCreate, stream_create, (mb_cu_stream * out, unsigned flags))                                             \
    X(cuStreamDestroy_v2, stream_destroy, (mb_cu_stream s))                                                            \
    X(cuStreamSynchronize, stream_wait, (mb_cu_stream s))                                                              \
    X(cuStreamWaitEvent, stream_wait_event, (mb_cu_stream s, mb_cu_event e, unsigned flags))                           \
    X(cuStreamBeginCapture_v2, capture_begin, (mb_cu_stream s, int mode))                                              \
    X(cuStreamEndCapture, capture_end, (mb_cu_stream s, mb_cu_graph * out))                                            \
    X(cuGraphInstantiateWithFlags, graph_instantiate,                                                                  \
      (mb_cu_graph_exec * out, mb_cu_graph g, unsigned long long flags))                                               \
    X(cuGraphLaunch, graph_launch, (mb_cu_graph_exec g, mb_cu_stream s))                                               \
    X(cuGraphExecDestroy, graph_exec_destroy, (mb_cu_graph_exec g))                                                    \
    X(cuGraphDestroy, graph_destroy, (mb_cu_graph g))                                                                  \
    X(cuEventCreate, event_create, (mb_cu_event * out, unsigned flags))                                                \
    X(cuEventDestroy_v2, event_destroy, (mb_cu_event e))                                                               \
    X(cuEventRecord, event_record, (mb_cu_event e, mb_cu_stream s))                                                    \
    X(cuEventSynchronize, event_wait, (mb_cu_event e))                                                                 \
    X(cuEventElapsedTime, event_elapsed, (float *ms, mb_cu_event from, mb_cu_event to))

/* Launches without the runtime (cuda/lang/driver_launch.h): functions of CUDA 12. The options of a library are not used. */
#define MB_LAUNCH_SYMBOLS(X)                                                                                           \
    X(cuLibraryLoadData, library_load,                                                                                 \
      (void **out, const void *image, void *jit, void *jit_values, unsigned n_jit, void *options, void *values,        \
       unsigned n_options))                                                                                            \
    X(cuLibraryGetKernel, library_kernel, (void **out, void *library, const char *name))                               \
    X(cuKernelSetAttribute, kernel_set_attribute, (int attribute, int value, void *kernel, mb_cu_device d))            \
    X(cuCtxGetDevice, context_device, (mb_cu_device * out))                                                            \
    X(cuLaunchKernel, launch,                                                                                          \
      (void *kernel, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,    \
       mb_cu_stream s, void **arguments, void **extra))                                                                \
    X(cuGetErrorString, error_text, (mb_cu_result r, const char **out))

#endif
