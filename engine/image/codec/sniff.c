/* Type, size and depth of a picture from its first bytes (sniff.h). One small function a format; each reads through the
 * bounded helpers, so a cut-off header gives size 0 and never a read beyond the end. */
#include "image/codec/sniff.h"

#include <string.h>

typedef struct reader {
    const uint8_t *v;
    size_t n;
} reader;

static unsigned u8_at(const reader *r, size_t at)
{
    return at < r->n ? r->v[at] : 0;
}

static unsigned be16(const reader *r, size_t at)
{
    return u8_at(r, at) << 8 | u8_at(r, at + 1);
}

static unsigned le16(const reader *r, size_t at)
{
    return u8_at(r, at + 1) << 8 | u8_at(r, at);
}

static uint32_t be32(const reader *r, size_t at)
{
    return (uint32_t)be16(r, at) << 16 | be16(r, at + 2);
}

static uint32_t le32(const reader *r, size_t at)
{
    return (uint32_t)le16(r, at + 2) << 16 | le16(r, at);
}

static bool has(const reader *r, size_t at, const char *what, size_t n)
{
    return at <= r->n && n <= r->n - at && memcmp(r->v + at, what, n) == 0;
}

/* ---- one function a format: fills what the header says */

/* FF D8 FF. Segments FF xx length ..., up to the frame header (SOF0 to SOF15 but DHT, JPG, DAC): bits, height, width,
 * components, big-endian. */
static void jpeg(mb_sniffed *s, const reader *r)
{
    size_t at = 2;
    while (at + 4 <= r->n) {
        if (r->v[at] != 0xFF) { /* decoders skip garbage between segments, so do we */
            at++;
            continue;
        }
        unsigned marker = r->v[at + 1];
        if (marker == 0xFF) {
            at++;
            continue;
        }
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
            if (at + 10 > r->n) {
                return;
            }
            s->bits = (int)u8_at(r, at + 4);
            s->height = be16(r, at + 5);
            s->width = be16(r, at + 7);
            s->channels = (int)u8_at(r, at + 9);
            return;
        }
        if (marker == 0xD9 || marker == 0xDA) {
            return; /* picture data before its size: no decoder takes that */
        }
        bool alone = marker == 0 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
        at += alone ? 2 : 2 + (size_t)be16(r, at + 2);
    }
}

/* 89 "PNG" 0D 0A 1A 0A, then IHDR: width, height (big-endian), bits, colour type. Chunks before IDAT tell of tRNS
 * (transparency) and acTL (frames). */
static void png(mb_sniffed *s, const reader *r)
{
    static const int channels[7] = {1, 0, 3, 1, 2, 0, 4};
    if (!has(r, 12, "IHDR", 4) || r->n < 29) {
        return;
    }
    s->width = be32(r, 16);
    s->height = be32(r, 20);
    s->bits = (int)u8_at(r, 24);
    unsigned colour = u8_at(r, 25);
    s->channels = colour < 7 ? channels[colour] : 0;
    s->alpha = colour == 4 || colour == 6;
    for (size_t at = 33; at <= r->n && r->n - at >= 12 && !has(r, at + 4, "IDAT", 4); at += 12 + (size_t)be32(r, at)) {
        s->alpha = s->alpha || has(r, at + 4, "tRNS", 4);
        s->animated = s->animated || (has(r, at + 4, "acTL", 4) && be32(r, at + 8) > 1);
        if (be32(r, at) > r->n - at - 12) {
            return;
        }
    }
}

/* "RIFF" size "WEBP", then VP8X (flags, width - 1 and height - 1 in 24 bits each), VP8L (14 bits each) or VP8 (the
 * frame header of the lossy codec). Little-endian. */
static void webp(mb_sniffed *s, const reader *r)
{
    s->bits = 8;
    s->channels = 3;
    if (has(r, 12, "VP8X", 4) && r->n >= 30) {
        unsigned flags = u8_at(r, 20);
        s->alpha = (flags & 0x10) != 0;
        s->animated = (flags & 0x02) != 0;
        s->width = 1 + (int64_t)(le32(r, 24) & 0xFFFFFF);
        s->height = 1 + (int64_t)(le32(r, 26) >> 8);
    } else if (has(r, 12, "VP8L", 4) && r->n >= 25) {
        uint32_t v = le32(r, 21);
        s->width = 1 + (int64_t)(v & 0x3FFF);
        s->height = 1 + (int64_t)(v >> 14 & 0x3FFF);
        s->alpha = (v >> 28 & 1) != 0;
    } else if (has(r, 12, "VP8 ", 4) && r->n >= 30) {
        s->width = le16(r, 26) & 0x3FFF;
        s->height = le16(r, 28) & 0x3FFF;
    }
    s->channels = s->alpha ? 4 : 3;
}

/* A second image descriptor behind the first frame's data makes it an animation: sub-blocks are walked, not decoded. */
static bool gif_animated(const reader *r)
{
    size_t at = 13 + ((u8_at(r, 10) & 0x80) != 0 ? (size_t)3 << ((u8_at(r, 10) & 7) + 1) : 0);
    int frames = 0;
    while (at < r->n && frames < 2) {
        unsigned kind = u8_at(r, at);
        if (kind == 0x2C) {
            frames++;
            unsigned flags = u8_at(r, at + 9);
            at += 11 + ((flags & 0x80) != 0 ? (size_t)3 << ((flags & 7) + 1) : 0);
        } else if (kind == 0x21) {
            at += 2;
        } else {
            break;
        }
        while (at < r->n && r->v[at] != 0) {
            at += 1 + (size_t)r->v[at];
        }
        at++;
    }
    return frames > 1;
}

/* "GIF87a", "GIF89a": width and height of the screen, little-endian. */
static void gif(mb_sniffed *s, const reader *r)
{
    if (r->n >= 13) {
        s->width = le16(r, 6);
        s->height = le16(r, 8);
        s->channels = 1;
        s->bits = 8;
        s->animated = gif_animated(r);
    }
}

/* "BM", then the size of the second header at 14: 12 is OS/2's with 16-bit sides, larger ones are Windows' with
 * 32-bit sides. */
static void bmp(mb_sniffed *s, const reader *r)
{
    uint32_t header = le32(r, 14);
    if (r->n < 30) {
        return;
    }
    bool old = header == 12;
    int64_t height = old ? (int64_t)le16(r, 20) : (int64_t)(int32_t)le32(r, 22);
    s->width = old ? (int64_t)le16(r, 18) : (int64_t)(int32_t)le32(r, 18);
    s->height = height < 0 ? -height : height; /* negative: rows run top to bottom */
    unsigned bits = old ? le16(r, 24) : le16(r, 28);
    s->channels = bits <= 8 ? 1 : bits == 32 ? 4 : 3;
    s->bits = bits < 8 ? (int)bits : bits == 16 ? 5 : 8;
    s->alpha = bits == 32;
}

/* "8BPS" 1: planes at 12, height, width, bits, mode; big-endian. */
static void psd(mb_sniffed *s, const reader *r)
{
    if (r->n >= 26) {
        s->channels = (int)be16(r, 12);
        s->height = be32(r, 14);
        s->width = be32(r, 18);
        s->bits = (int)be16(r, 22);
        s->alpha = s->channels > 3;
    }
}

/* "-Y height +X width" ends the text header. */
static void hdr(mb_sniffed *s, const reader *r)
{
    const size_t end = r->n < 4096 ? r->n : 4096;
    for (size_t at = 0; at + 4 < end; at++) {
        if (has(r, at, "\n-Y ", 4)) {
            int64_t value[2] = {0, 0};
            at += 4;
            for (int i = 0; i < 2; i++) {
                for (; at < end && r->v[at] >= '0' && r->v[at] <= '9' && value[i] < 1000000000; at++) {
                    value[i] = value[i] * 10 + (r->v[at] - '0');
                }
                if (i == 0 && !has(r, at, " +X ", 4)) {
                    return;
                }
                at += i == 0 ? 4 : 0;
            }
            s->height = value[0];
            s->width = value[1];
            s->channels = 3;
            s->bits = 32;
            return;
        }
    }
}

/* A decimal number after white space and comments; -1 when there is none. */
static int64_t pnm_number(const reader *r, size_t *at)
{
    for (;; (*at)++) {
        unsigned c = u8_at(r, *at);
        if (c == '#') {
            while (*at < r->n && r->v[*at] != '\n' && r->v[*at] != '\r') {
                (*at)++;
            }
        } else if (*at >= r->n || !(c == ' ' || (c >= 9 && c <= 13))) {
            break;
        }
    }
    int64_t value = -1;
    for (; *at < r->n && r->v[*at] >= '0' && r->v[*at] <= '9' && value < 1000000000; (*at)++) {
        value = (value < 0 ? 0 : value * 10) + (r->v[*at] - '0');
    }
    return value;
}

/* "P7": keywords and values, one a line, up to ENDHDR. */
static void pam(mb_sniffed *s, const reader *r)
{
    const size_t end = r->n < 4096 ? r->n : 4096;
    for (size_t at = 2; at < end && !has(r, at, "ENDHDR", 6); at++) {
        size_t after = at;
        if (has(r, at, "WIDTH ", 6)) {
            after += 6;
            s->width = pnm_number(r, &after);
        } else if (has(r, at, "HEIGHT ", 7)) {
            after += 7;
            s->height = pnm_number(r, &after);
        } else if (has(r, at, "DEPTH ", 6)) {
            after += 6;
            s->channels = (int)pnm_number(r, &after);
        } else if (has(r, at, "MAXVAL ", 7)) {
            after += 7;
            s->bits = pnm_number(r, &after) > 255 ? 16 : 8;
        }
        while (at < end && r->v[at] != '\n') {
            at++;
        }
    }
    s->alpha = s->channels == 2 || s->channels == 4;
}

/* "P1" to "P6": width, height and, but for bitmaps, the largest value, in decimal. */
static void pnm(mb_sniffed *s, const reader *r)
{
    size_t at = 2;
    unsigned kind = u8_at(r, 1) - '0';
    if (kind == 7) {
        pam(s, r);
        return;
    }
    s->width = pnm_number(r, &at);
    s->height = pnm_number(r, &at);
    s->channels = kind == 3 || kind == 6 ? 3 : 1;
    s->bits = kind == 1 || kind == 4 ? 1 : pnm_number(r, &at) > 255 ? 16 : 8;
}

/* No magic number: believed only when the whole header makes sense. */
static bool tga(mb_sniffed *s, const reader *r)
{
    if (r->n < 19) {
        return false;
    }
    unsigned map = r->v[1], kind = r->v[2], map_bits = r->v[7], bits = r->v[16], base = kind & 7u;
    bool palette = base == 1;
    if (map > 1 || (kind & ~11u) != 0 || base < 1 || base > 3 || (palette && (map != 1 || bits != 8)) ||
        (map == 1 && map_bits != 15 && map_bits != 16 && map_bits != 24 && map_bits != 32) ||
        !(bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32) || (r->v[17] & 0xC0) != 0) {
        return false;
    }
    s->width = le16(r, 12);
    s->height = le16(r, 14);
    s->bits = bits == 15 || bits == 16 ? (base == 3 ? 8 : 5) : 8;
    s->channels = bits == 8 ? 1 : bits == 32 ? 4 : base == 3 ? 2 : 3;
    s->alpha = s->channels == 4 || s->channels == 2;
    return s->width > 0 && s->height > 0;
}

/* The largest "ispe" (size) property: that of the picture itself, before it is turned; those of its tiles and of its
 * thumbnail are smaller. It may lie behind what is there: then the size is 0. */
static void heif(mb_sniffed *s, const reader *r)
{
    s->channels = 3;
    s->bits = 8;
    s->animated = has(r, 8, "avis", 4) || has(r, 8, "msf1", 4) || has(r, 8, "hevc", 4) || has(r, 8, "hevx", 4);
    for (size_t at = 4; at + 16 <= r->n; at++) {
        const uint8_t *p = memchr(r->v + at, 'i', r->n - 15 - at);
        if (p == NULL) {
            return;
        }
        at = (size_t)(p - r->v);
        if (has(r, at, "ispe", 4) && be32(r, at - 4) == 20) {
            const int64_t width = be32(r, at + 8), height = be32(r, at + 12);
            if (width < 1 << 30 && height < 1 << 30 && width * height > s->width * s->height) {
                s->width = width;
                s->height = height;
            }
        }
    }
}

/* A number of `size` bytes (2, 4, or the lower half of 8) in the file's order. */
static uint32_t tiff_number(const reader *r, size_t at, unsigned size, bool big)
{
    at += big && size == 8 ? 4 : 0;
    return size == 2 ? (big ? be16(r, at) : le16(r, at)) : (big ? be32(r, at) : le32(r, at));
}

/* Byte order, 42, the offset of the first directory: a count, then entries of 12 bytes (tag, type, count, value). Short
 * and long values stand in the entry itself. BigTIFF: 43, offsets and counts of 8 bytes, entries of 20. The directory
 * may lie behind what is there: then the size is 0. */
static void tiff(mb_sniffed *s, const reader *r)
{
    uint32_t kind = 0; /* odd: a small copy of what others hold; tags are in order */
    const bool big = has(r, 0, "MM", 2), wide = be16(r, 2) == 43 || le16(r, 2) == 43;
    const size_t entry = wide ? 20 : 12, value = wide ? 12 : 8;
    size_t at = tiff_number(r, wide ? 8 : 4, wide ? 8 : 4, big);
    if (wide && tiff_number(r, big ? 8 : 12, 4, big) != 0) { /* beyond 4 GiB */
        return;
    }
    const uint32_t count = tiff_number(r, at, wide ? 8 : 2, big);
    at += wide ? 8 : 2;
    s->channels = s->bits = 1;
    const size_t fitting = at <= r->n ? (r->n - at) / entry : 0;
    for (uint32_t i = 0; i < count && i < fitting; i++) {
        const size_t e = at + entry * (size_t)i;
        const unsigned tag = tiff_number(r, e, 2, big), type = tiff_number(r, e + 2, 2, big);
        const uint32_t word = tiff_number(r, e + value, type == 3 ? 2 : type == 16 ? 8 : 4, big);
        if (tag == 256) {
            s->width = word;
        } else if (tag == 257) {
            s->height = word;
        } else if (tag == 277) {
            s->channels = word < 4 ? (int)word : 4;
        } else if (tag == 254) {
            kind = word;
        } else if (tag == 50706 || (tag == 330 && (kind & 1) != 0)) { /* DNG; raw data beside a small copy */
            s->raw = true;
        }
    }
    s->raw = s->raw || has(r, 8, "CR\2", 3);
}

/* Bits of a JPEG XL codestream, the lowest first. */
static uint32_t bits_at(const reader *r, size_t *bit, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n; i++, ++*bit) {
        value |= (u8_at(r, *bit / 8) >> *bit % 8 & 1) << i;
    }
    return value;
}

/* One side: small ones in steps of 8, others in 9, 13, 18 or 30 bits. */
static int64_t jxl_side(const reader *r, size_t *bit, bool small)
{
    static const unsigned widths[] = {9, 13, 18, 30};
    return small ? 8 * (1 + (int64_t)bits_at(r, bit, 5)) : 1 + (int64_t)bits_at(r, bit, widths[bits_at(r, bit, 2)]);
}

/* The codestream FF 0A, bare or in the first box "jxlc" or "jxlp" (behind four bytes of count): height, then width as
 * itself or as a ratio. */
static void jxl(mb_sniffed *s, const reader *r)
{
    static const int64_t ratios[8][2] = {{0, 1}, {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}};
    size_t at = 0;
    while (!has(r, at, "\xFF\x0A", 2)) {
        const uint32_t length = be32(r, at), head = length == 1 ? 16 : 8;
        if (at + head > r->n) {
            return;
        }
        if (has(r, at + 4, "jxlc", 4) || has(r, at + 4, "jxlp", 4)) {
            at += head + (has(r, at + 4, "jxlp", 4) ? 4 : 0);
            if (!has(r, at, "\xFF\x0A", 2)) {
                return;
            }
        } else {
            const uint64_t whole = length == 1 ? (uint64_t)be32(r, at + 8) << 32 | be32(r, at + 12) : length;
            if (whole < head || whole > r->n - at) {
                return;
            }
            at += (size_t)whole;
        }
    }
    size_t bit = 8 * (at + 2);
    const bool small = bits_at(r, &bit, 1) != 0;
    const int64_t height = jxl_side(r, &bit, small);
    const uint32_t ratio = bits_at(r, &bit, 3);
    const int64_t width = ratio == 0 ? jxl_side(r, &bit, small) : height * ratios[ratio][0] / ratios[ratio][1];
    if (bit / 8 < r->n) {
        s->width = width;
        s->height = height;
        s->channels = 3;
        s->bits = 8;
    }
}

/* ---- types */

/* ISO base media: the brand says which. */
static mb_file_type media_type(const reader *r)
{
    static const char brands[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};
    if (has(r, 8, "avif", 4) || has(r, 8, "avis", 4)) {
        return MB_FILE_AVIF;
    }
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++) {
        if (has(r, 8, brands[i], 4)) {
            return MB_FILE_HEIC;
        }
    }
    return MB_FILE_UNKNOWN;
}

/* By the magic numbers of the formats. Where two share a beginning (RIFF, the boxes of ISO media) the rest decides. */
static mb_file_type type_of(const reader *r)
{
    static const struct {
        mb_file_type type;
        const char *magic;
        size_t n;
    } magics[] = {
        {MB_FILE_JPEG, "\xFF\xD8\xFF", 3},
        {MB_FILE_PNG, "\x89PNG\r\n\x1A\n", 8},
        {MB_FILE_GIF, "GIF87a", 6},
        {MB_FILE_GIF, "GIF89a", 6},
        {MB_FILE_PSD, "8BPS\0\1", 6},
        {MB_FILE_HDR, "#?RADIANCE\n", 11},
        {MB_FILE_HDR, "#?RGBE\n", 7},
        {MB_FILE_TIFF, "II*\0", 4},
        {MB_FILE_TIFF, "MM\0*", 4},
        {MB_FILE_TIFF, "II+\0", 4},
        {MB_FILE_TIFF, "MM\0+", 4},
        {MB_FILE_JXL, "\xFF\x0A", 2},
        {MB_FILE_JXL, "\0\0\0\x0CJXL \r\n\x87\n", 12},
        {MB_FILE_JP2, "\0\0\0\x0CjP  \r\n\x87\n", 12},
        {MB_FILE_JP2, "\xFF\x4F\xFF\x51", 4},
        {MB_FILE_ICO, "\0\0\1\0", 4},
    };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (has(r, 0, magics[i].magic, magics[i].n)) {
            return magics[i].type;
        }
    }
    if (has(r, 0, "RIFF", 4) && has(r, 8, "WEBP", 4)) {
        return MB_FILE_WEBP;
    }
    if (has(r, 4, "ftyp", 4)) {
        return media_type(r);
    }
    if (has(r, 0, "BM", 2) && r->n >= 18) {
        uint32_t header = le32(r, 14);
        return header == 12 || (header >= 40 && header <= 124) ? MB_FILE_BMP : MB_FILE_UNKNOWN;
    }
    if (r->n > 2 && r->v[0] == 'P' && r->v[1] >= '1' && r->v[1] <= '7' &&
        (r->v[2] == '#' || r->v[2] == ' ' || (r->v[2] >= 9 && r->v[2] <= 13))) {
        return MB_FILE_PNM;
    }
    return MB_FILE_UNKNOWN;
}

/* The type first, then its reader; TGA, which has no magic number, is tried last. */
mb_sniffed mb_sniff(const uint8_t *bytes, size_t n)
{
    static void (*const readers[MB_FILE_TYPE_COUNT])(mb_sniffed *, const reader *) = {
        [MB_FILE_JPEG] = jpeg, [MB_FILE_PNG] = png,   [MB_FILE_WEBP] = webp, [MB_FILE_GIF] = gif,
        [MB_FILE_BMP] = bmp,   [MB_FILE_PSD] = psd,   [MB_FILE_HDR] = hdr,   [MB_FILE_PNM] = pnm,
        [MB_FILE_TIFF] = tiff, [MB_FILE_HEIC] = heif, [MB_FILE_AVIF] = heif, [MB_FILE_JXL] = jxl,
    };
    const reader r = {bytes, n};
    mb_sniffed s = {.type = type_of(&r)};
    if (readers[s.type] != NULL) {
        readers[s.type](&s, &r);
        s = s.raw ? (mb_sniffed){.raw = true} : s;
    } else if (s.type == MB_FILE_UNKNOWN && tga(&s, &r)) {
        s.type = MB_FILE_TGA;
    } else if (s.type == MB_FILE_UNKNOWN) {
        s = (mb_sniffed){0};
    }
    if (s.width < 0 || s.height < 0) {
        s.width = s.height = 0;
    }
    return s;
}

const char *mb_file_type_name(mb_file_type type)
{
    static const char *const names[MB_FILE_TYPE_COUNT] = {
        "unknown", "JPEG", "PNG",  "WebP", "GIF",  "BMP",     "TGA",       "PSD",
        "HDR",     "PNM",  "TIFF", "HEIC", "AVIF", "JPEG XL", "JPEG 2000", "ICO",
    };
    return (unsigned)type < MB_FILE_TYPE_COUNT ? names[type] : "unknown";
}

#define RAW "a camera's raw file; export it as TIFF or JPEG"

/* For messages about files that are no pictures at all. */
const char *mb_sniff_guess(const uint8_t *bytes, size_t n)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *what;
    } others[] = {
        {"FUJIFILMCCD-RAW", 15, RAW},
        {"II\x1A\0\0\0HEAPCCDR", 14, RAW},
        {"IIU\0", 4, RAW},
        {"IIRO", 4, RAW},
        {"IIRS", 4, RAW},
        {"MMOR", 4, RAW},
        {"FOVb", 4, RAW},
        {"\0MRM", 4, RAW},
        {"\x76\x2F\x31\x01", 4, "an OpenEXR file; save it as TIFF or PNG of 16 bits"},
        {"8BPS\0\2", 6, "a large Photoshop document (PSB); save it as TIFF or PNG"},
        {"%PDF", 4, "a PDF"},
        {"PK\3\4", 4, "a ZIP archive"},
        {"\x1F\x8B", 2, "a gzip archive"},
        {"\x7F"
         "ELF",
         4, "a program"},
        {"MBW\0", 4, "a mattebox model"},
        {"\x1A\x45\xDF\xA3", 4, "a video"},
    };
    const reader r = {bytes, n};
    if (n == 0) {
        return "an empty file";
    }
    if (has(&r, 4, "ftypcrx ", 8) || mb_sniff(bytes, n).raw) {
        return RAW;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (has(&r, 0, others[i].magic, others[i].n)) {
            return others[i].what;
        }
    }
    if (has(&r, 4, "ftyp", 4)) {
        return "a video";
    }
    size_t text = 0, look = n < 512 ? n : 512;
    for (size_t i = 0; i < look; i++) {
        text += (bytes[i] >= 32 && bytes[i] < 0xFE) || (bytes[i] >= 9 && bytes[i] <= 13);
    }
    if (text != look) {
        return NULL;
    }
    if (has(&r, 0, "<svg", 4) || has(&r, 0, "<?xml", 5)) {
        return "an SVG or XML file";
    }
    return has(&r, 0, "<!DOCTYPE", 9) || has(&r, 0, "<!doctype", 9) || has(&r, 0, "<html", 5) ? "a web page"
                                                                                              : "a text file";
}
