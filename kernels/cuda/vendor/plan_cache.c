/* The file: 16 bytes "mattebox plans 2", then records of kind, bytes (u32 each), key hash, hash of the value (u64 each)
 * and the value, little endian as the machine; the first record that does not check ends the reading. */
#include "cuda/vendor/plan_cache.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/os_file.h"
#include "core/os_process.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number changes with the meaning of keys or values. */
#define MAGIC      "mattebox plans 2"
#define MOST_BYTES ((size_t)16 << 20)
#define MOST_VALUE ((size_t)1 << 20)
#define PATH_BYTES 1024

/* Before each value in the file; check is the hash of the value. */
typedef struct record {
    uint32_t kind, bytes;
    uint64_t key, check;
} record;

/* The whole file in memory: it is some hundred kilobytes. */
struct mb_plan_cache {
    char path[PATH_BYTES];
    unsigned char *data; /* the file's contents after the magic, and what was added */
    size_t bytes, capacity;
    bool changed;
};

/* Keys are not stored: 64 bits of hash are enough for some hundred records. */
static uint64_t hash_key(uint32_t kind, const void *key, size_t bytes)
{
    return mb_fnv1a64(mb_fnv1a64(MB_FNV1A64_BASIS, &kind, sizeof kind), key, bytes);
}

/* The record at `at`, or false at the end or where the rest is not sound. */
static bool read_record(record *r, const mb_plan_cache *c, size_t at)
{
    if (at > c->bytes || c->bytes - at < sizeof *r) {
        return false;
    }
    memcpy(r, c->data + at, sizeof *r);
    return r->bytes <= MOST_VALUE && r->bytes <= c->bytes - at - sizeof *r;
}

/* Where records stop being sound. */
static size_t sound_bytes(const mb_plan_cache *c)
{
    record r;
    size_t at = 0;
    while (read_record(&r, c, at) && r.check == mb_hash64(c->data + at + sizeof r, r.bytes)) {
        at += sizeof r + r.bytes;
    }
    return at;
}

/* MATTEBOX_CACHE (empty: no cache), else the user's folder for caches; made if it is not there. */
static bool make_path(char path[PATH_BYTES], const char *title)
{
    const char *own = mb_os_env("MATTEBOX_CACHE");
    char folder[PATH_BYTES];
    int n = own != NULL && own[0] != '\0' ? snprintf(folder, sizeof folder, "%s", own) : -1;
    if (own != NULL ? n < 0 || (size_t)n >= sizeof folder
                    : !mb_os_user_folder(folder, sizeof folder, MB_OS_CACHE, "mattebox")) {
        return false;
    }
    (void)mb_os_make_folders(folder); /* failure shows when the file is written */
    n = snprintf(path, PATH_BYTES, "%s/%s.plans", folder, title);
    if (n < 0 || n >= PATH_BYTES) {
        return false;
    }
    for (char *p = path + strlen(folder) + 1; *p != '\0'; p++) { /* names of GPUs have blanks */
        *p = isalnum((unsigned char)*p) || *p == '.' || *p == '-' ? *p : '_';
    }
    return true;
}

/* The sound records of the file; no file is as good as an empty one. */
static void read_records(mb_plan_cache *c)
{
    void *file = NULL;
    size_t bytes = 0, magic = strlen(MAGIC);
    mb_error unread = {0};
    if (mb_read_file(&file, &bytes, c->path, MOST_BYTES, &unread) == MB_OK && bytes >= magic &&
        memcmp(file, MAGIC, magic) == 0) {
        /* The file's memory becomes the cache's, without the magic. */
        memmove(file, (unsigned char *)file + magic, bytes - magic);
        c->data = file;
        c->bytes = bytes - magic;
        c->capacity = bytes;
        c->bytes = sound_bytes(c);
    } else {
        mb_free(file);
    }
}

/* A file that is not there, damaged or foreign is an empty cache; it is replaced at the first save. */
mb_status mb_plan_cache_open(mb_plan_cache **out, const char *title, mb_error *err)
{
    *out = NULL;
    mb_plan_cache *c = mb_calloc(1, sizeof *c);
    if (c == NULL) {
        return mb_fail_memory(err, sizeof *c, "the cache of plans");
    }
    if (!make_path(c->path, title)) {
        mb_free(c);
        return MB_OK;
    }
    read_records(c);
    *out = c;
    return MB_OK;
}

/* Written under a temporary name and renamed: readers see the old file or the new one. */
void mb_plan_cache_save(mb_plan_cache *c)
{
    mb_output *o = NULL;
    mb_error unsaved = {0};
    if (c == NULL || !c->changed || mb_output_open(&o, c->path, true, 0, &unsaved) != MB_OK) {
        return;
    }
    mb_status status = mb_output_write(o, MAGIC, strlen(MAGIC), &unsaved);
    if (status == MB_OK) {
        status = mb_output_write(o, c->data, c->bytes, &unsaved);
    }
    if (status != MB_OK) {
        mb_output_abort(o);
        return;
    }
    c->changed = mb_output_commit(o, &unsaved) != MB_OK; /* then the next process does the work again */
}

/* NULL is fine. */
void mb_plan_cache_close(mb_plan_cache *c)
{
    if (c == NULL) {
        return;
    }
    mb_plan_cache_save(c);
    mb_free(c->data);
    mb_free(c);
}

/* Where the record of a key begins; c->bytes: nowhere. */
static size_t find(const mb_plan_cache *c, uint32_t kind, uint64_t key)
{
    record r;
    size_t at = 0;
    while (read_record(&r, c, at) && !(r.kind == kind && r.key == key)) {
        at += sizeof r + r.bytes;
    }
    return read_record(&r, c, at) ? at : c->bytes;
}

/* The value behind the record, in the cache's own memory. */
const void *mb_plan_cache_get(const mb_plan_cache *c, uint32_t kind, const void *key, size_t key_bytes, size_t *bytes)
{
    record r;
    *bytes = 0;
    if (c == NULL) {
        return NULL;
    }
    size_t at = find(c, kind, hash_key(kind, key, key_bytes));
    if (at == c->bytes || !read_record(&r, c, at)) {
        return NULL;
    }
    *bytes = r.bytes;
    return c->data + at + sizeof r;
}

/* Doubles the memory, so that puts are cheap. False: out of memory, nothing changed. */
static bool make_room(mb_plan_cache *c, size_t more)
{
    if (c->bytes + more <= c->capacity) {
        return true;
    }
    size_t capacity = 2 * (c->bytes + more);
    unsigned char *data = mb_alloc(capacity);
    if (data == NULL) {
        return false;
    }
    if (c->bytes > 0) {
        memcpy(data, c->data, c->bytes);
    }
    mb_free(c->data);
    c->data = data;
    c->capacity = capacity;
    return true;
}

/* Replaces the record of its key. */
static void put_record(mb_plan_cache *c, const record *r, const void *value)
{
    /* Records of another length cannot be written in place. */
    record old;
    size_t at = find(c, r->kind, r->key), length = sizeof *r + r->bytes;
    /* Beyond this a reader would not take the file. */
    if (length > MOST_BYTES - strlen(MAGIC) || c->bytes > MOST_BYTES - strlen(MAGIC) - length) {
        return;
    }
    /* The old record goes, the new one comes at the end. */
    if (at < c->bytes && read_record(&old, c, at)) {
        size_t gone = sizeof old + old.bytes;
        memmove(c->data + at, c->data + at + gone, c->bytes - at - gone);
        c->bytes -= gone;
    }
    if (make_room(c, length)) {
        memcpy(c->data + c->bytes, r, sizeof *r);
        memcpy(c->data + c->bytes + sizeof *r, value, r->bytes);
        c->bytes += length;
        c->changed = true;
    }
}

/* Values that are too large are not kept. */
void mb_plan_cache_put(mb_plan_cache *c, uint32_t kind, const void *key, size_t key_bytes, const void *value,
                       size_t bytes)
{
    if (c != NULL && bytes <= MOST_VALUE) {
        record r = {kind, (uint32_t)bytes, hash_key(kind, key, key_bytes), mb_hash64(value, bytes)};
        put_record(c, &r, value);
    }
}

/* Merges the file into what we have; records of the file win. */
void mb_plan_cache_refresh(mb_plan_cache *c)
{
    if (c == NULL) {
        return;
    }
    mb_plan_cache *now = mb_calloc(1, sizeof *now);
    if (now != NULL) {
        memcpy(now->path, c->path, sizeof now->path);
        read_records(now);
        bool changed = c->changed;
        record r;
        for (size_t at = 0; read_record(&r, now, at); at += sizeof r + r.bytes) {
            put_record(c, &r, now->data + at + sizeof r);
        }
        c->changed = changed; /* what came from the file need not go back */
        mb_free(now->data);
    }
    mb_free(now);
}

/* For tools that list a cache. */
const void *mb_plan_cache_at(const mb_plan_cache *c, size_t *at, uint32_t *kind, size_t *bytes)
{
    record r;
    if (c == NULL || !read_record(&r, c, *at)) {
        return NULL;
    }
    const void *value = c->data + *at + sizeof r;
    *kind = r.kind;
    *bytes = r.bytes;
    *at += sizeof r + r.bytes;
    return value;
}
