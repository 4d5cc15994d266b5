/* Shared by the tests of this folder: hashes, the synthetic picture of the goldens, small files. */
#ifndef MB_TEST_IMAGE_PICTURES_H
#define MB_TEST_IMAGE_PICTURES_H

#include "harness/check.h"
#include "image/raster.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t fnv1a64(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 0x100000001B3u;
    }
    return h;
}

static inline uint64_t picture_hash(const mb_image_u8 *p)
{
    return fnv1a64(p->v, (size_t)p->width * (size_t)p->height * (size_t)p->channels);
}

/* A small picture of these values; freed by mb_image_u8_dispose. */
static inline mb_image_u8 picture_of(int width, int height, int channels, const uint8_t *v)
{
    mb_image_u8 p;
    mb_error err;
    CHECK_OK(mb_image_u8_create(&p, width, height, channels, &err), err);
    memcpy(p.v, v, (size_t)(width * height * channels));
    return p;
}

/* SplitMix64's output function. */
static inline uint64_t mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* The whole of a small file; ends the sub-test when it is not there. */
static inline uint8_t *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    REQUIRE_MSG(f != NULL, "%s", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *v = malloc(*n + 1);
    REQUIRE(v != NULL && fread(v, 1, *n, f) == *n);
    fclose(f);
    return v;
}

/* A file of tests/data. */
static inline uint8_t *read_data(const char *name, size_t *n)
{
    char path[640];
    snprintf(path, sizeof path, "%s/%s", MB_TEST_DATA, name);
    return read_file(path, n);
}

/* A binary PNM of ours, trusted: the tests of resizing do not depend on the decoders. */
static inline mb_image_u8 read_pnm(const char *name)
{
    size_t n;
    uint8_t *bytes = read_data(name, &n);
    int kind = 0, width = 0, height = 0, at = 0;
    mb_image_u8 p = {0};
    mb_error err = {0};
    if (sscanf((const char *)bytes, "P%d %d %d 255%n", &kind, &width, &height, &at) != 3 ||
        mb_image_u8_create(&p, width, height, kind == 6 ? 3 : 1, &err) != MB_OK) {
        exit(1);
    }
    memcpy(p.v, bytes + at + 1, (size_t)width * (size_t)height * (size_t)p.channels);
    free(bytes);
    return p;
}

#endif
