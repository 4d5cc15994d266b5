/* cuda/nvapi.h against the vendor's own header, where a toolkit is installed (else: skipped): constants have its
 * values, types its sizes, and every symbol of the table exists in the toolkit's stub of the driver. */
#include "cuda/nvapi.h"
#include "harness/check.h"

#include <dlfcn.h>
#include <stdio.h>

#if defined(MB_HAVE_CUDA_H)
#include <cuda.h>

#define SAME(ours, theirs) _Static_assert((int)(ours) == (int)(theirs), #ours " is not " #theirs)
SAME(MB_CU_SUCCESS, CUDA_SUCCESS);
SAME(MB_CU_OUT_OF_MEMORY, CUDA_ERROR_OUT_OF_MEMORY);
SAME(MB_CU_NO_DEVICE, CUDA_ERROR_NO_DEVICE);
SAME(MB_CU_INVALID_DEVICE, CUDA_ERROR_INVALID_DEVICE);
SAME(MB_CU_ILLEGAL_ADDRESS, CUDA_ERROR_ILLEGAL_ADDRESS);
SAME(MB_CU_LAUNCH_FAILED, CUDA_ERROR_LAUNCH_FAILED);
SAME(MB_CU_STREAM_NON_BLOCKING, CU_STREAM_NON_BLOCKING);
SAME(MB_CU_CAPTURE_THREAD_LOCAL, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME(MB_CU_EVENT_DISABLE_TIMING, CU_EVENT_DISABLE_TIMING);
SAME(MB_CU_ATTR_SM_COUNT, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME(MB_CU_ATTR_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(MB_CU_ATTR_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(MB_CU_ATTR_SHARED_OPTIN, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
_Static_assert(sizeof(mb_cu_ptr) == sizeof(CUdeviceptr), "device pointers");
_Static_assert(sizeof(mb_cu_device) == sizeof(CUdevice) && sizeof(mb_cu_result) == sizeof(CUresult), "enumerations");
_Static_assert(__builtin_types_compatible_p(mb_cu_stream, CUstream), "streams");
_Static_assert(__builtin_types_compatible_p(mb_cu_context, CUcontext), "contexts");
_Static_assert(__builtin_types_compatible_p(mb_cu_graph, CUgraph), "graphs");
_Static_assert(__builtin_types_compatible_p(mb_cu_graph_exec, CUgraphExec), "graphs");
_Static_assert(__builtin_types_compatible_p(mb_cu_event, CUevent), "events");

/* Every call of the table is declared by the header under the very name that is looked up. (Argument lists are not
 * compared: the header's enumerations are types of their own.) */
#define CALL_OURS(symbol, member, arguments) mb_cu_result(*ours_##symbol) arguments;
struct ours {
    MB_DRIVER_SYMBOLS(CALL_OURS)
};
#define EXISTS(symbol, member, arguments) _Static_assert(sizeof(&symbol) == sizeof(void (*)(void)), #symbol);
MB_DRIVER_SYMBOLS(EXISTS)

int main(void)
{
    static const char *const names[] = {
#define NAME(symbol, member, arguments) #symbol,
        MB_DRIVER_SYMBOLS(NAME)};
    void *stub = dlopen(MB_CUDA_STUB, RTLD_LAZY | RTLD_LOCAL);
    for (size_t i = 0; stub != NULL && i < sizeof names / sizeof names[0]; i++) {
        CHECK_MSG(dlsym(stub, names[i]) != NULL, "%s", names[i]);
    }
    CHECK(sizeof(struct ours) == sizeof names);
    return test_report();
}
#else
int main(void)
{
    printf("no CUDA toolkit here\n");
    return 77;
}
#endif
