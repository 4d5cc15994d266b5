/* The backbones of BiRefNet from names and shapes alone: the state dict of every option of the official code, written
 * as a checkpoint without values (a file with a hole in place of the data), recognised again; what no shape tells, its
 * overrides, and networks that are none of them. */
#define _GNU_SOURCE
#include "core/hash.h"
#include "generate.h"
#include "harness/check.h"
#include "recognise.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-backbones-XXXXXX";

static const char *checkpoint(void)
{
    static char path[100];
    (void)snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    return path;
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
}

TEARDOWN
{
    (void)unlink(checkpoint());
    (void)rmdir(folder);
}

/* ---- checkpoints without values */

typedef struct change {
    const char *drop;     /* tensors whose names begin so */
    const char *without;  /* a tensor */
    const char *extra;    /* a tensor [2] more */
    const char *reshaped; /* a tensor of which `axis` gets the size `to` */
    int axis;
    int64_t to;
    const char *from, *into; /* a prefix of names, and what it becomes */
} change;

static bool begins(const char *name, const char *prefix)
{
    return prefix != NULL && strncmp(name, prefix, strlen(prefix)) == 0;
}

static void entry(FILE *f, size_t *at, const char *name, bool integer, const int64_t *dims, int rank)
{
    size_t bytes = integer ? 8 : 2;
    (void)fprintf(f, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", *at > 0 ? "," : "", name, integer ? "I64" : "F16");
    for (int i = 0; i < rank; i++) {
        (void)fprintf(f, "%s%lld", i > 0 ? "," : "", (long long)dims[i]);
        bytes *= (size_t)dims[i];
    }
    (void)fprintf(f, "],\"data_offsets\":[%zu,%zu]}", *at, *at + bytes);
    *at += bytes;
}

/* The state dict of a generated variant, last tensor first, so that nothing depends on the order. */
static void write_checkpoint(const char *variant, const change *c)
{
    generator *g = NULL;
    mb_error err;
    char *header = NULL;
    size_t n = 0, at = 0;
    REQUIRE_OK(generator_create(&g, variant, 1, &err), err);
    FILE *f = open_memstream(&header, &n);
    (void)fputc('{', f);
    for (size_t i = generator_count(g); i-- > 0;) {
        tensor_spec t = *generator_spec(g, i);
        char name[200];
        const bool renamed = c != NULL && begins(t.name, c->from);
        (void)snprintf(name, sizeof name, "%s%s", renamed ? c->into : "", t.name + (renamed ? strlen(c->from) : 0));
        if (c != NULL && c->reshaped != NULL && strcmp(name, c->reshaped) == 0) {
            t.dims[c->axis] = c->to;
        }
        if (c == NULL || (!begins(name, c->drop) && (c->without == NULL || strcmp(name, c->without) != 0))) {
            entry(f, &at, name, t.kind == SPEC_INDEX || t.kind == SPEC_COUNTER, t.dims, t.rank);
        }
    }
    if (c != NULL && c->extra != NULL) {
        entry(f, &at, c->extra, false, (int64_t[]){2}, 1);
    }
    (void)fputc('}', f);
    (void)fclose(f);
    generator_free(g);
    const uint64_t length = n;
    int file = open(checkpoint(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    REQUIRE(file >= 0 && write(file, &length, 8) == 8 && write(file, header, n) == (ssize_t)n &&
            ftruncate(file, (off_t)(8 + n + at)) == 0);
    (void)close(file);
    free(header);
}

/* Recognises and checks it; the message of what was wrong goes to *err, what was found to `report` (may be NULL). */
static mb_status look_at(recognised *r, const backbone_told *told, FILE *report, mb_error *err)
{
    source *s = NULL;
    *r = (recognised){.family = FAMILY_NONE};
    mb_status status = source_open(&s, checkpoint(), err);
    status = status == MB_OK ? recognise(r, s, told, err) : status;
    status = status == MB_OK ? recognise_check(r, s, report, err) : status;
    source_free(s);
    return status;
}

static mb_status look(recognised *r, const backbone_told *told, mb_error *err)
{
    return look_at(r, told, NULL, err);
}

/* ---- every option of the official code */

static const struct official {
    const char *name, *title, *heads, *outputs;
    size_t tensors;
    uint64_t elements, listing;
} officials[] = {
    {"pvt-v2-b0", "BiRefNet v2, PVTv2-B0", "1,2,5,8", "", 573, 15790598, 0x3eb8da656445f131},
    {"pvt-v2-b1", "BiRefNet v2, PVTv2-B1", "1,2,5,8", "", 573, 28330222, 0xd59a8e6ab52bc94f},
    {"pvt-v2-b2", "BiRefNet v2, PVTv2-B2", "1,2,5,8", "", 729, 39684078, 0x4000b68d947064db},
    {"pvt-v2-b5", "BiRefNet v2, PVTv2-B5", "1,2,5,8", "", 1449, 96277230, 0xb63147e4871dad34},
    {"dino-v3-s", "BiRefNet v2, DINOv3 ViT-S", "6", "3,5,7,11", 565, 47383006, 0xbe869b2abbcbe075},
    {"dino-v3-s-plus", "BiRefNet v2, DINOv3 ViT-S+", "6", "3,5,7,11", 589, 54479326, 0xa47214a46f93db7b},
    {"dino-v3-b", "BiRefNet v2, DINOv3 ViT-B", "12", "3,5,7,11", 565, 118574110, 0x91ef857203e98d61},
    {"dino-v3-l", "BiRefNet v2, DINOv3 ViT-L", "16", "5,11,17,23", 721, 340770206, 0x40b5f6b5dd0b2243},
    {"dino-v3-h-plus", "BiRefNet v2, DINOv3 ViT-H+", "20", "7,15,23,31", 889, 882958110, 0x03fdd3ff24ada8ed},
    {"dino-v3-7b", "BiRefNet v2, DINOv3 ViT-7B", "32", "9,19,29,39", 1009, 6810816414, 0xca70e8507ec20fb5},
    {"resnet50", "BiRefNet v2, ResNet-50", "0,0,0,0", "", 715, 54881502, 0x5dfcad83d67ee171},
    {"vgg16", "BiRefNet v2, VGG-16", "", "", 423, 32015454, 0x837c9e5b407f5b2d},
    {"vgg16bn", "BiRefNet v2, VGG-16 with batch norms", "", "", 488, 32032350, 0x083edea680aebbe2},
    {"swin-t", "BiRefNet v2, Swin-T", "3,6,12,24", "", 586, 44333848, 0x5456997b9901c107},
    {"swin-s", "BiRefNet v2, Swin-S", "3,6,12,24", "", 754, 65651752, 0xd73d8b5203d0fc6b},
    {"swin-b", "BiRefNet v2, Swin-B", "4,8,16,32", "", 754, 106250902, 0x1b4e96680a767f84},
    {"swin-l", "BiRefNet v2, Swin-L", "6,12,24,48", "", 754, 220202578, 0x5e6219b723dc9dcf},
};

/* FNV-1a-64 of one line per tensor: name, type, dims joined by x. */
static uint64_t listing_of(const spec_list *l, uint64_t *elements)
{
    uint64_t h = MB_FNV1A64_BASIS;
    *elements = 0;
    for (size_t i = 0; i < l->n; i++) {
        const tensor_spec *t = &l->v[i];
        const bool integer = t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER;
        char line[300];
        uint64_t n = 1;
        int at = snprintf(line, sizeof line, "%s %s ", t->name, integer ? "I64" : "F32");
        for (int d = 0; d < t->rank; d++) {
            at += snprintf(line + at, sizeof line - (size_t)at, "%s%lld", d > 0 ? "x" : "", (long long)t->dims[d]);
            n *= (uint64_t)t->dims[d];
        }
        line[at++] = '\n';
        h = mb_fnv1a64(h, line, (size_t)at);
        *elements += integer ? 0 : n;
    }
    return h;
}

TEST_ROWS(official, officials)
{
    recognised r;
    mb_error err;
    uint64_t elements;
    char title[80], list[64], variant[80];
    (void)snprintf(variant, sizeof variant, "birefnet-%s", row->name);
    write_checkpoint(variant, NULL);
    CHECK_OK(look(&r, NULL, &err), err);
    CHECK_EQ(r.specs.n, row->tensors);
    CHECK_EQ(listing_of(&r.specs, &elements), row->listing);
    CHECK_EQ(elements, row->elements);
    recognised_title(&r, title, sizeof title);
    CHECK_STR(title, row->title);
    const backbone_arch *b = &r.birefnet.backbone;
    if (b->family != NULL) {
        arch_join(list, sizeof list, b->heads, (size_t)b->family->stages);
        CHECK_STR(list, row->heads);
        arch_join(list, sizeof list, b->outputs, b->family->outputs_unknown ? 4 : 0);
        CHECK_STR(list, row->outputs);
    }
    recognised_dispose(&r);
}

/* ---- what no shape tells */

static const struct override {
    const char *name, *variant;
    backbone_told told;
    const char *refused; /* a part of the message; NULL: it is taken */
} overrides[] = {
    {"heads of PVTv2", "birefnet-tiny-pvt", {.heads = "1,2,4,8"}, NULL},
    {"heads that do not divide", "birefnet-tiny-pvt", {.heads = "1,2,3,8"}, "3 heads do not divide the 80 channels"},
    {"too few heads", "birefnet-tiny-pvt", {.heads = "1,2,5"}, "heads 1,2,5 does not fit the backbone, PVTv2"},
    {"no heads at all", "birefnet-tiny-pvt", {.heads = "0,2,5,8"}, "0 heads do not divide"},
    {"heads of Swin stand in its tables", "birefnet-tiny7", {.heads = "1,2,4,8"}, "does not fit the backbone, Swin"},
    {"heads of DINOv3", "birefnet-tiny-dino", {.heads = "4"}, NULL},
    {"output blocks", "birefnet-tiny-dino", {.outputs = "2,5,8,11"}, NULL},
    {"output blocks beyond the last", "birefnet-tiny-dino", {.outputs = "2,5,8,12"}, "output blocks 2,5,8,12"},
    {"output blocks backwards", "birefnet-tiny-dino", {.outputs = "5,2,8,11"}, "output blocks 5,2,8,11"},
    {"output blocks of PVTv2", "birefnet-tiny-pvt", {.outputs = "2,5,8,11"}, "does not fit the backbone, PVTv2"},
    {"two epsilons", "birefnet-tiny-pvt", {.norm_eps = "1e-5,1e-6"}, NULL},
    {"one epsilon of two", "birefnet-tiny-pvt", {.norm_eps = "1e-5"}, "epsilons of the norms 1e-5"},
    {"an epsilon of 0", "birefnet-tiny-dino", {.norm_eps = "0"}, "epsilons of the norms 0"},
    {"base of the rotary positions", "birefnet-tiny-dino", {.rope_base = "1000"}, NULL},
    {"a base of 1", "birefnet-tiny-dino", {.rope_base = "1"}, "base of the rotary positions 1"},
    {"a base for PVTv2", "birefnet-tiny-pvt", {.rope_base = "100"}, "does not fit the backbone, PVTv2"},
    {"an epsilon that is no number", "birefnet-tiny-dino", {.norm_eps = "1e-5x"}, "epsilons of the norms 1e-5x"},
};

TEST_ROWS(told, overrides)
{
    recognised r;
    mb_error err = {0};
    write_checkpoint(row->variant, NULL);
    mb_status status = look(&r, &row->told, &err);
    if (row->refused != NULL) {
        CHECK(status != MB_OK);
        CHECK_CONTAINS(err.message, row->refused);
    } else if (CHECK_MSG(status == MB_OK, "%s", err.message)) {
        const backbone_arch *b = &r.birefnet.backbone;
        char list[64];
        arch_join(list, sizeof list, row->told.heads != NULL ? b->heads : b->outputs,
                  row->told.heads != NULL ? (size_t)b->family->stages : 4);
        const char *want = row->told.heads != NULL      ? row->told.heads
                           : row->told.outputs != NULL  ? row->told.outputs
                           : row->told.norm_eps != NULL ? row->told.norm_eps
                                                        : row->told.rope_base;
        CHECK_STR(row->told.norm_eps != NULL ? b->norm_eps : row->told.rope_base != NULL ? b->rope_base : list, want);
    }
    recognised_dispose(&r);
}

/* ---- what is none of them */

static const struct stranger {
    const char *name, *variant;
    change made;
    const char *says;
} strangers[] = {
    {"DINOv3 without a neck",
     "birefnet-tiny-dino",
     {.drop = "decoder.pyramid_neck_"},
     "decoder.pyramid_neck_x4.conv.weight is missing"},
    {"DINOv3 at one scale",
     "birefnet-tiny-dino",
     {.reshaped = "decoder.pyramid_neck_x4.conv.weight", .axis = 1, .to = 128},
     "trained with one scale"},
    {"DINOv3 of other patches",
     "birefnet-tiny-dino",
     {.reshaped = "bb.model.patch_embed.proj.weight", .axis = 3, .to = 14},
     "patches of 14"},
    {"PVTv2 at one scale",
     "birefnet-tiny-pvt",
     {.reshaped = "decoder.lateral_block4.conv.weight", .axis = 1, .to = 80},
     "trained with one scale"},
    {"PVTv2 of an odd width",
     "birefnet-tiny-pvt",
     {.reshaped = "bb.patch_embed3.proj.weight", .axis = 0, .to = 81},
     "5 heads do not divide the 81 channels"},
    {"a ResNet of before the parts were cut anew",
     "birefnet-resnet50",
     {.from = "bb.conv1.4.", .into = "bb.conv5."},
     "bb.conv1.0.weight: a kernel of 7"},
    {"a layer more in the backbone", "birefnet-tiny-pvt", {.extra = "bb.block1.0.attn.gate.weight"}, "1 are unknown"},
    {"a VGG without a norm", "birefnet-vgg16bn", {.drop = "bb.conv3.25.running_var"}, "1 tensors are missing"},
    {"another squeeze",
     "birefnet-resnet50",
     {.reshaped = "squeeze_module.0.conv_in.weight", .axis = 1, .to = 4096},
     "context channels"},
    {"another network under bb", "birefnet-vgg16", {.from = "bb.conv1.0.", .into = "bb.stem."}, "not supported"},
};

TEST_ROWS(refused, strangers)
{
    recognised r;
    mb_error err = {0};
    write_checkpoint(row->variant, &row->made);
    CHECK(look(&r, NULL, &err) != MB_OK);
    CHECK_CONTAINS(err.message, row->says);
    recognised_dispose(&r);
}

/* ---- one tensor missing */

static const struct variant {
    const char *name;
} whole[] = {{"vitmatte-tiny4"},    {"tiny-legacy"},        {"birefnet-tiny7"},
             {"birefnet-tiny-pvt"}, {"birefnet-tiny-dino"}, {"birefnet-tiny-dino-plus"},
             {"birefnet-resnet50"}, {"birefnet-vgg16"},     {"birefnet-vgg16bn"}};

/* Whichever it is: it is named, and nothing else is said to be wrong. */
TEST_ROWS(one_missing, whole)
{
    generator *g = NULL;
    mb_error err = {0};
    int n_wrong = 0;
    REQUIRE_OK(generator_create(&g, row->name, 1, &err), err);
    for (size_t i = 0; i < generator_count(g) && n_wrong < 5; i++) {
        const tensor_spec *t = generator_spec(g, i);
        recognised r;
        char *report = NULL, line[200];
        size_t n = 0;
        const bool quick = strncmp(row->name, "birefnet", 8) != 0 || test_long(); /* of the others one in seven */
        if (t->ignored || (!quick && i % 7 != 0)) {
            continue;
        }
        FILE *f = open_memstream(&report, &n);
        write_checkpoint(row->name, &(change){.without = t->name});
        CHECK(look_at(&r, NULL, f, &err) == MB_E_MISMATCH);
        (void)fclose(f);
        (void)snprintf(line, sizeof line, "  missing: %s [", t->name);
        n_wrong += !CHECK_MSG(strstr(report, line) == report && strchr(report, '\n') == report + n - 1 &&
                                  strstr(err.message, "but 1 tensors are missing, 0 have another shape, 0 are no "
                                                      "floats, 0 are unknown") != NULL,
                              "without %s: %s\n%s", t->name, err.message, report);
        free(report);
        recognised_dispose(&r);
    }
    generator_free(g);
}

/* Ten of a kind are listed, the others counted. */
TEST(many_missing)
{
    recognised r;
    mb_error err = {0};
    char *report = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&report, &n);
    write_checkpoint("birefnet-tiny7", &(change){.drop = "decoder.ipt_blk"});
    CHECK(look_at(&r, NULL, f, &err) == MB_E_MISMATCH);
    (void)fclose(f);
    CHECK_CONTAINS(report, "\n  missing: and ");
    CHECK_CONTAINS(report, " more\n");
    free(report);
    recognised_dispose(&r);
}

static const struct harmless {
    const char *name, *extra;
} harmless[] = {{"final norm", "bb.model.norm.weight"},
                {"periods", "bb.model.rope.periods"},
                {"mask token", "bb.model.mask_token"}};

TEST_ROWS(ignored, harmless)
{
    recognised r;
    mb_error err;
    write_checkpoint("birefnet-tiny-dino", &(change){.extra = row->extra});
    CHECK_OK(look(&r, NULL, &err), err);
    CHECK(recognised_ignores(&r, row->extra));
    recognised_dispose(&r);
}
