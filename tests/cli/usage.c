/* The command line without a model: help, usage errors, names of results. Messages are compared as text, since scripts
 * and people rely on them. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdlib.h>
#include <string.h>

static process p;

TEST(help)
{
    process_run(&p, "mattebox --help");
    CHECK(p.code == 0 && p.err[0] == '\0' && strstr(p.out, "Usage: mattebox") != NULL);
    process_run(&p, "export COLUMNS=120; mattebox help cut >a && mattebox cut --help >b && cmp a b && cat a");
    CHECK(p.code == 0 && strstr(p.out, "--black-point X") != NULL &&
          strstr(p.out, "(0 to 65535 pixels; default 0)\n") != NULL);
    CHECK(strstr(p.out, "default ml)") != NULL && strstr(p.out, "pixels; default from erode and dilate)\n") != NULL);
    process_run(&p, "mattebox help matte");
    CHECK(strstr(p.out, "default pymatting)") != NULL); /* what the command does, not what the library does */
    process_run(&p, "mattebox --version");
    CHECK(p.code == 0 && strcmp(p.out, "mattebox 0.1.0\n") == 0);
    process_run(&p, "mattebox version --verbose");
    CHECK(p.code == 0 && strstr(p.out, "device: cpu") != NULL && strstr(p.out, "MATTEBOX_THREADS: (not set)") != NULL);
    process_run(&p, "mattebox version >/dev/full");
    CHECK_RUN(&p, 5, "standard output could not be written");
}

/* The longest line of a help page. */
static size_t widest(const char *columns)
{
    size_t most = 0;
    process_run(&p, "%s mattebox help cut", columns);
    for (const char *line = p.out; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t n = strcspn(line, "\n");
        most = n > most ? n : most;
    }
    CHECK(p.code == 0 && strstr(p.out, " \n") == NULL);
    return most;
}

/* A build with stb_image alone does not. */
static bool writes_jpeg(void)
{
    process_run(&p, "mattebox version --verbose | grep -q 'JPEG (libjpeg'");
    return p.code == 0;
}

/* Help is as wide as the terminal, 80 columns in a pipe, never more than 120. */
TEST(width)
{
    size_t pipe = widest("env -u COLUMNS"), narrow = widest("COLUMNS=60"), wide = widest("COLUMNS=500");
    CHECK_MSG(pipe <= 80 && pipe > 70, "%zu columns in a pipe", pipe);
    CHECK_MSG(narrow <= 60 && narrow > 50, "%zu columns of 60", narrow);
    CHECK_MSG(wide <= 120 && wide > 110, "%zu columns of 500", wide);
    process_run(&p, "script -qec 'stty cols 100; mattebox help cut' /dev/null | tr -d '\\r'");
    if (p.code == 0 && !process_is_windows()) { /* where there is a `script` */
        CHECK_MSG(strstr(p.out, "paths of --files-from end in NUL, as find -print0 writes them\n") != NULL, "%.300s",
                  p.out);
    }
}

/* Older names work, and are in no help page. */
TEST(aliases)
{
    static const char *const names[] = {"snap", "mirror", "find saliency", "size 32", "overwrite"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        process_run(&p, "mattebox --%s gone.jpg", names[i]);
        CHECK_RUN(&p, 2, "mattebox: gone.jpg: no such file\n");
    }
    process_run(&p, "mattebox help cut | grep -e --snap -e --mirror -e --find");
    CHECK_MSG(p.code == 1, "listed: %s", p.out);
    process_run(&p, "mattebox --find nothing gone.jpg");
    CHECK_RUN(&p, 2, "mattebox: --segment nothing: one of network, saliency, both\n");
}

TEST(bad_options)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"", "mattebox: no photo given\n  mattebox PHOTO, or mattebox help\n"},
        {"--erode 300 cat.jpg", "mattebox: --erode 300: 1 to 255\n"},
        {"--dilate 0 cat.jpg", "mattebox: --dilate 0: 1 to 255\n"},
        {"--erode 1.5 cat.jpg", "mattebox: --erode 1.5: 1 to 255\n"},
        {"--erode six cat.jpg", "mattebox: --erode six: 1 to 255\n"},
        {"--black-point 0.99 cat.jpg", "mattebox: --black-point 0.99: 0.01 to 0.98\n"},
        {"--white-point nan cat.jpg", "mattebox: --white-point nan: 0.02 to 0.99\n"},
        {"--max-megapixels 0.5 cat.jpg", "mattebox: --max-megapixels 0.5: 1 to 999\n"},
        {"--detail best cat.jpg", "one of none, guided, pymatting, vitmatte, vitmatte-local, vitmatte-base\n"},
        {"--recipe x cat.jpg", "one of auto, layerstyle, layerstyle-v2, modelcard, official, rembg\n"},
        {"--preset x cat.jpg", "mattebox: preset \"x\": one of birefnet-ultra, birefnet-ultra-v2, small\n"},
        {"--segment x cat.jpg", "one of network, saliency, both\n"},
        {"--input-size 10x cat.jpg", "mattebox: --input-size 10x: a size like 1024 or 1024x768"},
        {"--max-memory lots cat.jpg", "mattebox: --max-memory lots: a number of bytes like 512M or 6G\n"},
        {"--output", "mattebox: --output needs a value\n  mattebox cut --help shows all options\n"},
        {"--outptu x cat.jpg", "mattebox: unknown option --outptu\n  did you mean --output?\n"},
        {"-Z cat.jpg", "mattebox: unknown option -Z\n"},
        {"--json=yes cat.jpg", "mattebox: --json takes no value\n"},
        {"--tap x cat.jpg", "mattebox: --tap does not belong to this command\n"},
        {"--background nocolour cat.jpg", "mattebox: --background nocolour: no colour, and no such file\n"},
        {"--background blur:0 cat.jpg", "mattebox: --background blur:0: a radius of 0.3 to 4096\n"},
        {"--background cat.jpg cat.jpg", "mattebox: cat.jpg: not a picture"},
        {"--crop=-1 cat.jpg", "mattebox: --crop -1: 0 to 65535\n"},
        {"--depth 12 cat.jpg", "mattebox: --depth 12: one of auto, 8, 16\n"},
        {"--quality 101 cat.jpg", "mattebox: --quality 101: 1 to 100\n"},
        {"--format jpeg cat.jpg", "mattebox: cat.cutout.jpg: JPEG has no transparency\n"},
        {"--format jpeg -b '#ffffff80' cat.jpg", "mattebox: cat.composite.jpg: JPEG has no transparency\n"},
        {"--format webp -o x.png cat.jpg",
         "mattebox: x.png with --format webp\n  the file name and --format must agree\n"},
        {"--guided-eps 0 cat.jpg", "mattebox: --guided-eps 0: 1e-09 to 1000000\n"},
        {"--black-point 0.6 --white-point 0.4 cat.jpg", "mattebox: --black-point 0.6 is above --white-point 0.4\n"},
        {"--background blur:4097 cat.jpg", "mattebox: --background blur:4097: a radius of 0.3 to 4096\n"},
        {"--min-area -1 cat.jpg", "mattebox: --min-area -1: 0 to 2147483647\n"},
        {"--precision f8 cat.jpg", "mattebox: --precision f8: one of auto, f32, tf32, f16, bf16\n"},
        {"--guided-radius 513 cat.jpg", "mattebox: --guided-radius 513: 1 to 512\n"},
        {"--shard 3/2 cat.jpg", "mattebox: --shard 3/2: I/N with 1 <= I <= N, as in 2/8\n"},
        {"--force --no-clobber cat.jpg", "mattebox: --force and --no-clobber exclude each other\n"},
        {"cat.jpg - ", "mattebox: - goes with no other input\n"},
        {"help ct", "mattebox: no command \"ct\"\n  did you mean cut?\n"},
        {"bench", "mattebox: bench needs one model\n"},
        {"bench m.mbw --threads 1,,2",
         "mattebox: --threads 1,,2: 1 to 1024, or up to 16 such numbers with commas between them\n"},
        {"bench m.mbw --threads 0", "mattebox: --threads 0: 1 to 1024, or up to 16 such numbers with commas"},
        {"tensors a b", "mattebox: tensors needs a model, an input and an output\n"},
        {"matte cat.jpg", "mattebox: matte needs one of --mask and --trimap\n"},
        {"refine cat.jpg", "mattebox: refine needs one of --mask and --trimap\n"},
        {"matte a.jpg --mask m.png --trimap t.png", "mattebox: matte takes --mask or --trimap, not both\n"},
        {"refine a.jpg --mask m.png --trimap t.png", "mattebox: refine takes --mask or --trimap, not both\n"},
        {"matte cat.jpg --mask gone.png", "mattebox: gone.png: no such file\n"},
        {"matte cat.jpg --mask -", "mattebox: --mask -: a mask is not read from standard input\n"},
        {"refine cat.jpg --trimap -", "mattebox: --trimap -: a trimap is not read from standard input\n"},
        {"matte cat.jpg cat.jpg --mask cat.jpg", "mattebox: cat.jpg is one mask for 2 photos\n"},
        {"refine cat.jpg --foreground ml --mask cat.jpg", "mattebox: --foreground does not belong to this command\n"},
        {"models burn", "mattebox: models has no \"burn\"\n"},
    };
    const bool jpeg = writes_jpeg();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        process_run(&p, "mattebox %s", rows[i].line);
        const bool not_here = !jpeg && strstr(rows[i].line, "jpeg") != NULL;
        CHECK_RUN(&p, 2, not_here ? "writing JPEG is not in this build" : rows[i].text);
        CHECK_MSG(p.out_bytes == 0, "mattebox %s printed on stdout", rows[i].line);
    }
    process_run(&p, "MATTEBOX_THREADS=many mattebox cat.jpg");
    CHECK_RUN(&p, 2, "mattebox: MATTEBOX_THREADS many: 1 to 1024\n");
}

TEST(missing)
{
    file_write_text("cat.jpeg", "x");
    process_run(&p, "mattebox dog.jpg");
    CHECK_RUN(&p, 2, "mattebox: dog.jpg: no such file\n");
    process_run(&p, "mattebox cta.jpeg");
    CHECK_RUN(&p, 2, "mattebox: cta.jpeg: no such file\n  did you mean cat.jpeg?\n");
    /* a command, before a picture that is there and before none; not where it is no first word, or a file is meant */
    process_run(&p, "mkdir -p out && mattebox cutt cat.jpeg --model saliency");
    CHECK_CONTAINS(p.err, "mattebox: cutt: no such file\n  did you mean the command cut?\n");
    process_run(&p, "mattebox serv");
    CHECK_RUN(&p, 2, "mattebox: serv: no such file\n  did you mean the command serve?\n");
    process_run(&p, "mattebox cut cutt");
    CHECK_RUN(&p, 2, "mattebox: cutt: no such file\n  did you mean out?\n");
    process_run(&p, "mattebox ./cutt");
    CHECK_RUN(&p, 2, "mattebox: ./cutt: no such file\n  did you mean ./out?\n");
    process_run(&p, "mattebox '*.tif'");
    CHECK_RUN(&p, 2, "mattebox: *.tif: no such file\n  ");
    CHECK(strstr(p.err, "the shell expands patterns: drop the quotes\n") != NULL || /* on Windows the program does */
          strstr(p.err, "no file matches the pattern\n") != NULL);
    process_run(&p, "mattebox \"$(printf 'a\\033[31mb')\"");
    CHECK_RUN(&p, 2, "mattebox: a\\x1b[31mb: no such file\n");
    process_run(&p, "mkdir -p empty && mattebox empty");
    CHECK_RUN(&p, 2, "mattebox: no pictures found in empty (0 other files)\n");
}

TEST(names)
{
    file_write_text("a.jpg", "x");
    file_write_text("a.png", "x");
    process_run(&p, "mattebox a.jpg a.png");
    CHECK_RUN(&p, 2,
              "mattebox: a.jpg and a.png would both write a.cutout.png\n  --template "
              "'{dir}/{stem}.{ext}.{kind}.png' keeps them apart\n");
    const bool jpeg = writes_jpeg();
    process_run(&p, "mattebox a.jpg -o b.jpg");
    CHECK_RUN(&p, 2,
              jpeg ? "mattebox: b.jpg: JPEG has no transparency\n  --background white, or write a PNG\n"
                   : "mattebox: b.jpg: writing JPEG is not in this build\n  write a PNG\n");
    process_run(&p, "mattebox a.jpg -o b.tiff");
    CHECK_RUN(&p, 2, "mattebox: b.tiff: .tiff files cannot be written here\n  write a PNG\n");
    file_write_text("a.cutout.png", "old");
    process_run(&p, "mattebox a.jpg");
    CHECK_RUN(&p, 2, "mattebox: a.cutout.png exists\n  --force replaces, --no-clobber skips\n");
    process_run(&p, "mattebox --force a.png -o a.png");
    CHECK_RUN(&p, 2, "mattebox: a.png is an input (a.png)\n");
    process_run(&p, "ln -sf a.png link.png && mattebox --force a.png -o link.png");
    CHECK_RUN(&p, 2, "mattebox: link.png is an input (a.png)\n");
    process_run(&p, "mattebox a.jpg cat.jpg -o a.png");
    CHECK_RUN(&p, 2, "mattebox: a.png is a file; several inputs need a folder\n");
    process_run(&p, "mattebox --template '{dir}/{colour}.png' a.jpg");
    CHECK_RUN(&p, 2,
              "mattebox: a.jpg: no name for its result\n  it may hold {dir}, {stem}, {ext}, {frame} and {kind}\n");
    process_run(&p, "mattebox --template '' a.jpg");
    CHECK_RUN(&p, 2,
              "mattebox: --template '' gives a folder's name for a.jpg\n"
              "  end it in a file name, as {dir}/{stem}.{kind}.png does\n");
    process_run(&p, "mattebox --template '{stem}/' a.jpg");
    CHECK_RUN(&p, 2, "--template '{stem}/' gives a folder's name for a.jpg");
    process_run(&p, "mattebox frames --frames all --size 8x8");
    CHECK_RUN(&p, 2, "--frames");
    process_run(&p, "mattebox a.jpg --json -o - | cat");
    CHECK_RUN(&p, 0, "mattebox: --json and the picture cannot both go to stdout\n");
    process_run(&p, "mattebox a.jpg cat.jpg -o - | cat");
    CHECK_RUN(&p, 0, "mattebox: stdout takes one result of one input\n");
    CHECK(file_bytes("a.cutout.png") == 3); /* all of that wrote nothing */
}

TEST(models)
{
    process_run(&p, "mattebox cat.jpg --model nonesuch --force");
    CHECK_RUN(&p, 3, "mattebox: no model \"nonesuch\" in: ");
    process_run(&p, "MATTEBOX_MODELS='/one%c/two' mattebox models path | head -n 2", process_is_windows() ? ';' : ':');
    CHECK(strcmp(p.out, "/one\n/two\n") == 0);
    process_run(&p, "mattebox cat.jpg --model ./nonesuch.mbw --force");
    CHECK_RUN(&p, 3, "mattebox: ./nonesuch.mbw: no such file\n");
    process_run(&p, "mattebox --device cuda cat.jpg --force --model x");
    CHECK(p.code == 4 || p.code == 3); /* 3 only where a GPU is there */
}

/* --help answers at once (in 20 ms). */
TEST(speed)
{
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        process_run(&p, "mattebox --help");
        best = p.cpu_seconds < best ? p.cpu_seconds : best;
    }
    CHECK_LT(best, 0.5);
}

SETUP
{
    (void)process_folder("cli-usage");
}

BEFORE_EACH
{
    process_run(&p, "rm -rf ./*");
    file_write_text("cat.jpg", "never opened");
}

/* What people type first, and what they get. */
TEST(first_attempts)
{
    process_run(&p, "cp %s/pictures/chelsea.ppm pet.ppm", MB_TEST_DATA);
    process_run(&p, "mattebox pet.ppm -m saliency --only-mask -q -o m.png -f && mattebox pet.ppm -m saliency -q --crop "
                    "20 -o a20.png "
                    "-f && mattebox pet.ppm -m saliency -q --crop=20 -o b20.png -f && cmp a20.png b20.png");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox pet.ppm --mask m.png -m saliency -q");
    CHECK_RUN(&p, 2, "mattebox matte pet.ppm --mask m.png cuts out by a mask of yours");
    process_run(&p, "mattebox cat.jpg --mask=m.png");
    CHECK_RUN(&p, 2, "mattebox matte PHOTO --mask MASK");
    process_run(&p, "mattebox pet.ppm -m saliency -d none --guided-radius 5 -o i.png -f");
    CHECK_RUN(&p, 0, "--guided-radius does nothing here: it acts with --detail guided");
    process_run(&p, "mattebox matte pet.ppm --mask m.png -d none --black-point 0.3 -o i4.png -f");
    CHECK_RUN(&p, 0, "--black-point does nothing here: it acts with a --detail");
    process_run(&p, "mattebox matte pet.ppm --mask m.png -d none --quality 80 -o i5.png -f");
    CHECK_RUN(&p, 0, "--quality does nothing here: it acts on WebP and JPEG");
    /* The results of one run have one format. */
    process_run(&p, "mattebox pet.ppm -m saliency -q -o w.webp --format webp --mask -f && head -c 12 w.mask.webp");
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(process_is_windows() || strncmp(p.out, "RIFF", 4) == 0, "%s", p.out);
    process_run(&p, "mattebox cat.jpg --json --erode 999 2>/dev/null");
    CHECK_MSG(strcmp(p.out, "{\"error\":{\"code\":2,\"message\":\"--erode 999: 1 to 255\"}}\n") == 0, "%s", p.out);
    process_run(&p, "mattebox cat.jpg --json -m nomodel -o i2.png 2>/dev/null");
    CHECK_MSG(p.code == 3 && strncmp(p.out, "{\"error\":{\"code\":3,\"message\":\"no model", 38) == 0, "%d %s", p.code,
              p.out);
    process_run(&p, "env -u HOME mattebox pet.ppm -m saliency -q -o i3.png -f");
    CHECK_RUN(&p, 0, "");
    process_run(&p, "TERM=dumb script -qec 'mattebox nothing.jpg' /dev/null");
    CHECK_MSG(process_is_windows() || strstr(p.out, "\033") == NULL, "%s", p.out);
}
