/* Opens the optional picture libraries (library.h). */
#include "image/codec/library.h"

#include "core/os_library.h"
#include "core/os_thread.h"

#include <stdio.h>
#include <string.h>

/* One lock for all: libraries are opened a few times in the life of a process. */
static mb_mutex lock = MB_MUTEX_INIT;

static bool open_now(mb_library *library)
{
    void *handle = mb_os_library_open(library->file, 0);
    if (handle == NULL) {
        mb_os_library_reason(library->reason, sizeof library->reason);
        return false;
    }
    for (size_t i = 0; i < library->n_symbols; i++) {
        void *symbol = mb_os_library_symbol(handle, library->symbols[i].name);
        if (symbol == NULL) {
            (void)snprintf(library->reason, sizeof library->reason, "it has no function %s", library->symbols[i].name);
            return false;
        }
        /* POSIX gives functions as object pointers; the bytes are the same. */
        memcpy((char *)library->table + library->symbols[i].offset, &symbol, sizeof symbol);
    }
    return true;
}

bool mb_library_open(mb_library *library)
{
    mb_mutex_lock(&lock);
    if (library->state == 0) {
        library->state = open_now(library) ? 1 : -1;
    }
    const bool open = library->state > 0;
    mb_mutex_unlock(&lock);
    return open;
}

mb_status mb_library_missing(const mb_library *library, const char *format, mb_error *err)
{
    return mb_fail(err, MB_E_UNSUPPORTED,
                   "%s needs %s, which cannot be opened here: %s\ninstall %s, or convert it to PNG or JPEG", format,
                   library->file, library->reason, library->package);
}
