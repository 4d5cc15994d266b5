/* Nothing is lost: inputs are never overwritten whatever they were given as, runs are resumed result by result, reports
 * are whole or an error, lists and masks are found as other systems write them. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>

static process p;

#define QUICK "-m saliency -q"

SETUP
{
    (void)process_folder("cli_nothing_lost");
    process_run(
        &p,
        "cp %s/pictures/chelsea.ppm cat.ppm && mattebox cat.ppm -m saliency --only-mask -q -o m.png && cp cat.ppm "
        "dog.ppm",
        MB_TEST_DATA);
    CHECK_RUN(&p, 0, "");
}

/* usage: the command must refuse, and `file` keep its bytes. */
static void refuses(const char *command, const char *file, const char *says)
{
    process_run(&p, "cp %s before.bin; %s; code=$?; cmp %s before.bin && exit $code", file, command, file);
    CHECK_RUN(&p, 2, says);
}

TEST(inputs_stay)
{
    process_run(&p,
                "mattebox trimap m.png -o t.png && cp m.png back.png && ln -s ../cli_nothing_lost/m.png link.png && "
                "mattebox-weights generate birefnet-tiny7 -o net.mbw -q && printf 'cat.ppm\\n' >list.txt");
    CHECK_RUN(&p, 0, "");
    refuses("mattebox matte cat.ppm --mask m.png -o m.png -f", "m.png", "m.png is the mask");
    refuses("mattebox matte cat.ppm --mask link.png -o m.png -f", "m.png", "m.png is the mask");
    refuses("mattebox matte cat.ppm --mask m.png -o link.png -f", "m.png", "link.png is the mask");
    refuses("mattebox refine cat.ppm --trimap t.png -o ./t.png -f", "t.png", "t.png is the trimap");
    refuses("mattebox cat.ppm " QUICK " -b back.png -o back.png --format png -f", "back.png",
            "back.png is the background");
    refuses("mattebox --files-from list.txt " QUICK " -o list.txt -f", "list.txt", "list.txt is the list of files");
    refuses("mattebox cat.ppm --model net.mbw -o net.mbw --format png -f", "net.mbw", "net.mbw is the model");
    refuses("mattebox m.png " QUICK " --template '{dir}/{stem}.{ext}' -f", "m.png", "m.png is an input");
    refuses("mattebox trimap m.png -o m.png -f", "m.png", "m.png is an input");
    /* a folder of masks: the mask of one photo is no place for the result of another */
    process_run(&p,
                "mkdir ms ph && cp m.png ms/a.png && cp m.png ms/b.png && cp cat.ppm ph/a.ppm && cp cat.ppm ph/b.ppm");
    refuses("mattebox matte ph/ --mask ms/ --template 'ms/{stem}.png' -f", "ms/b.png", "is a mask");
    /* tensors: the same rules */
    process_run(&p, "mattebox tensors net.mbw no.safetensors net.mbw -f");
    CHECK_RUN(&p, 2, "net.mbw is the model");
    file_write_text("in.safetensors", "x");
    file_write_text("there.safetensors", "precious");
    refuses("mattebox tensors net.mbw in.safetensors in.safetensors -f", "in.safetensors",
            "in.safetensors is the model");
    refuses("mattebox tensors net.mbw in.safetensors there.safetensors", "there.safetensors",
            "there.safetensors exists");
}

TEST(resume)
{
    process_run(&p, "mattebox cat.ppm " QUICK " -o r/ && cp r/cat.cutout.png first.png && mattebox cat.ppm " QUICK
                    " -o r/ -n --mask && cmp first.png r/cat.cutout.png && test -s r/cat.mask.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox cat.ppm " QUICK " -o r/ -n --mask --json");
    CHECK_MSG(strstr(p.out, "\"status\":\"skipped\"") != NULL, "%s", p.out);
    /* two runs of one folder share the work; neither fails */
    process_run(
        &p, "mkdir many; for i in 1 2 3 4 5 6 7 8; do cp cat.ppm many/$i.ppm; done; mattebox many/ -o two/ " QUICK
            " -n & mattebox many/ -o two/ " QUICK " -n; a=$?; wait $!; b=$?; ls two | grep -c cutout; test $a$b = 00");
    CHECK_MSG(p.code == 0 && strncmp(p.out, "8\n", 2) == 0, "%s%s", p.out, p.err);
    /* a temporary file of a killed run goes when its result is written */
    process_run(&p, "rm -f r/*; : >r/.cat.cutout.png.mattebox-000000; mattebox cat.ppm " QUICK " -o r/; ls -A r");
    CHECK_MSG(strcmp(p.out, "cat.cutout.png\n") == 0, "%s%s", p.out, p.err);
}

TEST(shards)
{
    process_run(
        &p, "mkdir sh && cp cat.ppm sh/a.ppm && cp m.png sh/a.png && cp cat.ppm sh/b.ppm && mattebox sh/ -o so/ " QUICK
            " --shard 1/2");
    CHECK_RUN(&p, 2, "would both write");
    process_run(&p, "rm sh/a.png; for i in 1 2; do mattebox sh/ -o so/ " QUICK " --shard $i/2; done; ls so");
    CHECK_MSG(strcmp(p.out, "a.cutout.png\nb.cutout.png\n") == 0, "%s%s", p.out, p.err);
}

/* A.ppm and a.ppm are two photos here, and their results one file on a share that ignores case. */
TEST(letter_case)
{
    if (process_is_windows()) {
        SKIP("letters of names have no case there: tests/windows.sh");
    }
    process_run(&p, "mkdir lc && cp cat.ppm lc/A.ppm && cp cat.ppm lc/a.ppm && mattebox lc/ -o two_cases/ " QUICK
                    " && ls -A two_cases | wc -l");
    CHECK_MSG(p.code == 0 && strcmp(p.out, "2\n") == 0, "%s%s", p.out, p.err);
    process_run(&p, "LD_PRELOAD='" MB_BUILD_DIR "/fold_case.so' mattebox lc/ -o one_case/ " QUICK
                    "; echo $?; ls -A one_case");
    if (strstr(p.err, "ASan runtime does not come first") != NULL) {
        SKIP("the address sanitizer wants to be loaded first");
    }
    CHECK_STR(p.out, "2\n"); /* and the probe is gone */
    CHECK_CONTAINS(p.err, "a.cutout.png on this file system, which ignores the case of letters");
}

TEST(reports)
{
    process_run(&p, "test -e /dev/full || exit 5; mattebox cat.ppm " QUICK " -o x1.png --json >/dev/full");
    CHECK_RUN(&p, 5, "standard output could not be written");
    process_run(&p,
                "(mattebox cat.ppm dog.ppm " QUICK " -o x2/ --json; echo $? >code) | true; cat code; ls x2 | wc -l");
    CHECK_MSG(strcmp(p.out, "5\n2\n") == 0, "%s", p.out);
    if (process_is_windows()) {
        return; /* every name is UTF-16 there */
    }
    process_run(&p, "cp cat.ppm \"$(printf 'b\\377d.ppm')\"; mattebox b*d.ppm " QUICK " --json | head -1");
    CHECK_MSG(strstr(p.out, "\"input_percent\":\"b%FFd.ppm\"") != NULL && strstr(p.out, "\\ufffd") != NULL, "%s",
              p.out);
    CHECK_MSG(strstr(p.out, "\"cutout_percent\":\"b%FFd.cutout.png\"") != NULL, "%s", p.out);
}

TEST(lists)
{
    process_run(&p, "printf '\\357\\273\\277cat.ppm\\r\\ndog.ppm\\r\\n' >l.txt; mattebox --files-from l.txt " QUICK
                    " -o l/; ls l | wc -l");
    CHECK_MSG(p.code == 0 && strcmp(p.out, "2\n") == 0, "%s%s", p.out, p.err);
    process_run(&p, "printf '\\377\\376c\\0' >l16.txt; mattebox --files-from l16.txt " QUICK " -o l/");
    CHECK_RUN(&p, 2, "this list is in UTF-16");
}

TEST(mask_names)
{
    static const char *const names[] = {"cat.PNG",      "cat.ppm.png",    "mask_cat.png",
                                        "CAT_MASK.Png", "cat.alpha.webp", "cat.jpeg"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        process_run(
            &p,
            "rm -rf mk mp n; mkdir mk mp; cp cat.ppm mp/; mattebox refine cat.ppm --mask m.png -d none -o x.%s -f && "
            "mv x.%s mk/%s; mattebox matte mp/ --mask mk/ -o n/ -q",
            strstr(names[i], "webp") ? "webp" : "png", strstr(names[i], "webp") ? "webp" : "png", names[i]);
        CHECK_MSG(p.code == 0, "%s: %s", names[i], p.err);
    }
    process_run(&p, "rm mk/*; mattebox matte mp/ --mask mk/ -o n/ -f");
    CHECK_RUN(&p, 1, "looked for cat.mask.png, cat_mask.png");
}

TEST(places)
{
    process_run(&p, "mattebox cat.ppm dog.ppm " QUICK " -o several.png");
    CHECK_RUN(&p, 2, "several.png is the name of one picture, and there are 2 inputs");
    process_run(&p, "n=$(printf '%%0260d' 0); mattebox cat.ppm " QUICK " -o $n.png");
    CHECK_RUN(&p, 5, "too long");
    process_run(&p, "test $(id -u) = 0 && exit 5; mkdir -m 500 shut; mattebox cat.ppm " QUICK " -o shut/x.png");
    CHECK_MSG(p.code == 5, "%d %s", p.code, p.err);
}
