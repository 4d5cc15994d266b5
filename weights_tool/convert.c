/* convert: recognise, check, decide (type, patch order, metadata), scan for values that no model should hold, then
 * stream. Source and result are touched piece by piece; the heap holds tables and two small buffers. The source is
 * read three times (scan, hash, write), from the mapping. Scanning first means that NaN or overflow is refused before
 * any output exists. */
#define _GNU_SOURCE
#include "known.h"
#include "licence.h"
#include "progress.h"
#include "recognise.h"
#include "tool.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/os_file.h"
#include "weights/reader.h"

#include <math.h>
#include <string.h>

#define PIECE ((size_t)1 << 16) /* elements at a time */

typedef struct conversion {
    const tool_options *o;
    source *s;
    recognised r;
    const known_model *known; /* NULL: not a published name */
    mb_dtype dtype;
    bool *wide; /* for each spec: stays f32, since f16 cannot hold its values */
    patch_order order;
    char reason[160]; /* for the order */
    char sha256[65];
    uint8_t *raw;     /* a piece as the source has it, up to 8 bytes an element */
    float *values;    /* the same as floats */
    uint16_t *narrow; /* the same as f16 or bf16 */
    progress bar;
    size_t done; /* bytes, of three passes */
} conversion;

/* ---- decisions */

/* The type that most of the source's values have; f64 counts as f32. Elements are counted, not tensors. */
static mb_dtype usual_dtype(const source *s)
{
    size_t elements[3] = {0, 0, 0};
    for (size_t i = 0; i < source_count(s); i++) {
        const source_tensor *t = source_at(s, i);
        int slot = t->dtype == MB_ST_F16 ? MB_F16 : t->dtype == MB_ST_BF16 ? MB_BF16 : MB_F32;
        elements[slot] += mb_st_dtype_is_float(t->dtype) ? t->count : 0;
    }
    return elements[MB_F16] > elements[MB_F32] + elements[MB_BF16]   ? MB_F16
           : elements[MB_BF16] > elements[MB_F32] + elements[MB_F16] ? MB_BF16
                                                                     : MB_F32;
}

/* "-0.125" under every locale: the text goes into the file. */
static const char *three_places(char text[32], double value)
{
    (void)snprintf(text, 32, "%.3f", value);
    char *comma = strchr(text, ',');
    if (comma != NULL) {
        *comma = '.';
    }
    return text;
}

/* Order of evidence: --patch-order, the kernels, the name of a published file, the generation. The reason goes into
 * the metadata. */
static mb_status decide_order(conversion *c, mb_error *err)
{
    patch_guess g;
    if (c->r.family != FAMILY_BIREFNET || source_kind(c->s) == SOURCE_MBW) {
        c->order = PATCH_ROWS;
        (void)snprintf(c->reason, sizeof c->reason, "a model file holds rows");
        return MB_OK;
    }
    mb_status status = patch_guess_order(&g, c->s, err);
    if (status != MB_OK) {
        return status;
    }
    char figures[120], rows[32], columns[32];
    (void)snprintf(figures, sizeof figures, "colour correlation of the kernels: rows %s, columns %s",
                   three_places(rows, g.rows), three_places(columns, g.columns));
    if (c->o->order != PATCH_AUTO) {
        c->order = c->o->order;
        (void)snprintf(c->reason, sizeof c->reason, "as told; %s", figures);
    } else if (g.order != PATCH_AUTO) {
        c->order = g.order;
        (void)snprintf(c->reason, sizeof c->reason, "%s", figures);
    } else if (c->known != NULL && c->known->order != PATCH_AUTO) {
        c->order = c->known->order;
        (void)snprintf(c->reason, sizeof c->reason, "by the name %s; undecided %s", c->known->key, figures);
    } else {
        c->order = c->r.birefnet.ipt_blk5 ? PATCH_ROWS : PATCH_COLUMNS;
        (void)snprintf(c->reason, sizeof c->reason, "%s; undecided %s",
                       c->r.birefnet.ipt_blk5 ? "as the current official code" : "as all code of v1", figures);
    }
    return MB_OK;
}

/* ---- scanning */

/* Largest magnitude, as bits of |x|: infinities and NaN come out above everything. Comparing integers keeps the loop
 * free of branches on NaN. */
static uint32_t largest(const float *v, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        bits &= 0x7fffffffu;
        most = bits > most ? bits : most;
    }
    return most;
}

static mb_status fail_not_finite(const conversion *c, const char *name, size_t at, mb_error *err)
{
    size_t i = 0;
    while (isfinite(c->values[i])) {
        i++;
    }
    return mb_fail(err, MB_E_FORMAT,
                   "%s: tensor %s: element %zu is %s\nthe checkpoint is damaged or its training diverged; "
                   "no model file was written",
                   source_file_path(c->s, 0), name, at + i, isnan(c->values[i]) ? "NaN" : "infinite");
}

static bool advance(conversion *c, size_t bytes)
{
    c->done += bytes;
    return progress_at(&c->bar, c->done);
}

static mb_status cancelled(mb_error *err)
{
    return mb_fail(err, MB_E_CANCELLED, "interrupted; nothing was written");
}

static int64_t grid_of(const conversion *c, const char *name)
{
    return c->order == PATCH_COLUMNS && c->r.family == FAMILY_BIREFNET ? patch_grid(name) : 0;
}

/* Reads a piece as floats into c->values. */
static void load(conversion *c, const source_tensor *t, const char *name, size_t at, size_t n)
{
    patch_read(t, grid_of(c, name), at, n, c->raw);
    mb_st_to_float(c->values, c->raw, t->dtype, n);
}

/* Largest magnitude of a tensor; anything not finite is an error. */
static mb_status scan_tensor(conversion *c, const tensor_spec *spec, float *most, mb_error *err)
{
    const source_tensor *t = source_find(c->s, spec->name);
    uint32_t bits = 0;
    for (size_t at = 0; at < t->count; at += PIECE) {
        size_t n = t->count - at < PIECE ? t->count - at : PIECE;
        load(c, t, spec->name, at, n);
        uint32_t here = largest(c->values, n);
        if (here >= 0x7f800000u) {
            return fail_not_finite(c, spec->name, at, err);
        }
        bits = here > bits ? here : bits;
        if (!advance(c, n * mb_st_dtype_size(t->dtype))) {
            return cancelled(err);
        }
    }
    memcpy(most, &bits, sizeof bits);
    return MB_OK;
}

/* Looks at every value that will be written. f16 ends at 65504: from 65520 on a value rounds to infinity. With
 * --allow-overflow only the tensors concerned stay f32. */
static mb_status scan(conversion *c, FILE *errors, mb_error *err)
{
    static const float limit[] = {
        [MB_F32] = INFINITY, [MB_F16] = 65520.0F, [MB_BF16] = 3.3961775e38F}; /* round to inf */
    for (size_t i = 0; i < c->r.specs.n; i++) {
        const tensor_spec *spec = &c->r.specs.v[i];
        float most = 0;
        mb_status status = spec->ignored ? MB_OK : scan_tensor(c, spec, &most, err);
        if (status != MB_OK) {
            return status;
        }
        c->wide[i] = most >= limit[c->dtype];
        if (c->wide[i] && !c->o->allow_overflow) {
            return mb_fail(err, MB_E_FORMAT,
                           "%s: tensor %s: %.6g does not fit %s, it would become infinite\n"
                           "--allow-overflow keeps such tensors in f32, --dtype bf16 or f32 holds them all",
                           source_file_path(c->s, 0), spec->name, (double)most, mb_dtype_name(c->dtype));
        }
        if (c->wide[i]) {
            progress_end(&c->bar);
            (void)fprintf(errors, "mattebox-weights: warning: tensor %s stays f32: %.6g does not fit %s\n", spec->name,
                          (double)most, mb_dtype_name(c->dtype));
        }
    }
    return MB_OK;
}

static bool hashed(void *user, size_t bytes)
{
    return advance(user, bytes);
}

/* It proves which file a model was made of. */
static mb_status hash_files(conversion *c, mb_error *err)
{
    return source_sha256(c->sha256, c->s, hashed, c) ? MB_OK : cancelled(err);
}

/* ---- metadata */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* input.width and input.height in pixels, for BiRefNet: as told, as the published name says, or 1024. A model file
 * keeps what it has unless told otherwise. */
static mb_status write_input_size(const conversion *c, mbw_writer *w, mb_error *err)
{
    char text[24];
    int width = c->o->width, height = c->o->height;
    const char *kept = source_kind(c->s) == SOURCE_MBW ? source_meta(c->s, "input.width") : NULL;
    if (c->r.family != FAMILY_BIREFNET || (width == 0 && kept != NULL)) {
        return MB_OK;
    }
    if (width == 0) {
        width = c->known != NULL && c->known->width > 0 ? c->known->width : 1024;
        height = c->known != NULL && c->known->height > 0 ? c->known->height : 1024;
    }
    (void)snprintf(text, sizeof text, "%d", width);
    mb_status status = mbw_writer_meta(w, "input.width", text, err);
    (void)snprintf(text, sizeof text, "%d", height);
    return status != MB_OK ? status : mbw_writer_meta(w, "input.height", text, err);
}

/* A model file that is converted again keeps its metadata; what is told anew replaces them. */
static mb_status keep_meta(const conversion *c, mbw_writer *w, mb_error *err)
{
    const mb_weights *from = source_mbw(c->s);
    mb_status status = MB_OK;
    for (size_t i = 0; from != NULL && i < mb_weights_meta_count(from) && status == MB_OK; i++) {
        const char *key, *value;
        mb_weights_meta_at(from, i, &key, &value);
        status = mbw_writer_meta(w, key, value, err);
    }
    return status;
}

/* Name, task, licence and where the weights come from, for sources that are not model files. */
static mb_status write_source_meta(const conversion *c, mbw_writer *w, mb_error *err)
{
    char name[300], *licence = NULL;
    const char *file = base_name(source_file_path(c->s, 0));
    mb_status status;
    MB_TRY(licence_find(&licence, c->s, c->o->licence, c->known, err));
    MB_TRY(mbw_writer_meta(w, "licence", licence, err));
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
    const char *known = c->known != NULL ? c->known->name : name;
    MB_TRY(mbw_writer_meta(w, "name", c->o->name != NULL ? c->o->name : known, err));
    if (c->r.family == FAMILY_BIREFNET || c->o->task != NULL) {
        const char *task = c->known != NULL ? c->known->task : "general";
        MB_TRY(mbw_writer_meta(w, "task", c->o->task != NULL ? c->o->task : task, err));
    }
    MB_TRY(mbw_writer_meta(w, "source.file", file, err));
    MB_TRY(mbw_writer_meta(w, "source.sha256", c->sha256, err));
    if (c->o->revision != NULL) {
        MB_TRY(mbw_writer_meta(w, "source.revision", c->o->revision, err));
    }
    if (c->o->note != NULL) {
        MB_TRY(mbw_writer_meta(w, "licence.note", c->o->note, err));
    }
    MB_TRY(mbw_writer_meta(w, "source.format", source_format_name(c->s), err));
    if (c->r.family == FAMILY_BIREFNET) {
        MB_TRY(mbw_writer_meta(w, "source.patch_order", patch_order_name(c->order), err));
        MB_TRY(mbw_writer_meta(w, "source.patch_order_reason", c->reason, err));
        if (c->o->recipe != NULL) {
            MB_TRY(mbw_writer_meta(w, "input.recipe", c->o->recipe, err));
        }
    }
done:
    mb_free(licence);
    return status;
}

/* Later keys replace earlier ones, so what options say comes last. */
static mb_status write_meta(const conversion *c, mbw_writer *w, mb_error *err)
{
    mb_status status;
    if (c->r.family == FAMILY_BIREFNET) {
        MB_TRY(birefnet_write_meta(w, &c->r.birefnet, err));
    } else {
        MB_TRY(vitmatte_write_meta(w, &c->r.vitmatte, err));
    }
    if (source_kind(c->s) == SOURCE_MBW) {
        MB_TRY(keep_meta(c, w, err));
        MB_TRY(c->r.family == FAMILY_BIREFNET ? backbone_write_meta(w, &c->r.birefnet.backbone, err) : MB_OK);
        MB_TRY(c->o->name != NULL ? mbw_writer_meta(w, "name", c->o->name, err) : MB_OK);
    } else {
        MB_TRY(write_source_meta(c, w, err));
    }
    if (c->o->imagenet) {
        MB_TRY(mbw_writer_meta(w, "input.mean", "0.485,0.456,0.406", err));
        MB_TRY(mbw_writer_meta(w, "input.std", "0.229,0.224,0.225", err));
    }
    status = write_input_size(c, w, err);
done:
    return status;
}

/* ---- data */

static mb_dtype dtype_of(const conversion *c, size_t spec)
{
    return c->wide[spec] ? MB_F32 : c->dtype;
}

/* Piece by piece, so that memory does not grow with the tensor. Values of the target's type are copied without a
 * detour through f32. */
static mb_status write_tensor(conversion *c, mbw_writer *w, size_t spec, mb_error *err)
{
    const char *name = c->r.specs.v[spec].name;
    const source_tensor *t = source_find(c->s, name);
    const mb_dtype to = dtype_of(c, spec);
    const bool same = (to == MB_F32 && t->dtype == MB_ST_F32) || (to == MB_F16 && t->dtype == MB_ST_F16) ||
                      (to == MB_BF16 && t->dtype == MB_ST_BF16);
    for (size_t at = 0; at < t->count; at += PIECE) {
        size_t n = t->count - at < PIECE ? t->count - at : PIECE;
        const void *bytes = c->raw;
        if (same) {
            patch_read(t, grid_of(c, name), at, n, c->raw);
        } else {
            load(c, t, name, at, n);
            bytes = c->values;
        }
        if (!same && to != MB_F32) {
            mb_from_f32(c->narrow, c->values, to, n);
            bytes = c->narrow;
        }
        mb_status status = mbw_writer_data(w, bytes, n * mb_dtype_size(to), err);
        if (status != MB_OK) {
            return status;
        }
        if (!advance(c, n * mb_st_dtype_size(t->dtype))) {
            return cancelled(err);
        }
    }
    return MB_OK;
}

/* *writing tells the caller whether a failure was the output's. The output gets its name at the end; until then
 * mbw_writer_free removes it. */
static mb_status write_model(conversion *c, bool *writing, size_t *file_bytes, mb_error *err)
{
    mbw_writer *w = NULL;
    mb_status status;
    MB_TRY(mbw_writer_create(&w, err));
    MB_TRY(write_meta(c, w, err));
    for (size_t i = 0; i < c->r.specs.n; i++) {
        const tensor_spec *t = &c->r.specs.v[i];
        if (!t->ignored) {
            MB_TRY(mbw_writer_tensor(w, t->name, dtype_of(c, i), t->rank, t->dims, err));
        }
    }
    *writing = true;
    MB_TRY(mbw_writer_start_file(w, c->o->output, c->o->force, err));
    *file_bytes = mbw_writer_file_bytes(w);
    for (size_t i = 0; i < c->r.specs.n; i++) {
        if (!c->r.specs.v[i].ignored) {
            MB_TRY(write_tensor(c, w, i, err));
        }
    }
    status = mbw_writer_finish_file(w, err);
done:
    mbw_writer_free(w);
    return status;
}

/* ---- the command */

/* "optimizer (12 tensors), rng_state": by the first part of their names. Tensors of one group follow each other in the
 * file, so one pass is enough. */
static void print_beside(const source *s, FILE *out)
{
    const size_t n = source_beside_count(s);
    int groups = 0;
    (void)fprintf(out, "  %zu tensor%s beside the model %s ignored: ", n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
    for (size_t i = 0, next; i < n; i = next) {
        const char *name = source_beside_at(s, i)->original;
        const size_t length = strcspn(name, ".");
        next = i + 1;
        while (next < n && strncmp(source_beside_at(s, next)->original, name, length + 1) == 0) {
            next++;
        }
        if (++groups > 8) {
            (void)fprintf(out, ", ...");
            break;
        }
        (void)fprintf(out, "%s%.*s", groups > 1 ? ", " : "", (int)length, name);
        if (name[length] == '.') {
            (void)fprintf(out, " (%zu)", next - i);
        }
    }
    (void)fprintf(out, "\n");
}

/* Where the model was found, and what else is in the file. */
static void print_choice(const source *s, FILE *out)
{
    const char *keys = source_keys(s);
    if (source_prefix(s)[0] != '\0') {
        (void)fprintf(out, "  the model's names stand behind \"%s\"%s%s%s\n", source_prefix(s),
                      keys[0] != '\0' ? " (keys of the file: " : "", keys, keys[0] != '\0' ? ")" : "");
    }
    if (source_beside_count(s) > 0) {
        print_beside(s, out);
    }
}

/* What may make the result another than the user thinks: said also when quiet. */
static void print_doubts(const source *s, FILE *errors)
{
    if (source_rival(s) != NULL) {
        (void)fprintf(
            errors,
            "mattebox-weights: warning: the file holds another copy of the model: taken are the tensors behind "
            "\"%s\", not those behind \"%s\"\n  --prefix chooses\n",
            source_prefix(s), source_rival(s));
    }
    if (source_lacks_checksums(s)) {
        (void)fprintf(errors, "mattebox-weights: warning: the file was written without checksums: damage would not be "
                              "noticed\n");
    }
}

/* What was recognised and decided, for the user to check. */
static void print_summary(const conversion *c, FILE *out)
{
    char title[80];
    recognised_title(&c->r, title, sizeof title);
    (void)fprintf(out, "%s: %s, %.1f M parameters, %s, %.1f MB\n", source_file_path(c->s, 0), title,
                  (double)recognised_parameters(&c->r) * 1e-6, source_format_name(c->s),
                  (double)source_file_bytes(c->s) * 1e-6);
    if (c->r.family == FAMILY_BIREFNET && source_kind(c->s) != SOURCE_MBW) {
        (void)fprintf(out, "  patch order: %s (%s)%s\n", patch_order_name(c->order), c->reason,
                      c->order == PATCH_COLUMNS ? ", put into rows" : "");
        if (c->o->order == PATCH_AUTO) {
            (void)fprintf(out, "    --patch-order rows or columns overrides this\n");
        }
    }
    size_t ignored = 0;
    for (size_t i = 0; i < source_count(c->s); i++) {
        ignored += recognised_ignores(&c->r, source_at(c->s, i)->name);
    }
    print_choice(c->s, out);
    if (c->r.family == FAMILY_BIREFNET && birefnet_lacks_norms(&c->r.birefnet)) {
        (void)fprintf(out, "  without batch norms: trained with one picture at a time, where the official code has "
                           "identities\n");
    }
    if (ignored > 0) {
        (void)fprintf(out, "  %zu tensors that only training needs are left out\n", ignored);
    }
}

/* Whatever can be refused before the values are read. c may be half filled afterwards; tool_convert frees it. */
static mb_status prepare(conversion *c, FILE *out, FILE *errors, mb_error *err)
{
    mb_status status;
    if (!c->o->force && mb_os_exists(c->o->output)) { /* said before the work; the writer makes sure at its end */
        return mb_fail(err, MB_E_ARGUMENT, "%s exists\n--force replaces it", c->o->output);
    }
    MB_TRY(source_open_as(&c->s, c->o->source, &(source_choice){c->o->key, c->o->prefix}, err));
    MB_TRY(mb_refuse_same_file(c->o->output, c->o->source, "the checkpoint", err));
    for (size_t i = 0; i < source_file_count(c->s); i++) {
        MB_TRY(mb_refuse_same_file(c->o->output, source_file_path(c->s, i), "a file of the checkpoint", err));
    }
    MB_TRY(recognise(&c->r, c->s, &c->o->backbone, err));
    MB_TRY(recognise_check(&c->r, c->s, errors, err));
    const backbone_told *told = &c->o->backbone;
    if (c->r.family != FAMILY_BIREFNET && (told->heads != NULL || told->outputs != NULL || told->norm_eps != NULL)) {
        status = mb_fail(err, MB_E_ARGUMENT, "--heads, --output-blocks and --norm-eps are for BiRefNet");
        goto done;
    }
    if (c->o->imagenet && c->r.family != FAMILY_VITMATTE) {
        status = mb_fail(err, MB_E_ARGUMENT, "--input-norm is for VITMatte; BiRefNet always has ImageNet's values");
        goto done;
    }
    if (c->o->recipe != NULL && c->r.family != FAMILY_BIREFNET) {
        status = mb_fail(err, MB_E_ARGUMENT, "--recipe is for BiRefNet; VITMatte sees the photo as it is");
        goto done;
    }
    c->known = known_find(source_file_path(c->s, 0));
    c->dtype = c->o->dtype >= 0 ? (mb_dtype)c->o->dtype : usual_dtype(c->s);
    MB_TRY(decide_order(c, err));
    c->raw = mb_alloc_array(PIECE, sizeof(double));
    c->values = mb_alloc_array(PIECE, sizeof c->values[0]);
    c->narrow = mb_alloc_array(PIECE, sizeof c->narrow[0]);
    c->wide = mb_calloc(c->r.specs.n, sizeof c->wide[0]);
    if (c->raw == NULL || c->values == NULL || c->narrow == NULL || c->wide == NULL) {
        status = mb_fail_memory(err, PIECE * sizeof(double), "a conversion");
        goto done;
    }
    print_doubts(c->s, errors);
    if (!c->o->quiet) {
        print_summary(c, out);
        (void)fflush(out);
    }
    status = source_check_data(c->s, err);
done:
    return status;
}

/* Three walks over the source: scan the values, hash the files, write the model. Nothing is written before the first
 * two succeed. `writing` separates a full disk (exit code 5) from a bad checkpoint (3). */
int tool_convert(const tool_options *o, FILE *out, FILE *errors, mb_error *err)
{
    conversion c = {.o = o};
    bool writing = false;
    size_t file_bytes = 0;
    mb_status status = prepare(&c, out, errors, err);
    if (status == MB_OK) {
        progress_begin(&c.bar, "converting", 3 * source_file_bytes(c.s), o->quiet);
        status = scan(&c, errors, err);
        status = status != MB_OK ? status : hash_files(&c, err);
        status = status != MB_OK ? status : write_model(&c, &writing, &file_bytes, err);
        progress_end(&c.bar);
    }
    if (status == MB_OK && !o->quiet) {
        (void)fprintf(out, "%s: %.1f MB, %s\n", o->output, (double)file_bytes * 1e-6, mb_dtype_name(c.dtype));
    }
    recognised_dispose(&c.r);
    source_free(c.s);
    mb_free(c.raw);
    mb_free(c.values);
    mb_free(c.narrow);
    mb_free(c.wide);
    return tool_exit_code(status, writing);
}
