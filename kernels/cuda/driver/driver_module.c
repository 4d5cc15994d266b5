/* Kernels by the driver alone (driver_module.h). */
#include "cuda/lang/driver_module.h"

#include "core/os_library.h"
#include "core/os_thread.h"
#include "cuda/vendor/nvlib.h"

/* The driver's functions, opened at the first launch: by then a device is open, so the driver is there. It stays. */
static struct {
    mb_mutex lock;
    mb_launch_api cu;
    bool tried, found;
} driver = {.lock = MB_MUTEX_INIT};

static _Thread_local int last_failure;

static const char *const symbols[] = {
#define MB_SYMBOL(symbol, member, arguments) #symbol,
    MB_LAUNCH_SYMBOLS(MB_SYMBOL)
#undef MB_SYMBOL
};
_Static_assert(sizeof(mb_launch_api) == sizeof symbols, "one pointer for each symbol");

static bool open_driver(void)
{
    static const char *const names[] = {MB_CUDA_DRIVER, NULL};
    char looked_in[256];
    if (!driver.tried) {
        void *handle = mb_nvlib_find(names, looked_in, sizeof looked_in);
        driver.tried = true;
        driver.found =
            handle != NULL && mb_nvlib_fill(&driver.cu, handle, symbols, sizeof symbols / sizeof symbols[0]) == NULL;
    }
    return driver.found;
}

/* The kernel's handle, and leave to use its shared memory. Under the lock: two devices may launch at the same time. */
static mb_cu_result prepare(mb_driver_module *m, mb_driver_kernel *k, const char *name, size_t shared)
{
    const mb_launch_api *cu = &driver.cu;
    mb_cu_result r = open_driver() ? MB_CU_SUCCESS : MB_CU_NOT_SUPPORTED;
    mb_cu_device device = 0;
    if (r == MB_CU_SUCCESS && m->library == NULL) {
        r = cu->library_load(&m->library, m->image, NULL, NULL, 0, NULL, NULL, 0);
    }
    if (r == MB_CU_SUCCESS && k->handle == NULL) {
        r = cu->library_kernel(&k->handle, m->library, name);
    }
    if (r == MB_CU_SUCCESS && shared > 0) {
        r = cu->context_device(&device);
        r = r == MB_CU_SUCCESS ? cu->kernel_set_attribute(MB_CU_FUNCTION_SHARED_BYTES, (int)shared, k->handle, device)
                               : r;
    }
    return r;
}

void mb_driver_launch(mb_driver_module *m, mb_driver_kernel *k, const char *name, const unsigned sizes[6],
                      size_t shared, mb_stream stream, void **arguments)
{
    mb_mutex_lock(&driver.lock);
    mb_cu_result r = prepare(m, k, name, shared);
    mb_mutex_unlock(&driver.lock);
    if (r == MB_CU_SUCCESS) {
        r = driver.cu.launch(k->handle, sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], (unsigned)shared,
                             stream, arguments, NULL);
    }
    if (r != MB_CU_SUCCESS) {
        last_failure = r;
    }
}

int mb_driver_launched(void)
{
    int code = last_failure;
    last_failure = 0;
    return code;
}

const char *mb_driver_launch_text(int code)
{
    const char *text = NULL;
    mb_mutex_lock(&driver.lock);
    bool found = open_driver();
    mb_mutex_unlock(&driver.lock);
    return found && driver.cu.error_text(code, &text) == MB_CU_SUCCESS && text != NULL ? text : "no description";
}
