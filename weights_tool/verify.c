/* verify: every checksum of a model file; with --against, every value compared with the checkpoint it was made of
 * (rounded to the file's types, patch order undone), so that "nothing was lost" is a fact and not a hope. The
 * comparison repeats the converter's arithmetic on the original and compares bytes, not values with a tolerance: even
 * the sign of a zero counts. */
#include "progress.h"
#include "recognise.h"
#include "tool.h"

#include "core/alloc.h"

#include <inttypes.h>
#include <string.h>

#define PIECE ((size_t)1 << 16)

typedef struct comparison {
    const mb_weights *model; /* not owned */
    const source *original;  /* not owned */
    bool columns;            /* the original is in columns, the model in rows */
    uint8_t *raw;            /* PIECE elements of the original, up to 8 bytes each */
    float *values;           /* the same as floats */
    uint8_t *want;           /* the same as the model file should have them */
    progress bar;            /* over the model's bytes */
    size_t done;             /* bytes of the model compared so far */
} comparison;

/* Names the first element that differs, both values as floats. */
static mb_status differs(const comparison *c, const mb_tensor *t, size_t index, const uint8_t *have,
                         const uint8_t *want, mb_error *err)
{
    float a = 0, b = 0;
    size_t size = mb_dtype_size(t->dtype);
    uint32_t space[2] = {0, 0};
    memcpy(&space[0], have, size < 4 ? size : 4);
    memcpy(&space[1], want, size < 4 ? size : 4);
    mb_to_f32(&a, &space[0], t->dtype, 1);
    mb_to_f32(&b, &space[1], t->dtype, 1);
    return mb_fail(err, MB_E_MISMATCH, "%s: tensor %s: element %zu is %.9g, the original's is %.9g",
                   mb_weights_path(c->model), t->name, index, (double)a, (double)b);
}

/* Converts the original's values as convert does and compares bytes: the rounding is part of what is verified. Piece
 * by piece, so memory does not grow with the model. A tensor that the converter kept in f32 is compared in f32: the
 * model's type decides. */
static mb_status compare_tensor(comparison *c, const mb_tensor *t, mb_error *err)
{
    const source_tensor *from = source_find(c->original, t->name);
    const size_t size = mb_dtype_size(t->dtype);
    if (from == NULL) {
        return mb_fail(err, MB_E_MISMATCH, "%s: tensor %s is not in the original", mb_weights_path(c->model), t->name);
    }
    if (from->rank != t->rank || memcmp(from->dims, t->dims, sizeof t->dims[0] * (size_t)t->rank) != 0 ||
        t->dtype == MB_I64) {
        return mb_fail(err, MB_E_MISMATCH, "%s: tensor %s has another shape or kind than the original's",
                       mb_weights_path(c->model), t->name);
    }
    if (from->unread != NULL) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%s: tensor %s of the original holds %s, which is not supported",
                       source_file_path(c->original, 0), t->name, from->unread);
    }
    const int64_t grid = c->columns ? patch_grid(t->name) : 0;
    for (size_t at = 0; at < from->count; at += PIECE) {
        size_t n = from->count - at < PIECE ? from->count - at : PIECE;
        const uint8_t *have = (const uint8_t *)t->data + at * size;
        patch_read(from, grid, at, n, c->raw);
        mb_st_to_float(c->values, c->raw, from->dtype, n);
        mb_from_f32(c->want, c->values, t->dtype, n);
        for (size_t i = 0; memcmp(have, c->want, n * size) != 0 && i < n; i++) {
            if (memcmp(have + i * size, c->want + i * size, size) != 0) {
                return differs(c, t, at + i, have + i * size, c->want + i * size, err);
            }
        }
        c->done += n * size;
        if (!progress_at(&c->bar, c->done)) {
            return mb_fail(err, MB_E_CANCELLED, "interrupted");
        }
    }
    return MB_OK;
}

/* Tensors of the original that the model lacks, apart from those that only training needs. *left_out counts all that
 * the model lacks. */
static mb_status check_left_out(const comparison *c, size_t *left_out, mb_error *err)
{
    recognised r;
    mb_status status = recognise(&r, c->original, NULL, err);
    *left_out = 0;
    for (size_t i = 0; i < source_count(c->original) && status == MB_OK; i++) {
        const source_tensor *t = source_at(c->original, i);
        if (mb_weights_find(c->model, t->name) != NULL) {
            continue;
        }
        *left_out += 1;
        if (!recognised_ignores(&r, t->name)) {
            status = mb_fail(err, MB_E_MISMATCH, "%s: tensor %s of the original is missing", mb_weights_path(c->model),
                             t->name);
        }
    }
    recognised_dispose(&r);
    return status;
}

/* Every tensor of the model against the source, and no tensor of the source left out. The order of the original is
 * what the model's metadata say of it. Against another model file both are in rows. */
static mb_status compare(const tool_options *o, const mb_weights *model, FILE *out, mb_error *err)
{
    comparison c = {.model = model};
    source *original = NULL;
    size_t left_out;
    mb_status status;
    MB_TRY(source_open_as(&original, o->against, &(source_choice){o->key, o->prefix}, err));
    MB_TRY(source_check_data(original, err));
    c.original = original;
    c.raw = mb_alloc_array(PIECE, sizeof(double));
    c.values = mb_alloc_array(PIECE, sizeof c.values[0]);
    c.want = mb_alloc_array(PIECE, sizeof(float));
    if (c.raw == NULL || c.values == NULL || c.want == NULL) {
        status = mb_fail_memory(err, PIECE * sizeof(double), "a comparison");
        goto done;
    }
    const char *order = mb_weights_meta(model, "source.patch_order");
    c.columns = order != NULL && strcmp(order, "columns") == 0 && source_kind(original) != SOURCE_MBW;
    progress_begin(&c.bar, "comparing", mb_weights_file_bytes(model), o->quiet);
    for (size_t i = 0; i < mb_weights_count(model); i++) {
        MB_TRY(compare_tensor(&c, mb_weights_at(model, i), err));
    }
    MB_TRY(check_left_out(&c, &left_out, err));
    progress_end(&c.bar);
    if (!o->quiet) {
        (void)fprintf(out, "%zu tensors identical to %s", mb_weights_count(model), o->against);
        if (source_beside_count(original) > 0) {
            (void)fprintf(out, " (of \"%s\"; %zu tensors beside the model are ignored)", source_prefix(original),
                          source_beside_count(original));
        }
        if (left_out > 0) {
            (void)fprintf(out, " (%zu more that only training needs are left out)", left_out);
        }
        (void)fprintf(out, "\n");
    }
done:
    progress_end(&c.bar);
    source_free(original);
    mb_free(c.raw);
    mb_free(c.values);
    mb_free(c.want);
    return status;
}

/* Checksums first; then, with --against, values. */
int tool_verify(const tool_options *o, FILE *out, FILE *errors, mb_error *err)
{
    mb_weights *model = NULL;
    progress bar;
    (void)errors;
    mb_status status = mb_weights_open(&model, o->source, err);
    if (status == MB_OK) {
        progress_begin(&bar, "checking", mb_weights_file_bytes(model), o->quiet);
        status = mb_weights_verify(model, progress_callback, &bar, err);
        progress_end(&bar);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", o->source);
        }
    }
    if (status == MB_OK && !o->quiet) {
        (void)fprintf(out, "%s: sound, %zu tensors, %.1f MB, all checksums agree\n", o->source, mb_weights_count(model),
                      (double)mb_weights_file_bytes(model) * 1e-6);
    }
    if (status == MB_OK && o->against != NULL) {
        status = compare(o, model, out, err);
    }
    mb_weights_free(model);
    return tool_exit_code(status, false);
}
