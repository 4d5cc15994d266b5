/* Masks and trimaps from anywhere: matte (a cut-out) and refine (an alpha), one photo or a folder of them. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>

#define PHOTO MB_SOURCE_DIR "/docs/pictures/astronaut.jpg"
#define MASK  MB_SOURCE_DIR "/docs/pictures/astronaut_mask.png"

static process p;

static void fresh(void)
{
    process_run(&p, "rm -rf ./* && cp '%s' a.jpg && cp '%s' m.png", PHOTO, MASK);
    CHECK_EQ(p.code, 0);
}

/* Both commands, both spellings, and the node's trimap given back in. */
TEST(commands)
{
    fresh();
    process_run(&p, "mattebox matte a.jpg --mask m.png -d guided --write-mask");
    CHECK_RUN(&p, 0, "Processed 1 image(s), ");
    CHECK(file_exists("a.cutout.png") && file_exists("a.mask.png"));
    process_run(&p, "mattebox refine a.jpg --mask m.png -d guided -q && cmp a.alpha.png a.mask.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox matte a.jpg --mask-from=m.png -d guided --only-mask -o b.png -q && cmp a.mask.png b.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox matte a.jpg --mask m.png -q -o x.png && mattebox matte a.jpg --mask m.png -d pymatting "
                    "-q -o y.png && cmp x.png y.png");
    CHECK_RUN(&p, 0, ""); /* pymatting is what these two do without being told */
    process_run(&p, "mattebox refine a.jpg --mask m.png -o c.png --write-trimap -q && "
                    "mattebox refine a.jpg --trimap c.trimap.png -o d.png -q && cmp c.png d.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox refine - --mask m.png <a.jpg | cmp - c.png");
    CHECK_RUN(&p, 0, "");
}

/* A folder of photos and a folder of masks: each finds its own, the one without is reported, the rest are written. */
TEST(folders)
{
    fresh();
    process_run(&p,
                "mkdir -p in/sub masks/sub && cp a.jpg in/one.jpg && cp a.jpg in/sub/two.jpg && cp a.jpg in/none.jpg "
                "&& cp m.png masks/one.mask.png && cp m.png masks/sub/two.png && "
                "mattebox refine in --mask masks -o out -d guided");
    CHECK_RUN(&p, 1, "mattebox: in/none.jpg: no mask for it in masks\n");
    CHECK_RUN(&p, 1, "Processed 2 image(s), 1 failed, ");
    CHECK(file_exists("out/one.alpha.png") && file_exists("out/sub/two.alpha.png"));
    process_run(&p, "cp m.png in/one.mask.png && mattebox matte in/one.jpg --mask in -d guided -q");
    CHECK_RUN(&p, 0, ""); /* masks beside their photos */
    CHECK(file_exists("in/one.cutout.png"));
}

TEST(refusals)
{
    fresh();
    process_run(&p, "mattebox refine a.jpg --mask m.png -o m.png --force");
    CHECK_RUN(&p, 2, "mattebox: m.png is the mask (m.png)\n  choose another name with -o");
    process_run(&p, "cmp m.png '%s'", MASK);
    CHECK_EQ(p.code, 0);
    process_run(&p, "mattebox refine a.jpg --mask '%s/docs/pictures/cat.jpg'", MB_SOURCE_DIR);
    CHECK_RUN(&p, 1, "the photo is 512 x 512, its mask 451 x 300: they must be of one size\n");
    /* a cut-out in the place of its mask: its alpha is what was meant, and that is said */
    process_run(&p,
                "mattebox matte a.jpg --mask m.png -d guided -q && mattebox matte a.jpg --mask a.cutout.png -d none "
                "--only-mask -o r.png");
    CHECK_RUN(&p, 0, "warning: a.jpg: its mask was read from the alpha channel");
    process_run(&p, "mattebox matte a.jpg --mask m.png -d none --only-mask -o r2.png && rm *.png && cp '%s' m.png",
                MASK);
    CHECK_EQ(p.code, 0);
    CHECK(strstr(p.err, "in colours") == NULL);
    file_write_text("bad.png", "no mask");
    process_run(&p, "mattebox refine a.jpg --mask bad.png");
    CHECK_RUN(&p, 1, "mattebox: bad.png: not a picture");
    CHECK(!file_exists("a.alpha.png"));
}

static void said(const char *command, const char *text, int is)
{
    process_run(&p, "%s", command);
    CHECK_EQ(p.code, 0);
    CHECK_MSG((strstr(p.err, text) != NULL) == is, "%s: %s", command, p.err);
}

/* A given trimap is solved, or it is said that it was not, and by which options nothing happens. */
TEST(given_trimap)
{
    fresh();
    process_run(&p, "mattebox help trimap | tr -s ' \\n' ' '");
    CHECK_RUN(&p, 0, "");
    CHECK(strstr(p.out, "band outside the outline, about 2.5 (N - 1) pixels wide") != NULL);
    said("mattebox trimap m.png -o t.png", "nothing of the trimap is unknown", 0);
    said("mattebox trimap m.png -o one.png --erode 1 --dilate 1",
         "nothing of the trimap is unknown, grey counts as background: a larger --erode or --dilate leaves a band", 1);
    said("mattebox refine a.jpg --trimap t.png -o p.png", "warning", 0);
    said("mattebox refine a.jpg --trimap t.png -d pymatting -o q.png && cmp p.png q.png", "warning", 0);
    said("mattebox refine a.jpg --trimap t.png -d guided -o g.png",
         "a.jpg: detail guided does not solve a trimap, what is unknown stays grey: --detail pymatting or --detail "
         "vitmatte",
         1);
    said("mattebox matte a.jpg --trimap t.png -d none -o n.png", "detail none does not solve a trimap", 1);
    process_run(&p, "mattebox refine a.jpg --trimap t.png -d guided -o g.png -f -q --json");
    CHECK_RUN(&p, 0, "");
    CHECK(strstr(p.out, "does not solve a trimap") != NULL);
    static const char *const idle[] = {"--erode 3", "--dilate 3", "--black-point 0.2", "--white-point 0.8",
                                       "--grabcut"};
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        char command[200];
        (void)snprintf(command, sizeof command,
                       "mattebox refine a.jpg --trimap t.png %s -o i.png -f && cmp p.png i.png", idle[i]);
        said(command, "does nothing here: it acts on a mask, not on a given trimap", 1);
        (void)snprintf(command, sizeof command, "mattebox refine a.jpg --mask m.png %s -o i.png -f", idle[i]);
        said(command, "does nothing here", 0);
    }
    said("mattebox refine a.jpg --trimap t.png -d guided --erode 30 -o i.png -f && ! cmp -s g.png i.png",
         "does nothing here", 0);
    said("mattebox refine a.jpg --mask m.png --trimap-low 9 -o i.png -f",
         "--trimap-low does nothing here: it parts a given trimap", 1);
}

SETUP
{
    (void)process_folder("cli-refine");
}
