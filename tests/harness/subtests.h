/* Between check.c and subtests.c. */
#ifndef MB_TEST_SUBTESTS_H
#define MB_TEST_SUBTESTS_H

#include <stdbool.h>

extern bool test_breaks; /* --break */

/* Of the whole process so far. */
int test_n_checks(void);
int test_n_failed(void);

#endif
