/* This process on Windows (os_process.h). */
#include "core/os_process.h"

#include "core/alloc.h"
#include "core/os_file.h"
#include "core/os_thread.h"
#include "core/os_windows.h"

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- arguments */

typedef struct word_list {
    char **v;
    size_t n, capacity;
} word_list;

/* Takes the word. */
static bool add_word(word_list *l, char *word)
{
    if (word == NULL) {
        return false;
    }
    if (l->n + 1 >= l->capacity) { /* one place stays free for the NULL at the end */
        size_t capacity = l->capacity > 0 ? 2 * l->capacity : 32;
        char **more = mb_realloc_array(l->v, capacity, sizeof *more);
        if (more == NULL) {
            mb_free(word);
            return false;
        }
        l->v = more;
        l->capacity = capacity;
    }
    l->v[l->n++] = word;
    l->v[l->n] = NULL;
    return true;
}

/* Does `name` match a pattern of * and ?, whatever the case of its letters? */
static bool matches(const wchar_t *name, const wchar_t *pattern)
{
    const wchar_t *star = NULL, *from = NULL;
    while (*name != L'\0') {
        if (*pattern == L'*') {
            star = pattern++;
            from = name;
        } else if (*pattern == L'?' || CompareStringOrdinal(name, 1, pattern, 1, TRUE) == CSTR_EQUAL) {
            name++;
            pattern++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == L'*') {
        pattern++;
    }
    return *pattern == L'\0';
}

/* The names that a pattern matches in its folder, in the order of their bytes; the pattern itself where there are none,
 * so that the message names it. Takes the word. */
static bool add_matches(word_list *l, char *word)
{
    char **names, folder[MB_OS_PATH_BYTES];
    const char *last = mb_os_file_name(word);
    size_t n = 0, before = l->n, length = (size_t)(last - word);
    wchar_t *pattern = mb_windows_wide(last);
    bool fine = true;
    if (pattern != NULL && length < sizeof folder && strpbrk(last, "*?") != NULL) {
        (void)snprintf(folder, sizeof folder, "%.*s", (int)length, length > 0 ? word : "");
        if (mb_os_list(&names, &n, length > 0 ? folder : ".") == 0) {
            for (size_t i = 0; i < n && fine; i++) {
                wchar_t *name = mb_windows_wide(names[i]);
                if (name != NULL && names[i][0] != '.' && matches(name, pattern)) {
                    size_t bytes = length + strlen(names[i]) + 1;
                    char *path = mb_alloc(bytes);
                    if (path != NULL) {
                        (void)snprintf(path, bytes, "%s%s", length > 0 ? folder : "", names[i]);
                    }
                    fine = add_word(l, path);
                }
                mb_free(name);
            }
            mb_os_free_names(names, n);
        }
    }
    mb_free(pattern);
    if (fine && l->n == before) {
        return add_word(l, word);
    }
    mb_free(word);
    return fine;
}

/* The words live as long as the process. */
bool mb_os_arguments(int *argc, char ***argv)
{
    int n = 0;
    word_list l = {0};
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &n);
    bool fine = wide != NULL, options = true;
    for (int i = 0; i < n && fine; i++) {
        char *word = mb_windows_utf8(wide[i], -1);
        if (word == NULL) {
            fine = false;
        } else if (i == 0 || (options && word[0] == '-') || strpbrk(word, "*?") == NULL) {
            options = options && strcmp(word, "--") != 0;
            fine = add_word(&l, word);
        } else {
            fine = add_matches(&l, word);
        }
    }
    (void)LocalFree(wide);
    if (fine && l.n > 0 && l.n <= INT_MAX) {
        *argc = (int)l.n;
        *argv = l.v;
    }
    return fine;
}

/* ---- variables */

/* Values that were given out: they must not change or move. */
typedef struct variable {
    struct variable *next;
    char *name, *value;
} variable;

static variable *variables;
static mb_mutex variables_lock = MB_MUTEX_INIT;

#define SHORT_VALUE 1024 /* units; longer values take memory */

/* UTF-16 of a variable in `room` or, where it is longer, in memory of its own (*own); NULL: not set. */
static const wchar_t *read_variable(const char *name, wchar_t room[SHORT_VALUE], wchar_t **own)
{
    wchar_t wide[64];
    *own = NULL;
    if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 64) <= 0) {
        return NULL;
    }
    DWORD n = GetEnvironmentVariableW(wide, room, SHORT_VALUE);
    if (n < SHORT_VALUE) {
        return n > 0 ? room : NULL;
    }
    *own = mb_alloc_array((size_t)n + 1, sizeof **own);
    return *own != NULL && GetEnvironmentVariableW(wide, *own, n + 1) <= n ? *own : NULL;
}

/* Was this value given out? */
static const char *find_value(const char *name, const char *value)
{
    const variable *v = variables;
    while (v != NULL && !(strcmp(v->name, name) == 0 && strcmp(v->value, value) == 0)) {
        v = v->next;
    }
    return v != NULL ? v->value : NULL;
}

/* The system is asked each time: a program around the library may have another C library, whose changes ours does not
 * see. A value that was given out before is given again. */
const char *mb_os_env(const char *name)
{
    wchar_t room[SHORT_VALUE], *own;
    char text[3 * SHORT_VALUE], *copy = NULL;
    const wchar_t *wide = read_variable(name, room, &own);
    if (wide == NULL) {
        mb_free(own);
        return NULL;
    }
    if (!mb_windows_copy_utf8(text, sizeof text, wide)) {
        copy = mb_windows_utf8(wide, -1);
    }
    const char *value = copy != NULL ? copy : text, *kept = NULL;
    mb_mutex_lock(&variables_lock);
    kept = find_value(name, value);
    if (kept == NULL) {
        variable *v = mb_alloc(sizeof *v);
        char *n = mb_strdup(name), *t = mb_strdup(value);
        if (v != NULL && n != NULL && t != NULL) {
            *v = (variable){variables, n, t};
            variables = v;
            kept = t;
        } else {
            mb_free(v);
            mb_free(n);
            mb_free(t);
        }
    }
    mb_mutex_unlock(&variables_lock);
    mb_free(copy);
    mb_free(own);
    return kept;
}

void mb_os_set_env_if_missing(const char *name, const char *value)
{
    if (mb_os_env(name) == NULL) {
        wchar_t *n = mb_windows_wide(name), *v = mb_windows_wide(value);
        if (n != NULL && v != NULL) {
            (void)SetEnvironmentVariableW(n, v);
        }
        mb_free(n);
        mb_free(v);
    }
}

bool mb_os_program_path(char *out, size_t bytes)
{
    wchar_t *wide = mb_alloc_array(MB_OS_PATH_BYTES, sizeof *wide);
    DWORD n = wide != NULL ? GetModuleFileNameW(NULL, wide, MB_OS_PATH_BYTES) : 0;
    bool fine = n > 0 && n < MB_OS_PATH_BYTES && mb_windows_copy_utf8(out, bytes, wide);
    mb_free(wide);
    if (fine) {
        (void)mb_os_tidy_path(out);
    }
    return fine;
}

bool mb_os_user_folder(char *out, size_t bytes, mb_os_place place, const char *tail)
{
    static const char *const xdg[] = {"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"};
    const char *base = mb_os_env(xdg[place]);
    if (base == NULL || !mb_os_is_absolute(base)) {
        base = mb_os_env(place == MB_OS_CONFIG ? "APPDATA" : "LOCALAPPDATA");
    }
    int n = base != NULL && mb_os_is_absolute(base) ? snprintf(out, bytes, "%s/%s", base, tail) : -1;
    if (n > 0 && (size_t)n < bytes) {
        (void)mb_os_tidy_path(out);
        return true;
    }
    return false;
}

const char *mb_os_shared_data(int i)
{
    return i == 0 ? mb_os_env("PROGRAMDATA") : NULL;
}

/* ---- standard streams */

static UINT code_page_before;

static void restore_console(void)
{
    (void)SetConsoleOutputCP(code_page_before);
}

void mb_os_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (_get_osfhandle(fd) < 0) { /* a program without a console, or a closed stream */
            int substitute = _open("NUL", fd == 0 ? _O_WRONLY : _O_RDONLY);
            if (substitute >= 0 && substitute != fd) {
                (void)_dup2(substitute, fd);
                (void)_close(substitute);
            }
        }
        (void)_setmode(fd, _O_BINARY);
        HANDLE h = (HANDLE)_get_osfhandle(fd);
        DWORD mode;
        if (fd > 0 && GetConsoleMode(h, &mode)) {
            (void)SetConsoleMode(h, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        }
    }
    code_page_before = GetConsoleOutputCP();
    if (code_page_before != 0 && code_page_before != CP_UTF8 && SetConsoleOutputCP(CP_UTF8)) {
        (void)atexit(restore_console);
    }
    /* The C library would write byte by byte, and the console shows no character of which it gets a part; messages are
     * flushed where they end. */
    (void)setvbuf(stderr, NULL, _IOFBF, 4096);
}

bool mb_os_is_terminal(int fd)
{
    DWORD mode;
    return GetConsoleMode((HANDLE)_get_osfhandle(fd), &mode) != 0;
}

int mb_os_columns(int fd)
{
    CONSOLE_SCREEN_BUFFER_INFO i;
    return GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(fd), &i) ? i.srWindow.Right - i.srWindow.Left + 1 : 0;
}

int mb_os_fd(FILE *f)
{
    return _fileno(f);
}

/* ---- signals */

static void (*interrupt_call)(bool terminated);
static const char *lost_text;
static int lost_code;

/* In a thread of the system. After closing a window the process is ended as soon as this returns, or after some seconds:
 * waiting gives the work the time to end in order. */
static BOOL WINAPI on_console(DWORD event)
{
    bool terminated = event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT;
    interrupt_call(terminated);
    if (terminated) {
        Sleep(4000);
    }
    return TRUE;
}

void mb_os_on_interrupt(void (*call)(bool terminated))
{
    interrupt_call = call;
    (void)SetConsoleCtrlHandler(NULL, FALSE); /* a parent may have switched Ctrl-C off for its children */
    (void)SetConsoleCtrlHandler(on_console, TRUE);
}

/* EXCEPTION_IN_PAGE_ERROR is what SIGBUS is elsewhere. */
static LONG WINAPI on_exception(EXCEPTION_POINTERS *e)
{
    if (e->ExceptionRecord->ExceptionCode != (DWORD)EXCEPTION_IN_PAGE_ERROR) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    DWORD n;
    (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), lost_text, (DWORD)strlen(lost_text), &n, NULL);
    mb_os_exit_now(lost_code);
}

void mb_os_on_lost_file(const char *text, int code)
{
    lost_text = text;
    lost_code = code;
    (void)SetUnhandledExceptionFilter(on_exception);
}

/* There are no such signals. */
void mb_os_ignore_pipe(void) {}

void mb_os_restore_pipe(void) {}

void mb_os_ignore_file_limit(void) {}

_Noreturn void mb_os_exit_now(int code)
{
    (void)TerminateProcess(GetCurrentProcess(), (UINT)code);
    for (;;) {
    }
}

/* ---- processor */

bool mb_os_has_arm_bf16(void)
{
    return false;
}

/* Windows 11 and Server 2022 give the registers to processes that ask. */
bool mb_os_ask_for_tiles(void)
{
    typedef BOOL(WINAPI * enable)(DWORD64);
    const DWORD64 tile_data = (DWORD64)1 << 18;
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    FARPROC function = kernel != NULL ? GetProcAddress(kernel, "EnableProcessOptionalXStateFeatures") : NULL;
    enable call;
    memcpy(&call, &function, sizeof call);
    return call != NULL && call(tile_data);
}
