/* Convolutions as execution plans of cuDNN's graph interface: y = relu(conv(x, w) + addend + bias), channels last, all
 * steps but the first in the convolution's own kernel. Knows no device of ours, so that tests build the same plans for
 * described GPUs on machines without one. */
#ifndef MB_CUDA_VENDOR_DNN_PLAN_H
#define MB_CUDA_VENDOR_DNN_PLAN_H

#include "core/tensor.h"
#include "cuda/vendor/nvlib.h"

/* All that a plan depends on; compared and hashed as bytes, so start from {0}. */
typedef struct mb_dnn_conv {
    int64_t n, inputs, height, width, outputs, kh, kw, stride, pad;
    int64_t x_pitch, y_pitch, addend_pitch; /* elements from pixel to pixel; addend_pitch 0: no addend */
    int32_t type, y_type;                   /* mb_dtype; x, weights [O][kh][kw][I]; y, addend, bias */
    int32_t x_align, y_align;               /* bytes that the maps' first elements are multiples of */
    int32_t bias, relu;
    int32_t tf32;       /* f32 may be rounded to TF32; only where it was asked for */
    int32_t from_16bit; /* f32 maps with values of 16 bits: TF32 holds them exactly */
} mb_dnn_conv;

/* Names of the tensors in a plan. */
enum { MB_DNN_ID_X = 'x', MB_DNN_ID_W = 'w', MB_DNN_ID_Y = 'y', MB_DNN_ID_BIAS = 'b', MB_DNN_ID_ADDEND = 'a' };

/* Finalised plans for one convolution, the best by the heuristics first, and what they were made of. */
enum { MB_DNN_PARTS = 24, MB_DNN_CHOICES = 8 };
typedef struct mb_dnn_choice {
    mb_dnn_desc plan;
    int64_t workspace; /* bytes */
    int64_t engine;    /* its number in the library; -1 if the plan was read */
} mb_dnn_choice;
typedef struct mb_dnn_plan {
    mb_dnn_desc parts[MB_DNN_PARTS]; /* in the order of their creation */
    int n_parts;
    mb_dnn_choice choices[MB_DNN_CHOICES];
    int n_choices;
    int chosen; /* which of them runs */
    int n_proposed;
} mb_dnn_plan;
/* Choices after the first may ask for this much, or for what the first asks for. */
#define MB_DNN_OTHERS_WORKSPACE ((int64_t)64 << 20)

typedef struct mb_dnn_target {
    const mb_dnn_api *api;
    mb_dnn_handle handle;   /* of a real device, or NULL with a description */
    mb_dnn_desc described;  /* or NULL */
    int64_t workspace_most; /* plans that need more are passed over */
} mb_dnn_target;

/* The first `wanted` proposals of the heuristics (mode A, if it has none the fallbacks) that can be finalised, keep to
 * the workspace, are deterministic and of full precision: f32 without `tf32` takes no engine that works on tensor cores
 * or converts its operands. MB_E_UNSUPPORTED: none; the message says why the last one failed. */
MB_MUST_CHECK mb_status mb_dnn_build(mb_dnn_plan *out, const mb_dnn_target *t, const mb_dnn_conv *c, int wanted,
                                     mb_error *err);
/* Lets go of all choices but the chosen one. */
void mb_dnn_keep_chosen(mb_dnn_plan *p, const mb_dnn_api *api);
/* The largest workspace of the choices. */
int64_t mb_dnn_workspace(const mb_dnn_plan *p);
/* The chosen plan as text of *bytes bytes, terminator included (free with mb_free), and back. */
MB_MUST_CHECK mb_status mb_dnn_write(char **out, size_t *bytes, const mb_dnn_target *t, const mb_dnn_plan *p,
                                     mb_error *err);
MB_MUST_CHECK mb_status mb_dnn_read(mb_dnn_plan *out, const mb_dnn_target *t, const char *text, size_t bytes,
                                    mb_error *err);
void mb_dnn_dispose(mb_dnn_plan *p, const mb_dnn_api *api); /* a zeroed one is fine */

/* A description of a GPU (JSON, as the library writes it); destroy with api->desc_destroy. */
MB_MUST_CHECK mb_status mb_dnn_describe(mb_dnn_desc *out, const mb_dnn_api *api, const char *json, mb_error *err);

#endif
