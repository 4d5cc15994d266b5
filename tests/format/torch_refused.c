/* PyTorch files that say what cannot be: archives made here, of stored members without checksums, one wrong in each. */
#define _GNU_SOURCE
#include "harness/archive.h"
#include "harness/check.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct member {
    const char *name;
    const void *data;
    size_t n;
} member;

/* Pickles grow as archives do. */
static void put(archive *b, const void *v, size_t n)
{
    archive_put(b, v, n);
}

static void put_number(archive *b, uint64_t v, size_t n)
{
    archive_number(b, v, n);
}

#define PUT(b, text) put(b, text, sizeof(text) - 1) /* without the closing zero */

static void put_archive(archive *b, const member *m, size_t n)
{
    archive_member all[8];
    for (size_t i = 0; i < n; i++) {
        all[i] = (archive_member){.name = m[i].name, .packed = m[i].n, .bytes = m[i].n};
        archive_local(b, &all[i], m[i].data);
    }
    archive_directory(b, all, n);
}

/* `part` is in the message; NULL: the archive is read, and has one tensor of `count` values. */
static void read_archive(const member *m, size_t n, const char *part, size_t count)
{
    static archive b;
    source *s = NULL;
    mb_error err = {0};
    b.n = 0;
    put_archive(&b, m, n);
    char path[] = "/tmp/mattebox-refused-XXXXXX";
    const int fd = mkstemp(path);
    REQUIRE(fd >= 0 && write(fd, b.v, b.n) == (ssize_t)b.n && close(fd) == 0);
    const mb_status status = source_open(&s, path, &err);
    (void)unlink(path);
    if (part != NULL) {
        CHECK_MSG(status != MB_OK && s == NULL && strstr(err.message, part) != NULL, "wanted %s, got %d %s", part,
                  status, err.message);
    } else {
        CHECK_OK(status, err);
        CHECK(s != NULL && source_count(s) == 1 && source_find(s, "w") != NULL && source_find(s, "w")->count == count);
    }
    source_free(s);
}

static void put_text(archive *b, const char *text)
{
    put_number(b, 'X', 1);
    put_number(b, strlen(text), 4);
    put(b, text, strlen(text));
}

/* LONG1 of eight bytes. */
static void put_long(archive *b, int64_t v)
{
    PUT(b, "\x8a\x08");
    put_number(b, (uint64_t)v, 8);
}

/* What torch's function makes of a view of storage 0: `held` elements, of which it takes rows * columns from `offset` on. */
typedef struct view {
    int64_t held, offset, rows, columns, row_stride;
} view;

static void put_tensor(archive *b, const view *v)
{
    PUT(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(b, "storage");
    PUT(b, "ctorch\nFloatStorage\n");
    put_text(b, "0");
    put_text(b, "cpu");
    put_long(b, v->held);
    PUT(b, "tQ");
    put_long(b, v->offset);
    put_long(b, v->rows);
    put_long(b, v->columns);
    PUT(b, "\x86");
    put_long(b, v->row_stride);
    PUT(b, "K\1\x86\x89}tR");
}

/* {"w": tensor} */
static void put_state(archive *b, const view *v)
{
    PUT(b, "\x80\2}");
    put_text(b, "w");
    put_tensor(b, v);
    PUT(b, "s.");
}

static void tensor(view v, size_t stored, const char *part, size_t count)
{
    static const uint8_t zeros[64];
    static archive p;
    p.n = 0;
    put_state(&p, &v);
    read_archive((member[]){{"m/data.pkl", p.v, p.n}, {"m/data/0", zeros, stored}}, 2, part, count);
}

TEST(storages)
{
    const int64_t most = INT64_MAX;
    static archive p;
    tensor((view){4, 0, 2, 2, 2}, 16, NULL, 4);
    tensor((view){4, 0, 2, 2, 2}, 15, "its storage is shorter than it says", 0);
    tensor((view){5, 0, 2, 2, 2}, 16, "its storage is shorter than it says", 0);
    tensor((view){4, 1, 2, 2, 2}, 16, "it reaches beyond its storage", 0);
    tensor((view){4, 5, 0, 2, 2}, 16, "it reaches beyond its storage", 0);
    tensor((view){4, 0, 2, 2, 3}, 16, "it reaches beyond its storage", 0);
    tensor((view){4, 0, 3, 2, most / 2 + 1}, 16, "it reaches beyond its storage", 0);
    tensor((view){4, 0, most, 3, 0}, 16, "it reaches beyond its storage", 0);
    tensor((view){4, 0, 0, 2, 2}, 16, NULL, 0);
    tensor((view){4, 2, 1, 2, 2}, 16, NULL, 2);
    tensor((view){4, 0, 8, 4, 0}, 16, NULL, 32); /* expanded */
    tensor((view){4, 0, (int64_t)1 << 29, 4, 0}, 16, "more values than any checkpoint", 0);
    tensor((view){most, 0, 2, 2, 2}, 16, "a storage is too large", 0);
    tensor((view){-1, 0, 2, 2, 2}, 16, "a persistent id that is no storage", 0);
    p.n = 0;
    put_state(&p, &(view){4, 0, 2, 2, 2});
    read_archive((member[]){{"m/data.pkl", p.v, p.n}}, 1, "its storage is not in the file", 0);
    read_archive((member[]){{"m/data.pkl", p.v, p.n}, {"data/0", p.v, 16}}, 2, "its storage is not in the file", 0);
}

TEST(members)
{
    static archive p;
    p.n = 0;
    put_state(&p, &(view){4, 0, 2, 2, 2});
    const member pickle = {"m/data.pkl", p.v, p.n}, storage = {"m/data/0", p.v, 16};
    read_archive((member[]){pickle, storage, {"m/byteorder", "little", 6}}, 3, NULL, 4);
    read_archive((member[]){pickle, storage, {"m/byteorder", "big", 3}}, 3, "written on a big-endian machine", 0);
    read_archive((member[]){pickle, storage, {"m/byteorder", "m\x1b", 2}}, 3, "its byteorder is \"m", 0);
    read_archive((member[]){pickle, storage, {"m/byteorder", "", 0}}, 3, "its byteorder is \"\"", 0);
    read_archive((member[]){pickle, storage, {"m/byteorder", p.v, 65}}, 3, "larger than it has any reason to be", 0);
    read_archive((member[]){pickle, storage, {"data.pkl", p.v, p.n}}, 3, "two members are called data.pkl", 0);
    read_archive((member[]){pickle, storage, {"other/data.pkl", p.v, p.n}}, 3, "two members are called data.pkl", 0);
    read_archive((member[]){pickle, storage, {"m/x/data.pkl", p.v, p.n}}, 3, NULL, 4); /* deeper: not the file's own */
    read_archive((member[]){storage}, 1, "a zip archive without data.pkl", 0);
    read_archive((member[]){pickle, storage, {"m/constants.pkl", p.v, 2}}, 3, "a TorchScript archive", 0);
    read_archive((member[]){pickle, storage, {"m/code/x.py", p.v, 2}}, 3, "a TorchScript archive", 0);
}

TEST(roots)
{
    static archive p;
    read_archive((member[]){{"m/data.pkl", "\x80\2K\1.", 5}}, 1, "without a state dict", 0);
    read_archive((member[]){{"m/data.pkl", "\x80\2N.", 4}}, 1, "without a state dict", 0);
    p.n = 0;
    PUT(&p, "\x80\2");
    put_tensor(&p, &(view){4, 0, 2, 2, 2});
    PUT(&p, ".");
    read_archive((member[]){{"m/data.pkl", p.v, p.n}, {"m/data/0", p.v, 16}}, 2, "a single tensor, not a state dict",
                 0);
    p.n = 0; /* OrderedDict([("w", tensor)]), which no torch writes and Python reads */
    PUT(&p, "\x80\2ccollections\nOrderedDict\n(](");
    put_text(&p, "w");
    put_tensor(&p, &(view){4, 0, 2, 2, 2});
    PUT(&p, "\x86\x65tR."); /* a pair, appended, as the one argument */
    read_archive((member[]){{"m/data.pkl", p.v, p.n}, {"m/data/0", p.v, 16}}, 2, NULL, 4);
}
