/* Small pictures of all kinds: what our own encoders write, and headers with plain pixels for the others. */
#include "seeds.h"

#include "core/alloc.h"
#include "image/codec/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SIDE 9

typedef struct out {
    uint8_t v[8192];
    size_t n;
} out;

static void put(out *o, const void *bytes, size_t n)
{
    if (n > 0 && o->n + n <= sizeof o->v) {
        memcpy(o->v + o->n, bytes, n);
        o->n += n;
    }
}

static void big(out *o, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        const uint8_t b = (uint8_t)(v >> (8 * i));
        put(o, &b, 1);
    }
}

static void little(out *o, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const uint8_t b = (uint8_t)(v >> (8 * i));
        put(o, &b, 1);
    }
}

static void noise(out *o, size_t n, fuzz_random *r)
{
    for (size_t i = 0; i < n; i++) {
        little(o, fuzz_next(r), 1);
    }
}

/* ---- PNG: every colour type and depth, with and without interlace */

static void chunk(out *o, const char *name, const void *data, size_t n)
{
    big(o, n, 4);
    const size_t at = o->n;
    put(o, name, 4);
    put(o, data, n);
    big(o, crc32(0, o->v + at, (uInt)n + 4), 4);
}

static void write_png(size_t number, int colour, int depth, int interlace, bool animated)
{
    static const int channels[] = {1, 0, 3, 1, 2, 0, 4};
    static uint8_t palette[48];
    fuzz_random r = {number};
    out o = {.n = 0}, head = {.n = 0}, raw = {.n = 0};
    uint8_t packed[4096];
    uLongf n = sizeof packed;
    const size_t row = ((size_t)channels[colour] * (size_t)depth * SIDE + 7) / 8;
    for (int y = 0; y < 2 * SIDE; y++) { /* interlaced rows are shorter: more than enough of them */
        little(&raw, (uint64_t)(interlace ? 0 : y % 5), 1);
        noise(&raw, row, &r);
    }
    big(&head, SIDE, 4);
    big(&head, SIDE, 4);
    little(&head, (uint64_t)depth, 1);
    little(&head, (uint64_t)colour, 1);
    little(&head, (uint64_t)interlace << 16, 3);
    put(&o, "\x89PNG\r\n\x1a\n", 8);
    chunk(&o, "IHDR", head.v, head.n);
    if (animated) {
        chunk(&o, "acTL", "\0\0\0\2\0\0\0\0", 8);
        chunk(&o, "fcTL", "\0\0\0\0\0\0\0\11\0\0\0\11\0\0\0\0\0\0\0\0\0\1\0\12\0\0", 26);
    }
    if (colour == 3) {
        chunk(&o, "PLTE", palette, sizeof palette);
        chunk(&o, "tRNS", "\0\200\377", 3);
    }
    if (number % 3 == 0) {
        chunk(&o, "pHYs", "\0\0\13\23\0\0\13\23\1", 9);
        chunk(&o, "eXIf", "MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 26);
    }
    (void)compress2(packed, &n, raw.v, raw.n, 1);
    chunk(&o, "IDAT", packed, n);
    if (animated) {
        chunk(&o, "fcTL", "\0\0\0\1\0\0\0\11\0\0\0\11\0\0\0\0\0\0\0\0\0\1\0\12\1\1", 26);
        out frame = {.n = 0};
        big(&frame, 2, 4);
        put(&frame, packed, n);
        chunk(&o, "fdAT", frame.v, frame.n);
    }
    chunk(&o, "IEND", NULL, 0);
    seed_write(animated ? "frames" : "picture_png", number, o.v, o.n);
    if (!animated && number < 8) {
        seed_write("metadata", 100 + number, o.v, o.n);
    }
}

static void pngs(void)
{
    static const int kinds[][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                   {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    const size_t n = sizeof kinds / sizeof kinds[0];
    for (size_t i = 0; i < 2 * n; i++) {
        write_png(i, kinds[i % n][0], kinds[i % n][1], i >= n, false);
    }
    write_png(0, 6, 8, 0, true);
    write_png(1, 3, 8, 0, true);
}

/* ---- JPEG and WebP, as this program writes them */

static void encoded(void)
{
    uint8_t pixels[26 * 26 * 4];
    fuzz_random r = {1};
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(fuzz_next(&r) & 0x3F) + (uint8_t)i;
    }
    for (size_t i = 0; i < 12; i++) {
        static const mb_pixels orders[] = {MB_PIXELS_RGB, MB_PIXELS_GRAY, MB_PIXELS_RGBA};
        const mb_pixels order = orders[i % 3];
        const int side = 3 + 2 * (int)i;
        mb_image image = {.data = pixels, .width = side, .height = side, .pixels = order, .depth = MB_DEPTH_U8};
        mb_save_spec spec;
        void *bytes = NULL;
        size_t n = 0;
        mb_save_spec_init(&spec);
        spec.quality = i % 2 == 0 ? 80 : 0;
        if (order != MB_PIXELS_RGBA && mb_jpeg_encode(&bytes, &n, &image, &spec, NULL) == MB_OK) {
            seed_write("picture_jpeg", i, bytes, n);
            seed_write("metadata", i, bytes, n);
            mb_free(bytes);
        }
        if (mb_webp_encode(&bytes, &n, &image, &spec, NULL) == MB_OK) {
            seed_write("picture_webp", i, bytes, n);
            mb_free(bytes);
        }
    }
}

/* ---- the plain ones */

static void pnm(void)
{
    static const char *const heads[] = {"P1\n9 9\n",
                                        "P2 9 9 255\n",
                                        "P3\n# text\n3 3\n7\n",
                                        "P4\n9 9\n",
                                        "P5\n9 9\n255\n",
                                        "P5 9 9 65535\n",
                                        "P6 9 9 255\n",
                                        "P6\n9 9\n1000\n",
                                        "P5 1 1 1\n",
                                        "P2 2 2 65535\n",
                                        "P7\nWIDTH 9\nHEIGHT 9\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
                                        "P7\nWIDTH 9\nHEIGHT 9\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n",
                                        "Pf\n3 3\n-1.0\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        fuzz_random r = {i};
        out o = {.n = 0};
        put(&o, heads[i], strlen(heads[i]));
        if (heads[i][1] >= '1' && heads[i][1] <= '3') {
            for (int k = 0; k < 90; k++) {
                put(&o, k % 3 == 0 ? "1 " : "0\n", 2);
            }
        } else {
            noise(&o, 81 * 6, &r);
        }
        seed_write("picture_pnm", i, o.v, o.n);
    }
}

static void bmp(size_t number, int bits, int compression, int head)
{
    fuzz_random r = {number};
    out o = {.n = 0};
    const size_t colours = bits <= 8 ? 1u << bits : 0, row = (SIDE * (size_t)bits + 31) / 32 * 4;
    put(&o, "BM", 2);
    little(&o, 14 + (size_t)head + 4 * colours + row * SIDE, 4);
    little(&o, 0, 4);
    little(&o, 14 + (size_t)head + 4 * colours, 4);
    little(&o, (uint64_t)head, 4);
    little(&o, SIDE, 4);
    little(&o, number % 2 == 0 ? SIDE : 0 - (uint64_t)SIDE, 4);
    little(&o, 1, 2);
    little(&o, (uint64_t)bits, 2);
    little(&o, (uint64_t)compression, 4);
    noise(&o, 4, &r);
    little(&o, 2835, 4);
    little(&o, 2835, 4);
    little(&o, 0, 8);
    for (int i = 40; i < head; i += 4) {
        little(&o, i < 52 ? 0xFFu << (i - 40) * 2 : 0, 4);
    }
    noise(&o, 4 * colours + row * SIDE, &r);
    seed_write("picture_stb", number, o.v, o.n);
}

static void tga(size_t number, int kind, int bits)
{
    fuzz_random r = {number};
    out o = {.n = 0};
    little(&o, 0, 1);
    little(&o, kind % 8 == 1, 1);
    little(&o, (uint64_t)kind, 1);
    little(&o, 0, 2);
    little(&o, kind % 8 == 1 ? 16 : 0, 2);
    little(&o, kind % 8 == 1 ? 24 : 0, 1);
    little(&o, 0, 4);
    little(&o, SIDE, 2);
    little(&o, SIDE, 2);
    little(&o, (uint64_t)bits, 1);
    little(&o, number % 2 == 0 ? 0x20 : 0, 1);
    noise(&o, 48 + SIDE * SIDE * 4, &r);
    seed_write("picture_stb", number, o.v, o.n);
}

static void gif(size_t number, bool animated)
{
    static const uint8_t data[] = {2,    0x16, 0x8C, 0x2D, 0x99, 0x87, 0x2A, 0x1C, 0xDC, 0x33, 0xA0, 0x02, 0x75,
                                   0xEC, 0x95, 0xFA, 0xA8, 0xDE, 0x60, 0x8C, 0x04, 0x91, 0x4C, 0x01, 0x00};
    out o = {.n = 0};
    put(&o, "GIF89a", 6);
    little(&o, 10, 2);
    little(&o, 10, 2);
    put(&o, "\x91\0\0\377\377\377\377\0\0\0\0\377\0\0\0", 15);
    put(&o, "!\xff\13NETSCAPE2.0\3\1\0\0\0", animated ? 19 : 0);
    for (int i = 0; i < (animated ? 3 : 1); i++) {
        put(&o, "!\xf9\4\5\12\0\0\0", 8);
        put(&o, ",\0\0\0\0\12\0\12\0\0", 10);
        put(&o, data, sizeof data);
    }
    put(&o, ";", 1);
    seed_write(animated ? "frames" : "picture_gif", number, o.v, o.n);
}

static void psd(size_t number, int channels, int depth, int mode, int packed)
{
    fuzz_random r = {number};
    out o = {.n = 0};
    put(&o, "8BPS\0\1\0\0\0\0\0\0", 12);
    big(&o, (uint64_t)channels, 2);
    big(&o, SIDE, 4);
    big(&o, SIDE, 4);
    big(&o, (uint64_t)depth, 2);
    big(&o, (uint64_t)mode, 2);
    big(&o, 0, 4);
    big(&o, 28, 4);
    put(&o, "8BIM\3\355\0\0\0\0\0\20\0\110\0\0\0\1\0\1\0\110\0\0\0\1\0\1", 28);
    big(&o, 0, 4);
    big(&o, (uint64_t)packed, 2);
    for (int i = 0; packed == 1 && i < channels * SIDE; i++) {
        big(&o, 2, 2);
    }
    for (int i = 0; packed == 1 && i < channels * SIDE; i++) {
        big(&o, 0xF855, 2); /* nine times 0x55 */
    }
    noise(&o, packed == 1 ? 0 : (size_t)(channels * depth / 8) * SIDE * SIDE, &r);
    seed_write("picture_psd", number, o.v, o.n);
    seed_write("metadata", 200 + number, o.v, o.n);
}

static void hdr(size_t number, bool packed)
{
    fuzz_random r = {number};
    out o = {.n = 0};
    put(&o, "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 9\n", 46);
    for (int y = 0; packed && y < SIDE; y++) {
        put(&o, "\2\2\0\11", 4);
        for (int c = 0; c < 4; c++) {
            put(&o, "\211\200", 2);
        }
    }
    noise(&o, packed ? 0 : SIDE * SIDE * 4, &r);
    seed_write("picture_hdr", number, o.v, o.n);
}

static void tiff(size_t number, bool large)
{
    fuzz_random r = {number};
    out o = {.n = 0};
    static const uint32_t tags[][3] = {{256, 3, SIDE}, {257, 3, SIDE},       {258, 3, 8}, {259, 3, 1},
                                       {262, 3, 1},    {273, 4, 8},          {274, 3, 6}, {277, 3, 1},
                                       {278, 3, SIDE}, {279, 4, SIDE * SIDE}};
    const size_t n = sizeof tags / sizeof tags[0];
    if (large) {
        put(&o, "MM\0*", 4);
        big(&o, 8, 4);
        big(&o, 1, 2);
        put(&o, "\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 16);
        seed_write("metadata", 300 + number, o.v, o.n);
        return;
    }
    put(&o, "II*\0", 4);
    little(&o, 8 + SIDE * SIDE + 1, 4);
    noise(&o, SIDE * SIDE + 1, &r);
    little(&o, n, 2);
    for (size_t i = 0; i < n; i++) {
        little(&o, tags[i][0], 2);
        little(&o, tags[i][1], 2);
        little(&o, 1, 4);
        little(&o, tags[i][2], 4);
    }
    little(&o, 0, 4);
    seed_write("picture_tiff", number, o.v, o.n);
    seed_write("metadata", 300 + number, o.v, o.n);
}

void seeds_pictures(void)
{
    static const int bits[] = {1, 4, 8, 16, 24, 32};
    pngs();
    encoded();
    pnm();
    for (size_t i = 0; i < 6; i++) {
        bmp(i, bits[i], 0, i % 2 == 0 ? 40 : 108);
    }
    bmp(6, 32, 3, 56);
    tga(10, 2, 24);
    tga(11, 2, 32);
    tga(12, 3, 8);
    tga(13, 10, 24);
    tga(14, 1, 8);
    gif(2, true);
    gif(0, false);
    psd(0, 3, 8, 3, 0);
    psd(1, 4, 8, 3, 1);
    psd(2, 1, 16, 1, 0);
    psd(3, 3, 16, 3, 0);
    hdr(0, false);
    hdr(1, true);
    tiff(0, false);
    tiff(1, true);
}
