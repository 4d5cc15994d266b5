/* The little of cuDNN's graph interface (backend descriptors) that we call, declared as cuda/vendor/nvapi.h declares
 * the driver. Source: cuDNN 9 backend reference. */
#ifndef MB_CUDA_VENDOR_DNN_API_H
#define MB_CUDA_VENDOR_DNN_API_H

#include "cuda/vendor/nvapi.h"

typedef int mb_dnn_result; /* cudnnStatus_t */
typedef struct cudnnContext *mb_dnn_handle;
typedef void *mb_dnn_desc;

enum {
    MB_DNN_SUCCESS = 0,
    MB_DNN_NO_HOST_MEMORY = 4003,
    MB_DNN_NO_DEVICE_MEMORY = 4004,
    /* kinds of descriptors */
    MB_DNN_POINTWISE = 0,
    MB_DNN_CONVOLUTION = 1,
    MB_DNN_ENGINE = 2,
    MB_DNN_ENGINE_CONFIG = 3,
    MB_DNN_HEURISTICS = 4,
    MB_DNN_PLAN = 5,
    MB_DNN_OP_CONVOLUTION = 10,
    MB_DNN_OP_POINTWISE = 13,
    MB_DNN_GRAPH = 15,
    MB_DNN_VARIANT_PACK = 16,
    MB_DNN_TENSOR = 17,
    MB_DNN_DEVICE = 38,
    /* types of attributes */
    MB_DNN_T_HANDLE = 0,
    MB_DNN_T_DATA_TYPE = 1,
    MB_DNN_T_BOOLEAN = 2,
    MB_DNN_T_INT64 = 3,
    MB_DNN_T_FLOAT = 4,
    MB_DNN_T_VOID_PTR = 6,
    MB_DNN_T_CONVOLUTION_MODE = 7,
    MB_DNN_T_HEUR_MODE = 8,
    MB_DNN_T_NOTE = 11,
    MB_DNN_T_POINTWISE_MODE = 14,
    MB_DNN_T_DESC = 15,
    MB_DNN_T_CHAR = 24,
    /* attributes */
    MB_DNN_POINTWISE_MODE = 0,
    MB_DNN_POINTWISE_MATH = 1,
    MB_DNN_CONV_COMPUTE = 100,
    MB_DNN_CONV_MODE = 101,
    MB_DNN_CONV_DILATIONS = 102,
    MB_DNN_CONV_STRIDES = 103,
    MB_DNN_CONV_POST_PADS = 104,
    MB_DNN_CONV_PRE_PADS = 105,
    MB_DNN_CONV_SPATIAL = 106,
    MB_DNN_HEUR_MODE = 200,
    MB_DNN_HEUR_GRAPH = 201,
    MB_DNN_HEUR_RESULTS = 202,
    MB_DNN_HEUR_DEVICE = 204,
    MB_DNN_CONFIG_ENGINE = 300,
    MB_DNN_PLAN_HANDLE = 400,
    MB_DNN_PLAN_CONFIG = 401,
    MB_DNN_PLAN_WORKSPACE = 402,
    MB_DNN_PLAN_JSON = 405,
    MB_DNN_PLAN_DEVICE = 407,
    MB_DNN_OP_CONV_ALPHA = 700,
    MB_DNN_OP_CONV_BETA = 701,
    MB_DNN_OP_CONV_DESC = 702,
    MB_DNN_OP_CONV_W = 703,
    MB_DNN_OP_CONV_X = 704,
    MB_DNN_OP_CONV_Y = 705,
    MB_DNN_OP_PW_DESC = 750,
    MB_DNN_OP_PW_X = 751,
    MB_DNN_OP_PW_B = 752,
    MB_DNN_OP_PW_Y = 753,
    MB_DNN_GRAPH_HANDLE = 800,
    MB_DNN_GRAPH_OPS = 801,
    MB_DNN_TENSOR_ALIGNMENT = 900,
    MB_DNN_TENSOR_TYPE = 901,
    MB_DNN_TENSOR_DIMS = 902,
    MB_DNN_TENSOR_STRIDES = 903,
    MB_DNN_TENSOR_ID = 906,
    MB_DNN_TENSOR_VIRTUAL = 907,
    MB_DNN_PACK_IDS = 1000,
    MB_DNN_PACK_POINTERS = 1001,
    MB_DNN_PACK_WORKSPACE = 1003,
    MB_DNN_ENGINE_INDEX = 1301,
    MB_DNN_ENGINE_NOTES = 1303,
    MB_DNN_DEVICE_ID = 2700,
    MB_DNN_DEVICE_JSON = 2702,
    /* values */
    MB_DNN_FLOAT = 0,
    MB_DNN_HALF = 2,
    MB_DNN_BFLOAT16 = 9,
    MB_DNN_CROSS_CORRELATION = 1,
    MB_DNN_ADD = 0,
    MB_DNN_RELU = 100,
    MB_DNN_MODE_FALLBACK = 2,
    MB_DNN_MODE_A = 3,
    MB_DNN_NOTE_TENSOR_CORE = 0,
    MB_DNN_NOTE_DOWN_CONVERT = 1,
    MB_DNN_NOTE_REDUCED_PRECISION = 2,
    MB_DNN_NOTE_FFT = 3,
    MB_DNN_NOTE_NONDETERMINISTIC = 4,
    MB_DNN_NOTE_WINOGRAD = 5,
    MB_DNN_NOTES = 10
};

/*  X(type it returns, name in the library, member, arguments) */
#define MB_DNN_SYMBOLS(X)                                                                                              \
    X(size_t, cudnnGetVersion, version, (void))                                                                        \
    X(size_t, cudnnGetCudartVersion, cudart_version, (void))                                                           \
    X(const char *, cudnnGetErrorString, error_text, (mb_dnn_result r))                                                \
    X(void, cudnnGetLastErrorString, last_error, (char *out, size_t bytes))                                            \
    X(mb_dnn_result, cudnnCreate, create, (mb_dnn_handle * out))                                                       \
    X(mb_dnn_result, cudnnDestroy, destroy, (mb_dnn_handle h))                                                         \
    X(mb_dnn_result, cudnnSetStream, set_stream, (mb_dnn_handle h, mb_cu_stream s))                                    \
    X(mb_dnn_result, cudnnBackendCreateDescriptor, desc_create, (int kind, mb_dnn_desc *out))                          \
    X(mb_dnn_result, cudnnBackendDestroyDescriptor, desc_destroy, (mb_dnn_desc d))                                     \
    X(mb_dnn_result, cudnnBackendFinalize, finalize, (mb_dnn_desc d))                                                  \
    X(mb_dnn_result, cudnnBackendSetAttribute, set,                                                                    \
      (mb_dnn_desc d, int attribute, int type, int64_t count, const void *values))                                     \
    X(mb_dnn_result, cudnnBackendGetAttribute, get,                                                                    \
      (mb_dnn_desc d, int attribute, int type, int64_t capacity, int64_t *count, void *values))                        \
    X(mb_dnn_result, cudnnBackendExecute, execute, (mb_dnn_handle h, mb_dnn_desc plan, mb_dnn_desc pack))

#endif
