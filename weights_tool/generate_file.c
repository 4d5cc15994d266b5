/* Generated weights as a model file, in memory, and as a checkpoint. */
#include "generate_internal.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)1 << 16) /* elements made at a time */

/* A scalar has one. */
static size_t elements(const tensor_spec *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++) {
        n *= (size_t)t->dims[i]; /* built-in shapes: far from overflow */
    }
    return n;
}

/* Metadata and tensors of the model file. The licence is CC0, as no training data went in. */
static mb_status declare(const generator *g, mbw_writer *w, mb_dtype dtype, mb_error *err)
{
    mb_status status;
    char note[160];
    if (g->is_birefnet) {
        MB_TRY(birefnet_write_meta(w, &g->birefnet, err));
        MB_TRY(mbw_writer_meta(w, "source.patch_order", g->columns ? "columns" : "rows", err));
        MB_TRY(mbw_writer_meta(w, "input.width", "1024", err));
        MB_TRY(mbw_writer_meta(w, "input.height", "1024", err));
        MB_TRY(mbw_writer_meta(w, "task", "general", err));
    } else {
        MB_TRY(vitmatte_write_meta(w, &g->model->vitmatte, err));
    }
    (void)snprintf(note, sizeof note, "generated: %s, seed %llu", g->name, (unsigned long long)g->seed);
    MB_TRY(mbw_writer_meta(w, "source.file", note, err));
    MB_TRY(mbw_writer_meta(w, "name", g->name, err));
    MB_TRY(mbw_writer_meta(w, "licence", "CC0-1.0: pseudo-random numbers, no training data", err));
    for (size_t i = 0; i < g->specs.n; i++) {
        const tensor_spec *t = &g->specs.v[i];
        if (!t->ignored) {
            MB_TRY(mbw_writer_tensor(w, t->name, dtype, t->rank, t->dims, err));
        }
    }
done:
    return status;
}

/* All tensors in the order of their declaration, in pieces of CHUNK elements. */
static mb_status stream(const generator *g, mbw_writer *w, mb_dtype dtype, mb_error *err)
{
    mb_status status = MB_OK;
    float *values = mb_alloc_array(CHUNK, sizeof values[0]);
    uint16_t *narrow = mb_alloc_array(CHUNK, sizeof narrow[0]);
    if (values == NULL || narrow == NULL) {
        status = mb_fail_memory(err, CHUNK * sizeof values[0], "generated weights");
        goto done;
    }
    for (size_t i = 0; i < g->specs.n; i++) {
        const size_t count = g->specs.v[i].ignored ? 0 : elements(&g->specs.v[i]);
        for (size_t at = 0; at < count; at += CHUNK) {
            size_t n = count - at < CHUNK ? count - at : CHUNK;
            generator_fill_as_rows(g, i, at, n, values);
            const void *bytes = values;
            if (dtype != MB_F32) {
                mb_from_f32(narrow, values, dtype, n);
                bytes = narrow;
            }
            MB_TRY(mbw_writer_data(w, bytes, n * mb_dtype_size(dtype), err));
        }
    }
done:
    mb_free(values);
    mb_free(narrow);
    return status;
}

/* The file gets its name only when all values are in it. */
mb_status generate_file(const generator *g, const char *path, bool replace, mb_dtype dtype, mb_error *err)
{
    mbw_writer *w = NULL;
    mb_status status;
    MB_TRY(mbw_writer_create(&w, err));
    MB_TRY(declare(g, w, dtype, err));
    MB_TRY(mbw_writer_start_file(w, path, replace, err));
    MB_TRY(stream(g, w, dtype, err));
    status = mbw_writer_finish_file(w, err);
done:
    mbw_writer_free(w);
    return status;
}

/* A model in memory, for tests and benchmarks. *out owns its bytes. The bytes go over to the mb_weights, which frees
 * them. */
mb_status generate_memory(const generator *g, mb_weights **out, mb_dtype dtype, mb_error *err)
{
    mbw_writer *w = NULL;
    void *data;
    size_t bytes;
    mb_status status;
    *out = NULL;
    MB_TRY(mbw_writer_create(&w, err));
    MB_TRY(declare(g, w, dtype, err));
    MB_TRY(mbw_writer_start_memory(w, err));
    MB_TRY(stream(g, w, dtype, err));
    MB_TRY(mbw_writer_finish_memory(w, &data, &bytes, err));
    status = mb_weights_open_owned(out, data, bytes, err);
done:
    mbw_writer_free(w);
    return status;
}

/* ---- as a checkpoint */

typedef struct checkpoint {
    const generator *g; /* not owned */
    mb_dtype dtype;
    float *scratch; /* for narrowing: as many elements as a piece of f16 holds */
    size_t capacity;
} checkpoint;

/* The callback of mb_safetensors_write: `bytes` bytes from `offset` of tensor number `index`, both multiples of the
 * element's size. */
static mb_status read_piece(void *user, size_t index, size_t offset, void *dst, size_t bytes, mb_error *err)
{
    checkpoint *c = user;
    const spec_kind kind = c->g->specs.v[index].kind;
    if (kind == SPEC_INDEX || kind == SPEC_COUNTER) {
        generator_fill(c->g, index, offset / 8, bytes / 8, dst);
        return MB_OK;
    }
    size_t size = mb_dtype_size(c->dtype), n = bytes / size;
    if (c->dtype == MB_F32) {
        generator_fill(c->g, index, offset / size, n, dst);
        return MB_OK;
    }
    if (n > c->capacity) {
        return mb_fail(err, MB_E_INTERNAL, "a piece of %zu bytes exceeds the agreed size", bytes);
    }
    generator_fill(c->g, index, offset / size, n, c->scratch);
    mb_from_f32(dst, c->scratch, c->dtype, n);
    return MB_OK;
}

/* A checkpoint as the official code would save it, with its integer buffers, for tests of convert. {"format": "pt"} is
 * the metadata that the hub's loaders ask for. */
mb_status generate_safetensors(const generator *g, const char *path, bool replace, mb_dtype dtype, mb_error *err)
{
    static const mb_st_dtype types[] = {[MB_F32] = MB_ST_F32, [MB_F16] = MB_ST_F16, [MB_BF16] = MB_ST_BF16};
    static const char *const meta[] = {"format", "pt"};
    checkpoint c = {g, dtype, NULL, (size_t)1 << 19};
    mb_status status;
    mb_st_tensor *tensors = mb_calloc(g->specs.n, sizeof tensors[0]);
    c.scratch = mb_alloc_array(c.capacity, sizeof c.scratch[0]);
    if (tensors == NULL || c.scratch == NULL) {
        status = mb_fail_memory(err, g->specs.n * sizeof tensors[0], "generated weights");
        goto done;
    }
    for (size_t i = 0; i < g->specs.n; i++) {
        const tensor_spec *t = &g->specs.v[i];
        bool integer = t->kind == SPEC_INDEX || t->kind == SPEC_COUNTER;
        tensors[i] = (mb_st_tensor){.name = t->name, .dtype = integer ? MB_ST_I64 : types[dtype], .rank = t->rank};
        memcpy(tensors[i].dims, t->dims, sizeof t->dims);
        tensors[i].bytes = elements(t) * mb_st_dtype_size(tensors[i].dtype);
    }
    mb_st_contents contents = {tensors, g->specs.n, meta, 1, read_piece, &c};
    status = mb_safetensors_write(path, &contents, replace, err);
done:
    mb_free(tensors);
    mb_free(c.scratch);
    return status;
}
