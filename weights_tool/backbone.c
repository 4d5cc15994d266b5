/* The table of backbones, and what the families share. A new family is a file of its own and a row of the table. */
#include "backbone.h"

#include "core/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const backbone_family *const families[] = {&backbone_swin, &backbone_pvt, &backbone_dino, &backbone_resnet,
                                                  &backbone_vgg};

const backbone_family *const *backbone_families(size_t *n)
{
    *n = sizeof families / sizeof families[0];
    return families;
}

const backbone_family *backbone_find(const source *s)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const char *const *mark = families[i]->marks;
        const char *const *trace = families[i]->trace;
        if ((source_find(s, mark[0]) != NULL && (mark[1] == NULL || source_find(s, mark[1]) != NULL)) ||
            source_find(s, trace[0]) != NULL || (trace[1] != NULL && source_find(s, trace[1]) != NULL)) {
            return families[i];
        }
    }
    return NULL;
}

/* ---- reading shapes */

#define MAX_DIM ((int64_t)1 << 24) /* of any width of a network */

/* Numbers with commas between them, cut where the buffer ends. */
void arch_join(char *dst, size_t capacity, const int64_t *v, size_t n)
{
    size_t at = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < n && at < capacity; i++) {
        int m = snprintf(dst + at, capacity - at, "%s%" PRId64, i > 0 ? "," : "", v[i]);
        at += m > 0 ? (size_t)m : 0;
    }
}

/* An empty tensor may claim any size in its other dimensions: widths are multiplied with each other and must not overflow.
 * A tensor whose width is not believed is then reported for its shape. */
int64_t arch_dim(const source *s, const char *name, int axis, int64_t otherwise)
{
    const source_tensor *t = source_find(s, name);
    const int64_t dim = t != NULL && axis < t->rank ? t->dims[axis] : 0;
    return dim > 0 && dim <= MAX_DIM ? dim : otherwise;
}

int64_t backbone_dim(const source *s, int axis, int64_t otherwise, const char *format, ...)
{
    char name[120];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return arch_dim(s, name, axis, otherwise);
}

bool backbone_has(const source *s, const char *format, ...)
{
    char name[120];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return source_find(s, name) != NULL;
}

int64_t backbone_count(const source *s, const char *const *inner, const char *format, ...)
{
    char prefix[80];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    int n = 0;
    for (bool there = true; there && n < BACKBONE_MAX_DEPTH; n += there) {
        there = false;
        for (size_t i = 0; inner[i] != NULL && !there; i++) {
            there = backbone_has(s, "%s%d.%s", prefix, n, inner[i]);
        }
    }
    return n;
}

/* ---- listing tensors */

#define PREFIX_FROM(format)                                                                                            \
    char prefix[100];                                                                                                  \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    (void)vsnprintf(prefix, sizeof prefix, format, args);                                                              \
    va_end(args)

void backbone_pair(spec_list *l, spec_kind kind, const int64_t dims[4], const char *format, ...)
{
    PREFIX_FROM(format);
    spec_add_pair(l, kind, dims, prefix);
}

void backbone_layer_norm(spec_list *l, int64_t channels, const char *format, ...)
{
    PREFIX_FROM(format);
    spec_add_layer_norm(l, channels, prefix);
}

void backbone_batch_norm(spec_list *l, int64_t channels, const char *format, ...)
{
    PREFIX_FROM(format);
    spec_add_batch_norm(l, channels, prefix);
}

/* ---- overrides */

/* Exactly n whole numbers of 0 to 65535 with commas between them. */
static bool parse_list(int64_t *out, int n, const char *text)
{
    for (int i = 0; i < n; i++) {
        char *end;
        if (*text < '0' || *text > '9') {
            return false;
        }
        out[i] = (int64_t)strtol(text, &end, 10);
        if (out[i] > 65535 || *end != (i + 1 < n ? ',' : '\0')) {
            return false;
        }
        text = end + 1;
    }
    return true;
}

/* Exactly n numbers above 0 and up to 1, as the engine will read them. */
static bool is_eps_list(int n, const char *text)
{
    for (int i = 0; i < n; i++) {
        double value;
        const char *end = mb_text_number(&value, text);
        if (end == NULL || !(value > 0 && value <= 1) || *end != (i + 1 < n ? ',' : '\0')) {
            return false;
        }
        text = end + 1;
    }
    return true;
}

static mb_status fail_told(const backbone_arch *a, const char *what, const char *text, mb_error *err)
{
    return mb_fail(err, MB_E_ARGUMENT, "%s %.60s does not fit the backbone, %s", what, text, a->family->kind);
}

static mb_status apply_told(backbone_arch *a, const backbone_told *t, mb_error *err)
{
    const backbone_family *f = a->family;
    if (t->heads != NULL && (!f->heads_unknown || !parse_list(a->heads, f->stages, t->heads))) {
        return fail_told(a, "heads", t->heads, err);
    }
    if (t->outputs != NULL) {
        bool ok = f->outputs_unknown && parse_list(a->outputs, BACKBONE_MAPS, t->outputs);
        for (int i = 0; ok && i < BACKBONE_MAPS; i++) {
            ok = a->outputs[i] < a->depths[0] && (i == 0 || a->outputs[i] > a->outputs[i - 1]);
        }
        if (!ok) {
            return fail_told(a, "output blocks", t->outputs, err);
        }
    }
    if (t->norm_eps != NULL) {
        if (f->n_eps == 0 || strlen(t->norm_eps) >= sizeof a->norm_eps || !is_eps_list(f->n_eps, t->norm_eps)) {
            return fail_told(a, "epsilons of the norms", t->norm_eps, err);
        }
        (void)snprintf(a->norm_eps, sizeof a->norm_eps, "%s", t->norm_eps);
    }
    if (t->rope_base != NULL) {
        double base;
        const char *end = mb_text_number(&base, t->rope_base);
        if (a->rope_base[0] == '\0' || end == NULL || *end != '\0' || !(base > 1 && base <= 1e6) ||
            strlen(t->rope_base) >= sizeof a->rope_base) {
            return fail_told(a, "base of the rotary positions", t->rope_base, err);
        }
        (void)snprintf(a->rope_base, sizeof a->rope_base, "%s", t->rope_base);
    }
    return MB_OK;
}

mb_status backbone_describe(backbone_arch *a, const backbone_family *family, const source *s, const backbone_told *told,
                            mb_error *err)
{
    *a = (backbone_arch){.family = family};
    mb_status status = family->describe(a, s, err);
    if (status == MB_OK && told != NULL) {
        status = apply_told(a, told, err);
    }
    for (int i = 0; i < family->stages && status == MB_OK; i++) {
        if (a->heads[i] < 0 || (a->heads[i] > 0 && a->maps[i] % a->heads[i] != 0) ||
            (family->heads_unknown && a->heads[i] < 1)) {
            status =
                mb_fail(err, MB_E_MISMATCH, "%s: %" PRId64 " heads do not divide the %" PRId64 " channels of stage %d",
                        family->kind, a->heads[i], a->maps[i], i + 1);
        }
    }
    return status;
}

/* ---- metadata, titles */

mb_status backbone_write_meta(mbw_writer *w, const backbone_arch *a, mb_error *err)
{
    const backbone_family *f = a->family;
    char list[64];
    mb_status status;
    char title[64];
    MB_TRY(mbw_writer_meta(w, "arch.backbone", f->name, err));
    MB_TRY(mbw_writer_meta(w, "arch.title", backbone_title(a, title, sizeof title), err));
    if (f->stages > 0 && a->depths[0] > 0) {
        arch_join(list, sizeof list, a->depths, (size_t)f->stages);
        MB_TRY(mbw_writer_meta(w, "arch.depths", list, err));
    }
    if (f->stages > 0 && a->heads[0] > 0) {
        arch_join(list, sizeof list, a->heads, (size_t)f->stages);
        MB_TRY(mbw_writer_meta(w, "arch.heads", list, err));
    }
    if (f->outputs_unknown) {
        arch_join(list, sizeof list, a->outputs, BACKBONE_MAPS);
        MB_TRY(mbw_writer_meta(w, "arch.output_blocks", list, err));
    }
    if (f->n_eps > 0) {
        MB_TRY(mbw_writer_meta(w, "arch.norm_eps", a->norm_eps, err));
    }
    if (a->rope_base[0] != '\0') {
        MB_TRY(mbw_writer_meta(w, "arch.rope_base", a->rope_base, err));
    }
    if (a->window > 0) {
        arch_join(list, sizeof list, &a->maps[0], 1);
        MB_TRY(mbw_writer_meta(w, "arch.embed_dim", list, err));
        arch_join(list, sizeof list, &a->window, 1);
        MB_TRY(mbw_writer_meta(w, "arch.window", list, err));
        arch_join(list, sizeof list, (int64_t[]){a->hidden[0] / a->maps[0]}, 1);
        status = mbw_writer_meta(w, "arch.mlp_ratio", list, err);
    } else {
        arch_join(list, sizeof list, a->maps, BACKBONE_MAPS);
        status = mbw_writer_meta(w, "arch.channels", list, err);
    }
done:
    return status;
}

static bool same_size(const backbone_arch *a, const backbone_arch *b)
{
    return memcmp(a->maps, b->maps, sizeof a->maps) == 0 && memcmp(a->depths, b->depths, sizeof a->depths) == 0 &&
           memcmp(a->hidden, b->hidden, sizeof a->hidden) == 0 && a->gated == b->gated &&
           a->batch_norm == b->batch_norm;
}

const char *backbone_title(const backbone_arch *a, char *buffer, size_t capacity)
{
    for (size_t i = 0; i < a->family->n_presets; i++) {
        if (same_size(a, &a->family->presets[i].numbers)) {
            return a->family->presets[i].title;
        }
    }
    (void)snprintf(buffer, capacity, "a %s of its own size", a->family->kind);
    return buffer;
}
