/* A stand-in for cuBLASLt: the calls of cuda/vendor/blaslt_api.h, computed on the CPU on the stand-in driver's streams,
 * strict about what it is given. Environment, read when a handle is made:
 *   MB_STANDIN_LT_VERSION=n, MB_STANDIN_LT_CUDART=n   what it says of itself
 *   MB_STANDIN_LT_START=n       cublasLtCreate fails with n
 *   MB_STANDIN_LT_NONE=1        no algorithm for anything
 *   MB_STANDIN_LT_WRONG=1       products are a little wrong
 *   MB_STANDIN_LT_TIMES=a,b,... the milliseconds of the algorithms proposed (one of 0.01); -1: it is not supported after
 *                               all, -2: it fails
 *   MB_STANDIN_LT_FAIL=n        the n-th product fails
 *   MB_STANDIN_LT_CODE=n        with n (13: CUBLAS_STATUS_EXECUTION_FAILED) */
#include "cuda/vendor/blaslt_api.h"
#include "numbers.h"
#include "standin.h"

#include <stdlib.h>

#define INVALID  7
#define BAD_ALGO 0x5eedu

#define DECLARE(type, symbol, member, arguments) EXPORT type symbol arguments;
MB_BLASLT_SYMBOLS(DECLARE)

typedef struct matmul_desc {
    int compute, transposed, epilogue, bias_type;
    const void *bias;
} matmul_desc;
typedef struct layout {
    int type;
    int64_t rows, columns, pitch;
} layout;
typedef struct preference {
    uint64_t workspace;
    uint32_t alignment[4], reductions;
} preference;

static int none, fail, fail_code, wrong, n_ways;
static double times[MB_STANDIN_WAYS];

EXPORT size_t cublasLtGetVersion(void)
{
    return (size_t)standin_number("MB_STANDIN_LT_VERSION", 130100);
}
EXPORT size_t cublasLtGetCudartVersion(void)
{
    return (size_t)standin_number("MB_STANDIN_LT_CUDART", 13000);
}
EXPORT const char *cublasLtGetStatusString(mb_lt_result r)
{
    return r == 13 ? "the GPU program failed to execute" : "a stand-in's error";
}
EXPORT mb_lt_result cublasLtCreate(mb_lt_handle *out)
{
    none = standin_number("MB_STANDIN_LT_NONE", 0);
    fail = standin_number("MB_STANDIN_LT_FAIL", 0);
    fail_code = standin_number("MB_STANDIN_LT_CODE", 13);
    wrong = standin_number("MB_STANDIN_LT_WRONG", 0);
    n_ways = standin_times(times, MB_STANDIN_WAYS, "MB_STANDIN_LT_TIMES");
    if (n_ways == 0) {
        times[0] = 0.01;
        n_ways = 1;
    }
    int start = standin_number("MB_STANDIN_LT_START", 0);
    *out = start == 0 ? malloc(1) : NULL;
    mb_standin_count(start == 0);
    return start;
}
EXPORT mb_lt_result cublasLtDestroy(mb_lt_handle h)
{
    mb_standin_count(-1);
    free(h);
    return MB_LT_SUCCESS;
}

/* ---- descriptors ---- */
static void *make(size_t bytes)
{
    mb_standin_count(1);
    return calloc(1, bytes);
}
static mb_lt_result drop(void *p)
{
    mb_standin_count(-1);
    free(p);
    return MB_LT_SUCCESS;
}
EXPORT mb_lt_result cublasLtMatmulDescCreate(mb_lt_desc *out, int compute, int scale)
{
    if (scale != MB_LT_R_32F || (compute != MB_LT_COMPUTE_32F && compute != MB_LT_COMPUTE_32F_FAST_TF32)) {
        return INVALID;
    }
    matmul_desc *d = make(sizeof *d);
    *d = (matmul_desc){.compute = compute, .epilogue = MB_LT_EPILOGUE_DEFAULT};
    *out = d;
    return MB_LT_SUCCESS;
}
EXPORT mb_lt_result cublasLtMatmulDescDestroy(mb_lt_desc d)
{
    return drop(d);
}
EXPORT mb_lt_result cublasLtMatmulDescSetAttribute(mb_lt_desc d, int attribute, const void *value, size_t bytes)
{
    matmul_desc *m = d;
    if (attribute == MB_LT_DESC_BIAS_POINTER && bytes == sizeof m->bias) {
        memcpy(&m->bias, value, bytes);
        return MB_LT_SUCCESS;
    }
    int *place = attribute == MB_LT_DESC_TRANSA           ? &m->transposed
                 : attribute == MB_LT_DESC_EPILOGUE       ? &m->epilogue
                 : attribute == MB_LT_DESC_BIAS_DATA_TYPE ? &m->bias_type
                                                          : NULL;
    if (place == NULL || bytes != sizeof *place) {
        return INVALID;
    }
    memcpy(place, value, bytes);
    return MB_LT_SUCCESS;
}
EXPORT mb_lt_result cublasLtMatrixLayoutCreate(mb_lt_layout *out, int type, uint64_t rows, uint64_t columns,
                                               int64_t pitch)
{
    if (rows == 0 || columns == 0 || pitch < (int64_t)rows) {
        return INVALID;
    }
    layout *l = make(sizeof *l);
    *l = (layout){type, (int64_t)rows, (int64_t)columns, pitch};
    *out = l;
    return MB_LT_SUCCESS;
}
EXPORT mb_lt_result cublasLtMatrixLayoutDestroy(mb_lt_layout l)
{
    return drop(l);
}
EXPORT mb_lt_result cublasLtMatmulPreferenceCreate(mb_lt_preference *out)
{
    *out = make(sizeof(preference));
    return MB_LT_SUCCESS;
}
EXPORT mb_lt_result cublasLtMatmulPreferenceDestroy(mb_lt_preference p)
{
    return drop(p);
}
EXPORT mb_lt_result cublasLtMatmulPreferenceSetAttribute(mb_lt_preference p, int attribute, const void *value,
                                                         size_t bytes)
{
    preference *f = p;
    int side = attribute - MB_LT_PREF_MIN_ALIGNMENT_A;
    if (attribute == MB_LT_PREF_MAX_WORKSPACE && bytes == sizeof f->workspace) {
        memcpy(&f->workspace, value, bytes);
        return MB_LT_SUCCESS;
    }
    if (attribute == MB_LT_PREF_REDUCTIONS && bytes == sizeof f->reductions) {
        memcpy(&f->reductions, value, bytes);
        return MB_LT_SUCCESS;
    }
    if (side >= 0 && side < 4 && bytes == sizeof f->alignment[side]) {
        memcpy(&f->alignment[side], value, bytes);
        return MB_LT_SUCCESS;
    }
    return INVALID;
}

/* ---- products ---- */
static mb_dtype dtype(int type)
{
    return type == MB_LT_R_16F ? MB_F16 : (type == MB_LT_R_16BF ? MB_BF16 : MB_F32);
}

/* The combinations of the library's table that we use. */
static bool agree(const matmul_desc *d, const layout *a, const layout *b, const layout *c, const layout *y)
{
    bool types = a->type == b->type && c->type == y->type && (y->type == a->type || y->type == MB_LT_R_32F);
    bool bias = (d->epilogue & MB_LT_EPILOGUE_BIAS) == 0 || d->bias_type == y->type;
    return d->transposed == MB_LT_OP_T && types && bias && a->rows == b->rows && y->rows == a->columns &&
           y->columns == b->columns && c->rows == y->rows && c->columns == y->columns &&
           (d->compute == MB_LT_COMPUTE_32F || a->type == MB_LT_R_32F);
}

static uint64_t mark(const layout *a, const layout *b, const layout *y)
{
    return BAD_ALGO ^ (uint64_t)(a->rows * 31 + a->columns * 7 + b->columns + y->type);
}

EXPORT mb_lt_result cublasLtMatmulAlgoGetHeuristic(mb_lt_handle h, mb_lt_desc d, mb_lt_layout a, mb_lt_layout b,
                                                   mb_lt_layout c, mb_lt_layout y, mb_lt_preference p, int wanted,
                                                   mb_lt_heuristic out[], int *n)
{
    const preference *f = p;
    *n = 0;
    if (h == NULL || wanted < 1 || !agree(d, a, b, c, y)) {
        return INVALID;
    }
    for (int i = 0; i < 4; i++) {
        if (f->alignment[i] == 0 || (f->alignment[i] & (f->alignment[i] - 1)) != 0) {
            return INVALID;
        }
    }
    if (none != 0) {
        return MB_LT_NOT_SUPPORTED;
    }
    if (f->reductions != MB_LT_REDUCE_IN_COMPUTE_TYPE) {
        return INVALID; /* parts of sums would be rounded */
    }
    for (*n = 0; *n < n_ways && *n < wanted; (*n)++) {
        out[*n] = (mb_lt_heuristic){.algo = {{mark(a, b, y), f->alignment[0], f->alignment[1], f->alignment[2],
                                              f->alignment[3], f->workspace, (uint64_t)*n}},
                                    .workspace = (size_t)f->workspace};
    }
    return MB_LT_SUCCESS;
}

typedef struct work {
    matmul_desc d;
    layout a, b, c, y;
    const void *pa, *pb, *pc;
    void *py;
    float alpha, beta;
} work;

static void multiply(void *argument)
{
    const work *w = argument;
    const bool rounds = w->d.compute == MB_LT_COMPUTE_32F_FAST_TF32;
    const mb_dtype t = dtype(w->a.type), ty = dtype(w->y.type);
    const int64_t depth = w->a.rows, rows = w->y.rows;
    float *turned = floats(depth * rows), *sums = floats(rows); /* of A, a row for each step of the sums */
    for (int64_t k = 0; k < depth; k++) {
        for (int64_t i = 0; i < rows; i++) {
            turned[k * rows + i] = tf32(get(w->pa, t, i * w->a.pitch + k), rounds);
        }
    }
    for (int64_t j = 0; j < w->y.columns; j++) {
        memset(sums, 0, (size_t)rows * sizeof *sums);
        for (int64_t k = 0; k < depth; k++) {
            add_row(sums, tf32(get(w->pb, t, j * w->b.pitch + k), rounds), turned + k * rows, rows);
        }
        for (int64_t i = 0; i < rows; i++) {
            float sum = sums[i] * (wrong != 0 ? 1.01f * w->alpha : w->alpha);
            sum += w->beta != 0 ? w->beta * get(w->pc, ty, j * w->c.pitch + i) : 0.0f;
            sum += (w->d.epilogue & MB_LT_EPILOGUE_BIAS) != 0 ? get(w->d.bias, ty, i) : 0.0f;
            sum = (w->d.epilogue & MB_LT_EPILOGUE_RELU) != 0 && !(sum > 0) ? 0.0f : sum;
            put(w->py, ty, j * w->y.pitch + i, sum);
        }
    }
    free(turned);
    free(sums);
}

EXPORT mb_lt_result cublasLtMatmul(mb_lt_handle h, mb_lt_desc d, const void *alpha, const void *a,
                                   mb_lt_layout a_layout, const void *b, mb_lt_layout b_layout, const void *beta,
                                   const void *c, mb_lt_layout c_layout, void *y, mb_lt_layout y_layout,
                                   const mb_lt_algo *algo, void *workspace, size_t workspace_bytes, mb_cu_stream stream)
{
    work w = {*(matmul_desc *)d,
              *(layout *)a_layout,
              *(layout *)b_layout,
              *(layout *)c_layout,
              *(layout *)y_layout,
              a,
              b,
              c,
              y,
              *(const float *)alpha,
              *(const float *)beta};
    if (h == NULL || !agree(&w.d, &w.a, &w.b, &w.c, &w.y) || algo->data[0] != mark(&w.a, &w.b, &w.y)) {
        return MB_LT_NOT_SUPPORTED;
    }
    const void *at[4] = {a, b, c, y};
    for (int i = 0; i < 4; i++) {
        if ((uintptr_t)at[i] % algo->data[1 + i] != 0) {
            return INVALID;
        }
    }
    if (workspace_bytes < algo->data[5] || (algo->data[5] > 0 && workspace == NULL) ||
        ((w.d.epilogue & MB_LT_EPILOGUE_BIAS) != 0 && w.d.bias == NULL)) {
        return INVALID;
    }
    int way = (int)algo->data[6];
    if (way < 0 || way >= n_ways || times[way] == -1.0) {
        return MB_LT_NOT_SUPPORTED;
    }
    if ((fail > 0 && --fail == 0) || times[way] < 0) {
        return fail_code;
    }
    mb_standin_use(MB_STANDIN_LT, way, times[way]);
    memset(workspace, 0xff,
           workspace_bytes < 4096 ? workspace_bytes : 4096); /* whoever keeps something there loses it */
    return mb_standin_submit(stream, multiply, &w, sizeof w) == MB_CU_SUCCESS ? MB_LT_SUCCESS : 13;
}
