#include "mhd.h"

#include "../commands.h"
#include "../message.h"
#include "core/os_library.h"

#include <stddef.h>
#include <string.h>

#define LIBRARY "libmicrohttpd.so.12"

struct mhd mhd;

#define SYMBOL(f) {#f, offsetof(struct mhd, f)},
static const struct {
    const char *name;
    size_t offset;
} symbols[] = {MHD_FUNCTIONS(SYMBOL)};

/* Called before there are threads, and once in a process. The library is never closed. */
static int open_library(char *reason, size_t bytes)
{
    void *library = mb_os_library_open(LIBRARY, 1);
    if (library == NULL) {
        mb_os_library_reason(reason, bytes);
        return 0;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *f = mb_os_library_symbol(library, symbols[i].name);
        if (f == NULL) {
            (void)snprintf(reason, bytes, "it has no function %s", symbols[i].name);
            return 0;
        }
        memcpy((char *)&mhd + symbols[i].offset, &f, sizeof f); /* POSIX gives functions as object pointers */
    }
    return 1;
}

int mhd_open(void)
{
    char reason[200];
    if (open_library(reason, sizeof reason)) {
        return CODE_OK;
    }
    return message_error(CODE_MACHINE, "apt-get install libmicrohttpd12",
                         "the server needs " LIBRARY ", which cannot be opened here: %s", reason);
}

void serve_describe(char *text, size_t bytes)
{
    char reason[200];
    if (open_library(reason, sizeof reason)) {
        (void)snprintf(text, bytes, "libmicrohttpd %s (opened by serve alone)", mhd.MHD_get_version());
    } else {
        (void)snprintf(text, bytes, "none: %s", reason);
    }
}
