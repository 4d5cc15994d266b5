/* The platform seam, part 3: libraries that are opened at run time. */
#ifndef MB_CORE_OS_LIBRARY_H
#define MB_CORE_OS_LIBRARY_H

#include <stddef.h>

/* The name of a library on this system. */
#ifdef _WIN32
#define MB_OS_LIBRARY(posix, windows) windows
#else
#define MB_OS_LIBRARY(posix, windows) posix
#endif

/* By name (the system's search; on Windows the program's folder, the system's and PATH, never the current folder) or by
 * path. NULL: not there. It stays in memory after mb_os_library_close where `for_good`: libraries with threads. */
void *mb_os_library_open(const char *name, int for_good);
/* Why the last mb_os_library_open of this thread failed; a long text is cut. */
void mb_os_library_reason(char *text, size_t bytes);
void *mb_os_library_symbol(void *library, const char *name); /* a function, as the bytes of its pointer */
void mb_os_library_close(void *library);

#endif
