/* Descriptors of the graph interface. Attribute by attribute as the backend reference of cuDNN 9 has them; the order of
 * dims is N, C, H, W whatever the strides are. */
#include "cuda/vendor/dnn_plan.h"

#include "core/alloc.h"

#include <stdbool.h>
#include <string.h>

#define PROPOSALS      16
#define MB_DNN_REFUSED 3000 /* CUDNN_STATUS_NOT_SUPPORTED: by us */

/* What is being built: the first failure stays, later calls do nothing. */
typedef struct builder {
    const mb_dnn_target *target;
    mb_dnn_plan *plan;
    mb_dnn_result result;
    const char *what; /* what failed */
} builder;

/* Keeps the first failure. */
static void note(builder *b, mb_dnn_result r, const char *what)
{
    if (b->result == MB_DNN_SUCCESS && r != MB_DNN_SUCCESS) {
        b->result = r;
        b->what = what;
    }
}

/* A descriptor that the plan owns; NULL after a failure. */
static mb_dnn_desc make(builder *b, int kind)
{
    mb_dnn_desc d = NULL;
    mb_dnn_plan *p = b->plan;
    if (b->result == MB_DNN_SUCCESS && p->n_parts < MB_DNN_PARTS) {
        note(b, b->target->api->desc_create(kind, &d), "a descriptor");
    }
    if (d != NULL) {
        p->parts[p->n_parts++] = d;
    }
    return d;
}

/* One attribute: `count` values of `type`. */
static void set(builder *b, mb_dnn_desc d, int attribute, int type, int64_t count, const void *values)
{
    if (b->result == MB_DNN_SUCCESS) {
        note(b, b->target->api->set(d, attribute, type, count, values), "an attribute");
    }
}

/* Checks and freezes a descriptor. The library says here, not earlier, what is wrong. */
static void finish(builder *b, mb_dnn_desc d, const char *what)
{
    if (b->result == MB_DNN_SUCCESS) {
        note(b, b->target->api->finalize(d), what);
    }
}

/* The first failure in the library's words. */
static mb_status fail(builder *b, mb_error *err)
{
    char text[256] = "";
    b->target->api->last_error(text, sizeof text - 1);
    return mb_fail(err, MB_E_UNSUPPORTED, "cuDNN: %s: %s (%d) %.200s", b->what, b->target->api->error_text(b->result),
                   b->result, text);
}

/* mb_dtype in the library's numbers. */
static int data_type(int32_t t)
{
    return t == MB_F16 ? MB_DNN_HALF : (t == MB_BF16 ? MB_DNN_BFLOAT16 : MB_DNN_FLOAT);
}

/* A tensor as a plan sees it; pitch: elements from pixel to pixel. */
typedef struct tensor_form {
    int64_t id, n, c, h, w, pitch, alignment;
    int type;
    bool is_virtual; /* lives inside the plan's kernel */
} tensor_form;

/* Channels last: the stride of a channel is 1, of a pixel the pitch. */
static mb_dnn_desc tensor(builder *b, const tensor_form *t)
{
    mb_dnn_desc d = make(b, MB_DNN_TENSOR);
    /* In the order N, C, H, W; the strides say that channels come last. */
    int64_t dims[4] = {t->n, t->c, t->h, t->w}, strides[4] = {t->h * t->w * t->pitch, 1, t->w * t->pitch, t->pitch};
    set(b, d, MB_DNN_TENSOR_ID, MB_DNN_T_INT64, 1, &t->id);
    set(b, d, MB_DNN_TENSOR_TYPE, MB_DNN_T_DATA_TYPE, 1, &t->type);
    set(b, d, MB_DNN_TENSOR_DIMS, MB_DNN_T_INT64, 4, dims);
    set(b, d, MB_DNN_TENSOR_STRIDES, MB_DNN_T_INT64, 4, strides);
    set(b, d, MB_DNN_TENSOR_ALIGNMENT, MB_DNN_T_INT64, 1, &t->alignment);
    set(b, d, MB_DNN_TENSOR_VIRTUAL, MB_DNN_T_BOOLEAN, 1, &t->is_virtual);
    finish(b, d, "a tensor");
    return d;
}

/* y = conv(x, w) with sums in f32; both spatial axes alike. Deep learning's convolution is a cross-correlation. */
static mb_dnn_desc convolution(builder *b, const mb_dnn_conv *c, mb_dnn_desc x, mb_dnn_desc w, mb_dnn_desc y)
{
    mb_dnn_desc form = make(b, MB_DNN_CONVOLUTION), op = make(b, MB_DNN_OP_CONVOLUTION);
    int64_t spatial = 2, pads[2] = {c->pad, c->pad}, strides[2] = {c->stride, c->stride}, ones[2] = {1, 1};
    int mode = MB_DNN_CROSS_CORRELATION, compute = MB_DNN_FLOAT;
    float one = 1.0f, zero = 0.0f;
    set(b, form, MB_DNN_CONV_SPATIAL, MB_DNN_T_INT64, 1, &spatial);
    set(b, form, MB_DNN_CONV_COMPUTE, MB_DNN_T_DATA_TYPE, 1, &compute);
    set(b, form, MB_DNN_CONV_MODE, MB_DNN_T_CONVOLUTION_MODE, 1, &mode);
    set(b, form, MB_DNN_CONV_PRE_PADS, MB_DNN_T_INT64, 2, pads);
    set(b, form, MB_DNN_CONV_POST_PADS, MB_DNN_T_INT64, 2, pads);
    set(b, form, MB_DNN_CONV_STRIDES, MB_DNN_T_INT64, 2, strides);
    set(b, form, MB_DNN_CONV_DILATIONS, MB_DNN_T_INT64, 2, ones);
    finish(b, form, "a convolution");
    set(b, op, MB_DNN_OP_CONV_X, MB_DNN_T_DESC, 1, &x);
    set(b, op, MB_DNN_OP_CONV_W, MB_DNN_T_DESC, 1, &w);
    set(b, op, MB_DNN_OP_CONV_Y, MB_DNN_T_DESC, 1, &y);
    set(b, op, MB_DNN_OP_CONV_DESC, MB_DNN_T_DESC, 1, &form);
    set(b, op, MB_DNN_OP_CONV_ALPHA, MB_DNN_T_FLOAT, 1, &one);
    set(b, op, MB_DNN_OP_CONV_BETA, MB_DNN_T_FLOAT, 1, &zero);
    finish(b, op, "a convolution's node");
    return op;
}

/* y = x + other, or y = relu(x) with other NULL; in f32. */
static mb_dnn_desc pointwise(builder *b, int mode, mb_dnn_desc x, mb_dnn_desc other, mb_dnn_desc y)
{
    mb_dnn_desc form = make(b, MB_DNN_POINTWISE), op = make(b, MB_DNN_OP_POINTWISE);
    int compute = MB_DNN_FLOAT;
    set(b, form, MB_DNN_POINTWISE_MODE, MB_DNN_T_POINTWISE_MODE, 1, &mode);
    set(b, form, MB_DNN_POINTWISE_MATH, MB_DNN_T_DATA_TYPE, 1, &compute);
    finish(b, form, "a pointwise operation");
    set(b, op, MB_DNN_OP_PW_DESC, MB_DNN_T_DESC, 1, &form);
    set(b, op, MB_DNN_OP_PW_X, MB_DNN_T_DESC, 1, &x);
    if (other != NULL) {
        set(b, op, MB_DNN_OP_PW_B, MB_DNN_T_DESC, 1, &other);
    }
    set(b, op, MB_DNN_OP_PW_Y, MB_DNN_T_DESC, 1, &y);
    finish(b, op, "a pointwise node");
    return op;
}

/* conv -> + addend -> + bias -> relu: as many of them as there are, in the one order that the library has ready-made
 * kernels for; only the last result is in memory. */
static mb_dnn_desc graph(builder *b, const mb_dnn_conv *c)
{
    const int64_t out_h = (c->height + 2 * c->pad - c->kh) / c->stride + 1;
    const int64_t out_w = (c->width + 2 * c->pad - c->kw) / c->stride + 1;
    const int type = data_type(c->type), y_type = data_type(c->y_type);
    /* The result of the last step is y; results before it live in the plan's kernel only. */
    int left = (c->bias != 0) + (c->addend_pitch > 0) + (c->relu != 0); /* pointwise steps still to come */
    const tensor_form forms[] = {
        {MB_DNN_ID_X, c->n, c->inputs, c->height, c->width, c->x_pitch, c->x_align, type, false},
        {MB_DNN_ID_W, c->outputs, c->inputs, c->kh, c->kw, c->inputs, 16, type, false},
        {MB_DNN_ID_BIAS, 1, c->outputs, 1, 1, c->outputs, 16, y_type, false},
        {MB_DNN_ID_ADDEND, c->n, c->outputs, out_h, out_w, c->addend_pitch, c->y_align, y_type, false},
        {MB_DNN_ID_Y, c->n, c->outputs, out_h, out_w, c->y_pitch, c->y_align, y_type, false},
    };
    tensor_form between = {1, c->n, c->outputs, out_h, out_w, c->outputs, 16, MB_DNN_FLOAT, true};
    mb_dnn_desc x = tensor(b, &forms[0]), w = tensor(b, &forms[1]), now = tensor(b, left > 0 ? &between : &forms[4]);
    mb_dnn_desc ops[4] = {convolution(b, c, x, w, now)};
    int n_ops = 1;
    /* Which steps there are, and which tensor each of them adds. */
    const struct {
        bool wanted;
        int mode, operand;
    } steps[] = {{c->addend_pitch > 0, MB_DNN_ADD, 3}, {c->bias != 0, MB_DNN_ADD, 2}, {c->relu != 0, MB_DNN_RELU, -1}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].wanted) {
            mb_dnn_desc other = steps[i].operand >= 0 ? tensor(b, &forms[steps[i].operand]) : NULL;
            between.id++;
            left--;
            mb_dnn_desc next = tensor(b, left > 0 ? &between : &forms[4]);
            ops[n_ops++] = pointwise(b, steps[i].mode, now, other, next);
            now = next;
        }
    }
    /* A graph for a described device has no handle. */
    mb_dnn_desc g = make(b, MB_DNN_GRAPH);
    if (b->target->handle != NULL) {
        set(b, g, MB_DNN_GRAPH_HANDLE, MB_DNN_T_HANDLE, 1, &b->target->handle);
    }
    set(b, g, MB_DNN_GRAPH_OPS, MB_DNN_T_DESC, n_ops, ops);
    finish(b, g, "the graph");
    return g;
}

/* Engines we do not take: see mb_dnn_build. */
static bool is_exact(builder *b, mb_dnn_desc config, const mb_dnn_conv *c, int64_t *index)
{
    const mb_dnn_api *api = b->target->api;
    int64_t n = 0;
    int notes[MB_DNN_NOTES] = {0};
    mb_dnn_desc engine = NULL;
    bool ok = api->desc_create(MB_DNN_ENGINE, &engine) == 0 &&
              api->get(config, MB_DNN_CONFIG_ENGINE, MB_DNN_T_DESC, 1, &n, &engine) == 0 &&
              api->get(engine, MB_DNN_ENGINE_INDEX, MB_DNN_T_INT64, 1, &n, index) == 0 &&
              api->get(engine, MB_DNN_ENGINE_NOTES, MB_DNN_T_NOTE, MB_DNN_NOTES, &n, notes) == 0;
    for (int64_t i = 0; ok && i < n && i < MB_DNN_NOTES; i++) {
        /* On f32 both mean TF32 or less. */
        bool rounds = notes[i] == MB_DNN_NOTE_TENSOR_CORE || notes[i] == MB_DNN_NOTE_DOWN_CONVERT;
        bool never = notes[i] == MB_DNN_NOTE_REDUCED_PRECISION || notes[i] == MB_DNN_NOTE_FFT ||
                     notes[i] == MB_DNN_NOTE_NONDETERMINISTIC ||
                     (notes[i] >= MB_DNN_NOTE_WINOGRAD && notes[i] < MB_DNN_NOTE_WINOGRAD + 4);
        ok = !never && !(rounds && c->type == MB_F32 && c->tf32 == 0);
    }
    if (engine != NULL) {
        (void)api->desc_destroy(engine);
    }
    return ok;
}

/* Puts the device into a plan or into heuristics. */
static void set_target(builder *b, mb_dnn_desc d, int device_attribute)
{
    if (b->target->described != NULL) {
        set(b, d, device_attribute, MB_DNN_T_DESC, 1, &b->target->described);
    } else if (device_attribute == MB_DNN_PLAN_DEVICE) {
        set(b, d, MB_DNN_PLAN_HANDLE, MB_DNN_T_HANDLE, 1, &b->target->handle);
    }
}

/* The plan of one proposal; false and nothing left behind if it is not for us. */
static bool try_config(builder *b, mb_dnn_desc config, const mb_dnn_conv *c)
{
    const mb_dnn_api *api = b->target->api;
    mb_dnn_plan *p = b->plan;
    mb_dnn_choice *out = &p->choices[p->n_choices];
    int64_t n = 0, most = b->target->workspace_most;
    /* Later choices must earn their workspace: it is planned for all of them together. */
    if (p->n_choices > 0) {
        int64_t first = p->choices[0].workspace;
        int64_t others = first > MB_DNN_OTHERS_WORKSPACE ? first : MB_DNN_OTHERS_WORKSPACE;
        most = others < most ? others : most;
    }
    *out = (mb_dnn_choice){0};
    if (!is_exact(b, config, c, &out->engine)) {
        note(b, MB_DNN_REFUSED, "every engine rounds, or is not deterministic");
        return false;
    }
    /* Finishing a plan compiles it, if it has to be: this is where the time goes. */
    note(b, api->desc_create(MB_DNN_PLAN, &out->plan), "a descriptor");
    set_target(b, out->plan, MB_DNN_PLAN_DEVICE);
    set(b, out->plan, MB_DNN_PLAN_CONFIG, MB_DNN_T_DESC, 1, &config);
    finish(b, out->plan, "a plan");
    if (b->result == MB_DNN_SUCCESS) {
        note(b, api->get(out->plan, MB_DNN_PLAN_WORKSPACE, MB_DNN_T_INT64, 1, &n, &out->workspace),
             "a plan's workspace");
    }
    if (b->result == MB_DNN_SUCCESS && out->workspace > most) {
        note(b, MB_DNN_REFUSED, "its workspace is too large");
    }
    if (b->result == MB_DNN_SUCCESS) {
        p->n_choices++;
        return true;
    }
    if (out->plan != NULL) {
        (void)api->desc_destroy(out->plan);
    }
    return false;
}

/* One mode of the heuristics: up to `wanted` choices. */
static void propose(builder *b, mb_dnn_desc g, int mode, const mb_dnn_conv *c, int wanted)
{
    const mb_dnn_api *api = b->target->api;
    mb_dnn_desc configs[PROPOSALS] = {NULL}, heuristics = make(b, MB_DNN_HEURISTICS);
    int64_t n = 0;
    set(b, heuristics, MB_DNN_HEUR_GRAPH, MB_DNN_T_DESC, 1, &g);
    set(b, heuristics, MB_DNN_HEUR_MODE, MB_DNN_T_HEUR_MODE, 1, &mode);
    set_target(b, heuristics, MB_DNN_HEUR_DEVICE);
    finish(b, heuristics, "the heuristics");
    /* The library fills descriptors that are there already. */
    for (int i = 0; i < PROPOSALS && b->result == MB_DNN_SUCCESS; i++) {
        note(b, api->desc_create(MB_DNN_ENGINE_CONFIG, &configs[i]), "a descriptor");
    }
    if (b->result == MB_DNN_SUCCESS) {
        note(b, api->get(heuristics, MB_DNN_HEUR_RESULTS, MB_DNN_T_DESC, PROPOSALS, &n, configs), "proposals");
    }
    if (b->result == MB_DNN_SUCCESS && n == 0) {
        note(b, MB_DNN_REFUSED, "no engine");
    }
    n = n < PROPOSALS ? n : PROPOSALS; /* it says how many there are, not how many it gave */
    b->plan->n_proposed += (int)n;
    for (int64_t i = 0; i < n && b->plan->n_choices < wanted; i++) {
        b->result = MB_DNN_SUCCESS; /* of the one before */
        (void)try_config(b, configs[i], c);
    }
    for (int i = 0; i < PROPOSALS; i++) {
        if (configs[i] != NULL) {
            (void)api->desc_destroy(configs[i]);
        }
    }
}

/* Mode A of the heuristics; if none of its engines will do, the fallbacks, which are slower but know more cases. */
mb_status mb_dnn_build(mb_dnn_plan *out, const mb_dnn_target *t, const mb_dnn_conv *c, int wanted, mb_error *err)
{
    builder b = {.target = t, .plan = out};
    *out = (mb_dnn_plan){0};
    wanted = wanted < MB_DNN_CHOICES ? wanted : MB_DNN_CHOICES;
    mb_dnn_desc g = graph(&b, c);
    if (b.result == MB_DNN_SUCCESS) {
        propose(&b, g, MB_DNN_MODE_A, c, wanted);
    }
    if (out->n_choices == 0 && g != NULL) {
        b.result = MB_DNN_SUCCESS;
        propose(&b, g, MB_DNN_MODE_FALLBACK, c, wanted);
    }
    if (out->n_choices == 0) {
        mb_status status = fail(&b, err);
        mb_dnn_dispose(out, t->api);
        return status;
    }
    return MB_OK;
}

/* After timing: the others' memory is worth more than they are. */
void mb_dnn_keep_chosen(mb_dnn_plan *p, const mb_dnn_api *api)
{
    mb_dnn_choice chosen = p->choices[p->chosen];
    for (int i = 0; i < p->n_choices; i++) {
        if (i != p->chosen) {
            (void)api->desc_destroy(p->choices[i].plan);
        }
    }
    p->choices[0] = chosen;
    p->n_choices = 1;
    p->chosen = 0;
}

/* While several may still be timed, the workspace must do for each. */
int64_t mb_dnn_workspace(const mb_dnn_plan *p)
{
    int64_t most = 0;
    for (int i = 0; i < p->n_choices; i++) {
        most = p->choices[i].workspace > most ? p->choices[i].workspace : most;
    }
    return most;
}

/* Plans first, then what they were made of, backwards. */
void mb_dnn_dispose(mb_dnn_plan *p, const mb_dnn_api *api)
{
    /* Choices own their plan; parts are shared by all of them. */
    while (p->n_choices > 0) {
        (void)api->desc_destroy(p->choices[--p->n_choices].plan);
    }
    while (p->n_parts > 0) {
        (void)api->desc_destroy(p->parts[--p->n_parts]);
    }
    *p = (mb_dnn_plan){0};
}

/* ---- as text */
mb_status mb_dnn_write(char **out, size_t *bytes, const mb_dnn_target *t, const mb_dnn_plan *p, mb_error *err)
{
    int64_t n = 0;
    mb_dnn_desc plan = p->choices[p->chosen].plan;
    *out = NULL;
    mb_dnn_result r = t->api->get(plan, MB_DNN_PLAN_JSON, MB_DNN_T_CHAR, 0, &n, NULL);
    if (r == MB_DNN_SUCCESS && n > 0) {
        *out = mb_calloc((size_t)n + 1, 1);
        if (*out == NULL) {
            return mb_fail_memory(err, (size_t)n + 1, "a plan's text");
        }
        r = t->api->get(plan, MB_DNN_PLAN_JSON, MB_DNN_T_CHAR, n, &n, *out);
    }
    if (r != MB_DNN_SUCCESS || n <= 0) {
        mb_free(*out);
        *out = NULL;
        return mb_fail(err, MB_E_UNSUPPORTED, "cuDNN: the plan cannot be serialised: %s", t->api->error_text(r));
    }
    *bytes = (size_t)n + 1;
    return MB_OK;
}

/* The library checks version and device when the plan is finished. MB_E_UNSUPPORTED: the text is not for us. */
mb_status mb_dnn_read(mb_dnn_plan *out, const mb_dnn_target *t, const char *text, size_t bytes, mb_error *err)
{
    builder b = {.target = t, .plan = out};
    mb_dnn_choice *read = &out->choices[0];
    int64_t n = 0;
    *out = (mb_dnn_plan){0};
    if (bytes == 0 || text[bytes - 1] != '\0') {
        return mb_fail(err, MB_E_UNSUPPORTED, "cuDNN: the stored plan is not a text");
    }
    read->engine = -1;
    note(&b, t->api->desc_create(MB_DNN_PLAN, &read->plan), "a descriptor");
    out->n_choices = read->plan != NULL;
    set_target(&b, read->plan, MB_DNN_PLAN_DEVICE);
    set(&b, read->plan, MB_DNN_PLAN_JSON, MB_DNN_T_CHAR, (int64_t)bytes, text);
    finish(&b, read->plan, "a stored plan");
    if (b.result == MB_DNN_SUCCESS) {
        note(&b, t->api->get(read->plan, MB_DNN_PLAN_WORKSPACE, MB_DNN_T_INT64, 1, &n, &read->workspace),
             "a plan's workspace");
    }
    if (b.result == MB_DNN_SUCCESS && read->workspace > t->workspace_most) {
        note(&b, MB_DNN_REFUSED, "its workspace is too large");
    }
    if (b.result != MB_DNN_SUCCESS) {
        mb_status status = fail(&b, err);
        mb_dnn_dispose(out, t->api);
        return status;
    }
    return MB_OK;
}

/* For plans of a GPU that is not there (tests). */
mb_status mb_dnn_describe(mb_dnn_desc *out, const mb_dnn_api *api, const char *json, mb_error *err)
{
    *out = NULL;
    mb_dnn_result r = api->desc_create(MB_DNN_DEVICE, out);
    r = r != 0 ? r : api->set(*out, MB_DNN_DEVICE_JSON, MB_DNN_T_CHAR, (int64_t)strlen(json) + 1, json);
    r = r != 0 ? r : api->finalize(*out);
    if (r != MB_DNN_SUCCESS) {
        char text[256] = "";
        api->last_error(text, sizeof text - 1);
        if (*out != NULL) {
            (void)api->desc_destroy(*out);
            *out = NULL;
        }
        return mb_fail(err, MB_E_FORMAT, "cuDNN: the description of the device was refused: %s (%d) %.200s",
                       api->error_text(r), r, text);
    }
    return MB_OK;
}
