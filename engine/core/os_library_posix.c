/* Libraries by dlopen (os_library.h). */
#define _GNU_SOURCE
#include "core/os_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

void *mb_os_library_open(const char *name, int for_good)
{
    return dlopen(name, RTLD_NOW | RTLD_LOCAL | (for_good ? RTLD_NODELETE : 0));
}

void mb_os_library_reason(char *text, size_t bytes)
{
    const char *why = dlerror();
    (void)snprintf(text, bytes, "%s", why != NULL ? why : "no reason was given");
}

void *mb_os_library_symbol(void *library, const char *name)
{
    return dlsym(library, name);
}

void mb_os_library_close(void *library)
{
    if (library != NULL) {
        (void)dlclose(library);
    }
}
