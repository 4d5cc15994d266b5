/* The harness of all tests. A test program is a list of sub-tests, in one file, without a main function:
 *
 *     SETUP { ... }                what all of them need; runs once, before the first that was chosen
 *     TEST(name) { ... }           one sub-test
 *     TEST_ROWS(name, rows) {...}  one sub-test "name: LABEL" for each element `row` of an array of structs whose
 * member `name` is the label BEFORE_EACH { ... }          runs before each of them, as its first part TEARDOWN { ... }
 * runs once, after the last
 *
 * They run in the order of their lines, and each must also pass alone.
 *
 *     test_core_json                    all
 *     test_core_json --list             their names
 *     test_core_json strictness 'read*' those whose name is, contains or (with *, ? or [) matches an argument
 *     test_core_json --each             each in a process of its own, with SETUP and TEARDOWN: none needs another
 *     test_core_json --break            SIGTRAP where a check fails, for a debugger
 *
 * With MATTEBOX_TEST_LONG in the environment (sh tests/run.sh --long) they do the same with more cases: test_long().
 *
 * The exit status is 0 (all passed), 1 (one failed, or checked nothing), 2 (a wrong argument; no such sub-test), 77
 * (all were skipped). */
#ifndef MB_TEST_CHECK_H
#define MB_TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* ---- sub-tests ---- */
#define TEST(name)                                                                                                     \
    static void test_body_##name(void);                                                                                \
    __attribute__((constructor)) static void test_register_##name(void)                                                \
    {                                                                                                                  \
        test_add(#name, __LINE__, test_body_##name);                                                                   \
    }                                                                                                                  \
    static void test_body_##name(void)
#define TEST_ROWS(name_of_all, rows)                                                                                   \
    static void test_row_##name_of_all(const __typeof__((rows)[0]) *row);                                              \
    static void test_call_##name_of_all(const void *row)                                                               \
    {                                                                                                                  \
        test_row_##name_of_all(row);                                                                                   \
    }                                                                                                                  \
    __attribute__((constructor)) static void test_register_##name_of_all(void)                                         \
    {                                                                                                                  \
        for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]); i_++) {                                             \
            test_add_row(#name_of_all, (rows)[i_].name, __LINE__, test_call_##name_of_all, &(rows)[i_]);               \
        }                                                                                                              \
    }                                                                                                                  \
    static void test_row_##name_of_all(const __typeof__((rows)[0]) *row)
#define SETUP       TEST_HOOK(setup)
#define BEFORE_EACH TEST_HOOK(before_each)
#define TEARDOWN    TEST_HOOK(teardown)
#define TEST_HOOK(which)                                                                                               \
    static void test_hook_##which(void);                                                                               \
    __attribute__((constructor)) static void test_register_hook_##which(void)                                          \
    {                                                                                                                  \
        test_##which(test_hook_##which);                                                                               \
    }                                                                                                                  \
    static void test_hook_##which(void)

/* More than the default suite has time for is wanted. */
bool test_long(void);
/* The processor is emulated: MATTEBOX_TEST_SHORT asks for every case in a spread of its runs (docs/build.md). */
bool test_short(void);

/* ---- checks. A failing CHECK counts, prints itself and gives false; a failing REQUIRE also ends the sub-test (in
 * SETUP: all of them). REQUIRE belongs to the thread that runs the sub-tests. ---- */
#define CHECK(condition)            test_check((condition), __FILE__, __LINE__, #condition, "%s", "")
#define CHECK_MSG(condition, ...)   test_check((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)
#define REQUIRE(condition)          test_require(CHECK(condition))
#define REQUIRE_MSG(condition, ...) test_require(CHECK_MSG(condition, __VA_ARGS__))

/* Numbers and pointers: both values are printed. Integers are compared by value, whatever their signs and widths. */
#define CHECK_EQ(got, want)   TEST_COMPARE(got, TEST_EQ, want)
#define CHECK_NE(got, want)   TEST_COMPARE(got, TEST_NE, want)
#define CHECK_LT(got, limit)  TEST_COMPARE(got, TEST_LT, limit)
#define CHECK_LE(got, limit)  TEST_COMPARE(got, TEST_LE, limit)
#define CHECK_GT(got, limit)  TEST_COMPARE(got, TEST_GT, limit)
#define CHECK_GE(got, limit)  TEST_COMPARE(got, TEST_GE, limit)
#define REQUIRE_EQ(got, want) test_require(CHECK_EQ(got, want))

/* Strings: equal; the second is in the first. */
#define CHECK_STR(got, want)       test_check_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_CONTAINS(text, part) test_check_contains((text), (part), __FILE__, __LINE__, #text)

/* An mb_status with its message. */
#define CHECK_OK(call, err)                                                                                            \
    do {                                                                                                               \
        (err) = (mb_error){0};                                                                                         \
        mb_status s_ = (call);                                                                                         \
        test_check(s_ == MB_OK, __FILE__, __LINE__, #call, "status %d: %s", s_, (err).message);                        \
    } while (0)
#define REQUIRE_OK(call, err)                                                                                          \
    do {                                                                                                               \
        CHECK_OK(call, err);                                                                                           \
        test_require((err).code == MB_OK);                                                                             \
    } while (0)

/* Ends the sub-test (in SETUP: all of them) with the reason why it cannot run here. */
#define SKIP(...) test_skip(__VA_ARGS__)

/* ---- behind the macros ---- */
typedef struct test_value {
    enum { TEST_INT, TEST_UINT, TEST_REAL, TEST_POINTER } kind;
    long long i;
    unsigned long long u;
    double real;
    const void *pointer;
} test_value;
typedef enum test_relation { TEST_EQ, TEST_NE, TEST_LT, TEST_LE, TEST_GT, TEST_GE } test_relation;
test_value test_int(long long v);
test_value test_uint(unsigned long long v);
test_value test_real(double v);
test_value test_pointer(const void *v);
#define TEST_VALUE(x)                                                                                                  \
    _Generic((x), float                                                                                                \
             : test_real, double                                                                                       \
             : test_real, _Bool                                                                                        \
             : test_uint, char                                                                                         \
             : test_int, signed char                                                                                   \
             : test_int, unsigned char                                                                                 \
             : test_uint, short                                                                                        \
             : test_int, unsigned short                                                                                \
             : test_uint, int                                                                                          \
             : test_int, unsigned                                                                                      \
             : test_uint, long                                                                                         \
             : test_int, unsigned long                                                                                 \
             : test_uint, long long                                                                                    \
             : test_int, unsigned long long                                                                            \
             : test_uint, default                                                                                      \
             : test_pointer)(x)
#define TEST_COMPARE(a, relation, b) test_compare(TEST_VALUE(a), relation, TEST_VALUE(b), __FILE__, __LINE__, #a, #b)
bool test_compare(test_value a, test_relation relation, test_value b, const char *file, int line, const char *a_text,
                  const char *b_text);
bool test_check_str(const char *got, const char *want, const char *file, int line, const char *text);
bool test_check_contains(const char *got, const char *part, const char *file, int line, const char *text);
bool test_check(bool ok, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void test_require(bool ok);
_Noreturn void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Registers; `all` and `label` are kept, not copied. */
void test_add(const char *name, int line, void (*body)(void));
void test_add_row(const char *all, const char *label, int line, void (*body)(const void *row), const void *row);
void test_setup(void (*hook)(void));
void test_before_each(void (*hook)(void));
void test_teardown(void (*hook)(void));
/* What main does. */
int test_main(int argc, char **argv);
/* For a program with a main function of its own: prints "N checks, M failed"; 0 if all passed and there was one. */
int test_report(void);

#endif
