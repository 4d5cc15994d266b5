/* Files that name their colours without an ICC profile: a profile comes with the pixels, and by it they are the colours that
 * published matrices between linear RGB spaces say. */
#include "harness/check.h"
#include "harness/process.h"

#include <math.h>
#include <mattebox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIDE = 16 };
static const unsigned char flat[3] = {200, 100, 50};

/* Linear light in the named primaries to that of sRGB's, D65 to D65. */
static const double none[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1},
                    p3[9] = {1.22494, -0.22494, 0, -0.04206, 1.04206, 0, -0.01964, -0.07864, 1.09827},
                    adobe[9] = {1.39836, -0.39836, 0, 0, 1, 0, 0, -0.04293, 1.04293},
                    bt2020[9] = {1.66049, -0.58764, -0.07285, -0.12455, 1.13290, -0.00835, -0.01815, -0.10058, 1.11873};

/* Sample to light: 0: as sRGB, -1: as BT.709, else a power. */
static double light(double v, double curve)
{
    return curve > 0.0    ? pow(v, curve)
           : curve == 0.0 ? (v > 0.04045 ? pow((v + 0.055) / 1.055, 2.4) : v / 12.92)
                          : (v > 0.081 ? pow((v + 0.099) / 1.099, 1 / 0.45) : v / 4.5);
}

static double encode(double v)
{
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    return 255.0 * (v > 0.0031308 ? 1.055 * pow(v, 1 / 2.4) - 0.055 : 12.92 * v);
}

static bool has_little_cms(void)
{
    mb_error err = {0};
    mb_image one = {.data = (unsigned char[3]){0}, .width = 1, .height = 1, .pixels = MB_PIXELS_RGB};
    return mb_image_convert_profile(&one, NULL, NULL, &err) != MB_E_UNSUPPORTED;
}

/* The picture of one colour, with the profile by which the file is to be shown. */
static mb_image decoded(const void *file, size_t bytes, mb_metadata *m)
{
    mb_error err = {0};
    mb_image picture = {0};
    mb_load_options o;
    mb_load_options_init(&o);
    mb_metadata_init(m);
    o.metadata = m;
    mb_status status = mb_image_load_memory(&picture, NULL, file, bytes, &o, &err);
    if (status == MB_E_UNSUPPORTED) {
        SKIP("%s", err.message);
    }
    CHECK_OK(status, err);
    CHECK_EQ(picture.width, SIDE);
    return picture;
}

static void check_colour(const mb_image *picture, const mb_metadata *m, const double to_srgb[9], double curve,
                         double off)
{
    mb_error err = {0};
    double want[3] = {0};
    for (int i = 0; i < 9; i++) {
        want[i / 3] += to_srgb[i] * light(flat[i % 3] / 255.0, curve);
    }
    CHECK_OK(mb_image_convert_profile(picture, m, NULL, &err), err);
    for (int c = 0; c < 3; c++) {
        const double got = ((const unsigned char *)picture->data)[c];
        CHECK_MSG(fabs(got - encode(want[c])) <= off, "channel %d: %g, not %g", c, got, encode(want[c]));
    }
}

/* ---- PNG */

static void put32(unsigned char *to, unsigned v)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (unsigned char)(v >> (24 - 8 * i));
    }
}

static unsigned checksum(const unsigned char *v, size_t n)
{
    unsigned c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= v[i];
        for (int k = 0; k < 8; k++) {
            c = c >> 1 ^ (c & 1 ? 0xEDB88320u : 0);
        }
    }
    return ~c;
}

/* The flat picture as a file of that kind; freed by mb_buffer_free. */
static unsigned char *flat_file(mb_format format, size_t *bytes)
{
    mb_error err = {0};
    mb_image picture = {0};
    void *file = NULL;
    mb_save_options o;
    mb_save_options_init(&o);
    o.format = format;
    o.quality = 100;
    REQUIRE_OK(mb_image_create(&picture, SIDE, SIDE, MB_PIXELS_RGB, MB_DEPTH_U8, &err), err);
    for (int i = 0; i < SIDE * SIDE; i++) {
        memcpy((unsigned char *)picture.data + 3 * i, flat, 3);
    }
    mb_status status = mb_image_encode(&file, bytes, &picture, &o, &err);
    mb_image_dispose(&picture);
    if (status == MB_E_UNSUPPORTED) {
        SKIP("%s", err.message);
    }
    CHECK_OK(status, err);
    return file;
}

/* file with bytes put in at a place; freed by free. */
static unsigned char *put_in(const unsigned char *file, size_t *n, size_t at, const void *more, size_t bytes)
{
    unsigned char *all = malloc(*n + bytes);
    REQUIRE(all != NULL);
    memcpy(all, file, at);
    memcpy(all + at, more, bytes);
    memcpy(all + at + bytes, file + at, *n - at);
    *n += bytes;
    return all;
}

typedef struct chunk {
    const char *name; /* NULL: none */
    unsigned char data[32];
    unsigned bytes;
} chunk;
#define CICP(primaries, transfer)                                                                                      \
    {                                                                                                                  \
        "cICP", {primaries, transfer, 0, 1}, 4                                                                         \
    }
#define GAMA(high, low)                                                                                                \
    {                                                                                                                  \
        "gAMA", {0, high, (low) >> 8, (low)&255}, 4                                                                    \
    }
#define SRGB                                                                                                           \
    {                                                                                                                  \
        "sRGB", {0}, 1                                                                                                 \
    }
#define XY(v) 0, (v) >> 16, ((v) >> 8) & 255, (v)&255
#define CHRM(rx, ry, gx, gy, bx, by)                                                                                   \
    {                                                                                                                  \
        "cHRM", {XY(31270), XY(32900), XY(rx), XY(ry), XY(gx), XY(gy), XY(bx), XY(by)}, 32                             \
    }

static const struct png {
    const char *name;
    chunk chunks[2];
    const double *matrix; /* NULL: no profile */
    double curve;
    const char *note;
} pngs[] = {
    {"nothing said", {{0}}, NULL, 0, ""},
    {"sRGB by cICP", {CICP(1, 13)}, NULL, 0, ""},
    {"BT.709 by cICP", {CICP(1, 1)}, NULL, 0, ""},
    {"unspecified", {CICP(2, 2)}, NULL, 0, ""},
    {"Display P3", {CICP(12, 13)}, p3, 0, ""},
    {"P3, transfer unspecified", {CICP(12, 2)}, p3, 0, ""},
    {"BT.2020", {CICP(9, 14)}, bt2020, -1, ""},
    {"BT.2020, HLG", {CICP(9, 18)}, bt2020, -1, ""},
    {"sRGB's primaries, linear", {CICP(1, 8)}, none, 1, ""},
    {"PQ", {CICP(9, 16)}, NULL, 0, "HDR (PQ)"},
    {"gamma as usual", {GAMA(0, 45455)}, NULL, 0, ""},
    {"linear", {GAMA(1, 34464)}, none, 1, ""},
    {"gamma 1.8", {GAMA(0, 55556)}, none, 1.8, ""},
    {"Adobe RGB by cHRM", {CHRM(64000, 33000, 21000, 71000, 15000, 6000), GAMA(0, 45470)}, adobe, 2.2, ""},
    {"sRGB by cHRM", {CHRM(64000, 33000, 30000, 60000, 15000, 6000), GAMA(0, 45455)}, NULL, 0, ""},
    {"sRGB beats gamma", {SRGB, GAMA(1, 34464)}, NULL, 0, ""},
    {"cICP beats sRGB", {SRGB, CICP(12, 13)}, p3, 0, ""},
    {"no triangle", {CHRM(30000, 30000, 30000, 30000, 30000, 30000), GAMA(0, 45455)}, NULL, 0, ""},
    {"gamma of nought", {GAMA(0, 0)}, NULL, 0, ""},
};

TEST_ROWS(png, pngs)
{
    size_t n = 0;
    unsigned char *plain = flat_file(MB_FORMAT_PNG, &n), *file = put_in(plain, &n, 0, "", 0);
    for (int i = 0; i < 2 && row->chunks[i].name != NULL; i++) {
        const chunk *c = &row->chunks[i];
        unsigned char all[12 + sizeof c->data];
        put32(all, c->bytes);
        memcpy(all + 4, c->name, 4);
        memcpy(all + 8, c->data, c->bytes);
        put32(all + 8 + c->bytes, checksum(all + 4, 4 + c->bytes));
        unsigned char *longer = put_in(file, &n, 33, all, 12 + c->bytes); /* behind IHDR */
        free(file);
        file = longer;
    }
    mb_metadata m;
    mb_image picture = decoded(file, n, &m);
    if (row->matrix != NULL && !has_little_cms()) {
        CHECK(m.icc == NULL);
        CHECK_CONTAINS(m.note, "this build has no Little CMS");
    } else {
        CHECK((m.icc != NULL) == (row->matrix != NULL));
        CHECK(row->note[0] == '\0' ? m.note[0] == '\0' : strstr(m.note, row->note) != NULL);
        if (row->matrix != NULL) {
            check_colour(&picture, &m, row->matrix, row->curve, 1.0);
        }
    }
    mb_image_dispose(&picture);
    mb_metadata_dispose(&m);
    free(file);
    mb_buffer_free(plain);
}

/* The profile is the same whenever it is made. */
TEST(same_bytes)
{
    static const unsigned char points[] = "\0\0\0\4cICP\14\15\0\1\0\0\0\0";
    unsigned char all[sizeof points - 1];
    memcpy(all, points, sizeof all);
    put32(all + 12, checksum(all + 4, 8));
    size_t n = 0;
    unsigned char *plain = flat_file(MB_FORMAT_PNG, &n), *file = put_in(plain, &n, 33, all, sizeof all);
    mb_metadata first, second;
    mb_image a = decoded(file, n, &first);
    const time_t start = time(NULL);
    while (time(NULL) == start) { /* profiles have a date, to the second */
    }
    mb_image b = decoded(file, n, &second);
    CHECK(first.icc_bytes == second.icc_bytes);
    CHECK(first.icc_bytes == 0 || memcmp(first.icc, second.icc, first.icc_bytes) == 0);
    mb_image_dispose(&a);
    mb_image_dispose(&b);
    mb_metadata_dispose(&first);
    mb_metadata_dispose(&second);
    free(file);
    mb_buffer_free(plain);
}

/* ---- JPEG of a camera that was set to Adobe RGB */

TEST(adobe_rgb_by_exif)
{
    static const unsigned char exif[] = {
        0xFF, 0xE1, 0,    70,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0,   42, 0, 0, 0, 8, /* the head */
        0,    1,    0x87, 0x69, 0,   4,   0,   0,   0, 1, 0,   0,   0,   26, 0, 0, 0, 0, /* 8: to the details */
        0,    1,    0xA0, 0x05, 0,   4,   0,   0,   0, 1, 0,   0,   0,   44, 0, 0, 0, 0, /* 26: and from them */
        0,    1,    0x00, 0x01, 0,   2,   0,   0,   0, 4, 'R', '0', '3', 0,  0, 0, 0, 0, /* 44 */
    };
    if (!has_little_cms()) {
        SKIP("this build has no Little CMS");
    }
    size_t n = 0;
    unsigned char *plain = flat_file(MB_FORMAT_JPEG, &n), *file = put_in(plain, &n, 2, exif, sizeof exif);
    mb_metadata m;
    mb_image picture = decoded(file, n, &m);
    REQUIRE(m.icc != NULL);
    check_colour(&picture, &m, adobe, 563.0 / 256.0, 2.0);
    mb_image_dispose(&picture);
    mb_metadata_dispose(&m);
    free(file);
    mb_buffer_free(plain);
}

TEST(avif)
{
    if (!has_little_cms()) {
        SKIP("this build has no Little CMS");
    }
    size_t n = 0;
    char *file = file_read(MB_SOURCE_DIR "/tests/data/pictures/heif/p3.avif", &n);
    mb_metadata m;
    mb_image picture = decoded(file, n, &m);
    REQUIRE(m.icc != NULL);
    check_colour(&picture, &m, p3, 0, 2.0);
    mb_image_dispose(&picture);
    mb_metadata_dispose(&m);
    free(file);
}
