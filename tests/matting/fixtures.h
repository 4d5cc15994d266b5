/* Shared by the tests of this folder: golden tensors as pictures and planes, comparisons with a limit and a count. */
#ifndef MB_MATTING_FIXTURES_H
#define MB_MATTING_FIXTURES_H

#include "core/alloc.h"
#include "harness/check.h"
#include "image/raster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A safetensors file in memory. The goldens are our own files: the reader trusts them. */
typedef struct goldens {
    char *bytes, *header;
    const unsigned char *data;
    struct goldens *shared; /* pictures that several files use */
} goldens;

typedef struct golden {
    const void *data;
    int dims[4];
    char dtype[8];
} golden;

static inline goldens goldens_open(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/goldens/%s.safetensors", MB_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    goldens g = {0};
    REQUIRE_MSG(f != NULL, "%s", path);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    g.bytes = malloc(n);
    REQUIRE(g.bytes != NULL && fread(g.bytes, 1, n, f) == n);
    fclose(f);
    uint64_t header;
    memcpy(&header, g.bytes, sizeof header);
    g.header = malloc((size_t)header + 1);
    REQUIRE(g.header != NULL);
    memcpy(g.header, g.bytes + 8, (size_t)header);
    g.header[header] = '\0';
    g.data = (const unsigned char *)g.bytes + 8 + header;
    return g;
}

static inline void goldens_close(goldens *g)
{
    free(g->bytes);
    free(g->header);
    if (g->shared != NULL) {
        goldens_close(g->shared);
        free(g->shared);
    }
}

/* With the pictures of refine_pictures behind it. */
static inline goldens goldens_open_shared(const char *name)
{
    goldens g = goldens_open(name);
    g.shared = malloc(sizeof *g.shared);
    REQUIRE(g.shared != NULL);
    *g.shared = goldens_open("refine_pictures");
    return g;
}

static inline bool golden_find(golden *out, const goldens *g, const char *name)
{
    char key[160];
    snprintf(key, sizeof key, "\"%s\": {\"dtype\": \"", name);
    const char *p = strstr(g->header, key);
    if (p == NULL) {
        return g->shared != NULL && golden_find(out, g->shared, name);
    }
    p += strlen(key);
    *out = (golden){.dims = {1, 1, 1, 1}};
    snprintf(out->dtype, sizeof out->dtype, "%.3s", p[0] == 'U' ? "U8" : p);
    p = strchr(p, '[') + 1;
    for (int i = 0; i < 4 && *p != ']'; i++) {
        out->dims[i] = (int)strtol(p, (char **)&p, 10);
        p += strspn(p, ", ");
    }
    p = strchr(strchr(p, ']'), '[') + 1;
    out->data = g->data + strtoll(p, NULL, 10);
    return true;
}

static inline golden golden_get(const goldens *g, const char *name)
{
    golden t = {0};
    REQUIRE_MSG(golden_find(&t, g, name), "golden %s is missing", name);
    return t;
}

static inline const uint8_t *golden_u8(const goldens *g, const char *name)
{
    return golden_get(g, name).data;
}
static inline const float *golden_f32(const goldens *g, const char *name)
{
    return golden_get(g, name).data;
}

/* A copy: [H,W] or [H,W,C]. */
static inline mb_image_u8 golden_picture(const goldens *g, const char *name)
{
    golden t = golden_get(g, name);
    mb_image_u8 p = {0};
    mb_error err = {0};
    CHECK_OK(mb_image_u8_create(&p, t.dims[1], t.dims[0], t.dims[2], &err), err);
    memcpy(p.v, t.data, (size_t)t.dims[0] * (size_t)t.dims[1] * (size_t)t.dims[2]);
    return p;
}

static inline mb_image_f32 golden_plane(const goldens *g, const char *name)
{
    golden t = golden_get(g, name);
    mb_image_f32 p = {0};
    mb_error err = {0};
    CHECK_OK(mb_image_f32_create(&p, t.dims[1], t.dims[0], &err), err);
    memcpy(p.v, t.data, (size_t)t.dims[0] * (size_t)t.dims[1] * sizeof(float));
    return p;
}

static inline double max_difference(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        worst = d > worst || d != d ? d : worst; /* a NaN sticks: no comparison with it is true */
        if (d != d) {
            return INFINITY;
        }
    }
    return worst;
}

/* How many bytes differ, and the largest difference in levels. */
typedef struct level_difference {
    size_t count;
    int worst;
} level_difference;

static inline level_difference compare_levels(const uint8_t *a, const uint8_t *b, size_t n)
{
    level_difference d = {0};
    for (size_t i = 0; i < n; i++) {
        int v = abs(a[i] - b[i]);
        d.count += v != 0;
        d.worst = v > d.worst ? v : d.worst;
    }
    return d;
}

#endif
