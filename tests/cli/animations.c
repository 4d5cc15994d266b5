/* --frames and the library's frames: animations are composed as viewers show them, written so that they decode to what
 * was given, and go through a batch like any input. The pictures come from tests/data/pictures/make_pictures.py. */
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES MB_SOURCE_DIR "/tests/data/pictures/"
#define ANIMATED PICTURES "animated/"
#define GIF      "'" ANIMATED "disposal2.gif'"
#define ALL      "'" PICTURES "animated/all.png'"
/* The photo itself, as its own alpha has it: the mask is white. */
#define EACH  "mattebox matte --mask masks --no-detail --foreground none "
#define MATTE "mattebox matte --mask " ALL " --no-detail --foreground none "

static process p;
static const char *folder;

SETUP
{
    folder = process_folder("cli-animations");
}

static mb_load_options all_of_it(void)
{
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = o.keep_depth = 1;
    return o;
}

/* Frame i as RGBA of 8 bits. */
static mb_image read_frame(mb_frames *f, int i, double *ms)
{
    mb_error err = {0};
    mb_image picture = {0}, rgba = {0};
    const mb_load_options o = all_of_it();
    CHECK_OK(mb_frames_read(&picture, NULL, ms, f, i, &o, &err), err);
    REQUIRE(picture.data != NULL);
    REQUIRE_OK(mb_image_create(&rgba, picture.width, picture.height, MB_PIXELS_RGBA, MB_DEPTH_U8, &err), err);
    CHECK_OK(mb_image_convert(&rgba, &picture, &err), err);
    mb_image_dispose(&picture);
    return rgba;
}

/* The largest difference from part i of a strip of frames, where either can be seen. */
static int worst_of(const mb_image *frame, const mb_image *strip, int i)
{
    int worst = 0;
    for (int y = 0; y < frame->height; y++) {
        const unsigned char *a = (const unsigned char *)frame->data + (size_t)(y * frame->width) * 4;
        const unsigned char *b = (const unsigned char *)strip->data + (size_t)(y * strip->width + i * frame->width) * 4;
        for (int x = 0; x < 4 * frame->width; x++) {
            const int off = abs(a[x] - b[x]);
            worst = (a[x | 3] > 0 || b[x | 3] > 0) && off > worst ? off : worst;
        }
    }
    return worst;
}

/* A picture of the tests' data, or one that the program has written. */
static mb_image load_rgba(const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/", name);
    mb_error err = {0};
    mb_frames *f = NULL;
    const mb_load_options o = all_of_it();
    REQUIRE_OK(mb_frames_open(&f, path, &o, &err), err);
    mb_image picture = read_frame(f, 0, NULL);
    mb_frames_free(f);
    return picture;
}

static const struct animation {
    const char *name, *file, *strip;
    int loops;
} animations[] = {
    {"GIF, frames stay", "disposal1.gif", "disposal1_gif.png", 3}, /* repeated twice after the first time */
    {"GIF, frames are cleared", "disposal2.gif", "disposal2_gif.png", 3},
    {"GIF, frames are taken back", "disposal3.gif", "disposal3_gif.png", 3},
    {"WebP", "lossless.webp", "lossless_webp.png", 3},
    {"APNG, half-transparent frames of all kinds", "soft.png", "soft_png.png", 7},
};

static const double times[] = {100, 50, 200, 70, 400};

static void check_frames(const char *name, const mb_image *strip, int loops)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : folder, name[0] == '/' ? "" : "/", name);
    mb_error err = {0};
    mb_frames *f = NULL;
    REQUIRE_OK(mb_frames_open(&f, path, NULL, &err), err);
    const mb_frames_info *info = mb_frames_get_info(f);
    CHECK_EQ(info->n_frames, 5);
    CHECK_EQ(info->loops, loops);
    CHECK_EQ(info->animated, 1);
    static const int order[] = {0, 1, 2, 3, 4, 2, 0}; /* back, too */
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        double ms = -1;
        mb_image frame = read_frame(f, order[k], &ms);
        CHECK_MSG(worst_of(&frame, strip, order[k]) == 0, "%s: frame %d is off by %d", path, order[k] + 1,
                  worst_of(&frame, strip, order[k]));
        CHECK(fabs(ms - times[order[k]]) < 1e-9);
        mb_image_dispose(&frame);
    }
    mb_frames_free(f);
}

static void require_format(const char *library)
{
    process_run(&p, "mattebox version --verbose | grep -q '%s '", library);
    if (p.code != 0) {
        SKIP("this build has no %s", library);
    }
}

TEST_ROWS(composed, animations)
{
    char path[512], strip_path[512];
    if (strcmp(row->name, "WebP") == 0) {
        require_format("libwebp");
    }
    (void)snprintf(path, sizeof path, ANIMATED "%s", row->file);
    (void)snprintf(strip_path, sizeof strip_path, ANIMATED "%s", row->strip);
    mb_image strip = load_rgba(strip_path);
    check_frames(path, &strip, row->loops);
    mb_image_dispose(&strip);
}

/* Written again by the program, as either format: the same frames, durations and repeats. */
TEST_ROWS(written, animations)
{
    char strip_path[512];
    require_format("libwebp");
    (void)snprintf(strip_path, sizeof strip_path, ANIMATED "%s", row->strip);
    mb_image strip = load_rgba(strip_path);
    process_run(&p,
                MATTE "--frames all '" ANIMATED "%s' -o again.webp -f -q && " MATTE "--frames all '" ANIMATED
                      "%s' -o again.png -f -q && " MATTE "--frames animation '" ANIMATED
                      "%s' -o - --format webp -q >stdout.webp",
                row->file, row->file, row->file);
    CHECK_RUN(&p, 0, "");
    check_frames("again.webp", &strip, row->loops);
    check_frames("again.png", &strip, row->loops);
    CHECK(file_equal("again.webp", "stdout.webp"));
    mb_image_dispose(&strip);
}

TEST(one_result_each)
{
    process_run(&p, MATTE "--frames all " GIF " -o out/ --json");
    CHECK_RUN(&p, 0, "Processed 5 image(s)");
    CHECK_CONTAINS(p.out, "\"frame\":3,\"frames\":5,\"duration_ms\":200,\"status\":\"ok\",\"outputs\":{\"cutout\":"
                          "\"out/disposal2.0003.cutout.png\"}");
    mb_image strip = load_rgba(ANIMATED "disposal2_gif.png");
    for (int i = 0; i < 5; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "out/disposal2.%04d.cutout.png", i + 1);
        mb_image frame = load_rgba(path);
        CHECK_EQ(worst_of(&frame, &strip, i), 0);
        mb_image_dispose(&frame);
    }
    mb_image_dispose(&strip);
    /* What is missing is made again, the rest is left alone. */
    process_run(&p, "rm out/disposal2.0002.cutout.png; " MATTE "--frames all " GIF " -o out/ -n");
    CHECK_RUN(&p, 0, "Processed 1 image(s), 4 skipped");
    process_run(&p, MATTE "--frames all " GIF " -o out/");
    CHECK_RUN(&p, 2, "out/disposal2.0001.cutout.png exists");
    process_run(&p, MATTE "--frames all " GIF " -o shard/ --shard 2/2 && ls shard");
    CHECK_STR(p.out, "disposal2.0002.cutout.png\ndisposal2.0004.cutout.png\n");
    process_run(&p, MATTE "--frames first " GIF " -o first.png");
    CHECK_RUN(&p, 0, "animated: only the first frame is used");
    /* A single picture is not numbered. */
    process_run(&p, "mattebox matte '" PICTURES "profiles/p3.png' --mask '" PICTURES
                    "profiles/all.png' --frames all -o single/ -q; ls single");
    CHECK_STR(p.out, "p3.cutout.png\n");
}

TEST(one_animation)
{
    process_run(&p, "mkdir masks && cp " ALL " masks/disposal1.png && cp " ALL " masks/disposal2.png");
    process_run(&p,
                EACH "--frames animation " GIF " '" ANIMATED "disposal1.gif' -o both/ --write-mask --json && ls both");
    CHECK_RUN(&p, 0, "Processed 10 image(s)");
    CHECK_CONTAINS(p.out, "disposal1.cutout.png\ndisposal1.mask.png\ndisposal2.cutout.png\ndisposal2.mask.png\n");
    CHECK_CONTAINS(p.out, "\"frame\":4,\"frames\":5,\"duration_ms\":70,\"status\":\"ok\",\"outputs\":{},");
    CHECK_CONTAINS(p.out, "\"status\":\"ok\",\"outputs\":{\"cutout\":\"both/disposal2.cutout.png\",\"mask\":");
    process_run(&p, EACH "--frames animation " GIF " -o both/ -n");
    CHECK_RUN(&p, 0, "5 skipped");
    process_run(&p, EACH "--frames animation " GIF " '" ANIMATED "disposal1.gif' -o part/ --shard 2/2 -q; ls part");
    CHECK_STR(p.out, "disposal1.cutout.png\n"); /* a shard has whole animations */
}

TEST(refusals)
{
    process_run(&p, MATTE "--frames all " GIF " -o x.webp --crop");
    CHECK_RUN(&p, 2, "--crop makes frames of different sizes");
    process_run(&p, MATTE "--frames all " GIF " -o x.jpg --background white");
    CHECK_RUN(&p, 2, "x.jpg is the name of one picture");
    process_run(&p, MATTE "--frames all " GIF " --template '{stem}.png'");
    CHECK_RUN(&p, 2, "--template '{dir}/{stem}.{frame}.{kind}.png' keeps them apart");
    process_run(&p, MATTE "--frames all " GIF " -o x/ --max-frames 4");
    CHECK_RUN(&p, 1, "disposal2.gif: it has more than 4 frames\n  --max-frames raises the limit");
    process_run(&p, MATTE "--frames all - -o x.png <" GIF);
    CHECK_RUN(&p, 2, "--frames needs a file");
}

/* One frame's data is damaged: that frame fails, and what is shown over it; the others are there. */
TEST(damaged_frames)
{
    size_t n = 0;
    char *file = file_read(ANIMATED "soft.png", &n);
    REQUIRE(file != NULL);
    char *at = NULL;
    for (size_t i = 0, seen = 0; i + 4 < n && at == NULL; i++) { /* the third fdAT belongs to the third frame */
        seen += memcmp(file + i, "fdAT", 4) == 0;
        at = seen == 3 ? file + i : NULL;
    }
    REQUIRE(at != NULL);
    at[20] ^= 0x55;
    file_write("broken.png", file, n);
    process_run(&p, MATTE "--frames all broken.png -o broken/");
    CHECK_RUN(&p, 1, "broken.png, frame 3 of 5: damaged APNG: the frame's data");
    CHECK_RUN(&p, 1, "broken.png, frame 4 of 5: it is shown over frame 3, which is damaged");
    CHECK(file_exists("broken/broken.0001.cutout.png") && file_exists("broken/broken.0002.cutout.png"));
    CHECK(!file_exists("broken/broken.0003.cutout.png") && !file_exists("broken/broken.0005.cutout.png"));
    process_run(&p, MATTE "--frames animation broken.png -o whole.png");
    CHECK_EQ(p.code, 1);
    CHECK(!file_exists("whole.png"));
    free(file);
    process_run(&p, "head -c 300 " GIF " >cut.gif; " MATTE "--frames all cut.gif -o cut/");
    CHECK_EQ(p.code, 1);
    CHECK(file_exists("cut/cut.0001.cutout.png"));
    process_run(&p, "head -c 400 '" ANIMATED "lossless.webp' >cut.webp; " MATTE "--frames all cut.webp -o cut_webp/");
    CHECK_RUN(&p, 1, "cut.webp: damaged WebP");
}

/* A mask for all frames, a mask file with as many, or one for each in a folder. */
TEST(masks)
{
    process_run(&p, MATTE "--frames all " GIF " -o m/ --only-mask -q && mattebox matte " GIF
                          " --mask m --frames all -o by_folder/ --no-detail -q && ls by_folder | wc -l");
    CHECK_STR(p.out, "5\n");
    process_run(&p, "mattebox matte " GIF " --mask " GIF " --frames all -o by_file/ --no-detail --only-mask -q && "
                    "cmp by_file/disposal2.0004.mask.png m/disposal2.0004.mask.png; ls by_file | wc -l");
    CHECK_STR(p.out, "5\n");
    process_run(&p, "mattebox matte " GIF " --mask '" PICTURES "tiff/pages.tif' --frames all -o bad/ --no-detail");
    CHECK_RUN(&p, 1, "pages.tif has 2 frames, and ");
}

static const struct pages {
    const char *name, *library, *file;
    int n, animated;
} pages[] = {
    {"TIFF", "libtiff", "tiff/pages.tif", 2, 0},
    {"HEIC", "libheif", "heif/two.heic", 2, 0},
    {"JPEG XL", "libjxl", "jxl/animated.jxl", 4, 1},
};

/* The second page of two is the first one upside down; JPEG XL moves by eight pixels a frame. */
TEST_ROWS(pages_and_collections, pages)
{
    char path[512];
    mb_error err = {0};
    mb_frames *f = NULL;
    require_format(row->library);
    (void)snprintf(path, sizeof path, PICTURES "%s", row->file);
    REQUIRE_OK(mb_frames_open(&f, path, NULL, &err), err);
    CHECK_EQ(mb_frames_get_info(f)->n_frames, row->n);
    CHECK_EQ(mb_frames_get_info(f)->animated, row->animated);
    double ms = 0;
    mb_image first = read_frame(f, 0, NULL), second = read_frame(f, 1, &ms);
    const int w = first.width, h = first.height;
    const unsigned char *a = first.data, *b = second.data;
    int worst = 0;
    for (int i = 0; i < w * h * 4; i++) {
        const int x = i / 4 % w, y = i / 4 / w,
                  j = row->animated ? (y * w + (x + 8) % w) * 4 + i % 4 : (w * h - 1 - i / 4) * 4 + i % 4;
        const int off = a[j | 3] == 0 ? 0 : abs(a[j] - b[i]);
        worst = off > worst ? off : worst;
    }
    CHECK_MSG(worst <= 1, "%s: off by %d", row->name, worst);
    CHECK(!row->animated || (ms == 50 && mb_frames_get_info(f)->loops == 3));
    mb_image_dispose(&first);
    mb_image_dispose(&second);
    CHECK(mb_frames_read(&first, NULL, NULL, f, row->n, NULL, &err) == MB_E_ARGUMENT);
    mb_frames_free(f);
}
