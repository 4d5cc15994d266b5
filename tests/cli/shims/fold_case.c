/* Preloaded by tests/cli/nothing_lost.c: a file system that ignores the case of letters, as far as the program's question
 * for it goes (app/clashes.c): names that are missing are looked for in small letters. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int access(const char *path, int mode)
{
    static int (*real)(const char *, int);
    char small[PATH_MAX];
    void *symbol = dlsym(RTLD_NEXT, "access");
    memcpy(&real, &symbol, sizeof symbol);
    const char *slash = strrchr(path, '/');
    const size_t n = strlen(path), from = slash != NULL ? (size_t)(slash - path) : 0;
    if (real(path, mode) == 0 || n >= sizeof small) {
        return n >= sizeof small ? -1 : 0;
    }
    memcpy(small, path, n + 1);
    for (size_t i = from; i < n; i++) {
        small[i] = (char)tolower((unsigned char)small[i]);
    }
    return real(small, mode);
}
