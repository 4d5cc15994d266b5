/* Options: the structs of the public header as the engine reads them. */
#ifndef MB_OPTIONS_OPTIONS_H
#define MB_OPTIONS_OPTIONS_H

#include "core/status.h"

/* A struct of the caller whose first field is its size: copied into ours of `known` bytes, missing fields keep the
 * defaults that `dst` holds. MB_E_ARGUMENT for a size that cannot be. */
MB_MUST_CHECK mb_status mb_copy_sized(void *dst, size_t known, const void *src, const char *type, mb_error *err);

#endif
