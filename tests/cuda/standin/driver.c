/* A stand-in for libcuda.so.1: the calls of cuda/vendor/nvapi.h on ordinary memory, so that the real host code
 * (loading, memory, streams, capture, errors) runs on a machine without a GPU. Streams do their work at once, or record
 * it while they are captured. It counts what is open, and fails on demand (environment, read at cuInit):
 *   MB_STANDIN_DEVICES=n   MB_STANDIN_CUDA=12020   MB_STANDIN_SM=61   MB_STANDIN_INIT=999
 *   MB_STANDIN_TOTAL=bytes      the device's memory
 *   MB_STANDIN_FAIL_ALLOC=n     the n-th allocation from now fails
 *   MB_STANDIN_FAIL_COPY=n      the n-th copy fails with 700 (illegal address), as after a kernel's fault
 *   MB_STANDIN_FAIL_CAPTURE=1   no stream can be captured; 2: nor a captured one instantiated
 *   MB_STANDIN_FAIL_PINNED=1    no pinned memory
 *   MB_STANDIN_LAZY=1           streams do nothing until somebody waits, and then only what he waits for (streams.h);
 *                               2: then all other streams run first, as far as events let them
 * Between the first and the second of two events that measure time, work is only counted: whoever measures has done it
 * once before, and the emulation is slow.
 *   MB_STANDIN_KERNEL_MS=x      what a gemm of ours takes on the clock that events read (0.01), other kernels a tenth; the
 *                               stand-ins of the libraries say what they take */
#define _GNU_SOURCE /* posix_memalign, recursive mutexes */
#include "standin.h"
#include "streams.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table's own signatures: a call that differs from it does not compile. */
#define DECLARE(symbol, member, arguments) EXPORT mb_cu_result symbol arguments;
MB_DRIVER_SYMBOLS(DECLARE)

static struct {
    int devices, cuda, sm, init, fail_alloc, fail_copy, fail_capture, fail_pinned;
    size_t total, used;
    int n_blocks, n_streams, n_contexts, n_others, n_launches;
    double kernel_ms; /* milliseconds */
    int ways[2][MB_STANDIN_WAYS];
    struct {
        void *p;
        size_t bytes;
    } blocks[65536];
} state;

EXPORT mb_cu_result cuInit(unsigned flags)
{
    (void)flags;
    const char *total = getenv("MB_STANDIN_TOTAL");
    state.devices = standin_number("MB_STANDIN_DEVICES", 1);
    state.cuda = standin_number("MB_STANDIN_CUDA", 13000);
    state.sm = standin_number("MB_STANDIN_SM", 90);
    state.init = standin_number("MB_STANDIN_INIT", 0);
    state.fail_alloc = standin_number("MB_STANDIN_FAIL_ALLOC", 0);
    state.fail_copy = standin_number("MB_STANDIN_FAIL_COPY", 0);
    state.fail_capture = standin_number("MB_STANDIN_FAIL_CAPTURE", 0);
    state.fail_pinned = standin_number("MB_STANDIN_FAIL_PINNED", 0);
    const char *kernel_ms = getenv("MB_STANDIN_KERNEL_MS");
    state.kernel_ms = kernel_ms != NULL ? atof(kernel_ms) : 0.01;
    memset(state.ways, 0, sizeof state.ways);
    state.n_launches = 0;
    standin_streams_start(standin_number("MB_STANDIN_LAZY", 0));
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
    standin_streams_finish(); /* a real one waits, too */
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
    if (state.fail_pinned != 0 || posix_memalign(out, 4096, bytes) != 0) {
        return MB_CU_OUT_OF_MEMORY;
    }
    state.n_others++;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuMemFreeHost(void *p)
{
    standin_streams_finish();
    state.n_others--;
    free(p);
    return MB_CU_SUCCESS;
}

typedef struct move {
    void *dst;
    const void *src;
    size_t bytes;
    int fill; /* -1: a copy */
} move;
static void do_move(void *argument)
{
    const move *m = argument;
    if (m->fill >= 0) {
        memset(m->dst, m->fill, m->bytes);
    } else {
        memcpy(m->dst, m->src, m->bytes);
    }
}
static mb_cu_result submit_move(mb_cu_stream s, move m, char kind)
{
    if (m.fill < 0 && state.fail_copy > 0 && --state.fail_copy == 0) {
        return MB_CU_ILLEGAL_ADDRESS;
    }
    standin_trace(m.fill >= 0 ? 'Z' : kind);
    return mb_standin_submit(s, do_move, &m, sizeof m);
}
EXPORT mb_cu_result cuMemcpyHtoDAsync_v2(mb_cu_ptr dst, const void *src, size_t bytes, mb_cu_stream s)
{
    return submit_move(s, (move){(void *)(uintptr_t)dst, src, bytes, -1}, 'U');
}
EXPORT mb_cu_result cuMemcpyDtoHAsync_v2(void *dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s)
{
    return submit_move(s, (move){dst, (const void *)(uintptr_t)src, bytes, -1}, 'D');
}
EXPORT mb_cu_result cuMemcpyDtoDAsync_v2(mb_cu_ptr dst, mb_cu_ptr src, size_t bytes, mb_cu_stream s)
{
    return submit_move(s, (move){(void *)(uintptr_t)dst, (const void *)(uintptr_t)src, bytes, -1}, 'M');
}
EXPORT mb_cu_result cuMemsetD8Async(mb_cu_ptr dst, unsigned char value, size_t bytes, mb_cu_stream s)
{
    return submit_move(s, (move){(void *)(uintptr_t)dst, NULL, bytes, value}, 'Z');
}

/* ---- streams, events, captured graphs: the queues are in streams.c ---- */
EXPORT mb_cu_result cuStreamCreate(mb_cu_stream *out, unsigned flags)
{
    (void)flags;
    *out = standin_stream_new();
    state.n_streams++;
    return *out != NULL ? MB_CU_SUCCESS : MB_CU_OUT_OF_MEMORY;
}
EXPORT mb_cu_result cuStreamDestroy_v2(mb_cu_stream s)
{
    state.n_streams--;
    standin_stream_free(s);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuStreamSynchronize(mb_cu_stream s)
{
    standin_trace('S');
    return standin_stream_wait(s);
}
EXPORT mb_cu_result cuStreamWaitEvent(mb_cu_stream s, mb_cu_event e, unsigned flags)
{
    (void)flags;
    return standin_stream_wait_event(s, e);
}
EXPORT mb_cu_result cuEventCreate(mb_cu_event *out, unsigned flags)
{
    *out = standin_event_new((flags & MB_CU_EVENT_DISABLE_TIMING) == 0);
    if (*out == NULL) {
        return MB_CU_OUT_OF_MEMORY;
    }
    state.n_others++;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventDestroy_v2(mb_cu_event e)
{
    state.n_others--;
    standin_event_free(e);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuEventRecord(mb_cu_event e, mb_cu_stream s)
{
    return standin_event_record(e, s);
}
EXPORT mb_cu_result cuEventSynchronize(mb_cu_event e)
{
    standin_trace('W');
    return standin_event_wait(e);
}
EXPORT mb_cu_result cuEventElapsedTime(float *ms, mb_cu_event from, mb_cu_event to)
{
    *ms = standin_event_between(from, to);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result mb_standin_submit_launch(mb_cu_stream s, const char *kernel, mb_standin_work *work, void *argument,
                                             mb_standin_work *drop)
{
    standin_clock_add(strstr(kernel, "gemm") != NULL ? state.kernel_ms : state.kernel_ms * 0.1);
    return standin_submit(s, work, argument, drop);
}
EXPORT mb_cu_result cuStreamBeginCapture_v2(mb_cu_stream s, int mode)
{
    if (state.fail_capture == 1 || mode != MB_CU_CAPTURE_THREAD_LOCAL) {
        return 801; /* CUDA_ERROR_NOT_SUPPORTED */
    }
    return standin_capture_begin(s);
}
EXPORT mb_cu_result cuStreamEndCapture(mb_cu_stream s, mb_cu_graph *out)
{
    *out = standin_capture_end(s);
    state.n_others += *out != NULL;
    return *out != NULL ? MB_CU_SUCCESS : 901; /* CUDA_ERROR_STREAM_CAPTURE_INVALIDATED */
}
EXPORT mb_cu_result cuGraphInstantiateWithFlags(mb_cu_graph_exec *out, mb_cu_graph g, unsigned long long flags)
{
    (void)flags;
    *out = NULL;
    if (state.fail_capture == 2) {
        return 801;
    }
    standin_graph_use(g);
    state.n_others++;
    *out = (mb_cu_graph_exec)(void *)g;
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuGraphLaunch(mb_cu_graph_exec e, mb_cu_stream s)
{
    standin_trace('G');
    state.n_launches++;
    return standin_graph_launch((mb_cu_graph)(void *)e, s);
}
EXPORT mb_cu_result cuGraphExecDestroy(mb_cu_graph_exec e)
{
    state.n_others--;
    standin_graph_release((mb_cu_graph)(void *)e);
    return MB_CU_SUCCESS;
}
EXPORT mb_cu_result cuGraphDestroy(mb_cu_graph g)
{
    state.n_others--;
    standin_graph_release(g);
    return MB_CU_SUCCESS;
}

/* ---- for the tests and the other stand-ins ---- */
EXPORT int mb_standin_open(void)
{
    return state.n_blocks + state.n_streams + state.n_contexts + state.n_others;
}
EXPORT void mb_standin_count(int more)
{
    state.n_others += more;
}
EXPORT void mb_standin_use(mb_standin_library library, int way, double ms)
{
    standin_clock_add(ms);
    state.ways[library][way]++;
}
EXPORT int mb_standin_used(mb_standin_library library, int way)
{
    return state.ways[library][way];
}
EXPORT int mb_standin_graph_launches(void)
{
    return state.n_launches;
}
