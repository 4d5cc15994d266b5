/* PNM: P1 to P6 plain and raw, and PAM (P7). Our own reader, so that stb_image's weakest path stays out.
 *
 * Samples are scaled as Pillow does, round-half-even(v / maxval * 255) in f64; a bitmap's 1 is black. A plain file ends
 * where its numbers do; comments are allowed between header fields and between plain numbers. */
#include "image/codec/codec.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

typedef struct pnm {
    const uint8_t *v;
    size_t n, at;
    int kind; /* 1 .. 7 */
    int64_t width, height, depth, maxval;
    uint16_t *u16_row;  /* of the 16-bit picture; NULL: not wanted */
    uint8_t *alpha_row; /* NULL: none, or not wanted */
    uint16_t *u16_alpha_row;
} pnm;

static bool is_space(unsigned c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* White space and comments, which run to the end of their line. */
static void skip_space(pnm *p)
{
    while (p->at < p->n) {
        if (p->v[p->at] == '#') {
            while (p->at < p->n && p->v[p->at] != '\n' && p->v[p->at] != '\r') {
                p->at++;
            }
        } else if (is_space(p->v[p->at])) {
            p->at++;
        } else {
            return;
        }
    }
}

/* -1: no number here. */
static int64_t number(pnm *p)
{
    skip_space(p);
    int64_t value = -1;
    for (; p->at < p->n && p->v[p->at] >= '0' && p->v[p->at] <= '9'; p->at++) {
        value = (value < 0 ? 0 : value * 10) + (p->v[p->at] - '0');
        if (value > 1000000000) {
            return -1;
        }
    }
    return value;
}

/* Takes a keyword of PAM; false, and nothing is taken, if it is another. */
static bool word(pnm *p, const char *text)
{
    size_t n = strlen(text);
    if (n > p->n - p->at || memcmp(p->v + p->at, text, n) != 0) {
        return false;
    }
    p->at += n;
    return true;
}

/* P7: lines of a keyword and a value, in any order, up to ENDHDR. */
static bool pam_header(pnm *p)
{
    for (int line = 0; line < 64; line++) {
        skip_space(p);
        if (word(p, "ENDHDR")) {
            return p->at < p->n && p->v[p->at++] == '\n';
        }
        if (word(p, "WIDTH")) {
            p->width = number(p);
        } else if (word(p, "HEIGHT")) {
            p->height = number(p);
        } else if (word(p, "DEPTH")) {
            p->depth = number(p);
        } else if (word(p, "MAXVAL")) {
            p->maxval = number(p);
        } else { /* TUPLTYPE or unknown: the depth says enough */
            while (p->at < p->n && p->v[p->at] != '\n') {
                p->at++;
            }
        }
    }
    return false;
}

/* Ends right before the first sample: raw files have exactly one white space there. */
static bool header(pnm *p)
{
    p->kind = p->v[1] - '0';
    p->at = 2;
    if (p->kind == 7) {
        return pam_header(p) && p->depth >= 1 && p->depth <= 4 && p->maxval >= 1 && p->maxval <= 65535;
    }
    p->width = number(p);
    p->height = number(p);
    p->depth = p->kind == 3 || p->kind == 6 ? 3 : 1;
    p->maxval = p->kind == 1 || p->kind == 4 ? 1 : number(p);
    if (p->maxval < 1 || p->maxval > 65535) {
        return false;
    }
    return p->kind <= 3 || (p->at < p->n && is_space(p->v[p->at++]));
}

/* table[v] for all v <= maxval; larger ones, which a damaged file may hold, are white. */
static uint8_t *scale_table(const pnm *p, mb_budget *budget)
{
    uint8_t *table = mb_budget_alloc(budget, 65536);
    if (table != NULL) {
        memset(table, 255, 65536);
        for (int64_t v = 0; v < p->maxval; v++) {
            table[v] = (uint8_t)rint((double)v / (double)p->maxval * 255.0);
        }
    }
    return table;
}

/* The 16-bit picture's three samples of one pixel, in step with put(). */
static void put_u16(const pnm *p, size_t x, const unsigned samples[4])
{
    if (p->alpha_row != NULL && p->u16_alpha_row != NULL) {
        double v = (double)samples[p->depth - 1] / (double)p->maxval;
        p->u16_alpha_row[x] = (uint16_t)rint(65535.0 * (v < 1.0 ? v : 1.0));
    }
    if (p->u16_row == NULL) {
        return;
    }
    for (size_t k = 0; k < 3; k++) {
        double v = (double)samples[p->depth >= 3 ? k : 0] / (double)p->maxval;
        p->u16_row[3 * x + k] = (uint16_t)rint(65535.0 * (v < 1.0 ? v : 1.0));
    }
}

static void put(uint8_t *dst, const uint8_t *samples, int64_t depth)
{
    dst[0] = samples[0];
    dst[1] = samples[depth >= 3 ? 1 : 0];
    dst[2] = samples[depth >= 3 ? 2 : 0];
}

/* A row of binary samples: bits, bytes or big-endian pairs of bytes. */
static bool raw_row(pnm *p, uint8_t *dst, const uint8_t *table)
{
    const size_t sample_bytes = p->maxval > 255 ? 2 : 1, depth = (size_t)p->depth, width = (size_t)p->width;
    const size_t bytes = p->kind == 4 ? (width + 7) / 8 : width * depth * sample_bytes;
    if (bytes > p->n - p->at) {
        return false;
    }
    const uint8_t *src = p->v + p->at;
    p->at += bytes;
    for (size_t x = 0; x < width; x++, dst += 3) {
        uint8_t samples[4] = {0};
        unsigned raw[4] = {0};
        for (size_t c = 0; c < depth; c++) {
            const uint8_t *s = src + (x * depth + c) * sample_bytes;
            if (p->kind == 4) {
                samples[c] = (src[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
            } else {
                raw[c] = sample_bytes == 2 ? (unsigned)s[0] << 8 | s[1] : s[0];
                samples[c] = table[raw[c]];
            }
        }
        put_u16(p, x, raw);
        put(dst, samples, p->depth);
        if (p->alpha_row != NULL) {
            p->alpha_row[x] = samples[depth - 1];
        }
    }
    return true;
}

/* Bits of a plain bitmap may stand without spaces between them. */
static int64_t plain_bit(pnm *p)
{
    skip_space(p);
    return p->at < p->n && (p->v[p->at] == '0' || p->v[p->at] == '1') ? '1' - p->v[p->at++] : -1;
}

/* A row of decimal numbers; false where they end. */
static bool plain_row(pnm *p, uint8_t *dst, const uint8_t *table)
{
    for (int64_t x = 0; x < p->width; x++, dst += 3) {
        uint8_t samples[4] = {0};
        unsigned raw[4] = {0};
        for (int64_t c = 0; c < p->depth; c++) {
            int64_t v = p->kind == 1 ? plain_bit(p) : number(p);
            if (v < 0) {
                return false;
            }
            raw[c] = (unsigned)(v < 65535 ? v : 65535);
            samples[c] = table[raw[c]];
        }
        put_u16(p, (size_t)x, raw);
        put(dst, samples, p->depth);
    }
    return true;
}

/* Rows until the data ends: a plain file has no length of its own. */
mb_status mb_decode_pnm(mb_decode_job *job)
{
    pnm p = {.v = job->bytes, .n = job->n};
    if (!header(&p)) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged PNM: its header is invalid\ncopy or download it again");
    }
    if (p.width != job->head.width || p.height != job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged PNM: two headers give different sizes");
    }
    const uint8_t *table = scale_table(&p, job->budget);
    if (table == NULL) {
        return mb_fail_memory(job->err, 65536, "a PNM decoder");
    }
    /* A plain number takes two bytes, a plain bit one. */
    const size_t samples = (size_t)p.width * (size_t)p.depth;
    const size_t row = p.kind == 1   ? samples
                       : p.kind < 4  ? 2 * samples - 1
                       : p.kind == 4 ? (samples + 7) / 8
                                     : samples * (p.maxval > 255 ? 2 : 1);
    if (!mb_decode_may_fit(job, row, (size_t)p.height, p.n - p.at)) {
        return MB_OK;
    }
    mb_status status = mb_decode_begin(job);
    if (status == MB_OK && p.maxval > 255) {
        status = mb_decode_begin_u16(job);
    }
    if (status == MB_OK && p.kind == 7 && (p.depth == 2 || p.depth == 4)) {
        status = mb_decode_begin_alpha(job);
    }
    for (int64_t y = 0; status == MB_OK && y < p.height; y++, status = mb_decode_check(job)) {
        p.u16_row = job->info->u16 != NULL ? job->info->u16 + (size_t)y * (size_t)p.width * 3 : NULL;
        uint8_t *dst = job->out->v + (size_t)y * (size_t)p.width * 3, *alpha = job->info->alpha_plane.v;
        p.alpha_row = alpha != NULL ? alpha + (size_t)y * (size_t)p.width : NULL;
        p.u16_alpha_row = job->info->u16_alpha != NULL ? job->info->u16_alpha + (size_t)y * (size_t)p.width : NULL;
        if (!(p.kind <= 3 ? plain_row(&p, dst, table) : raw_row(&p, dst, table))) {
            job->ended_early = true;
            job->rows = y;
            break;
        }
    }
    return status;
}
