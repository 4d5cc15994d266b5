/* Registers sub-tests, chooses them by name and runs them. See check.h. */
#define _GNU_SOURCE /* fork, clock_gettime */
#include "harness/subtests.h"

#include "harness/check.h"

#include <fnmatch.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool is_set(const char *variable)
{
    const char *v = getenv(variable);
    return v != NULL && v[0] != 0 && strcmp(v, "0") != 0;
}

bool test_long(void)
{
    return is_set("MATTEBOX_TEST_LONG");
}

bool test_short(void)
{
    return is_set("MATTEBOX_TEST_SHORT");
}

enum { MOST = 512, SKIPPED = 77 };

typedef struct subtest {
    const char *all, *label; /* label: of a row, or NULL */
    int line;
    void (*body)(void);
    void (*row_body)(const void *row);
    const void *row;
    char name[160];
    bool chosen;
} subtest;

typedef enum result { PASSED, FAILED, LEFT_OUT } result;

bool test_breaks;
static subtest tests[MOST];
static int n_tests;
static void (*setup_hook)(void), (*each_hook)(void), (*teardown_hook)(void);

static jmp_buf end_of_part;
static pthread_t runner;
static bool running, skipped;

static subtest *append(int line)
{
    if (n_tests == MOST) {
        fprintf(stderr, "more than %d sub-tests\n", MOST);
        abort();
    }
    int at = n_tests++;
    for (; at > 0 && tests[at - 1].line > line; at--) { /* constructors run in any order */
        tests[at] = tests[at - 1];
    }
    tests[at] = (subtest){.line = line};
    return &tests[at];
}

void test_add(const char *name, int line, void (*body)(void))
{
    subtest *t = append(line);
    t->body = body;
    (void)snprintf(t->name, sizeof t->name, "%s", name);
}

void test_add_row(const char *all, const char *label, int line, void (*body)(const void *row), const void *row)
{
    subtest *t = append(line);
    t->row_body = body;
    t->row = row;
    (void)snprintf(t->name, sizeof t->name, "%s%s%s", all, all[0] != '\0' ? ": " : "", label);
}

void test_setup(void (*hook)(void))
{
    setup_hook = hook;
}

void test_before_each(void (*hook)(void))
{
    each_hook = hook;
}

void test_teardown(void (*hook)(void))
{
    teardown_hook = hook;
}

/* ---- leaving a part early ---- */

static _Noreturn void leave(void)
{
    if (!running || !pthread_equal(runner, pthread_self())) {
        fprintf(stderr, "REQUIRE or SKIP outside the thread of a sub-test\n");
        abort();
    }
    longjmp(end_of_part, 1);
}

void test_require(bool ok)
{
    if (!ok) {
        leave();
    }
}

void test_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("skipped: ");
    vprintf(format, args);
    va_end(args);
    fputc('\n', stdout);
    skipped = true;
    leave();
}

static void run_body(const subtest *t)
{
    if (each_hook != NULL) {
        each_hook();
    }
    if (t->body != NULL) {
        t->body();
    } else {
        t->row_body(t->row);
    }
}

/* Runs a hook or a sub-test up to its end, or to the REQUIRE or SKIP that ends it. */
static result run_part(void (*hook)(void), const subtest *t)
{
    const int failed = test_n_failed();
    skipped = false;
    running = true;
    if (setjmp(end_of_part) == 0) {
        if (hook != NULL) {
            hook();
        } else {
            run_body(t);
        }
    }
    running = false;
    return test_n_failed() > failed ? FAILED : (skipped ? LEFT_OUT : PASSED);
}

/* A crash says in which sub-test it was (a sanitizer, which has handlers of its own, says more). */
static const char *volatile now_running = "the setup";

static void on_crash(int signal_number)
{
    static const char before[] = "\ncrashed in sub-test: ";
    ssize_t n = write(2, before, sizeof before - 1);
    n += write(2, now_running, strlen(now_running));
    n += write(2, "\n", 1);
    (void)n;
    (void)raise(signal_number); /* once more, with the default action */
}

static void watch_for_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old, mine = {.sa_handler = on_crash, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            (void)sigaction(signals[i], &mine, NULL);
        }
    }
}

static double seconds_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static result run_subtest(const subtest *t)
{
    static const char *const words[] = {"ok", "FAILED", "skipped"};
    const int checks = test_n_checks();
    const double start = seconds_now();
    now_running = t->name;
    result r = run_part(NULL, t);
    if (r == PASSED && test_n_checks() == checks) {
        fprintf(stderr, "%s: nothing was checked\n", t->name);
        r = FAILED;
    }
    printf("%-7s %7.2f s  %s\n", words[r], seconds_now() - start, t->name);
    fflush(stdout);
    return r;
}

/* ---- the command line ---- */

static bool matches(const char *name, const char *wish)
{
    return strpbrk(wish, "*?[") != NULL ? fnmatch(wish, name, 0) == 0 : strstr(name, wish) != NULL;
}

/* A whole name means this one alone, though others may contain it. False: there is none. */
static bool choose(const char *wish)
{
    bool whole = false, part = false;
    for (int i = 0; i < n_tests; i++) {
        whole = whole || strcmp(tests[i].name, wish) == 0;
    }
    for (int i = 0; i < n_tests; i++) {
        if (whole ? strcmp(tests[i].name, wish) == 0 : matches(tests[i].name, wish)) {
            tests[i].chosen = part = true;
        }
    }
    return part;
}

typedef struct wishes {
    bool list, each, some;
} wishes;

static bool read_arguments(wishes *w, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            w->list = true;
        } else if (strcmp(argv[i], "--each") == 0) {
            w->each = true;
        } else if (strcmp(argv[i], "--break") == 0) {
            test_breaks = true;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "usage: %s [--list] [--each] [--break] [NAME]...\n", argv[0]);
            return false;
        } else if (!choose(argv[i])) {
            fprintf(stderr, "%s: no sub-test is called \"%s\"; --list shows them\n", argv[0], argv[i]);
            return false;
        } else {
            w->some = true;
        }
    }
    return true;
}

static bool names_differ(void)
{
    for (int i = 0; i < n_tests; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(tests[i].name, tests[k].name) == 0) {
                fprintf(stderr, "two sub-tests are called \"%s\"\n", tests[i].name);
                return false;
            }
        }
    }
    return true;
}

/* The exit status of those that are chosen. */
static int run_chosen(void)
{
    int n_of[3] = {0};
    runner = pthread_self();
    result r = setup_hook != NULL ? run_part(setup_hook, NULL) : PASSED;
    if (r != PASSED) {
        fprintf(r == FAILED ? stderr : stdout, "the setup %s: no sub-test ran\n", r == FAILED ? "failed" : "skips");
        return r == FAILED ? 1 : SKIPPED;
    }
    for (int i = 0; i < n_tests; i++) {
        if (tests[i].chosen) {
            n_of[run_subtest(&tests[i])]++;
        }
    }
    if (teardown_hook != NULL && run_part(teardown_hook, NULL) == FAILED) {
        fprintf(stderr, "the teardown failed\n");
        n_of[FAILED]++;
    }
    printf("%d sub-tests passed, %d failed, %d skipped; %d checks\n", n_of[PASSED], n_of[FAILED], n_of[LEFT_OUT],
           test_n_checks());
    return n_of[FAILED] > 0 ? 1 : (n_of[PASSED] > 0 ? 0 : SKIPPED);
}

/* --each: a process for each, so that none can lean on what another left behind. */
static int run_apart(void)
{
    int worst = SKIPPED;
    for (int i = 0; i < n_tests; i++) {
        if (!tests[i].chosen) {
            continue;
        }
        fflush(NULL);
        const pid_t child = fork();
        if (child == 0) {
            for (int k = 0; k < n_tests; k++) {
                tests[k].chosen = k == i;
            }
            exit(run_chosen());
        }
        int status = -1;
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
            (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != SKIPPED)) {
            fprintf(stderr, "alone, \"%s\" fails\n", tests[i].name);
            worst = 1;
        } else if (worst == SKIPPED) {
            worst = WEXITSTATUS(status);
        }
    }
    return worst;
}

int test_main(int argc, char **argv)
{
    wishes w = {0};
    watch_for_crashes();
    if (n_tests == 0 || !names_differ() || !read_arguments(&w, argc, argv)) {
        return 2;
    }
    for (int i = 0; i < n_tests; i++) {
        tests[i].chosen = tests[i].chosen || !w.some;
        if (w.list && tests[i].chosen) {
            printf("%s\n", tests[i].name);
        }
    }
    return w.list ? 0 : (w.each ? run_apart() : run_chosen());
}
