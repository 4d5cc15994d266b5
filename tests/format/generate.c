/* The generator against the reference implementation of its formula: tensor lists and all values by digest, the first
 * elements in plain sight; models in memory carry what the converter would write. */
#include "core/alloc.h"
#include "core/hash.h"
#include "generate.h"
#include "harness/check.h"
#include "harness/genweights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *variant;
    uint64_t seed;
    size_t n;
    const char *list, *data; /* SHA-256 of "NAME DTYPE D0,D1\n"..., and of all data */
    bool large;              /* its data are made only when MATTEBOX_TEST_LARGE is set */
} known[] = {
    {"birefnet-tiny7", 1, 530, "23a211690a9cde0a1083c23a5642c3067ae60a4d21b2b5c7cbb8768b464add30",
     "598bd1fdee8961387b5cabecddf0775c04ef90d2097f63380d84360c38d49cb8", false},
    {"birefnet-tiny12", 1, 530, "d3058b0be9497239b90c34bb37baa8b0db6afaacecf50651c2473be3a024c9e1",
     "177a0ffbe6f9a79ebc9c782bafe8056ee766d46c859f421767e1db1be862df84", false},
    {"birefnet-tiny-legacy", 1, 415, "8bf47fffb6d9d0a19f5532786ad8320a6fa53957524db7f0b04aa732277e838f",
     "bd00791ec317eab0d6e90a6852da42f07a1c6a92b71ca89d600a11cfe3faca2b", false},
    {"vitmatte-tiny4", 4, 128, "de9baf6d2da7ce807b9d5e1c284f67152f0d8fe95019ce924df10baea24fab04",
     "3cb4145faab2085db861baf451f5d2d13126cd9d5452db32d4d0f0388b4c0d60", false},
    {"vitmatte-tiny14", 2, 105, "6800535de3cce99562873c27f67f8a8db76405e3892fdd594375ca49ae9a064f",
     "91ab4227680170edd61d76b7b276b702f078c55e77072fec4840bd52e8573da9", false},
    {"vitmatte-s", 10, 258, "99db6d391b10bf15bead45f754fd7694fa9bbc9df4fc851ce904029f7ccba2cf",
     "fae180347de63f63a174192e3a9a97186f1f91eb824bf45789909bc6ebb98d75", false},
    {"birefnet-swin-t", 1, 586, "65223ea0218c92c1faf296e07466516a48b6ea33396c4eaaac9c564df920d9c8",
     "aff3c06989f7cfea6206ad4faca67334e62c0abf8f1ddead1c9ff5959187c657", false},
    {"vitmatte-b", 10, 258, "bac0d2eab4ab5a4979555c78653412f0b0b56eba1820850fef302ab263743366",
     "9f3078764c579223541cc6c563f48abd6f28effcaf71c6cfc8b7dda1675e1116", true},
    {"birefnet-legacy-l", 1, 639, "07435f8321f3f89067367013b729794e5c8f9a49417e1d3f2c0f8b6d3fc2530f",
     "22767cc1f53711edcb18c6c50d819fe80b9d7729dd70f6f9fc673d392c1974fd", true},
    {"birefnet-swin-l", 1, 754, "64a38de5ec2ca249337179df8433b094212a33e239a1dd1e7ac248aee55c8a1a",
     "e52ef848ebb3c4378985e1d64d36c66acaa37c043c2d159728113b30517885c1", true},
};

static void hex_of(mb_sha256 *s, char hex[65])
{
    uint8_t digest[32];
    mb_sha256_final(s, digest);
    mb_hex(hex, digest, sizeof digest);
}

static void list_digest(const generator *g, char hex[65])
{
    mb_sha256 s;
    mb_sha256_init(&s);
    for (size_t i = 0; i < generator_count(g); i++) {
        const tensor_spec *t = generator_spec(g, i);
        char line[300];
        bool integer = t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER;
        int n = snprintf(line, sizeof line, "%s %s ", t->name, integer ? "I64" : "F32");
        for (int d = 0; d < t->rank; d++) {
            n += snprintf(line + n, sizeof line - (size_t)n, "%s%" PRId64, d > 0 ? "," : "", t->dims[d]);
        }
        mb_sha256_update(&s, line, (size_t)n);
        mb_sha256_update(&s, "\n", 1);
    }
    hex_of(&s, hex);
}

static void data_digest(const generator *g, char hex[65])
{
    enum { CHUNK = 1 << 15 };
    static int64_t buffer[CHUNK]; /* floats fit as well */
    mb_sha256 s;
    mb_sha256_init(&s);
    for (size_t i = 0; i < generator_count(g); i++) {
        const tensor_spec *t = generator_spec(g, i);
        size_t size = t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER ? 8 : 4, count = 1;
        for (int d = 0; d < t->rank; d++) {
            count *= (size_t)t->dims[d];
        }
        for (size_t at = 0; at < count; at += CHUNK) {
            size_t n = count - at < CHUNK ? count - at : CHUNK;
            generator_fill(g, i, at, n, buffer);
            mb_sha256_update(&s, buffer, n * size);
        }
    }
    hex_of(&s, hex);
}

TEST(against_reference)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        generator *g;
        mb_error err;
        char hex[65];
        CHECK_OK(generator_create(&g, known[i].variant, known[i].seed, &err), err);
        CHECK_MSG(generator_count(g) == known[i].n, "%s: %zu", known[i].variant, generator_count(g));
        list_digest(g, hex);
        CHECK_MSG(strcmp(hex, known[i].list) == 0, "%s: list %s", known[i].variant, hex);
        if (!known[i].large || getenv("MATTEBOX_TEST_LARGE") != NULL) {
            data_digest(g, hex);
            CHECK_MSG(strcmp(hex, known[i].data) == 0, "%s: data %s", known[i].variant, hex);
        }
        generator_free(g);
    }
}

TEST(in_memory)
{
    mb_weights *w, *columns, *half;
    mb_error err;
    CHECK_OK(gen_weights(&w, "tiny7", 1, &err), err);
    CHECK_OK(gen_weights(&columns, "tiny7_columns", 1, &err), err);
    CHECK_OK(gen_weights_as(&half, "tiny7", 1, MB_F16, &err), err);
    static const uint32_t first[3] = {0x3e35ba3e, 0xbd36f248, 0x3d9aa458};
    const mb_tensor *t = mb_weights_find(w, "bb.patch_embed.proj.weight");
    CHECK(t != NULL && memcmp(t->data, first, sizeof first) == 0);
    CHECK(t != NULL && mb_fnv1a64(MB_FNV1A64_BASIS, t->data, t->bytes) == 0x30414eb7b2b193e3u);
    CHECK(mb_weights_find(w, "decoder.conv_ms_spvn_4.weight") == NULL);
    CHECK_STR(mb_weights_meta(w, "arch.deform_kernels"), "1,3,7");
    CHECK_STR(mb_weights_meta(w, "arch.heads"), "3,3,6,6");
    CHECK_STR(mb_weights_meta(columns, "arch.patch_order"), "rows");
    CHECK_STR(mb_weights_meta(columns, "source.patch_order"), "columns");
    CHECK_OK(mb_weights_verify(w, NULL, NULL, &err), err);
    /* w_rows[:, (c*G+ty)*G+tx] = w_columns[:, (tx*G+ty)*3+c], G = 4 */
    const mb_tensor *a = mb_weights_find(w, "decoder.ipt_blk2.conv1.weight");
    const mb_tensor *b = mb_weights_find(columns, "decoder.ipt_blk2.conv1.weight");
    int bad = 0;
    for (int o = 0; o < 64; o++) {
        for (int k = 0; k < 48 * 9; k++) {
            int channel = k / 9, c = channel / 16, ty = channel / 4 % 4, tx = channel % 4;
            bad += ((const float *)b->data)[o * 432 + k] !=
                   ((const float *)a->data)[o * 432 + ((tx * 4 + ty) * 3 + c) * 9 + k % 9];
        }
    }
    CHECK_MSG(bad == 0, "%d elements", bad);
    mb_weights_free(columns);
    CHECK_OK(gen_weights(&columns, "tiny_legacy", 1, &err), err); /* v1 is in columns always */
    CHECK_STR(mb_weights_meta(columns, "source.patch_order"), "columns");
    a = mb_weights_find(w, "bb.norm0.weight");
    b = mb_weights_find(half, "bb.norm0.weight");
    uint16_t narrow[24];
    mb_from_f32(narrow, a->data, MB_F16, 24);
    CHECK(b->dtype == MB_F16 && b->bytes == 48 && memcmp(narrow, b->data, 48) == 0);
    mb_weights_free(w);
    mb_weights_free(columns);
    mb_weights_free(half);
    CHECK(gen_weights(&w, "tiny8", 1, NULL) == MB_E_ARGUMENT && w == NULL);
    CHECK_EQ(gen_weights(&w, "vitmatte_tiny4_columns", 1, NULL), MB_E_ARGUMENT);
}

TEST(pictures)
{
    uint8_t *v = malloc(1024 * 1024 * 3);
    gen_image(v, 7, 64, 64, 0);
    CHECK(v[0] == 145 && v[1] == 104 && v[2] == 111 && v[(32 * 64 + 32) * 3] == 130 && v[64 * 64 * 3 - 1] == 123);
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, v, 64 * 64 * 3), 0xadc7c0a11a046517u);
    gen_image(v, 7, 1024, 1024, 0);
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, v, 1024 * 1024 * 3), 0xc54f82cd38acb372u);
    gen_image(v, 7, 96, 64, 0);
    gen_image(v + 96 * 64 * 3, 7, 96, 64, 1);
    CHECK_EQ(mb_fnv1a64(MB_FNV1A64_BASIS, v, 2 * 96 * 64 * 3), 0x457d02659a8e8013u);
    free(v);
}
