/* Libraries on Windows (os_library.h). */
#include "core/os_library.h"

#include "core/alloc.h"
#include "core/os_file.h"
#include "core/os_process.h"
#include "core/os_windows.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* A library given by its path finds those beside it. */
static HMODULE load(const char *name, DWORD flags)
{
    wchar_t *wide = mb_windows_wide(name);
    for (wchar_t *p = wide; p != NULL && *p != L'\0'; p++) {
        *p = *p == L'/' ? L'\\' : *p; /* the loader's search knows no other separator */
    }
    HMODULE m = wide != NULL ? LoadLibraryExW(wide, NULL, flags) : NULL;
    mb_free(wide);
    return m;
}

/* The folders of PATH one by one: the system's own search by PATH would look in the current folder first. */
static HMODULE load_from_path(const char *name)
{
    const char *at = mb_os_env("PATH");
    char file[MB_OS_PATH_BYTES];
    HMODULE m = NULL;
    while (at != NULL && *at != '\0' && m == NULL) {
        size_t n = strcspn(at, ";");
        int length = snprintf(file, sizeof file, "%.*s\\%s", (int)n, at, name);
        if (n > 0 && length > 0 && (size_t)length < sizeof file && mb_os_is_absolute(file) && mb_os_is_file(file)) {
            m = load(file, LOAD_WITH_ALTERED_SEARCH_PATH);
        }
        at += n + (at[n] == ';');
    }
    return m;
}

void *mb_os_library_open(const char *name, int for_good)
{
    bool plain = mb_os_file_name(name) == name;
    HMODULE m = plain ? load(name, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS) : load(name, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (m == NULL && plain) {
        m = load_from_path(name);
    }
    HMODULE kept;
    if (m != NULL && for_good) {
        (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                                 (const wchar_t *)(void *)m, &kept);
    }
    return m;
}

void mb_os_library_reason(char *text, size_t bytes)
{
    DWORD why = GetLastError();
    (void)snprintf(text, bytes,
                   why == ERROR_MOD_NOT_FOUND ? "it is not beside the program, in the system or on PATH" : "error %lu",
                   (unsigned long)why);
}

void *mb_os_library_symbol(void *library, const char *name)
{
    FARPROC function = GetProcAddress(library, name);
    void *symbol;
    memcpy(&symbol, &function, sizeof symbol);
    return symbol;
}

void mb_os_library_close(void *library)
{
    if (library != NULL) {
        (void)FreeLibrary(library);
    }
}
