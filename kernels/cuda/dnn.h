/* Convolutions by cuDNN on a device: plans, found or made while planning, kept in a table; runs only execute them. */
#ifndef MB_CUDA_DNN_H
#define MB_CUDA_DNN_H

#include "cuda/dnn_plan.h"

struct mb_cuda_device;
typedef struct mb_dnn mb_dnn;

/* NULL in *out without an error: the library is not there, or does not start. */
MB_MUST_CHECK mb_status mb_dnn_open(mb_dnn **out, struct mb_cuda_device *d, mb_error *err);
void mb_dnn_close(mb_dnn *n); /* NULL is fine */

/* While planning: whether there is a plan for this convolution, made if need be (tens of milliseconds; the plan cache
 * on disk saves it), and its workspace. Only a plan that could not be had is no error. */
bool mb_dnn_plan_for(size_t *workspace, struct mb_cuda_device *d, const mb_dnn_conv *c);

typedef struct mb_dnn_maps {
    const void *x, *w, *bias, *addend;
    void *y;
} mb_dnn_maps;
/* On the compute stream. *served false without an error: no such plan, or the maps are not as aligned as it was made
 * for: our own kernel is to do it. */
MB_MUST_CHECK mb_status mb_dnn_run(bool *served, struct mb_cuda_device *d, const mb_dnn_conv *c, const mb_dnn_maps *m,
                                   void *workspace, mb_error *err);

#endif
