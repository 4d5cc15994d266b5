/* cut --watch: what comes into a folder is cut out once, whole, whatever way it came; and the watch ends as asked. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>

static process p;

SETUP
{
    (void)process_folder("cli-watch");
    process_run(&p, "cp '%s' cat.jpg", MB_SOURCE_DIR "/docs/pictures/cat.jpg");
}

BEFORE_EACH
{
    process_run(&p, "rm -rf in out log err; mkdir in");
}

/* Starts the watch in the background, waits until it says that it watches, runs `happens`, and waits for its end. */
static void watch(const char *options, const char *happens)
{
    process_run(&p,
                "mattebox in --watch --model saliency --input-alpha ignore -v %s >log 2>err & pid=$!; "
                "for i in $(seq 500); do grep -q '^watching' err && break; sleep 0.02; done; %s; wait $pid; code=$?; "
                "cat err >&2; cat log; exit $code",
                options, happens);
}

static int count(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        n++;
    }
    return n;
}

TEST(comes)
{
    process_run(&p, "cp cat.jpg in/first.jpg; cp cat.jpg in/had.jpg; mkdir out; echo keep >out/had.cutout.png");
    watch("-o out/ --json --once-idle 1", "cp cat.jpg in/copied.jpg; cp cat.jpg moved; mv moved in/moved.jpg; mkdir -p "
                                          "in/a/b; cp cat.jpg in/a/b/deep.jpg; "
                                          "cp cat.jpg in/.hidden.jpg; cp cat.jpg in/x.mask.png; echo text "
                                          ">in/notes.txt; touch in/gone.jpg; rm in/gone.jpg; "
                                          "(head -c 9000 cat.jpg; sleep 0.6; tail -c +9001 cat.jpg) >in/slow.jpg");
    CHECK_RUN(&p, 0, "Processed 5 image(s), ");
    /* gone.jpg is not seen at all, or is gone when its turn comes */
    CHECK(strstr(p.err, " image(s), 1 skipped, ") != NULL || strstr(p.err, "gone before it was read") != NULL);
    CHECK(file_exists("out/first.cutout.png") && file_exists("out/copied.cutout.png") &&
          file_exists("out/moved.cutout.png") && file_exists("out/a/b/deep.cutout.png") &&
          file_exists("out/slow.cutout.png"));
    CHECK(file_bytes("out/had.cutout.png") == 5);
    CHECK(count(p.out, "\"status\":\"ok\"") == 5 && count(p.out, "\"input\":\"in/slow.jpg\"") == 1);
    CHECK(count(p.out, "\"summary\"") == 1 && strstr(p.out, "\"exit_code\":0") != NULL);
}

/* Results lie in the watched folder, and are not taken for photos. */
TEST(beside)
{
    watch("--once-idle 1", "cp cat.jpg in/a.jpg");
    CHECK_RUN(&p, 0, "Processed 1 image(s), ");
    CHECK(file_exists("in/a.cutout.png") && !file_exists("in/a.cutout.cutout.png"));
}

TEST(burst)
{
    watch("-o out/ --once-idle 2", "for i in $(seq 24); do cp cat.jpg in/$i.jpg; done; rm in/24.jpg");
    CHECK(strstr(p.err, "Processed 23 image(s), ") != NULL || strstr(p.err, "Processed 24 image(s), ") != NULL);
    process_run(&p, "ls out | grep -c '[0-9].cutout.png'");
    CHECK(strcmp(p.out, "23\n") == 0 || strcmp(p.out, "24\n") == 0);
}

/* A photo that was cut short is one failure; it is taken again when it has changed, and the others go on. */
TEST(fails)
{
    watch("-o out/ --once-idle 1",
          "head -c 9000 cat.jpg >in/a.jpg; for i in $(seq 200); do grep -q 'a.jpg: ends early' err && "
          "break; sleep 0.02; done; cp cat.jpg in/a.jpg; cp cat.jpg in/b.jpg; cp cat.jpg in/b.jpeg");
    CHECK_RUN(&p, 1, "in/a.jpg: ends early: ");
    CHECK_RUN(&p, 1, "in/b.jpg and in/b.jpeg would both write out/b.cutout.png");
    CHECK_RUN(&p, 1, "Processed 2 image(s), 2 failed, ");
    CHECK(file_exists("out/a.cutout.png"));
}

/* The usual end: 0, the summary, within moments, and no temporary file. */
TEST(stops)
{
    static const char *const signals[] = {"INT", "TERM"};
    for (int i = 0; i < 2; i++) {
        char happens[100];
        (void)snprintf(happens, sizeof happens, "kill -%s $pid", signals[i]);
        watch("-o out/", happens);
        CHECK_RUN(&p, 0, "Processed 0 image(s), ");
        CHECK(p.seconds < 15);
    }
    process_run(&p, "ls -A out in | grep mattebox-");
    CHECK(p.out_bytes == 0);
}

TEST(refused)
{
    process_run(&p, "mattebox cat.jpg --watch --model saliency");
    CHECK_RUN(&p, 2, "--watch: cat.jpg is not a folder");
    process_run(&p, "mattebox nowhere --watch --model saliency");
    CHECK_RUN(&p, 2, "nowhere: no such file");
    process_run(&p, "mattebox in --watch --model saliency --template '{dir}/{stem}-x.png'");
    CHECK_RUN(&p, 2, "would be taken for photos");
    process_run(&p, "mattebox in --watch --model saliency --shard 1/2");
    CHECK_RUN(&p, 2, "--watch goes with folders alone");
    process_run(&p, "mattebox in --model saliency --once-idle 2");
    CHECK_RUN(&p, 2, "--once-idle goes with --watch");
    process_run(&p, "mattebox in --watch --model saliency -o x.png");
    CHECK_RUN(&p, 2, "x.png is the name of one picture");
}
