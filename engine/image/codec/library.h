/* Picture libraries that are opened when the first file of their format is read or written, not linked: libheif brings
 * x265, aom, dav1d, de265 and the C++ runtime into a process, libtiff five compressors, libjxl its own. A run on JPEGs
 * pays for none of them, and the program starts on machines that lack them.
 *
 * Types and numbers come from the header of the build; the name of the file carries the version of that interface. Use:
 *
 *     #define FUNCTIONS(X) X(first_function) X(second_function)
 *     static struct { FUNCTIONS(MB_LIBRARY_FIELD) } api;
 *     #define SYMBOL(f) {#f, offsetof(__typeof__(api), f)},
 *     static const mb_library_symbol symbols[] = {FUNCTIONS(SYMBOL)};
 *     static mb_library library = MB_LIBRARY("libx.so.1", "libx1", api, symbols);
 *
 * and after mb_library_open(&library): api.first_function(...). */
#ifndef MB_IMAGE_CODEC_LIBRARY_H
#define MB_IMAGE_CODEC_LIBRARY_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One function of a library: its name, and where in the caller's table its address goes. */
typedef struct mb_library_symbol {
    const char *name;
    size_t offset;
} mb_library_symbol;

typedef struct mb_library {
    const char *file;    /* "libheif.so.1" */
    const char *package; /* Debian's name, for the message */
    const mb_library_symbol *symbols;
    size_t n_symbols;
    void *table;      /* receives the addresses */
    int state;        /* 0: not tried yet, 1: open, -1: cannot be used */
    char reason[160]; /* why not */
} mb_library;

#define MB_LIBRARY_FIELD(f) __typeof__(f) *f;
#define MB_LIBRARY(file_, package_, api_, symbols_)                                                                    \
    {                                                                                                                  \
        .file = (file_), .package = (package_), .symbols = (symbols_),                                                 \
        .n_symbols = sizeof(symbols_) / sizeof *(symbols_), .table = &(api_)                                           \
    }

/* Opens the library at the first call and fills its table; it is never closed. Any thread may be the first. False: it
 * is missing, or lacks a function; `reason` says which. */
bool mb_library_open(mb_library *library);
/* After a failure: MB_E_UNSUPPORTED, "HEIC needs libheif.so.1, which cannot be opened: ...", with the package. */
MB_MUST_CHECK mb_status mb_library_missing(const mb_library *library, const char *format, mb_error *err);

#endif
