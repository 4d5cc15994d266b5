/* The one place that opens NVIDIA's libraries. Nothing of them is linked: each is a table of function pointers filled
 * when they are opened, so that a program built with CUDA starts on any machine and can say what is missing. Search: the
 * folders of MATTEBOX_CUDA_LIBS (a list as PATH is one), then the system's loader, then folders of the build. */
#ifndef MB_CUDA_VENDOR_NVLIB_H
#define MB_CUDA_VENDOR_NVLIB_H

#include "core/os_library.h"
#include "core/status.h"
#include "cuda/vendor/blaslt_api.h"
#include "cuda/vendor/dnn_api.h"
#include "device.h"

/* The driver's library. */
#define MB_CUDA_DRIVER MB_OS_LIBRARY("libcuda.so.1", "nvcuda.dll")

#define MB_MEMBER(type, symbol, member, arguments) type(*member) arguments;
typedef struct mb_driver_api {
#define MB_DRIVER_MEMBER(symbol, member, arguments) MB_MEMBER(mb_cu_result, symbol, member, arguments)
    MB_DRIVER_SYMBOLS(MB_DRIVER_MEMBER)
} mb_driver_api;
typedef struct mb_launch_api {
    MB_LAUNCH_SYMBOLS(MB_DRIVER_MEMBER)
#undef MB_DRIVER_MEMBER
} mb_launch_api;
typedef struct mb_blaslt_api {
    MB_BLASLT_SYMBOLS(MB_MEMBER)
} mb_blaslt_api;
typedef struct mb_dnn_api {
    MB_DNN_SYMBOLS(MB_MEMBER)
} mb_dnn_api;
#undef MB_MEMBER

typedef struct mb_nvlib {
    void *driver_handle, *blaslt_handle, *dnn_handle; /* the last two NULL: not there, our own kernels run */
    mb_driver_api driver;
    mb_blaslt_api blaslt;
    mb_dnn_api dnn;
    int driver_cuda;                 /* 13000 */
    int blaslt_version, dnn_version; /* as the libraries give them (130100, 91900); 0: not there */
    char note[512];                  /* one line about what is missing of the two, or "" */
} mb_nvlib;

/* The driver, initialised, with at least one device and new enough for this build; else false and why. */
bool mb_nvlib_open(mb_nvlib *out, mb_device_refusal *refusal);
/* cuBLASLt and cuDNN, each if it is there, new enough, and not of a newer CUDA than the driver; MATTEBOX_CUBLASLT=off
 * and MATTEBOX_CUDNN=off leave one out. Whatever is missing stands in `note`. */
void mb_nvlib_open_libraries(mb_nvlib *lib);
void mb_nvlib_close(mb_nvlib *lib); /* a zeroed one is fine */

/* Opens the first of `names` (ends with NULL) that is found; `looked_in` gets the folders for a message. */
void *mb_nvlib_find(const char *const *names, char *looked_in, size_t looked_in_bytes);
/* Fills `count` function pointers at `table` with the symbols `names`; the first that is missing, or NULL. */
const char *mb_nvlib_fill(void *table, void *handle, const char *const *names, size_t count);

#endif
