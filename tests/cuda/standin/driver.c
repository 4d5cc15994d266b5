/* A stand-in for libcuda.so.1: the calls of cuda/nvapi.h on ordinary memory, so that the real host code (loading,
 * memory, streams, errors) runs on a machine without a GPU. Streams do their work at once. It counts what is open, and
 * fails on demand (environment, read at cuInit): MB_STANDIN_DEVICES=n   MB_STANDIN_CUDA=12020   MB_STANDIN_SM=61
 * MB_STANDIN_INIT=999 MB_STANDIN_FAIL_ALLOC=n    the n-th allocation from now fails    MB_STANDIN_TOTAL=bytes   the
 * device's memory MB_STANDIN_FAIL_COPY=n     the n-th copy fails with 700 (illegal address), as after a kernel's fault
 */
#define _GNU_SOURCE /* posix_memalign */
#include "cuda/nvapi.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* The table's own signatures: a call that differs from it does not compile. */
#define DECLARE(symbol, member, arguments) EXPORT mb_cu_result symbol arguments;
MB_DRIVER_SYMBOLS(DECLARE)
EXPORT int mb_standin_open(void);

static struct {
    int devices, cuda, sm, init, fail_alloc, fail_copy;
    size_t total, used;
    int n_blocks, n_streams, n_contexts;
    struct {
        void *p;
        size_t bytes;
    } blocks[65536];
} state;

static int number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? atoi(text) : otherwise;
}

EXPORT mb_cu_result cuInit(unsigned flags)
{
    (void)flags;
    const char *total = getenv("MB_STANDIN_TOTAL");
    state.devices = number("MB_STANDIN_DEVICES", 1);
    state.cuda = number("MB_STANDIN_CUDA", 13000);
    state.sm = number("MB_STANDIN_SM", 90);
    state.init = number("MB_STANDIN_INIT", 0);
    state.fail_alloc = number("MB_STANDIN_FAIL_ALLOC", 0);
    state.fail_copy = number("MB_STANDIN_FAIL_COPY", 0);
    state.total = total != NULL ? strtoull(total, NULL, 10) : (size_t)8 << 30;
    return state.init;
}
EXPORT mb_cu_result cuDriverGetVersion(int *out)
{
    *out = state.cuda;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuGetErrorName(mb_cu_result r, const char **out)
{
    *out = r == MB_CU_OUT_OF_MEMORY
               ? "CUDA_ERROR_OUT_OF_MEMORY"
               : (r == MB_CU_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_UNKNOWN");
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuGetErrorString(mb_cu_result r, const char **out)
{
    *out = r == MB_CU_OUT_OF_MEMORY
               ? "out of memory"
               : (r == MB_CU_ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "unknown error");
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuDeviceGetCount(int *out)
{
    *out = state.devices;
    return state.devices > 0 ? MB_CU_SUCCESS : MB_CU_NO_DEVICE;
}
EXPORT mb_cu_result cuDeviceGet(mb_cu_device *out, int index)
{
    *out = index;
    return index < state.devices ? MB_CU_SUCCESS : MB_CU_INVALID_DEVICE;
}
EXPORT mb_cu_result cuDeviceGetName(char *out, int bytes, mb_cu_device d)
{
    (void)snprintf(out, (size_t)bytes, "Stand-in %d", d);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuDeviceGetAttribute(int *out, int attribute, mb_cu_device d)
{
    (void)d;
    *out = attribute == MB_CU_ATTR_MAJOR      ? state.sm / 10
           : attribute == MB_CU_ATTR_MINOR    ? state.sm % 10
           : attribute == MB_CU_ATTR_SM_COUNT ? 4
                                              : 99 << 10;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuDeviceTotalMem_v2(size_t *out, mb_cu_device d)
{
    (void)d;
    *out = state.total;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuDevicePrimaryCtxRetain(mb_cu_context *out, mb_cu_device d)
{
    (void)d;
    state.n_contexts++;
    *out = (mb_cu_context)(void *)&state;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuDevicePrimaryCtxRelease_v2(mb_cu_device d)
{
    (void)d;
    state.n_contexts--;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuCtxSetCurrent(mb_cu_context c)
{
    return c == (mb_cu_context)(void *)&state ? MB_CU_SUCCESS : MB_CU_INVALID_DEVICE;
}
EXPORT mb_cu_result cuMemGetInfo_v2(size_t *free_bytes, size_t *total)
{
    *free_bytes = state.total - state.used;
    *total = state.total;
    return MB_CU_SUCCESS;
}

/* ---- memory: exactly as large as asked for, so that the address sanitizer sees every step outside ---- */
EXPORT mb_cu_result cuMemAlloc_v2(mb_cu_ptr *out, size_t bytes)
{
    void *p = NULL;
    if ((state.fail_alloc > 0 && --state.fail_alloc == 0) || bytes > state.total - state.used ||
        state.n_blocks == (int)(sizeof state.blocks / sizeof state.blocks[0]) || posix_memalign(&p, 256, bytes) != 0) {
        return MB_CU_OUT_OF_MEMORY;
    }
    memset(p, 0xff, bytes); /* NaN to whoever reads what was never written */
    state.blocks[state.n_blocks].p = p;
    state.blocks[state.n_blocks++].bytes = bytes;
    state.used += bytes;
    *out = (mb_cu_ptr)(uintptr_t)p;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuMemFree_v2(mb_cu_ptr p)
{
    for (int i = state.n_blocks - 1; i >= 0; i--) {
        if (state.blocks[i].p == (void *)(uintptr_t)p) {
            state.used -= state.blocks[i].bytes;
            free(state.blocks[i].p);
            state.blocks[i] = state.blocks[--state.n_blocks];
            return MB_CU_SUCCESS;
        }
    }
    return 1; /* CUDA_ERROR_INVALID_VALUE */
}
EXPORT mb_cu_result cuMemAllocHost_v2(void **out, size_t bytes)
{
    return posix_memalign(out, 4096, bytes) == 0 ? MB_CU_SUCCESS : MB_CU_OUT_OF_MEMORY;
}
EXPORT mb_cu_result cuMemFreeHost(void *p)
{
    free(p);
    return MB_CU_SUCCESS;
}
static mb_cu_result move(void *dst, const void *src, size_t bytes)
{
    if (state.fail_copy > 0 && --state.fail_copy == 0) {
        return MB_CU_ILLEGAL_ADDRESS;
    }
    memcpy(dst, src, bytes);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuMemcpyHtoDAsync_v2(mb_cu_ptr dst, const void *src, size_t bytes, mb_cu_stream s)
{
    (void)s;
    return move((void *)(uintptr_t)dst, src, bytes);
}
EXPORT mb_cu_result cuMemcpyDtoHAsync_v2(void *dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s)
{
    (void)s;
    return move(dst, (const void *)(uintptr_t)src, bytes);
}
EXPORT mb_cu_result cuMemcpyDtoDAsync_v2(mb_cu_ptr dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s)
{
    (void)s;
    return move((void *)(uintptr_t)dst, (const void *)(uintptr_t)src, bytes);
}
EXPORT mb_cu_result cuMemsetD8Async(mb_cu_ptr dst, unsigned char value, size_t bytes, mb_cu_stream s)
{
    (void)s;
    memset((void *)(uintptr_t)dst, value, bytes);
    return MB_CU_SUCCESS;
}

/* ---- streams, events ---- */
EXPORT mb_cu_result cuStreamCreate(mb_cu_stream *out, unsigned flags)
{
    (void)flags;
    *out = malloc(1);
    state.n_streams++;
    return *out != NULL ? MB_CU_SUCCESS : MB_CU_OUT_OF_MEMORY;
}
EXPORT mb_cu_result cuStreamDestroy_v2(mb_cu_stream s)
{
    state.n_streams--;
    free(s);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuStreamSynchronize(mb_cu_stream s)
{
    (void)s;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuStreamWaitEvent(mb_cu_stream s, mb_cu_event e, unsigned flags)
{
    (void)s;
    (void)e;
    (void)flags;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventCreate(mb_cu_event *out, unsigned flags)
{
    (void)flags;
    *out = malloc(1);
    return *out != NULL ? MB_CU_SUCCESS : MB_CU_OUT_OF_MEMORY;
}
EXPORT mb_cu_result cuEventDestroy_v2(mb_cu_event e)
{
    free(e);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventRecord(mb_cu_event e, mb_cu_stream s)
{
    (void)e;
    (void)s;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventSynchronize(mb_cu_event e)
{
    (void)e;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventElapsedTime(float *ms, mb_cu_event from, mb_cu_event to)
{
    (void)from;
    (void)to;
    *ms = 0.0f;
    return MB_CU_SUCCESS;
}

/* ---- graphs: capture is refused, as a driver may do; the engine then runs eagerly ---- */
EXPORT mb_cu_result cuStreamBeginCapture_v2(mb_cu_stream s, int mode)
{
    (void)s;
    (void)mode;
    return 801; /* CUDA_ERROR_NOT_SUPPORTED */
}
EXPORT mb_cu_result cuStreamEndCapture(mb_cu_stream s, mb_cu_graph *out)
{
    (void)s;
    *out = NULL;
    return 801;
}
EXPORT mb_cu_result cuGraphInstantiateWithFlags(mb_cu_graph_exec *out, mb_cu_graph g, unsigned long long flags)
{
    (void)g;
    (void)flags;
    *out = NULL;
    return 801;
}
EXPORT mb_cu_result cuGraphLaunch(mb_cu_graph_exec g, mb_cu_stream s)
{
    (void)g;
    (void)s;
    return 801;
}
EXPORT mb_cu_result cuGraphExecDestroy(mb_cu_graph_exec g)
{
    (void)g;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuGraphDestroy(mb_cu_graph g)
{
    (void)g;
    return MB_CU_SUCCESS;
}

/* What is still open: 0 when everything was given back. */
EXPORT int mb_standin_open(void)
{
    return state.n_blocks + state.n_streams + state.n_contexts;
}
