/* The tensors an architecture consists of: names, shapes, roles, in the order of the official state dict. */
#ifndef MB_WEIGHTS_TOOL_SPEC_H
#define MB_WEIGHTS_TOOL_SPEC_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum spec_kind {
    SPEC_CONV,
    SPEC_LINEAR,
    SPEC_OFFSET, /* weight of an offset convolution */
    SPEC_BIAS,
    SPEC_OFFSET_BIAS,
    SPEC_NORM_WEIGHT, /* of layer and batch norms */
    SPEC_NORM_BIAS,
    SPEC_BN_MEAN,
    SPEC_BN_VAR,
    SPEC_TABLE,   /* Swin's relative position biases */
    SPEC_REL_POS, /* ViT's decomposed relative positions */
    SPEC_POSITIONS,
    SPEC_TOKEN,       /* class and register tokens */
    SPEC_LAYER_SCALE, /* factors of the residual branches */
    SPEC_INDEX,       /* i64, derivable: not needed for inference */
    SPEC_COUNTER      /* i64, num_batches_tracked: not needed for inference */
} spec_kind;

typedef struct tensor_spec {
    char name[120];
    spec_kind kind;
    bool ignored; /* in the published file, not used by inference */
    int rank;
    int64_t dims[4];
} tensor_spec;

typedef struct spec_list {
    tensor_spec *v;
    size_t n, capacity;
    bool failed; /* an allocation failed */
} spec_list;

void spec_list_dispose(spec_list *l);
/* dims end with the first 0 (a scalar has none). */
void spec_add(spec_list *l, spec_kind kind, const int64_t dims[4], const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* PREFIX.weight [dims] and PREFIX.bias [dims[0]] */
void spec_add_pair(spec_list *l, spec_kind kind, const int64_t dims[4], const char *prefix);
void spec_add_layer_norm(spec_list *l, int64_t channels, const char *prefix);
void spec_add_batch_norm(spec_list *l, int64_t channels, const char *prefix);

#endif
