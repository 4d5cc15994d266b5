/* Names that a file's author has chosen so that a hash of them is one and the same: 65,536 tensors open as fast as any. */
#include "core/alloc.h"
#include "core/hash.h"
#include "graph/graph.h"
#include "harness/check.h"
#include "weights/reader.h"
#include "weights/safetensors.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEVELS 16
#define BITS   ((1u << 18) - 1)
#define NAMES  (1u << LEVELS)

static char parts[LEVELS][2][9]; /* of each level two texts that lead to the same hash (its lower bits) */
static char (*names)[4 * LEVELS + 1];

/* Some 500 texts are enough to find two, level by level; any choice of one of each level is a name. */
static void find_parts(void)
{
    uint32_t *seen = calloc(BITS + 1, sizeof *seen);
    uint64_t h = MB_FNV1A64_BASIS;
    CHECK(seen != NULL);
    for (int level = 0; level < LEVELS; level++) {
        bool found = false;
        memset(seen, 0, (BITS + 1) * sizeof *seen);
        for (uint32_t i = 1; i < 65536 && !found; i++) {
            char text[9];
            (void)snprintf(text, sizeof text, "%04x", i);
            const uint64_t next = mb_fnv1a64(h, text, 4);
            found = seen[next & BITS] != 0;
            if (found) {
                (void)snprintf(parts[level][0], 9, "%04x", seen[next & BITS]);
                (void)snprintf(parts[level][1], 9, "%04x", i);
                h = next;
            }
            seen[next & BITS] = i;
        }
        CHECK(found);
    }
    free(seen);
}

static void make_names(void)
{
    names = malloc(NAMES * sizeof names[0]);
    CHECK(names != NULL);
    find_parts();
    for (uint32_t i = 0; i < NAMES; i++) {
        for (int level = 0; level < LEVELS; level++) {
            memcpy(names[i] + 4 * level, parts[level][i >> level & 1], 5);
        }
    }
    const uint64_t one = mb_fnv1a64(MB_FNV1A64_BASIS, names[0], 4 * LEVELS),
                   other = mb_fnv1a64(MB_FNV1A64_BASIS, names[NAMES - 1], 4 * LEVELS);
    CHECK((one & BITS) == (other & BITS) && strcmp(names[0], names[NAMES - 1]) != 0);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* With a hash table this took half a minute; 2 s are for a slow machine under sanitizers. */
static void check_time(double start)
{
    CHECK_MSG(seconds() - start < 2.0, "%.1f s", seconds() - start);
}

SETUP
{
    make_names();
}

TEARDOWN
{
    free(names);
}

TEST(safetensors)
{
    char *file = malloc(8 + NAMES * (4 * LEVELS + 64));
    mb_safetensors *s = NULL;
    size_t n = 8;
    CHECK(file != NULL);
    for (uint32_t i = 0; i < NAMES; i++) {
        n += (size_t)sprintf(file + n, "%c\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                             i == 0 ? '{' : ',', names[i]);
    }
    file[n++] = '}';
    const uint64_t length = n - 8;
    memcpy(file, &length, sizeof length);
    const double start = seconds();
    CHECK(mb_safetensors_open_memory(&s, file, n, NULL) == MB_OK);
    CHECK(strcmp(mb_safetensors_find(s, names[777])->name, names[777]) == 0 && mb_safetensors_find(s, "x") == NULL);
    check_time(start);
    mb_safetensors_free(s);
    free(file);
}

/* Each is asked for twice, as the two passes of a backbone do. */
static void check_graph(const mb_weights *w)
{
    mb_graph *g = NULL;
    REQUIRE(mb_graph_create(&g, w, NULL) == MB_OK);
    const double start = seconds();
    for (uint32_t i = 0; i < 2 * NAMES; i++) {
        const int id = mb_graph_weight(g, names[i % NAMES]);
        if (!CHECK_MSG(id == (int)(i % NAMES), "%u: value %d", i, id)) {
            break;
        }
    }
    check_time(start);
    mb_graph_free(g);
}

/* Metadata in the order of the file, as they are when a model is converted again; a second value replaces the first. */
TEST(keys)
{
    enum { KEYS = 300000 };
    mbw_writer *w = NULL;
    mb_weights *opened = NULL;
    void *data = NULL;
    size_t n = 0;
    const double start = seconds();
    CHECK(mbw_writer_create(&w, NULL) == MB_OK && mbw_writer_meta(w, "zz", "last", NULL) == MB_OK);
    for (int i = 0; i < 2 * KEYS; i++) {
        char key[20];
        (void)snprintf(key, sizeof key, "k%06d", i % KEYS);
        CHECK(mbw_writer_meta(w, key, i < KEYS ? "a" : "b", NULL) == MB_OK);
    }
    CHECK(mbw_writer_start_memory(w, NULL) == MB_OK && mbw_writer_finish_memory(w, &data, &n, NULL) == MB_OK);
    mbw_writer_free(w);
    check_time(start);
    CHECK(mb_weights_open_owned(&opened, data, n, NULL) == MB_OK && mb_weights_meta_count(opened) == KEYS + 1);
    CHECK(strcmp(mb_weights_meta(opened, "k000777"), "b") == 0 && strcmp(mb_weights_meta(opened, "zz"), "last") == 0);
    mb_weights_free(opened);
}

TEST(model)
{
    mbw_writer *w = NULL;
    mb_weights *opened = NULL;
    void *data = NULL;
    size_t n = 0;
    const int64_t one = 1;
    CHECK(mbw_writer_create(&w, NULL) == MB_OK);
    for (uint32_t i = 0; i < NAMES; i++) {
        CHECK(mbw_writer_tensor(w, names[i], MB_F16, 1, &one, NULL) == MB_OK);
    }
    CHECK(mbw_writer_start_memory(w, NULL) == MB_OK);
    for (uint32_t i = 0; i < NAMES; i++) {
        CHECK(mbw_writer_data(w, "\0", 2, NULL) == MB_OK);
    }
    CHECK(mbw_writer_finish_memory(w, &data, &n, NULL) == MB_OK);
    mbw_writer_free(w);
    const double start = seconds();
    CHECK(mb_weights_open_owned(&opened, data, n, NULL) == MB_OK);
    CHECK(strcmp(mb_weights_find(opened, names[777])->name, names[777]) == 0);
    check_time(start);
    check_graph(opened);
    mb_weights_free(opened);
}
