/* Mutations of JSON text by its values. */
#ifndef MB_TEST_FUZZ_MUTATE_JSON_H
#define MB_TEST_FUZZ_MUTATE_JSON_H

#include "fuzz.h"

/* Changes text[0 .. n) in place, by whole values and members where there are any; at most `capacity` bytes come out. */
size_t fuzz_mutate_json(char *text, size_t n, size_t capacity, fuzz_random *r);

#endif
