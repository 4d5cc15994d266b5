/* Names in UTF-16, and errors as errno codes, on Windows (os_windows.h). */
#include "core/os_windows.h"

#include "core/alloc.h"
#include "core/os_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

const char mb_os_list_separator = ';';

/* Longer ones get the prefix: 260 less the 12 characters that a folder must leave for a file's short name. */
#define PLAIN_MOST 247

wchar_t *mb_windows_wide(const char *text)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (n <= 0) {
        errno = EILSEQ;
        return NULL;
    }
    wchar_t *wide = mb_alloc_array((size_t)n, sizeof *wide);
    if (wide == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n);
    return wide;
}

char *mb_windows_utf8(const wchar_t *text, int n)
{
    int length = n < 0 ? (int)wcslen(text) : n;
    int bytes = length > 0 ? WideCharToMultiByte(CP_UTF8, 0, text, length, NULL, 0, NULL, NULL) : 0;
    char *out = mb_alloc((size_t)bytes + 1);
    if (out != NULL) {
        if (bytes > 0) {
            (void)WideCharToMultiByte(CP_UTF8, 0, text, length, out, bytes, NULL, NULL);
        }
        out[bytes] = '\0';
    }
    return out;
}

bool mb_windows_copy_utf8(char *out, size_t bytes, const wchar_t *text)
{
    return bytes > 0 && bytes <= INT_MAX && WideCharToMultiByte(CP_UTF8, 0, text, -1, out, (int)bytes, NULL, NULL) > 0;
}

static bool is_wide_separator(wchar_t c)
{
    return c == L'/' || c == L'\\';
}

/* Of a path with the prefix the system takes every letter as it is: only '\' separates, and one is enough. False, and
 * nothing is changed: it has no prefix. */
static bool keep_verbatim(wchar_t *path)
{
    if (!is_wide_separator(path[0]) || !is_wide_separator(path[1]) || path[2] != L'?' || !is_wide_separator(path[3])) {
        return false;
    }
    wchar_t *to = path;
    for (const wchar_t *from = path; *from != L'\0'; from++) {
        bool doubled = is_wide_separator(*from) && from > path + 3 && to[-1] == L'\\';
        if (!doubled) {
            *to++ = is_wide_separator(*from) ? L'\\' : *from;
        }
    }
    *to = L'\0';
    return true;
}

/* "C:\folder\file" -> "\\?\C:\folder\file", "\\server\share" -> "\\?\UNC\server\share", "\\.\C:\file" -> "\\?\C:\file". */
static wchar_t *with_prefix(const wchar_t *full)
{
    bool device = wcsncmp(full, L"\\\\.\\", 4) == 0, share = !device && full[0] == L'\\' && full[1] == L'\\';
    const wchar_t *prefix = share ? L"\\\\?\\UNC\\" : L"\\\\?\\";
    const wchar_t *rest = device ? full + 4 : share ? full + 2 : full;
    size_t n = wcslen(prefix), m = wcslen(rest) + 1;
    wchar_t *out = mb_alloc_array(n + m, sizeof *out);
    if (out == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(out, prefix, n * sizeof *out);
    memcpy(out + n, rest, m * sizeof *out);
    return out;
}

/* Short ones are left as they are: the system's own rules hold for them. */
wchar_t *mb_windows_path(const char *path)
{
    wchar_t *wide = mb_windows_wide(path);
    if (wide == NULL || keep_verbatim(wide) || wcslen(wide) <= PLAIN_MOST) {
        return wide;
    }
    DWORD n = GetFullPathNameW(wide, 0, NULL, NULL); /* also turns '/' and ".." into what the prefix needs */
    wchar_t *full = n > 0 ? mb_alloc_array((size_t)n + 1, sizeof *full) : NULL;
    wchar_t *out = NULL;
    if (full != NULL && GetFullPathNameW(wide, n + 1, full, NULL) <= n) {
        out = with_prefix(full);
    }
    mb_free(full);
    mb_free(wide);
    if (out == NULL && errno != EILSEQ) {
        errno = ENOMEM;
    }
    return out;
}

/* ---- names */

char *mb_os_tidy_path(char *path)
{
    for (char *p = path; *p != '\0'; p++) {
        *p = *p == '\\' ? '/' : *p;
    }
    return path;
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

static bool has_drive(const char *path)
{
    return ((path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z')) && path[1] == ':';
}

/* "/folder" is a place on the current drive: good enough to mean one file for the life of the process. */
bool mb_os_is_absolute(const char *path)
{
    return is_separator(path[0]) || (has_drive(path) && is_separator(path[2]));
}

const char *mb_os_file_name(const char *path)
{
    const char *name = has_drive(path) ? path + 2 : path;
    for (const char *p = name; *p != '\0'; p++) {
        name = is_separator(*p) ? p + 1 : name;
    }
    return name;
}

/* With the system's own rules for other letters (a table of single units, not a language's). */
int mb_os_compare_names(const char *a, const char *b)
{
    wchar_t *x = mb_windows_wide(a), *y = mb_windows_wide(b);
    int order = x != NULL && y != NULL ? CompareStringOrdinal(x, -1, y, -1, TRUE) - CSTR_EQUAL : strcmp(a, b);
    mb_free(x);
    mb_free(y);
    return order;
}

size_t mb_os_name_length(const char *name)
{
    wchar_t *wide = mb_windows_wide(name);
    size_t n = wide != NULL ? wcslen(wide) : strlen(name);
    mb_free(wide);
    return n;
}

/* ---- names that no file can have */

/* Is it a device in every folder, in any letters and with any ending? */
static bool is_device(const char *name, size_t n)
{
    static const char *const words[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    static const char *const numbers[] = {"1", "2", "3", "4",        "5",        "6",
                                          "7", "8", "9", "\xc2\xb9", "\xc2\xb2", "\xc2\xb3"};
    size_t stem = 0;
    while (stem < n && name[stem] != '.') {
        stem++;
    }
    while (stem > 0 && name[stem - 1] == ' ') {
        stem--;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (stem == strlen(words[i]) && strncasecmp(name, words[i], stem) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (stem == 3 + strlen(numbers[i]) && memcmp(name + 3, numbers[i], stem - 3) == 0 &&
            (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0)) {
            return true;
        }
    }
    return false;
}

/* Of one part of a path. NULL: a file may be called so. */
static const char *trouble_of_part(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < ' ') {
            return "control characters cannot be part of a name on Windows";
        }
        if (c == '*' || c == '?') {
            return "* and ? cannot be part of a name on Windows, and no file matches the pattern";
        }
        if (c == '"') {
            return "a quotation mark cannot be part of a name on Windows; \\ before the mark that closes a word stands "
                   "for the "
                   "mark itself: leave it away";
        }
        if (c == ':') {
            return "a colon cannot be part of a name on Windows (what follows it would be a stream of the file)";
        }
        if (c == '<' || c == '>' || c == '|') {
            return "<, > and | cannot be part of a name on Windows";
        }
    }
    bool is_dots = n > 0 && n <= 2 && name[0] == '.' && name[n - 1] == '.';
    if (n > 0 && !is_dots && (name[n - 1] == '.' || name[n - 1] == ' ')) {
        return "a name cannot end in a dot or a blank on Windows";
    }
    return is_device(name, n) ? "that is the name of a device on Windows, with any ending and in any folder" : NULL;
}

/* NUL by itself is left to those who mean it: what is written there is gone. */
bool mb_os_name_trouble(char *text, size_t bytes, const char *path)
{
    bool prefix =
        is_separator(path[0]) && is_separator(path[1]) && (path[2] == '?' || path[2] == '.') && is_separator(path[3]);
    const char *at = prefix ? path + 4 : path, *why = NULL;
    wchar_t *wide = mb_windows_wide(path);
    if (wide == NULL && errno == EILSEQ) {
        why = "the name is no valid UTF-8 (in a list that cmd.exe writes it is after chcp 65001)";
    }
    mb_free(wide);
    if (why == NULL && has_drive(at)) {
        if ((GetLogicalDrives() & 1u << ((at[0] | 0x20) - 'a')) == 0) {
            (void)snprintf(text, bytes, "there is no drive %c:", at[0]);
            return true;
        }
        at += 2;
    }
    while (why == NULL && *at != '\0') {
        size_t n = strcspn(at, "/\\");
        bool nul = at[n] == '\0' && n == 3 && strncasecmp(at, "NUL", 3) == 0;
        why = nul ? NULL : trouble_of_part(at, n);
        at += n + (at[n] != '\0');
    }
    if (why != NULL) {
        (void)snprintf(text, bytes, "%s", why);
    }
    return why != NULL;
}

/* ---- errors */

int mb_windows_errno(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS:
        return 0;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_NOT_READY:
        return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_PRIVILEGE_NOT_HELD:
        return EACCES;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
    case ERROR_DELETE_PENDING:
        return EBUSY;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS:
        return EEXIST;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        return ENOSPC;
    case ERROR_FILE_TOO_LARGE:
        return EFBIG;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NO_SYSTEM_RESOURCES:
        return ENOMEM;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
        return EPIPE;
    case ERROR_FILENAME_EXCED_RANGE:
        return ENAMETOOLONG;
    case ERROR_DIRECTORY:
        return ENOTDIR;
    case ERROR_INVALID_HANDLE:
        return EBADF;
    case ERROR_INVALID_PARAMETER:
        return EINVAL;
    case ERROR_NOT_SUPPORTED:
    case ERROR_INVALID_FUNCTION:
        return ENOSYS;
    default:
        return EIO;
    }
}

int mb_windows_last(void)
{
    int code = mb_windows_errno(GetLastError());
    return code != 0 ? code : EIO;
}

const char *mb_os_error_text(int code, char *buffer, size_t bytes)
{
    if (code == EBUSY) {
        return "another program has it open";
    }
    if (code == EROFS) {
        return "it is marked read-only (attrib -r takes the mark away)";
    }
    if (code == EILSEQ) {
        return "the name is no valid UTF-8";
    }
    (void)snprintf(buffer, bytes, "error %d", code);
    (void)strerror_s(buffer, bytes, code);
    return buffer;
}

const char *mb_os_full(int code)
{
    return code == ENOSPC  ? "no space left on the disk"
           : code == EFBIG ? "a file may not become that large on this disk"
                           : NULL;
}
