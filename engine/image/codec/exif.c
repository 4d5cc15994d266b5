/* The orientation tag (0x0112) of the first image directory: found by walking the container (JPEG segment APP1, PNG
 * chunk eXIf, WebP chunk "EXIF"), read from the TIFF structure inside. Anything odd means orientation 1. */
#include "image/codec/exif.h"

#include <string.h>

/* Bounded reads in the byte order of the file; 0 beyond the end. */
typedef struct bytes_in {
    const uint8_t *v;
    size_t n;
    bool big;
} bytes_in;

/* `size` bytes at `at` as a number; 0 beyond the end. */
static uint32_t number(const bytes_in *b, size_t at, size_t size)
{
    uint32_t value = 0;
    if (at > b->n || size > b->n - at) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | b->v[b->big ? at + i : at + size - 1 - i];
    }
    return value;
}

/* The TIFF structure inside: byte order, offset of the first directory, its entries of 12 bytes (tag, type, count,
 * value). */
static int tiff_orientation(const uint8_t *v, size_t n)
{
    bytes_in b = {v, n, false};
    if (n < 8 || (memcmp(v, "II*\0", 4) != 0 && memcmp(v, "MM\0*", 4) != 0)) {
        return 1;
    }
    b.big = v[0] == 'M';
    size_t at = number(&b, 4, 4);
    uint32_t count = number(&b, at, 2);
    for (uint32_t i = 0; i < count && at + 2 + 12 * ((size_t)i + 1) <= n; i++) {
        size_t entry = at + 2 + 12 * (size_t)i;
        if (number(&b, entry, 2) == 0x0112) {
            uint32_t type = number(&b, entry + 2, 2);
            uint32_t value = number(&b, entry + 8, type == 3 ? 2 : 4); /* short, or long as some writers have it */
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    }
    return 1;
}

/* Segments FF xx length ... up to the picture data; APP1 with "Exif" holds the tag. */
static int in_jpeg(const bytes_in *b)
{
    size_t at = 2;
    while (at + 4 <= b->n && b->v[at] == 0xFF && b->v[at + 1] != 0xDA && b->v[at + 1] != 0xD9) {
        size_t length = number(b, at + 2, 2);
        if (b->v[at + 1] == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (b->v[at + 1] == 0xE1 && length >= 8 && length <= b->n - at - 2 &&
            memcmp(b->v + at + 4, "Exif\0\0", 6) == 0) {
            return tiff_orientation(b->v + at + 10, length - 8);
        }
        at += 2 + length;
    }
    return 1;
}

/* Chunks of PNG (length, name, data, checksum) and RIFF (name, length, data, padded to even). */
static int in_chunks(const bytes_in *b, size_t at, const char *name, bool riff)
{
    while (at + 8 <= b->n) {
        size_t length = number(b, riff ? at + 4 : at, 4), rest = b->n - at - 8;
        if (memcmp(b->v + at + (riff ? 0 : 4), name, 4) == 0) {
            const uint8_t *data = b->v + at + 8;
            length = length < rest ? length : rest;
            size_t skip = length >= 6 && memcmp(data, "Exif\0\0", 6) == 0 ? 6 : 0; /* not allowed, but seen */
            return tiff_orientation(data + skip, length - skip);
        }
        if (length > rest) {
            return 1;
        }
        at += 8 + length + (riff ? length & 1 : 4);
    }
    return 1;
}

/* PNG and JPEG count big-endian in their containers, RIFF little-endian. */
int mb_exif_orientation(mb_file_type type, const uint8_t *bytes, size_t n)
{
    bytes_in b = {bytes, n, true};
    switch (type) {
    case MB_FILE_JPEG:
        return in_jpeg(&b);
    case MB_FILE_PNG:
        return in_chunks(&b, 8, "eXIf", false);
    case MB_FILE_WEBP:
        b.big = false;
        return in_chunks(&b, 12, "EXIF", true);
    default:
        return 1;
    }
}
