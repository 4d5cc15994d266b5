/* One number for pixels and results, so that runs can be compared without keeping them. Only the public header is needed. */
#ifndef MB_TEST_IMAGE_HASH_H
#define MB_TEST_IMAGE_HASH_H

#include <mattebox.h>

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037) /* FNV-1a, 64 bits */

uint64_t hash_mix(uint64_t h, const void *data, size_t n);
/* Size, kind and pixels; what lies between rows does not count. */
uint64_t hash_image(uint64_t h, const mb_image *m);
/* All pictures of a result. */
uint64_t hash_result(uint64_t h, const mb_result *r);

#endif
