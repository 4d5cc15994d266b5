/* Tables of functions and the messages about what is not there. */
#include "cuda/vendor/nvlib.h"

#include "core/os_file.h"
#include "core/os_library.h"
#include "core/os_process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MB_CUDA_BUILD
#define MB_CUDA_BUILD 13000 /* the toolkit's version; the build sets it */
#endif
#ifndef MB_CUDA_FOLDERS
#define MB_CUDA_FOLDERS "" /* where this build's toolkit keeps its libraries */
#endif
#define MB_FOLDER_MOST 1024
/* A driver that has started threads must not be unmapped: closing only forgets it. */
#define FOR_GOOD 1

/* The tables of names, in the order of the tables of pointers that they fill. */
static const char *const driver_symbols[] = {
#define MB_SYMBOL(symbol, member, arguments) #symbol,
    MB_DRIVER_SYMBOLS(MB_SYMBOL)
#undef MB_SYMBOL
};
#define MB_LIBRARY_SYMBOL(type, symbol, member, arguments) #symbol,
static const char *const blaslt_symbols[] = {MB_BLASLT_SYMBOLS(MB_LIBRARY_SYMBOL)};
static const char *const dnn_symbols[] = {MB_DNN_SYMBOLS(MB_LIBRARY_SYMBOL)};
#undef MB_LIBRARY_SYMBOL
#define MB_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MB_CHECK_TABLE(api, symbols)                                                                                   \
    _Static_assert(sizeof(api) == MB_COUNT(symbols) * sizeof(void (*)(void)), "one pointer per symbol")
MB_CHECK_TABLE(mb_driver_api, driver_symbols);
MB_CHECK_TABLE(mb_blaslt_api, blaslt_symbols);
MB_CHECK_TABLE(mb_dnn_api, dnn_symbols);

/* Each folder of a list in turn. */
static void *find_in(const char *folders, const char *name)
{
    char path[MB_FOLDER_MOST + 128];
    const char separators[] = {mb_os_list_separator, '\0'};
    for (const char *at = folders; *at != '\0';) {
        size_t n = strcspn(at, separators);
        if (n > 0 && n < MB_FOLDER_MOST) {
            (void)snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name);
            void *handle = mb_os_library_open(path, FOR_GOOD);
            if (handle != NULL) {
                return handle;
            }
        }
        at += n + (at[n] == mb_os_list_separator);
    }
    return NULL;
}

/* Name by name, and for each name: the folders that were wished for, the system, this build's toolkit. */
void *mb_nvlib_find(const char *const *names, char *looked_in, size_t looked_in_bytes)
{
    const char *wished = mb_os_env("MATTEBOX_CUDA_LIBS");
    wished = wished != NULL ? wished : "";
    /* For messages: all places, in the order of the search. */
    (void)snprintf(looked_in, looked_in_bytes, "%s%sthe system's libraries%s%s", wished, wished[0] != '\0' ? ", " : "",
                   MB_CUDA_FOLDERS[0] != '\0' ? ", " : "", MB_CUDA_FOLDERS);
    for (int i = 0; names[i] != NULL; i++) {
        void *handle = find_in(wished, names[i]);
        handle = handle != NULL ? handle : mb_os_library_open(names[i], FOR_GOOD);
        handle = handle != NULL ? handle : find_in(MB_CUDA_FOLDERS, names[i]);
        if (handle != NULL) {
            return handle;
        }
    }
    return NULL;
}

/* The table is function pointers only (checked above), in the order of the names. */
const char *mb_nvlib_fill(void *table, void *handle, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *symbol = mb_os_library_symbol(handle, names[i]);
        if (symbol == NULL) {
            return names[i];
        }
        memcpy((unsigned char *)table + i * sizeof symbol, &symbol, sizeof symbol); /* POSIX: the same size and form */
    }
    return NULL;
}

/* Both clauses of a refusal. */
__attribute__((format(printf, 3, 4))) static void refuse(mb_device_refusal *r, const char *cure, const char *format,
                                                         ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->reason, sizeof r->reason, format, args);
    va_end(args);
    (void)snprintf(r->cure, sizeof r->cure, "%s", cure);
}

/* Initialises the driver and looks whether it can run this build. */
static bool greet_driver(mb_nvlib *lib, mb_device_refusal *refusal)
{
    mb_driver_api *cu = &lib->driver;
    int n_devices = 0;
    mb_cu_result r = cu->init(0);
    if (r == MB_CU_SUCCESS) {
        r = cu->version(&lib->driver_cuda);
    }
    if (r == MB_CU_SUCCESS) {
        r = cu->device_count(&n_devices);
    }
    /* A driver without a GPU is no broken driver: another cure. */
    if (r == MB_CU_NO_DEVICE || (r == MB_CU_SUCCESS && n_devices == 0)) {
        refuse(refusal, "Check that the GPU is visible (nvidia-smi, CUDA_VISIBLE_DEVICES)", "the driver sees no GPU");
        return false;
    }
    if (r != MB_CU_SUCCESS) {
        const char *text = NULL;
        (void)cu->error_text(r, &text);
        refuse(refusal, "Check the driver's installation (nvidia-smi)", "the driver does not start: %s (error %d)",
               text != NULL ? text : "no description", r);
        return false;
    }
    /* Minor versions run each other's programs. */
    if (lib->driver_cuda / 1000 < MB_CUDA_BUILD / 1000) {
        refuse(refusal, "Update the NVIDIA driver", "the driver supports CUDA %d.%d, this build needs %d.0",
               lib->driver_cuda / 1000, lib->driver_cuda % 1000 / 10, MB_CUDA_BUILD / 1000);
        return false;
    }
    return true;
}

/* Driver, then its functions, then a first call. What went wrong decides what the user should do. */
bool mb_nvlib_open(mb_nvlib *out, mb_device_refusal *refusal)
{
    static const char *const names[] = {MB_CUDA_DRIVER, NULL};
    char looked_in[256];
    *out = (mb_nvlib){0};
    out->driver_handle = mb_nvlib_find(names, looked_in, sizeof looked_in);
    if (out->driver_handle == NULL) {
        refuse(refusal, "Install the NVIDIA driver", "no driver (" MB_CUDA_DRIVER " not found)");
        return false;
    }
    const char *missing = mb_nvlib_fill(&out->driver, out->driver_handle, driver_symbols, MB_COUNT(driver_symbols));
    if (missing != NULL) {
        refuse(refusal, "Update the NVIDIA driver", "the driver is too old: " MB_CUDA_DRIVER " has no %s", missing);
    }
    if (missing != NULL || !greet_driver(out, refusal)) {
        mb_nvlib_close(out);
        return false;
    }
    return true;
}

/* ---- cuBLASLt and cuDNN ---- */
typedef struct library {
    const char *title, *switch_name;
    const char *names[3];
    const char *const *symbols;
    size_t n_symbols;
    size_t least; /* version */
} library;

static const library blaslt_library = {
    "cuBLASLt",
    "MATTEBOX_CUBLASLT",
    {MB_OS_LIBRARY("libcublasLt.so.13", "cublasLt64_13.dll"), MB_OS_LIBRARY("libcublasLt.so.12", "cublasLt64_12.dll")},
    blaslt_symbols,
    MB_COUNT(blaslt_symbols),
    120100};
static const library dnn_library = {
    "cuDNN",     "MATTEBOX_CUDNN",      {MB_OS_LIBRARY("libcudnn.so.9", "cudnn64_9.dll")},
    dnn_symbols, MB_COUNT(dnn_symbols), 90000};

/* Appends a clause; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void add_note(mb_nvlib *lib, const char *format, ...)
{
    size_t at = strlen(lib->note);
    if (at > 0) {
        at += (size_t)snprintf(lib->note + at, sizeof lib->note - at, "; ");
        at = at < sizeof lib->note ? at : sizeof lib->note - 1;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(lib->note + at, sizeof lib->note - at, format, args);
    va_end(args);
}

/* The library's handle with its table filled, or NULL; the first two entries of each table are its two versions. */
static void *open_library(mb_nvlib *lib, const library *l, void *table, int *version)
{
    const char *wish = mb_os_env(l->switch_name);
    char looked_in[256];
    if (wish != NULL && strcmp(wish, "off") == 0) {
        add_note(lib, "%s is switched off (%s)", l->title, l->switch_name);
        return NULL;
    }
    void *handle = mb_nvlib_find(l->names, looked_in, sizeof looked_in);
    if (handle == NULL) {
        add_note(lib, "%s%s%s not found (looked in: %s)", l->names[0], l->names[1] != NULL ? " and " : "",
                 l->names[1] != NULL ? l->names[1] : "", looked_in);
        return NULL;
    }
    const char *missing = mb_nvlib_fill(table, handle, l->symbols, l->n_symbols);
    size_t (*versions[2])(void) = {NULL, NULL};
    if (missing == NULL) {
        memcpy(versions, table, sizeof versions);
        /* cudart: the CUDA that the library was made for, which the driver must know. */
        size_t own = versions[0](), cudart = versions[1]();
        if (own >= l->least && cudart / 1000 <= (size_t)lib->driver_cuda / 1000) {
            *version = (int)own;
            return handle;
        }
        add_note(lib,
                 own < l->least ? "%s %zu is too old (%zu or newer is needed)"
                                : "%s %zu is made for CUDA %zu, newer than the driver",
                 l->title, own, own < l->least ? l->least : cudart / 1000);
    } else {
        add_note(lib, "%s is too old: it has no %s", l->title, missing);
    }
    mb_os_library_close(handle);
    return NULL;
}

/* Neither is needed: notes say what is missing. */
void mb_nvlib_open_libraries(mb_nvlib *lib)
{
    lib->note[0] = '\0';
    lib->blaslt_handle = open_library(lib, &blaslt_library, &lib->blaslt, &lib->blaslt_version);
    lib->dnn_handle = open_library(lib, &dnn_library, &lib->dnn, &lib->dnn_version);
}

/* In the reverse order of opening. */
void mb_nvlib_close(mb_nvlib *lib)
{
    /* The libraries use the driver. */
    void *handles[] = {lib->dnn_handle, lib->blaslt_handle, lib->driver_handle};
    for (size_t i = 0; i < MB_COUNT(handles); i++) {
        if (handles[i] != NULL) {
            mb_os_library_close(handles[i]);
        }
    }
    *lib = (mb_nvlib){0};
}
