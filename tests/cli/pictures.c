/* Masks, trimaps and photos as people have them: what is read, what is kept, and what is said about it. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <mattebox.h>
#include <string.h>

#define PHOTO  MB_SOURCE_DIR "/docs/pictures/astronaut.jpg"
#define MASK   MB_SOURCE_DIR "/docs/pictures/astronaut_mask.png"
#define WIDTH  48
#define HEIGHT 32

static process p;
static const char *folder;

static void fresh(void)
{
    process_run(&p, "rm -rf ./*");
    CHECK(p.code == 0);
}

/* A disc in the middle: 2 inside, 1 on its rim, 0 outside. */
static int disc(int x, int y)
{
    const int d = (x - WIDTH / 2) * (x - WIDTH / 2) + (y - HEIGHT / 2) * (y - HEIGHT / 2);
    return d < 64 ? 2 : d < 121 ? 1 : 0;
}

typedef void (*pixel_fn)(unsigned v[4], int label, int x);

/* A PAM file; samples above 255 take two bytes. */
static void write_pam(const char *name, int channels, unsigned top, pixel_fn pixel)
{
    static char file[256 + WIDTH * HEIGHT * 8];
    size_t n = (size_t)snprintf(file, 256, "P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %u\nENDHDR\n", WIDTH, HEIGHT,
                                channels, top);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        unsigned v[4] = {0};
        pixel(v, disc(i % WIDTH, i / WIDTH), i % WIDTH);
        for (int c = 0; c < channels; c++) {
            if (top > 255) {
                file[n++] = (char)(v[c] >> 8);
            }
            file[n++] = (char)v[c];
        }
    }
    file_write(name, file, n);
}

static void photo(unsigned v[4], int label, int x)
{
    v[0] = label > 0 ? 200u - (unsigned)x : 40;
    v[1] = 3u * (unsigned)x;
    v[2] = label > 1 ? 30 : 160;
}

static unsigned as_mask(int label)
{
    return label > 0 ? 255 : 0;
}

static unsigned as_trimap(int label)
{
    return label == 2 ? 255 : label == 1 ? 128 : 0;
}

static void plain_mask(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = as_mask(label);
}
static void plain_trimap(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = as_trimap(label);
}
static void labels_mask(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = label > 0;
}
static void labels_trimap(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = (unsigned)label;
}
static void white_alpha(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = v[1] = v[2] = 255;
    v[3] = as_mask(label);
}
static void black_alpha(unsigned v[4], int label, int x)
{
    (void)x;
    v[3] = as_mask(label);
}
static void black_alpha_trimap(unsigned v[4], int label, int x)
{
    (void)x;
    v[3] = as_trimap(label);
}
static void grey_alpha(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = 90;
    v[1] = as_mask(label);
}
static void cutout(unsigned v[4], int label, int x)
{
    photo(v, label, x);
    v[3] = as_mask(label);
}
/* A mask that is one already, on a layer that does not reach the left side. */
static void half_layer(unsigned v[4], int label, int x)
{
    v[0] = v[1] = v[2] = x < 4 ? 255 : as_mask(label);
    v[3] = x < 4 ? 0 : 255;
}
static void green_label(unsigned v[4], int label, int x)
{
    (void)x;
    v[1] = label > 0 ? 128 : 0;
}
static void red_is_mask(unsigned v[4], int label, int x)
{
    v[0] = as_mask(label);
    v[1] = 5u * (unsigned)x;
    v[2] = 255 - v[1];
}
static void narrow_in_wide(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = as_mask(label);
}

/* The file given as a mask or trimap is used as plain.pgm's twin is, and `says` is in the warnings ("": none). */
static void same_as(const char *option, const char *reference, const char *file, const char *extra, const char *says)
{
    process_run(&p, "mattebox refine photo.pam --%s %s -d none --depth 8 -o want.png -f -q", option, reference);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox refine photo.pam --%s %s %s -d none --depth 8 -o got.png -f --json", option, file, extra);
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(says[0] != '\0' ? strstr(p.out, says) != NULL : strstr(p.out, "\"warnings\":[]") != NULL,
              "%s: not said \"%s\": %s", file, says, p.out);
    CHECK_MSG(file_equal("want.png", "got.png"), "%s: another alpha than %s", file, reference);
}

TEST(mask_kinds)
{
    fresh();
    write_pam("photo.pam", 3, 255, photo);
    write_pam("mask.pam", 1, 255, plain_mask);
    write_pam("tri.pam", 1, 255, plain_trimap);
    const struct {
        const char *option;
        int channels;
        unsigned top;
        pixel_fn pixel;
        const char *extra, *says;
    } rows[] = {
        {"mask", 1, 255, plain_mask, "", ""},
        {"mask", 1, 255, labels_mask, "", "its mask holds 0 and 1"},
        {"mask", 1, 65535, labels_mask, "", "its mask holds 0 and 1"},
        {"mask", 1, 65535, narrow_in_wide, "", "8-bit values in 16 bits"},
        {"mask", 4, 255, white_alpha, "", "its mask was read from the alpha channel"},
        {"mask", 4, 255, black_alpha, "", "its mask was read from the alpha channel"},
        {"mask", 2, 255, grey_alpha, "", "its mask was read from the alpha channel"},
        {"mask", 4, 255, cutout, "", "its mask was read from the alpha channel"},
        {"mask", 4, 255, half_layer, "", "partly transparent"},
        {"mask", 3, 255, green_label, "", "black and one colour"},
        {"mask", 3, 255, red_is_mask, "--mask-channel red", ""},
        {"mask", 4, 255, cutout, "--mask-channel alpha", ""},
        {"trimap", 1, 255, labels_trimap, "", "its trimap holds 0, 1 and 2"},
        {"trimap", 1, 65535, labels_trimap, "", "its trimap holds 0, 1 and 2"},
        {"trimap", 4, 255, black_alpha_trimap, "", "its trimap was read from the alpha channel"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "kind%zu.pam", i);
        write_pam(name, rows[i].channels, rows[i].top, rows[i].pixel);
        same_as(rows[i].option, strcmp(rows[i].option, "mask") == 0 ? "mask.pam" : "tri.pam", name, rows[i].extra,
                rows[i].says);
    }
    process_run(&p, "mattebox refine photo.pam --mask mask.pam --mask-channel alpha -o x.png");
    CHECK_RUN(&p, 1, "the mask has no transparency to read it from\n");
    CHECK(!file_exists("x.png"));
    process_run(&p, "mattebox trimap kind6.pam -o a.png -q && mattebox trimap mask.pam -o b.png -q && cmp a.png b.png");
    CHECK_RUN(&p, 0, "");
}

static unsigned low_level, high_level;
static void levels_trimap(unsigned v[4], int label, int x)
{
    (void)x;
    v[0] = label == 2 ? high_level : label == 1 ? 128 : low_level;
}

/* Nearly black and nearly white are known, as pymatting has it: 25 and 230 are, 26 and 229 are not. */
TEST(thresholds)
{
    fresh();
    write_pam("photo.pam", 3, 255, photo);
    write_pam("tri.pam", 1, 255, plain_trimap);
    low_level = 25;
    high_level = 230;
    write_pam("near.pam", 1, 255, levels_trimap);
    low_level = 26;
    high_level = 229;
    write_pam("far.pam", 1, 255, levels_trimap);
    process_run(&p, "mattebox refine photo.pam --trimap tri.pam -o a.png --json && "
                    "mattebox refine photo.pam --trimap near.pam -o b.png --json && cmp a.png b.png");
    CHECK_RUN(&p, 0, "");
    CHECK(strstr(p.out, "no-foreground") == NULL && strstr(p.out, "kept as it is") == NULL);
    process_run(&p, "mattebox refine photo.pam --trimap far.pam -o c.png --json");
    CHECK(strstr(p.out, "no foreground") != NULL);
    process_run(&p, "mattebox refine photo.pam --trimap far.pam --trimap-low 26 --trimap-high 229 -o d.png -q && "
                    "cmp a.png d.png");
    CHECK_RUN(&p, 0, "");
    /* the node's presets know black and white alone */
    process_run(&p, "mattebox refine photo.pam --trimap near.pam --preset birefnet-ultra -d pymatting -o e.png --json");
    CHECK(strstr(p.out, "no foreground") != NULL);
    process_run(&p, "mattebox refine photo.pam --trimap near.pam --trimap-low 130 -o f.png");
    CHECK_RUN(&p, 2, "--trimap-low 130: 0 to 127");
}

/* A photo with an EXIF orientation, and masks of its stored pixels. */
TEST(sizes)
{
    fresh();
    process_run(&p, "cp '%s/tests/data/pictures/turned.jpg' e.jpg && cp '%s/tests/data/pictures/turned_mask.png' m.png",
                MB_SOURCE_DIR, MB_SOURCE_DIR);
    CHECK(p.code == 0);
    process_run(&p, "mattebox refine e.jpg --mask m.png -o a.png");
    CHECK_RUN(&p, 1, "the photo is 48 x 64, its mask 64 x 48: they must be of one size\n");
    CHECK_RUN(&p, 1, "EXIF orientation 6");
    CHECK(!file_exists("a.png"));
    process_run(&p,
                "cp '%s/tests/data/pictures/turned_mask_upright.png' up.png && "
                "mattebox refine e.jpg --mask m.png --mask-scale -d none -o a.png --json && "
                "mattebox refine e.jpg --mask up.png -d none -o b.png -q && cmp a.png b.png",
                MB_SOURCE_DIR);
    CHECK_RUN(&p, 0, "");
    CHECK(strstr(p.out, "turned as the photo's EXIF orientation says") != NULL);
    /* another size, the same shape: as Pillow scales it */
    process_run(&p,
                "cp '%s/tests/data/pictures/turned_mask_half.png' h.png && "
                "cp '%s/tests/data/pictures/turned_mask_doubled.png' d.png && "
                "mattebox refine e.jpg --mask h.png --mask-scale -d none -o c.png -q && "
                "mattebox refine e.jpg --mask d.png -d none -o w.png -q && cmp c.png w.png",
                MB_SOURCE_DIR, MB_SOURCE_DIR);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "mattebox refine '%s' --mask up.png --mask-scale -d none -o s.png --json", PHOTO);
    CHECK_RUN(&p, 0, "");
    CHECK(strstr(p.out, "of 48 x 64 was scaled, to another shape") != NULL);
}

/* A picture of the folder as straight RGBA of 8 bits. */
static mb_image rgba_of(const char *name)
{
    mb_error err = {0};
    mb_image picture = {0}, rgba = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = 1;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(mb_image_load(&picture, NULL, path, &o, &err), err);
    CHECK_OK(mb_image_create(&rgba, picture.width, picture.height, MB_PIXELS_RGBA, MB_DEPTH_U8, &err), err);
    CHECK_OK(mb_image_convert(&rgba, &picture, &err), err);
    mb_image_dispose(&picture);
    return rgba;
}

/* With a mask that is white throughout, alpha is the photo's own, its colours are the photo's, and those under alpha 0
 * are gone. */
static void test_one_alpha(const char *name, const char *alpha)
{
    process_run(&p,
                "cp '%s/tests/data/pictures/transparent/'* . && "
                "mattebox matte %s --mask white.pgm -d none --depth 8 --write-mask -o o.png -f --json",
                MB_SOURCE_DIR, name);
    CHECK_RUN(&p, 0, "the photo's own transparency was kept");
    CHECK_MSG(strstr(p.out, "--input-alpha ignore") != NULL, "%s", name);
    process_run(&p,
                "mattebox refine %s --mask %s -d none --depth 8 --input-alpha ignore -o w.png -f -q && cmp w.png "
                "o.mask.png",
                name, alpha);
    CHECK_MSG(p.code == 0, "%s: another alpha than %s", name, alpha);
    mb_image got = rgba_of("o.png");
    const bool grey = strstr(name, "grey") != NULL;
    for (size_t i = 0; i < (size_t)got.width * (size_t)got.height; i++) {
        const unsigned char *v = (const unsigned char *)got.data + 4 * i;
        const int want[3] = {grey ? 94 : 180, grey ? 94 : 60, grey ? 94 : 40};
        for (int c = 0; c < 3; c++) {
            CHECK_MSG(abs(v[c] - (v[3] > 0 ? want[c] : 0)) <= 1, "%s: pixel %zu has colour %d: %d", name, i, c, v[c]);
        }
    }
    mb_image_dispose(&got);
}

static const struct shapeless {
    const char *name;
} shapeless[] = {{"upside"}, {"square"}};

/* A mask of the stored pixels that has the photo's shape all the same: its outline tells. */
TEST_ROWS(turned_by_outline, shapeless)
{
    const char *n = row->name;
    process_run(&p, "cd '%s/tests/data/pictures' && cp %s.jpg %s_mask.png %s_mask_upright.png '%s'", MB_SOURCE_DIR, n,
                n, n, folder);
    CHECK_EQ(p.code, 0);
    process_run(&p, "mattebox matte %s.jpg --mask %s_mask.png --no-detail --only-mask -o hint.png", n, n);
    CHECK_RUN(&p, 0,
              "its mask seems to be of the photo as it is stored, before its EXIF orientation was applied: "
              "--mask-scale turns it");
    process_run(&p, "mattebox matte %s.jpg --mask %s_mask.png --no-detail --only-mask -o turned.png --mask-scale", n,
                n);
    CHECK_RUN(&p, 0, "its mask was turned as the photo's EXIF orientation says: its outline fits so");
    process_run(&p, "mattebox matte %s.jpg --mask %s_mask_upright.png --no-detail --only-mask -o right.png", n, n);
    CHECK_EQ(p.code, 0);
    CHECK(strstr(p.err, "EXIF") == NULL); /* a mask that is right as it is */
    CHECK(file_equal("turned.png", "right.png") && !file_equal("hint.png", "right.png"));
    process_run(&p, "rm -f *.png *.jpg");
}

TEST(input_alpha)
{
    static const char *const soft[] = {"soft_rgba.png", "soft_rgba16.png", "soft.webp",
                                       "soft.tga",      "soft_grey.png",   "soft.psd"};
    static const char *const hard[] = {"hard_key.png", "hard_grey_key.png", "hard_palette.png", "hard.gif"};
    fresh();
    char white[32 + 24 * 16];
    const int n = snprintf(white, 32, "P5 24 16 255\n");
    memset(white + n, 255, 24 * 16);
    file_write("white.pgm", white, (size_t)n + 24 * 16);
    process_run(&p, "mattebox version --verbose | grep -q libpng");
    const bool full = p.code == 0; /* stb_image alone gives no 16 bits */
    process_run(&p, "mattebox version --verbose | grep -q libwebp");
    const bool webp = p.code == 0;
    for (size_t i = 0; i < sizeof soft / sizeof *soft; i++) {
        if ((strstr(soft[i], "16") != NULL && !full) || (strstr(soft[i], "webp") != NULL && !webp)) {
            continue;
        }
        test_one_alpha(soft[i], "soft_alpha.png");
    }
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        test_one_alpha(hard[i], "hard_alpha.png");
    }
    /* 16 bits: alpha to the last bit, one below 100 x 257 */
    process_run(&p, "mattebox refine soft_rgba16.png --mask white.pgm -d none -o o16.png -q");
    CHECK_RUN(&p, 0, "");
    mb_error err = {0};
    mb_image wide = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_depth = 1;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/o16.png", folder);
    CHECK_OK(mb_image_load(&wide, NULL, path, &o, &err), err);
    CHECK(!full || (wide.depth == MB_DEPTH_U16 && ((const unsigned short *)wide.data)[3 * 3] == 100 * 257 - 1));
    mb_image_dispose(&wide);
    /* inverted, and on request as if nothing were hidden */
    process_run(&p, "mattebox matte soft_rgba.png --mask white.pgm -d none --invert -o i.png --json");
    CHECK(p.code == 0 && strstr(p.out, "\"coverage\":0,") != NULL);
    process_run(&p, "mattebox matte soft_rgba.png --mask white.pgm -d none --input-alpha ignore -o i.png -f --json");
    CHECK(p.code == 0 && strstr(p.out, "\"coverage\":1,") != NULL && strstr(p.out, "\"warnings\":[]") != NULL);
    /* over a background what is hidden shows the background */
    process_run(&p, "mattebox matte soft_rgba.png --mask white.pgm -d none -b '#000080' -o b.png -q");
    CHECK_RUN(&p, 0, "");
    mb_image got = rgba_of("b.png");
    CHECK(memcmp(got.data, "\0\0\x80\xff", 4) == 0);
    mb_image_dispose(&got);
}

/* The built-in default tells its bad results from its good ones (docs/models/default.md): at least four of the six bad
 * ones are called doubtful, at most one of the six good ones. */
TEST(doubt)
{
    static const char *const photos[] = {"dandelion", "rocket", "browsing", "andersson", "dusk",    "shades",
                                         "bowtie",    "cat",    "coffee",   "dahlia",    "raccoon", "sweater"};
    int bad = 0, good = 0;
    fresh();
    for (int i = 0; i < 12; i++) {
        process_run(&p, "mattebox '%s/photos/%s.jpg' --model default -d none --only-mask -o o.png -f --json",
                    MB_TEST_DATA, photos[i]);
        CHECK_RUN(&p, 0, "");
        const char *value = strstr(p.out, "\"confidence\":");
        CHECK(value != NULL);
        const double confidence = value != NULL ? strtod(value + 13, NULL) : -1;
        const bool said = strstr(p.err, "doubtful, look at it") != NULL;
        CHECK_MSG(confidence >= 0 && confidence <= 1 && said == (confidence < 0.689), "%s: %s", photos[i], p.out);
        (i < 6 ? &bad : &good)[0] += said;
    }
    CHECK_GE(bad, 4);
    CHECK_LE(good, 1);
    process_run(&p, "mattebox refine '%s' --mask '%s' -d none -o r.png -f --json", PHOTO, MASK);
    CHECK_CONTAINS(p.out, "\"confidence\":null");
}

/* Pictures without a subject, where the network sees nothing: what is cut out all the same is doubtful, and nothing is no
 * success either. */
TEST(no_subject)
{
    fresh();
    for (int kind = 0; kind < 3;
         kind++) { /* from left to right, from top to bottom like a sky, from the middle outwards */
        static unsigned char file[32 + 320 * 240 * 3];
        const int n = snprintf((char *)file, 32, "P6 320 240 255\n");
        for (int i = 0; i < 320 * 240; i++) {
            const int x = i % 320, y = i / 320, outwards = abs(x - 160) + abs(y - 120);
            const int v = kind == 0 ? 40 + x / 2 : kind == 1 ? 60 + 2 * y / 3 : 230 - outwards / 2;
            memcpy(file + n + 3 * i,
                   (unsigned char[]){(unsigned char)v, (unsigned char)v, (unsigned char)(kind == 1 ? 230 : v)}, 3);
        }
        file_write("gradient.ppm", file, (size_t)n + 320 * 240 * 3);
        process_run(&p, "mattebox gradient.ppm --model default -d none --only-mask -o o.png -f --json");
        CHECK_RUN(&p, 0, "");
        CHECK_MSG(strstr(p.err, "doubtful, look at it") != NULL || strstr(p.err, "no foreground found") != NULL,
                  "%d: %s", kind, p.err);
        const char *value = strstr(p.out, "\"confidence\":");
        CHECK_MSG(value != NULL && strtod(value + 13, NULL) < 0.689, "%d: %s", kind, p.out);
    }
}

/* Blank pictures: nothing, and that is said, in the ways that stretch what they see. */
TEST(plain)
{
    static const char *const models[] = {"saliency", "default"};
    fresh();
    for (int grey = 0; grey <= 255; grey += 85) {
        static char file[32 + 200 * 150 * 3];
        const int n = snprintf(file, 32, "P6 200 150 255\n");
        memset(file + n, grey, 200 * 150 * 3);
        file_write("page.ppm", file, (size_t)n + 200 * 150 * 3);
        for (int m = 0; m < 2; m++) {
            process_run(&p, "mattebox page.ppm --model %s -o o.png -f --json", models[m]);
            CHECK_RUN(&p, 0, "no foreground found (0.00 % of the picture)");
            CHECK_MSG(strstr(p.out, "\"foreground_box\":[0,0,0,0]") != NULL && strstr(p.out, "\"coverage\":0,") != NULL,
                      "%s on grey %d: %s", models[m], grey, p.out);
            CHECK_CONTAINS(p.out, "\"confidence\":0,");
        }
    }
}

SETUP
{
    folder = process_folder("cli-pictures");
}

/* A fine pattern is even from afar, and not of one colour: what is said of it is true. */
TEST(even_from_afar)
{
    unsigned char board[13 + 64 * 64] = "P5 64 64 255\n";
    for (int i = 0; i < 64 * 64; i++) {
        board[13 + i] = (i + i / 64) % 2 == 0 ? 0 : 255;
    }
    file_write("board.pgm", board, sizeof board);
    process_run(&p, "mattebox board.pgm --model saliency");
    CHECK_CONTAINS(p.err, "board.pgm: seen from afar, the picture has one colour throughout");
}
