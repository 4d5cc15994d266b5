/* Colour profiles, resolution and EXIF from the photo into its results; expectations by Pillow and Little CMS 2
 * (tests/data/pictures/make_pictures.py). */
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILES MB_SOURCE_DIR "/tests/data/pictures/profiles/"

static process p;
static const char *folder;

SETUP
{
    folder = process_folder("cli-colour");
    process_run(&p, "cp '%s'* . && ! mattebox version --verbose | grep -q libpng", PROFILES);
    if (p.code == 0) {
        SKIP("stb_image alone: this build knows no profiles");
    }
}

/* A picture of the folder, RGBA of its own depth, with its metadata. */
static mb_image load(const char *name, mb_metadata *m)
{
    mb_error err = {0};
    mb_image picture = {0}, rgba = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = o.keep_depth = 1;
    o.metadata = m;
    mb_metadata_init(m);
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(mb_image_load(&picture, NULL, path, &o, &err), err);
    CHECK_OK(mb_image_create(&rgba, picture.width, picture.height, MB_PIXELS_RGBA, picture.depth, &err), err);
    CHECK_OK(mb_image_convert(&rgba, &picture, &err), err);
    mb_image_dispose(&picture);
    return rgba;
}

static const struct row {
    const char *name, *photo, *result, *extra;
} kept[] = {
    {"jpeg to png", "p3.jpg", "o1.png", ""},  {"png to png", "p3.png", "o2.png", ""},
    {"webp to png", "p3.webp", "o3.png", ""}, {"16 bits to 16 bits", "p3_16.png", "o4.png", ""},
    {"png to webp", "p3.png", "o5.webp", ""}, {"png to jpeg", "p3.png", "o6.jpg", "-b white"},
};

TEST_ROWS(kept_in, kept)
{
    process_run(&p, "mattebox matte %s --mask all.png -d none -o %s -f --json %s", row->photo, row->result, row->extra);
    CHECK_RUN(&p, 0, "");
    CHECK_CONTAINS(p.out, "\"warnings\":[]");
    size_t n = 0;
    char *icc = file_read("p3.icc", &n);
    mb_metadata m;
    mb_image got = load(row->result, &m);
    CHECK(m.icc != NULL && m.icc_bytes == n && memcmp(m.icc, icc, n) == 0);
    CHECK(m.exif == NULL || strstr(row->result, "webp") != NULL); /* a WebP says its resolution there */
    const bool has_dpi = strcmp(row->photo, "p3.webp") != 0 && strcmp(row->photo, "p3_16.png") != 0;
    CHECK_MSG(has_dpi ? m.dpi_x > 299.9 && m.dpi_x < 300.1 && m.dpi_y > 299.9 && m.dpi_y < 300.1 : m.dpi_x == 0,
              "%g dpi", m.dpi_x);
    CHECK((got.depth == MB_DEPTH_U16) == (strcmp(row->photo, "p3_16.png") == 0));
    mb_image_dispose(&got);
    mb_metadata_dispose(&m);
    free(icc);
}

/* The numbers of the colours, and with them the mask, do not depend on --icc. */
TEST(keep_and_drop)
{
    process_run(&p, "mattebox matte p3.png --mask all.png -d none -o k.png -f -q && "
                    "mattebox matte p3.png --mask all.png -d none -o d.png -f -q --icc drop");
    CHECK_RUN(&p, 0, "");
    mb_metadata a, b, photo;
    mb_image kept_ = load("k.png", &a), dropped = load("d.png", &b), source = load("p3.png", &photo);
    CHECK(a.icc != NULL && b.icc == NULL && b.dpi_x > 299);
    const size_t n = (size_t)kept_.width * (size_t)kept_.height * 4;
    CHECK(memcmp(kept_.data, dropped.data, n) == 0 && memcmp(kept_.data, source.data, n) == 0);
    mb_image_dispose(&kept_);
    mb_image_dispose(&dropped);
    mb_image_dispose(&source);
    mb_metadata_dispose(&a);
    mb_metadata_dispose(&b);
    mb_metadata_dispose(&photo);
    process_run(&p, "mattebox refine p3.png --mask all.png -d none -o a.png -f -q");
    mb_image alpha = load("a.png", &a); /* no colours: no profile */
    CHECK(a.icc == NULL && a.dpi_x > 299);
    mb_image_dispose(&alpha);
    mb_metadata_dispose(&a);
    process_run(&p, "mattebox matte grey_profile.png --mask all.png -d none -o g.png -f");
    CHECK_RUN(&p, 0, "its colour profile is for grey pictures: dropped");
}

static bool converts(void)
{
    process_run(&p, "mattebox matte p3.png --mask all.png -d none --icc srgb -o c.png -f");
    if (p.code != 0 && strstr(p.err, "not in this build") != NULL) {
        SKIP("this build has no Little CMS");
    }
    return p.code == 0;
}

/* Every sample of the result within `off` of the expectation, in 8-bit terms. */
static void compare(const char *result, const char *expected, int off)
{
    mb_metadata a, b;
    mb_image got = load(result, &a), want = load(expected, &b);
    const size_t n = (size_t)want.width * (size_t)want.height * 4;
    CHECK(got.width == want.width && got.height == want.height && a.icc == NULL && want.depth == MB_DEPTH_U8);
    int worst = 0;
    for (size_t i = 0; i < n; i++) {
        const int v = got.depth == MB_DEPTH_U16 ? (((const unsigned short *)got.data)[i] + 128) / 257
                                                : ((const unsigned char *)got.data)[i];
        const int d = abs(v - ((const unsigned char *)want.data)[i]);
        worst = d > worst ? d : worst;
    }
    CHECK_MSG(worst <= off, "%s: off by %d", result, worst);
    mb_image_dispose(&got);
    mb_image_dispose(&want);
    mb_metadata_dispose(&a);
    mb_metadata_dispose(&b);
}

TEST(srgb)
{
    CHECK(converts());
    compare("c.png", "p3_srgb.png", 1);
    process_run(&p, "mattebox matte p3_16.png --mask all.png -d none --icc srgb -o c16.png -f -q");
    CHECK_RUN(&p, 0, "");
    compare("c16.png", "p3_srgb.png", 1);
    process_run(&p, "mattebox matte p3.png --mask all.png -d none --icc srgb --premultiplied -o cp.png -f -q");
    CHECK_RUN(&p, 0, "");
    compare("cp.png", "p3_srgb.png", 1); /* opaque: nothing to multiply */
}

/* A background picture of another profile, and a named colour, in the photo's profile. */
TEST(backgrounds)
{
    CHECK(converts());
    process_run(&p, "mattebox matte p3.png --mask nothing.png -d none -b wall_adobe.png -o w.png -f -q && "
                    "mattebox matte p3.png --mask nothing.png -d none -b '#ff0000' -o r.png -f -q && "
                    "mattebox matte p3.png --mask nothing.png -d none -b '#ff0000' -o s.png --icc srgb -f -q");
    CHECK_RUN(&p, 0, "");
    mb_metadata a, b;
    mb_image got = load("w.png", &a), want = load("wall_p3.png", &b);
    for (int c = 0; c < 3; c++) {
        CHECK_LE(abs(((unsigned char *)got.data)[c] - ((unsigned char *)want.data)[c]), 1);
    }
    mb_image_dispose(&got);
    mb_image_dispose(&want);
    mb_metadata_dispose(&a);
    mb_metadata_dispose(&b);
    got = load("r.png", &a); /* sRGB's red in Display P3: 234, 51, 35 */
    const unsigned char *v = got.data;
    CHECK_MSG(abs(v[0] - 234) <= 1 && abs(v[1] - 51) <= 1 && abs(v[2] - 35) <= 1, "%d %d %d", v[0], v[1], v[2]);
    mb_image_dispose(&got);
    mb_metadata_dispose(&a);
    got = load("s.png", &a); /* there and back again */
    v = got.data;
    CHECK_MSG(v[0] >= 254 && v[1] <= 8 && v[2] <= 8, "%d %d %d", v[0], v[1], v[2]);
    mb_image_dispose(&got);
    mb_metadata_dispose(&a);
}

/* A format of 8 bits gets what is composed in 8 bits, also from a photo of 16. */
TEST(sixteen_bits_to_webp)
{
    process_run(&p, "mattebox matte p3_16.png --mask red.png -d pymatting -o deep.webp -f -q && "
                    "mattebox matte p3_16.png --mask red.png -d pymatting --depth 8 -o eight.webp -f -q && cmp "
                    "deep.webp eight.webp");
    CHECK_RUN(&p, 0, "");
}

/* EXIF on request, turned upright with the pixels. */
TEST(exif)
{
    process_run(&p, "mattebox matte p3.jpg --mask all.png -d none --metadata keep -o e.png -f -q && "
                    "mattebox matte e.png --mask all.png -d none --metadata keep -o e.jpg -b white -f -q && "
                    "mattebox matte e.jpg --mask all.png -d none --metadata keep -o e.webp -f -q");
    CHECK_RUN(&p, 0, "");
    static const char *const names[] = {"e.png", "e.jpg", "e.webp"};
    for (int i = 0; i < 3; i++) {
        mb_metadata m;
        mb_image got = load(names[i], &m);
        mb_image_source source = {.size = sizeof source};
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        mb_error err = {0};
        mb_image again = {0};
        CHECK_OK(mb_image_load(&again, &source, path, NULL, &err), err);
        CHECK_EQ(source.orientation, 1);
        bool maker = false;
        for (size_t k = 0; m.exif != NULL && k + 5 <= m.exif_bytes; k++) {
            maker = maker || memcmp((const char *)m.exif + k, "Maker", 5) == 0;
        }
        CHECK_MSG(maker, "%s: no EXIF", names[i]);
        mb_image_dispose(&again);
        mb_image_dispose(&got);
        mb_metadata_dispose(&m);
    }
}
