/* Libraries by dlopen (os_library.h). */
#define _GNU_SOURCE
#include "core/os_library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifdef __APPLE__
/* "libtiff.so.6" is libtiff.6.dylib there: from the system's folders, or Homebrew's, where dlopen does not look. */
static void *open_by_name(const char *name, int flags)
{
    static const char *const folders[] = {"", "/opt/homebrew/lib/"};
    char file[256];
    const char *so = strstr(name, ".so");
    void *library = NULL;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && library == NULL && so != NULL; i++) {
        int n = snprintf(file, sizeof file, "%s%.*s%s.dylib", folders[i], (int)(so - name), name, so + 3);
        library = n > 0 && (size_t)n < sizeof file ? dlopen(file, flags) : NULL;
    }
    return library;
}
#else
static void *open_by_name(const char *name, int flags)
{
    return dlopen(name, flags);
}
#endif

void *mb_os_library_open(const char *name, int for_good)
{
    int flags = RTLD_NOW | RTLD_LOCAL | (for_good ? RTLD_NODELETE : 0);
    return strchr(name, '/') == NULL ? open_by_name(name, flags) : dlopen(name, flags);
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
