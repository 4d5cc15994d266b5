/* Generated weights: values that follow from tensor name, element index and seed alone (docs/format.md, last section),
 * so that tests, examples and benchmarks need no download. They cut nothing out; they exercise everything. */
#ifndef MB_WEIGHTS_TOOL_GENERATE_H
#define MB_WEIGHTS_TOOL_GENERATE_H

#include "spec.h"
#include "writer.h"
#include "weights/reader.h"

typedef struct generator_variant {
    char name[40];           /* "birefnet-swin-l" ... */
    const char *description; /* for --help */
} generator_variant;

/* The index-th of all variants; false: there are no more. */
bool generator_variant_at(size_t index, generator_variant *v);

typedef struct generator generator;

/* `variant`: a name of the list, with or without "birefnet-", '_' for '-' allowed. With "-columns" behind it, the
 * values stand for a checkpoint in column patch order (as those of v1 always are): a .mbw file then gets them permuted,
 * a checkpoint does not. With "-batch1" behind it, a BiRefNet has no batch norms, as after training with one picture at
 * a time. With "-eps" behind it, a backbone's residual stream is so small that the epsilons of its norms count. */
MB_MUST_CHECK mb_status generator_create(generator **out, const char *variant, uint64_t seed, mb_error *err);
void generator_free(generator *g);
size_t generator_count(const generator *g);
const tensor_spec *generator_spec(const generator *g, size_t index);
/* Elements [first, first + n) of a tensor as the checkpoint has them: float, or int64_t for SPEC_INDEX and
 * SPEC_COUNTER. */
void generator_fill(const generator *g, size_t index, size_t first, size_t n, void *dst);

/* A model file as the converter would make it of that checkpoint. */
MB_MUST_CHECK mb_status generate_file(const generator *g, const char *path, bool replace, mb_dtype dtype,
                                      mb_error *err);
MB_MUST_CHECK mb_status generate_memory(const generator *g, mb_weights **out, mb_dtype dtype, mb_error *err);
/* The checkpoint itself, all tensors of the official state dict, floats rounded to `dtype`. */
MB_MUST_CHECK mb_status generate_safetensors(const generator *g, const char *path, bool replace, mb_dtype dtype,
                                             mb_error *err);

#endif
