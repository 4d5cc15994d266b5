/* What training loops and other writers leave in PyTorch files: wrappers and copies around the model, views, objects
 * and kinds of tensors that are not read, archives packed again, several files. The files were written by torch
 * (tests/data/checkpoints/README.md); `ramp` is -3, -2, -1 ... there. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "harness/check.h"
#include "names.h"
#include "network_names.h"
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA MB_TEST_DATA "/checkpoints/"

static const char *const names[] = {"backbone.embeddings.projection.bias", "backbone.encoder.layer.0.norm1.weight",
                                    "backbone.encoder.layer.11.attention.qkv.weight",
                                    "decoder.fusion_blocks.0.conv.batch_norm.running_mean",
                                    "decoder.matting_head.matting_convs.3.weight"};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

static source *open_as(const char *file, const char *key, const char *prefix)
{
    source *s = NULL;
    mb_error err = {0};
    char path[300];
    (void)snprintf(path, sizeof path, "%s%s", DATA, file);
    CHECK_OK(source_open_as(&s, path, &(source_choice){key, prefix}, &err), err);
    return s;
}

static void refuses(const char *file, const char *key, const char *prefix, const char *part)
{
    source *s = NULL;
    mb_error err = {0};
    char path[300];
    (void)snprintf(path, sizeof path, "%s%s", DATA, file);
    mb_status status = source_open_as(&s, path, &(source_choice){key, prefix}, &err);
    CHECK_MSG(status != MB_OK && s == NULL && strstr(err.message, part) != NULL, "%s: %d %s", file, status,
              err.message);
    source_free(s);
}

static bool equals(const source *s, const char *name, const float *want, size_t n)
{
    const source_tensor *t = source_find(s, name);
    double raw[32];
    float got[32];
    if (t == NULL || t->count != n || t->unread != NULL || n > 32) {
        return false;
    }
    source_read(t, 0, n, raw);
    mb_st_to_float(got, raw, t->dtype, n);
    for (size_t i = 0; i < n; i++) { /* any cut gives the same */
        float one;
        source_read(t, i, 1, raw);
        mb_st_to_float(&one, raw, t->dtype, 1);
        if (one != want[i] || got[i] != want[i]) {
            return false;
        }
    }
    return true;
}

/* The five tensors, value k of tensor i being k - 3 + i + `offset`. */
static void check_model(const source *s, float offset)
{
    mb_error err;
    for (int i = 0; s != NULL && i < N_NAMES; i++) {
        float want[4];
        for (int k = 0; k < 4; k++) {
            want[k] = (float)(k - 3 + i) + offset;
        }
        CHECK_MSG(equals(s, names[i], want, 4), "%s", names[i]);
    }
    CHECK(s == NULL || source_count(s) == N_NAMES);
    if (s != NULL) {
        CHECK_OK(source_check_data((source *)(uintptr_t)s, &err), err);
    }
}

/* ---- wrappers, nested dicts, copies */

TEST(wrapped)
{
    source *s = open_as("wrapped.pth", NULL, NULL);
    check_model(s, 0);
    CHECK(strcmp(source_prefix(s), "state_dict.net.") == 0 && source_rival(s) == NULL);
    CHECK(strcmp(source_keys(s), "epoch, state_dict, ema, optimizer, rng_state") == 0);
    bool seen[3] = {false, false, false};
    CHECK(source_beside_count(s) == 6); /* criterion, three of ema, the optimiser's, the random numbers' */
    for (size_t i = 0; i < source_beside_count(s); i++) {
        const char *name = source_beside_at(s, i)->original;
        seen[0] = seen[0] || strcmp(name, "state_dict.criterion.weight") == 0;
        seen[1] = seen[1] || strcmp(name, "optimizer.state.0.exp_avg") == 0;
        seen[2] = seen[2] || strcmp(name, "rng_state") == 0;
    }
    CHECK(seen[0] && seen[1] && seen[2]);
    source_free(s);
    s = open_as("wrapped.pth", "ema", NULL);
    CHECK(source_count(s) == 3 && strcmp(source_prefix(s), "ema.") == 0);
    source_free(s);
    refuses("wrapped.pth", "emu", NULL, "under the key \"emu\"\nkeys of the file: epoch, state_dict, ema");
    refuses("wrapped.pth", NULL, "nut.", "behind the prefix \"nut.\"\nknown names stand behind \"state_dict.net.\"");
}

TEST(copies)
{
    source *s = open_as("copies.pth", NULL, NULL); /* as many known names in each: the first, and it is said */
    check_model(s, 0);
    CHECK(strcmp(source_prefix(s), "a.") == 0 && strcmp(source_rival(s), "b.0.x.") == 0);
    source_free(s);
    static const char *const choices[][2] = {{"b", NULL}, {"b.0", NULL},    {NULL, "x."},
                                             {NULL, "x"}, {NULL, "b.0.x."}, {"b", "x"}};
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        s = open_as("copies.pth", choices[i][0], choices[i][1]);
        check_model(s, 100);
        CHECK(source_rival(s) == NULL);
        source_free(s);
    }
    s = open_as("copies.pth", NULL, "");
    check_model(s, 0);
    source_free(s);
}

/* ---- values */

TEST(views)
{
    float ramp[24], half[8], quarter[8], turned[24], expanded[6], rows[6];
    for (int i = 0; i < 24; i++) {
        ramp[i] = (float)(i - 3);
        turned[i] = (float)(i % 4 * 6 + i / 4 - 3);
    }
    for (int i = 0; i < 8; i++) {
        half[i] = (float)i * 0.5F - 3;
        quarter[i] = (float)i * 0.25F - 3;
    }
    for (int i = 0; i < 6; i++) {
        expanded[i] = 0.25F;
        rows[i] = (float)(i % 3 - 3);
    }
    source *s = open_as("views.pth", NULL, NULL);
    CHECK(equals(s, "neg", ramp, 5) && equals(s, "neg_half", half, 5) && equals(s, "neg_brain", half, 5));
    CHECK(equals(s, "neg_double", quarter, 3) && equals(s, "neg_transposed", turned, 24));
    CHECK(equals(s, "neg_integer", ramp, 8));
    CHECK(equals(s, "conj_real", ramp, 3)); /* of real numbers it is nothing */
    CHECK(equals(s, "expanded", expanded, 6) && equals(s, "expanded_rows", rows, 6));
    CHECK(equals(s, "tagged", ramp, 3));
    CHECK(source_find(s, "neg")->negated && !source_find(s, "tagged")->negated);
    source_free(s);
    s = open_as("subclass.pth", NULL, NULL);
    check_model(s, 0);
    source_free(s);
}

/* Kinds that are not read: listed with what they are, and what is beside them is read. */
TEST(kinds)
{
    static const struct {
        const char *name, *unread;
        mb_st_dtype dtype;
        int rank;
    } want[] = {
        {"f8", "8-bit floats", MB_ST_F8_E4M3, 1},
        {"f8_fnuz", "8-bit floats", MB_ST_F8_E5M2FNUZ, 1},
        {"complex", "complex numbers", MB_ST_C64, 1},
        {"complex128", "complex numbers", MB_ST_C128, 1},
        {"conj", "complex numbers", MB_ST_C64, 1},
        {"quantised", "quantised numbers", MB_ST_OTHER, 1},
        {"channels", "quantised numbers", MB_ST_OTHER, 2},
        {"sparse", "a sparse tensor", MB_ST_OTHER, 0},
        {"csr", "a sparse tensor", MB_ST_OTHER, 0},
        {"nested", "a nested tensor", MB_ST_OTHER, 0},
        {"meta", "no values", MB_ST_OTHER, 1},
    };
    source *s = open_as("kinds.pth", NULL, NULL);
    for (size_t i = 0; s != NULL && i < sizeof want / sizeof want[0]; i++) {
        const source_tensor *t = source_find(s, want[i].name);
        CHECK_MSG(t != NULL && t->unread != NULL && strncmp(t->unread, want[i].unread, strlen(want[i].unread)) == 0 &&
                      t->dtype == want[i].dtype && t->rank == want[i].rank,
                  "%s: %s", want[i].name, t != NULL && t->unread != NULL ? t->unread : "read");
    }
    CHECK(equals(s, "plain", (float[]){-3, -2, -1, 0}, 4) && equals(s, "u16", (float[]){0, 1, 2}, 3));
    source_free(s);
}

/* ---- objects and archives */

TEST(objects)
{
    static const char *const files[] = {"objects.pth",      "objects5.pth", "deflated.pth",
                                        "no_checksums.pth", "sharded",      "sharded/pytorch_model.bin.index.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        source *s = open_as(files[i], NULL, NULL);
        check_model(s, 0);
        CHECK_MSG(s == NULL || source_lacks_checksums(s) == (i == 3), "%s", files[i]);
        source_free(s);
    }
    refuses("big_endian.pth", NULL, NULL, "big-endian");
}

static char scratch[] = "/tmp/mattebox-kinds-XXXXXX";

/* Opens bytes as a file and looks at its checksums. */
static mb_status open_bytes(const uint8_t *data, size_t n, mb_error *err)
{
    source *s = NULL;
    FILE *f = fopen(scratch, "wb");
    CHECK(f != NULL && fwrite(data, 1, n, f) == n && fclose(f) == 0);
    mb_status status = source_open(&s, scratch, err);
    status = status == MB_OK ? source_check_data(s, err) : status;
    source_free(s);
    return status;
}

/* Damage of compressed members is seen when they are unpacked; a comment may be anything but must fit. */
TEST(damaged)
{
    void *p;
    size_t n;
    mb_error err;
    int passed = 0;
    CHECK_OK(mb_read_file(&p, &n, DATA "deflated.pth", 1 << 20, &err), err);
    uint8_t *data = p;
    CHECK_OK(open_bytes(data, n, &err), err);
    for (size_t i = 0; i < n; i++) {
        passed += open_bytes(data, i, NULL) == MB_OK;
    }
    CHECK_MSG(passed == 0, "%d cut files pass", passed);
    data[n - 1] ^= 1; /* the comment's last letter */
    CHECK_OK(open_bytes(data, n, &err), err);
    uint8_t *longer = calloc(1, n + 40); /* in the comment another end record, as it seems, which does not fit */
    memcpy(longer, data, n);
    longer[n - 12 - 2] = 12 + 40;
    CHECK_OK(open_bytes(longer, n + 40, &err), err);
    memcpy(longer + n + 5, "PK\5\6", 4);
    CHECK(open_bytes(longer, n + 40, &err) == MB_E_FORMAT);
    free(longer);
    mb_free(p);
    CHECK_OK(mb_read_file(&p, &n, DATA "deflated.pth", 1 << 20, &err), err);
    data = p;
    for (size_t i = 60; i < n / 2;
         i += test_short() ? 9 : 1) { /* contents and headers: read as before, or refused, and never worse */
        data[i] ^= 0x10;
        err = (mb_error){0};
        CHECK(open_bytes(data, n, &err) == MB_OK || err.message[0] != '\0');
        data[i] ^= 0x10;
    }
    mb_free(p);
}

/* ---- names */

TEST(found_names)
{
    static const struct {
        const char *name, *known; /* NULL: none */
        size_t prefix;
        int dropped;
    } want[] = {
        {"bb.layers.2.blocks.17.attn.qkv.weight", "bb.layers.2.blocks.17.attn.qkv.weight", 0, 0},
        {"module._orig_mod.bb.norm0.bias", "bb.norm0.bias", 17, 0},
        {"a.b.c.decoder.conv_out1.0.weight", "decoder.conv_out1.0.weight", 6, 0},
        {"decoder.decoder.conv_out1.0.weight", "decoder.conv_out1.0.weight", 8, 0},
        {"backbone.bb.norm0.bias", "bb.norm0.bias", 9, 0},
        {"x.bb._w.layers.0.blocks.0._w.norm1.weight", "bb.layers.0.blocks.0.norm1.weight", 2, 2},
        {"backbone.blocks.3.attn.rel_pos_h", "backbone.blocks.3.attn.rel_pos_h", 0, 0},
        {"net.backbone.pos_embed", "backbone.pos_embed", 4, 0},
        {"bb.norm0.bias_orig", NULL, 0, 0}, /* the last part is never a wrapper's */
        {"bb.norm0", NULL, 0, 0},
        {"rng_state", NULL, 0, 0},
        {"", NULL, 0, 0},
        {"bb..norm0.bias", NULL, 0, 0},
        {"backbone.encoder.layer.0.adapter.down.weight", NULL, 0, 0},
    };
    network_names *k = NULL;
    mb_error err;
    CHECK_OK(network_names_create(&k, &err), err);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        network_match m;
        bool found = network_names_find(k, want[i].name, &m);
        CHECK_MSG(found == (want[i].known != NULL), "%s", want[i].name);
        CHECK_MSG(!found || (strcmp(m.name, want[i].known) == 0 && m.prefix == want[i].prefix &&
                             m.n_dropped == want[i].dropped),
                  "%s: %s behind %zu, %d dropped", want[i].name, m.name, m.prefix, m.n_dropped);
    }
    network_names_free(k);
    char *there = names_vitmatte_to_original(names[3]), *back = names_vitmatte_to_hub(there);
    CHECK(strcmp(there, "decoder.fusion_blks.0.conv.bn.running_mean") == 0 && strcmp(back, names[3]) == 0);
    mb_free(there);
    mb_free(back);
}

SETUP
{
    int fd = mkstemp(scratch);
    REQUIRE(fd >= 0 && close(fd) == 0);
}

TEARDOWN
{
    CHECK(remove(scratch) == 0);
}
