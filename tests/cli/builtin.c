/* What the program can do without any file: saliency, snap, and (where it was linked in) the small default model. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>

#define PHOTO MB_SOURCE_DIR "/docs/pictures/astronaut.jpg"
#define ALONE "XDG_DATA_HOME=/nowhere XDG_STATE_HOME=$PWD/state mattebox "

static process p;
static bool linked;

static bool is_linked_in(void)
{
    process_run(&p, ALONE "models list");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "saliency ");
    return strstr(p.out, "demo  ") != NULL;
}

static void need_model(void)
{
    if (!linked) {
        SKIP("no model is linked in");
    }
}

/* No model anywhere, and still a cut-out; the same bytes for any number of threads; snap changes the mask. */
TEST(saliency)
{
    process_run(&p, ALONE "a.jpg -m saliency --mask --threads 1");
    CHECK_RUN(&p, 0, "Processed 1 image(s), ");
    CHECK(file_exists("a.cutout.png") && file_exists("a.mask.png"));
    process_run(&p, ALONE "a.jpg -m saliency --only-mask -o two.png -q --threads 2 && cmp a.mask.png two.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, ALONE "a.jpg -m saliency --grabcut --only-mask -o snap.png -q");
    CHECK_RUN(&p, 0, "");
    CHECK(!file_equal("a.mask.png", "snap.png"));
    process_run(&p, ALONE "refine a.jpg --mask a.mask.png --grabcut -d none -o again.png -q && cmp snap.png again.png");
    CHECK_RUN(&p, 0, ""); /* the same step on a mask from a file */
    process_run(&p, ALONE "a.jpg -m saliency --segment network -f");
    CHECK_RUN(&p, 2, "mattebox: --segment network needs a model\n");
    process_run(&p, ALONE "bench saliency");
    CHECK_RUN(&p, 3, "no model \"saliency\"");
}

TEST(built_in_model)
{
    need_model();
    process_run(&p, ALONE "a.jpg -o d.png -q && " ALONE "a.jpg -o e.png -q --model default && cmp d.png e.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, ALONE "a.jpg -o f.png -q --model demo --preset small && cmp d.png f.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, ALONE "a.jpg -o n.png -q --model demo && ! cmp -s d.png n.png");
    CHECK_RUN(&p, 0, ""); /* the network alone is something else */
    CHECK(!file_exists("state/mattebox/demo-hint"));
    process_run(&p, ALONE "a.jpg --json -f");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "\"model\":\"(built in)\"");
    process_run(&p, ALONE "models verify demo");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "demo: sound, ");
    process_run(&p, ALONE "info demo");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "(built in)\n");
    process_run(&p, ALONE "models path demo");
    CHECK_RUN(&p, 3, "demo is built in: it has no file");
    /* A file of the user's own goes first. */
    process_run(&p, "mkdir -p own && mattebox-weights generate tiny_legacy -o own/default.mbw -q && "
                    "MATTEBOX_MODELS=$PWD/own mattebox a.jpg --json -f --input-size 64");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "own/default.mbw");
}

/* On a terminal the way to official weights is told, once. */
TEST(hint)
{
    need_model();
    process_run(&p, "command -v script");
    if (p.code != 0) {
        SKIP("no program script");
    }
    process_run(&p,
                "XDG_DATA_HOME=/nowhere XDG_STATE_HOME=$PWD/state script -qec 'mattebox a.jpg -o h.png -f' /dev/null");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "mattebox models get birefnet-general-lite");
    process_run(&p,
                "XDG_DATA_HOME=/nowhere XDG_STATE_HOME=$PWD/state script -qec 'mattebox a.jpg -o h.png -f' /dev/null");
    CHECK_EQ(p.code, 0);
    CHECK(strstr(p.out, "models get") == NULL);
}

TEST(no_model)
{
    if (linked) {
        SKIP("a model is linked in");
    }
    process_run(&p, ALONE "a.jpg -f");
    CHECK_RUN(&p, 3, "no model \"default\"");
}

SETUP
{
    (void)process_folder("cli-builtin");
    linked = is_linked_in();
}

BEFORE_EACH
{
    process_run(&p, "rm -rf ./* && cp '%s' a.jpg", PHOTO);
}
