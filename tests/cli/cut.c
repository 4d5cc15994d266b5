/* The main job, from files to files: what is written, what is reported, and what one bad picture does to the others. */
#include "harness/check.h"
#include "harness/models.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHOTO MB_SOURCE_DIR "/docs/pictures/cat.jpg"

static process p;
static char flags[4096]; /* the model, at its smallest and fastest size */

BEFORE_EACH
{
    process_run(&p, "rm -rf ./* && cp '%s' cat.jpg", PHOTO);
}

TEST(one)
{
    process_run(&p, "mattebox cat.jpg %s", flags);
    CHECK_RUN(&p, 0, "Processed 1 image(s), ");
    CHECK(p.out_bytes == 0 && file_exists("cat.cutout.png") && !file_exists("cat.mask.png"));
    process_run(&p, "cp cat.cutout.png first.png; mattebox cat.jpg %s -f --mask --trimap -q -t 1", flags);
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(p.err[0] == '\0', "%s", p.err);
    CHECK(file_exists("cat.mask.png"));
    CHECK(file_equal("first.png", "cat.cutout.png")); /* any number of threads, the same bytes */
    process_run(&p, "mattebox cat.jpg %s --only-mask -o m.png -q && cmp m.png cat.mask.png", flags);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox - <cat.jpg %s | cmp - cat.cutout.png", flags);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox cat.jpg %s -o new/dir/ -q && cmp new/dir/cat.cutout.png cat.cutout.png", flags);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox cat.jpg %s --template '{stem}-{kind}.{ext}.png' -q", flags);
    CHECK(file_exists("cat-cutout.jpg.png"));
}

TEST(no_clobber)
{
    process_run(&p, "cp cat.jpg dog.jpg; echo keep >cat.cutout.png; mattebox cat.jpg dog.jpg %s -n --verbose", flags);
    CHECK_RUN(&p, 0, "cat.jpg: skipped, its results exist\n");
    CHECK_RUN(&p, 0, "Processed 1 image(s), 1 skipped, ");
    CHECK(file_bytes("cat.cutout.png") == 5 && file_exists("dog.cutout.png"));
}

/* Bad ones of every kind among good ones: each gets its line, the good ones are as if they had been alone. */
TEST(bad_pictures)
{
    static const unsigned char huge[] = {0x89, 'P',  'N', 'G', 13,  10, 26, 10,   0,    0,    0,
                                         13,   'I',  'H', 'D', 'R', 0,  0,  0xea, 0x60, 0,    0,
                                         0xea, 0x60, 8,   2,   0,   0,  0,  0x4a, 0xd1, 0xca, 0x73};
    process_run(&p, "mattebox cat.jpg %s -o alone.png -q", flags);
    file_cut("cut.png", "alone.png", file_bytes("alone.png") / 2);
    file_cut("cut.jpg", "cat.jpg", 20000);
    file_write_text("text.jpg", "these are my notes\n");
    file_write("huge.png", huge, sizeof huge);
    file_write("empty.jpg", "", 0);
    process_run(&p,
                "cp cat.jpg z.jpg; mattebox text.jpg cat.jpg cut.png huge.png empty.jpg gone.jpg z.jpg %s "
                "--template '{stem}.{kind}.png'",
                flags);
    CHECK_RUN(&p, 1, "mattebox: text.jpg: not a picture (it starts like a text file)\n");
    CHECK_RUN(&p, 1, "mattebox: cut.png: ends early");
    CHECK_RUN(&p, 1,
              "mattebox: huge.png: 60,000\xc3\x97"
              "60,000 is 3,600 megapixels; the limit is 500\n");
    CHECK_RUN(&p, 1, "mattebox: empty.jpg: not a picture (the file is empty)\n");
    CHECK_RUN(&p, 1, "mattebox: gone.jpg: no such file\n");
    CHECK_RUN(&p, 1, "Processed 2 image(s), 5 failed, ");
    CHECK(file_equal("cat.cutout.png", "alone.png") && file_equal("z.cutout.png", "alone.png"));
    CHECK(!file_exists("text.cutout.png") && !file_exists("cut.cutout.png") && !file_exists("huge.cutout.png"));
    /* Files that are called like options keep their names. */
    process_run(&p, "mkdir -p max_memory && cp text.jpg max_memory/detail=none && cp text.jpg black_point && "
                    "mattebox max_memory/detail=none black_point");
    CHECK_RUN(&p, 1, "mattebox: max_memory/detail=none: not a picture (it starts like a text file)\n");
    CHECK_RUN(&p, 1, "mattebox: black_point: not a picture (it starts like a text file)\n");
    process_run(&p, "mattebox cut.jpg %s", flags);
    CHECK_RUN(&p, 1, "mattebox: cut.jpg: ends early");
    CHECK_RUN(&p, 1, "; --accept-partial uses what is there\n");
    process_run(&p, "mattebox cut.jpg --accept-partial %s", flags);
    CHECK_RUN(&p, 0, "mattebox: warning: cut.jpg: ");
    process_run(&p, "ls -A | grep mattebox-");
    CHECK_MSG(p.out_bytes == 0, "left behind: %s", p.out);
}

TEST(folder)
{
    process_run(&p,
                "mkdir -p in/sub in/.hidden && cp cat.jpg in/b.jpg && cp cat.jpg in/sub/a.jpg && "
                "cp cat.jpg in/.hidden/c.jpg && cp cat.jpg in/.d.jpg && echo x >in/notes.txt && "
                "echo y >in/b.mask.png && ln -s .. in/sub/loop && mattebox in -o out --json %s",
                flags);
    CHECK_RUN(&p, 0, "Processed 2 image(s), 1 files are not pictures, ");
    CHECK(file_exists("out/b.cutout.png") && file_exists("out/sub/a.cutout.png"));
    char *b = strstr(p.out, "in/b.jpg"), *a = strstr(p.out, "in/sub/a.jpg");
    CHECK(a != NULL && b != NULL && b < a);
    /* A copy that was interrupted is not passed over. */
    process_run(&p,
                "mkdir half && cp cat.jpg half/a.jpg && : >half/b.JPG && head -c 5000 /dev/zero >half/c.png && echo x "
                ">half/d.txt && "
                "mattebox half -o halves --json %s",
                flags);
    CHECK_RUN(&p, 1, "Processed 1 image(s), 2 failed, 1 files are not pictures, ");
    CHECK_CONTAINS(p.err, "half/b.JPG: not a picture (the file is empty)");
    CHECK_CONTAINS(p.err, "half/c.png: not a picture");
    CHECK(file_exists("halves/a.cutout.png"));
    process_run(&p, "find in -name '*.jpg' -print0 | mattebox --files-from - -0 -o out2/ --shard 2/4 -v %s", flags);
    CHECK_RUN(&p, 0, "Processed 1 image(s), ");
}

/* The keys of docs/json.md, for each status. */
TEST(json)
{
    static const char *const keys[] = {
        "\"input\":\"cat.jpg\"",
        "\"status\":\"ok\"",
        "\"outputs\":{\"cutout\":\"cat.cutout.png\"}",
        "\"model\":\"/",
        "\"detail\":\"guided\"",
        "\"device\":\"cpu",
        "\"size\":[451,300]",
        "\"ms\":{\"decode\":",
        "\"network\":",
        "\"refine\":",
        "\"compose\":",
        "\"encode\":",
        "\"peak_bytes\":",
        "\"foreground_box\":[",
        "\"coverage\":",
        "\"warnings\":[",
        "\"status\":\"failed\"",
        "\"error\":{\"code\":1,\"status\":\"MB_E_FORMAT\",\"message\":\"",
        "{\"summary\":{\"processed\":1,\"failed\":1,\"skipped\":0,\"cancelled\":0,\"not_pictures\":0,",
        "\"seconds\":",
        "\"device_note\":",
        "\"exit_code\":1}}"};
    const bool windows = process_is_windows(); /* where names have no line feeds */
    const char *bad = windows ? "bad.jpg" : "bad\n.jpg";
    file_write_text(bad, "no picture");
    process_run(&p, "mattebox cat.jpg '%s' --json -d guided %s", bad, flags);
    CHECK(p.code == 1);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        CHECK_MSG(strstr(p.out, keys[i]) != NULL, "%s is not in %s", keys[i], p.out);
    }
    CHECK(strstr(p.out, windows ? "\"input\":\"bad.jpg\"" : "\"input\":\"bad\\u000a.jpg\"") != NULL);
    CHECK_MSG(strstr(p.err, windows ? "bad.jpg: not a picture" : "bad?.jpg: not a picture") != NULL, "%s", p.err);
}

TEST(output_failures)
{
    process_run(&p, "mattebox cat.jpg %s -o nowhere/x.png", flags);
    CHECK_RUN(&p, 5, "mattebox: nowhere/x.png: the folder does not exist\n");
    process_run(&p, "mattebox cat.jpg %s -o - >/dev/full", flags);
    CHECK_RUN(&p, 5, "standard output could not be written\n");
    process_run(&p, "touch file; mattebox cat.jpg %s -o file/sub/", flags);
    CHECK_RUN(&p, 5, "file/sub: cannot make this folder: ");
    process_run(&p,
                "mkdir locked && chmod a-w locked && { test -w locked || mattebox cat.jpg %s -o locked/; }; x=$?; "
                "chmod u+w locked; ls -A locked; exit $x",
                flags);
    CHECK(p.code == 5 || p.code == 0); /* 0: root may write everywhere */
    CHECK(p.out_bytes == 0);
}

TEST(limits)
{
    process_run(&p, "mattebox cat.jpg %s --max-memory 1M", flags);
    CHECK_RUN(&p, 4, "MB are allowed\n  ");
    CHECK_RUN(&p, 4, "a smaller input size or picture, or a larger --max-memory\n"); /* not the library's max_memory */
    /* By the header: no byte of its 540 million is there. Nor does a header's fancy fill the disk. */
    process_run(&p, "printf 'P6 20000 9000 255\n' >huge.ppm; mattebox huge.ppm cat.jpg -o bo/ -q --max-memory 300M");
    CHECK_RUN(&p, 1,
              "huge.ppm: 20,000×9,000 pixels take 0.5 GB of memory; 0.3 GB are allowed\n"
              "  scale it down first, or raise --max-memory");
    CHECK(file_exists("bo/cat.cutout.png"));
    process_run(&p, "printf 'P6 99999999 99999999 255\n' >fancy.ppm; mattebox fancy.ppm");
    CHECK_RUN(&p, 1, "the limit is 500");
    process_run(&p, "mattebox cat.jpg -m saliency --detail pymatting --erode 60 --dilate 60 --max-memory 60M");
    CHECK_RUN(&p, 4, "  --detail guided (");
    process_run(&p, "mattebox cat.jpg %s --max-megapixels-in 0.1", flags);
    CHECK_RUN(&p, 1, "the limit is 0.1\n  --max-megapixels-in raises it");
    CHECK(strstr(p.err, " 0 megapixels") == NULL && strstr(p.err, "0.0 GB") == NULL);
    process_run(&p, "mattebox cat.jpg %s --input-size 100", flags);
    CHECK_RUN(&p, 2, "both sides must be multiples of 16");
    process_run(&p, "mattebox cat.jpg %s --detail vitmatte", flags);
    CHECK_RUN(&p, 3, "mattebox: no model \"vitmatte-s\" in: ");
    process_run(&p, "mattebox cat.jpg -m cat.jpg");
    CHECK_RUN(&p, 3,
              "mattebox: cat.jpg: is not a .mbw file\n  a model is needed here: mattebox-weights convert makes one of");
    process_run(&p, ": >empty.mbw; mattebox cat.jpg -m empty.mbw");
    CHECK_RUN(&p, 3, "mattebox: empty.mbw: is empty, not a .mbw file\n");
    process_run(&p, "mkdir -p folder.mbw; mattebox cat.jpg -m ./folder.mbw");
    CHECK_RUN(&p, 3, "mattebox: ./folder.mbw: is a folder, not a model file\n");
    CHECK(!file_exists("cat.cutout.png"));
}

/* A model that ends anywhere is refused with one line, and nothing is written. */
TEST(cut_model)
{
    const char *model = test_model("tiny_legacy");
    long total = file_bytes(model);
    const long cuts[] = {0, 1, 3, 8, 63, 64, 100, 1000, 20000, 60000, total / 2, total - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        file_cut("cut.mbw", model, cuts[i]);
        process_run(&p, "mattebox cat.jpg -m cut.mbw --input-size 32");
        CHECK_RUN(&p, 3, "mattebox: cut.mbw: ");
        CHECK(!file_exists("cat.cutout.png"));
    }
}

TEST(interrupt)
{
    process_run(&p,
                "for i in 1 2 3 4 5 6 7 8 9; do cp cat.jpg $i.jpg; done; mattebox [1-9].jpg %s --input-size 512 & "
                "for i in $(seq 600); do grep -q mbw /proc/$!/maps && break; sleep 0.05; done; sleep 0.2; kill -INT "
                "$!; wait $!",
                flags);
    CHECK_RUN(&p, 130, " not done, ");
    process_run(&p, "ls -A | grep mattebox-");
    CHECK(p.out_bytes == 0);
}

SETUP
{
    (void)process_folder("cli-cut");
    (void)snprintf(flags, sizeof flags, "--device cpu --input-size 32 --model '%s'", test_model("tiny_legacy"));
}
