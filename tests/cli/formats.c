/* TIFF, HEIC, AVIF, JPEG XL and CMYK in the kinds that people have, against the same pictures as PNG
 * (tests/data/pictures/make_pictures.py and make_coded.c). */
#include "harness/check.h"
#include "harness/process.h"
#include "image/codec/load.h"

#include <mattebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES MB_SOURCE_DIR "/tests/data/pictures/"

static process p;

SETUP
{
    (void)process_folder("cli-formats");
}

static mb_image load(const char *path, mb_image_source *source, mb_metadata *m)
{
    mb_error err = {0};
    mb_image picture = {0}, rgba = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = o.keep_depth = 1;
    o.metadata = m;
    *source = (mb_image_source){.size = sizeof *source};
    mb_metadata_init(m);
    CHECK_OK(mb_image_load(&picture, source, path, &o, &err), err);
    REQUIRE_OK(mb_image_create(&rgba, picture.width, picture.height, MB_PIXELS_RGBA, picture.depth, &err), err);
    CHECK_OK(mb_image_convert(&rgba, &picture, &err), err);
    mb_image_dispose(&picture);
    return rgba;
}

static const struct same {
    const char *name, *file, *png;
    int bits;
    double off; /* in 8-bit levels */
} same[] = {
    {"LZW", "tiff/rgb.tif", "profiles/p3.png", 8, 0},
    {"16 bits, big-endian", "tiff/rgb16.tif", "profiles/p3_16.png", 16, 0},
    {"several pages", "tiff/pages.tif", "profiles/p3.png", 8, 0},
    {"orientation", "tiff/turned.tif", "profiles/p3.png", 8, 0},
    {"grey", "tiff/grey.tif", "tiff/grey.png", 8, 0},
    {"white is 0", "tiff/white_is_0.tif", "tiff/grey.png", 8, 0},
    {"palette", "tiff/palette.tif", "tiff/palette.png", 8, 0},
    {"straight alpha", "tiff/straight.tif", "transparent/soft_rgba.png", 8, 0},
    {"alpha without a tag", "tiff/untagged.tif", "transparent/soft_rgba.png", 8, 0},
    {"associated alpha", "tiff/associated.tif", "transparent/soft_rgba.png", 8, 2},
    {"L*a*b* without a profile", "tiff/lab.tif", "profiles/p3.png", 8, 3},
    {"tiles", "tiff/tiled.tif", "profiles/p3.png", 8, 0},
    {"tiles of planes, 16 bits", "tiff/tiled16.tif", "profiles/p3_16.png", 16, 0},
    {"tiles with straight alpha", "tiff/tiled_straight.tif", "transparent/soft_rgba.png", 8, 0},
    {"planes", "tiff/planes.tif", "profiles/p3.png", 8, 0},
    {"planes with straight alpha, 16 bits", "tiff/planes_straight16.tif", "transparent/soft_rgba.png", 16, 0},
    {"BigTIFF", "tiff/big.tif", "profiles/p3.png", 8, 0},
    {"BigTIFF, big-endian", "tiff/big_other_order.tif", "profiles/p3_16.png", 16, 0},
    {"CMYK without profile", "tiff/cmyk_plain.tif", "profiles/cmyk_plain.png", 8, 1},
    {"CMYK by its profile", "tiff/cmyk.tif", "profiles/cmyk_srgb.png", 8, 1},
    {"CMYK by its profile, 16 bits", "tiff/cmyk16.tif", "profiles/cmyk_srgb.png", 16, 2},
    {"JPEG in CMYK by its profile", "profiles/cmyk.jpg", "profiles/cmyk_jpg_srgb.png", 8, 1},
    {"PNG in grey by its profile", "profiles/grey.png", "profiles/grey_srgb.png", 8, 1},
    {"HEIC", "heif/photo.heic", "heif/photo.png", 8, 1},
    {"HEIC of 10 bits", "heif/deep.heic", "heif/photo.png", 16, 1},
    {"HEIC with alpha", "heif/sticker.heic", "transparent/soft_rgba.png", 8, 1},
    {"HEIC of several pictures", "heif/two.heic", "heif/photo.png", 8, 1},
    {"JPEG XL", "jxl/photo.jxl", "profiles/p3.png", 8, 0},
    {"JPEG XL of 16 bits", "jxl/deep.jxl", "profiles/p3_16.png", 16, 0},
    {"JPEG XL, lossy", "jxl/lossy.jxl", "profiles/p3.png", 8, 3},
    {"JPEG XL in grey", "jxl/grey.jxl", "profiles/red.png", 8, 0},
    {"JPEG XL with alpha", "jxl/sticker.jxl", "transparent/soft_rgba.png", 8, 0},
    {"AVIF", "heif/photo.avif", "heif/photo.png", 8, 3},
    {"AVIF, turned by irot and EXIF", "heif/turned.avif", "heif/photo.png", 8, 3},
    {"AVIF with alpha", "heif/sticker.avif", "heif/sticker.png", 8, 5},
};

/* What a build lacks is not tested. */
static void require_format(const char *path)
{
    const char *dot = strrchr(path, '.');
    const char *library = strcmp(dot, ".jxl") == 0                                 ? "libjxl"
                          : strcmp(dot, ".heic") == 0 || strcmp(dot, ".avif") == 0 ? "libheif"
                          : strcmp(dot, ".tif") == 0                               ? "libtiff"
                                                                                   : "mattebox";
    process_run(&p, "mattebox version --verbose | grep -q '%s '", library);
    if (p.code != 0) {
        SKIP("this build has no %s", library);
    }
}

static void require_profiles(void)
{
    process_run(&p, "mattebox version --verbose | grep -q 'Little CMS'");
    if (p.code != 0) {
        SKIP("this build has no Little CMS");
    }
}

/* A sample in 16 bits, whatever the picture has. */
static int sample(const mb_image *m, size_t i)
{
    return m->depth == MB_DEPTH_U16 ? ((const unsigned short *)m->data)[i] : 257 * ((const unsigned char *)m->data)[i];
}

/* The largest difference in 8-bit levels, where it can be seen. */
static double worst_of(const mb_image *got, const mb_image *want)
{
    const size_t count = (size_t)want->width * (size_t)want->height * 4;
    int worst = 0;
    for (size_t i = 0; i < count; i++) {
        const int off = abs(sample(got, i) - sample(want, i));
        worst = sample(want, i | 3) > 0 && off > worst ? off : worst;
    }
    return worst / 257.0;
}

TEST_ROWS(as_png, same)
{
    char a[512], b[512];
    require_format(row->file);
    if (strstr(row->name, "profile") != NULL) {
        require_profiles();
    }
    (void)snprintf(a, sizeof a, PICTURES "%s", row->file);
    (void)snprintf(b, sizeof b, PICTURES "%s", row->png);
    mb_image_source from, unused;
    mb_metadata m, n;
    mb_image got = load(a, &from, &m), want = load(b, &unused, &n);
    CHECK(got.width == want.width && got.height == want.height);
    CHECK((got.depth == MB_DEPTH_U16) == (row->bits == 16));
    const double worst = got.width == want.width && got.height == want.height ? worst_of(&got, &want) : 1e9;
    CHECK_MSG(worst <= row->off, "%s: off by %g", row->name, worst);
    CHECK_MSG((strstr(from.warning, "several p") != NULL) == (strstr(row->name, "several") != NULL), "%s",
              from.warning);
    if (strcmp(row->name, "AVIF") == 0 || strcmp(row->name, "HEIC") == 0) {
        CHECK(m.icc != NULL);
    } else if (strcmp(row->name, "LZW") == 0 || strcmp(row->name, "JPEG XL") == 0) {
        CHECK(m.icc_bytes == n.icc_bytes && memcmp(m.icc, n.icc, n.icc_bytes) == 0);
        CHECK(strcmp(row->name, "LZW") != 0 || (m.dpi_x == 300 && m.dpi_y == 300));
    } else if (strstr(row->name, "by its profile") != NULL) {
        CHECK(m.icc == NULL);
        CHECK_CONTAINS(m.note, "converted to sRGB from its ");
    }
    mb_image_dispose(&got);
    mb_image_dispose(&want);
    mb_metadata_dispose(&m);
    mb_metadata_dispose(&n);
}

/* irot and imir by HEIC, whose EXIF repeats them, and the orientation of JPEG XL: applied once. */
TEST(turned_once)
{
    require_format("x.heic");
    mb_image_source from;
    mb_metadata m;
    mb_image flat = load(PICTURES "heif/photo.png", &from, &m);
    mb_metadata_dispose(&m);
    for (int o = 2; o <= 8; o++) {
        char path[512];
        mb_error err = {0};
        (void)snprintf(path, sizeof path, PICTURES "heif/orientation%d.heic", o);
        mb_image got = load(path, &from, &m), want = {0};
        const bool aside = o >= 5;
        REQUIRE_OK(mb_image_create(&want, aside ? flat.height : flat.width, aside ? flat.width : flat.height,
                                   MB_PIXELS_RGBA, MB_DEPTH_U8, &err),
                   err);
        mb_orient_pixels(want.data, flat.data, (mb_pixel_block){flat.width, flat.height, 4}, o);
        CHECK_MSG(got.width == want.width && got.height == want.height, "orientation %d", o);
        CHECK_MSG(got.width == want.width && worst_of(&got, &want) <= 1, "orientation %d", o);
        mb_image_dispose(&got);
        mb_image_dispose(&want);
        mb_metadata_dispose(&m);
    }
    mb_image_dispose(&flat);
}

TEST(jxl_turned_once)
{
    require_format("x.jxl");
    mb_image_source from;
    mb_metadata m;
    mb_error err = {0};
    mb_image flat = load(PICTURES "profiles/p3.png", &from, &m), want = {0};
    mb_metadata_dispose(&m);
    mb_image got = load(PICTURES "jxl/turned.jxl", &from, &m);
    CHECK_STR(from.format, "jpeg xl");
    REQUIRE_OK(mb_image_create(&want, flat.height, flat.width, MB_PIXELS_RGBA, MB_DEPTH_U8, &err), err);
    mb_orient_pixels(want.data, flat.data, (mb_pixel_block){flat.width, flat.height, 4}, 6);
    CHECK(got.width == want.width && got.height == want.height && worst_of(&got, &want) == 0);
    mb_image_dispose(&flat);
    mb_image_dispose(&got);
    mb_image_dispose(&want);
    mb_metadata_dispose(&m);
}

/* A fourth channel that is said to be none of the usual ones: left out, and said. */
TEST(unmarked_channel)
{
    require_format("x.tif");
    mb_image_source from;
    mb_metadata m;
    mb_image got = load(PICTURES "tiff/unspecified.tif", &from, &m);
    CHECK_CONTAINS(from.warning, "its fourth channel is not marked as alpha");
    int least = 65535;
    for (size_t i = 0; i < (size_t)got.width * (size_t)got.height; i++) {
        const int a = sample(&got, 4 * i + 3);
        least = a < least ? a : least;
    }
    CHECK_EQ(least, 65535);
    mb_image_dispose(&got);
    mb_metadata_dispose(&m);
}

/* Without a profile, and by --icc drop, CMYK is what Pillow makes of it. */
TEST(cmyk_by_numbers)
{
    mb_image_source from;
    mb_metadata m;
    mb_error err = {0};
    mb_image want = load(PICTURES "profiles/cmyk_jpg_plain.png", &from, &m), got = {0}, rgba = {0};
    mb_metadata_dispose(&m);
    mb_load_options o;
    mb_load_options_init(&o);
    o.metadata = &m;
    o.plain_colours = 1;
    mb_metadata_init(&m);
    REQUIRE_OK(mb_image_load(&got, NULL, PICTURES "profiles/cmyk.jpg", &o, &err), err);
    REQUIRE_OK(mb_image_create(&rgba, got.width, got.height, MB_PIXELS_RGBA, MB_DEPTH_U8, &err), err);
    CHECK_OK(mb_image_convert(&rgba, &got, &err), err);
    CHECK(worst_of(&rgba, &want) == 0);
    CHECK_STR(m.note, "its colour profile is for CMYK: dropped");
    mb_image_dispose(&want);
    mb_image_dispose(&got);
    mb_image_dispose(&rgba);
    mb_metadata_dispose(&m);
}

TEST(refusals)
{
    require_format("x.tif");
    process_run(&p, "mattebox matte '" PICTURES "tiff/float.tif' --mask '" PICTURES "profiles/all.png' -o o.png");
    CHECK_RUN(&p, 1, "TIFF of floating-point samples: they have no fixed white\n  save it with 16 bits a sample");
    process_run(&p, "head -c 900 '" PICTURES "tiff/rgb16.tif' >cut.tif; mattebox matte cut.tif --mask '" PICTURES
                    "profiles/all.png' -o o.png");
    CHECK_EQ(p.code, 1);
    CHECK(!file_exists("o.png"));
}

/* libheif alone brings five other libraries into a process: a photo of another format pays for none of them. */
TEST(libraries_are_opened_by_need)
{
    require_format("x.tif");
    process_run(&p, "LD_DEBUG=libs mattebox matte '" PICTURES "profiles/p3.png' --mask '" PICTURES
                    "profiles/all.png' -o o.png 2>&1 | grep -E 'find library=lib(heif|tiff|jxl)'");
    CHECK_STR(p.out, "");
    process_run(&p, "LD_DEBUG=libs mattebox matte '" PICTURES "tiff/rgb.tif' --mask '" PICTURES
                    "profiles/all.png' -o t.png 2>&1 | grep -cE 'find library=libtiff'");
    CHECK_STR(p.out, "1\n");
    CHECK(file_exists("o.png") && file_exists("t.png"));
}

TEST(a_library_that_is_missing)
{
    require_format("x.tif");
    process_run(&p, "mkdir -p lib; : >lib/libtiff.so.6; LD_LIBRARY_PATH=$PWD/lib mattebox matte '" PICTURES
                    "tiff/rgb.tif' --mask '" PICTURES "profiles/all.png' -o m.png");
    CHECK_RUN(&p, 1, "TIFF needs libtiff.so.6, which cannot be opened here:");
    CHECK_RUN(&p, 1, "\n  install libtiff6, or convert it to PNG or JPEG");
    process_run(&p, "LD_LIBRARY_PATH=$PWD/lib mattebox version -v | grep -q 'TIFF (not found: '");
    CHECK_EQ(p.code, 0);
    process_run(&p, "LD_LIBRARY_PATH=$PWD/lib mattebox matte '" PICTURES "profiles/p3.png' --mask '" PICTURES
                    "profiles/all.png' -o m.png");
    CHECK_EQ(p.code, 0);
}
