/* Pickles as a row of operations: a reading of its own beside that of weights_tool/pickle.c. */
#ifndef MB_TEST_FUZZ_PICKLE_OPS_H
#define MB_TEST_FUZZ_PICKLE_OPS_H

#include "fuzz.h"

/* Bytes of the operation at p with its argument; 0: it does not end within n bytes, or there is none of that code. */
size_t pickle_op_bytes(const uint8_t *p, size_t n);
/* Changes operations of p[0 .. n) in place. */
size_t fuzz_mutate_pickle(uint8_t *p, size_t n, size_t capacity, fuzz_random *r);

#endif
