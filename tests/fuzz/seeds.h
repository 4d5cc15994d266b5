/* First inputs of the fuzz targets. */
#ifndef MB_TEST_FUZZ_SEEDS_H
#define MB_TEST_FUZZ_SEEDS_H

#include "fuzz.h"

void seed_write(const char *target, size_t number, const void *bytes, size_t n);

void seeds_pictures(void);

#endif
