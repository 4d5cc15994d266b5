/* Every system call on files that a command makes fails once, with each error that disks have: the inputs keep their
 * bytes, results are whole or absent, the exit code is a documented one, and the next run completes the work. With kill:
 * the process dies before each of them. All calls with --long, else a spread of them. The shim counts calls on names
 * that contain "work": the test's folder of that name has all that is read and written. */
#include "harness/check.h"
#include "harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;
static long n_injected, n_failed, n_killed;

#define SHIM "LD_PRELOAD='" MB_BUILD_DIR "/io_fault.so' MB_FAULT_ONLY=work "

typedef struct command {
    const char *name;
    const char *line;    /* run in the folder; its results are in work/out */
    const char *prepare; /* before each run, beside an empty work/out */
    int results;
} command;

/* Everything that is read lies in work/in. */
static const command commands[] = {
    {"cut", "mattebox work/in/cat.ppm -m saliency -q -o work/out/cat.png --mask", "true", 2},
    {"batch", "mattebox work/in/three -m saliency -q -o work/out/ -n", "true", 3},
    {"replace", "mattebox work/in/cat.ppm -m saliency -q -f -o work/out/cat.png", "cp work/in/m.png work/out/cat.png",
     1},
    {"matte", "mattebox matte work/in/cat.ppm --mask work/in/m.png -d guided -q -o work/out/cat.png", "true", 1},
    {"trimap", "mattebox trimap work/in/m.png -o work/out/t.png", "true", 1},
    {"animation", "mattebox work/in/a.gif -m saliency -q -o work/out/a.webp", "true", 1},
    {"convert", "mattebox-weights convert work/in/net.safetensors -o work/out/net.mbw -q", "true", 1},
    {"import", "XDG_DATA_HOME=$PWD/work/out mattebox models import work/in/net.mbw -q", "true", 1},
    {"tensors", "mattebox tensors work/in/net.mbw work/in/in.safetensors work/out/t.safetensors -q", "true", 1}};

/* Names and bytes of the results, without temporary files and folders. */
#define LIST_RESULTS "(cd work/out && find . -type f ! -name '.*.mattebox-*' | sort | xargs -r sha256sum)"

static char expected[4096], inputs[8192];

static bool run_with(const command *c, const char *shim)
{
    process_run(&p, "chmod -R u+w work/out 2>/dev/null; rm -rf work/out && mkdir work/out && %s; %s %s", c->prepare,
                shim, c->line);
    return p.code == 0;
}

static const char *results(void)
{
    static process q;
    process_run(&q, LIST_RESULTS);
    return q.out;
}

/* Each line of `now` is one of `whole`, or the old contents of a file that was to be replaced. */
static bool whole_or_absent(const command *c, const char *now, const char *old)
{
    char line[300];
    for (const char *at = now; *at != '\0';) {
        const size_t n = strcspn(at, "\n");
        (void)snprintf(line, sizeof line, "%.*s\n", (int)(n < 290 ? n : 290), at);
        if (strstr(expected, line) == NULL && strstr(old, line) == NULL) {
            return CHECK_MSG(false, "%s: a result that is neither whole nor the old one: %s", c->name, line);
        }
        at += n + (at[n] == '\n');
    }
    return true;
}

static bool documented(int code, bool killed)
{
    return killed ? code == 128 + SIGKILL : code == 0 || code == 1 || (code >= 2 && code <= 5);
}

static void strike(const command *c, const char *kind, long n, const char *old)
{
    char shim[400];
    const bool kills = strcmp(kind, "kill") == 0;
    (void)snprintf(shim, sizeof shim, SHIM "MB_FAULT_KIND=%s MB_FAULT_AT=%ld", kind, n);
    (void)run_with(c, shim);
    const int code = p.code;
    const bool spoken = p.err[0] != '\0';
    n_injected++;
    n_failed += code != 0;
    n_killed += kills;
    CHECK_MSG(documented(code, kills && code != 0), "%s, %s at call %ld: exit code %d: %s", c->name, kind, n, code,
              p.err);
    CHECK_MSG(code == 0 || kills || spoken, "%s, %s at call %ld: exit code %d without a word", c->name, kind, n, code);
    (void)whole_or_absent(c, results(), old);
    if (code == 0) {
        CHECK_MSG(strcmp(results(), expected) == 0, "%s, %s at call %ld: said to be done, and is not", c->name, kind,
                  n);
    }
    if (!kills) {
        process_run(&p, "find work/out -name '.*.mattebox-*' | head -3");
        CHECK_MSG(p.out_bytes == 0, "%s, %s at call %ld: left behind: %s", c->name, kind, n, p.out);
    }
    if (strcmp(c->name, "replace") != 0) { /* the next run completes it, and clears temporary files away */
        process_run(&p, "[ $(find work/out -type f ! -name '.*' | wc -l) = %d ] || %s", c->results, c->line);
        CHECK_MSG(code != 0 || p.code == 0, "%s, after %s at call %ld: %s", c->name, kind, n, p.err);
    }
}

static void sweep(const command *c, const char *kind, long total, long most)
{
    const long step = test_long() || total <= most ? 1 : (total + most - 1) / most;
    char old[4096] = "";
    process_run(&p, "rm -rf work/out && mkdir work/out && %s", c->prepare);
    (void)snprintf(old, sizeof old, "%.4000s", results());
    for (long n = step > 1 ? (long)strlen(c->name) % step : 0; n < total; n += step) {
        strike(c, kind, n, old);
    }
}

TEST_ROWS(faults, commands)
{
    static const char *const kinds[] = {"EIO", "ENOSPC", "EINTR", "EPERM", "EDQUOT", "ENOMEM", "kill", "short"};
    const int n_kinds = (int)(sizeof kinds / sizeof kinds[0]);
    static int next; /* the short form tries one kind a command, each time another */
    REQUIRE_MSG(run_with(row, ""), "%s", p.err);
    (void)snprintf(expected, sizeof expected, "%.4000s", results());
#ifdef __SANITIZE_ADDRESS__
    SKIP("the address sanitizer wants to be loaded before the shim");
#endif
    REQUIRE_MSG(run_with(row, SHIM "MB_FAULT_COUNT=$PWD/count"), "%s", p.err);
    CHECK_STR(results(), expected);
    size_t n = 0;
    char *bytes = file_read("count", &n);
    REQUIRE_EQ(n, 8);
    long total = 0;
    memcpy(&total, bytes, 8);
    free(bytes);
    REQUIRE_MSG(total > 5, "%s: %ld calls", row->name, total);
    for (int k = 0; k < (test_long() ? n_kinds : 1); k++) {
        sweep(row, kinds[test_long() ? k : next++ % n_kinds], total, 3);
    }
    process_run(&p, "(cd work/in && find . -type f | sort | xargs sha256sum)");
    CHECK_STR(p.out, inputs);
    printf("%s: %ld calls\n", row->name, total);
}

/* A model that cannot be looked at once is there at the next look: it was taken for opened, and the program crashed. */
TEST(models_looked_for_twice)
{
    const command *c = &commands[sizeof commands / sizeof commands[0] - 1]; /* tensors */
#ifdef __SANITIZE_ADDRESS__
    SKIP("the address sanitizer wants to be loaded before the shim");
#endif
    REQUIRE_MSG(run_with(c, ""), "%s", p.err);
    (void)snprintf(expected, sizeof expected, "%.4000s", results());
    for (long n = 4; n < 16; n++) {
        strike(c, "ENOMEM", n, "");
    }
}

/* Where a model cannot be looked at for want of memory, that is said; it is neither "no such file" nor reason to take
 * another model: the next folder's, or the built-in one. */
TEST(no_memory_to_look_for_a_model)
{
    static const struct {
        const char *only, *line;
        int code; /* without a failure */
    } cases[] = {{"net.mbw", "mattebox tensors work/in/net.mbw work/in/in.safetensors work/out/t.safetensors -q", 0},
                 {"first/net.mbw", "MATTEBOX_MODELS=$PWD/work/first:$PWD/work/in mattebox models path net", 0},
                 {"first/demo.mbw", "MATTEBOX_MODELS=$PWD/work/first mattebox models path demo", 0},
                 {"first/default.mbw",
                  "MATTEBOX_MODELS=$PWD/work/first mattebox work/in/cat.ppm --input-size 64 -o work/out/a.png", 0}};
#ifdef __SANITIZE_ADDRESS__
    SKIP("the address sanitizer wants to be loaded before the shim");
#endif
    process_run(&p, "mkdir -p work/first && for n in net demo; do cp work/in/net.mbw work/first/$n.mbw; done && "
                    "mattebox-weights generate tiny_legacy -o work/first/default.mbw -f -q");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int n_said = 0;
        for (int at = 0; at < 16; at++) {
            process_run(&p,
                        "rm -rf work/out && mkdir work/out && export LD_PRELOAD='" MB_BUILD_DIR
                        "/io_fault.so' MB_FAULT_ONLY=%s MB_FAULT_KIND=ENOMEM MB_FAULT_AT=%d && %s",
                        cases[i].only, at, cases[i].line);
            const bool said = strstr(p.err, "no memory to") != NULL;
            n_said += said;
            CHECK_MSG((said && (p.code == 3 || p.code == 4)) || p.code == cases[i].code,
                      "%s, call %d: exit code %d: %s", cases[i].line, at, p.code, p.err);
            CHECK_MSG(p.code == 0 || strstr(p.err, "no such file") == NULL, "%s, call %d: %s", cases[i].line, at,
                      p.err);
        }
        CHECK_MSG(n_said > 0, "%s: no failure met the search", cases[i].line);
    }
}

SETUP
{
    (void)process_folder("fault_system_calls");
    process_run(
        &p,
        "mkdir -p work/in/three work/out && cp %s/pictures/chelsea.ppm work/in/cat.ppm && cp "
        "%s/pictures/animated/disposal1.gif work/in/a.gif && for i in 1 2 3; do cp work/in/cat.ppm "
        "work/in/three/$i.ppm; done && mattebox work/in/cat.ppm -m saliency --only-mask -q -o work/in/m.png && "
        "mattebox-weights generate vitmatte-tiny4 --checkpoint -o work/in/net.safetensors -q && mattebox-weights "
        "generate vitmatte-tiny4 -o work/in/net.mbw -q",
        MB_TEST_DATA, MB_TEST_DATA);
    REQUIRE_MSG(p.code == 0, "%s", p.err);
    /* one tensor [1,4,32,32] of zeros */
    static unsigned char file[8 + 80 + 16384] = {0};
    static const char head[] = "{\"input\":{\"dtype\":\"F32\",\"shape\":[1,4,32,32],\"data_offsets\":[0,16384]}}";
    memcpy(file + 8, head, sizeof head - 1);
    file[0] = (unsigned char)(sizeof head - 1);
    file_write("work/in/in.safetensors", file, 8 + sizeof head - 1 + 16384);
    process_run(&p, "(cd work/in && find . -type f | sort | xargs sha256sum)");
    (void)snprintf(inputs, sizeof inputs, "%.8000s", p.out);
}

TEARDOWN
{
    printf("%ld failures injected, %ld runs failed, %ld were killed\n", n_injected, n_failed, n_killed);
}
