/* A test is a C program: CHECK what must hold, `return test_report();` at the end of main. */
#ifndef MB_TEST_CHECK_H
#define MB_TEST_CHECK_H

#include <stdbool.h>

#define CHECK(condition)          test_check((condition), __FILE__, __LINE__, #condition, "%s", "")
#define CHECK_MSG(condition, ...) test_check((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)
#define CHECK_OK(call, err)                                                                                            \
    do {                                                                                                               \
        (err) = (mb_error){0};                                                                                         \
        mb_status s_ = (call);                                                                                         \
        test_check(s_ == MB_OK, __FILE__, __LINE__, #call, "status %d: %s", s_, (err).message);                        \
    } while (0)

/* Counts, and prints what failed with the formatted note. Returns `ok`, so that a test can stop early. */
bool test_check(bool ok, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Prints "NAME: N checks, M failed"; 0 if all passed and there was at least one. */
int test_report(void);

#endif
