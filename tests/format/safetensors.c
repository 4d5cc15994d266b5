/* safetensors: written and read back; each rule of the format broken once; every cut; flips never worse than a refusal.
 */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "harness/check.h"
#include "source.h"
#include "weights/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-st-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][300];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* A file of this header (its length put in front) and n bytes of data. */
static uint8_t *make(const char *header, size_t n_data, size_t *n)
{
    size_t length = strlen(header);
    uint8_t *p = calloc(1, 8 + length + n_data);
    for (int i = 0; i < 8; i++) {
        p[i] = (uint8_t)((uint64_t)length >> (8 * i));
    }
    memcpy(p + 8, header, length);
    *n = 8 + length + n_data;
    return p;
}

static bool accepts(const char *header, size_t n_data)
{
    size_t n;
    mb_safetensors *s;
    mb_error err = {0};
    uint8_t *p = make(header, n_data, &n);
    bool ok = mb_safetensors_open_memory(&s, p, n, &err) == MB_OK;
    CHECK_MSG(ok == (err.message[0] == '\0'), "%s", err.message);
    mb_safetensors_free(s);
    free(p);
    return ok;
}

/* Nothing is 0 x 2^62 x 8, too, but the strides of such a tensor would overflow. */
TEST(empty_and_huge)
{
    CHECK(accepts("{\"a\":{\"dtype\":\"F32\",\"shape\":[0,1000000],\"data_offsets\":[0,0]}}", 0));
    CHECK(!accepts("{\"a\":{\"dtype\":\"F32\",\"shape\":[0,4611686018427387904,8],\"data_offsets\":[0,0]}}", 0));
    CHECK(!accepts("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,8,0],\"data_offsets\":[0,0]}}", 0));
}

TEST(rules)
{
    CHECK(accepts("{}", 0) && accepts("{}   ", 0));
    CHECK(accepts("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8));
    CHECK(accepts("{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"data_offsets\":[0,4],\"shape\":[2,1],\"dtype\":\"BF16\"}}",
                  4));
    CHECK(
        accepts("{\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[4,5]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
                "\"data_offsets\":[0,4]}}",
                5));
    CHECK(accepts("{\"__metadata__\":null,\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4));
    static const struct {
        const char *dtype;
        int shape;
        size_t n_data;
    } unread[] = {{"F8_E4M3", 8, 8}, {"F8_E5M2", 8, 8}, {"F8_E8M0", 4, 4}, {"F8_E4M3FNUZ", 3, 3}, {"F8_E5M2FNUZ", 1, 1},
                  {"F6_E2M3", 4, 3}, {"F6_E3M2", 8, 6}, {"F4", 4, 2},      {"C64", 2, 16}};
    for (size_t i = 0; i < sizeof unread / sizeof unread[0];
         i++) { /* sound, and said to be so; never read as numbers */
        char header[200];
        (void)snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}",
                       unread[i].dtype, unread[i].shape, unread[i].n_data);
        CHECK_MSG(accepts(header, unread[i].n_data), "%s", unread[i].dtype);
    }
    static const struct {
        const char *header;
        size_t n_data;
    } bad[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9}, /* something behind */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7}, /* cut short */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]}}", 9}, /* a hole */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8}, /* shape and size */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,0]}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,18446744073709551616]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8},
        {"{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,9]}}", 9},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2},
        {"{\"a\":{\"dtype\":\"C128\",\"shape\":[1],\"data_offsets\":[0,16]}}", 16},
        {"{\"a\":{\"dtype\":\"other\",\"shape\":[1],\"data_offsets\":[0,0]}}", 0},
        {"{\"__metadata__\":{\"k\":null}}", 0}, /* the format's own reader wants text */
        {"{\"__metadata__\":[]}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[6],\"data_"
         "offsets\":[2,8]}}",
         8},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_"
         "offsets\":[4,8]}}",
         8},
        {"{\"\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4},
        {"{\"a\\u0007\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4},
        {"{\"a\":[]}", 0},
        {"{\"__metadata__\":{\"a\":1}}", 0},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0}, /* two, and an empty one is one */
        {"{\"__metadata__\":null,\"__metadata__\":{\"a\":\"b\"}}", 0},
        {"{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}}", 0}, /* the first or the last? */
        {"{} x", 0},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", 0},
        {" {}", 0},
        {"[]", 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_MSG(!accepts(bad[i].header, bad[i].n_data), "%s", bad[i].header);
    }
    mb_safetensors *s;
    static const uint8_t huge[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '{', '}'};
    CHECK_EQ(mb_safetensors_open_memory(&s, huge, sizeof huge, NULL), MB_E_FORMAT);
}

TEST(round_trip)
{
    static const float a[3] = {1, 2, -3};
    static const int64_t b[1] = {-7};
    static const char *const meta[] = {"format", "pt", "note", "line\nbreak \"quoted\" \xc3\xa4"};
    const mb_st_tensor tensors[] = {
        {.name = "b", .dtype = MB_ST_I64, .rank = 0, .data = b, .bytes = 8},
        {.name = "none", .dtype = MB_ST_F16, .rank = 2, .dims = {0, 5}, .bytes = 0},
        {.name = "a", .dtype = MB_ST_F32, .rank = 2, .dims = {3, 1}, .data = a, .bytes = 12}};
    const mb_st_contents contents = {tensors, 3, meta, 2, NULL, NULL};
    mb_safetensors *s;
    mb_error err;
    const char *path = in_folder("a.safetensors");
    CHECK_OK(mb_safetensors_write(path, &contents, false, &err), err);
    CHECK_EQ(mb_safetensors_write(path, &contents, false, NULL), MB_E_ARGUMENT);
    CHECK_OK(mb_safetensors_open(&s, path, &err), err);
    CHECK(mb_safetensors_count(s) == 3 && strcmp(mb_safetensors_at(s, 2)->name, "a") == 0);
    CHECK(strcmp(mb_safetensors_meta(s, "note"), meta[3]) == 0 && mb_safetensors_meta(s, "x") == NULL);
    const mb_st_tensor *t = mb_safetensors_find(s, "a");
    CHECK(t != NULL && t->rank == 2 && t->dims[0] == 3 && memcmp(t->data, a, 12) == 0);
    CHECK(mb_safetensors_find(s, "none")->bytes == 0 && mb_safetensors_find(s, "c") == NULL);
    mb_safetensors_free(s);

    void *data;
    size_t n;
    int cut = 0, opened = 0;
    CHECK_OK(mb_read_file(&data, &n, path, 10000, &err), err);
    for (size_t i = 0; i < n; i++) {
        uint8_t *part = malloc(i + 1);
        memcpy(part, data, i);
        cut += mb_safetensors_open_memory(&s, part, i, NULL) == MB_OK;
        free(part);
        for (int bit = 0; bit < 8; bit++) {
            ((uint8_t *)data)[i] ^= (uint8_t)(1u << bit);
            opened += mb_safetensors_open_memory(&s, data, n, NULL) == MB_OK;
            mb_safetensors_free(s);
            ((uint8_t *)data)[i] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK_MSG(cut == 0 && opened > 0, "%d cut files open, %d flips do (names and data have no checksum here)", cut,
              opened);
    mb_free(data);
}

static void write_text(const char *name, const char *text)
{
    mb_error err;
    CHECK_OK(mb_write_file(in_folder(name), text, strlen(text), true, &err), err);
}

static void refuses(const char *path, const char *part)
{
    source *s;
    mb_error err = {0};
    CHECK_MSG(source_open(&s, path, &err) != MB_OK && strstr(err.message, part) != NULL, "%s: %s", path, err.message);
    source_free(s);
}

TEST(sharded)
{
    static const float v[2] = {1, 2};
    const mb_st_tensor one = {.name = "one", .dtype = MB_ST_F32, .rank = 1, .dims = {2}, .data = v, .bytes = 8};
    const mb_st_tensor two = {.name = "two", .dtype = MB_ST_F32, .rank = 1, .dims = {2}, .data = v, .bytes = 8};
    const mb_st_contents c1 = {&one, 1, NULL, 0, NULL, NULL}, c2 = {&two, 1, NULL, 0, NULL, NULL};
    mb_error err;
    source *s;
    CHECK_OK(mb_safetensors_write(in_folder("m-1.safetensors"), &c1, false, &err), err);
    CHECK_OK(mb_safetensors_write(in_folder("m-2.safetensors"), &c2, false, &err), err);
    write_text(
        "model.safetensors.index.json",
        "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"one\":\"m-1.safetensors\",\"two\":\"m-2.safetensors\"}}");
    CHECK_OK(source_open(&s, folder, &err), err); /* the folder is enough */
    CHECK(s != NULL && source_kind(s) == SOURCE_SHARDED && source_count(s) == 2 && source_find(s, "two") != NULL);
    source_free(s);
    const char *index = in_folder("x.json");
    write_text("x.json", "{\"weight_map\":{\"one\":\"m-2.safetensors\"}}");
    refuses(index, "tensor one should be in m-2.safetensors and is not");
    write_text("x.json", "{\"weight_map\":{\"one\":\"../m-1.safetensors\"}}");
    refuses(index, "outside its folder");
    write_text("x.json", "{\"weight_map\":{\"one\":\"m-3.safetensors\"}}");
    refuses(index, "m-3.safetensors: no such file");
    write_text("x.json", "{\"a\":1}");
    refuses(index, "not an index");
    write_text("x.json", "{\"weight_map\":{");
    refuses(index, "not a valid index");
}

TEST(other_formats)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *part;
    } files[] = {{"GGUF\3\0\0\0xxxxxxxxxxxx", 20, "a GGUF file"},
                 {"\x08\x07\x12\x07pytorch\x1a\x03"
                  "2.1xxxxxx",
                  22, "an ONNX model"},
                 {"\x80\x02}q\0.", 6, "a bare pickle"},
                 {"\x89HDF\r\n\x1a\nxxxx", 12, "an HDF5 file"},
                 {"<!DOCTYPE html><html>", 21, "a web page"},
                 {"version https://git-lfs.github.com/spec/v1\n", 43, "a Git LFS pointer"},
                 {"", 0, "an empty file"},
                 {"hello world, this is text", 25, "not a checkpoint"},
                 {"PK\3\4xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 34, "the zip archive is damaged"}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        mb_error err;
        CHECK_OK(mb_write_file(in_folder("other"), files[i].bytes, files[i].n, true, &err), err);
        refuses(in_folder("other"), files[i].part);
    }
    refuses(in_folder("absent"), "no such file");
    CHECK_EQ(mkdir(in_folder("void"), 0700), 0);
    refuses(in_folder("void"), "a folder without model.safetensors");
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
}

TEARDOWN
{
    char command[600];
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK_EQ(system(command), 0);
}
