/* The blocks of a GIF, and LZW as it uses it (GIF89a, appendix F). */
#include "image/codec/gif.h"

#include <string.h>

static unsigned byte_at(const mb_gif *g, size_t at)
{
    return at < g->n ? g->v[at] : 0;
}

static unsigned word_at(const mb_gif *g, size_t at)
{
    return byte_at(g, at) | byte_at(g, at + 1) << 8;
}

/* A palette of 2 << (flags & 7) colours at *at, if the flags say that there is one; NULL: none, or cut off. */
static const uint8_t *take_palette(mb_gif *g, size_t *at, unsigned flags, int *colours)
{
    *colours = 0;
    if ((flags & 0x80) == 0) {
        return NULL;
    }
    const size_t n = (size_t)2 << (flags & 7);
    const uint8_t *v = g->v + *at;
    if (*at > g->n || 3 * n > g->n - *at) {
        g->cut = true;
        return NULL;
    }
    *colours = (int)n;
    *at += 3 * n;
    return v;
}

bool mb_gif_open(mb_gif *g, const uint8_t *bytes, size_t n)
{
    *g = (mb_gif){.v = bytes, .n = n, .at = 13, .loops = 1};
    if (n < 13 || (memcmp(bytes, "GIF87a", 6) != 0 && memcmp(bytes, "GIF89a", 6) != 0)) {
        return false;
    }
    g->width = (int)word_at(g, 6);
    g->height = (int)word_at(g, 8);
    g->palette = take_palette(g, &g->at, byte_at(g, 10), &g->colours);
    return !g->cut;
}

/* Over the sub-blocks at `at`, up to the empty one that ends them. */
static size_t skip_blocks(mb_gif *g, size_t at)
{
    while (at < g->n && g->v[at] != 0) {
        at += 1 + (size_t)g->v[at];
    }
    g->cut = g->cut || at >= g->n;
    return at + 1;
}

/* "NETSCAPE2.0" and its equals say how often to repeat after the first time. */
static void read_loops(mb_gif *g, size_t at)
{
    if (byte_at(g, at) == 11 && g->n - at > 16 &&
        (memcmp(g->v + at + 1, "NETSCAPE2.0", 11) == 0 || memcmp(g->v + at + 1, "ANIMEXTS1.0", 11) == 0) &&
        byte_at(g, at + 12) == 3 && byte_at(g, at + 13) == 1) {
        const unsigned repeats = word_at(g, at + 14);
        g->loops = repeats == 0 ? 0 : (int)repeats + 1;
    }
}

/* What the block before a frame says about it. */
static void read_control(const mb_gif *g, size_t at, mb_gif_frame *out)
{
    const unsigned flags = byte_at(g, at + 1), how = flags >> 2 & 7;
    out->dispose = how == 2 ? MB_DISPOSE_CLEAR : how == 3 ? MB_DISPOSE_RESTORE : MB_DISPOSE_KEEP;
    out->duration_ms = 10.0 * word_at(g, at + 2);
    out->transparent = (flags & 1) != 0 ? (int)byte_at(g, at + 4) : -1;
}

bool mb_gif_next(mb_gif_frame *out, mb_gif *g)
{
    *out = (mb_gif_frame){.transparent = -1};
    while (g->at < g->n && !g->cut) {
        const size_t at = g->at;
        if (g->v[at] == 0x21) {
            if (byte_at(g, at + 1) == 0xF9 && byte_at(g, at + 2) >= 4) {
                read_control(g, at + 2, out);
            } else if (byte_at(g, at + 1) == 0xFF) {
                read_loops(g, at + 2);
            }
            g->at = skip_blocks(g, at + 2);
        } else if (g->v[at] == 0x2C) {
            size_t next = at + 10;
            const unsigned flags = byte_at(g, at + 9);
            out->x = (int)word_at(g, at + 1);
            out->y = (int)word_at(g, at + 3);
            out->width = (int)word_at(g, at + 5);
            out->height = (int)word_at(g, at + 7);
            out->interlaced = (flags & 0x40) != 0;
            out->palette = take_palette(g, &next, flags, &out->colours);
            if (out->palette == NULL) {
                out->palette = g->palette;
                out->colours = g->colours;
            }
            out->data = next;
            if (next >= g->n || g->cut) {
                g->cut = true;
                return false;
            }
            g->at = skip_blocks(g, next + 1);
            return true;
        } else {
            return false; /* the end (0x3B), or garbage, which viewers take for it */
        }
    }
    return false;
}

/* ---- LZW */

/* Codes of growing width from sub-blocks. */
typedef struct code_reader {
    const mb_gif *g;
    size_t at, block; /* block: bytes left of this sub-block */
    uint32_t bits;
    unsigned n_bits;
} code_reader;

/* -1: the data is at its end. */
static int next_code(code_reader *r, unsigned width)
{
    while (r->n_bits < width) {
        if (r->block == 0) {
            r->block = byte_at(r->g, r->at);
            r->at++;
            if (r->block == 0) {
                return -1;
            }
        }
        if (r->at >= r->g->n) {
            return -1;
        }
        r->bits |= (uint32_t)r->g->v[r->at] << r->n_bits;
        r->n_bits += 8;
        r->at++;
        r->block--;
    }
    const int code = (int)(r->bits & ((1u << width) - 1));
    r->bits >>= width;
    r->n_bits -= width;
    return code;
}

/* Where the picture's rows go as they come: in order, or in four passes. */
typedef struct row_order {
    size_t width, height, row, pass;
    bool interlaced;
} row_order;

static void next_row(row_order *o)
{
    static const size_t steps[] = {8, 8, 4, 2}, firsts[] = {0, 4, 2, 1};
    if (!o->interlaced) {
        o->row++;
        return;
    }
    o->row += steps[o->pass];
    while (o->row >= o->height && o->pass < 3) {
        o->pass++;
        o->row = firsts[o->pass];
    }
}

/* The table of strings: each is another one and a last byte. */
typedef struct lzw {
    uint16_t *prefix;         /* [4096] */
    uint8_t *last, *backward; /* [4096] each; a string comes out from its end */
    unsigned first_free, next, width;
} lzw;

static void reset(lzw *t, unsigned bits)
{
    t->next = t->first_free;
    t->width = bits + 1;
}

/* The string of `code` into t->backward, from its end; its length. */
static size_t spell(const lzw *t, unsigned code, unsigned clear)
{
    size_t n = 0;
    while (code > clear && n < 4095) {
        t->backward[n++] = t->last[code];
        code = t->prefix[code];
    }
    t->backward[n++] = (uint8_t)code;
    return n;
}

size_t mb_gif_indices(uint8_t *dst, const mb_gif *g, const mb_gif_frame *f, uint8_t *scratch)
{
    const unsigned bits = byte_at(g, f->data), clear = 1u << bits;
    lzw t = {(uint16_t *)(void *)scratch, scratch + 8192, scratch + 12288, clear + 2, clear + 2, bits + 1};
    code_reader r = {.g = g, .at = f->data + 1};
    row_order o = {(size_t)f->width, (size_t)f->height, 0, 0, f->interlaced};
    const size_t wanted = o.width * o.height;
    size_t done = 0, column = 0;
    int previous = -1;
    if (bits < 1 || bits > 8) {
        return 0;
    }
    while (done < wanted) {
        const int code = next_code(&r, t.width);
        if (code < 0 || code == (int)clear + 1) {
            break;
        }
        if (code == (int)clear) {
            reset(&t, bits);
            previous = -1;
            continue;
        }
        if (code > (int)t.next || (code == (int)t.next && previous < 0) || (previous < 0 && code > (int)clear)) {
            break; /* no such string yet: damaged */
        }
        /* A string that is just being made is the previous one and its own first byte. */
        const bool making = code == (int)t.next;
        size_t n = spell(&t, (unsigned)(making ? previous : code), clear);
        const uint8_t first = t.backward[n - 1];
        if (previous >= 0 && t.next < 4096) {
            t.prefix[t.next] = (uint16_t)previous;
            t.last[t.next] = first;
            t.next++;
            t.width += t.next == 1u << t.width && t.width < 12;
        }
        previous = code;
        for (size_t i = making ? n + 1 : n; i > 0 && done < wanted; i--) {
            dst[o.row * o.width + column] = making && i == 1 ? first : t.backward[making ? i - 2 : i - 1];
            done++;
            column++;
            if (column == o.width) {
                column = 0;
                next_row(&o);
            }
        }
    }
    return done;
}
