/* The orientation tag (0x0112) of the first image directory: found by walking the container (JPEG segment APP1, PNG
 * chunk eXIf, WebP chunk "EXIF"), read from the TIFF structure inside. Anything odd means orientation 1. */
#include "image/codec/exif.h"

#include "image/codec/metadata.h"

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

int mb_exif_orientation(mb_file_type type, const uint8_t *bytes, size_t n)
{
    if (type == MB_FILE_TIFF) { /* the structure itself */
        return tiff_orientation(bytes, n);
    }
    const mb_bytes exif = mb_find_exif(type, (mb_bytes){bytes, n});
    return exif.v != NULL ? tiff_orientation(exif.v, exif.n) : 1;
}
