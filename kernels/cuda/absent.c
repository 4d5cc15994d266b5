/* Stands in for the CUDA back end in a build without it (-DMATTEBOX_CUDA=OFF, or no toolkit): says so. */
#include "cuda/backend.h"
#include "device.h"

#include <stdio.h>

/* Never: the report keeps the reason, and `auto` takes the CPU. */
bool mb_cuda_probe(mb_device_report *out, mb_device_refusal *refusal, int index)
{
    (void)out;
    (void)index;
    (void)snprintf(refusal->reason, sizeof refusal->reason, "this build has no CUDA in it");
    (void)snprintf(refusal->cure, sizeof refusal->cure, "Build with the CUDA toolkit installed (-DMATTEBOX_CUDA=ON)");
    return false;
}

/* An error always; *out has no kernels. */
mb_status mb_backend_cuda(mb_backend *out, mb_error *err)
{
    *out = (mb_backend){.name = "cuda"};
    return mb_fail(err, MB_E_DEVICE,
                   "CUDA: this build has no CUDA in it\nBuild with the CUDA toolkit installed "
                   "(-DMATTEBOX_CUDA=ON)");
}

/* Cannot be reached through mb_device_open, which probes first. */
mb_status mb_backend_cuda_open(mb_backend *out, int index, mb_dtype activations, mb_error *err)
{
    (void)index;
    (void)activations;
    return mb_backend_cuda(out, err);
}

/* There is never one to close. */
void mb_backend_cuda_close(mb_backend *b)
{
    (void)b;
}

mb_status mb_backend_cuda_set_types(mb_backend *b, mb_dtype activations, bool tf32, mb_error *err)
{
    (void)activations;
    (void)tf32;
    return mb_backend_cuda(b, err);
}
