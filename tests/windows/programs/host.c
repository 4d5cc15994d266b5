/* A program that has the library by its DLL, as a user's program would: host.exe PHOTO PNG. Built three times: linked with
 * MinGW's import library, as a console program and as one without a console (tests/windows/library.sh), and with
 * -DBY_NAME, which loads the DLL and looks for its functions. 0: cut out, nothing was left behind, no console was opened. */
#include "mattebox.h"

#define QUOTE(x)         #x
#define TEXT_OF(a, b, c) QUOTE(a) "." QUOTE(b) "." QUOTE(c)
#define VERSION          TEXT_OF(MB_VERSION_MAJOR, MB_VERSION_MINOR, MB_VERSION_PATCH)

#include <stdio.h>
#include <string.h>
#include <windows.h>

static int fail(const char *what)
{
    (void)fprintf(stderr, "host: %s\n", what);
    return 1;
}

#ifdef BY_NAME
#define ROUNDS 3
static const char *(*version)(void);
static mb_status (*cutout_file)(const char *, const char *, const char *, mb_error *);

static HMODULE open_library(void)
{
    HMODULE m = LoadLibraryW(L"mattebox.dll");
    FARPROC a = m != NULL ? GetProcAddress(m, "mb_version") : NULL;
    FARPROC b = m != NULL ? GetProcAddress(m, "mb_cutout_file") : NULL;
    memcpy(&version, &a, sizeof version);
    memcpy(&cutout_file, &b, sizeof cutout_file);
    return a != NULL && b != NULL ? m : NULL;
}
#else
#define ROUNDS      1
#define version     mb_version
#define cutout_file mb_cutout_file
#endif

int main(int argc, char **argv)
{
    mb_error err = {0};
    const HWND console = GetConsoleWindow();
    const UINT code_page = GetConsoleOutputCP();
    if (argc != 3) {
        return fail("usage: host PHOTO PNG");
    }
    for (int i = 0; i < ROUNDS; i++) {
#ifdef BY_NAME
        HMODULE m = open_library();
        if (m == NULL) {
            return fail("mattebox.dll is not there, or lacks a function");
        }
#endif
        if (strcmp(version(), VERSION) != 0) {
            return fail("the DLL has another version than the header");
        }
        if (cutout_file("demo", argv[1], argv[2], &err) != MB_OK) {
            return fail(err.message);
        }
        if (cutout_file("demo", "not there.jpg", "none.png", &err) == MB_OK ||
            strstr(err.message, "not there.jpg") == NULL) {
            return fail("a photo that is not there gave no error with its name");
        }
#ifdef BY_NAME
        if (!FreeLibrary(m) || GetModuleHandleW(L"mattebox.dll") != NULL) {
            return fail("the DLL stays in memory");
        }
#endif
    }
    if (GetConsoleWindow() != console || GetConsoleOutputCP() != code_page) {
        return fail("the library touched the console");
    }
    return 0;
}
