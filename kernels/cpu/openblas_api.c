/* Opens OpenBLAS once per process (openblas_api.h). */
#include "openblas_api.h"

#include "core/machine.h"
#include "core/os_library.h"
#include "core/os_thread.h"

#include <stddef.h>
#include <string.h>

static mb_once_flag once = MB_ONCE_FLAG_INIT;
static mb_openblas_api api;
static bool opened;

/* POSIX gives functions as object pointers; the bytes are the same. */
static bool find(void *library, const char *name, void *slot)
{
    void *symbol = mb_os_library_symbol(library, name);
    memcpy(slot, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* All four functions, or the library counts as missing. */
static void open_once(void)
{
    /* Never unmapped: the usual build has threads that sleep in it. A program that sets OPENBLAS_NUM_THREADS=1 before
     * any of this, as ours does, gets none. */
    void *library = mb_os_library_open(MB_OS_LIBRARY("libopenblas.so.0", "libopenblas.dll"), 1);
    if (library == NULL) {
        return;
    }
    opened = find(library, "cblas_sgemm", &api.sgemm) &&
             find(library, "openblas_set_num_threads", &api.set_num_threads) &&
             find(library, "openblas_get_corename", &api.get_corename) &&
             find(library, "openblas_get_config", &api.get_config);
    if (opened) {
        api.set_num_threads(1); /* parallelism is ours: two pools would compete */
    }
}

/* Any thread may be the first. */
const mb_openblas_api *mb_openblas_open(void)
{
    mb_once(&once, open_once);
    return opened ? &api : NULL;
}

/* A limit on the address space is the one case that is known to hang it. */
bool mb_openblas_suits(void)
{
    return !mb_machine_address_space_is_limited();
}
