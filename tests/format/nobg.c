/* A generated BiRefNet under the names of the nobg library, as FeyNobg is published: renamed, with queries, keys and
 * values apart, without what can be derived. The converter gives the same bytes as of the checkpoint under our names.
 * Also what convert records: overrides of a backbone, the revision. */
#define _GNU_SOURCE
#include "generate.h"
#include "harness/check.h"
#include "source.h"
#include "tool.h"
#include "weights/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-nobg-XXXXXX";
static char complained[4000];

static const char *in_folder(const char *name)
{
    static char path[8][200];
    static int turn;
    turn = (turn + 1) % 8;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
}

TEARDOWN
{
    static const char *const names[] = {"ours.safetensors", "theirs.safetensors", "ours.mbw", "theirs.mbw",
                                        "again.mbw"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(in_folder(names[i]));
    }
    (void)rmdir(folder);
}

static int run(const char *const *given)
{
    char *argv[20] = {(char *)(uintptr_t) "mattebox-weights"};
    int argc = 1;
    for (; given[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)given[argc - 1];
    }
    FILE *out = tmpfile(), *errors = tmpfile();
    int code = tool_main(argc, argv, out, errors);
    rewind(errors);
    complained[fread(complained, 1, sizeof complained - 1, errors)] = '\0';
    (void)fclose(out);
    (void)fclose(errors);
    return code;
}
#define RUN(code, ...) CHECK_MSG(run((const char *const[]){__VA_ARGS__, NULL}) == (code), "%s", complained)

/* ---- their names, from those of the library's own releases (transformers 4 and 5) */

static const struct {
    const char *ours, *theirs[2];
} table[] = {
    {".attn.relative_position_bias_table",
     {".attention.relative_position_bias.relative_position_bias_table",
      ".attention.self.relative_position_bias_table"}},
    {".attn.proj.", {".attention.o_proj.", ".attention.output.dense."}},
    {".norm1.", {".layernorm_before.", ".layernorm_before."}},
    {".norm2.", {".layernorm_after.", ".layernorm_after."}},
    {".mlp.fc1.", {".mlp.fc1.", ".intermediate.dense."}},
    {".mlp.fc2.", {".mlp.fc2.", ".output.dense."}},
    {"bb.patch_embed.proj.",
     {"bb.swin.embeddings.patch_embeddings.projection.", "bb.swin.embeddings.patch_embeddings.projection."}},
    {"bb.patch_embed.norm.", {"bb.swin.embeddings.norm.", "bb.swin.embeddings.norm."}},
    {"bb.layers.", {"bb.swin.encoder.layers.", "bb.swin.encoder.layers."}},
};

static void replace(char *name, size_t capacity, const char *from, const char *to)
{
    char *at = strstr(name, from), rest[300];
    if (at != NULL) {
        (void)snprintf(rest, sizeof rest, "%s", at + strlen(from));
        (void)snprintf(at, capacity - (size_t)(at - name), "%s%s", to, rest);
    }
}

static void their_name(char *name, size_t capacity, const char *ours, int release)
{
    static const char *const modules[] = {"decoder_block",   "lateral_block",   "ipt_blk",   "conv_ms_spvn_",
                                          "gdt_convs_pred_", "gdt_convs_attn_", "gdt_convs_"},
                             *const lists[] = {"decoder_blocks", "lateral_blocks", "ipt_blks", "conv_ms_spvn",
                                               "gdt_convs_pred", "gdt_convs_attn", "gdt_convs"};
    int number;
    (void)snprintf(name, capacity, "%s", ours);
    if (sscanf(ours, "bb.norm%d.", &number) == 1) {
        (void)snprintf(name, capacity, "bb.hidden_states_norms.stage%d%s", number + 1, ours + 8);
        return;
    }
    for (size_t i = 0; i < sizeof modules / sizeof modules[0] && strncmp(ours, "decoder.", 8) == 0; i++) {
        const size_t n = strlen(modules[i]);
        if (strncmp(ours + 8, modules[i], n) == 0) {
            const int first = i == 2 ? 5 : 4;
            (void)snprintf(name, capacity, "decoder.%s.%d%s", lists[i], first - (ours[8 + n] - '0'), ours + 9 + n);
            return;
        }
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0] && strncmp(ours, "bb.", 3) == 0; i++) {
        replace(name, capacity, table[i].ours, table[i].theirs[release]);
    }
}

typedef struct writing {
    mb_st_tensor t[2000];
    size_t n;
} writing;

static void put(writing *w, const char *name, const tensor_spec *spec, const float *data, int parts)
{
    mb_st_tensor *t = &w->t[w->n++];
    t->name = strdup(name);
    t->dtype = MB_ST_F32;
    t->rank = spec->rank;
    t->bytes = sizeof(float);
    for (int i = 0; i < spec->rank; i++) {
        t->dims[i] = i == 0 ? spec->dims[i] / parts : spec->dims[i];
        t->bytes *= (size_t)t->dims[i];
    }
    void *copy = malloc(t->bytes);
    memcpy(copy, data, t->bytes);
    t->data = copy;
}

/* Query, key and value, in the order of the alphabet: k, q, v. */
static void put_qkv(writing *w, const char *ours, const tensor_spec *spec, const float *data, int release)
{
    static const char *const theirs[2][3] = {
        {".attention.q_proj.", ".attention.k_proj.", ".attention.v_proj."},
        {".attention.self.query.", ".attention.self.key.", ".attention.self.value."}};
    size_t third = 1;
    for (int i = 0; i < spec->rank; i++) {
        third *= (size_t)spec->dims[i];
    }
    third /= 3;
    for (int i = 0; i < 3; i++) {
        const int part = i < 2 ? 1 - i : 2;
        char name[300];
        their_name(name, sizeof name, ours, release);
        replace(name, sizeof name, ".attn.qkv.", theirs[release][part]);
        put(w, name, spec, data + (size_t)part * third, 3);
    }
}

static void drop_tensor(const mb_st_tensor *t)
{
    free((void *)(size_t)t->name);
    free((void *)(size_t)t->data);
}

/* drop: a part of a name that is left out. */
static void write_theirs(const char *path, int release, const char *drop)
{
    static writing w;
    generator *g = NULL;
    mb_error err;
    w.n = 0;
    REQUIRE_OK(generator_create(&g, "birefnet-tiny7", 3, &err), err);
    for (size_t i = 0; i < generator_count(g); i++) {
        const tensor_spec *spec = generator_spec(g, i);
        size_t n = 1;
        for (int d = 0; d < spec->rank; d++) {
            n *= (size_t)spec->dims[d];
        }
        if (spec->kind == SPEC_INDEX || spec->kind == SPEC_COUNTER) {
            continue; /* derivable, or of training */
        }
        float *v = malloc(n * sizeof *v);
        generator_fill(g, i, 0, n, v);
        if (strstr(spec->name, ".attn.qkv.") != NULL) {
            put_qkv(&w, spec->name, spec, v, release);
        } else {
            char name[300];
            their_name(name, sizeof name, spec->name, release);
            put(&w, name, spec, v, 1);
        }
        free(v);
    }
    put(&w, "bb.swin.layernorm.weight", &(tensor_spec){.rank = 1, .dims = {4}}, (const float[4]){1, 1, 1, 1}, 1);
    size_t kept = 0;
    for (size_t i = 0; i < w.n; i++) {
        if (drop == NULL || strstr(w.t[i].name, drop) == NULL) {
            w.t[kept++] = w.t[i];
        } else {
            drop_tensor(&w.t[i]);
        }
    }
    const mb_st_contents contents = {.tensors = w.t, .n_tensors = kept};
    CHECK_OK(mb_safetensors_write(path, &contents, true, &err), err);
    for (size_t i = 0; i < kept; i++) {
        drop_tensor(&w.t[i]);
    }
    generator_free(g);
}

static void same_tensors(const char *a, const char *b)
{
    mb_weights *x = NULL, *y = NULL;
    mb_error err;
    REQUIRE_OK(mb_weights_open(&x, a, &err), err);
    REQUIRE_OK(mb_weights_open(&y, b, &err), err);
    REQUIRE_EQ(mb_weights_count(x), mb_weights_count(y));
    for (size_t i = 0; i < mb_weights_count(x); i++) {
        const mb_tensor *t = mb_weights_at(x, i), *u = mb_weights_at(y, i);
        CHECK_STR(t->name, u->name);
        CHECK_MSG(t->bytes == u->bytes && memcmp(t->data, u->data, t->bytes) == 0, "%s differs", t->name);
    }
    mb_weights_free(x);
    mb_weights_free(y);
}

static void check_release(int release)
{
    const char *ours = in_folder("ours.safetensors"), *theirs = in_folder("theirs.safetensors");
    const char *a = in_folder("ours.mbw"), *b = in_folder("theirs.mbw");
    RUN(0, "generate", "birefnet-tiny7", "--seed", "3", "--checkpoint", "-f", "-q", "-o", ours);
    write_theirs(theirs, release, NULL);
    RUN(0, "convert", ours, "-f", "-q", "-o", a);
    RUN(0, "convert", theirs, "-f", "-q", "-o", b);
    same_tensors(a, b);
    RUN(0, "verify", b, "--against", theirs, "-q");
}

TEST(names_of_transformers_5)
{
    check_release(0);
}

TEST(names_of_transformers_4)
{
    check_release(1);
}

/* Without its key a query joins nothing, and both are said. */
TEST(a_key_is_missing)
{
    const char *theirs = in_folder("theirs.safetensors");
    write_theirs(theirs, 0, "layers.1.blocks.1.attention.k_proj.weight");
    RUN(EXIT_MODEL, "convert", theirs, "-f", "-q", "-o", in_folder("theirs.mbw"));
    CHECK_CONTAINS(complained, "missing: bb.layers.1.blocks.1.attn.qkv.weight");
}

/* ---- what is recorded */

static void check_meta(const char *path, const char *key, const char *want)
{
    mb_weights *w = NULL;
    mb_error err;
    REQUIRE_OK(mb_weights_open(&w, path, &err), err);
    const char *value = mb_weights_meta(w, key);
    CHECK_STR(value != NULL ? value : "(absent)", want);
    mb_weights_free(w);
}

TEST(overrides_are_recorded)
{
    const char *from = in_folder("ours.safetensors"), *a = in_folder("ours.mbw"), *b = in_folder("again.mbw");
    RUN(0, "generate", "birefnet-tiny-pvt", "--checkpoint", "--dtype", "f16", "-f", "-q", "-o", from);
    RUN(0, "convert", from, "-f", "-q", "-o", a);
    check_meta(a, "arch.backbone", "pvt_v2");
    check_meta(a, "arch.heads", "1,2,5,8");
    check_meta(a, "arch.norm_eps", "1e-6,1e-5");
    RUN(0, "convert", from, "-f", "-q", "-o", a, "--heads", "1,2,4,8", "--norm-eps", "1e-5,1e-5", "--revision", "abc1");
    check_meta(a, "arch.heads", "1,2,4,8");
    check_meta(a, "arch.norm_eps", "1e-5,1e-5");
    check_meta(a, "source.revision", "abc1");
    /* A model file keeps what it was made with, until told otherwise. */
    RUN(0, "convert", a, "-f", "-q", "-o", b, "--dtype", "f32");
    check_meta(b, "arch.heads", "1,2,4,8");
    check_meta(b, "source.revision", "abc1");
    RUN(0, "convert", a, "-f", "-q", "-o", b, "--dtype", "f32", "--heads", "2,2,5,8");
    check_meta(b, "arch.heads", "2,2,5,8");
    check_meta(b, "arch.norm_eps", "1e-5,1e-5");
    RUN(EXIT_MODEL, "convert", from, "-f", "-q", "-o", b, "--heads", "1,2,3,8");
    CHECK_CONTAINS(complained, "3 heads do not divide the 80 channels");
}
