/* Radiance HDR (RGBE): our own reader, since stb_image 2.27 never returns from some files that end early.
 *
 * A text header up to an empty line, "-Y height +X width", then rows: either plain pixels of four bytes, or (width 8 to
 * 32,767, first bytes 2 2 hi lo) four planes of runs. value = mantissa * 2^(exponent - 136). To 8 bits: gamma 1/2.2,
 * rounded, everything above 1 is white; infinities and NaN cannot occur in the format. */
#include "image/codec/codec.h"

#include <math.h>
#include <string.h>

typedef struct hdr {
    const uint8_t *v;
    size_t n, at, width;
} hdr;

/* Skips to the first row. */
static bool skip_header(hdr *h)
{
    for (size_t i = 0; i + 3 < h->n; i++) {
        if (memcmp(h->v + i, "\n-Y ", 4) == 0) {
            const uint8_t *end = memchr(h->v + i + 1, '\n', h->n - i - 1);
            if (end == NULL) {
                return false;
            }
            h->at = (size_t)(end - h->v) + 1;
            return true;
        }
    }
    return false;
}

/* One plane of runs: `count` > 128 repeats the next byte count - 128 times, else that many bytes follow. */
static bool read_plane(hdr *h, uint8_t *row)
{
    for (size_t x = 0; x < h->width;) {
        if (h->n - h->at < 2) {
            return false;
        }
        size_t count = h->v[h->at++], left = h->width - x;
        bool run = count > 128;
        count = run ? count - 128 : count;
        if (count == 0 || count > left || (!run && count > h->n - h->at)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            row[4 * (x + i)] = h->v[run ? h->at : h->at + i];
        }
        h->at += run ? 1 : count;
        x += count;
    }
    return true;
}

/* A row of RGBE: either four planes of runs, announced by 2 2 and the width, or plain pixels of four bytes. */
static bool read_row(hdr *h, uint8_t *row)
{
    const uint8_t *p = h->v + h->at;
    const size_t left = h->n - h->at;
    bool runs = h->width >= 8 && h->width < 32768 && left >= 4 && p[0] == 2 && p[1] == 2 &&
                ((size_t)p[2] << 8 | p[3]) == h->width;
    if (!runs) {
        if (left < 4 * h->width) {
            return false;
        }
        memcpy(row, p, 4 * h->width);
        h->at += 4 * h->width;
        return true;
    }
    h->at += 4;
    for (size_t plane = 0; plane < 4; plane++) {
        if (!read_plane(h, row + plane)) {
            return false;
        }
    }
    return true;
}

static uint8_t to_level(unsigned mantissa, int exponent)
{
    float light = exponent != 0 ? ldexpf((float)mantissa, exponent - 136) : 0.0f;
    float v = powf(light, 1.0f / 2.2f) * 255.0f + 0.5f;
    return (uint8_t)(v < 255.0f ? v : 255.0f);
}

/* Light goes to bytes by a gamma of 2.2; there is no tone mapping, so what is brighter than 1 is white. */
mb_status mb_decode_hdr(mb_decode_job *job)
{
    hdr h = {.v = job->bytes, .n = job->n, .width = (size_t)job->head.width};
    if (!skip_header(&h)) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged HDR: its header is invalid\ncopy or download it again");
    }
    uint8_t *row = mb_budget_alloc(job->budget, 4 * h.width);
    if (row == NULL) {
        return mb_fail_memory(job->err, 4 * h.width, "a row");
    }
    /* Of a row of runs each plane takes two bytes for 127 pixels. */
    if (!mb_decode_may_fit(job, h.width < 8 || h.width > 32767 ? 4 * h.width : 4 + h.width / 127 * 8,
                           (size_t)job->head.height, h.n - h.at)) {
        return MB_OK;
    }
    mb_status status = mb_decode_begin(job);
    for (int64_t y = 0; status == MB_OK && y < job->head.height; y++, status = mb_decode_check(job)) {
        uint8_t *dst = job->out->v + (size_t)y * h.width * 3;
        if (!read_row(&h, row)) {
            job->ended_early = true; /* or a run that does not fit: the rest cannot be found either way */
            job->rows = y;
            break;
        }
        for (size_t x = 0; x < h.width; x++) {
            for (size_t c = 0; c < 3; c++) {
                dst[3 * x + c] = to_level(row[4 * x + c], row[4 * x + 3]);
            }
        }
    }
    return status;
}
