/* TIFF and AVIF in the kinds that people have, against the same pictures as PNG (tests/data/pictures/make_pictures.py). */
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURES MB_SOURCE_DIR "/tests/data/pictures/"

static process p;

SETUP
{
    (void)process_folder("cli-formats");
    process_run(&p, "mattebox version --verbose | grep -q libtiff");
    if (p.code != 0) {
        SKIP("this build has no libtiff");
    }
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
    const char *name, *tiff, *png;
    int bits, off;
} same[] = {
    {"LZW", "tiff/rgb.tif", "profiles/p3.png", 8, 0},
    {"16 bits, big-endian", "tiff/rgb16.tif", "profiles/p3_16.png", 16, 0},
    {"several pages", "tiff/pages.tif", "profiles/p3.png", 8, 0},
    {"orientation", "tiff/turned.tif", "profiles/p3.png", 8, 0},
    {"grey", "tiff/grey.tif", "tiff/grey.png", 8, 0},
    {"white is 0", "tiff/white_is_0.tif", "tiff/grey.png", 8, 0},
    {"palette", "tiff/palette.tif", "tiff/palette.png", 8, 0},
    {"straight alpha", "tiff/straight.tif", "transparent/soft_rgba.png", 8, 0},
    {"associated alpha", "tiff/associated.tif", "transparent/soft_rgba.png", 8, 2},
    {"AVIF", "heif/photo.avif", "heif/photo.png", 8, 3},
    {"AVIF, turned by irot and EXIF", "heif/turned.avif", "heif/photo.png", 8, 3},
    {"AVIF with alpha", "heif/sticker.avif", "heif/sticker.png", 8, 5},
};

TEST_ROWS(as_png, same)
{
    char a[512], b[512];
    if (strstr(row->name, "AVIF") != NULL) {
        process_run(&p, "mattebox version --verbose | grep -q libheif");
        if (p.code != 0) {
            SKIP("this build has no libheif");
        }
    }
    (void)snprintf(a, sizeof a, PICTURES "%s", row->tiff);
    (void)snprintf(b, sizeof b, PICTURES "%s", row->png);
    mb_image_source from, unused;
    mb_metadata m, n;
    mb_image got = load(a, &from, &m), want = load(b, &unused, &n);
    CHECK_STR(from.format, strstr(row->name, "AVIF") != NULL ? "avif" : "tiff");
    CHECK(got.width == want.width && got.height == want.height && got.depth == want.depth);
    CHECK((got.depth == MB_DEPTH_U16) == (row->bits == 16));
    const size_t count = (size_t)want.width * (size_t)want.height * 4;
    int worst = 0;
    for (size_t i = 0; got.depth == want.depth && i < count; i++) {
        const int v = got.depth == MB_DEPTH_U16 ? ((unsigned short *)got.data)[i] : ((unsigned char *)got.data)[i],
                  w = got.depth == MB_DEPTH_U16 ? ((unsigned short *)want.data)[i] : ((unsigned char *)want.data)[i];
        const bool hidden = got.depth == MB_DEPTH_U8 && ((unsigned char *)want.data)[i | 3] == 0;
        worst = !hidden && abs(v - w) > worst ? abs(v - w) : worst;
    }
    CHECK_MSG(worst <= row->off, "%s: off by %d", row->name, worst);
    CHECK((strstr(from.warning, "several pages") != NULL) == (strcmp(row->name, "several pages") == 0));
    if (strcmp(row->name, "AVIF") == 0) {
        CHECK(m.icc != NULL);
    } else if (strcmp(row->name, "LZW") == 0) {
        CHECK(m.icc_bytes == n.icc_bytes && memcmp(m.icc, n.icc, n.icc_bytes) == 0 && m.dpi_x == 300 && m.dpi_y == 300);
    }
    mb_image_dispose(&got);
    mb_image_dispose(&want);
    mb_metadata_dispose(&m);
    mb_metadata_dispose(&n);
}

TEST(refusals)
{
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
