/* What surrounds the program: closed streams, full disks, signals, links, strange names, very many files. Each ends in
 * one clear line, the right exit code, and nothing half-written. */
#include "harness/check.h"
#include "harness/models.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static process p;
static char flags[4200];

/* No temporary file anywhere below. */
static void check_clean(void)
{
    process_run(&p, "find . -name '*.mattebox-*'");
    CHECK_MSG(p.out_bytes == 0, "left behind: %s", p.out);
}

/* Under a limit of the address space the program ends at once with figures, or does its work: it never hangs. */
TEST(address_space)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    SKIP("a sanitizer's shadow alone is larger");
#endif
    for (int kib = 40000; kib <= 100000; kib += 10000) {
        process_run(&p, "ulimit -v %d; timeout 60 mattebox cat.jpg %s -o small.png -f", kib, flags);
        /* 127: the loader has no room for the libraries of the picture formats, and says so */
        const bool loader = p.code == 127 && strstr(p.err, "error while loading shared libraries") != NULL;
        CHECK_MSG(p.code == 0 || p.code == 3 || p.code == 4 || loader, "%d KiB: exit code %d: %s", kib, p.code, p.err);
        CHECK_MSG((p.code == 0) == (p.err[0] == 0), "%d KiB: %s", kib, p.err);
    }
    process_run(&p, "ulimit -v 400000; timeout 60 mattebox cat.jpg %s -o small.png -f", flags);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox trimap small.png -o t.png && ulimit -v 400000; timeout 60 mattebox refine cat.jpg "
                    "--trimap t.png -o r.png --dilate 60 --erode 60");
    CHECK_MSG(p.code == 0 || p.code == 4, "exit code %d: %s", p.code, p.err);
}

TEST(streams)
{
    /* each stream closed, so that its number is free for the next file: messages must not land in a result */
    static const char *const closed[] = {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        process_run(&p,
                    "mattebox cat.jpg gone.jpg %s -v --template '{stem}.%zu.png' %s; test $? -eq 1 && cmp cat.%zu.png "
                    "a.png",
                    flags, i, closed[i], i);
        CHECK_MSG(p.code == 0, "%s", closed[i]);
        process_run(&p, "mattebox-weights generate tiny7 -o %zu.mbw %s; mattebox-weights verify %zu.mbw", i, closed[i],
                    i);
        CHECK_MSG(p.code == 0, "%s: %s", closed[i], p.err);
    }
    process_run(&p, "mattebox cat.jpg %s -o - >&-", flags);
    CHECK_RUN(&p, 5, "standard output could not be written");
    process_run(&p, "mattebox - %s <&-", flags);
    CHECK_RUN(&p, 1, "stdin could not be read");
    process_run(&p, "mattebox --help >&-");
    CHECK_RUN(&p, 5, "standard output could not be written");
    process_run(&p, "mattebox - %s <cat.jpg >b.png && cmp a.png b.png; mattebox - %s </dev/null", flags, flags);
    CHECK_RUN(&p, 1, "not a picture (the file is empty)");
    /* the reader goes away: a quiet end */
    process_run(&p, "mattebox cat.jpg %s -o - -q | head -c 10 >/dev/null", flags);
    CHECK_EQ(p.code, 0);
    CHECK_EQ(p.err[0], '\0');
    check_clean();
}

TEST(disk)
{
    process_run(&p, "ulimit -f 50; mattebox cat.jpg %s -o full.png", flags);
    CHECK_RUN(&p, 5, "full.png: a file may not become that large here (ulimit -f)");
    process_run(&p, "ulimit -f 50; mattebox-weights generate tiny7 -o full.mbw");
    CHECK_RUN(&p, 5, "full.mbw: a file may not become that large here (ulimit -f)");
    CHECK(!file_exists("full.png") && !file_exists("full.mbw"));
    process_run(&p, "unshare -rm true 2>/dev/null");
    if (p.code == 0) {
        process_run(
            &p,
            "mkdir -p small; unshare -rm sh -c 'mount -t tmpfs -o size=16k none small && mattebox cat.jpg %s -o "
            "small/x.png; echo $? $(ls -A small)'",
            flags);
        CHECK_MSG(strcmp(p.out, "5\n") == 0, "%s", p.out);
        CHECK_MSG(strstr(p.err, "small/x.png: no space left on the disk") != NULL, "%s", p.err);
    }
    check_clean();
}

TEST(links)
{
    process_run(&p, "ln -s nowhere.png link.png; mattebox cat.jpg %s -o link.png", flags);
    CHECK_RUN(&p, 2, "link.png exists\n  --force replaces, --no-clobber skips\n");
    process_run(&p, "mattebox cat.jpg %s -o link.png -f -q && cmp link.png a.png", flags);
    CHECK_EQ(p.code, 0);
    CHECK(!file_exists("nowhere.png"));
    process_run(&p, "ln -s loop loop; mattebox loop %s", flags);
    CHECK_RUN(&p, 2, "loop: no such file\n");
    CHECK(strstr(p.err, "did you mean") == NULL);
    process_run(&p, "ln cat.jpg hard.png; mattebox cat.jpg %s -o hard.png -f", flags);
    CHECK_RUN(&p, 2, "hard.png is an input (cat.jpg)\n");
    /* folders full of links to each other's parents: every picture once, and soon */
    process_run(&p,
                "mkdir -p web; for i in 1 2 3 4 5 6 7 8 9; do mkdir web/$i; for j in 1 2 3 4 5 6 7 8 9; do ln -s ../$j "
                "web/$i/to$j; done; done; cp cat.jpg web/5/; timeout 300 mattebox web %s -o out/",
                flags);
    CHECK_RUN(&p, 0, "Processed ");
    CHECK_LT(p.cpu_seconds, 25);
    CHECK(file_exists("out/5/cat.cutout.png"));
    process_run(&p, "find out -name '*.png' | wc -l");
    CHECK_MSG(strcmp(p.out, "2\n") == 0 || strcmp(p.out, "1\n") == 0, "%s pictures", p.out);
}

TEST(names)
{
    static const char *const names[] = {"a\nb", "\xc3\xbc\xe7\x8c\xab", "bad\xff", "-dash", " ", "a'b\"c", "%s%n",
                                        "*?["};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[64];
        (void)snprintf(file, sizeof file, "%s.jpg", names[i]);
        size_t n = 0;
        char *data = file_read("cat.jpg", &n);
        file_write(file, data, n);
        free(data);
    }
    process_run(&p, "mkdir names && mv -- *[!t].jpg names/ && mattebox names %s --json -v", flags);
    CHECK_RUN(&p, 0, "Processed 8 image(s), ");
    for (const char *c = p.err; *c != '\0'; c++) {
        CHECK(*c == '\n' || (unsigned char)*c >= 32);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[64];
        (void)snprintf(file, sizeof file, "names/%s.cutout.png", names[i]);
        CHECK_MSG(file_equal(file, "a.png"), "%s", file);
    }
}

TEST(many)
{
    process_run(&p, "mkdir many && cd many && seq 10000 | xargs touch && cp ../cat.jpg 5000.jpg");
    process_run(&p, "mattebox many %s -o many-out/", flags);
    CHECK_RUN(&p, 0, "Processed 1 image(s), 10000 files are not pictures, ");
    CHECK_LT(p.cpu_seconds, 30);
}

TEST(signals)
{
    static const char *const signals[] = {"INT", "TERM", "HUP"};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        process_run(
            &p,
            "rm -rf sig; mkdir sig; for i in 1 2 3 4 5 6 7 8 9; do cp cat.jpg sig/$i.jpg; done; mattebox sig %s "
            "--input-size 512 -d pymatting & for i in $(seq 600); do grep -q mbw /proc/$!/maps && break; sleep "
            "0.05; done; sleep 0.2; kill -%s $!; wait $!",
            flags, signals[i]);
        CHECK_RUN(&p, i == 1 ? 143 : 130, " not done, ");
        check_clean();
    }
    /* while folders are walked: once that has taken 50 ms of the kernel's time */
    process_run(&p,
                "mattebox /proc /proc /proc /proc /proc %s -o never/ 2>/dev/null & for i in $(seq 600); do "
                "[ \"$(cut -d' ' -f15 /proc/$!/stat)\" -ge 5 ] && break; sleep 0.02; done; kill -INT $!; wait $!",
                flags);
    CHECK_MSG(p.code == 130 && p.cpu_seconds < 5, "code %d after %.1f s", p.code, p.cpu_seconds);
    /* killed at once: a result is there and whole, or it is not there */
    for (int i = 0; i < 12; i++) {
        process_run(
            &p,
            "rm -f k.png; mattebox cat.jpg %s -o k.png -q & sleep 0.%02d; kill -KILL $!; wait $!; test ! -e k.png "
            "|| cmp k.png a.png",
            flags, 5 + 4 * i);
        CHECK_MSG(p.code == 0, "%s", p.err);
    }
}

SETUP
{
    (void)process_folder("cli-surroundings");
    (void)snprintf(flags, sizeof flags, "-m %s --input-size 64 -t 1", test_model("tiny7"));
    process_run(&p, "cp %s/pictures/chelsea.ppm cat.jpg && mattebox cat.jpg %s -o a.png", MB_TEST_DATA, flags);
    CHECK_RUN(&p, 0, "");
}
