/* F14, pixels: any size, order, depth, stride and alignment to any other. What lies beside the rows stays, and every
 * sample is that of a plain reference. */
#include "fuzz.h"
#include "image/convert.h"

#include <math.h>
#include <string.h>

#define GUARD 0xA5
#define ROOM  8192

static const int places[5][4] = {{0, 0, 0, -1}, {0, 1, 2, -1}, {2, 1, 0, -1}, {0, 1, 2, 3}, {2, 1, 0, 3}};
static const int samples[5] = {1, 3, 3, 4, 4};
static const size_t widths[3] = {1, 2, 4};

/* One sample as a number of its own depth. */
static double read_sample(const mb_image *p, int x, int y, int c)
{
    const int at = places[p->pixels][c];
    const uint8_t *v = (const uint8_t *)p->data + (size_t)y * p->row_bytes +
                       (size_t)(x * samples[p->pixels] + (at < 0 ? 0 : at)) * widths[p->depth];
    uint16_t u;
    float f;
    if (at < 0) {
        return p->depth == MB_DEPTH_U8 ? 255 : p->depth == MB_DEPTH_U16 ? 65535 : 1;
    }
    switch (p->depth) {
    case MB_DEPTH_U8:
        return *v;
    case MB_DEPTH_U16:
        memcpy(&u, v, sizeof u);
        return u;
    default:
        memcpy(&f, v, sizeof f);
        return f;
    }
}

/* The rules of mattebox.h; where two roundings meet, a neighbour is as good. */
static bool is_right(double from, mb_depth was, double to, mb_depth is)
{
    if (was == is && is != MB_DEPTH_F32) {
        return from == to;
    }
    if (was == is) { /* clipped; a NaN is 0 */
        return to == (from > 0 ? from < 1 ? from : 1 : 0);
    }
    if (was == MB_DEPTH_U8) {
        return is == MB_DEPTH_U16 ? to == from * 257 : to == (double)((float)from / 255.0F);
    }
    if (was == MB_DEPTH_U16) {
        return is == MB_DEPTH_U8 ? to == floor(from / 256) : fabs(to - from / 65535) < 1e-7;
    }
    const double most = is == MB_DEPTH_U8 ? 255 : 65535;
    if (isnan(from)) {
        return to == 0;
    }
    const double exact = is == MB_DEPTH_U8 ? trunc((double)(255.0F * (float)from)) : floor(from * 65535 + 0.5);
    const double want = exact < 0 ? 0 : exact > most ? most : exact;
    return is == MB_DEPTH_U8 ? to == want : fabs(to - want) <= 1;
}

/* A picture in `room`, at any offset. */
static mb_image shape(fuzz_input *in, uint8_t *room, int width, int height)
{
    mb_image p = {.width = width,
                  .height = height,
                  .pixels = (mb_pixels)fuzz_range(in, 0, 4),
                  .depth = (mb_depth)fuzz_range(in, 0, 2)};
    p.row_bytes = (size_t)(width * samples[p.pixels]) * widths[p.depth] + (size_t)fuzz_range(in, 0, 9);
    p.data = room + fuzz_range(in, 0, 17);
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static uint8_t from[ROOM], to[ROOM];
    fuzz_input in = {bytes, bytes + n};
    const int width = fuzz_range(&in, 1, 20), height = fuzz_range(&in, 1, 12);
    const mb_image src = shape(&in, from, width, height), dst = shape(&in, to, width, height);
    const size_t rest = (size_t)(in.end - in.at);
    for (size_t i = 0; i < ROOM; i++) {
        from[i] = rest > 0 ? in.at[i % rest] : (uint8_t)i;
    }
    memset(to, GUARD, sizeof to);
    FUZZ_MUST(mb_image_convert(&dst, &src, NULL) == MB_OK);
    const bool grey = samples[dst.pixels] == 1 && samples[src.pixels] > 1; /* luma: within its own test */
    for (int y = 0; y < height && !grey; y++) {
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < 4; c++) {
                FUZZ_MUST(places[dst.pixels][c] < 0 ||
                          is_right(read_sample(&src, x, y, c), src.depth, read_sample(&dst, x, y, c), dst.depth));
            }
        }
    }
    const uint8_t *start = dst.data;
    const size_t row = (size_t)(width * samples[dst.pixels]) * widths[dst.depth];
    for (const uint8_t *p = to; p < to + ROOM; p++) {
        const bool inside = p >= start && (size_t)(p - start) < dst.row_bytes * (size_t)height &&
                            (size_t)(p - start) % dst.row_bytes < row;
        FUZZ_MUST(inside || *p == GUARD);
    }
    return 0;
}
