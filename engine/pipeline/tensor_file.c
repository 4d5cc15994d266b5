/* The bare network from file to file: `input` in, outputs and taps out, as safetensors. */
#include "pipeline/net.h"

#include "core/alloc.h"
#include "core/file.h"
#include "weights/safetensors.h"

#include <string.h>

/* The tensor `input` as floats, [N,C,H,W]. */
static mb_status load_input(mb_array *out, float **data, const char *path, mb_error *err)
{
    mb_safetensors *file = NULL;
    mb_status status = MB_OK;
    MB_TRY(mb_safetensors_open(&file, path, err));
    const mb_st_tensor *t = mb_safetensors_find(file, "input");
    if (t == NULL || t->rank != 4 || t->dtype != MB_ST_F32) {
        status = mb_fail(err, MB_E_MISMATCH, "%.200s: %s\nit must hold a tensor `input` [N,C,H,W] of type F32", path,
                         t == NULL ? "has no tensor `input`" : "`input` is not [N,C,H,W] of F32");
        goto done;
    }
    *data = mb_alloc(t->bytes);
    if (*data == NULL) {
        status = mb_fail_memory(err, t->bytes, "the input tensor");
        goto done;
    }
    memcpy(*data, t->data, t->bytes);
    out->data = *data;
    memcpy(out->dims, t->dims, sizeof out->dims);
done:
    mb_safetensors_free(file);
    return status;
}

/* What the writer asks for, piece by piece: one output is unpacked at a time. */
typedef struct output_source {
    const mb_network *network;
    const mb_st_tensor *tensors;
    float *values;
    size_t capacity; /* floats */
    size_t loaded;   /* index of the tensor in `values` */
} output_source;

/* Called with rising offsets within one tensor after the other, so each output is unpacked once. */
static mb_status read_output(void *user, size_t index, size_t offset, void *dst, size_t bytes, mb_error *err)
{
    output_source *s = user;
    if (s->loaded != index) {
        mb_status status = mb_network_read(s->values, s->tensors[index].bytes / sizeof(float), s->network,
                                           s->tensors[index].name, err);
        if (status != MB_OK) {
            return status;
        }
        s->loaded = index;
    }
    memcpy(dst, (const char *)s->values + offset, bytes);
    return MB_OK;
}

/* All outputs and taps of the last run; one is unpacked at a time, so that many large ones need little memory. */
static mb_status save_outputs(const mb_network *network, const char *path, mb_error *err)
{
    mb_status status = MB_OK;
    int n = mb_network_n_outputs(network);
    mb_st_tensor *tensors = mb_calloc((size_t)n + 1, sizeof *tensors);
    output_source source = {network, tensors, NULL, 0, SIZE_MAX};
    if (tensors == NULL) {
        return mb_fail_memory(err, (size_t)n * sizeof *tensors, "the list of outputs");
    }
    for (int i = 0; i < n; i++) {
        mb_st_tensor *t = &tensors[i];
        t->name = mb_network_output_name(network, i);
        t->dtype = MB_ST_F32;
        t->rank = 4;
        MB_TRY(mb_network_output_dims(t->dims, network, t->name, err));
        size_t count = (size_t)t->dims[0] * (size_t)t->dims[1] * (size_t)t->dims[2] * (size_t)t->dims[3];
        t->bytes = count * sizeof(float); /* it lies in the arena: no overflow */
        source.capacity = count > source.capacity ? count : source.capacity;
    }
    source.values = mb_alloc_array(source.capacity, sizeof(float));
    if (source.values == NULL) {
        status = mb_fail_memory(err, source.capacity * sizeof(float), "an output tensor");
        goto done;
    }
    mb_st_contents contents = {tensors, (size_t)n, NULL, 0, read_output, &source};
    MB_TRY(mb_safetensors_write(path, &contents, true, err));
done:
    mb_free(source.values);
    mb_free(tensors);
    return status;
}

/* The output file is whole or absent. */
mb_status mb_network_run_file(mb_network *network, const char *in_path, const char *out_path, const char *const *taps,
                              int n_taps, mb_error *err)
{
    mb_status status = MB_OK;
    mb_array input = {0};
    float *data = NULL;
    MB_TRY(mb_refuse_same_file(out_path, in_path, "the input", err));
    MB_TRY(load_input(&input, &data, in_path, err));
    MB_TRY(mb_network_run(network, &input, taps, n_taps, err));
    MB_TRY(save_outputs(network, out_path, err));
done:
    mb_free(data);
    return status;
}
