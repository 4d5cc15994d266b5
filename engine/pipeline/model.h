/* The model behind the public header's opaque type. Internal to engine/pipeline. */
#ifndef MB_PIPELINE_MODEL_H
#define MB_PIPELINE_MODEL_H

#include "models/registry.h"
#include "weights/reader.h"

struct mb_model {
    mb_context *context;
    mb_weights *weights;
    const mb_architecture *architecture;
    mb_model_info info;
    char summary[160];
};

/* What messages call it: its path, or where it has none, as what is built in, its name. */
const char *mb_model_label(const mb_model *model);

/* How a model wants its colours: (v - mean) / std, on the scale 0..1, per channel R, G, B. */
typedef struct mb_normalization {
    float mean[3], std[3]; /* std > 0 */
} mb_normalization;
/* From the model's metadata, whatever the locale. MB_E_FORMAT: missing, malformed or out of range. */
MB_MUST_CHECK mb_status mb_model_normalization(mb_normalization *out, const mb_model *model, mb_error *err);

#endif
