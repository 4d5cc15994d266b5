/* Damaged files: every stored file cut at many places (small ones at every byte) and with flipped bits, as it is and
 * with partial pictures allowed. Whatever comes out must be a picture of the size that the header says, or an error
 * with a message; the sanitizer build watches the memory. Small formats are also cut at every byte of their headers. */
#define _GNU_SOURCE /* strtok_r */
#include "image/codec/load.h"

#include "image/codec/frames.h"
#include "image/codec/sniff.h"
#include "pictures.h"

#include <time.h>

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
