/* Damaged files: every stored file cut at many places (small ones at every byte) and with flipped bits, as it is and
 * with partial pictures allowed. Whatever comes out must be a picture of the size that the header says, or an error
 * with a message; the sanitizer build watches the memory. Small formats are also cut at every byte of their headers. */
#define _GNU_SOURCE /* strtok_r */
#include "image/codec/load.h"

#include "core/os_process.h"
#include "image/codec/frames.h"
#include "image/codec/metadata.h"
#include "image/codec/sniff.h"
#include "pictures.h"

#include <time.h>
#include <zlib.h>

#ifdef __SANITIZE_ADDRESS__
#define CUTS  60
#define FLIPS 60
#else
#define CUTS  300
#define FLIPS 300
#endif

static int n_loads, n_accepted;

static void try(const uint8_t *bytes, size_t n, bool partial, const char *name)
{
    /* a block of the exact size, so that a read of one byte too much is seen */
    uint8_t *copy = malloc(n > 0 ? n : 1);
    mb_load_limits l;
    mb_load_info info;
    mb_image_u8 p;
    mb_error err = {0};
    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, bytes, n);
    mb_load_limits_init(&l);
    l.accept_partial = partial;
    l.max_megapixels = 0.02; /* a flipped bit of the size must not cost seconds */
    mb_sniffed s = mb_sniff(copy, n);
    mb_status status = mb_load_memory(NULL, &p, &info, copy, n, name, &l, &err);
    n_loads++;
    if (status == MB_OK) {
        n_accepted++;
        bool turned = info.orientation >= 5;
        bool right = p.width == (turned ? s.height : s.width) && p.height == (turned ? s.width : s.height);
        if (!right) {
            CHECK_MSG(right, "%s: %d x %d", name, p.width, p.height);
        }
    } else if (p.v != NULL || err.code != status || strncmp(err.message, name, strlen(name)) != 0 ||
               strlen(err.message) < strlen(name) + 10) {
        CHECK_MSG(false, "%s: %d %s", name, status, err.message);
    }
    mb_image_u8_dispose(&p);
    free(copy);
}

static void torture(const char *name)
{
    char path[128];
    size_t n;
    snprintf(path, sizeof path, "pictures/files/%s", name);
    uint8_t *bytes = read_data(path, &n);
    size_t step = n / CUTS + 1;
    for (size_t cut = 0; cut < n; cut += cut < 64 ? 1 : step) {
        try(bytes, cut, (cut & 1) != 0, name);
    }
    for (uint64_t i = 0; i < FLIPS; i++) {
        uint64_t r = mix64(i + 0x9E3779B97F4A7C15u * (i + 1) + n);
        size_t at = (i & 1) != 0 ? r % n : r % (n < 64 ? n : 64); /* half of them in the header */
        uint8_t was = bytes[at];
        unsigned flipped = was ^ (1u << (r >> 60 & 7));
        bytes[at] = (uint8_t)(i % 5 != 0 ? flipped : (unsigned)(r >> 40));
        try(bytes, n, (i & 2) != 0, name);
        bytes[at] = was;
    }
    free(bytes);
}

TEST(every_stored_file)
{
    size_t n;
    char *text = (char *)read_data("pictures/files/manifest.txt", &n), *save = NULL;
    text[n] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char name[64];
        if (CHECK(sscanf(line, "%63s", name) == 1)) {
            clock_t start = clock();
            torture(name);
            double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
            CHECK_MSG(seconds < 20.0, "%s: %.1f s", name, seconds); /* a decoder that crawls is a fault, too */
        }
    }
    free(text);
    printf("%d damaged files, %d of them still a picture\n", n_loads, n_accepted);
    CHECK(n_loads > 100 * CUTS && n_accepted < n_loads);
}

/* A few bytes that say 100 megapixels: nothing of that size is asked for to find that they are not there. */
TEST(small_files_of_large_pictures)
{
    static const struct {
        const char *text;
        size_t n;
    } files[] = {
#define FILE_OF(text) {text, sizeof(text) - 1}
        FILE_OF("P5 20000 5000 255 1"),
        FILE_OF("P6 20000 5000 65535 1"),
        FILE_OF("P2 20000 5000 255 1 2 3"),
        FILE_OF("P1 20000 5000 1"),
        FILE_OF("P4 20000 5000 1"),
        FILE_OF("P7\nWIDTH 20000\nHEIGHT 5000\nDEPTH 4\nMAXVAL 255\nENDHDR\n"),
        FILE_OF("#?RADIANCE\n\n-Y 5000 +X 20000\n\2\2\x4e\x20"),
        FILE_OF("8BPS\0\1\0\0\0\0\0\0\0\3\0\0\x13\x88\0\0\x4e\x20\0\10\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
#undef FILE_OF
    };
    mb_load_limits l;
    mb_load_limits_init(&l);
    l.keep_alpha = l.keep_depth = true;
    const uint64_t before = mb_os_peak_bytes();
    CHECK(before > 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        mb_image_u8 p = {0};
        mb_error err = {0};
        CHECK_EQ(mb_load_memory(NULL, &p, NULL, files[i].text, files[i].n, "small", &l, &err), MB_E_FORMAT);
        CHECK_MSG(strstr(err.message, "ends early") != NULL, "%zu: %s", i, err.message);
        mb_image_u8_dispose(&p);
    }
    const uint64_t more = mb_os_peak_bytes() - before;
    CHECK_MSG(more < 100000000, "%.0f bytes more", (double)more);
}

/* More planes than the format has: their table of rows would have had 8 GB. */
TEST(planes_of_a_document)
{
    uint8_t psd[60] = "8BPS\0\1\0\0\0\0\0\0\xff\xff\0\0\0\1\0\0\0\1\0\10\0\3";
    mb_image_u8 p = {0};
    mb_error err = {0};
    psd[39] = 1; /* rows of runs */
    CHECK_EQ(mb_load_memory(NULL, &p, NULL, psd, sizeof psd, "planes", NULL, &err), MB_E_FORMAT);
    CHECK_MSG(strstr(err.message, "65535 planes") != NULL, "%s", err.message);
}

static uint8_t *put_chunk(uint8_t *p, const char *name, const void *data, size_t n)
{
    uint8_t *start = p;
    for (int i = 0; i < 4; i++) {
        *p++ = (uint8_t)(n >> (24 - 8 * i));
    }
    memcpy(p, name, 4);
    memcpy(p + 4, data, n);
    const uint32_t crc = (uint32_t)crc32(0, start + 4, (uInt)(n + 4));
    p += 4 + n;
    for (int i = 0; i < 4; i++) {
        *p++ = (uint8_t)(crc >> (24 - 8 * i));
    }
    return p;
}

/* A hundred thousand chunks before two thousand frames: each frame walked over all of them. */
TEST(chunks_before_frames)
{
    enum { CHUNKS = 100000, FRAMES = 2000 };
    static const uint8_t head[13] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0};
    static const uint8_t pixel[] = {0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1}; /* filter 0, black */
    uint8_t count[8] = {0}, control[26] = {0}, data[4 + sizeof pixel] = {0};
    uint8_t *png = malloc((size_t)CHUNKS * 12 + (size_t)FRAMES * 100 + 200), *p = png;
    mb_load_limits l;
    mb_frame_file f;
    mb_error err = {0};
    REQUIRE(png != NULL);
    memcpy(p, "\x89PNG\r\n\x1a\n", 8);
    p = put_chunk(p + 8, "IHDR", head, sizeof head);
    count[2] = FRAMES >> 8;
    count[3] = FRAMES & 255;
    p = put_chunk(p, "acTL", count, sizeof count);
    for (int i = 0; i < CHUNKS; i++) {
        p = put_chunk(p, "prVt", "", 0);
    }
    control[7] = control[11] = 1; /* width and height */
    for (int i = 0; i < FRAMES; i++) {
        p = put_chunk(p, "fcTL", control, sizeof control);
        memcpy(data + 4, pixel, sizeof pixel);
        p = i == 0 ? put_chunk(p, "IDAT", pixel, sizeof pixel) : put_chunk(p, "fdAT", data, sizeof data);
    }
    p = put_chunk(p, "IEND", "", 0);
    mb_load_limits_init(&l);
    const clock_t before = clock();
    CHECK_OK(mb_frame_file_open(&f, png, (size_t)(p - png), "long.png", &l, &err), err);
    CHECK_EQ(f.count, FRAMES);
    for (int i = 1; i <= f.count && err.code == MB_OK; i++) {
        mb_image_u8 one = {0};
        mb_load_info info = {0};
        CHECK_OK(mb_frame_file_load(NULL, &one, &info, &f, i, &l, &err), err);
        mb_load_info_dispose(&info);
        mb_image_u8_dispose(&one);
    }
    mb_frame_file_close(&f);
    free(png);
    const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    CHECK_MSG(seconds < 1.0, "%.2f s", seconds);
}

/* A picture of what was cut away must not stay in the second directory, as a JPEG or as plain pixels. */
TEST(thumbnails)
{
    static const uint8_t tags[2][2] = {{0x01, 0x02}, {0x11, 0x17}}; /* 0x0201 and 0x0202, 0x0111 and 0x0117 */
    for (size_t i = 0; i < 2; i++) {
        uint8_t exif[72] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\x1a\0\0\0\2\0";
        mb_metadata m;
        for (size_t k = 0; k < 2; k++) {
            uint8_t *entry = exif + 28 + 12 * k;
            entry[0] = tags[i][k];
            entry[1] = i == 0 ? 2 : 1;
            entry[2] = 4;
            entry[4] = 1;
            entry[8] = k == 0 ? 64 : 8; /* place and length */
        }
        memset(exif + 64, 'A', 8);
        mb_metadata_init(&m);
        CHECK_EQ(mb_metadata_set_exif(&m, (mb_bytes){exif, sizeof exif}, NULL), MB_OK);
        CHECK(m.exif_bytes == sizeof exif && memchr(m.exif, 'A', sizeof exif) == NULL);
        CHECK(((const uint8_t *)m.exif)[18] == 1 &&
              ((const uint8_t *)m.exif)[22] == 0); /* upright, no second directory */
        mb_metadata_dispose(&m);
    }
}

/* A page of its own size may lower the limit below what is in use. */
TEST(budgets_that_shrink)
{
    mb_budget b;
    mb_budget_init(&b, 1000);
    CHECK(mb_budget_alloc(&b, 800) != NULL);
    b.limit = 500;
    CHECK(mb_budget_alloc(&b, 10) == NULL && b.exceeded);
    mb_budget_release(&b);
}

/* Interlaced frames of 8000 x 8000 on a screen of ten, 29 bytes each: the time goes with what is seen of them. */
TEST(frames_beyond_the_screen)
{
    static const uint8_t head[] = "GIF89a\x0a\0\x0a\0\x91\0\0\xff\xff\xff\x1c\xdc\x36\0\0\xff\0\0\0";
    static const uint8_t frame[] = "\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x40\x1f\x40\x1f\x40\x02\x02\x4c\x01\0";
    enum { FRAMES = 40 };
    uint8_t gif[sizeof head + FRAMES * sizeof frame];
    size_t n = sizeof head - 1;
    mb_load_limits l;
    mb_frame_file f;
    mb_error err = {0};
    memcpy(gif, head, n);
    for (int i = 0; i < FRAMES; i++) {
        memcpy(gif + n, frame, sizeof frame - 1);
        n += sizeof frame - 1;
    }
    gif[n++] = 0x3b;
    mb_load_limits_init(&l);
    l.accept_partial = true;
    const clock_t before = clock();
    CHECK_OK(mb_frame_file_open(&f, gif, n, "wide.gif", &l, &err), err);
    CHECK_EQ(f.count, FRAMES);
    for (int i = 1; i <= f.count; i++) {
        mb_image_u8 p = {0};
        mb_load_info info = {0};
        CHECK_OK(mb_frame_file_load(NULL, &p, &info, &f, i, &l, &err), err);
        CHECK(p.width == 10 && p.height == 10);
        mb_load_info_dispose(&info);
        mb_image_u8_dispose(&p);
    }
    mb_frame_file_close(&f);
    const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    CHECK_MSG(seconds < 2.0, "%.2f s", seconds);
}
