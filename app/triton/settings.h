/* What config.pbtxt says to the backend. */
#ifndef MB_TRITON_SETTINGS_H
#define MB_TRITON_SETTINGS_H

#include <mattebox.h>
#include <stddef.h>

typedef struct settings {
    mb_options options;
    mb_context_options context;
    char model[4096], matting[4096]; /* "" : none was named */
    int has_preset;
    int has_batch; /* max_batch_size > 0: tensors have a first dimension for it */
} settings;

/* Reads the model's configuration, as the server writes it in JSON. Its `parameters` are the fields of mb_options by their
 * names, and model, matting_model, preset, background, threads, device, max_memory (bytes).
 * Errors: MB_E_ARGUMENT (an unknown name or a bad value: the message says which), MB_E_FORMAT. */
mb_status settings_read(settings *out, const char *json, size_t bytes, mb_error *err);

#endif
