/* What somebody would try who has read the readers of checkpoints and models: each of these was let through once, cost hours or
 * gigabytes, or ended the program. */
#define _GNU_SOURCE
#include "backbone.h"
#include "harness/archive.h"
#include "harness/check.h"
#include "manager/catalogue.h"
#include "manager/http_answer.h"
#include "models/registry.h"
#include "pickle.h"
#include "source.h"
#include "tool.h"
#include "weights/safetensors.h"
#include "writer.h"
#include "zip.h"

#include "core/alloc.h"
#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-attacks-XXXXXX";
static archive bytes; /* of the file that is being made */

static const char *in_folder(const char *name)
{
    static char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

#define PUT(archive, text) archive_put(archive, text, sizeof(text) - 1) /* without the closing zero */

static void put_text(archive *a, const char *text)
{
    archive_put(a, text, strlen(text));
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Control characters, which a terminal would obey; line feeds are ours. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 32 && *text != '\n') || *text == 127) {
            return false;
        }
    }
    return true;
}

/* `part` NULL: it opens. The file is `bytes`, and is used up. */
static void opens(const char *name, const char *part)
{
    source *s = NULL;
    mb_error err = {0};
    char path[300];
    (void)snprintf(path, sizeof path, "%s", in_folder(name));
    REQUIRE(mb_write_file(path, bytes.v, bytes.n, true, NULL) == MB_OK);
    const mb_status status = source_open(&s, path, &err);
    if (part == NULL) {
        CHECK_OK(status, err);
    } else {
        CHECK_MSG(status != MB_OK && strstr(err.message, part) != NULL, "wanted %s, got %d %s", part, status,
                  err.message);
        CHECK_MSG(is_printable(err.message), "%s", err.message);
    }
    source_free(s);
    (void)unlink(path);
    bytes.n = 0;
}

/* A safetensors file of this header and zeros behind it. */
static void put_safetensors(const char *header, size_t n_data)
{
    archive_number(&bytes, strlen(header), 8);
    put_text(&bytes, header);
    archive_number(&bytes, 0, n_data);
}

/* ---- pickles */

/* A text of a megabyte that is named as a class a hundred thousand times: all of it was looked at each time. */
TEST(long_names_of_classes)
{
    enum { LONG = 1 << 20, TIMES = 100000 };
    archive p = {0};
    pickle k;
    mb_error err = {0};
    char *name = malloc(LONG);
    REQUIRE(name != NULL);
    memset(name, 'A', LONG);
    PUT(&p, "\x80\4\x8c\1mq\0"
            "0X");
    archive_number(&p, LONG, 4);
    archive_put(&p, name, LONG);
    PUT(&p, "q\1"
            "0");
    for (int i = 0; i < TIMES; i++) {
        PUT(&p, "h\0h\1\x93"
                "0");
    }
    PUT(&p, "N.");
    const double start = seconds();
    CHECK_EQ(pickle_read(&k, p.v, p.n, &err), MB_E_FORMAT);
    CHECK_MSG(strstr(err.message, "asks to call") != NULL && strlen(err.message) < sizeof err.message - 1, "%s",
              err.message);
    CHECK_MSG(seconds() - start < 1.0, "%.2f s", seconds() - start);
    free(name);
    free(p.v);
}

/* A storage's key is looked up for each tensor; one of a megabyte, or with a zero byte in it, is none that torch writes. */
static mb_status read_storage(const char *key, size_t n, int64_t count)
{
    archive p = {0};
    pickle k;
    mb_error err = {0};
    PUT(&p, "\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX");
    archive_number(&p, n, 4);
    archive_put(&p, key, n);
    PUT(&p, "X\3\0\0\0cpu\x8a\x08");
    archive_number(&p, (uint64_t)count, 8);
    PUT(&p, "tQ.");
    const mb_status status = pickle_read(&k, p.v, p.n, &err);
    CHECK_MSG(status == MB_OK || strstr(err.message, "storage") != NULL, "%s", err.message);
    if (status == MB_OK) {
        CHECK(k.root->kind == PICKLE_STORAGE && k.root->u.storage.bytes == 4 * (uint64_t)count);
        pickle_dispose(&k);
    }
    free(p.v);
    return status;
}

TEST(keys_of_storages)
{
    char key[400];
    memset(key, '7', sizeof key);
    CHECK_EQ(read_storage("0", 1, 3), MB_OK);
    CHECK_EQ(read_storage("94205374", 8, ((int64_t)1 << 32) + 1), MB_OK); /* more than 32 bits count stays that */
    CHECK_EQ(read_storage("0\0x", 3, 3), MB_E_FORMAT);
    CHECK_EQ(read_storage("", 0, 3), MB_E_FORMAT);
    CHECK_EQ(read_storage("a\x1b[2J", 5, 3), MB_E_FORMAT);
    CHECK_EQ(read_storage(key, sizeof key, 3), MB_E_FORMAT);
    CHECK_EQ(read_storage("0", 1, INT64_MAX), MB_E_FORMAT);
}

/* ---- zip archives that two readers could read as two */

static void zip(const char *part)
{
    zip_archive z;
    mb_error err = {0};
    const mb_status status = zip_open(&z, bytes.v, bytes.n, &err);
    if (part == NULL) {
        CHECK_OK(status, err);
    } else {
        CHECK_MSG(status == MB_E_FORMAT && strstr(err.message, part) != NULL, "wanted %s, got %d %s", part, status,
                  err.message);
    }
    if (status == MB_OK) {
        zip_dispose(&z);
    }
    bytes.n = 0;
}

static void put_members(archive_member m[2], size_t gap)
{
    m[0] = (archive_member){.name = "a/data.pkl", .packed = 4, .bytes = 4, .flags = gap > 0 ? 8 : 0};
    m[1] = (archive_member){.name = "a/data/0", .packed = 4, .bytes = 4, .extra = 20};
    archive_local(&bytes, &m[0], "1234");
    archive_number(&bytes, 0, gap);
    archive_local(&bytes, &m[1], "5678");
}

TEST(hidden_in_gaps)
{
    archive_member m[2];
    put_members(m, 0);
    archive_directory(&bytes, m, 2);
    zip(NULL);
    put_members(m, 24); /* a data descriptor */
    archive_directory(&bytes, m, 2);
    zip(NULL);
    put_members(m, 25);
    archive_directory(&bytes, m, 2);
    zip("hides");
    put_members(m, 16);
    m[0].flags = 0; /* no descriptor is announced: then there is none */
    bytes.v[m[0].offset + 6] = 0;
    archive_directory(&bytes, m, 2);
    zip("hides");
    put_members(m, 0);
    archive_directory(&bytes, m + 1, 1); /* the first is not in the directory */
    zip("hides");
    put_members(m, 0);
    archive_directory(&bytes, m, 1); /* the last is not */
    zip("hides");
    put_text(&bytes, "#!/bin/sh\n");
    put_members(m, 0);
    archive_directory(&bytes, m, 2);
    zip("hides");
}

/* The second member's header lies in the first one's data and reaches out of them by its extra field. */
TEST(headers_in_data)
{
    archive inner = {0};
    archive_member second = {.name = "a/data/0", .packed = 4, .bytes = 4, .extra = 80};
    archive_local(&inner, &second, "5678");
    archive_member m[2] = {{.name = "a/data.pkl", .packed = 50, .bytes = 50}, second};
    archive_local(&bytes, &m[0], inner.v); /* of which 50 bytes are "data" */
    m[1].offset = bytes.n - 50;
    archive_put(&bytes, inner.v + 50, inner.n - 50);
    archive_directory(&bytes, m, 2);
    zip("overlaps");
    free(inner.v);
}

TEST(two_end_records)
{
    archive_member m[2];
    put_members(m, 0);
    archive_directory64(&bytes, m, 2);
    zip(NULL);
    static const struct {
        size_t from_end;
        uint8_t value;
    } fields[] = {{14, 1}, {12, 1}, {10, 0}, {6, 0}}; /* places of the plain record: counts, size, offset */
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        put_members(m, 0);
        archive_directory64(&bytes, m, 2);
        bytes.v[bytes.n - fields[i].from_end] = fields[i].value;
        if (fields[i].from_end == 14 || fields[i].from_end == 12) { /* both counts, else it is "in several parts" */
            memcpy(bytes.v + bytes.n - 14, "\1\0\1\0", 4);
        }
        zip("two directories");
    }
}

/* ---- checkpoints */

/* 2 MB that say they are 1.6 GB: within what deflate can do, and nothing that weights do. */
TEST(unpacked_gigabytes)
{
    enum { PACKED = 2000000, CLAIMED = 1600000000 };
    archive p = {0};
    static uint8_t zeros[PACKED];
    PUT(&p, "\x80\2}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
            "X\1\0\0\0"
            "0X\3\0\0\0cpuJ");
    archive_number(&p, CLAIMED / 4, 4);
    PUT(&p, "tQK\0K\2K\2\x86K\2K\1\x86\x89}tRs.");
    archive_member m[2] = {{.name = "a/data.pkl", .packed = p.n, .bytes = p.n},
                           {.name = "a/data/0", .packed = PACKED, .bytes = CLAIMED, .method = 8, .crc = 1}};
    m[0].crc = 0;
    m[1].crc = 0; /* no checksums at all, as torch can write it */
    archive_local(&bytes, &m[0], p.v);
    archive_local(&bytes, &m[1], zeros);
    archive_directory(&bytes, m, 2);
    opens("a.pth", "unpack to more than 1.1 GB");
    free(p.v);
}

/* ".attn.q." twice in a name: the key of one was the query of another, and taken twice. */
TEST(joined_twice)
{
    static const char *const parts[] = {"q.attn.q", "k.attn.q", "v.attn.q", "k.attn.k", "k.attn.v"};
    char header[2000] = "{";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const size_t at = strlen(header);
        (void)snprintf(header + at, sizeof header - at,
                       "%s\"bb.layers.0.blocks.0.attn.%s.weight\":{\"dtype\":\"F32\",\"shape\":[2],"
                       "\"data_offsets\":[%zu,%zu]}",
                       i > 0 ? "," : "", parts[i], 8 * i, 8 * i + 8);
    }
    put_text(&bytes, "");
    put_safetensors(strcat(header, "}"), 40);
    opens("a.safetensors", NULL);
}

/* An empty tensor may have any width in its other dimensions, and widths are multiplied. */
TEST(widths_of_empty_tensors)
{
    source *s = NULL;
    put_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[144115188075855872,0],\"data_offsets\":[0,0]},"
                    "\"b\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[0,12]}}",
                    12);
    REQUIRE(mb_write_file(in_folder("a.safetensors"), bytes.v, bytes.n, true, NULL) == MB_OK);
    bytes.n = 0;
    REQUIRE(source_open(&s, in_folder("a.safetensors"), NULL) == MB_OK);
    CHECK(arch_dim(s, "a", 0, 96) == 96 && arch_dim(s, "a", 1, 97) == 97 && arch_dim(s, "a", 2, 98) == 98);
    CHECK(arch_dim(s, "b", 0, 96) == 3 && arch_dim(s, "c", 0, 95) == 95);
    source_free(s);
    (void)unlink(in_folder("a.safetensors"));
}

static void index_of(const char *name)
{
    put_text(&bytes, "{\"weight_map\":{\"a\":\"");
    put_text(&bytes, name);
    put_text(&bytes, "\"}}");
}

TEST(names_in_an_index)
{
    static const char *const outside[] = {"..\\\\x.safetensors", "a\\\\..\\\\..\\\\x.safetensors", "C:x.safetensors",
                                          "/x.safetensors",      "a\\u001b[2J.safetensors",        "."};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        index_of(outside[i]);
        opens("x.json", "outside its folder");
    }
    put_safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4);
    REQUIRE(mb_write_file(in_folder("p.safetensors"), bytes.v, bytes.n, true, NULL) == MB_OK);
    bytes.n = 0;
    put_text(&bytes, "{\"weight_map\":{\"b\\u001b[2J\":\"p.safetensors\"}}"); /* shown, but not as it is */
    opens("x.json", "b\\x1b[2J should be in p.safetensors");
    put_text(&bytes, "{\"weight_map\":{");
    for (int i = 0; i <= 65536; i++) {
        char entry[60];
        (void)snprintf(entry, sizeof entry, "%s\"%d\":\"p.safetensors\"", i > 0 ? "," : "", i);
        put_text(&bytes, entry);
    }
    put_text(&bytes, "}}");
    opens("x.json", "more than 65536 tensors");
    (void)unlink(in_folder("p.safetensors"));
}

/* Paths were cut at 1,200 bytes without a word. */
TEST(long_paths)
{
    char path[3000], *at = path;
    source *s = NULL;
    mb_error err = {0};
    put_safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4);
    REQUIRE(mb_write_file(in_folder("p.safetensors"), bytes.v, bytes.n, true, NULL) == MB_OK);
    bytes.n = 0;
    index_of("p.safetensors");
    REQUIRE(mb_write_file(in_folder("x.json"), bytes.v, bytes.n, true, NULL) == MB_OK);
    bytes.n = 0;
    at += sprintf(at, "%s", folder);
    for (int i = 0; i < 1000; i++) {
        at += sprintf(at, "/.");
    }
    (void)sprintf(at, "/p.safetensors");
    CHECK_OK(source_open(&s, path, &err), err);
    source_free(s);
    (void)sprintf(at, "/x.json");
    CHECK_OK(source_open(&s, path, &err), err);
    source_free(s);
    (void)unlink(in_folder("p.safetensors"));
    (void)unlink(in_folder("x.json"));
}

/* ---- words of files that are shown */

TEST(escapes_of_terminals)
{
    mbw_writer *w = NULL;
    void *data = NULL;
    size_t n = 0;
    mb_weights *opened = NULL;
    const mb_architecture *arch = NULL;
    mb_error err = {0};
    REQUIRE(mbw_writer_create(&w, NULL) == MB_OK && mbw_writer_meta(w, "arch.family", "a\x1b]0;b\7", NULL) == MB_OK);
    REQUIRE(mbw_writer_start_memory(w, NULL) == MB_OK && mbw_writer_finish_memory(w, &data, &n, NULL) == MB_OK);
    mbw_writer_free(w);
    REQUIRE(mb_weights_open_owned(&opened, data, n, NULL) == MB_OK);
    CHECK_EQ(mb_registry_find(&arch, opened, &err), MB_E_MISMATCH);
    CHECK_MSG(is_printable(err.message) && strstr(err.message, "a\\x1b]0;b\\x07") != NULL, "%s", err.message);
    mb_weights_free(opened);

    char name[] = "mattebox-weights", command[] = "inspect", file[] = "/nowhere/a\x1b[2J.pth";
    char *argv[] = {name, command, file, NULL}, *text = NULL;
    FILE *out = open_memstream(&text, &n);
    REQUIRE(out != NULL);
    CHECK(tool_main(3, argv, out, out) != EXIT_OK);
    (void)fclose(out);
    CHECK_MSG(is_printable(text) && strstr(text, "a\\x1b[2J.pth") != NULL, "%s", text);
    free(text);

    catalogue c;
    static const char entry[] = "model a\n address https://h/a\n file a.pth\n note %s\n";
    static const char *const notes[] = {"plain, \xc3\xa4", "clear\x1b[2J", "not \xff text",
                                        "c1 \xc2\x9b"
                                        "2J"};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        char *copy = mb_alloc(200);
        REQUIRE(copy != NULL);
        (void)snprintf(copy, 200, entry, notes[i]);
        err = (mb_error){0};
        CHECK_MSG((catalogue_parse(&c, copy, &err) == MB_OK) == (i == 0) && is_printable(err.message), "%zu: %s", i,
                  err.message);
        catalogue_dispose(&c);
    }
}

/* What a server calls its file goes back to it in a request of ours. */
TEST(tags_of_servers)
{
    static const struct {
        const char *line;
        bool kept;
    } lines[] = {{"ETag: \"abc-1\"\r\n", true}, {"ETag: \"\"\r\n", true},      {"ETag: \"a\rX-Evil: 1\"\r\n", false},
                 {"ETag: \"a b\"\r\n", false},  {"ETag: \"a\"b\"\r\n", false}, {"ETag: \"a\r\n", false},
                 {"ETag: W/\"a\"\r\n", false},  {"ETag: \"a\x7f\"\r\n", false}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        http_answer a;
        http_answer_reset(&a);
        http_answer_line(&a, lines[i].line, strlen(lines[i].line));
        CHECK_MSG((a.etag[0] != '\0') == lines[i].kept, "%zu: %s", i, a.etag);
    }
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
}

TEARDOWN
{
    free(bytes.v);
    CHECK(rmdir(folder) == 0);
}
