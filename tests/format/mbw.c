/* The model file: what is written is read back; no cut, flipped bit or lying number gets through; and nothing that is
 * accepted changes when it is written again. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/hash.h"
#include "harness/check.h"
#include "weights/format.h"
#include "weights/reader.h"
#include "writer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const float values[6] = {1, -2, 0.5F, 4, 5, 6};
static uint8_t *sample; /* a sound file, in memory */
static size_t n_sample;

/* A small file with every kind of thing in it; bytes from mb_alloc_aligned. */
static uint8_t *make(size_t *n)
{
    mbw_writer *w;
    mb_error err;
    void *data = NULL;
    uint16_t half[3] = {0x3c00, 0xbc00, 0x7bff};
    int64_t big = -5;
    CHECK_OK(mbw_writer_create(&w, &err), err);
    CHECK_OK(mbw_writer_meta(w, "licence", "MIT\nno warranty \xc3\xa4", &err), err);
    CHECK_OK(mbw_writer_meta(w, "arch.family", "x", &err), err);
    CHECK_OK(mbw_writer_meta(w, "arch.family", "test", &err), err);
    CHECK_OK(mbw_writer_meta(w, "empty", "", &err), err);
    CHECK_OK(mbw_writer_tensor(w, "none", MB_F32, 2, (int64_t[]){0, 3}, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "a.weight", MB_F32, 2, (int64_t[]){2, 3}, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "b", MB_F16, 1, (int64_t[]){3}, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "scalar", MB_I64, 0, NULL, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "deep", MB_BF16, 6, (int64_t[]){1, 1, 1, 1, 1, 3}, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "last", MB_F32, 1, (int64_t[]){0}, &err), err);
    CHECK_OK(mbw_writer_start_memory(w, &err), err);
    CHECK_OK(mbw_writer_data(w, values, 10, &err), err); /* in odd pieces */
    CHECK_OK(mbw_writer_data(w, (const char *)values + 10, 14, &err), err);
    CHECK_OK(mbw_writer_data(w, half, 6, &err), err);
    CHECK_OK(mbw_writer_data(w, &big, 8, &err), err);
    CHECK_OK(mbw_writer_data(w, half, 6, &err), err);
    CHECK_OK(mbw_writer_finish_memory(w, &data, n, &err), err);
    mbw_writer_free(w);
    return data;
}

/* Writes what a reader holds; the same bytes must come out. */
static bool rewrites_equal(const mb_weights *r, const uint8_t *data, size_t n)
{
    mbw_writer *w;
    void *again = NULL;
    size_t m = 0;
    bool ok = mbw_writer_create(&w, NULL) == MB_OK;
    for (size_t i = 0; i < mb_weights_meta_count(r); i++) {
        const char *key, *value;
        mb_weights_meta_at(r, i, &key, &value);
        ok = ok && mbw_writer_meta(w, key, value, NULL) == MB_OK;
    }
    for (size_t i = 0; i < mb_weights_count(r); i++) {
        const mb_tensor *t = mb_weights_at(r, i);
        ok = ok && mbw_writer_tensor(w, t->name, t->dtype, t->rank, t->dims, NULL) == MB_OK;
    }
    ok = ok && mbw_writer_start_memory(w, NULL) == MB_OK;
    for (size_t i = 0; i < mb_weights_count(r); i++) {
        const mb_tensor *t = mb_weights_at(r, i);
        ok = ok && mbw_writer_data(w, t->data, t->bytes, NULL) == MB_OK;
    }
    ok = ok && mbw_writer_finish_memory(w, &again, &m, NULL) == MB_OK;
    ok = ok && m == n && memcmp(again, data, n) == 0;
    mb_free_aligned(again);
    mbw_writer_free(w);
    return ok;
}

TEST(round_trip)
{
    const uint8_t *data = sample;
    const size_t n = n_sample;
    mb_weights *r;
    mb_error err;
    CHECK_OK(mb_weights_open_memory(&r, data, n, &err), err);
    CHECK(mb_weights_count(r) == 6 && mb_weights_file_bytes(r) == n && strcmp(mb_weights_path(r), "") == 0);
    const mb_tensor *t = mb_weights_find(r, "a.weight");
    CHECK(t != NULL && t->rank == 2 && t->dims[0] == 2 && t->dims[1] == 3 && memcmp(t->data, values, 24) == 0);
    CHECK(t != NULL && (uintptr_t)t->data % 64 == (uintptr_t)data % 64);
    t = mb_weights_find(r, "scalar");
    CHECK(t != NULL && t->rank == 0 && t->bytes == 8 && *(const int64_t *)t->data == -5);
    CHECK(mb_weights_find(r, "a") == NULL && mb_weights_find(r, "") == NULL && mb_weights_at(r, 6) == NULL);
    CHECK(strcmp(mb_weights_meta(r, "arch.family"), "test") == 0 && strcmp(mb_weights_meta(r, "empty"), "") == 0);
    CHECK(strcmp(mb_weights_meta(r, "licence"), "MIT\nno warranty \xc3\xa4") == 0 && mb_weights_meta(r, "x") == NULL);
    CHECK_OK(mb_weights_verify(r, NULL, NULL, &err), err);
    CHECK(rewrites_equal(r, data, n));
    mb_weights_free(r);
}

static bool opens(const uint8_t *data, size_t n)
{
    mb_weights *r;
    mb_error err = {0};
    mb_status status = mb_weights_open_memory(&r, data, n, &err);
    CHECK_MSG((status == MB_OK) == (err.message[0] == '\0'), "a refusal has a message");
    mb_weights_free(r);
    return status == MB_OK;
}

static bool verifies(const uint8_t *data, size_t n)
{
    mb_weights *r;
    bool ok = mb_weights_open_memory(&r, data, n, NULL) == MB_OK && mb_weights_verify(r, NULL, NULL, NULL) == MB_OK;
    mb_weights_free(r);
    return ok;
}

TEST(cuts_and_flips)
{
    const uint8_t *good = sample;
    const size_t n = n_sample;
    int cut = 0, flipped = 0, opened = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t *part = malloc(i > 0 ? i : 1); /* a block of its own: the address sanitizer sees one byte too many */
        memcpy(part, good, i);
        cut += opens(part, i);
        free(part);
    }
    uint8_t *copy = mb_alloc_aligned(n);
    memcpy(copy, good, n);
    mb_file_header h;
    memcpy(&h, good, sizeof h);
    for (size_t bit = 0; bit < n * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool opened_now = opens(copy, n);
        opened += bit / 8 < h.data_offset && opened_now;
        flipped += verifies(copy, n);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_MSG(cut == 0, "%d cut files open", cut);
    CHECK_MSG(opened == 0, "%d flipped bits before the data pass the opening", opened);
    CHECK_MSG(flipped == 0, "%d flipped bits pass verify", flipped);
    mb_free_aligned(copy);
    uint8_t *longer = malloc(n + 1);
    memcpy(longer, good, n);
    longer[n] = 0;
    CHECK(!opens(longer, n + 1));
    free(longer);
}

/* Changes a field and makes the digest right again, so that the checks behind it are reached. */
static bool opens_with(const uint8_t *good, size_t n, size_t at, const void *value, size_t size)
{
    uint8_t *copy = mb_alloc_aligned(n);
    memcpy(copy, good, n);
    memcpy(copy + at, value, size);
    mb_file_header h;
    memcpy(&h, copy, sizeof h);
    if (h.data_offset <= n && h.data_offset >= sizeof h) {
        h.digest = 0;
        memcpy(copy, &h, sizeof h);
        h.digest = mb_hash64(copy, (size_t)h.data_offset);
        memcpy(copy, &h, sizeof h);
    }
    bool ok = opens(copy, n) && verifies(copy, n);
    mb_free_aligned(copy);
    return ok;
}

TEST(hostile_numbers)
{
    const uint8_t *good = sample;
    const size_t n = n_sample;
    mb_file_header h;
    memcpy(&h, good, sizeof h);
    static const uint64_t bad[] = {0,
                                   1,
                                   2,
                                   7,
                                   64,
                                   65,
                                   1u << 31,
                                   1ull << 32,
                                   1ull << 62,
                                   1ull << 63,
                                   UINT64_MAX,
                                   INT64_MAX,
                                   UINT64_MAX - 63,
                                   1ull << 40};
    int accepted = 0;
    /* header: every 4- and 8-byte field; table: every 8 bytes (offsets, sizes, dims, names) */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t at = 0; at < sizeof h; at += 4) {
            size_t size = at < 16 ? 4 : 8;
            if (at != offsetof(mb_file_header, digest) && (at < 16 || at % 8 == 0) &&
                memcmp(good + at, &bad[i], size) != 0) {
                accepted += opens_with(good, n, at, &bad[i], size);
            }
        }
        for (size_t at = h.table_offset; at + 8 <= h.data_offset; at += 8) {
            if (memcmp(good + at, &bad[i], 8) != 0) {
                accepted += opens_with(good, n, at, &bad[i], 8);
            }
        }
    }
    /* What passes is no lie: 0 x 3 elements are as many as 0 x 0, 0 x 1, ... 0 x 2^40 (9 values that do not overflow),
     * and the tensor "b" may be called "A" or "@" (65, 64). */
    CHECK_MSG(accepted == 11, "%d lies accepted", accepted);
    CHECK_MSG(opens_with(good, n, 0, good, 4), "the method itself: an unchanged file passes");
    /* the second name made equal to another; order of metadata; a key with a space */
    uint8_t *copy = mb_alloc_aligned(n);
    memcpy(copy, good, n);
    uint8_t *name = copy;
    while (memcmp(name, "last", 5) != 0) {
        name++;
    }
    CHECK(!opens_with(good, n, (size_t)(name - copy), "none", 4));
    CHECK(!opens_with(good, n, (size_t)(name - copy), "la\nt", 4) &&
          !opens_with(good, n, (size_t)(name - copy), "la\xffs", 4));
    CHECK(opens_with(good, n, (size_t)(name - copy), "lost", 4)); /* a rename alone is fine */
    CHECK(!opens_with(good, n, sizeof h + sizeof(mb_file_pair), "zrch", 4) &&
          !opens_with(good, n, sizeof h + sizeof(mb_file_pair), "a ch", 4));
    mb_free_aligned(copy);
}

TEST(messages)
{
    const uint8_t *good = sample;
    const size_t n = n_sample;
    mb_weights *r;
    mb_error err = {0};
    CHECK(mb_weights_open_memory(&r, "PK\3\4xxxxxxxxxx", 14, &err) == MB_E_FORMAT &&
          strstr(err.message, "PyTorch") != NULL);
    err = (mb_error){0};
    CHECK(mb_weights_open_memory(&r, "\xFF\xD8\xFF\xE0xxxxxxxxxx", 14, &err) == MB_E_FORMAT && /* a photo */
          strstr(err.message, " -o model.mbw") == NULL);
    err = (mb_error){0};
    CHECK(mb_weights_open_memory(&r, good, n - 3, &err) == MB_E_FORMAT &&
          strstr(err.message, "3 bytes shorter") != NULL);
    err = (mb_error){0};
    uint8_t *copy = mb_alloc_aligned(n);
    memcpy(copy, good, n);
    copy[4] = 9;
    CHECK(mb_weights_open_memory(&r, copy, n, &err) == MB_E_UNSUPPORTED && strstr(err.message, "version 9") != NULL);
    copy[4] = 1;
    err = (mb_error){0};
    copy[n - 64] ^= 1; /* the first byte of "deep" ("last" is empty) */
    CHECK_EQ(mb_weights_open_memory(&r, copy, n, &err), MB_OK);
    CHECK(mb_weights_verify(r, NULL, NULL, &err) == MB_E_FORMAT &&
          strstr(err.message, "tensor deep: checksum differs") != NULL);
    mb_weights_free(r);
    mb_free_aligned(copy);
    err = (mb_error){0};
    CHECK(mb_weights_open(&r, "/nonexistent/m.mbw", &err) == MB_E_IO && r == NULL);
    CHECK_STR(err.message, "/nonexistent/m.mbw: no such file");
}

static int cancel_at_once(void *user, size_t done, size_t total)
{
    *(int *)user += 1;
    return done <= total;
}

TEST(files_and_cancel)
{
    char path[] = "/tmp/mattebox-mbw-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    mbw_writer *w;
    mb_weights *r;
    mb_error err;
    CHECK_OK(mbw_writer_create(&w, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "t", MB_F32, 1, (int64_t[]){6}, &err), err);
    CHECK_EQ(mbw_writer_start_file(w, "/dev/null", true, NULL), MB_E_ARGUMENT);
    mbw_writer_free(w);
    CHECK_OK(mbw_writer_create(&w, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "t", MB_F32, 1, (int64_t[]){6}, &err), err);
    CHECK_OK(mbw_writer_start_file(w, path, true, &err), err);
    CHECK_OK(mbw_writer_data(w, values, 20, &err), err);
    CHECK_EQ(mbw_writer_finish_file(w, NULL), MB_E_INTERNAL); /* data are missing */
    CHECK_OK(mbw_writer_data(w, values + 5, 4, &err), err);
    CHECK_EQ(mbw_writer_data(w, values, 1, NULL), MB_E_INTERNAL); /* too many */
    CHECK_OK(mbw_writer_finish_file(w, &err), err);
    mbw_writer_free(w);
    CHECK_OK(mb_weights_open(&r, path, &err), err);
    int calls = 0;
    CHECK(mb_weights_verify(r, cancel_at_once, &calls, NULL) == MB_E_CANCELLED && calls == 1);
    mb_weights_release_pages(r, mb_weights_at(r, 0));
    CHECK_OK(mb_weights_verify(r, NULL, NULL, &err), err);
    mb_weights_free(r);
    CHECK_EQ(remove(path), 0);
}

SETUP
{
    sample = make(&n_sample);
    REQUIRE(sample != NULL);
}

TEARDOWN
{
    mb_free_aligned(sample);
}
