/* The harness itself: this program runs itself on samples that pass, fail and are skipped, and reads what comes back.
 */
#define _GNU_SOURCE /* popen, setenv */
#include "harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the samples, which are there only with SAMPLES in the environment ---- */

static void passes(const void *row)
{
    (void)row;
    CHECK(1 + 1 == 2);
}

static void fails(const void *row)
{
    const int seven = 7;
    const char *text = "a word";
    (void)row;
    CHECK_EQ(seven, 8);
    CHECK_LT((size_t)3, -1); /* by value: 3 is not below -1 */
    CHECK_STR(text, "another");
    CHECK_CONTAINS(text, "verb");
    CHECK_LE(0.5, 0.25);
    CHECK(seven == 9);
    printf("went on\n");
}

static void requires_it(const void *row)
{
    (void)row;
    REQUIRE(2 == 3);
    printf("went on\n");
}

static void checks_nothing(const void *row)
{
    (void)row;
}

static void skips(const void *row)
{
    (void)row;
    SKIP("because of %s", "that");
}

static void crashes(const void *row)
{
    (void)row;
    abort();
}

__attribute__((constructor)) static void add_samples(void)
{
    static const struct {
        const char *name;
        void (*body)(const void *row);
    } samples[] = {{"passes", passes},
                   {"passes too", passes},
                   {"fails", fails},
                   {"requires", requires_it},
                   {"checks nothing", checks_nothing},
                   {"skips", skips},
                   {"crashes", crashes}};
    for (size_t i = 0; getenv("SAMPLES") != NULL && i < sizeof samples / sizeof samples[0]; i++) {
        test_add_row("sample", samples[i].name, (int)(100000 + i), samples[i].body, NULL);
    }
}

/* ---- the tests ---- */

static char said[20000];

/* Runs this program with arguments, as a shell has them; its exit status. */
static int run(const char *arguments)
{
    char self[4096], command[5000];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    (void)snprintf(command, sizeof command, "SAMPLES=1 '%s' %s 2>&1", self, arguments);
    fflush(NULL);
    FILE *f = popen(command, "r");
    REQUIRE(f != NULL);
    said[fread(said, 1, sizeof said - 1, f)] = '\0';
    const int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(exit_status)
{
    CHECK_EQ(run("'sample: passes'"), 0);
    CHECK_EQ(run("'sample: fails'"), 1);
    CHECK_EQ(run("'sample: requires'"), 1);
    CHECK_EQ(run("'sample: checks nothing'"), 1);
    CHECK_EQ(run("'sample: skips'"), 77);
    CHECK_EQ(run("'sample: passes' 'sample: skips'"), 0);
    CHECK_EQ(run("'sample: passes' 'sample: fails' 'sample: skips'"), 1);
    CHECK_EQ(run("nonesuch"), 2);
    CHECK_EQ(run("'sample: passes' nonesuch"), 2);
    CHECK_EQ(run("--nonesuch"), 2);
}

TEST(values_are_printed)
{
    CHECK_EQ(run("'sample: fails'"), 1);
    CHECK_CONTAINS(said, "failed: seven == 8  (7 == 8)\n");
    CHECK_CONTAINS(said, "failed: (size_t)3 < -1  (3 < -1)\n");
    CHECK_CONTAINS(said, "failed: text  is \"a word\", not \"another\"\n");
    CHECK_CONTAINS(said, "failed: text  lacks \"verb\": a word\n");
    CHECK_CONTAINS(said, "failed: 0.5 <= 0.25  (0.5 <= 0.25)\n");
    CHECK_CONTAINS(said, "failed: seven == 9");
    CHECK_CONTAINS(said, "structure/harness.c:");
    CHECK_CONTAINS(said, "went on\n");
    CHECK_CONTAINS(said, "  sample: fails\n");
    CHECK_CONTAINS(said, "0 sub-tests passed, 1 failed, 0 skipped; 6 checks\n");
}

TEST(require_stops)
{
    CHECK_EQ(run("'sample: requires' 'sample: passes'"), 1);
    CHECK_CONTAINS(said, "failed: 2 == 3");
    CHECK(strstr(said, "went on") == NULL);
    CHECK_CONTAINS(said, "1 sub-tests passed, 1 failed");
}

TEST(filters)
{
    CHECK_EQ(run("--list 'sample: passes'"), 0);
    CHECK_STR(said, "sample: passes\n"); /* the whole name: not "passes too" */
    CHECK_EQ(run("--list 'e: passes'"), 0);
    CHECK_STR(said, "sample: passes\nsample: passes too\n");
    CHECK_EQ(run("--list 'sample: *s' require_stops"), 0);
    CHECK_STR(said, "require_stops\nsample: passes\nsample: fails\nsample: requires\nsample: skips\nsample: crashes\n");
    CHECK_EQ(run("--list"), 0);
    CHECK_CONTAINS(said, "exit_status\nvalues_are_printed\nrequire_stops\nfilters\n");
}

TEST(alone)
{
    CHECK_EQ(run("--each 'e: passes'"), 0);
    CHECK_EQ(run("--each 'sample: skips'"), 77);
    CHECK_EQ(run("--each 'sample: passes' 'sample: fails' 'sample: passes too'"), 1);
    CHECK_CONTAINS(said, "alone, \"sample: fails\" fails\n");
    CHECK_CONTAINS(said, "  sample: passes too\n");
    CHECK_EQ(run("--each 'sample: crashes' 'sample: passes'"), 1);
    CHECK_CONTAINS(said, "crashed in sub-test: sample: crashes\n");
}
