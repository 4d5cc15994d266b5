/* What results look like: backgrounds, crop, invert, depth, formats. The pictures are read back through the library. */
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHOTO MB_SOURCE_DIR "/docs/pictures/astronaut.jpg"
#define MASK  MB_SOURCE_DIR "/docs/pictures/astronaut_mask.png"

static process p;
static const char *folder;

/* Makes the picture with the options given; `name` is what it is called. */
static void make(const char *name, const char *options)
{
    process_run(&p, "rm -f %s; mattebox matte a.jpg --mask m.png -d guided -q -o %s %s", name, name, options);
    CHECK_RUN(&p, 0, "");
    CHECK(file_exists(name));
}

static mb_image load(const char *name, mb_image_source *source)
{
    mb_image image = {0};
    mb_error err = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_depth = 1;
    *source = (mb_image_source){.size = sizeof *source};
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(mb_image_load(&image, source, path, &o, &err), err);
    return image;
}

static void corner_is(const char *name, int r, int g, int b)
{
    mb_image_source s;
    mb_image image = load(name, &s);
    const unsigned char *v = image.data;
    if (v != NULL) {
        CHECK_MSG(abs(v[0] - r) < 3 && abs(v[1] - g) < 3 && abs(v[2] - b) < 3, "%s: %d %d %d", name, v[0], v[1], v[2]);
        CHECK_MSG(s.channels == 3 && image.width == 512, "%s: %d channels, %d wide", name, s.channels, image.width);
    }
    mb_image_dispose(&image);
}

static void skip_without(const char *library)
{
    process_run(&p, "mattebox version --verbose | grep -q '%s '", library);
    if (p.code != 0) {
        SKIP("this build has no %s", library);
    }
}

TEST(backgrounds)
{
    skip_without("libjpeg-turbo");
    skip_without("libwebp");
    make("c.png", "--background '#ff8000'");
    corner_is("c.png", 255, 128, 0);
    make("c.jpg", "-b 255,128,0 --quality 95");
    corner_is("c.jpg", 255, 128, 0);
    make("c.webp", "-b 255,128,0");
    corner_is("c.webp", 255, 128, 0);
    make("p.png", "-b c.png");
    corner_is("p.png", 255, 128, 0);
    make("b.png", "-b blur:5");
    make("translucent.png", "-b '#ffffff80'");
    mb_image_source s;
    mb_image image = load("translucent.png", &s);
    CHECK_EQ(s.channels, 4);
    mb_image_dispose(&image);
    process_run(&p, "mattebox matte a.jpg --mask m.png -d guided -q -b white --format jpeg && ls");
    CHECK_RUN(&p, 0, "");
    CHECK(file_exists("a.composite.jpg"));
    process_run(&p, "mattebox matte - --mask m.png -d guided -b white --format jpeg <a.jpg | head -c 3 | od -An -tx1");
    CHECK_MSG(strstr(p.out, "ff d8 ff") != NULL, "%s", p.out);
}

TEST(depth)
{
    mb_image_source s;
    make("deep.png", "--depth 16 --premultiplied");
    mb_image image = load("deep.png", &s);
    CHECK(s.bits == 16 && s.channels == 4);
    mb_image_dispose(&image);
    process_run(&p, "grep -c 'premultiplied alpha' deep.png");
    CHECK_EQ(p.code, 0);
    /* A 16-bit photo gives a 16-bit cut-out, whose opaque pixels are the photo's own. */
    process_run(&p, "mattebox matte deep.png --mask m.png -d none --foreground none -q -o twice.png && "
                    "mattebox matte deep.png --mask m.png -d none --foreground none -q -o twice8.png --depth 8");
    CHECK_RUN(&p, 0, "");
    mb_image first = load("deep.png", &s), second = load("twice.png", &s);
    CHECK(s.bits == 16 && first.depth == MB_DEPTH_U16 && second.depth == MB_DEPTH_U16);
    if (first.data != NULL && second.data != NULL) {
        CHECK(memcmp(first.data, second.data, (size_t)first.width * (size_t)first.height * 6) == 0);
    }
    mb_image_dispose(&first);
    mb_image_dispose(&second);
    image = load("twice8.png", &s);
    CHECK_EQ(s.bits, 8);
    mb_image_dispose(&image);
    process_run(&p, "mattebox refine a.jpg --mask m.png -d guided --depth 16 -q -o fine.png && "
                    "mattebox refine a.jpg --mask m.png -d guided -q -o coarse.png");
    CHECK_RUN(&p, 0, "");
    first = load("fine.png", &s);
    second = load("coarse.png", &s);
    int between = 0, wrong = 0;
    for (size_t i = 0; first.data != NULL && second.data != NULL && i < 512u * 512u; i++) {
        double fine = ((const uint16_t *)first.data)[3 * i] / 257.0, coarse = ((const uint8_t *)second.data)[3 * i];
        wrong += fine < coarse - 0.01 || fine > coarse + 1.01; /* 8 bits are truncated */
        between += fine > coarse + 0.1 && fine < coarse + 0.9;
    }
    CHECK_MSG(wrong == 0 && between > 1000, "%d wrong, %d between two levels", wrong, between);
    mb_image_dispose(&first);
    mb_image_dispose(&second);
}

/* The fast guided filter is the exact one, nearly: its window is as wide in the photo. */
TEST(fast)
{
    mb_image_source s;
    process_run(&p, "for s in 1 0.5; do mattebox refine a.jpg --mask m.png -d guided --erode 30 --dilate 30 "
                    "--guided-scale $s -q -o fast$s.png || exit 9; done");
    CHECK_RUN(&p, 0, "");
    mb_image exact = load("fast1.png", &s), fast = load("fast0.5.png", &s);
    double sum = 0;
    for (size_t i = 0; exact.data != NULL && fast.data != NULL && i < 512u * 512u; i++) {
        sum += abs(((const uint8_t *)exact.data)[3 * i] - ((const uint8_t *)fast.data)[3 * i]);
    }
    CHECK_MSG(sum > 0 && sum / (512 * 512) < 1.5, "%g levels apart", sum / (512 * 512));
    mb_image_dispose(&exact);
    mb_image_dispose(&fast);
}

TEST(crop_invert)
{
    process_run(&p, "mattebox matte a.jpg --mask m.png -d guided -q --crop=4 --write-mask --json -o crop.png");
    CHECK_EQ(p.code, 0);
    int box[4] = {0};
    const char *at = strstr(p.out, "\"crop\":[");
    CHECK(at != NULL && sscanf(at, "\"crop\":[%d,%d,%d,%d]", &box[0], &box[1], &box[2], &box[3]) == 4);
    mb_image_source s;
    mb_image cut = load("crop.png", &s), mask = load("crop.mask.png", &s);
    CHECK_MSG(cut.width == box[2] && cut.height == box[3] && mask.width == box[2] && box[2] < 512, "%d x %d", cut.width,
              cut.height);
    mb_image_dispose(&cut);
    mb_image_dispose(&mask);
    process_run(&p, "mattebox matte a.jpg --mask m.png -d none --only-mask -q -o m1.png && mattebox matte a.jpg --mask "
                    "m.png -d none --only-mask --invert -q -o m2.png");
    CHECK_RUN(&p, 0, "");
    mb_image a = load("m1.png", &s), b = load("m2.png", &s);
    int bad = 0;
    for (size_t i = 0; a.data != NULL && b.data != NULL && i < 512u * 512u * 3u; i++) {
        bad += ((const uint8_t *)a.data)[i] + ((const uint8_t *)b.data)[i] != 255;
    }
    CHECK_EQ(bad, 0);
    mb_image_dispose(&a);
    mb_image_dispose(&b);
    process_run(&p, "mattebox matte a.jpg --mask m.png -d none --min-area 1000000 --crop -o empty.png");
    CHECK_RUN(&p, 0, "warning: a.jpg: nothing to crop to: alpha is empty; no foreground found");
}

SETUP
{
    folder = process_folder("cli-look");
    process_run(&p, "rm -rf ./* && cp '%s' a.jpg && cp '%s' m.png", PHOTO, MASK);
}
