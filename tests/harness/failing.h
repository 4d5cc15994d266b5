/* The n-th allocation fails, for tests that link with the options of tests/fault/CMakeLists.txt: malloc,
 * calloc, realloc, posix_memalign and the start of threads of all code that is linked in, not of shared libraries. */
#ifndef MB_TEST_FAILING_H
#define MB_TEST_FAILING_H

#include <stdbool.h>

/* Counts from now on, and lets number n (from 0) fail; negative: none. Any thread. */
void failing_arm(long n);
/* Nothing fails from now on. Returns how many were counted. */
long failing_disarm(void);
/* Whether that number was reached since failing_arm. */
bool failing_struck(void);
/* Blocks that were allocated and not freed since the program began. */
long failing_blocks(void);
/* Their bytes, and the most of them at one time since the program began, or since a call with `anew`. */
long failing_bytes(void);
long failing_most_bytes(bool anew);

#endif
