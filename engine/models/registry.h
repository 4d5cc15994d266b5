/* Which architecture a model file holds, by its metadata. */
#ifndef MB_MODELS_REGISTRY_H
#define MB_MODELS_REGISTRY_H

#include "graph/runner.h"

typedef enum mb_family { MB_FAMILY_BIREFNET, MB_FAMILY_VITMATTE } mb_family;

typedef struct mb_architecture {
    mb_family family;
    const char *name;           /* arch.family in the file */
    const char *input, *output; /* names of the network's input and output */
    int input_channels;
    mb_record_fn record;
    int (*size_step)(const mb_weights *w); /* both sides of the input must be multiples of this */
} mb_architecture;

/* Borrowed, static. MB_E_MISMATCH if the file holds something else. */
MB_MUST_CHECK mb_status mb_registry_find(const mb_architecture **out, const mb_weights *w, mb_error *err);

#endif
