/* What the host side of our ops shares: the device of a call, constants on it, and the limits of every kernel. */
#ifndef MB_CUDA_OPS_HOST_H
#define MB_CUDA_OPS_HOST_H

#include "cuda/driver/device.h"
#include "kernel.h"

static inline mb_cuda_device *mb_cuda_of(const mb_call *c)
{
    return c->device;
}

/* Constants on the device: slot i is input i, in the form that the op's kernel wants, or NULL. */
typedef struct mb_cuda_constants {
    mb_cuda_device *device; /* borrowed: outlives the model */
    void *block;
    void *slot[MB_MAX_INPUTS];
} mb_cuda_constants;

typedef struct mb_cuda_part {
    int slot;
    const float *src; /* NULL: no such part */
    size_t count;
    mb_dtype dtype; /* what it becomes on the device */
} mb_cuda_part;

/* Rounds and copies the parts into one block of the weights image; out->data is a mb_cuda_constants. Kernels launched
 * from now on see it; the parts may go away. `replaces` as in mb_prepared. */
MB_MUST_CHECK mb_status mb_cuda_upload(mb_prepared *out, const mb_call *c, const mb_cuda_part *parts, int n_parts,
                                       mb_error *err);
/* Slot i, or NULL. */
void *mb_cuda_slot(const mb_call *c, int i);
/* Input i as a kernel may read it: on the device, also if it is a constant that prepare has uploaded as it was. */
mb_view mb_cuda_input(const mb_call *c, int i);
/* The part that uploads input i as it is, if it is there and a constant (has data while planning). */
mb_cuda_part mb_cuda_constant_map(const mb_call *c, int i, mb_dtype dtype);

/* Types: input 0 and the output of one float type, or (loose) one of them in f32; bf16 needs sm_80. Sizes: every map
 * has less than 2^31 tokens and channels (and room for rounding up), so that kernels count in int. */
bool mb_cuda_fits(const mb_call *c, bool loose_output);

/* All inputs that are no constants have the output's type, and mb_cuda_fits. */
bool mb_cuda_same_type(const mb_call *c);

/* prepare of ops without constants of their own: an input that a pass has made constant is uploaded as it is. */
mb_status mb_cuda_prepare_maps(mb_prepared *out, const mb_call *c, mb_error *err);

#endif
