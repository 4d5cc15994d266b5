/* Runs a program and ends it in a way that shells have no word for: end_it.exe HOW MS COMMAND [FILE]. When the file is there,
 * and so many milliseconds later: ctrl-c (to all of the console), ctrl-break, or kill (TerminateProcess). Prints the
 * program's exit code; 0 unless something of this failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static BOOL WINAPI not_for_us(DWORD event)
{
    (void)event;
    return TRUE;
}

int main(int argc, char **argv)
{
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    char command[8192];
    DWORD code = 0;
    if ((argc != 4 && argc != 5) || strlen(argv[3]) >= sizeof command) {
        return 2;
    }
    (void)FreeConsole();
    if (!AllocConsole()) { /* one of our own, which nobody else hears */
        return 3;
    }
    (void)SetConsoleCtrlHandler(NULL, FALSE);
    (void)strcpy(command, argv[3]);
    if (!CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        return 4;
    }
    (void)SetConsoleCtrlHandler(not_for_us, TRUE);
    while (argc == 5 && GetFileAttributesA(argv[4]) == INVALID_FILE_ATTRIBUTES &&
           WaitForSingleObject(child.hProcess, 20) == WAIT_TIMEOUT) {
    }
    const DWORD wait = WaitForSingleObject(child.hProcess, (DWORD)atoi(argv[2]));
    if (wait == WAIT_TIMEOUT) {
        const BOOL sent = strcmp(argv[1], "kill") == 0     ? TerminateProcess(child.hProcess, 99)
                          : strcmp(argv[1], "ctrl-c") == 0 ? GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)
                                                           : GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0);
        if (!sent) {
            (void)fprintf(stderr, "error %lu\n", (unsigned long)GetLastError());
            return 5;
        }
    }
    if (WaitForSingleObject(child.hProcess, 300000) != WAIT_OBJECT_0 || !GetExitCodeProcess(child.hProcess, &code)) {
        (void)TerminateProcess(child.hProcess, 98);
        return 6;
    }
    (void)printf("%s %lu\n", wait == WAIT_OBJECT_0 ? "ended by itself" : "ended", (unsigned long)code);
    return 0;
}
