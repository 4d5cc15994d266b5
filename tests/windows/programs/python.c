/* python.exe: hands its arguments to the library of the interpreter, as Python's own program does. */
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
    HMODULE library = LoadLibraryW(L"python311.dll");
    FARPROC function = library != NULL ? GetProcAddress(library, "Py_Main") : NULL;
    int (*run)(int, wchar_t **);
    if (function == NULL) {
        (void)fprintf(stderr, "no python311.dll here: error %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    memcpy(&run, &function, sizeof run);
    return run(argc, argv);
}
