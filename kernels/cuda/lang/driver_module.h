/* Kernels by the driver alone (driver_launch.h): one fat binary for each .cu file, loaded at its first launch and kept as
 * long as the process; the driver gives it to every context that launches from it. */
#ifndef MB_CUDA_LANG_DRIVER_MODULE_H
#define MB_CUDA_LANG_DRIVER_MODULE_H

#include "cuda/lang/launch.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mb_driver_module {
    const void *image; /* the fat binary */
    void *library;     /* NULL: not loaded yet */
} mb_driver_module;

/* One launch in the source. */
typedef struct mb_driver_kernel {
    void *handle; /* NULL: not asked for yet */
} mb_driver_kernel;

/* name: the kernel's, mangled. sizes: of the grid, then of a block. shared: bytes of dynamic shared memory. arguments:
 * pointers to the kernel's arguments. A failure is kept for mb_driver_launched of this thread. */
void mb_driver_launch(mb_driver_module *m, mb_driver_kernel *k, const char *name, const unsigned sizes[6],
                      size_t shared, mb_stream stream, void **arguments);
/* The last failure of this thread, once; 0: none. */
int mb_driver_launched(void);
const char *mb_driver_launch_text(int code);

#ifdef __cplusplus
}
#endif
#endif
