/* What a virus scanner does: hold.exe FILE MS opens the file, lets nobody else have it for so long, and lets go. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int main(int argc, char **argv)
{
    HANDLE h = argc == 3 ? CreateFileA(argv[1], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) : INVALID_HANDLE_VALUE;
    if (h == INVALID_HANDLE_VALUE) {
        return 1;
    }
    (void)puts("held");
    (void)fflush(stdout);
    Sleep((DWORD)atoi(argv[2]));
    (void)CloseHandle(h);
    return 0;
}
