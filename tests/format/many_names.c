/* Names that a file's author has chosen so that a hash of them is one and the same: 65,536 tensors open as fast as any. */
#include "core/alloc.h"
#include "core/hash.h"
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

TEST(safetensors)
{
    make_names();
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

TEST(model)
{
    mbw_writer *w = NULL;
    mb_weights *opened = NULL;
    void *data = NULL;
    size_t n = 0;
    const int64_t none = 0;
    CHECK(mbw_writer_create(&w, NULL) == MB_OK);
    for (uint32_t i = 0; i < NAMES; i++) {
        CHECK(mbw_writer_tensor(w, names[i], MB_F32, 1, &none, NULL) == MB_OK);
    }
    CHECK(mbw_writer_start_memory(w, NULL) == MB_OK && mbw_writer_finish_memory(w, &data, &n, NULL) == MB_OK);
    mbw_writer_free(w);
    const double start = seconds();
    CHECK(mb_weights_open_owned(&opened, data, n, NULL) == MB_OK);
    CHECK(strcmp(mb_weights_find(opened, names[777])->name, names[777]) == 0);
    check_time(start);
    mb_weights_free(opened);
    free(names);
}
