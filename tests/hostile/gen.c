/* The rules: cuts at every byte, every bit of every header, each field to the edges of what it can hold (checksums made
 * right again and not), each word of JSON and each operation of a pickle away, twice or another. */
#define _GNU_SOURCE
#include "hostile.h"

#include "core/hash.h"
#include "fuzz/pickle_ops.h"
#include "weights/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LONGEST 4096 /* of seeds that are cut at every byte */
#define N_EDGES 15

static uint8_t room[1 << 17];

/* The edge number i of a field of `width` bytes that holds `value` in a file of n bytes. */
static uint64_t edge(size_t i, uint64_t value, size_t n)
{
    const uint64_t edges[N_EDGES] = {
        0, 1,     UINT64_MAX, UINT64_MAX - 1,    value + 1,         value - 1,         value + 64, value - 64,
        n, n + 1, n - 1,      (uint64_t)1 << 31, (uint64_t)1 << 32, (uint64_t)1 << 63, INT64_MAX};
    return edges[i];
}

static uint64_t get(const uint8_t *p, size_t width, bool big)
{
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++) {
        v |= (uint64_t)p[i] << 8 * (big ? width - 1 - i : i);
    }
    return v;
}

static void set(uint8_t *p, size_t width, bool big, uint64_t v)
{
    for (size_t i = 0; i < width; i++) {
        p[i] = (uint8_t)(v >> 8 * (big ? width - 1 - i : i));
    }
}

/* ---- of any file */

static void cuts(const hostile_maker *m, hostile_kind kind, const char *family, const uint8_t *p, size_t n)
{
    const size_t step = n <= LONGEST ? 1 : n / 512;
    for (size_t i = 0; i < n; i += step) {
        m->take(m->user, kind, family, p, i);
    }
}

static void flips(const hostile_maker *m, hostile_kind kind, const char *family, const uint8_t *p, size_t n,
                  size_t head)
{
    memcpy(room, p, n);
    for (size_t i = 0; i < 8 * (head < n ? head : n); i++) {
        room[i / 8] ^= (uint8_t)(1u << i % 8);
        m->take(m->user, kind, family, room, n);
        room[i / 8] = p[i / 8];
    }
}

/* One field to each of its edges; `mend` (may be NULL) makes checksums right again. */
static void field(const hostile_maker *m, hostile_kind kind, const char *family, const uint8_t *p, size_t n, size_t at,
                  int width, void (*mend)(uint8_t *, size_t))
{
    const bool big = width < 0;
    const size_t bytes = (size_t)(big ? -width : width);
    for (size_t i = 0; at + bytes <= n && i < N_EDGES; i++) {
        memcpy(room, p, n);
        set(room + at, bytes, big, edge(i, get(p + at, bytes, big), n));
        if (mend != NULL) {
            mend(room, n);
        }
        m->take(m->user, kind, family, room, n);
    }
}

/* ---- model files */

static void mend_model(uint8_t *p, size_t n)
{
    mb_file_header h;
    memcpy(&h, p, sizeof h);
    h.digest = 0;
    memcpy(p, &h, sizeof h);
    h.digest = h.data_offset <= n && h.data_offset >= sizeof h ? mb_hash64(p, (size_t)h.data_offset) : 0;
    memcpy(p, &h, sizeof h);
}

static void models(const hostile_maker *m, const uint8_t *p, size_t n)
{
    mb_file_header h;
    memcpy(&h, p, sizeof h);
    const size_t head = (size_t)h.data_offset;
    cuts(m, HOSTILE_MODEL, "model/cut", p, n);
    flips(m, HOSTILE_MODEL, "model/flip", p, n, head);
    for (size_t i = 8 * head; i < 8 * n; i += 7) { /* of the data: opened, and found by verify */
        memcpy(room, p, n);
        room[i / 8] ^= (uint8_t)(1u << i % 8);
        m->take(m->user, HOSTILE_MODEL, "model/data", room, n);
    }
    for (size_t at = 0; at < sizeof h; at += at < 16 ? 4 : 8) {
        field(m, HOSTILE_MODEL, "model/header", p, n, at, at < 16 ? 4 : 8, NULL);
        field(m, HOSTILE_MODEL, "model/header mended", p, n, at, at < 16 ? 4 : 8, mend_model);
    }
    for (size_t at = sizeof h; at + 8 <= head; at += 8) {
        field(m, HOSTILE_MODEL, "model/table", p, n, at, 8, mend_model);
        field(m, HOSTILE_MODEL, "model/table halves", p, n, at + 4, 4, mend_model);
    }
    for (size_t at = sizeof h; at < head; at++) {
        memcpy(room, p, n);
        room[at] = (uint8_t)~p[at];
        mend_model(room, n);
        m->take(m->user, HOSTILE_MODEL, "model/byte mended", room, n);
    }
}

/* ---- safetensors */

/* The file with another header: its length in front, the data behind. */
static void with_header(const hostile_maker *m, const char *family, const char *header, size_t length,
                        const uint8_t *data, size_t n_data)
{
    static uint8_t file[1 << 16];
    if (8 + length + n_data > sizeof file) {
        return;
    }
    set(file, 8, false, length);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, data, n_data);
    m->take(m->user, HOSTILE_SAFETENSORS, family, file, 8 + length + n_data);
}

/* header[from .. to) replaced. */
static void with_piece(const hostile_maker *m, const char *family, const uint8_t *p, size_t n, size_t from, size_t to,
                       const char *piece, size_t k)
{
    static char header[1 << 15];
    const size_t length = (size_t)get(p, 8, false);
    if (length + k >= sizeof header) {
        return;
    }
    memcpy(header, p + 8, from);
    memcpy(header + from, piece, k);
    memcpy(header + from + k, p + 8 + to, length - to);
    with_header(m, family, header, length - (to - from) + k, p + 8 + length, n - 8 - length);
}

static void safetensors(const hostile_maker *m, const uint8_t *p, size_t n)
{
    static const char *const words[] = {"0",
                                        "1",
                                        "-1",
                                        "-0",
                                        "00",
                                        "1.0",
                                        "1e3",
                                        "\"\"",
                                        "null",
                                        "true",
                                        "[0]",
                                        "{}",
                                        "2147483648",
                                        "4294967296",
                                        "NaN",
                                        "[]",
                                        "\"F32\"",
                                        "[0,16]",
                                        "\"a\"",
                                        "9223372036854775808",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "\"\\u0000\"",
                                        "\"\\ud800\""};
    const size_t length = (size_t)get(p, 8, false);
    const char *text = (const char *)p + 8;
    cuts(m, HOSTILE_SAFETENSORS, "safetensors/cut", p, n);
    flips(m, HOSTILE_SAFETENSORS, "safetensors/flip", p, n, 8 + length);
    field(m, HOSTILE_SAFETENSORS, "safetensors/length", p, n, 0, 8, NULL);
    for (size_t at = 0; at < length;) { /* word by word */
        size_t to = at + 1;
        if (strchr("{}[]:,", text[at]) == NULL) {
            if (text[at] == '"') {
                while (to < length && text[to] != '"') {
                    to++;
                }
                to += to < length;
            } else {
                while (to < length && strchr("{}[]:,\"", text[to]) == NULL) {
                    to++;
                }
            }
            for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                with_piece(m, "safetensors/word", p, n, at, to, words[i], strlen(words[i]));
            }
        }
        with_piece(m, "safetensors/away", p, n, at, to, "", 0);
        with_piece(m, "safetensors/twice", p, n, at, at, text + at, to - at);
        at = to;
    }
    with_header(m, "safetensors/tail", text, length, p + 8 + length, n - 8 - length > 0 ? n - 9 - length : 0);
}

/* ---- zip archives and pickles */

static void zips(const hostile_maker *m, const uint8_t *p, size_t n)
{
    static const struct {
        uint32_t mark;
        size_t bytes;
        const char *family;
    } records[] = {{0x04034b50, 30, "zip/local"},
                   {0x02014b50, 46, "zip/central"},
                   {0x06054b50, 22, "zip/end"},
                   {0x06064b50, 56, "zip/end64"},
                   {0x07064b50, 20, "zip/locator"}};
    cuts(m, HOSTILE_ZIP, "zip/cut", p, n);
    int seen[5] = {0};
    for (size_t at = 0; at + 4 <= n; at++) {
        for (size_t k = 0; k < 5; k++) {
            if (get(p + at, 4, false) != records[k].mark || seen[k]++ >= 2) {
                continue;
            }
            for (size_t i = 4; i + 2 <= records[k].bytes && at + records[k].bytes <= n; i += 2) {
                field(m, HOSTILE_ZIP, records[k].family, p, n, at + i, 2, NULL);
                field(m, HOSTILE_ZIP, records[k].family, p, n, at + i, 4, NULL);
            }
        }
    }
}

static void pickles(const hostile_maker *m, const uint8_t *p, size_t n)
{
    static const char codes[] = "(.012KMNJGXTUBhjqrcQRabdelostu}])\x80\x81\x85\x86\x87\x88\x8a\x8b\x8c\x8f\x90\x92\x93"
                                "\x94\x95iP\x82\x97";
    cuts(m, HOSTILE_PICKLE, "pickle/cut", p, n);
    for (size_t at = 0, k; (k = pickle_op_bytes(p + at, n - at)) > 0; at += k) {
        for (size_t i = 0; i < sizeof codes - 1; i++) {
            memcpy(room, p, n);
            room[at] = (uint8_t)codes[i];
            m->take(m->user, HOSTILE_PICKLE, "pickle/operation", room, n);
        }
        memcpy(room, p, at);
        memcpy(room + at, p + at + k, n - at - k);
        m->take(m->user, HOSTILE_PICKLE, "pickle/away", room, n - k);
        memcpy(room, p, at + k);
        memcpy(room + at + k, p + at, n - at);
        m->take(m->user, HOSTILE_PICKLE, "pickle/twice", room, n + k);
    }
}

/* ---- pictures */

/* Checksums of all chunks, as far as their lengths make sense. */
static void mend_png(uint8_t *p, size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        const size_t length = (size_t)get(p + at, 4, true);
        if (length > n - at - 12) {
            return;
        }
        set(p + at + 8 + length, 4, true, crc32(0, p + at + 4, (uInt)length + 4));
        at += 12 + length;
    }
}

static void pictures(const hostile_maker *m, const uint8_t *p, size_t n)
{
    const bool png = n > 8 && memcmp(p, "\x89PNG", 4) == 0;
    const size_t head = n < 48 ? n : 48;
    cuts(m, HOSTILE_PICTURE, "picture/cut", p, n);
    flips(m, HOSTILE_PICTURE, "picture/flip", p, n, head);
    for (size_t at = 0; at + 2 <= head; at += 2) {
        field(m, HOSTILE_PICTURE, "picture/field", p, n, at, 2, png ? mend_png : NULL);
        field(m, HOSTILE_PICTURE, "picture/field big", p, n, at, -4, png ? mend_png : NULL);
    }
}

void hostile_from(const hostile_maker *m, hostile_kind kind, const uint8_t *seed, size_t n)
{
    switch (kind) {
    case HOSTILE_MODEL:
        models(m, seed, n);
        break;
    case HOSTILE_SAFETENSORS:
        safetensors(m, seed, n);
        break;
    case HOSTILE_ZIP:
        zips(m, seed, n);
        break;
    case HOSTILE_PICKLE:
        pickles(m, seed, n);
        break;
    case HOSTILE_PICTURE:
        pictures(m, seed, n);
        break;
    }
}
