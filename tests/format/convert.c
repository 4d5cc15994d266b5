/* mattebox-weights from its command line to the file it makes: recognition, patch order, types, refusals, exit codes.
 */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "generate.h"
#include "harness/check.h"
#include "known.h"
#include "names.h"
#include "patch_order.h"
#include "source.h"
#include "tool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-convert-XXXXXX";
static char printed[20000], complained[20000]; /* by the last run */

static const char *in_folder(const char *name)
{
    static char path[6][300];
    static int turn;
    turn = (turn + 1) % 6;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int run(const char *a, const char *b, const char *c, const char *d, const char *e, const char *f)
{
    const char *const given[] = {"mattebox-weights", a, b, c, d, e, f};
    char *argv[8];
    int argc = 0;
    while (argc < 7 && given[argc] != NULL) {
        argv[argc] = (char *)(uintptr_t)given[argc];
        argc++;
    }
    FILE *out = tmpfile(), *errors = tmpfile();
    int code = tool_main(argc, argv, out, errors);
    rewind(out);
    rewind(errors);
    printed[fread(printed, 1, sizeof printed - 1, out)] = '\0';
    complained[fread(complained, 1, sizeof complained - 1, errors)] = '\0';
    (void)fclose(out);
    (void)fclose(errors);
    return code;
}

#define RUN(code, ...)  run_checked(__LINE__, code, (const char *[6]){__VA_ARGS__})
#define SAYS(part)      CHECK_MSG(strstr(printed, part) != NULL, "printed: %s", printed)
#define COMPLAINS(part) CHECK_MSG(strstr(complained, part) != NULL, "complained: %s", complained)

static void run_checked(int line, int code, const char *a[6])
{
    int got = run(a[0], a[1], a[2], a[3], a[4], a[5]);
    CHECK_MSG(got == code, "line %d: exit code %d, wanted %d: %s", line, got, code, complained);
}

/* ---- checkpoints to convert, made from the generated ones */

typedef struct edit {
    const char *drop;   /* a tensor to leave out */
    const char *extra;  /* one to add, [2] */
    const char *poison; /* one whose element 3 becomes `value` */
    float value;
    const char *prefix;       /* in front of every name */
    bool eight_bits;          /* floats as F8_E4M3 */
    bool vitmatte_names;      /* the original repository's */
    bool structured, columns; /* tile kernels as in a trained model, in that order */
} edit;

/* Hub name to the original repository's: the rules of names.c backwards. */
static void original_name(char *dst, size_t capacity, const char *hub)
{
    static const char *const rules[][2] = {{"embeddings.position_embeddings", "pos_embed"},
                                           {"embeddings.projection.", "patch_embed.proj."},
                                           {"encoder.layer.", "blocks."},
                                           {"fusion_blocks.", "fusion_blks."},
                                           {".attention.", ".attn."},
                                           {".batch_norm.", ".bn."}};
    size_t at = 0;
    while (*hub != '\0' && at + 40 < capacity) {
        size_t i = 0;
        while (i < 6 && strncmp(hub, rules[i][0], strlen(rules[i][0])) != 0) {
            i++;
        }
        if (i < 6) {
            at += (size_t)snprintf(dst + at, capacity - at, "%s", rules[i][1]);
            hub += strlen(rules[i][0]);
        } else {
            dst[at++] = *hub++;
        }
    }
    dst[at] = '\0';
}

/* Kernels as training leaves them: the three colours of a tile alike, tiles different. */
static void structure(float *v, int64_t outputs, int64_t grid, bool columns)
{
    const int64_t channels = 3 * grid * grid;
    uint64_t state = 1;
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t row = 0; row < channels; row++) {
            int64_t tile = row % (grid * grid), channel = columns ? patch_column_channel(row, grid) : row;
            for (int64_t k = 0; k < 9; k++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                double noise = (double)(state >> 40) / (1 << 24) - 0.5,
                       shared = sin((double)(tile * 37 + o * 11 + k * k * 5));
                v[(o * channels + channel) * 9 + k] = (float)(shared + noise);
            }
        }
    }
}

static void make(const char *path, const char *variant, const edit *e)
{
    generator *g;
    mb_error err;
    CHECK_OK(generator_create(&g, variant, 4, &err), err);
    size_t n = 0, count = generator_count(g);
    mb_st_tensor *t = calloc(count + 1, sizeof *t);
    for (size_t i = 0; i < count; i++) {
        const tensor_spec *spec = generator_spec(g, i);
        char name[300], *full = malloc(400);
        bool integer = spec->kind == SPEC_INDEX || spec->kind == SPEC_COUNTER;
        size_t elements = 1;
        for (int d = 0; d < spec->rank; d++) {
            t[n].dims[d] = spec->dims[d];
            elements *= (size_t)spec->dims[d];
        }
        void *data = malloc(elements * 8);
        generator_fill(g, i, 0, elements, data);
        if (e->poison != NULL && strcmp(spec->name, e->poison) == 0) {
            ((float *)data)[3] = e->value;
        }
        if (e->structured && patch_grid(spec->name) > 0) {
            structure(data, spec->dims[0], patch_grid(spec->name), e->columns);
        }
        (void)snprintf(name, sizeof name, "%s", spec->name);
        if (e->vitmatte_names) {
            original_name(name, sizeof name, spec->name);
        }
        (void)snprintf(full, 400, "%s%s", e->prefix != NULL ? e->prefix : "", name);
        t[n].name = full;
        t[n].dtype = integer ? MB_ST_I64 : MB_ST_F32;
        t[n].rank = spec->rank;
        t[n].data = data;
        t[n].bytes = elements * (integer ? 8 : 4);
        if (e->eight_bits && !integer) {
            t[n].dtype = MB_ST_F8_E4M3;
            t[n].bytes = elements;
        }
        if (e->drop != NULL && strcmp(spec->name, e->drop) == 0) {
            free(full);
            free(data);
            t[n] = (mb_st_tensor){.name = NULL};
        } else {
            n++;
        }
    }
    static const float two[2] = {1, 2};
    if (e->extra != NULL) {
        t[n++] = (mb_st_tensor){
            .name = strdup(e->extra), .dtype = MB_ST_F32, .rank = 1, .dims = {2}, .data = two, .bytes = 8};
    }
    const mb_st_contents contents = {t, n, NULL, 0, NULL, NULL};
    CHECK_OK(mb_safetensors_write(path, &contents, true, &err), err);
    for (size_t i = 0; i < n; i++) {
        free((void *)(uintptr_t)t[i].name);
        if (t[i].data != two) {
            free((void *)(uintptr_t)t[i].data);
        }
    }
    free(t);
    generator_free(g);
}

/* ---- tests */

TEST(plain)
{
    const char *st = in_folder("v.safetensors"), *out = in_folder("v.mbw"), *half = in_folder("h.mbw");
    RUN(0, "convert", st, "-o", out);
    SAYS("a VITMatte of its own size, 0.3 M parameters, safetensors");
    SAYS("8 tensors that only training needs are left out");
    RUN(0, "verify", out, "--against", st);
    SAYS("120 tensors identical");
    mb_weights *w, *generated;
    mb_error err;
    CHECK_OK(mb_weights_open(&w, out, &err), err);
    generator *g;
    CHECK_OK(generator_create(&g, "vitmatte-tiny4", 4, &err), err);
    CHECK_OK(generate_memory(g, &generated, MB_F32, &err), err);
    int differ = mb_weights_count(w) != mb_weights_count(generated);
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *a = mb_weights_at(w, i), *b = mb_weights_find(generated, a->name);
        differ += b == NULL || a->bytes != b->bytes || memcmp(a->data, b->data, a->bytes) != 0;
    }
    CHECK_MSG(differ == 0, "%d tensors differ from the generator's own model", differ);
    CHECK(strcmp(mb_weights_meta(w, "arch.window_blocks"), "0,2") == 0 &&
          strlen(mb_weights_meta(w, "source.sha256")) == 64);
    generator_free(g);
    mb_weights_free(generated);
    mb_weights_free(w);
    RUN(2, "convert", st, "-o", out);
    COMPLAINS("v.mbw exists\n  --force replaces it");
    RUN(0, "convert", st, "-o", half, "--dtype", "f16");
    RUN(0, "verify", half, "--against", st);
    RUN(0, "convert", half, "-o", in_folder("again.mbw")); /* from a model file, its type kept */
    RUN(0, "inspect", in_folder("again.mbw"), "--json");
    SAYS("\"dtypes\":{\"F16\":120}");
    RUN(3, "verify", out, "--against", half);
    COMPLAINS("the original's is");
    RUN(0, "convert", st, "-o", in_folder("i.mbw"), "--input-norm", "imagenet");
    RUN(0, "inspect", in_folder("i.mbw"));
    SAYS("0.485,0.456,0.406");
}

/* A checkpoint is never written over, whatever its name and --force say: not itself, not a link to it, not a part of it. */
TEST(sources_stay)
{
    const char *st = in_folder("v.safetensors"), *link_ = in_folder("hard.mbw"), *model = in_folder("m.mbw");
    size_t before = 0, after = 0;
    mb_error err;
    void *was = NULL, *is = NULL;
    char other[400];
    CHECK_OK(mb_read_file(&was, &before, st, (size_t)1 << 30, &err), err);
    CHECK(link(st, link_) == 0);
    RUN(2, "convert", st, "-o", st, "--force");
    COMPLAINS("v.safetensors is the checkpoint\n  choose another name for the result: inputs are never overwritten");
    RUN(2, "convert", st, "-o", link_, "--force");
    COMPLAINS("hard.mbw is the checkpoint");
    (void)snprintf(other, sizeof other, "%s/./v.safetensors", folder);
    RUN(2, "convert", st, "-o", other, "--force");
    RUN(0, "convert", st, "-o", model);
    RUN(2, "convert", model, "-o", model, "--force");
    CHECK_OK(mb_read_file(&is, &after, st, (size_t)1 << 30, &err), err);
    CHECK(before == after && memcmp(was, is, before) == 0);
    mb_free(was);
    mb_free(is);
    (void)unlink(link_);
}

TEST(original_names)
{
    const char *hub = in_folder("v.safetensors"), *original = in_folder("o.safetensors"), *out = in_folder("o.mbw");
    make(original, "vitmatte-tiny4", &(edit){.vitmatte_names = true, .prefix = "module."});
    RUN(0, "convert", original, "-o", out);
    RUN(0, "verify", out, "--against", hub);
    SAYS("120 tensors identical");
    char *name = names_vitmatte_to_hub("decoder.fusion_blks.0.conv.bn.weight");
    CHECK_STR(name, "decoder.fusion_blocks.0.conv.batch_norm.weight");
    mb_free(name);
    CHECK(strcmp(names_strip("module._orig_mod.module.a"), "a") == 0 && strcmp(names_strip("module."), "module.") == 0);
}

TEST(incomplete)
{
    const char *st = in_folder("x.safetensors"), *out = in_folder("x.mbw");
    make(st, "vitmatte-tiny4", &(edit){.drop = "backbone.encoder.layer.1.mlp.fc1.bias"});
    RUN(3, "convert", st, "-o", out);
    COMPLAINS("missing: backbone.encoder.layer.1.mlp.fc1.bias [192]");
    COMPLAINS("but 1 tensors are missing, 0 have another shape");
    CHECK_NE(access(out, F_OK), 0);
    make(st, "vitmatte-tiny4", &(edit){.extra = "backbone.encoder.layer.1.adapter.weight"});
    RUN(3, "convert", st, "-o", out);
    COMPLAINS("unknown: backbone.encoder.layer.1.adapter.weight [2]");
    make(st, "vitmatte-tiny4", &(edit){.drop = "backbone.encoder.layer.1.norm1.weight", .prefix = "_orig_mod."});
    RUN(3, "convert", st, "-o", out); /* its layer, and those behind it, are there all the same */
    COMPLAINS("missing: backbone.encoder.layer.1.norm1.weight [48]\n");
    COMPLAINS("but 1 tensors are missing, 0 have another shape, 0 are no floats, 0 are unknown");
    make(st, "vitmatte-tiny4", &(edit){.drop = "backbone.embeddings.position_embeddings", .vitmatte_names = true});
    RUN(3, "convert", st, "-o", out); /* which told the original names */
    COMPLAINS("missing: backbone.embeddings.position_embeddings [");
    COMPLAINS("but 1 tensors are missing, 0 have another shape, 0 are no floats, 0 are unknown");
    RUN(3, "convert", MB_TEST_DATA "/checkpoints/plain.pth", "-o", out);
    COMPLAINS("neither BiRefNet nor VITMatte");
    RUN(3, "convert", MB_TEST_DATA "/checkpoints/evil_system.pth", "-o", out);
    COMPLAINS("evil_system.pth: asks to call \"posix.system\"; refused\n  nothing was run; if the file is your own");
    static const float v[2] = {0, 0};
    const mb_st_tensor t = {
        .name = "stage1.rebnconvin.conv_s1.weight", .dtype = MB_ST_F32, .rank = 1, .dims = {2}, .data = v, .bytes = 8};
    const mb_st_contents u2net = {&t, 1, NULL, 0, NULL, NULL};
    mb_error err;
    CHECK_OK(mb_safetensors_write(st, &u2net, true, &err), err);
    RUN(3, "convert", st, "-o", out);
    COMPLAINS(
        "this is U²-Net or IS-Net (DIS) (recognised by stage1.rebnconvin.conv_s1.weight), not BiRefNet or VITMatte");
    RUN(0, "inspect", st);
    SAYS("this is U²-Net");
}

/* The model behind wrappers of any name, beside other tensors, and told by hand. */
TEST(wrappers)
{
    const char *plain_file = in_folder("v.safetensors"), *st = in_folder("w.safetensors"), *out = in_folder("w.mbw");
    make(st, "vitmatte-tiny4", &(edit){.prefix = "student.ema_model.", .extra = "n_averaged"});
    RUN(0, "convert", st, "-o", out);
    SAYS("the model's names stand behind \"student.ema_model.\"\n");
    SAYS("1 tensor beside the model is ignored: n_averaged\n");
    RUN(0, "verify", out, "--against", plain_file);
    SAYS("120 tensors identical");
    RUN(0, "verify", out, "--against", st, "--prefix=student.ema_model");
    RUN(3, "convert", st, "-o", out, "-f", "--prefix=teacher.");
    COMPLAINS("no tensor of a known network lies behind the prefix \"teacher.\"\n  known names stand behind "
              "\"student.ema_model.\" (128 tensors)");
    RUN(3, "convert", st, "-o", out, "-f", "--key=ema");
    COMPLAINS("under the key \"ema\"");
    RUN(2, "verify", out, "--key=ema");
    RUN(0, "inspect", st);
    SAYS("model's names behind \"student.ema_model.\"");
    SAYS("beside it     1 tensors, ignored: n_averaged");
    SAYS("  licence       not stated in the source\n  revision      not recorded\n  SHA-256       ");
    RUN(0, "inspect", st, "--json");
    SAYS("\"prefix\":\"student.ema_model.\",\"beside_count\":1");
    SAYS("\"sha256\":\"");
    make(st, "vitmatte-tiny4", &(edit){.extra = "refiner.conv.weight"}); /* a part of a network that is another one */
    RUN(3, "convert", st, "-o", out, "-f");
    COMPLAINS("unknown: refiner.conv.weight");
}

/* Sound files whose values are not read are called so, with the way out; never unsound, and never in a circle. */
TEST(unread)
{
    const char *st = in_folder("f8.safetensors"), *out = in_folder("f8.mbw");
    make(st, "vitmatte-tiny4", &(edit){.eight_bits = true, .prefix = "net."});
    RUN(3, "convert", st, "-o", out);
    COMPLAINS("holds 8-bit floats (F8_E4M3), which is not supported (120 such tensors)\n  save the model in f16");
    CHECK(strstr(complained, "sound") == NULL && strstr(complained, ".safetensors file") == NULL);
    RUN(0, "inspect", st, "--tensors");
    SAYS("not read: 8-bit floats");
    SAYS("120 F8_E4M3");
}

/* BiRefNet trained with one picture at a time: no batch norms of any kind, or of some; one alone is damage. */
TEST(no_norms)
{
    const char *st = in_folder("n.safetensors"), *out = in_folder("n.mbw");
    make(st, "tiny-legacy-batch1", &(edit){.prefix = "model."});
    RUN(0, "convert", st, "-o", out);
    SAYS("without batch norms: trained with one picture at a time");
    RUN(0, "verify", out, "--against", st);
    SAYS("237 tensors identical");
    RUN(0, "inspect", out);
    SAYS("arch.identities           bn,bn_in,bn_out,bn1,global_avg_pool.2,gdt_convs.1\n");
    RUN(0, "convert", out, "-o", in_folder("n2.mbw"), "--dtype=f16");
    RUN(0, "inspect", in_folder("n2.mbw"));
    SAYS("arch.identities           bn,bn_in");
    make(st, "tiny-legacy", &(edit){.drop = "squeeze_module.0.bn_in.running_mean"});
    RUN(3, "convert", st, "-o", out, "-f");
    COMPLAINS("missing: squeeze_module.0.bn_in.running_mean");
}

TEST(values)
{
    const char *st = in_folder("p.safetensors"), *out = in_folder("p.mbw");
    const char *running = "decoder.fusion_blocks.0.conv.batch_norm.running_var";
    make(st, "vitmatte-tiny4", &(edit){.poison = running, .value = NAN});
    RUN(3, "convert", st, "-o", out);
    COMPLAINS("running_var: element 3 is NaN");
    make(st, "vitmatte-tiny4", &(edit){.poison = running, .value = -INFINITY});
    RUN(3, "convert", st, "-o", out);
    COMPLAINS("element 3 is infinite");
    CHECK_NE(access(out, F_OK), 0);
    make(st, "vitmatte-tiny4", &(edit){.poison = running, .value = 107391});
    RUN(3, "convert", st, "-o", out, "--dtype", "f16");
    COMPLAINS("107391 does not fit f16");
    RUN(0, "convert", st, "-o", out, "--dtype=f16", "--allow-overflow");
    COMPLAINS("warning: tensor decoder.fusion_blocks.0.conv.batch_norm.running_var stays f32");
    RUN(0, "verify", out, "--against", st);
    RUN(0, "inspect", out, "--json");
    SAYS("\"dtypes\":{\"F32\":1,\"F16\":119}");
    RUN(0, "convert", st, "-o", out, "--dtype=bf16", "-f");
    make(st, "vitmatte-tiny4", &(edit){.poison = running, .value = 65519.99F}); /* rounds down to 65504 */
    RUN(0, "convert", st, "-o", out, "--dtype=f16", "-f");
}

/* The v1 test model: checkpoints are in columns by their code; trained kernels tell by themselves. */
TEST(patch_orders)
{
    const char *st = in_folder("b.safetensors"), *rows = in_folder("r.mbw"), *columns = in_folder("c.mbw");
    make(st, "tiny-legacy", &(edit){.structured = true, .columns = false});
    RUN(0, "convert", st, "-o", rows);
    SAYS("patch order: rows (colour correlation of the kernels: rows 0.");
    RUN(0, "verify", rows, "--against", st);
    make(st, "tiny-legacy", &(edit){.structured = true, .columns = true});
    RUN(0, "convert", st, "-o", columns);
    SAYS("patch order: columns (colour correlation");
    SAYS("put into rows");
    RUN(0, "verify", columns, "--against", st);
    RUN(0, "verify", columns, "--against", rows); /* the same network, whichever way it was stored */
    SAYS("365 tensors identical");
    RUN(0, "convert", st, "-o", columns, "-f", "--patch-order=rows");
    SAYS("patch order: rows (as told; colour correlation");
    RUN(3, "verify", columns, "--against", rows);
    COMPLAINS("tensor decoder.ipt_blk");
    make(st, "tiny-legacy", &(edit){.drop = NULL}); /* noise: the code's age decides */
    RUN(0, "convert", st, "-o", columns, "-f");
    SAYS("patch order: columns (as all code of v1; undecided");
    make(in_folder("BiRefNet-HR.safetensors"), "tiny-legacy", &(edit){.drop = NULL});
    RUN(0, "convert", in_folder("BiRefNet-HR.safetensors"), "-o", columns, "-f");
    SAYS("patch order: rows (by the name birefnet_hr");
    RUN(0, "inspect", columns);
    SAYS("input.width               2048");
    RUN(0, "convert", in_folder("BiRefNet-HR.safetensors"), "-o", columns, "-f", "--input-size=512x256");
    RUN(0, "inspect", columns, "--json");
    SAYS("\"input.height\":\"256\"");
    SAYS("\"arch.generation\":\"v1\"");
}

TEST(usage)
{
    RUN(2, NULL);
    COMPLAINS("no command given");
    RUN(2, "polish", "x");
    RUN(2, "convert");
    RUN(2, "convert", "x");
    COMPLAINS("-o FILE is missing");
    RUN(2, "convert", "x", "-o", "y", "--dtype", "f64");
    COMPLAINS("--dtype f64: f32|f16|bf16");
    RUN(2, "convert", "x", "-o", "y", "--input-size", "12");
    RUN(2, "convert", "x", "-o");
    RUN(2, "inspect", "x", "--seed", "4");
    COMPLAINS("--seed does not go with inspect");
    RUN(2, "inspect", "x", "--json=1");
    RUN(2, "inspect", "x", "y");
    RUN(2, "inspect", "--colour", "x");
    RUN(2, "generate", "gpt", "-o", in_folder("n.mbw"));
    RUN(0, "--help");
    RUN(0, "convert", "--help");
    SAYS("--patch-order auto|rows|columns");
    RUN(0, "generate", "-h");
    SAYS("birefnet-swin-l");
    RUN(0, "--version");
    RUN(3, "inspect", in_folder("absent"));
    COMPLAINS("absent: no such file");
    RUN(3, "verify", in_folder("v.safetensors"));
    COMPLAINS("v.safetensors: is a safetensors checkpoint, not a .mbw file\n  mattebox-weights convert /tmp");
    RUN(5, "generate", "vitmatte-tiny4", "-o", in_folder("none/x.mbw"));
    COMPLAINS("the folder does not exist");
    RUN(5, "convert", in_folder("v.safetensors"), "-o", in_folder("none/x.mbw"));
}

TEST(known_names)
{
    static const struct {
        const char *path, *name;
    } paths[] = {
        {"BiRefNet-general-epoch_244.pth", "birefnet-general"},
        {"/m/models--ZhengPeng7--BiRefNet_lite/snapshots/0123456789abcdef0123456789abcdef01234567/model.safetensors",
         "birefnet-general-lite"},
        {"/m/BiRefNet_HR-matting/model.safetensors", "birefnet-hr-matting"},
        {"/m/vitmatte-small-composition-1k/pytorch_model.bin", "vitmatte-small"},
        {"ViTMatte_B_DIS.pth", "vitmatte-base-distinctions"},
        {"RMBG-2.0/model.safetensors", "rmbg-2.0"},
        {"ComfyUI/models/background_removal/lucida.safetensors", "lucida"},
        {"/m/models--feyninc--FeyNobg/snapshots/c1fd67fbefe3efeb78fe2a003270fb5350a0bb1c/model.safetensors", "feynobg"},
        {"birefnet/my-own.pth", NULL},
        {"/m/model.safetensors", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const known_model *k = known_find(paths[i].path);
        const char *got = k != NULL ? k->name : NULL;
        CHECK_MSG(got == NULL ? paths[i].name == NULL : paths[i].name != NULL && strcmp(got, paths[i].name) == 0,
                  "%s: %s", paths[i].path, got != NULL ? got : "unknown");
    }
}

TEST(licence)
{
    mb_error err;
    const char *st = in_folder("v.safetensors"), *out = in_folder("l.mbw");
    RUN(0, "convert", st, "-o", out);
    RUN(0, "inspect", out);
    SAYS("not stated in the source");
    static const char card[] = "---\ntags: [x]\nlicense: mit\n---\n# Model\n";
    CHECK_OK(mb_write_file(in_folder("README.md"), card, sizeof card - 1, false, &err), err);
    RUN(0, "convert", st, "-o", out, "-f");
    RUN(0, "inspect", out);
    SAYS("mit (as the source's model card states)");
    CHECK_OK(mb_write_file(in_folder("LICENSE"), "MIT License\n\nPermission ...", 27, false, &err), err);
    RUN(0, "convert", st, "-o", out, "-f");
    RUN(0, "inspect", out);
    SAYS("Permission ...");
    RUN(0, "convert", st, "-o", out, "-f", "--licence=own");
    RUN(0, "inspect", out);
    SAYS("licence                   own\n");
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
    make(in_folder("v.safetensors"), "vitmatte-tiny4", &(edit){.drop = NULL});
}

TEARDOWN
{
    char command[600];
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK_EQ(system(command), 0);
}
