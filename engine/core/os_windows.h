/* What the os_*_windows.c files share: windows.h, names in UTF-16, errors as errno codes. */
#ifndef MB_CORE_OS_WINDOWS_H
#define MB_CORE_OS_WINDOWS_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#define NOMINMAX
#include <windows.h>

#include <stdbool.h>
#include <stddef.h>

/* UTF-16 of a path for the system's calls: absolute with \\?\ in front where it is long, so that neither 260 characters
 * nor a name's end matter. Free with mb_free. NULL: no memory, or no UTF-8 (then errno is EILSEQ). */
wchar_t *mb_windows_path(const char *path);
/* The same for other text. */
wchar_t *mb_windows_wide(const char *text);
/* UTF-8 of n units (n < 0: up to the zero); free with mb_free. NULL: no memory. Halves of surrogate pairs that stand
 * alone become U+FFFD. */
char *mb_windows_utf8(const wchar_t *text, int n);
/* Into a buffer. False: it does not fit. */
bool mb_windows_copy_utf8(char *out, size_t bytes, const wchar_t *text);

/* The errno code of a system error. */
int mb_windows_errno(DWORD error);
/* That of the last one; never 0. */
int mb_windows_last(void);

#endif
