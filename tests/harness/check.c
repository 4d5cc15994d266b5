/* Checks and what they print; run.c has the sub-tests. */
#include "harness/check.h"

#include "harness/subtests.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_int n_checks, n_failed;

int test_n_checks(void)
{
    return n_checks;
}

int test_n_failed(void)
{
    return n_failed;
}

bool test_check(bool ok, const char *file, int line, const char *what, const char *format, ...)
{
    n_checks++;
    if (!ok) {
        n_failed++;
        fflush(stdout);
        fprintf(stderr, "%s:%d: failed: %s  ", file, line, what);
        va_list args;
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        if (test_breaks) {
            (void)raise(SIGTRAP);
        }
    }
    return ok;
}

test_value test_int(long long v)
{
    return (test_value){.kind = TEST_INT, .i = v, .u = (unsigned long long)v, .real = (double)v};
}

test_value test_uint(unsigned long long v)
{
    return (test_value){.kind = TEST_UINT, .i = (long long)v, .u = v, .real = (double)v};
}

test_value test_real(double v)
{
    return (test_value){.kind = TEST_REAL, .real = v};
}

test_value test_pointer(const void *v)
{
    return (test_value){.kind = TEST_POINTER, .pointer = v};
}

/* -1, 0, 1; 2 where neither holds (a NaN). */
static int order(test_value a, test_value b)
{
    if (a.kind == TEST_POINTER || b.kind == TEST_POINTER) {
        return a.pointer == b.pointer ? 0 : (a.pointer < b.pointer ? -1 : 1);
    }
    if (a.kind == TEST_REAL || b.kind == TEST_REAL) {
        return a.real < b.real ? -1 : (a.real > b.real ? 1 : (a.real == b.real ? 0 : 2));
    }
    const bool a_negative = a.kind == TEST_INT && a.i < 0, b_negative = b.kind == TEST_INT && b.i < 0;
    if (a_negative != b_negative) {
        return a_negative ? -1 : 1;
    }
    return a.u < b.u ? -1 : a.u > b.u; /* two negative ones: two's complement keeps their order */
}

static const char *print(char text[64], test_value v)
{
    switch (v.kind) {
    case TEST_INT:
        (void)snprintf(text, 64, "%lld", v.i);
        break;
    case TEST_UINT:
        (void)snprintf(text, 64, "%llu", v.u);
        break;
    case TEST_REAL:
        (void)snprintf(text, 64, "%.9g", v.real);
        break;
    case TEST_POINTER:
        (void)snprintf(text, 64, "%p", v.pointer);
        break;
    }
    return text;
}

bool test_compare(test_value a, test_relation relation, test_value b, const char *file, int line, const char *a_text,
                  const char *b_text)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    const int o = order(a, b);
    bool ok = false;
    switch (relation) {
    case TEST_EQ:
        ok = o == 0;
        break;
    case TEST_NE:
        ok = o != 0;
        break;
    case TEST_LT:
        ok = o == -1;
        break;
    case TEST_LE:
        ok = o == -1 || o == 0;
        break;
    case TEST_GT:
        ok = o == 1;
        break;
    case TEST_GE:
        ok = o == 1 || o == 0;
        break;
    }
    if (ok) {
        return test_check(true, file, line, a_text, "%s", "");
    }
    char what[512], left[64], right[64];
    (void)snprintf(what, sizeof what, "%s %s %s", a_text, signs[relation], b_text);
    return test_check(false, file, line, what, "(%s %s %s)", print(left, a), signs[relation], print(right, b));
}

bool test_check_str(const char *got, const char *want, const char *file, int line, const char *text)
{
    const bool ok = got != NULL && want != NULL && strcmp(got, want) == 0;
    return test_check(ok, file, line, text, "is \"%s\", not \"%s\"", got != NULL ? got : "(null)",
                      want != NULL ? want : "(null)");
}

bool test_check_contains(const char *got, const char *part, const char *file, int line, const char *text)
{
    const bool ok = got != NULL && part != NULL && strstr(got, part) != NULL;
    return test_check(ok, file, line, text, "lacks \"%s\": %s", part != NULL ? part : "(null)",
                      got != NULL ? got : "(null)");
}

int test_report(void)
{
    printf("%d checks, %d failed\n", n_checks, n_failed);
    return n_checks > 0 && n_failed == 0 ? 0 : 1;
}
