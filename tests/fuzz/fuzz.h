/* What all fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; targets.txt lists them all. With clang
 * they are linked with libFuzzer, otherwise with driver.c, which replays files and mutates them a little. */
#ifndef MB_TEST_FUZZ_H
#define MB_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 fuzz_wide; /* what no product of two sizes leaves */
#else
typedef uint64_t fuzz_wide; /* sizes have 32 bits */
#endif

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
/* Of targets that have much to prepare: before the first input, whose time is limited. 0: it is done. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
/* Changes bytes[0 .. n) in place; the result has at most `capacity` bytes. libFuzzer's, or the driver's. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n, size_t capacity);
/* Of targets with a mutator of their own (mutate_*.c). */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed);

/* A property that does not hold: said on the standard error, then abort(), which libFuzzer keeps the input of. */
#define FUZZ_MUST(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fuzz_broken(__FILE__, __LINE__, #condition);                                                               \
        }                                                                                                              \
    } while (0)
void fuzz_broken(const char *file, int line, const char *condition) __attribute__((noreturn));

/* ---- random numbers (splitmix64), for mutators and for harnesses that make their inputs from a seed */

typedef struct fuzz_random {
    uint64_t state;
} fuzz_random;

uint64_t fuzz_next(fuzz_random *r);
size_t fuzz_below(fuzz_random *r, size_t n); /* 0 .. n - 1; 0 for n = 0 */
bool fuzz_one_in(fuzz_random *r, size_t n);
/* A number at the edge of something: 0, 1, -1, powers of two and their neighbours, neighbours of `near`. */
uint64_t fuzz_edge(fuzz_random *r, uint64_t near);

/* ---- reading an input piece by piece: numbers in a range, zeros once it is used up */

typedef struct fuzz_input {
    const uint8_t *at, *end;
} fuzz_input;

uint64_t fuzz_take(fuzz_input *in, size_t bytes);
int fuzz_range(fuzz_input *in, int low, int high); /* both included; takes 2 bytes */

/* ---- failing allocations (fault.c; the linker sends malloc and its kin to harness/failing.c) */

/* The last four bytes of the input decide, once in about a thousand inputs, that one of the next allocations fails. */
void fuzz_fault_begin(const uint8_t *bytes, size_t n);
/* Whether one has failed since. */
bool fuzz_fault_end(void);

#endif
