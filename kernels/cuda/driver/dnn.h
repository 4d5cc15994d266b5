/* Convolutions by cuDNN on a device: plans, found or made while planning, kept in a table; runs only execute them. */
#ifndef MB_CUDA_DRIVER_DNN_H
#define MB_CUDA_DRIVER_DNN_H

#include "cuda/vendor/dnn_plan.h"
#include "cuda/driver/device.h"

typedef struct mb_dnn mb_dnn;

/* NULL in *out without an error: the library is not there, or does not start. */
MB_MUST_CHECK mb_status mb_dnn_open(mb_dnn **out, mb_cuda_device *d, mb_error *err);
void mb_dnn_close(mb_dnn *n); /* NULL is fine */

/* While planning: whether a plan can run this convolution, made if need be (tens of milliseconds; the plan cache on
 * disk saves it), and the workspace it needs; before it was timed, several plans and the largest workspace. False:
 * there is no plan, or our own kernel was found to be faster; no error. OWN_FIRST: until it was timed, our own kernel
 * runs, and false means also that there is no time for that. ONE: one plan will do, it is not going to be timed. */
enum { MB_DNN_OWN_FIRST = 1, MB_DNN_ONE = 2 };
bool mb_dnn_plan_for(size_t *workspace, mb_cuda_device *d, const mb_dnn_conv *c, unsigned how);
/* Before a plan's first run: which of the plans, or our own kernel, is the fastest. `run` is the whole of the call. */
MB_MUST_CHECK mb_status mb_dnn_tune(mb_cuda_device *d, const mb_dnn_conv *c,
                                    mb_status (*run)(const mb_call *c, mb_error *err), const mb_call *call,
                                    mb_error *err);

/* Whether a plan will run, and not our own kernel. */
bool mb_dnn_can_run(mb_cuda_device *d, const mb_dnn_conv *c);

typedef struct mb_dnn_maps {
    const void *x, *w, *bias, *addend;
    void *y;
} mb_dnn_maps;
/* On the compute stream. *ran false without an error: no such plan, our own kernel is faster, or the maps are not as
 * aligned as the plan was made for: our own kernel is to do it. */
MB_MUST_CHECK mb_status mb_dnn_run(bool *ran, mb_cuda_device *d, const mb_dnn_conv *c, const mb_dnn_maps *m,
                                   void *workspace, mb_error *err);

#endif
