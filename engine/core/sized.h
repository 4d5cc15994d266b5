/* Structs of the public header whose first field is their size in bytes, as the caller was compiled: older callers have
 * shorter ones, newer callers longer ones. */
#ifndef MB_CORE_SIZED_H
#define MB_CORE_SIZED_H

#include "core/status.h"

/* A struct of the caller into ours of `known` bytes; fields that the caller's does not have keep the defaults that
 * `dst` holds. MB_E_ARGUMENT for a size that cannot be. */
MB_MUST_CHECK mb_status mb_copy_sized(void *dst, size_t known, const void *src, const char *type, mb_error *err);
/* MB_E_ARGUMENT unless the size in a struct of the caller can be. */
MB_MUST_CHECK mb_status mb_check_sized(const void *sized, const char *type, mb_error *err);
/* Ours of `known` bytes into the caller's, as far as that goes; the caller's size stays. */
void mb_return_sized(void *dst, const void *src, size_t known);

#endif
