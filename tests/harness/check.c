#include "harness/check.h"

#include <stdarg.h>
#include <stdio.h>

static int n_checks, n_failed;

bool test_check(bool ok, const char *file, int line, const char *what, const char *format, ...)
{
    n_checks++;
    if (!ok) {
        n_failed++;
        fprintf(stderr, "%s:%d: failed: %s  ", file, line, what);
        va_list args;
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
    }
    return ok;
}

int test_report(void)
{
    printf("%d checks, %d failed\n", n_checks, n_failed);
    return n_checks > 0 && n_failed == 0 ? 0 : 1;
}
