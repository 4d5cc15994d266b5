/* The little of cuBLASLt that we call, declared as cuda/vendor/nvapi.h declares the driver. Source: the cuBLASLt
 * reference. */
#ifndef MB_CUDA_VENDOR_BLASLT_API_H
#define MB_CUDA_VENDOR_BLASLT_API_H

#include "cuda/vendor/nvapi.h"

typedef int mb_lt_result; /* cublasStatus_t */
typedef struct cublasLtContext *mb_lt_handle;
typedef void *mb_lt_desc, *mb_lt_layout, *mb_lt_preference; /* opaque to us */
typedef struct mb_lt_algo {
    uint64_t data[8]; /* may be stored and used again with the same version of the library */
} mb_lt_algo;
typedef struct mb_lt_heuristic {
    mb_lt_algo algo;
    size_t workspace;
    mb_lt_result state;
    float waves;
    int reserved[4];
} mb_lt_heuristic;

enum {
    MB_LT_SUCCESS = 0,
    MB_LT_ALLOC_FAILED = 3,
    MB_LT_NOT_SUPPORTED = 15,
    MB_LT_OP_T = 1,
    MB_LT_R_32F = 0,
    MB_LT_R_16F = 2,
    MB_LT_R_16BF = 14,
    MB_LT_COMPUTE_32F = 68,
    MB_LT_COMPUTE_32F_FAST_TF32 = 77,
    MB_LT_DESC_TRANSA = 3,
    MB_LT_DESC_EPILOGUE = 7,
    MB_LT_DESC_BIAS_POINTER = 8,
    MB_LT_DESC_BIAS_DATA_TYPE = 26,
    MB_LT_PREF_MAX_WORKSPACE = 1,
    MB_LT_PREF_REDUCTIONS = 3,
    MB_LT_PREF_MIN_ALIGNMENT_A = 5, /* B, C, D follow */
    MB_LT_REDUCE_IN_COMPUTE_TYPE = 2,
    MB_LT_EPILOGUE_DEFAULT = 1,
    MB_LT_EPILOGUE_RELU = 2,
    MB_LT_EPILOGUE_BIAS = 4
};

/*  X(type it returns, name in the library, member, arguments) */
#define MB_BLASLT_SYMBOLS(X)                                                                                           \
    X(size_t, cublasLtGetVersion, version, (void))                                                                     \
    X(size_t, cublasLtGetCudartVersion, cudart_version, (void))                                                        \
    X(const char *, cublasLtGetStatusString, error_text, (mb_lt_result r))                                             \
    X(mb_lt_result, cublasLtCreate, create, (mb_lt_handle * out))                                                      \
    X(mb_lt_result, cublasLtDestroy, destroy, (mb_lt_handle h))                                                        \
    X(mb_lt_result, cublasLtMatmulDescCreate, desc_create, (mb_lt_desc * out, int compute, int scale))                 \
    X(mb_lt_result, cublasLtMatmulDescDestroy, desc_destroy, (mb_lt_desc d))                                           \
    X(mb_lt_result, cublasLtMatmulDescSetAttribute, desc_set,                                                          \
      (mb_lt_desc d, int attribute, const void *value, size_t bytes))                                                  \
    X(mb_lt_result, cublasLtMatrixLayoutCreate, layout_create,                                                         \
      (mb_lt_layout * out, int type, uint64_t rows, uint64_t columns, int64_t pitch))                                  \
    X(mb_lt_result, cublasLtMatrixLayoutDestroy, layout_destroy, (mb_lt_layout l))                                     \
    X(mb_lt_result, cublasLtMatmulPreferenceCreate, preference_create, (mb_lt_preference * out))                       \
    X(mb_lt_result, cublasLtMatmulPreferenceDestroy, preference_destroy, (mb_lt_preference p))                         \
    X(mb_lt_result, cublasLtMatmulPreferenceSetAttribute, preference_set,                                              \
      (mb_lt_preference p, int attribute, const void *value, size_t bytes))                                            \
    X(mb_lt_result, cublasLtMatmulAlgoGetHeuristic, heuristic,                                                         \
      (mb_lt_handle h, mb_lt_desc d, mb_lt_layout a, mb_lt_layout b, mb_lt_layout c, mb_lt_layout y,                   \
       mb_lt_preference p, int wanted, mb_lt_heuristic out[], int *n))                                                 \
    X(mb_lt_result, cublasLtMatmul, matmul,                                                                            \
      (mb_lt_handle h, mb_lt_desc d, const void *alpha, const void *a, mb_lt_layout a_layout, const void *b,           \
       mb_lt_layout b_layout, const void *beta, const void *c, mb_lt_layout c_layout, void *y, mb_lt_layout y_layout,  \
       const mb_lt_algo *algo, void *workspace, size_t workspace_bytes, mb_cu_stream stream))

#endif
