/* Versions, what is in this build, names of statuses. */
#include "pipeline/context.h"

#include "core/cpu.h"
#include "image/codec/load.h"
#include "pipeline/builtin.h"

#include <stdio.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *mb_version(void)
{
    return TEXT(MB_VERSION_MAJOR) "." TEXT(MB_VERSION_MINOR) "." TEXT(MB_VERSION_PATCH);
}

/* The names of the constants themselves, for logs. */
const char *mb_status_name(mb_status status)
{
    static const char *const names[] = {"MB_OK",          "MB_E_ARGUMENT", "MB_E_MEMORY",      "MB_E_IO",
                                        "MB_E_FORMAT",    "MB_E_MISMATCH", "MB_E_UNSUPPORTED", "MB_E_DEVICE",
                                        "MB_E_CANCELLED", "MB_E_INTERNAL"};
    int i = -(int)status;
    return i >= 0 && i < (int)(sizeof names / sizeof names[0]) ? names[i] : "unknown status";
}

/* One "key: value" a line. */
void mb_build_info(char *text, size_t text_bytes)
{
#ifdef NDEBUG
    const char *kind = "release";
#else
    const char *kind = "with assertions";
#endif
    char products[160], products16[160], formats[400];
    const void *bytes;
    size_t n_bytes;
    mb_backend_cpu_products(products, sizeof products);
    mb_backend_cpu_products16(products16, sizeof products16);
    mb_load_formats(formats, sizeof formats);
    (void)snprintf(text, text_bytes,
                   "version: %s\ncompiler: %s\nbuild: %s\ninstruction set: %s\nmatrix products: %s\n16-bit products: "
                   "%s\nbuilt-in model: %s\npictures: %s\ncolour profiles: %s\n",
                   mb_version(), __VERSION__, kind, mb_isa_name(mb_cpu_best_isa()), products, products16,
                   mb_builtin_model(&bytes, &n_bytes) ? "demo" : "none", formats, mb_profile_library());
}
