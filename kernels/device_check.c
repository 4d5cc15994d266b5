/* Does a device compute what the plain kernels compute? One small case of each kernel that matters, in the back end's
 * own types, before `auto` trusts a GPU with pictures: a driver, a library or a compiler may be at fault where none of
 * our tests ran. Milliseconds, and a few hundred kilobytes. */
#include "core/alloc.h"
#include "device.h"

#include <math.h>
#include <string.h>

/* Types and constants are those of ops.def; values are made up. */
typedef struct check_case {
    mb_op op;
    int64_t in[5][4]; /* dims; {0}: absent */
    mb_attrs attrs;
} check_case;

static const check_case cases[] = {
    {MB_OP_linear, {{1, 64, 4, 4}, {32, 64, 1, 1}, {32, 1, 1, 1}}, {.linear = {MB_ACT_GELU}}},
    {MB_OP_conv2d, {{1, 16, 9, 7}, {24, 16, 3, 3}, {24, 1, 1, 1}}, {.conv2d = {1, 1, MB_ACT_RELU, false}}},
    {MB_OP_conv2d, {{1, 3, 8, 8}, {16, 3, 4, 4}, {16, 1, 1, 1}}, {.conv2d = {4, 0, MB_ACT_NONE, false}}},
    {MB_OP_deform_conv2d,
     {{1, 16, 8, 8}, {1, 18, 8, 8}, {1, 9, 8, 8}, {8, 16, 3, 3}, {8, 1, 1, 1}},
     {.deform_conv2d = {1, 2.0f, MB_ACT_NONE}}},
    {MB_OP_layer_norm, {{1, 96, 5, 5}, {96, 1, 1, 1}, {96, 1, 1, 1}}, {.layer_norm = {1e-5f, false}}},
    {MB_OP_window_attention, {{1, 96, 10, 9}, {169, 2, 1, 1}, {96, 1, 1, 1}}, {.window_attention = {2, 7, 3, 0.25f}}},
    {MB_OP_vit_attention, {{1, 192, 6, 5}, {11, 64, 1, 1}, {9, 64, 1, 1}}, {.vit_attention = {1, 0, 0.125f, 1.0f}}},
    {MB_OP_vit_attention,
     {{1, 192, 6, 5}, {7, 64, 1, 1}, {7, 64, 1, 1}, {192, 1, 1, 1}},
     {.vit_attention = {1, 4, 0.125f, 1.0f, true}}},
    {MB_OP_resize_bilinear, {{1, 8, 5, 7}}, {.resize_bilinear = {11, 13, true}}},
    {MB_OP_global_mean, {{1, 24, 6, 5}}, {.global_mean = {0}}},
};

/* One case on its way: host copies, what ref makes of them, device memory, what came back. */
typedef struct trial {
    const mb_backend *b;
    const check_case *c;
    mb_call call;
    float *host[MB_MAX_INPUTS], *expected, *got;
    void *device[MB_MAX_INPUTS + 2], *staging; /* inputs, output, workspace */
    mb_prepared prepared;
} trial;

/* Of an input, as in plans. */
static mb_dtype type_of(const trial *t, int i)
{
    return (mb_op_get_rule(t->c->op)->f32_inputs >> i & 1u) != 0 ? MB_F32 : t->b->activations;
}

/* Constants stay in host memory: prepare copies them. */
static bool is_constant(const trial *t, int i)
{
    return (mb_op_get_rule(t->c->op)->constants >> i & 1u) != 0;
}

/* Values that the type can hold, so that only the kernel's own rounding counts. */
static mb_status make_input(trial *t, int i, mb_error *err)
{
    const int64_t *d = t->c->in[i];
    size_t n = (size_t)(d[0] * d[1] * d[2] * d[3]);
    uint32_t state = 977u * (uint32_t)(i + 1);
    float *v = mb_alloc_array(n, sizeof *v);
    if (v == NULL) {
        return mb_fail_memory(err, n * sizeof *v, "the device's self-check");
    }
    /* A linear congruential generator: multiples of 1/128 in [-1, 1), exact in every type. */
    for (size_t k = 0; k < n; k++) {
        state = state * 1664525u + 1013904223u;
        v[k] = (float)((int)(state >> 24) - 128) / 128.0f;
    }
    t->host[i] = v;
    t->call.in[i] = mb_view_of(v, d[0], d[1], d[2], d[3]);
    return MB_OK;
}

/* The plain kernel's result, in f32 on the host. */
static mb_status expect(trial *t, mb_error *err)
{
    mb_backend ref;
    int64_t d[4];
    mb_backend_ref(&ref);
    mb_status status = mb_op_get_rule(t->c->op)->shape(d, &t->call, err);
    if (status != MB_OK) {
        return status;
    }
    size_t n = (size_t)(d[0] * d[1] * d[2] * d[3]);
    t->expected = mb_alloc_array(n, sizeof(float));
    t->got = mb_alloc_array(n, sizeof(float));
    const mb_kernel *k = mb_backend_choose(&ref, t->c->op, &t->call);
    t->call.out = mb_view_of(t->expected, d[0], d[1], d[2], d[3]);
    size_t bytes = k->workspace != NULL ? k->workspace(&t->call) : 0;
    void *workspace = mb_alloc_aligned(bytes > 0 ? bytes : 1);
    t->call.workspace = workspace;
    status = t->expected != NULL && t->got != NULL && workspace != NULL
                 ? k->run(&t->call, err)
                 : mb_fail_memory(err, n * sizeof(float), "the device's self-check");
    mb_free_aligned(workspace);
    return status;
}

/* Rounds an input to its type and copies it. */
static mb_status to_device(trial *t, int i, mb_error *err)
{
    const mb_device_memory *m = t->b->memory;
    size_t n = (size_t)mb_view_count(&t->call.in[i]), bytes = n * mb_dtype_size(type_of(t, i));
    mb_status status = m->alloc(t->b->device, &t->device[i], bytes, "a self-check", err);
    if (status == MB_OK) {
        mb_from_f32(t->staging, t->host[i], type_of(t, i), n);
        status = m->copy_in(t->b->device, t->device[i], t->staging, bytes, err);
    }
    return status == MB_OK ? m->wait(t->b->device, err) : status;
}

/* Plans, prepares and runs the call as a plan would; t->got has the result. */
static mb_status run_on_device(trial *t, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_device_memory *m = t->b->memory;
    mb_gpu *device = t->b->device;
    size_t n = (size_t)mb_view_count(&t->call.out), bytes = n * mb_dtype_size(t->b->activations);
    t->call.device = device;
    t->call.tf32 = t->b->tf32;
    /* As in planning: constants have data, maps have none yet. */
    t->call.constants = mb_op_get_rule(t->c->op)->constants;
    t->call.out.dtype = t->b->activations;
    t->call.out.data = NULL;
    for (int i = 0; i < t->call.n_in; i++) {
        t->call.in[i].dtype = is_constant(t, i) ? MB_F32 : type_of(t, i);
        t->call.in[i].data = is_constant(t, i) ? t->host[i] : NULL;
    }
    t->call.once = true;
    /* The kernel that plans would take, libraries included. */
    const mb_kernel *k = mb_backend_choose(t->b, t->c->op, &t->call);
    if (k == NULL) {
        return mb_fail(err, MB_E_UNSUPPORTED, "no kernel");
    }
    if (k->prepare != NULL) {
        MB_TRY(k->prepare(&t->prepared, &t->call, err));
        t->call.prepared = &t->prepared;
    }
    size_t workspace = k->workspace != NULL ? k->workspace(&t->call) : 0;
    /* Then maps get their memory, and the call runs. */
    MB_TRY(m->alloc(device, &t->device[MB_MAX_INPUTS], bytes, "a self-check", err));
    MB_TRY(m->alloc(device, &t->device[MB_MAX_INPUTS + 1], workspace, "a self-check", err));
    for (int i = 0; i < t->call.n_in; i++) {
        if (!is_constant(t, i)) {
            MB_TRY(to_device(t, i, err));
            t->call.in[i].data = t->device[i];
        }
    }
    t->call.out.data = t->device[MB_MAX_INPUTS];
    t->call.workspace = workspace > 0 ? t->device[MB_MAX_INPUTS + 1] : NULL;
    MB_TRY(k->run(&t->call, err));
    MB_TRY(m->copy_out(device, t->staging, t->call.out.data, bytes, err));
    MB_TRY(m->wait(device, err));
    mb_to_f32(t->got, t->staging, t->b->activations, n);
done:
    return status;
}

/* By the largest magnitude. The limits leave room for the type's rounding; a kernel at fault is wrong by
 * much more. NaN is wrong. */
static mb_status compare(const trial *t, mb_error *err)
{
    /* As in the op tests: the largest error over the largest magnitude. */
    double error = 0, largest = 0, limit = t->b->activations == MB_F16 ? 4e-3 : 3e-2;
    limit = t->b->activations == MB_F32 ? (t->b->tf32 ? 4e-3 : 1e-4) : limit;
    for (int64_t i = 0; i < mb_view_count(&t->call.out); i++) {
        double far = fabs((double)t->got[i] - (double)t->expected[i]);
        error = far > error || isnan(far) ? far : error;
        largest = fmax(largest, fabs((double)t->expected[i]));
    }
    if (!(error <= limit * largest)) {
        return mb_fail(err, MB_E_DEVICE, "%s is off by %.2g, %.2g is allowed", mb_op_get_rule(t->c->op)->name,
                       error / largest, limit);
    }
    return MB_OK;
}

/* One case from end to end; nothing of it is left behind. */
static mb_status check(const mb_backend *b, const check_case *c, mb_error *err)
{
    mb_status status = MB_OK;
    trial t = {.b = b, .c = c};
    t.staging = mb_alloc(1 << 16);
    t.call.attrs = &c->attrs;
    if (t.staging == NULL) {
        return mb_fail_memory(err, 1 << 16, "the device's self-check");
    }
    /* Inputs of a case are dense: the first absent one is the end. */
    for (int i = 0; i < 5 && c->in[i][0] > 0; i++) {
        t.call.n_in = i + 1;
        MB_TRY(make_input(&t, i, err));
    }
    MB_TRY(expect(&t, err));
    MB_TRY(run_on_device(&t, err));
    MB_TRY(compare(&t, err));
done:
    if (t.prepared.free != NULL) {
        t.prepared.free(t.prepared.data);
    }
    for (int i = 0; i < MB_MAX_INPUTS + 2; i++) {
        b->memory->free(b->device, t.device[i]);
    }
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        mb_free(t.host[i]);
    }
    mb_free(t.expected);
    mb_free(t.got);
    mb_free(t.staging);
    return status;
}

/* The first case that is wrong ends it: MB_E_DEVICE with its name. */
mb_status mb_device_check(const mb_backend *b, mb_error *err)
{
    if (b->memory == NULL) {
        return MB_OK;
    }
    mb_status status = b->memory->enter(b->device, err);
    if (status != MB_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] && status == MB_OK; i++) {
        status = check(b, &cases[i], err);
    }
    b->memory->leave(b->device);
    return status;
}
