/* The context behind the public header's opaque type. Internal to engine/pipeline. */
#ifndef MB_PIPELINE_CONTEXT_H
#define MB_PIPELINE_CONTEXT_H

#include "core/status.h"
#include "kernel.h"

struct mb_context {
    mb_context_options options;
    mb_backend backend;
    char device[160], note[768];
    int threads;
};

/* Bytes that a new plan may take: the context's limit, else what the machine has free; 0 when that is not known. */
size_t mb_memory_limit(const mb_context *context);
/* The same for the plans of networks on this back end: 0 on a device whose limit nobody has set. */
size_t mb_network_limit(const mb_context *context, const mb_backend *backend);

#endif
