/* Random damage, the same every time: seeds of each format get bytes changed, moved, repeated and cut; checksums that
 * stand in front of the deeper checks are made right again. Nothing may crash, hang or leak (the sanitizers watch), and
 * what is accepted must be whole. MATTEBOX_FUZZ_ROUNDS=N asks for more rounds. */
#include "core/alloc.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/json.h"
#include "generate.h"
#include "harness/check.h"
#include "pickle.h"
#include "weights/format.h"
#include "weights/reader.h"
#include "weights/safetensors.h"
#include "zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)1 << 16)

static uint64_t state = 20261;

static uint64_t next(uint64_t below)
{
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

/* One to eight changes; *n may shrink or grow up to LARGEST. */
static void damage(uint8_t *p, size_t *n)
{
    static const uint64_t values[] = {0,          1,          0x7f,       0x80,       0xff,       0xffff,
                                      0x7fffffff, 0x80000000, 0xffffffff, UINT64_MAX, 1ull << 63, 64};
    for (uint64_t k = 1 + next(8); k > 0 && *n > 8; k--) {
        size_t at = next(*n), length = 1 + next(*n - at < 64 ? *n - at : 64), to = next(*n - length + 1);
        switch (next(7)) {
        case 0:
            p[at] ^= (uint8_t)(1u << next(8));
            break;
        case 1:
            p[at] = (uint8_t)next(256);
            break;
        case 2:
            memcpy(p + at, &values[next(12)], *n - at < 8 ? *n - at : (size_t)1 << next(4));
            break;
        case 3:
            memmove(p + to, p + at, length);
            break;
        case 4: /* repeat */
            if (*n + length <= LARGEST) {
                memmove(p + at + length, p + at, *n - at);
                *n += length;
            }
            break;
        case 5: /* leave out */
            memmove(p + at, p + at + length, *n - at - length);
            *n -= length;
            break;
        default:
            if (next(8) == 0) {
                *n = at + 1;
            }
        }
    }
}

static bool try_mbw(const uint8_t *data, size_t n)
{
    uint8_t *p = mb_alloc_aligned(n);
    mb_weights *w;
    mb_file_header h;
    memcpy(p, data, n);
    if (n >= sizeof h) {
        memcpy(&h, p, sizeof h);
        if (next(2) == 0) {
            h.file_bytes = n;
        }
        h.digest = 0;
        memcpy(p, &h, sizeof h);
        h.digest = h.data_offset <= n && h.data_offset >= sizeof h ? mb_hash64(p, (size_t)h.data_offset) : 0;
        memcpy(p, &h, sizeof h);
    }
    bool ok = mb_weights_open_memory(&w, p, n, NULL) == MB_OK;
    for (size_t i = 0; ok && i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        const uint8_t *d = t->data;
        CHECK(d >= p && t->bytes <= n && d + t->bytes <= p + n && mb_weights_find(w, t->name) == t);
    }
    if (ok) {
        (void)(mb_weights_verify(w, NULL, NULL, NULL) == MB_OK);
    }
    mb_weights_free(w);
    mb_free_aligned(p);
    return ok;
}

static bool try_safetensors(const uint8_t *data, size_t n)
{
    mb_safetensors *s;
    bool ok = mb_safetensors_open_memory(&s, data, n, NULL) == MB_OK;
    for (size_t i = 0; ok && i < mb_safetensors_count(s); i++) {
        const mb_st_tensor *t = mb_safetensors_at(s, i);
        const uint8_t *d = t->data;
        CHECK(d >= data && d + t->bytes <= data + n && mb_safetensors_find(s, t->name) == t);
    }
    mb_safetensors_free(s);
    return ok;
}

static bool try_zip(const uint8_t *data, size_t n)
{
    zip_archive z;
    bool ok = zip_open(&z, data, n, NULL) == MB_OK;
    for (size_t i = 0; ok && i < z.n_members; i++) {
        const zip_member *m = &z.members[i];
        uint8_t *contents;
        CHECK(m->data >= data && m->packed <= n && m->data + m->packed <= data + n && zip_find(&z, m->name) == m);
        if (zip_extract(m, 1 << 20, &contents, NULL) == MB_OK) {
            mb_free(contents);
        }
    }
    if (ok) {
        zip_dispose(&z);
    }
    return ok;
}

static bool try_pickle(const uint8_t *data, size_t n)
{
    pickle k;
    bool ok = pickle_read(&k, data, n, NULL) == MB_OK;
    if (ok) {
        pickle_dispose(&k);
    }
    return ok;
}

static bool try_json(const uint8_t *data, size_t n)
{
    mb_json_reader r;
    mb_json_read_init(&r, (const char *)data, n);
    return mb_json_skip(&r) && mb_json_finish(&r);
}

static void rounds(const char *name, bool (*attempt)(const uint8_t *, size_t), const void *seed, size_t n_seed,
                   long n_rounds)
{
    static uint8_t buffer[LARGEST];
    long accepted = 0;
    CHECK_MSG(n_seed <= LARGEST / 2 && attempt(seed, n_seed), "%s: the seed itself is sound", name);
    for (long i = 0; i < n_rounds; i++) {
        size_t n = n_seed;
        memcpy(buffer, seed, n);
        damage(buffer, &n);
        uint8_t *exact = malloc(n); /* a block of its own, so that reading one byte too many shows */
        memcpy(exact, buffer, n);
        accepted += attempt(exact, n);
        free(exact);
    }
    CHECK_MSG(accepted < n_rounds, "%s: damage is noticed", name);
    printf("%s: %ld rounds, %ld accepted\n", name, n_rounds, accepted);
}

static void file_rounds(const char *name, const char *file, long n_rounds)
{
    void *data;
    size_t n;
    zip_archive z;
    uint8_t *text;
    mb_error err;
    CHECK_OK(mb_read_file(&data, &n, file, LARGEST / 2, &err), err);
    rounds(name, try_zip, data, n, n_rounds);
    CHECK_OK(zip_open(&z, data, n, &err), err);
    for (size_t i = 0; i < z.n_members; i++) {
        const zip_member *m = &z.members[i];
        if (strstr(m->name, "data.pkl") != NULL && zip_extract(m, LARGEST, &text, NULL) == MB_OK) {
            rounds("pickle", try_pickle, text, m->bytes, 4 * n_rounds);
            mb_free(text);
        }
    }
    zip_dispose(&z);
    mb_free(data);
}

/* MATTEBOX_FUZZ_ROUNDS of the environment, 4000 without. */
static long n_rounds(void)
{
    const char *wish = getenv("MATTEBOX_FUZZ_ROUNDS");
    return wish != NULL ? atol(wish) : 4000;
}

TEST(json)
{
    static const char json[] =
        "{\"metadata\":{\"total_size\":16,\"x\":[1,-2.5e3,true,null]},\"weight_map\":{\"a\":\"\\u00e4.st\"}}";
    rounds("json", try_json, json, sizeof json - 1, 5 * n_rounds());
}

TEST(safetensors)
{
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[8,12]}}";
    uint8_t st[8 + sizeof header - 1 + 12] = {0};
    st[0] = (uint8_t)(sizeof header - 1);
    memcpy(st + 8, header, sizeof header - 1);
    rounds("safetensors", try_safetensors, st, sizeof st, 5 * n_rounds());
}

TEST(zip_and_pickle)
{
    file_rounds("zip", MB_TEST_DATA "/checkpoints/plain.pth", n_rounds());
    file_rounds("zip", MB_TEST_DATA "/checkpoints/protocol4.bin", n_rounds());
}

TEST(mbw)
{
    mbw_writer *w;
    mb_error err;
    void *data;
    size_t bytes;
    static const float v[6] = {1, 2, 3, 4, 5, 6};
    CHECK_OK(mbw_writer_create(&w, &err), err);
    CHECK_OK(mbw_writer_meta(w, "arch.family", "test", &err), err);
    CHECK_OK(mbw_writer_meta(w, "licence", "MIT", &err), err);
    CHECK_OK(mbw_writer_tensor(w, "a.weight", MB_F32, 2, (int64_t[]){2, 2}, &err), err);
    CHECK_OK(mbw_writer_tensor(w, "b", MB_F16, 1, (int64_t[]){4}, &err), err);
    CHECK_OK(mbw_writer_start_memory(w, &err), err);
    CHECK_OK(mbw_writer_data(w, v, sizeof v, &err), err);
    CHECK_OK(mbw_writer_finish_memory(w, &data, &bytes, &err), err);
    mbw_writer_free(w);
    rounds("mbw", try_mbw, data, bytes, 5 * n_rounds());
    mb_free_aligned(data);
}
