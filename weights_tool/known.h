/* What is known of published checkpoints by name: task, input size, patch order. */
#ifndef MB_WEIGHTS_TOOL_KNOWN_H
#define MB_WEIGHTS_TOOL_KNOWN_H

#include "patch_order.h"

typedef struct known_model {
    const char *key;  /* lower case, words joined by '_'; matched against file and folder names */
    const char *name; /* of the model, for the converted file */
    const char *task;
    int width, height;
    patch_order order;
    const char *licence; /* where it is certain; NULL otherwise */
} known_model;

/* Looks at the last components of the path (file, folder, hub cache). NULL: unknown. */
const known_model *known_find(const char *path);

#endif
