/* BMP: of 4 and 8 bits in runs (RLE4, RLE8) by our own reader, which stb_image lacks; all others by stb_image.
 *
 * Pairs of bytes from the bottom row up. A count above 0: so many pixels of the second byte (4 bits: of its two halves in
 * turn). 0 0: the row ends; 0 1: the picture ends; 0 2 x y: so far right and up; 0 n: n pixels as they are, padded to an even
 * number of bytes. What is left out has the palette's first colour, as in Pillow. */
#include "image/codec/codec.h"

#include <string.h>

typedef struct runs {
    const uint8_t *v;
    size_t n, at;
    unsigned bits;
    size_t x, y, width, height; /* y: rows from the bottom */
    uint8_t *indices;           /* of the picture, the top row first */
} runs;

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Pixel i of bytes that hold one or two of them; beyond the row's end there is nothing to write to. */
static void put(runs *r, const uint8_t *from, size_t i)
{
    const uint8_t value = r->bits == 8 ? from[i] : (uint8_t)(i % 2 == 0 ? from[i / 2] >> 4 : from[i / 2] & 15);
    if (r->x < r->width) {
        r->indices[(r->height - 1 - r->y) * r->width + r->x] = value;
        r->x++;
    }
}

/* One pair and what belongs to it. false: the data end, the marker of the end aside. */
static bool step(runs *r, bool *done)
{
    if (r->n - r->at < 2) {
        return false;
    }
    const uint8_t count = r->v[r->at], second = r->v[r->at + 1], pair[2] = {second, second};
    r->at += 2;
    if (count > 0) {
        for (size_t i = 0; i < count; i++) {
            put(r, pair, r->bits == 8 ? 0 : i % 2);
        }
    } else if (second == 0) {
        r->x = 0;
        r->y++;
    } else if (second == 1) {
        *done = true;
    } else if (second == 2) {
        if (r->n - r->at < 2) {
            return false;
        }
        r->x += r->v[r->at];
        r->y += r->v[r->at + 1];
        r->at += 2;
    } else {
        const size_t bytes = ((size_t)second * r->bits + 7) / 8, padded = (bytes + 1) & ~(size_t)1;
        if (r->n - r->at < bytes) {
            return false;
        }
        for (size_t i = 0; i < second; i++) {
            put(r, r->v + r->at, i);
        }
        r->at += padded < r->n - r->at ? padded : r->n - r->at;
    }
    *done = *done || r->y >= r->height;
    return true;
}

static mb_status decode_runs(mb_decode_job *job, unsigned bits)
{
    const size_t header = le32(job->bytes + 14), palette = 14 + header, pixels = le32(job->bytes + 10);
    const size_t n = (size_t)job->head.width * (size_t)job->head.height, most = (size_t)1 << bits;
    size_t colours = le32(job->bytes + 46);
    uint8_t table[256][3] = {{0}};
    bool done = false;
    colours = colours == 0 || colours > most ? most : colours;
    if (pixels > job->n || palette > pixels || colours * 4 > pixels - palette) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged BMP: its palette does not fit\ncopy or download it again");
    }
    for (size_t i = 0; i < colours; i++) {
        const uint8_t *c = job->bytes + palette + 4 * i;
        memcpy(table[i], (uint8_t[]){c[2], c[1], c[0]}, 3);
    }
    runs r = {.v = job->bytes,
              .n = job->n,
              .at = pixels,
              .bits = bits,
              .width = (size_t)job->head.width,
              .height = (size_t)job->head.height};
    r.indices = mb_budget_alloc(job->budget, n);
    if (r.indices == NULL) {
        return mb_fail_memory(job->err, n, "a BMP picture");
    }
    memset(r.indices, 0, n);
    mb_status status = MB_OK;
    for (size_t i = 1; status == MB_OK && !done && step(&r, &done); i++) {
        status = i % 4096 == 0 ? mb_decode_check(job) : MB_OK;
    }
    if (!done) {
        job->ended_early = true;
        job->rows = -1;
    }
    status = status == MB_OK ? mb_decode_begin(job) : status;
    for (size_t i = 0; status == MB_OK && i < n; i++) {
        memcpy(job->out->v + 3 * i, table[r.indices[i]], 3);
    }
    mb_budget_free(job->budget, r.indices);
    return status == MB_OK ? mb_decode_check(job) : status;
}

mb_status mb_decode_bmp(mb_decode_job *job)
{
    const uint8_t *v = job->bytes;
    const size_t header = job->n >= 54 ? le32(v + 14) : 0;
    const uint32_t kind = header >= 40 && header <= 124 ? le32(v + 30) : 0;
    const unsigned bits = header >= 40 ? v[28] | (unsigned)v[29] << 8 : 0;
    const bool upwards = header >= 40 && v[25] < 0x80; /* only such rows may be runs */
    return upwards && ((kind == 1 && bits == 8) || (kind == 2 && bits == 4)) ? decode_runs(job, bits)
                                                                             : mb_decode_stb(job);
}
