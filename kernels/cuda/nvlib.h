/* The one place that opens NVIDIA's libraries. Nothing of them is linked: each is a table of function pointers filled
 * by dlopen and dlsym, so that a program built with CUDA starts on any machine and can say what is missing. Search: the
 * folders of MATTEBOX_CUDA_LIBS (separated by ':'), then the system's loader, then folders of the build. */
#ifndef MB_CUDA_NVLIB_H
#define MB_CUDA_NVLIB_H

#include "core/status.h"
#include "cuda/nvapi.h"
#include "device.h"

typedef struct mb_driver_api {
#define MB_MEMBER(symbol, member, arguments) mb_cu_result(*member) arguments;
    MB_DRIVER_SYMBOLS(MB_MEMBER)
#undef MB_MEMBER
} mb_driver_api;

typedef struct mb_nvlib {
    void *driver_handle;
    mb_driver_api driver;
    int driver_cuda; /* 13000 */
} mb_nvlib;

/* The driver, initialised, with at least one device and new enough for this build; else false and why (messages 1, 3).
 */
bool mb_nvlib_open(mb_nvlib *out, mb_device_refusal *refusal);
void mb_nvlib_close(mb_nvlib *lib); /* a zeroed one is fine */

/* dlopen of the first of `names` (ends with NULL) that is found; `looked_in` gets the folders for a message. */
void *mb_nvlib_find(const char *const *names, char *looked_in, size_t looked_in_bytes);
/* Fills `count` function pointers at `table` with the symbols `names`; the first that is missing, or NULL. */
const char *mb_nvlib_fill(void *table, void *handle, const char *const *names, size_t count);

#endif
