/* The small network that is linked into the library (MATTEBOX_EMBED_MODEL). */
#ifndef MB_PIPELINE_BUILTIN_H
#define MB_PIPELINE_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>

/* Its .mbw file in memory; false if this build has none. */
bool mb_builtin_model(const void **bytes, size_t *n_bytes);

/* Is it called that? "default" and "demo" are its names, where no installed model has them. */
bool mb_builtin_is_named(const char *name);

#endif
