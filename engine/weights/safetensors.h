/* safetensors files: 8-byte length, a JSON object, tensor data. Reading (mapped, everything checked) and writing. */
#ifndef MB_WEIGHTS_SAFETENSORS_H
#define MB_WEIGHTS_SAFETENSORS_H

#include "core/status.h"
#include "core/tensor.h"

#include <stdbool.h>

#define MB_ST_MAX_RANK 8

/* Element types of checkpoints: more than the engine computes with. */
typedef enum mb_st_dtype {
    MB_ST_F64,
    MB_ST_F32,
    MB_ST_F16,
    MB_ST_BF16,
    MB_ST_I64,
    MB_ST_I32,
    MB_ST_I16,
    MB_ST_I8,
    MB_ST_U64,
    MB_ST_U32,
    MB_ST_U16,
    MB_ST_U8,
    MB_ST_BOOL,
    MB_ST_F8_E4M3, /* from here on: named and measured, their values are not read */
    MB_ST_F8_E5M2,
    MB_ST_F8_E8M0,
    MB_ST_F8_E4M3FNUZ,
    MB_ST_F8_E5M2FNUZ,
    MB_ST_F6_E2M3,
    MB_ST_F6_E3M2,
    MB_ST_F4,
    MB_ST_C64,
    MB_ST_C128,  /* the last two are in no safetensors file */
    MB_ST_OTHER, /* torch's quantised, sparse ... tensors */
    MB_ST_DTYPE_COUNT
} mb_st_dtype;

size_t mb_st_dtype_bits(mb_st_dtype t); /* some types have 4 or 6 */
size_t mb_st_dtype_size(mb_st_dtype t); /* bytes of an element; 0 where it has less than one, and for MB_ST_OTHER */
/* What the values are, when they cannot be read ("8-bit floats"); NULL: they can. */
const char *mb_st_dtype_unread(mb_st_dtype t);
const char *mb_st_dtype_name(mb_st_dtype t); /* as in the file: "F32" ... */
bool mb_st_dtype_is_float(mb_st_dtype t);
/* dst[i] = (float)src[i] for any type; f64 and large integers are rounded to nearest even. */
void mb_st_to_float(float *dst, const void *src, mb_st_dtype t, size_t n);

typedef struct mb_st_tensor {
    const char *name;
    mb_st_dtype dtype;
    int rank;
    int64_t dims[MB_ST_MAX_RANK];
    const void *data; /* not aligned: copy before use as anything but bytes */
    size_t bytes;
} mb_st_tensor;

typedef struct mb_safetensors mb_safetensors;

MB_MUST_CHECK mb_status mb_safetensors_open(mb_safetensors **out, const char *path, mb_error *err);
/* On bytes that outlive the result. */
MB_MUST_CHECK mb_status mb_safetensors_open_memory(mb_safetensors **out, const void *data, size_t bytes, mb_error *err);
void mb_safetensors_free(mb_safetensors *s);

size_t mb_safetensors_count(const mb_safetensors *s);
const mb_st_tensor *mb_safetensors_at(const mb_safetensors *s, size_t index);       /* in the order of their data */
const mb_st_tensor *mb_safetensors_find(const mb_safetensors *s, const char *name); /* NULL: absent */
/* The header's __metadata__. */
const char *mb_safetensors_meta(const mb_safetensors *s, const char *key); /* NULL: absent */
size_t mb_safetensors_meta_count(const mb_safetensors *s);
void mb_safetensors_meta_at(const mb_safetensors *s, size_t index, const char **key, const char **value);

/* ---- writing */

/* Gives bytes [offset, offset + bytes) of tensor `index`: for data that are made or converted piece by piece. */
typedef mb_status (*mb_st_read_fn)(void *user, size_t index, size_t offset, void *dst, size_t bytes, mb_error *err);

typedef struct mb_st_contents {
    const mb_st_tensor *tensors; /* written in this order; `data` may be NULL where `read` serves */
    size_t n_tensors;
    const char *const *meta; /* key, value, key, value ... */
    size_t n_meta;           /* pairs */
    mb_st_read_fn read;      /* NULL: all data are in the tensors. Called for pieces of at most 1 MiB, in order */
    void *user;
} mb_st_contents;

/* Written atomically (core/file.h); with "-" to standard output. */
MB_MUST_CHECK mb_status mb_safetensors_write(const char *path, const mb_st_contents *c, bool replace, mb_error *err);

#endif
