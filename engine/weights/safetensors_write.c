/* Writing safetensors: header from the shapes, padded with spaces so that the data begin at a multiple of 8 (as the
 * reference implementation does), then the data, streamed. */
#include "weights/safetensors.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/json.h"

#include <string.h>

#define PIECE ((size_t)1 << 20)

/* The header's JSON; *data_bytes gets the sum of all tensors. */
static mb_status make_header(mb_json *j, const mb_st_contents *c, size_t *data_bytes, mb_error *err)
{
    size_t at = 0;
    mb_json_begin_object(j);
    if (c->n_meta > 0) {
        mb_json_key(j, "__metadata__");
        mb_json_begin_object(j);
        for (size_t i = 0; i < c->n_meta; i++) {
            mb_json_key(j, c->meta[2 * i]);
            mb_json_string(j, c->meta[2 * i + 1]);
        }
        mb_json_end(j);
    }
    for (size_t i = 0; i < c->n_tensors; i++) {
        const mb_st_tensor *t = &c->tensors[i];
        size_t bytes = mb_st_dtype_size(t->dtype);
        mb_json_key(j, t->name);
        mb_json_begin_object(j);
        mb_json_key(j, "dtype");
        mb_json_string(j, mb_st_dtype_name(t->dtype));
        mb_json_key(j, "shape");
        mb_json_begin_array(j);
        for (int d = 0; d < t->rank; d++) {
            mb_json_int(j, t->dims[d]);
            if (!mb_mul_size(&bytes, bytes, (size_t)t->dims[d])) {
                return mb_fail(err, MB_E_ARGUMENT, "tensor %s: its shape overflows", t->name);
            }
        }
        mb_json_end(j);
        mb_json_key(j, "data_offsets");
        mb_json_begin_array(j);
        mb_json_uint(j, at);
        if (bytes != t->bytes || !mb_add_size(&at, at, bytes)) {
            return mb_fail(err, MB_E_ARGUMENT, "tensor %s: its size does not match its shape", t->name);
        }
        mb_json_uint(j, at);
        mb_json_end(j);
        mb_json_end(j);
    }
    mb_json_end(j);
    *data_bytes = at;
    return mb_json_text(j) != NULL ? MB_OK : mb_fail_memory(err, j->n, "a safetensors header");
}

/* From memory, or asked for piece by piece where the contents have none (data NULL), so that a large file needs 1
 * MB. */
static mb_status write_tensor(mb_output *o, const mb_st_contents *c, size_t index, uint8_t *piece, mb_error *err)
{
    const mb_st_tensor *t = &c->tensors[index];
    if (t->data != NULL || t->bytes == 0) {
        return mb_output_write(o, t->data, t->bytes, err);
    }
    for (size_t at = 0; at < t->bytes;) {
        size_t n = t->bytes - at < PIECE ? t->bytes - at : PIECE;
        mb_status status = c->read(c->user, index, at, piece, n, err);
        if (status == MB_OK) {
            status = mb_output_write(o, piece, n, err);
        }
        if (status != MB_OK) {
            return status;
        }
        at += n;
    }
    return MB_OK;
}

/* Whole or absent: written under a temporary name, given its own at last (core/file.h). */
mb_status mb_safetensors_write(const char *path, const mb_st_contents *c, bool replace, mb_error *err)
{
    mb_status status = MB_OK;
    mb_output *o = NULL;
    uint8_t *piece = NULL;
    size_t data_bytes = 0;
    mb_json j;
    mb_json_init(&j);
    MB_TRY(make_header(&j, c, &data_bytes, err));
    size_t padding = (8 - j.n % 8) % 8;
    uint64_t length = j.n + padding;
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++) {
        prefix[i] = (uint8_t)(length >> (8 * i));
    }
    piece = mb_alloc(PIECE);
    if (piece == NULL) {
        status = mb_fail_memory(err, PIECE, "writing a safetensors file");
        goto done;
    }
    MB_TRY(mb_output_open(&o, path, replace, 8 + length + data_bytes, err));
    MB_TRY(mb_output_write(o, prefix, sizeof prefix, err));
    MB_TRY(mb_output_write(o, mb_json_text(&j), j.n, err));
    MB_TRY(mb_output_write(o, "       ", padding, err));
    for (size_t i = 0; i < c->n_tensors; i++) {
        MB_TRY(write_tensor(o, c, i, piece, err));
    }
    mb_output *finished = o;
    o = NULL;
    status = mb_output_commit(finished, err);
done:
    mb_output_abort(o);
    mb_free(piece);
    mb_json_dispose(&j);
    return status;
}
