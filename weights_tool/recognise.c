/* Recognition by names (docs/models/): marks of the two families, of BiRefNets with other backbones, and of other
 * networks that people try. A file is recognised by a few names that only that family has, and then measured: the
 * tensors tell every size. Matching is strict in both directions, since a network with one more layer computes
 * something else, and running it without would give masks that look almost right. */
#include "recognise.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 10

/* ---- what else it may be */

static const struct {
    const char *prefix; /* of a tensor's name */
    const char *what;
} others[] = {
    {"bb.", "a BiRefNet with a backbone that is not supported"},
    {"stage1.rebnconvin", "U²-Net or IS-Net (DIS)"},
    {"image_encoder.", "Segment Anything (SAM)"},
    {"vision_encoder.", "Segment Anything (SAM)"},
    {"mask_decoder.", "Segment Anything (SAM)"},
    {"backbone.model.features", "MODNet"},
    {"hr_branch.", "MODNet"},
    {"lr_branch.", "MODNet"},
    {"refiner.", "Robust Video Matting or BackgroundMattingV2"},
    {"project_mat.", "Robust Video Matting"},
    {"context1.", "InSPyReNet"},
    {"backbone.layers.0.blocks.", "a network on Swin (InSPyReNet, Mask2Former or the like)"},
    {"segformer.", "SegFormer (RMBG-1.4's relatives, clothes segmentation)"},
    {"conv_in.", "IS-Net or RMBG-1.4 (briaai), or a diffusion model"},
    {"model.diffusion_model.", "Stable Diffusion"},
    {"first_stage_model.", "Stable Diffusion"},
    {"down_blocks.", "a diffusion model (diffusers)"},
    {"double_blocks.", "FLUX"},
    {"model.embed_tokens.", "a language model"},
    {"model.layers.0.self_attn", "a language model"},
    {"transformer.h.", "a language model (GPT)"},
    {"bert.", "a language model (BERT)"},
    {"text_model.", "CLIP"},
    {"features.0.", "an image classifier (VGG, MobileNet or the like)"},
    {"layer1.0.conv1.", "a ResNet"},
    {"blocks.0.attn.", "a plain ViT"},
};

#define N_OTHERS (sizeof others / sizeof others[0])

/* Always fails, with the best guess at what the file is. The order of the table matters: rows that are more specific
 * come first, because many networks share parts of their names. */
static mb_status refuse(const source *s, mb_error *err)
{
    const char *path = source_file_path(s, 0);
    for (size_t k = 0; k < 2 * N_OTHERS; k++) { /* first by whole names, then behind a wrapper's prefix */
        const size_t row = k % N_OTHERS;
        for (size_t i = 0; i < source_count(s); i++) {
            const char *name = source_at(s, i)->name, *dot = strchr(name, '.');
            const char *at = k < N_OTHERS || dot == NULL ? name : dot + 1;
            if (strncmp(at, others[row].prefix, strlen(others[row].prefix)) == 0) {
                bool birefnet = strncmp(others[row].what, "a BiRefNet", 10) == 0;
                return mb_fail(err, MB_E_MISMATCH, "%s: this is %s (recognised by %s)%s", path, others[row].what, name,
                               birefnet ? "" : ", not BiRefNet or VITMatte");
            }
        }
    }
    const char *first = source_count(s) > 0 ? source_at(s, 0)->name : "none";
    return mb_fail(err, MB_E_MISMATCH, "%s: neither BiRefNet nor VITMatte (%zu tensors, the first is %.100s)%s%s", path,
                   source_count(s), first, source_keys(s)[0] != '\0' ? "\nkeys of the file: " : "", source_keys(s));
}

/* ---- recognition */

/* Either of two tensors, so that a damaged file is still recognised and its gaps can be listed. */
static bool is_vitmatte(const source *s)
{
    return source_find(s, "decoder.convstream.convs.0.conv.weight") != NULL ||
           source_find(s, "decoder.matting_head.matting_convs.3.weight") != NULL;
}

/* What a model file was made with: the rules of its backbone, or what the converter was told then. */
static const char *recorded(const source *s, bool has, const char *key)
{
    return has && source_kind(s) == SOURCE_MBW ? source_meta(s, key) : NULL;
}

static mb_status describe_birefnet(birefnet_arch *a, const backbone_family *f, const source *s,
                                   const backbone_told *told, mb_error *err)
{
    backbone_told all = {recorded(s, f->heads_unknown, "arch.heads"),
                         recorded(s, f->outputs_unknown, "arch.output_blocks"),
                         recorded(s, f->n_eps > 0, "arch.norm_eps")};
    if (told != NULL) {
        all.heads = told->heads != NULL ? told->heads : all.heads;
        all.outputs = told->outputs != NULL ? told->outputs : all.outputs;
        all.norm_eps = told->norm_eps != NULL ? told->norm_eps : all.norm_eps;
    }
    return birefnet_describe(a, f, s, &all, err);
}

/* Family, sizes and the list of tensors that such a network must have. Their presence is recognise_check's affair. On
 * success r owns the list of specs (recognised_dispose); on failure it is empty. */
mb_status recognise(recognised *r, const source *s, const backbone_told *told, mb_error *err)
{
    mb_status status;
    const backbone_family *backbone = backbone_find(s);
    *r = (recognised){.family = backbone != NULL ? FAMILY_BIREFNET : is_vitmatte(s) ? FAMILY_VITMATTE : FAMILY_NONE};
    switch (r->family) {
    case FAMILY_BIREFNET:
        status = describe_birefnet(&r->birefnet, backbone, s, told, err);
        if (status == MB_OK) {
            birefnet_specs(&r->specs, &r->birefnet);
        }
        break;
    case FAMILY_VITMATTE:
        status = vitmatte_describe(&r->vitmatte, s, err);
        if (status == MB_OK) {
            vitmatte_specs(&r->specs, &r->vitmatte);
        }
        break;
    default:
        return refuse(s, err);
    }
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", source_file_path(s, 0));
    } else if (r->specs.failed) {
        status = mb_fail_memory(err, r->specs.n * sizeof r->specs.v[0], "the list of expected tensors");
    }
    if (status != MB_OK) {
        recognised_dispose(r);
    }
    return status;
}

void recognised_dispose(recognised *r)
{
    spec_list_dispose(&r->specs);
}

void recognised_title(const recognised *r, char *dst, size_t capacity)
{
    if (r->family == FAMILY_BIREFNET) {
        char size[64];
        (void)snprintf(dst, capacity, "BiRefNet %s, %s", r->birefnet.ipt_blk5 ? "v2" : "v1",
                       backbone_title(&r->birefnet.backbone, size, sizeof size));
    } else {
        (void)snprintf(dst, capacity, "%s", vitmatte_size(&r->vitmatte));
    }
}

bool recognised_ignores(const recognised *r, const char *name)
{
    return r->family == FAMILY_BIREFNET ? birefnet_ignores(&r->birefnet, name) : vitmatte_ignores(name);
}

/* From the specs and not from the file, so that counters and indices do not count. */
uint64_t recognised_parameters(const recognised *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->specs.n; i++) {
        /* A product that begins with 0 stays 0. */
        uint64_t n = r->specs.v[i].ignored ? 0 : 1;
        for (int d = 0; d < r->specs.v[i].rank; d++) {
            n *= (uint64_t)r->specs.v[i].dims[d];
        }
        sum += n;
    }
    return sum;
}

/* ---- completeness */

/* One kind of deviation; after MAX_LISTED they are only counted. */
typedef struct findings {
    FILE *report;
    const char *what;
    size_t n;
} findings;

/* Counts a finding and, among the first, prints it on a line of its own. */
__attribute__((format(printf, 2, 3))) static void note(findings *f, const char *format, ...)
{
    f->n++;
    if (f->report == NULL || f->n > MAX_LISTED) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)fprintf(f->report, "  %s: ", f->what);
    (void)vfprintf(f->report, format, args);
    (void)fputc('\n', f->report);
    va_end(args);
}

static void note_rest(const findings *f)
{
    if (f->report != NULL && f->n > MAX_LISTED) {
        (void)fprintf(f->report, "  %s: and %zu more\n", f->what, f->n - MAX_LISTED);
    }
}

static bool same_shape(const source_tensor *t, const tensor_spec *want)
{
    return t->rank == want->rank &&
           (want->rank == 0 || memcmp(t->dims, want->dims, sizeof t->dims[0] * (size_t)t->rank) == 0);
}

static void shape_text(char dst[100], const int64_t *dims, int rank)
{
    char list[90];
    arch_join(list, sizeof list, dims, (size_t)rank);
    (void)snprintf(dst, 100, "[%s]", list);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tensor_spec *)a)->name, ((const tensor_spec *)b)->name);
}

/* Tensors of the file that the network has no place for. The specs are copied and sorted for the search, since their
 * own order is that of the state dict and is needed later. */
static mb_status count_unknown(const recognised *r, const source *s, findings *extra, mb_error *err)
{
    spec_list sorted = {0};
    for (size_t i = 0; i < r->specs.n; i++) {
        spec_add(&sorted, r->specs.v[i].kind, r->specs.v[i].dims, "%s", r->specs.v[i].name);
    }
    if (sorted.failed) {
        spec_list_dispose(&sorted);
        return mb_fail_memory(err, r->specs.n * sizeof sorted.v[0], "the list of expected tensors");
    }
    qsort(sorted.v, sorted.n, sizeof sorted.v[0], by_name);
    for (size_t i = 0; i < source_count(s); i++) {
        const source_tensor *t = source_at(s, i);
        tensor_spec key = {.rank = 0};
        (void)snprintf(key.name, sizeof key.name, "%s", t->name);
        bool known =
            strlen(t->name) < sizeof key.name && bsearch(&key, sorted.v, sorted.n, sizeof key, by_name) != NULL;
        if (!known && !recognised_ignores(r, t->name)) {
            char shape[100];
            shape_text(shape, t->dims, t->rank);
            note(extra, "%s %s", t->original, shape);
        }
    }
    note_rest(extra);
    spec_list_dispose(&sorted);
    return MB_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Tensors that inference needs and whose values are not read: the file is sound, and the way out depends on the kind.
 * Only tensors of the same kind as the first are counted, as the message names one kind. Eight-bit floats get a hint
 * of their own: such files may hold scales beside the weights. */
static mb_status check_readable(const recognised *r, const source *s, mb_error *err)
{
    const source_tensor *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < r->specs.n; i++) {
        const source_tensor *t = r->specs.v[i].ignored ? NULL : source_find(s, r->specs.v[i].name);
        if (t != NULL && t->unread != NULL) {
            first = first != NULL ? first : t;
            n += same_text(t->unread, first->unread);
        }
    }
    if (first == NULL) {
        return MB_OK;
    }
    const char *type = first->dtype == MB_ST_OTHER ? "" : mb_st_dtype_name(first->dtype);
    const bool floats = strstr(first->unread, "-bit floats") != NULL;
    return mb_fail(err, MB_E_UNSUPPORTED,
                   "%s: tensor %.200s holds %s%s%s%s, which is not supported (%zu such tensors)\n%s",
                   source_file_path(s, 0), first->original, first->unread, type[0] != '\0' ? " (" : "", type,
                   type[0] != '\0' ? ")" : "", n,
                   floats ? "save the model in f16 with the program that made it: each tensor .half(), times its scale "
                            "where the file has scales"
                          : "save the model as plain f32 or f16 tensors with the program that made it");
}

/* Every difference is counted and reported, ten of a kind, before the one error: users should see all at once. The
 * unread come first, because a file of 8-bit floats would otherwise be reported as hundreds of tensors that are no
 * floats. */
mb_status recognise_check(const recognised *r, const source *s, FILE *report, mb_error *err)
{
    findings missing = {report, "missing", 0}, shaped = {report, "other shape", 0}, typed = {report, "not a float", 0};
    mb_status status = check_readable(r, s, err);
    if (status != MB_OK) {
        return status;
    }
    for (size_t i = 0; i < r->specs.n; i++) {
        const tensor_spec *want = &r->specs.v[i];
        const source_tensor *t = want->ignored ? NULL : source_find(s, want->name);
        char a[100], b[100];
        if (want->ignored) {
            continue;
        }
        shape_text(b, want->dims, want->rank);
        if (t == NULL) {
            note(&missing, "%s %s", want->name, b);
        } else if (!same_shape(t, want)) {
            shape_text(a, t->dims, t->rank);
            note(&shaped, "%s %s, expected %s", want->name, a, b);
        } else if (!mb_st_dtype_is_float(t->dtype)) {
            note(&typed, "%s is %s", want->name, mb_st_dtype_name(t->dtype));
        }
    }
    note_rest(&missing);
    note_rest(&shaped);
    note_rest(&typed);
    findings unknown = {report, "unknown", 0};
    status = count_unknown(r, s, &unknown, err);
    if (status != MB_OK || missing.n + shaped.n + typed.n + unknown.n == 0) {
        return status;
    }
    char title[80];
    recognised_title(r, title, sizeof title);
    return mb_fail(err, MB_E_MISMATCH,
                   "%s: looks like %s, but %zu tensors are missing, %zu have another shape, %zu are no "
                   "floats, %zu are unknown\nis it damaged, or a model that builds on %s?",
                   source_file_path(s, 0), title, missing.n, shaped.n, typed.n, unknown.n, title);
}
