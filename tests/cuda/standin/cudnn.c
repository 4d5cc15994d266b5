/* A stand-in for cuDNN's graph interface: descriptors that check what they are given, three engines, plans as text, and
 * convolution + bias + addend + ReLU on the CPU, on the stand-in driver's streams. Environment, read when a handle is
 * made:
 *   MB_STANDIN_DNN_VERSION=n, MB_STANDIN_DNN_CUDART=n   what it says of itself
 *   MB_STANDIN_DNN_START=n     cudnnCreate fails with n
 *   MB_STANDIN_DNN_NONE=1      no plan can be finalised; 2: the heuristics propose nothing
 *   MB_STANDIN_DNN_TIMES=a,b,c the milliseconds of its three engines (0.01); a negative one fails
 *   MB_STANDIN_DNN_FAIL=n      the n-th execution fails
 *   MB_STANDIN_DNN_CODE=n      with n (5000: CUDNN_STATUS_EXECUTION_FAILED) */
#include "cuda/vendor/dnn_api.h"
#include "numbers.h"
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>

enum { BAD = 2000, UNFINISHED = 2004, UNSUPPORTED = 3000, MOST_ATTRIBUTES = 12, MOST_BYTES = 160 };

/* Variants for tests of the loader: this build has everything but one symbol. */
#define DECLARE(type, symbol, member, arguments) EXPORT type symbol arguments;
MB_DNN_SYMBOLS(DECLARE)

typedef struct tensor {
    int64_t id, dims[4], strides[4], alignment;
    int type;
    bool is_virtual;
} tensor;
/* What a graph or a plan computes, all resolved. */
typedef struct job {
    tensor x, w, y, bias, addend; /* id 0: absent */
    int64_t pad, stride;
    int relu, engine;
} job;

typedef struct attribute {
    int name, type;
    int64_t count;
    unsigned char bytes[MOST_BYTES];
} attribute;
typedef struct desc {
    int kind;
    bool finished;
    int n;
    attribute attributes[MOST_ATTRIBUTES];
    tensor t; /* of tensors */
    job j;    /* of nodes, graphs, heuristics, configurations, engines, plans */
} desc;
struct cudnnContext {
    mb_cu_stream stream;
};

static int none, fail, fail_code;
static double times[MB_STANDIN_WAYS] = {0.01, 0.01, 0.01};

EXPORT size_t cudnnGetVersion(void)
{
    return (size_t)standin_number("MB_STANDIN_DNN_VERSION", 91900);
}
EXPORT size_t cudnnGetCudartVersion(void)
{
    return (size_t)standin_number("MB_STANDIN_DNN_CUDART", 13000);
}
EXPORT const char *cudnnGetErrorString(mb_dnn_result r)
{
    return r == UNSUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_OTHER";
}
EXPORT void cudnnGetLastErrorString(char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "a stand-in's error");
}
#ifndef MB_STANDIN_WITHOUT_CREATE
EXPORT mb_dnn_result cudnnCreate(mb_dnn_handle *out)
{
    none = standin_number("MB_STANDIN_DNN_NONE", 0);
    fail = standin_number("MB_STANDIN_DNN_FAIL", 0);
    fail_code = standin_number("MB_STANDIN_DNN_CODE", 5000);
    int n_times = standin_times(times, MB_STANDIN_WAYS, "MB_STANDIN_DNN_TIMES");
    for (int i = n_times; i < 3; i++) {
        times[i] = 0.01;
    }
    int start = standin_number("MB_STANDIN_DNN_START", 0);
    *out = start == 0 ? calloc(1, sizeof **out) : NULL;
    mb_standin_count(start == 0);
    return start;
}
#endif
EXPORT mb_dnn_result cudnnDestroy(mb_dnn_handle h)
{
    mb_standin_count(-1);
    free(h);
    return MB_DNN_SUCCESS;
}
EXPORT mb_dnn_result cudnnSetStream(mb_dnn_handle h, mb_cu_stream s)
{
    h->stream = s;
    return MB_DNN_SUCCESS;
}

/* ---- descriptors ---- */
EXPORT mb_dnn_result cudnnBackendCreateDescriptor(int kind, mb_dnn_desc *out)
{
    desc *d = calloc(1, sizeof *d);
    d->kind = kind;
    *out = d;
    mb_standin_count(1);
    return MB_DNN_SUCCESS;
}
EXPORT mb_dnn_result cudnnBackendDestroyDescriptor(mb_dnn_desc d)
{
    mb_standin_count(-1);
    free(d);
    return MB_DNN_SUCCESS;
}

static size_t size_of(int type)
{
    switch (type) {
    case MB_DNN_T_BOOLEAN:
    case MB_DNN_T_CHAR:
        return 1;
    case MB_DNN_T_INT64:
    case MB_DNN_T_HANDLE:
    case MB_DNN_T_VOID_PTR:
    case MB_DNN_T_DESC:
        return 8;
    default:
        return 4;
    }
}

static bool parse_plan(desc *d, const char *text)
{
    size_t at = 0;
    unsigned char *bytes = (unsigned char *)&d->j;
    const char *hex = strncmp(text, "standin ", 8) == 0 ? text + 8 : "";
    for (; at < sizeof d->j && hex[0] != '\0' && hex[1] != '\0'; at++, hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes[at] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return at == sizeof d->j && *hex == '\0';
}

EXPORT mb_dnn_result cudnnBackendSetAttribute(mb_dnn_desc p, int name, int type, int64_t count, const void *values)
{
    desc *d = p;
    if (d->finished || count < 1) {
        return BAD;
    }
    if (name == MB_DNN_PLAN_JSON) {
        return parse_plan(d, values) ? MB_DNN_SUCCESS : BAD;
    }
    size_t bytes = size_of(type) * (size_t)count;
    if (d->n == MOST_ATTRIBUTES || bytes > MOST_BYTES) {
        return BAD;
    }
    attribute *a = &d->attributes[d->n++];
    *a = (attribute){name, type, count, {0}};
    memcpy(a->bytes, values, bytes);
    return MB_DNN_SUCCESS;
}

/* The attribute's value, if it was set in that type and number. */
static bool fetch(void *out, const desc *d, int name, int type, int64_t count)
{
    for (int i = 0; i < d->n; i++) {
        if (d->attributes[i].name == name && d->attributes[i].type == type && d->attributes[i].count == count) {
            memcpy(out, d->attributes[i].bytes, size_of(type) * (size_t)count);
            return true;
        }
    }
    return false;
}
static const desc *child(const desc *d, int name, int kind)
{
    desc *c = NULL;
    return fetch(&c, d, name, MB_DNN_T_DESC, 1) && c != NULL && c->kind == kind && c->finished ? c : NULL;
}

static bool finish_tensor(desc *d)
{
    tensor *t = &d->t;
    return fetch(&t->id, d, MB_DNN_TENSOR_ID, MB_DNN_T_INT64, 1) && t->id != 0 &&
           fetch(&t->type, d, MB_DNN_TENSOR_TYPE, MB_DNN_T_DATA_TYPE, 1) &&
           fetch(t->dims, d, MB_DNN_TENSOR_DIMS, MB_DNN_T_INT64, 4) &&
           fetch(t->strides, d, MB_DNN_TENSOR_STRIDES, MB_DNN_T_INT64, 4) && t->strides[1] == 1 &&
           fetch(&t->alignment, d, MB_DNN_TENSOR_ALIGNMENT, MB_DNN_T_INT64, 1) &&
           fetch(&t->is_virtual, d, MB_DNN_TENSOR_VIRTUAL, MB_DNN_T_BOOLEAN, 1);
}

static bool finish_form(const desc *d)
{
    int64_t spatial = 0, two[2], post[2], ones[2];
    int mode = 0, compute = -1;
    return fetch(&spatial, d, MB_DNN_CONV_SPATIAL, MB_DNN_T_INT64, 1) && spatial == 2 &&
           fetch(&mode, d, MB_DNN_CONV_MODE, MB_DNN_T_CONVOLUTION_MODE, 1) && mode == MB_DNN_CROSS_CORRELATION &&
           fetch(&compute, d, MB_DNN_CONV_COMPUTE, MB_DNN_T_DATA_TYPE, 1) && compute == MB_DNN_FLOAT &&
           fetch(two, d, MB_DNN_CONV_PRE_PADS, MB_DNN_T_INT64, 2) &&
           fetch(post, d, MB_DNN_CONV_POST_PADS, MB_DNN_T_INT64, 2) && memcmp(two, post, sizeof two) == 0 &&
           fetch(two, d, MB_DNN_CONV_STRIDES, MB_DNN_T_INT64, 2) &&
           fetch(ones, d, MB_DNN_CONV_DILATIONS, MB_DNN_T_INT64, 2) && ones[0] == 1 && ones[1] == 1;
}

static bool finish_convolution(desc *d)
{
    const desc *x = child(d, MB_DNN_OP_CONV_X, MB_DNN_TENSOR), *w = child(d, MB_DNN_OP_CONV_W, MB_DNN_TENSOR);
    const desc *y = child(d, MB_DNN_OP_CONV_Y, MB_DNN_TENSOR);
    const desc *form = child(d, MB_DNN_OP_CONV_DESC, MB_DNN_CONVOLUTION);
    int64_t pads[2], strides[2];
    float alpha = 0, beta = 1;
    if (x == NULL || w == NULL || y == NULL || form == NULL ||
        !fetch(&alpha, d, MB_DNN_OP_CONV_ALPHA, MB_DNN_T_FLOAT, 1) || alpha != 1 ||
        !fetch(&beta, d, MB_DNN_OP_CONV_BETA, MB_DNN_T_FLOAT, 1) || beta != 0 ||
        !fetch(pads, form, MB_DNN_CONV_PRE_PADS, MB_DNN_T_INT64, 2) ||
        !fetch(strides, form, MB_DNN_CONV_STRIDES, MB_DNN_T_INT64, 2)) {
        return false;
    }
    d->j = (job){.x = x->t, .w = w->t, .y = y->t, .pad = pads[0], .stride = strides[0]};
    const int64_t h = (x->t.dims[2] + 2 * pads[0] - w->t.dims[2]) / strides[0] + 1;
    const int64_t v = (x->t.dims[3] + 2 * pads[0] - w->t.dims[3]) / strides[0] + 1;
    return x->t.dims[1] == w->t.dims[1] && y->t.dims[1] == w->t.dims[0] && y->t.dims[2] == h && y->t.dims[3] == v &&
           y->t.dims[0] == x->t.dims[0];
}

/* The convolution, then what follows it, each reading the result before; only the last one is in memory. */
static bool finish_graph(desc *d)
{
    desc *ops[4] = {NULL};
    int64_t n = 0;
    for (int64_t i = 1; i <= 4 && n == 0; i++) {
        n = fetch(ops, d, MB_DNN_GRAPH_OPS, MB_DNN_T_DESC, i) ? i : 0;
    }
    if (n == 0 || ops[0]->kind != MB_DNN_OP_CONVOLUTION || !ops[0]->finished) {
        return false;
    }
    d->j = ops[0]->j;
    for (int64_t i = 1; i < n; i++) {
        const desc *x = child(ops[i], MB_DNN_OP_PW_X, MB_DNN_TENSOR), *y = child(ops[i], MB_DNN_OP_PW_Y, MB_DNN_TENSOR);
        const desc *b = child(ops[i], MB_DNN_OP_PW_B, MB_DNN_TENSOR);
        const desc *form = child(ops[i], MB_DNN_OP_PW_DESC, MB_DNN_POINTWISE);
        int mode = -1;
        if (!ops[i]->finished || x == NULL || y == NULL || form == NULL || x->t.id != d->j.y.id || !x->t.is_virtual ||
            memcmp(x->t.dims, y->t.dims, sizeof x->t.dims) != 0 ||
            !fetch(&mode, form, MB_DNN_POINTWISE_MODE, MB_DNN_T_POINTWISE_MODE, 1) || d->j.relu != 0) {
            return false;
        }
        if (mode == MB_DNN_ADD && b != NULL && b->t.dims[1] == y->t.dims[1]) {
            bool vector = b->t.dims[0] * b->t.dims[2] * b->t.dims[3] == 1;
            if (d->j.bias.id != 0 || (!vector && d->j.addend.id != 0)) {
                return false; /* addend, then bias: the order of the ready-made engines */
            }
            *(vector ? &d->j.bias : &d->j.addend) = b->t;
        } else if (mode == MB_DNN_RELU) {
            d->j.relu = 1;
        } else {
            return false;
        }
        d->j.y = y->t;
    }
    return !d->j.y.is_virtual && d->j.y.type == d->j.x.type;
}

EXPORT mb_dnn_result cudnnBackendFinalize(mb_dnn_desc p)
{
    desc *d = p;
    bool ok = true;
    const desc *source = NULL;
    switch (d->kind) {
    case MB_DNN_TENSOR:
        ok = finish_tensor(d);
        break;
    case MB_DNN_CONVOLUTION:
        ok = finish_form(d);
        break;
    case MB_DNN_OP_CONVOLUTION:
        ok = finish_convolution(d);
        break;
    case MB_DNN_GRAPH:
        ok = finish_graph(d);
        break;
    case MB_DNN_HEURISTICS:
        source = child(d, MB_DNN_HEUR_GRAPH, MB_DNN_GRAPH);
        ok = source != NULL;
        d->j = ok ? source->j : d->j;
        break;
    case MB_DNN_PLAN: {
        desc *config = NULL;
        mb_dnn_handle h = NULL;
        if (fetch(&config, d, MB_DNN_PLAN_CONFIG, MB_DNN_T_DESC, 1)) {
            d->j = config->j;
        }
        if (none == 1) {
            return UNSUPPORTED;
        }
        ok = d->j.x.id != 0 && fetch(&h, d, MB_DNN_PLAN_HANDLE, MB_DNN_T_HANDLE, 1) && h != NULL;
        break;
    }
    default:
        break;
    }
    d->finished = ok;
    return ok ? MB_DNN_SUCCESS : BAD;
}

/* Engine 0: fast, but not deterministic; 1: tensor cores; 2: neither. */
static void offer(const desc *d, int64_t room, int64_t *count, mb_dnn_desc *out)
{
    *count = none == 2 ? 0 : (room < 3 ? room : 3);
    for (int64_t i = 0; i < *count; i++) {
        desc *config = out[i];
        config->j = d->j;
        config->j.engine = (int)i;
        config->finished = true;
    }
}

EXPORT mb_dnn_result cudnnBackendGetAttribute(mb_dnn_desc p, int name, int type, int64_t room, int64_t *count,
                                              void *values)
{
    static const int notes[3][2] = {{MB_DNN_NOTE_TENSOR_CORE, MB_DNN_NOTE_NONDETERMINISTIC},
                                    {MB_DNN_NOTE_TENSOR_CORE, MB_DNN_NOTE_TENSOR_CORE},
                                    {9, 9}};
    desc *d = p;
    (void)type;
    if (!d->finished) {
        return UNFINISHED;
    }
    if (name == MB_DNN_HEUR_RESULTS) {
        offer(d, room, count, values);
    } else if (name == MB_DNN_CONFIG_ENGINE) {
        desc *engine = *(mb_dnn_desc *)values;
        engine->j = d->j;
        engine->finished = true;
        *count = 1;
    } else if (name == MB_DNN_ENGINE_INDEX || name == MB_DNN_PLAN_WORKSPACE) {
        int64_t v = name == MB_DNN_ENGINE_INDEX ? d->j.engine : 131;
        memcpy(values, &v, sizeof v);
        *count = 1;
    } else if (name == MB_DNN_ENGINE_NOTES) {
        memcpy(values, notes[d->j.engine], sizeof notes[0]);
        *count = 2;
    } else if (name == MB_DNN_PLAN_JSON) {
        *count = 8 + 2 * (int64_t)sizeof d->j;
        char *text = values;
        for (size_t i = 0; i < sizeof d->j && room >= *count; i++) {
            (void)snprintf(text + 8 + 2 * i, 3, "%02x", ((unsigned char *)&d->j)[i]);
        }
        if (room >= *count) {
            memcpy(text, "standin ", 8);
        }
    } else if (name == MB_DNN_DEVICE_JSON && room > 3) {
        *count = 3;
        memcpy(values, "{}", 3);
    } else {
        return BAD;
    }
    return MB_DNN_SUCCESS;
}

/* ---- execution ---- */
typedef struct work {
    job j;
    const void *x, *w, *bias, *addend;
    void *y;
} work;

static mb_dtype dtype(int type)
{
    return type == MB_DNN_HALF ? MB_F16 : (type == MB_DNN_BFLOAT16 ? MB_BF16 : MB_F32);
}
static int64_t at(const tensor *t, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return n * t->strides[0] + c * t->strides[1] + h * t->strides[2] + w * t->strides[3];
}

/* The weights as [tap][input channel][output channel]. */
static float *turned_weights(const work *k, bool rounds)
{
    const job *j = &k->j;
    const tensor *w = &j->w;
    const mb_dtype t = dtype(w->type);
    float *turned = floats(w->dims[0] * w->dims[1] * w->dims[2] * w->dims[3]), *next = turned;
    for (int64_t r = 0; r < w->dims[2]; r++) {
        for (int64_t s = 0; s < w->dims[3]; s++) {
            for (int64_t c = 0; c < w->dims[1]; c++) {
                for (int64_t o = 0; o < w->dims[0]; o++) {
                    *next++ = tf32(get(k->w, t, at(w, o, c, r, s)), rounds);
                }
            }
        }
    }
    return turned;
}

/* All channels of one pixel of the output. */
static void one_pixel(float *sums, const work *k, const float *weights, bool rounds, int64_t n, int64_t h, int64_t v)
{
    const job *j = &k->j;
    const mb_dtype t = dtype(j->x.type), ty = dtype(j->y.type);
    const int64_t inputs = j->x.dims[1], outputs = j->y.dims[1];
    memset(sums, 0, (size_t)outputs * sizeof *sums);
    for (int64_t r = 0; r < j->w.dims[2]; r++) {
        for (int64_t s = 0; s < j->w.dims[3]; s++) {
            const int64_t y = h * j->stride + r - j->pad, x = v * j->stride + s - j->pad;
            if (y < 0 || x < 0 || y >= j->x.dims[2] || x >= j->x.dims[3]) {
                continue;
            }
            const float *tap = weights + (r * j->w.dims[3] + s) * inputs * outputs;
            for (int64_t c = 0; c < inputs; c++) {
                add_row(sums, tf32(get(k->x, t, at(&j->x, n, c, y, x)), rounds), tap + c * outputs, outputs);
            }
        }
    }
    for (int64_t o = 0; o < outputs; o++) {
        float sum = sums[o];
        sum += j->bias.id != 0 ? get(k->bias, ty, o) : 0.0f;
        sum += j->addend.id != 0 ? get(k->addend, ty, at(&j->addend, n, o, h, v)) : 0.0f;
        put(k->y, ty, at(&j->y, n, o, h, v), j->relu != 0 && !(sum > 0) ? 0.0f : sum);
    }
}

static void convolve(void *argument)
{
    const work *k = argument;
    const tensor *y = &k->j.y;
    const bool rounds = dtype(k->j.x.type) == MB_F32 && k->j.engine < 2;
    float *weights = turned_weights(k, rounds), *sums = floats(y->dims[1]);
    for (int64_t n = 0; n < y->dims[0]; n++) {
        for (int64_t h = 0; h < y->dims[2]; h++) {
            for (int64_t v = 0; v < y->dims[3]; v++) {
                one_pixel(sums, k, weights, rounds, n, h, v);
            }
        }
    }
    free(weights);
    free(sums);
}

EXPORT mb_dnn_result cudnnBackendExecute(mb_dnn_handle h, mb_dnn_desc plan, mb_dnn_desc pack)
{
    const desc *d = plan, *v = pack;
    work w = {.j = d->j};
    void *workspace = NULL;
    int64_t ids[5], n = 0;
    const void *pointers[5];
    for (int64_t i = 3; i <= 5 && n == 0; i++) {
        n = fetch(ids, v, MB_DNN_PACK_IDS, MB_DNN_T_INT64, i) ? i : 0;
    }
    if (!d->finished || n == 0 || !fetch(pointers, v, MB_DNN_PACK_POINTERS, MB_DNN_T_VOID_PTR, n) ||
        !fetch(&workspace, v, MB_DNN_PACK_WORKSPACE, MB_DNN_T_VOID_PTR, 1) || workspace == NULL) {
        return BAD;
    }
    for (int64_t i = 0; i < n; i++) {
        const tensor *of[5] = {&w.j.x, &w.j.w, &w.j.y, &w.j.bias, &w.j.addend};
        void *y = NULL;
        memcpy(&y, &pointers[i], sizeof y);
        for (int k = 0; k < 5; k++) {
            if (of[k]->id == ids[i]) {
                if ((uintptr_t)pointers[i] % (uintptr_t)of[k]->alignment != 0) {
                    return 2003; /* CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER */
                }
                const void **places[5] = {&w.x, &w.w, NULL, &w.bias, &w.addend};
                if (k == 2) {
                    w.y = y;
                } else {
                    *places[k] = y;
                }
            }
        }
    }
    if (w.x == NULL || w.w == NULL || w.y == NULL || (w.j.bias.id != 0) != (w.bias != NULL) ||
        (w.j.addend.id != 0) != (w.addend != NULL)) {
        return BAD;
    }
    if ((fail > 0 && --fail == 0) || times[w.j.engine] < 0) {
        return fail_code;
    }
    memset(workspace, 0xff, 131);
    mb_standin_use(MB_STANDIN_DNN, w.j.engine, times[w.j.engine]);
    return mb_standin_submit(h->stream, convolve, &w, sizeof w) == MB_CU_SUCCESS ? MB_DNN_SUCCESS : 4000;
}
