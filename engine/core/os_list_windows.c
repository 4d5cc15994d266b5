/* Listing folders on Windows (os_file.h). */
#include "core/os_file.h"
#include "core/sort.h"

#include "core/alloc.h"
#include "core/os_windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the name. False: out of memory. */
static bool add_name(char ***names, size_t *n, size_t *capacity, const wchar_t *name)
{
    if (*n == *capacity) {
        size_t larger = *capacity > 0 ? 2 * *capacity : 64;
        char **more = mb_realloc_array(*names, larger, sizeof *more);
        if (more == NULL) {
            return false;
        }
        *names = more;
        *capacity = larger;
    }
    (*names)[*n] = mb_windows_utf8(name, -1);
    if ((*names)[*n] == NULL) {
        return false;
    }
    ++*n;
    return true;
}

/* An empty folder has "." and ".." as well, so that finding nothing is always an error. */
int mb_os_list(char ***names, size_t *n, const char *folder)
{
    char pattern[MB_OS_PATH_BYTES + 2];
    size_t capacity = 0;
    WIN32_FIND_DATAW entry;
    *names = NULL;
    *n = 0;
    int length = snprintf(pattern, sizeof pattern, "%s/*", folder);
    wchar_t *wide = length > 0 && (size_t)length < sizeof pattern ? mb_windows_path(pattern) : NULL;
    if (wide == NULL) {
        return ENOENT;
    }
    HANDLE find = FindFirstFileW(wide, &entry);
    int code = find != INVALID_HANDLE_VALUE ? 0 : mb_windows_last();
    mb_free(wide);
    for (BOOL more = code == 0; more && code == 0; more = FindNextFileW(find, &entry)) {
        if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0 &&
            !add_name(names, n, &capacity, entry.cFileName)) {
            code = ENOMEM;
        }
    }
    if (find != INVALID_HANDLE_VALUE) {
        (void)FindClose(find);
    }
    if (code != 0) {
        mb_os_free_names(*names, *n);
        *names = NULL;
        *n = 0;
    } else if (*n > 0) {
        mb_sort(*names, *n, sizeof **names, by_bytes);
    }
    return code;
}
