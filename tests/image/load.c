/* Picture files against the bytes that Pillow 13 gives for them (tests/data/pictures/files/manifest.txt: name, format,
 * width, height, hash of the RGB pixels after exif_transpose and convert('RGB')), and the messages for what is wrong.
 *
 * Not Pillow's in the manifest: gray16* (upper byte instead of white), top_down16.bmp (5-bit samples differ by 1 at
 * most), and .pam and .hdr, which Pillow does not read. */
#define _GNU_SOURCE /* strtok_r */
#include "image/codec/load.h"

#include "core/alloc.h"
#include "image/codec/budget.h"
#include "image/codec/exif.h"
#include "image/convert.h"
#include "image/codec/save.h"
#include "image/codec/sniff.h"
#include "pictures.h"

#include <math.h>

static bool has_jpeg, has_png, has_webp;

static void one_file(const char *name, const char *format, int width, int height, uint64_t hash)
{
    char path[128];
    size_t n;
    mb_error err;
    mb_image_u8 p;
    mb_load_info info;
    snprintf(path, sizeof path, "pictures/files/%s", name);
    uint8_t *bytes = read_data(path, &n);
    bool webp = strcmp(format, "webp") == 0;
    if (webp && !has_webp) {
        CHECK(mb_load_memory(NULL, &p, &info, bytes, n, name, NULL, NULL) == MB_E_UNSUPPORTED && p.v == NULL);
        free(bytes);
        return;
    }
    CHECK_OK(mb_load_memory(NULL, &p, &info, bytes, n, name, NULL, &err), err);
    CHECK_MSG(p.width == width && p.height == height && p.channels == 3, "%s: %d x %d", name, p.width, p.height);
    CHECK_MSG(strcmp(info.format, format) == 0, "%s: %s", name, info.format);
    bool animated = strncmp(name, "animated", 8) == 0;
    CHECK_MSG((info.warning[0] != '\0') == animated && info.frames_ignored == animated, "%s: %s", name, info.warning);
    bool other = strcmp(format, "jpeg") == 0 && !has_jpeg; /* stb_image's JPEG differs by a few levels */
    other =
        other || (!has_png && strcmp(name, "palette_short.png") == 0); /* stb_image leaves what lies beyond undefined */
    CHECK_MSG(p.v != NULL && (other || picture_hash(&p) == hash), "%s", name);
    mb_image_u8_dispose(&p);
    free(bytes);
}

TEST(whole_manifest)
{
    size_t n;
    char *text = (char *)read_data("pictures/files/manifest.txt", &n), *save = NULL;
    text[n] = '\0';
    int files = 0;
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char name[64], format[16];
        int width, height;
        unsigned long long hash;
        if (CHECK(sscanf(line, "%63s %15s %d %d %llx", name, format, &width, &height, &hash) == 5)) {
            one_file(name, format, width, height, hash);
            files++;
        }
    }
    CHECK_MSG(files >= 100, "%d files", files);
    free(text);
}

/* ---- facts and orientation */

TEST(facts)
{
    static const struct {
        const char *name;
        int channels, bits, orientation;
        bool alpha;
    } cases[] = {
        {"rgb420.jpg", 3, 8, 1, false}, {"cmyk.jpg", 4, 8, 1, false},        {"exif6.jpg", 3, 8, 6, false},
        {"exif7.png", 3, 8, 7, false},  {"gray1.png", 1, 1, 1, false},       {"rgba16.png", 4, 16, 1, true},
        {"la8_i.png", 2, 8, 1, true},   {"palette_trns.png", 1, 4, 1, true}, {"rgba.tga", 4, 8, 1, true},
        {"rgb16.ppm", 3, 16, 1, false}, {"bit.bmp", 1, 1, 1, false},         {"plain.pbm", 1, 1, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        size_t n;
        mb_error err;
        mb_image_u8 p;
        mb_load_info info;
        snprintf(path, sizeof path, "pictures/files/%s", cases[i].name);
        uint8_t *bytes = read_data(path, &n);
        CHECK_OK(mb_load_memory(NULL, &p, &info, bytes, n, NULL, NULL, &err), err);
        CHECK_MSG(info.channels == cases[i].channels && info.bits == cases[i].bits &&
                      info.orientation == cases[i].orientation && info.alpha == cases[i].alpha,
                  "%s: %d channels, %d bits, orientation %d, alpha %d", cases[i].name, info.channels, info.bits,
                  info.orientation, info.alpha);
        bool turned = info.orientation >= 5;
        CHECK(info.width == (turned ? p.height : p.width) && info.height == (turned ? p.width : p.height));
        mb_image_u8_dispose(&p);
        free(bytes);
    }
}

TEST(orientations)
{
    /* 3 x 2:  1 2 3 / 4 5 6, turned by each orientation */
    static const char *const want[9] = {"",       "123456", "321654", "654321", "456123",
                                        "142536", "415263", "635241", "362514"};
    mb_error err;
    mb_image_u8 p, out;
    CHECK_OK(mb_image_u8_create(&p, 3, 2, 1, &err), err);
    memcpy(p.v, "123456", 6);
    for (int o = 1; o <= 8; o++) {
        CHECK_OK(mb_image_u8_orient(&out, &p, o, &err), err);
        CHECK_MSG(memcmp(out.v, want[o], 6) == 0 && out.width == (o >= 5 ? 2 : 3), "%d: %.6s", o, out.v);
        mb_image_u8_dispose(&out);
    }
    mb_image_u8_dispose(&p);
}

/* ---- messages */

static void refused(const void *bytes, size_t n, mb_status code, const char *message)
{
    mb_image_u8 p;
    mb_error err = {0};
    mb_status status = mb_load_memory(NULL, &p, NULL, bytes, n, "a.jpg", NULL, &err);
    CHECK_MSG(status == code && p.v == NULL && strcmp(err.message, message) == 0, "%d: %s (expected %s)", status,
              err.message, message);
}

static void put(uint8_t *v, size_t at, uint32_t value, int bytes, bool big)
{
    for (int i = 0; i < bytes; i++) {
        v[at + (size_t)i] = (uint8_t)(value >> 8 * (big ? bytes - 1 - i : i));
    }
}

TEST(not_pictures)
{
    static const char text[] = "Dear reader,\nthis is no picture.\n", html[] = "<!DOCTYPE html><html></html>";
    refused(text, sizeof text - 1, MB_E_FORMAT, "a.jpg: not a picture (it starts like a text file)");
    refused(html, sizeof html - 1, MB_E_FORMAT, "a.jpg: not a picture (it starts like a web page)");
    refused("", 0, MB_E_FORMAT, "a.jpg: not a picture (the file is empty)");
    refused("PK\3\4zzzzzzzzzzzz", 16, MB_E_FORMAT, "a.jpg: not a picture (it starts like a ZIP archive)");
    refused("\xFE\xFF\xFE\xFF\xFE\xFF", 6, MB_E_FORMAT,
            "a.jpg: not a picture (its first bytes are of no known format)");
    char formats[400];
    mb_load_formats(formats, sizeof formats);
    if (strstr(formats, "AVIF (not") != NULL) {
        refused("\0\0\0\x18"
                "ftypheic\0\0\0\0",
                16, MB_E_UNSUPPORTED,
                "a.jpg: HEIC is not in this build\ninstall libheif-dev and rebuild, or convert it with heif-convert");
    }
    if (strstr(formats, "TIFF (not") != NULL) {
        refused("II*\0\x08\0\0\0", 8, MB_E_UNSUPPORTED,
                "a.jpg: TIFF is not in this build\ninstall libtiff-dev and rebuild, or convert it with tiff2png");
    } else {
        refused("II*\0\x08\0\0\0", 8, MB_E_FORMAT,
                "a.jpg: TIFF: the header is damaged or cut off: it gives no size\ncopy or download it again");
    }
    mb_error err = {0};
    mb_image_u8 p;
    CHECK(mb_load_memory(NULL, &p, NULL, text, sizeof text - 1, "bad\nname\x1B[31m.jpg", NULL, &err) == MB_E_FORMAT);
    CHECK_MSG(strcmp(err.message, "bad?name?[31m.jpg: not a picture (it starts like a text file)") == 0, "%s",
              err.message);
    CHECK(mb_load_file(NULL, &p, NULL, "/nowhere/x.jpg", NULL, NULL) == MB_E_IO && p.v == NULL);
}

/* What cameras keep beside their JPEG files: many are TIFF files whose first picture is a thumbnail, not to be taken for the
 * photo. */
TEST(camera_raw)
{
    static const char message[] =
        "a.jpg: not a picture (it starts like a camera's raw file; export it as TIFF or JPEG)";
    static const char heads[][16] = {"FUJIFILMCCD-RAW",
                                     "IIU\0\x18\0\0\0",
                                     "IIRO\x08\0\0\0",
                                     "FOVb\1\0\3\0",
                                     "\0MRM\0\0\1\0",
                                     "\0\0\0\x18"
                                     "ftypcrx ",
                                     "II*\0\x10\0\0\0CR\2\0"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        refused(heads[i], sizeof heads[i], MB_E_FORMAT, message);
    }
    static const struct {
        uint32_t tags[2], values[2];
        bool is_raw;
    } tiffs[] = {{{254, 330}, {1, 64}, true},     /* a small copy, and other pictures */
                 {{254, 50706}, {0, 1025}, true}, /* DNG */
                 {{254, 330}, {0, 64}, false}};   /* a picture with smaller copies of it */
    for (size_t i = 0; i < sizeof tiffs / sizeof tiffs[0]; i++) {
        uint8_t file[64] = "II*\0\x08";
        put(file, 8, 2, 2, false);
        for (size_t k = 0; k < 2; k++) {
            put(file, 10 + 12 * k, tiffs[i].tags[k], 2, false);
            put(file, 12 + 12 * k, 4, 2, false);
            put(file, 14 + 12 * k, 1, 4, false);
            put(file, 18 + 12 * k, tiffs[i].values[k], 4, false);
        }
        mb_image_u8 p;
        mb_error err = {0};
        CHECK(mb_load_memory(NULL, &p, NULL, file, sizeof file, "a.jpg", NULL, &err) != MB_OK);
        CHECK_MSG((strcmp(err.message, message) == 0) == tiffs[i].is_raw, "%zu: %s", i, err.message);
    }
}

/* A TIFF of one uncompressed row of 8-bit samples, 0, 1, 2 ... -> its bytes. extra: what the samples after the colours are. */
static size_t small_tiff(uint8_t file[256], uint32_t photometric, uint32_t samples, uint32_t bits, uint32_t compression,
                         const uint16_t *extra, uint32_t n_extra)
{
    enum { WIDTH = 2, TAGS = 10, BITS = 210, DATA = 224 };
    const uint32_t inline_extra = n_extra == 0 ? 0 : extra[0] | (n_extra > 1 ? (uint32_t)extra[1] << 16 : 0);
    const uint32_t tags[TAGS][4] = {{256, 3, 1, WIDTH},
                                    {257, 3, 1, 1},
                                    {258, 3, samples,
                                     samples < 2   ? bits
                                     : samples < 3 ? bits * 0x10001u
                                                   : BITS},
                                    {259, 3, 1, compression},
                                    {262, 3, 1, photometric},
                                    {273, 4, 1, DATA},
                                    {277, 3, 1, samples},
                                    {278, 3, 1, 1},
                                    {279, 4, 1, WIDTH * samples},
                                    {338, 3, n_extra, inline_extra}};
    memset(file, 0, 256);
    memcpy(file, "II*\0\x08", 5);
    put(file, 8, TAGS - (n_extra == 0), 2, false);
    for (size_t i = 0; i < TAGS; i++) {
        put(file, 10 + 12 * i, tags[i][0], 2, false);
        put(file, 12 + 12 * i, tags[i][1], 2, false);
        put(file, 14 + 12 * i, tags[i][2], 4, false);
        put(file, 18 + 12 * i, tags[i][3], 4, false);
    }
    if (n_extra == 0) {
        put(file, 10 + 12 * (TAGS - 1), 0, 4, false);
    }
    for (size_t i = 0; i < samples; i++) {
        put(file, BITS + 2 * i, bits, 2, false);
    }
    for (uint32_t i = 0; i < WIDTH * samples; i++) {
        file[DATA + i] = (uint8_t)(10 * (i + 1));
    }
    return DATA + WIDTH * samples;
}

/* Satellites and drones put infrared before alpha; what is left out, and what cannot be read, is said. */
TEST(tiff_extra_samples)
{
    char formats[400];
    uint8_t file[256];
    mb_image_u8 p;
    mb_load_info info;
    mb_error err = {0};
    mb_load_limits limits;
    mb_load_limits_init(&limits);
    limits.keep_alpha = true;
    mb_load_formats(formats, sizeof formats);
    if (strstr(formats, "TIFF (not") != NULL) {
        SKIP("without libtiff");
    }
    size_t n = small_tiff(file, 2, 5, 8, 1, (const uint16_t[]){0, 2}, 2);
    if (CHECK(mb_load_memory(NULL, &p, &info, file, n, "a.tif", &limits, &err) == MB_OK)) {
        CHECK(p.v[0] == 10 && p.v[2] == 30 && p.v[3] == 60 && p.v[5] == 80);
        CHECK(info.alpha && info.alpha_plane.v != NULL && info.alpha_plane.v[0] == 50 && info.alpha_plane.v[1] == 100);
        mb_image_u8_dispose(&p);
        mb_load_info_dispose(&info);
    }
    n = small_tiff(file, 1, 2, 8, 1, (const uint16_t[]){0}, 1);
    if (CHECK(mb_load_memory(NULL, &p, &info, file, n, "a.tif", NULL, &err) == MB_OK)) {
        CHECK_MSG(strstr(info.warning, "its second channel is not read as alpha and is left out") != NULL, "%s",
                  info.warning);
        mb_image_u8_dispose(&p);
    }
    n = small_tiff(file, 2, 3, 8, 34712, NULL, 0);
    refused(file, n, MB_E_UNSUPPORTED,
            "a.jpg: TIFF whose compression (34712) this libtiff does not read\nsave it with LZW or uncompressed");
    n = small_tiff(file, 2, 3, 12, 1, NULL, 0);
    refused(
        file, n, MB_E_UNSUPPORTED,
        "a.jpg: TIFF of 12-bit samples: 1, 2, 4, 8 and 16 bits without sign are read\nsave it with 16 bits a sample");
}

/* Photoshop can leave the flattened picture out, and a picture of an excuse stands in its place. */
TEST(psd_of_layers_alone)
{
    uint8_t psd[26 + 4 + 4 + 18 + 4 + 2 + 3] = "8BPS\0\1";
    psd[13] = 3;
    psd[17] = psd[21] = 1;
    psd[23] = 8;
    psd[25] = 3;
    psd[33] = 18;
    memcpy(psd + 34, "8BIM\4\x21\0\0\0\0\0\5\0\0\0\1\1", 17);
    mb_image_u8 p;
    mb_error err = {0};
    CHECK_OK(mb_load_memory(NULL, &p, NULL, psd, sizeof psd, "a.psd", NULL, &err), err);
    mb_image_u8_dispose(&p);
    psd[50] = 0;
    refused(psd, sizeof psd, MB_E_UNSUPPORTED,
            "a.jpg: PSD without a flattened picture: layers alone are not read\n"
            "save it with \"Maximize Compatibility\", or as PNG");
}

/* BMP of 5 x 3 in runs, with every kind of code; dots: left out. */
static const struct bmp_runs {
    const char *name;
    unsigned bits, bytes;
    const char *data, *want;
    bool whole;
} bmps[] = {
    {"8 bits", 8, 20, "\5\1\0\0\0\3\1\2\3\0\2\2\0\0\1\3\0\0\0\1", "3....1232211111", true},
    {"4 bits", 4, 16, "\5\x12\0\0\0\5\x12\x31\x20\0\0\0\3\x33\0\1", "333..1231212121", true},
    {"delta", 8, 12, "\2\1\0\2\1\1\2\3\0\2\0\2", "........3311...", true},
    {"delta, then the end", 8, 12, "\2\1\0\2\1\1\1\3\0\2\0\2", "........3.11...", true},
    {"end of the picture", 8, 4, "\5\2\0\1", "..........22222", true},
    {"longer than the row", 8, 4, "\377\2\0\1", "..........22222", true},
    {"last row full, no end", 8, 14, "\5\1\0\0\5\2\0\0\5\3\0\0\0\0", "333332222211111", true},
    {"ends early", 8, 4, "\5\1\0\0", NULL, false},
    {"ends in pixels as they are", 8, 4, "\0\5\1\2", NULL, false},
};

TEST_ROWS(bmp_in_runs, bmps)
{
    uint8_t file[54 + 16 + 32] = "BM";
    put(file, 10, 54 + 16, 4, false);
    put(file, 14, 40, 4, false);
    put(file, 18, 5, 4, false);
    put(file, 22, 3, 4, false);
    put(file, 26, 1, 2, false);
    put(file, 28, row->bits, 2, false);
    put(file, 30, row->bits == 8 ? 1 : 2, 4, false);
    put(file, 46, 4, 4, false);
    for (int i = 0; i < 4; i++) { /* blue, green, red: the number in each, times 1, 2, 3 */
        put(file, 54 + 4 * (size_t)i, (uint32_t)(10 * i | 20 * i << 8 | 30 * i << 16), 4, false);
    }
    memcpy(file + 70, row->data, row->bytes);
    mb_image_u8 p;
    mb_error err = {0};
    mb_status status = mb_load_memory(NULL, &p, NULL, file, 70 + row->bytes, "a.bmp", NULL, &err);
    CHECK_MSG((status == MB_OK) == row->whole, "%s", err.message);
    for (int i = 0; status == MB_OK && row->whole && i < 15; i++) {
        const int want = row->want[i] == '.' ? 0 : row->want[i] - '0';
        CHECK_MSG(p.v[3 * i] == 30 * want && p.v[3 * i + 1] == 20 * want && p.v[3 * i + 2] == 10 * want,
                  "pixel %d: %d, not %d", i, p.v[3 * i] / 30, want);
    }
    mb_image_u8_dispose(&p);
}

/* 60,000 x 60,000 in every header that can say so: refused by our own reading, before any decoder. */
TEST(giants)
{
    static const char message[] = "a.jpg: 60,000×60,000 is 3,600 megapixels; the limit is 500\n"
                                  "mb_load_options.max_megapixels raises it; it would need 43.2 GB";
    uint8_t v[64] = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR";
    put(v, 16, 60000, 4, true);
    put(v, 20, 60000, 4, true);
    v[24] = 8;
    v[25] = 2;
    refused(v, sizeof v, MB_E_ARGUMENT, message);
    uint8_t jpeg[] = "\xFF\xD8\xFF\xE0\0\x04zz\xFF\xC0\0\x11\x08\xEA\x60\xEA\x60\x03.........";
    refused(jpeg, sizeof jpeg - 1, MB_E_ARGUMENT, message);
    uint8_t bmp[64] = "BM";
    put(bmp, 14, 40, 4, false);
    put(bmp, 18, 60000, 4, false);
    put(bmp, 22, (uint32_t)-60000, 4, false);
    put(bmp, 28, 24, 2, false);
    refused(bmp, sizeof bmp, MB_E_ARGUMENT, message);
    uint8_t gif[32] = "GIF89a\x60\xEA\x60\xEA";
    refused(gif, sizeof gif, MB_E_ARGUMENT, message);
    uint8_t tga[32] = {0, 0, 2};
    put(tga, 12, 60000, 2, false);
    put(tga, 14, 60000, 2, false);
    tga[16] = 24;
    refused(tga, sizeof tga, MB_E_ARGUMENT, message);
    uint8_t psd[32] = "8BPS\0\1\0\0\0\0\0\0\0\3";
    put(psd, 14, 60000, 4, true);
    put(psd, 18, 60000, 4, true);
    refused(psd, sizeof psd, MB_E_ARGUMENT, message);
    refused("P6\n60000 60000\n255\n", 19, MB_E_ARGUMENT, message);
    refused("P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 3\nMAXVAL 255\nENDHDR\n", 55, MB_E_ARGUMENT, message);
    refused("#?RADIANCE\nFORMAT=x\n\n-Y 60000 +X 60000\n", 40, MB_E_ARGUMENT, message);
    refused("P6\n4000000000 1\n255\n", 20, MB_E_ARGUMENT,
            "a.jpg: 4,000,000,000×1 is 4,000 megapixels; the limit is 500\n"
            "mb_load_options.max_megapixels raises it; it would need 48.0 GB");
    refused("P6\n25000 20001\n255\n", 19, MB_E_ARGUMENT, /* as many digits as show the difference */
            "a.jpg: 25,000×20,001 is 500.02 megapixels; the limit is 500\n"
            "mb_load_options.max_megapixels raises it; it would need 6.0 GB");
    refused("P5\n100000 2\n255\n", 16, MB_E_ARGUMENT,
            "a.jpg: 100,000×2: a side is longer than 65,535 pixels\nscale it down first");
    refused("P5\n0 2\n255\n", 11, MB_E_FORMAT,
            "a.jpg: PNM: the header is damaged or cut off: it gives no size\ncopy or download it again");
}

/* The limit is the caller's: what passes it is decoded, one pixel less is not. */
TEST(limits)
{
    mb_load_limits l;
    mb_image_u8 p;
    mb_error err;
    uint8_t v[16 + 200];
    memset(v, 'x', sizeof v);
    memcpy(v, "P5 20 10 255\n", 13);
    mb_load_limits_init(&l);
    l.max_megapixels = 200e-6;
    CHECK_OK(mb_load_memory(NULL, &p, NULL, v, 213, NULL, &l, &err), err);
    mb_image_u8_dispose(&p);
    l.max_megapixels = 199e-6;
    CHECK(mb_load_memory(NULL, &p, NULL, v, 213, NULL, &l, &err) == MB_E_ARGUMENT);
    CHECK_STR(err.message, "picture: 20×10 is 0.0002 megapixels; the limit is 0.000199\n"
                           "mb_load_options.max_megapixels raises it; it would need 0.0024 MB");
    l.max_megapixels = 1;
    l.max_side = 19;
    CHECK(mb_load_memory(NULL, &p, NULL, v, 213, NULL, &l, NULL) == MB_E_ARGUMENT);
}

/* ---- files that end early */

static uint8_t *picture_bytes(bool jpeg, size_t *n)
{
    if (jpeg) {
        return read_data("pictures/files/rgb444.jpg", n);
    }
    mb_image_u8 p;
    mb_error err;
    CHECK_OK(mb_image_u8_create(&p, 300, 200, 3, &err), err);
    for (int i = 0; i < 300 * 200 * 3; i++) {
        p.v[i] = (uint8_t)mix64((uint64_t)i + 7);
    }
    mb_image image;
    void *png = NULL;
    mb_image_take(&image, &p);
    CHECK_OK(mb_png_encode(NULL, &png, n, &image, NULL, &err), err);
    mb_image_dispose(&image);
    return png;
}

static void ends_early(bool jpeg, int height)
{
    size_t n;
    uint8_t *bytes = picture_bytes(jpeg, &n);
    mb_image_u8 whole, part;
    mb_load_info info;
    mb_load_limits l;
    mb_error err;
    CHECK_OK(mb_load_memory(NULL, &whole, NULL, bytes, n, NULL, NULL, &err), err);
    size_t cut = n * 3 / 4;
    err = (mb_error){0};
    CHECK(mb_load_memory(NULL, &part, NULL, bytes, cut, "a.png", NULL, &err) == MB_E_FORMAT && part.v == NULL);
    char first[32];
    int row = -1, of = -1;
    CHECK_MSG(sscanf(err.message, "a.png: ends early: %31[0-9,] bytes, row %d of %d", first, &row, &of) == 3 &&
                  of == height && row > height / 4 && row < height,
              "%s", err.message);
    CHECK_MSG(strstr(err.message, "\ncopy or download it again; accept_partial=1 uses what is there") != NULL, "%s",
              err.message);
    mb_load_limits_init(&l);
    l.accept_partial = true;
    CHECK_OK(mb_load_memory(NULL, &part, &info, bytes, cut, "a.png", &l, &err), err);
    CHECK(info.partial && strncmp(info.warning, "ends early: ", 12) == 0);
    size_t line = (size_t)whole.width * 3;
    CHECK(row > 0 && memcmp(whole.v, part.v, (size_t)(jpeg ? row - 8 : row) * line) == 0);
    CHECK(jpeg || part.v[(size_t)height * line - 1] == 0); /* the rest is black; JPEG fills it with grey */
    mb_image_u8_dispose(&part);
    CHECK(mb_load_memory(NULL, &part, &info, bytes, 60, "a.png", &l, NULL) == MB_E_FORMAT); /* no row at all */
    mb_image_u8_dispose(&whole);
    free(bytes);
}

/* The end marker alone is missing: nothing of the picture is, so there is nothing to complain about. */
TEST(without_end_marker)
{
    if (!has_jpeg) {
        SKIP("without libjpeg");
    }
    size_t n;
    uint8_t *bytes = picture_bytes(true, &n);
    mb_image_u8 p;
    mb_error err;
    CHECK_OK(mb_load_memory(NULL, &p, NULL, bytes, n - 2, NULL, NULL, &err), err);
    mb_image_u8_dispose(&p);
    free(bytes);
}

/* stb_image reads zeros after the end, and PSD comes in planes: that must not pass for the picture's lower part. */
TEST(stb_ends_early)
{
    static const char *const names[] = {"rgb.bmp",     "palette.bmp",    "top_down16.bmp", "rgb.tga",
                                        "rgb_rle.tga", "p.tga",          "la_rle.tga",     "rgb.psd",
                                        "palette.gif", "interlaced.gif", "gray_rle.psd",   "rgb16.psd"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        size_t n;
        mb_image_u8 p;
        mb_load_info info;
        mb_load_limits l;
        (void)snprintf(path, sizeof path, "pictures/files/%s", names[i]);
        uint8_t *bytes = read_data(path, &n);
        const size_t cuts[] = {n / 2, n * 3 / 4, n - 40}; /* a TGA may end with 26 bytes after its pixels */
        for (size_t k = 0; k < 3; k++) {
            mb_error err = {0};
            CHECK_MSG(mb_load_memory(NULL, &p, NULL, bytes, cuts[k], names[i], NULL, &err) == MB_E_FORMAT &&
                          p.v == NULL,
                      "%s cut at %zu of %zu", names[i], cuts[k], n);
        }
        mb_load_limits_init(&l);
        l.accept_partial = true;
        mb_error err = {0};
        if (mb_load_memory(NULL, &p, &info, bytes, n * 3 / 4, names[i], &l, &err) ==
            MB_OK) { /* GIF may have no picture yet */
            CHECK(info.partial && strncmp(info.warning, "ends early: ", 12) == 0);
            mb_image_u8_dispose(&p);
        }
        free(bytes);
    }
}

TEST(budget)
{
    mb_budget b;
    mb_budget_init(&b, 1000);
    uint8_t *p = mb_budget_alloc(&b, 400), *q = mb_budget_alloc(&b, 500);
    CHECK(p != NULL && q != NULL && p[0] == 0 && q[499] == 0 && b.used == 900);
    CHECK(mb_budget_alloc(&b, 101) == NULL && b.exceeded);
    memset(p, 7, 400);
    mb_budget_free(&b, q);
    uint8_t *r = mb_budget_realloc(&b, p, 600);
    CHECK(r != NULL && r[399] == 7 && r[400] == 0 && b.used == 600 && b.peak == 1000);
    CHECK(mb_budget_realloc(&b, r, 1001) == NULL && r[399] == 7);
    CHECK(mb_budget_alloc(&b, SIZE_MAX) == NULL);
    mb_budget_free(&b, NULL);
    mb_budget_release(&b);
    CHECK(b.used == 0 && b.first == NULL);
}

TEST(png_ends_early)
{
    if (!has_png) {
        SKIP("without libpng");
    }
    ends_early(false, 200);
}

TEST(jpeg_ends_early)
{
    if (!has_jpeg) {
        SKIP("without libjpeg");
    }
    ends_early(true, 23);
}

SETUP
{
    char formats[256];
    mb_load_formats(formats, sizeof formats);
    printf("%s\n", formats);
    has_jpeg = strstr(formats, "libjpeg") != NULL;
    has_png = strstr(formats, "libpng") != NULL;
    has_webp = strstr(formats, "libwebp") != NULL;
}
