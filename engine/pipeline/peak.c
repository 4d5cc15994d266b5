/* Rooflines: what the machine reaches at most with a context's threads. */
#include "pipeline/context.h"

#include "core/sized.h"
#include "core/threads.h"

mb_status mb_context_measure_peak(mb_peak *out, const mb_context *context, mb_error *err)
{
    mb_status status = MB_OK;
    mb_pool *pool = NULL;
    mb_cpu_peak peak = {0};
    mb_peak found = {.size = sizeof found};
    MB_TRY(mb_check_sized(out, "mb_peak", err));
    if (context->backend.memory != NULL) {
        status = mb_fail(err, MB_E_UNSUPPORTED, "peaks are measured on the CPU only, this context is that of %s",
                         context->device);
        goto done;
    }
    MB_TRY(mb_pool_create(&pool, context->threads, err));
    MB_TRY(mb_cpu_measure_peak(&peak, &context->backend, pool, err));
    found.macs = peak.macs;
    found.macs16 = peak.macs16;
    found.bytes = peak.bytes;
    found.kernel = peak.kernel;
    found.kernel16 = peak.kernel16;
    mb_return_sized(out, &found, sizeof found);
done:
    mb_pool_free(pool);
    return status;
}
