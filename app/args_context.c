/* From the command line to the library's context: device, threads, precision, memory. */
#include "args.h"
#include "message.h"

#include <string.h>

/* What the context needs to know of the command line: device, threads, precision, limits. */
static mb_context_options context_options(const args *a)
{
    mb_context_options o;
    mb_context_options_init(&o);
    o.threads = a->threads;
    o.device = (mb_device)a->device.kind;
    o.device_index = a->device.index > 0 ? a->device.index : 0;
    o.precision = a->options.precision;
    o.fast = a->fast;
    o.max_memory = (size_t)a->max_memory;
    return o;
}

/* Only a bad option is the user's fault; a GPU that is missing or too old is the machine's. */
int args_context(mb_context **out, const args *a)
{
    mb_context_options o = context_options(a);
    mb_error err = {0};
    mb_status status = mb_context_create(out, &o, &err);
    if (status != MB_OK) {
        return message_status(status == MB_E_ARGUMENT ? CODE_USAGE : CODE_MACHINE, NULL, &err);
    }
    return CODE_OK;
}

/* cuda:all does not know beforehand how many GPUs there are: it asks for the next one until the library
 * says that there is none. */
int args_context_more(mb_context **out, const args *a, int index)
{
    mb_context_options o = context_options(a);
    mb_error err = {0};
    *out = NULL;
    o.device_index = index;
    mb_status status = mb_context_create(out, &o, &err);
    if (status == MB_OK || strstr(err.message, "there is no device") != NULL) {
        return CODE_OK;
    }
    return message_status(CODE_MACHINE, NULL, &err);
}
