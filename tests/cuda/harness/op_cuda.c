/* The cases of tests/ops on the CUDA back end: the same op_harness_main for kernels that run on a device, here under
 * emulation with a stand-in driver. For each case, each kernel of the op's row that supports it, f32, f16 and bf16,
 * dense maps, ragged slices and 16-byte aligned slices, in place where offered:
 *   - within the tolerance of the op for f32 and of the type for the others (inputs are rounded to the type first, so
 *     that only the kernel's own arithmetic counts);
 *   - the same bits in every order of threads and blocks;
 *   - nothing written outside of the output; gaps and unwritten memory are NaN.
 * With test_long() in more orders, and the cases that are long to emulate. */
#define _GNU_SOURCE /* setenv */
#include "harness/op_harness.h"

#include "core/alloc.h"
#include "cuda/backend.h"
#include "cuda/driver/context.h"
#include "cuda/driver/weights.h"
#include "harness/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(MB_ON_DEVICE)
static void mb_emu_set(int order, unsigned seed) /* a device has its own orders: the runs are repeats */
{
    (void)order;
    (void)seed;
}
#else
void mb_emu_set(int order, unsigned seed); /* tests/cuda/emulate.cpp */
#endif

typedef enum layout { DENSE, RAGGED, ALIGNED, IN_PLACE, LAYOUTS } layout;
static const char *const layout_names[] = {"dense", "ragged slices", "aligned slices", "in place"};

typedef struct data {
    float *in[MB_MAX_INPUTS];
    int64_t dims[MB_MAX_INPUTS][4], out_dims[4];
    int n_in;
    float *expected, *first, *now;
    size_t n_out;
} data;

static mb_cuda_device *device;

static size_t count(const int64_t d[4])
{
    return (size_t)(d[0] * d[1] * d[2] * d[3]);
}

/* Of an input in a plan whose maps are of type t. */
static mb_dtype type_of(mb_op op, int i, mb_dtype t)
{
    return mb_op_get_rule(op)->f32_inputs >> i & 1 ? MB_F32 : t;
}

static void round_to(float *v, size_t n, mb_dtype t)
{
    uint16_t h;
    for (size_t i = 0; t != MB_F32 && i < n; i++) {
        mb_from_f32(&h, &v[i], t, 1);
        mb_to_f32(&v[i], &h, t, 1);
    }
}

static mb_call host_call(mb_op op, const op_case *oc, const data *d)
{
    mb_call c = {.attrs = &oc->attrs, .n_in = d->n_in, .device = device, .constants = op_constants(op)};
    for (int i = 0; i < d->n_in; i++) {
        const int64_t *s = d->dims[i];
        if (d->in[i] != NULL) {
            c.in[i] = mb_view_of(d->in[i], s[0], s[1], s[2], s[3]);
        }
    }
    return c;
}

/* Inputs rounded to the type, and what ref makes of them. False: the case has no meaning in this type. */
static bool make_data(data *d, mb_op op, const op_case *oc, mb_dtype t)
{
    *d = (data){0};
    for (int i = 0; i < MB_MAX_INPUTS && d->n_in == i; i++) {
        if (oc->in[i][0] == 0 && i + 1 < MB_MAX_INPUTS && oc->in[i + 1][0] == 0) {
            break;
        }
        d->n_in = i + 1;
        if (oc->in[i][0] == 0) {
            continue;
        }
        for (int k = 0; k < 4; k++) {
            d->dims[i][k] = oc->in[i][k] > 0 ? oc->in[i][k] : 1;
        }
        size_t n = count(d->dims[i]);
        d->in[i] = mb_alloc_array(n, sizeof(float));
        op_fill(d->in[i], n, op, i, oc);
        round_to(d->in[i], n, type_of(op, i, t));
    }
    mb_call c = host_call(op, oc, d);
    mb_error err = {0};
    const mb_op_rule *rule = mb_op_get_rule(op);
    if (!CHECK_MSG(rule->shape(d->out_dims, &c, &err) == MB_OK, "%s: %s", oc->name, err.message)) {
        return false;
    }
    d->n_out = count(d->out_dims);
    d->expected = mb_alloc_array(d->n_out, sizeof(float));
    d->first = mb_alloc_array(d->n_out, sizeof(float));
    d->now = mb_alloc_array(d->n_out, sizeof(float));
    mb_backend ref;
    mb_backend_ref(&ref);
    const mb_kernel *k = mb_backend_choose(&ref, op, &c);
    c.out = mb_view_of(d->expected, d->out_dims[0], d->out_dims[1], d->out_dims[2], d->out_dims[3]);
    c.workspace = mb_alloc_aligned(k->workspace != NULL ? k->workspace(&c) : 0);
    bool ok = CHECK(k->run(&c, &err) == MB_OK);
    mb_free_aligned(c.workspace);
    for (size_t i = 0; i < d->n_out && t == MB_F16; i++) {
        ok = ok && !(fabsf(d->expected[i]) > 60000.0f); /* beyond f16 */
    }
    for (int i = 0; i < d->n_in && t == MB_F16; i++) {
        for (size_t e = 0; d->in[i] != NULL && type_of(op, i, t) == t && e < count(d->dims[i]); e++) {
            ok = ok && fabsf(d->in[i][e]) < 60000.0f;
        }
    }
    return ok;
}

static void free_data(data *d)
{
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        mb_free(d->in[i]);
    }
    mb_free(d->expected);
    mb_free(d->first);
    mb_free(d->now);
}

/* ---- device memory with margins ---- */
enum { GUARD = 0x7b, MARGIN = 256 };
typedef struct block {
    void *base;
    unsigned char *host; /* what was written to it */
    size_t bytes;
    mb_view view;
} block;

static void ok_or_die(mb_status s, const mb_error *err)
{
    if (s != MB_OK) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

/* A view of dims with `gap` elements between pixels and `front` elements before; contents NULL: all bytes `fill`. The
 * margin behind is left out for inputs, so that the address sanitizer sees a read past the end. */
static block make_block(const int64_t dims[4], mb_dtype t, size_t front, size_t gap, const float *contents, int fill)
{
    size_t size = mb_dtype_size(t), channels = (size_t)dims[1], tokens = (size_t)(dims[0] * dims[2] * dims[3]);
    size_t behind = contents == NULL ? MARGIN : 0, before = contents == NULL ? MARGIN : 0;
    block b = {.bytes = before + front * size + ((tokens - 1) * (channels + gap) + channels) * size + behind};
    mb_error err = {0};
    ok_or_die(mb_cuda_alloc(device, &b.base, b.bytes, "a test", &err), &err);
    b.host = mb_alloc(b.bytes);
    memset(b.host, fill, b.bytes);
    unsigned char *first = b.host + before + front * size;
    for (size_t k = 0; contents != NULL && k < tokens; k++) {
        mb_from_f32(first + k * (channels + gap) * size, contents + k * channels, t, channels);
    }
    ok_or_die(mb_cuda_copy_in(device, b.base, b.host, b.bytes, &err), &err);
    b.view = mb_view_of((unsigned char *)b.base + before + front * size, dims[0], dims[1], dims[2], dims[3]);
    b.view.pitch = (int64_t)(channels + gap);
    b.view.dtype = t;
    return b;
}

/* Reads the output densely; false if anything around it was written. */
static bool read_block(float *dense, block *b)
{
    mb_error err = {0};
    unsigned char *now = mb_alloc(b->bytes);
    ok_or_die(mb_cuda_copy_out(device, now, b->base, b->bytes, &err), &err);
    ok_or_die(mb_cuda_wait(device, &err), &err);
    size_t size = mb_dtype_size(b->view.dtype), channels = (size_t)b->view.dims[1], pitch = (size_t)b->view.pitch;
    size_t start = (size_t)((unsigned char *)b->view.data - (unsigned char *)b->base);
    for (int64_t k = 0; k < mb_view_tokens(&b->view); k++) {
        unsigned char *at = now + start + (size_t)k * pitch * size;
        mb_to_f32(dense + (size_t)k * channels, at, b->view.dtype, channels);
        memcpy(at, b->host + start + (size_t)k * pitch * size, channels * size);
    }
    bool clean = memcmp(now, b->host, b->bytes) == 0;
    mb_free(now);
    return clean;
}

static void free_block(block *b)
{
    mb_cuda_free(device, b->base);
    mb_free(b->host);
}

/* ---- one run ---- */
typedef struct job {
    mb_call call;
    mb_prepared prepared;
    block in[MB_MAX_INPUTS], out;
    void *workspace;
    int taken;
} job;

static bool begin_job(job *j, const mb_kernel *k, mb_op op, const op_case *oc, const data *d, mb_dtype t, layout l)
{
    *j = (job){.taken = l == IN_PLACE ? k->in_place_input - 1 : -1};
    j->call = host_call(op, oc, d);
    size_t wide = 16 / mb_dtype_size(t), front = l == RAGGED ? 5 : (l == ALIGNED ? wide : 0);
    uint32_t constants = op_constants(op);
    mb_error err = {0};
    for (int i = 0; i < d->n_in; i++) {
        j->call.in[i].dtype = MB_F32;
        if (d->in[i] != NULL && !(constants >> i & 1)) {
            size_t fill_up = (wide - (size_t)d->dims[i][1] % wide) % wide; /* aligned: pitches are multiples */
            size_t gap = l == RAGGED ? (size_t)(3 + 2 * i) : (l == ALIGNED ? wide + fill_up : 0);
            j->in[i] = make_block(d->dims[i], type_of(op, i, t), front, gap, d->in[i], 0xff);
            j->call.in[i] = j->in[i].view;
        }
    }
    size_t fill_up = (wide - (size_t)d->out_dims[1] % wide) % wide;
    j->out = make_block(d->out_dims, t, front, l == RAGGED ? 7 : (l == ALIGNED ? wide + fill_up : 0), NULL, GUARD);
    j->call.out = j->out.view;
    if (j->taken >= 0) {
        j->call.out = j->call.in[j->taken];
    }
    /* planning: constants alone have data */
    mb_call plan = j->call;
    for (int i = 0; i < d->n_in; i++) {
        if (!(constants >> i & 1)) {
            plan.in[i].data = NULL;
        }
    }
    plan.out.data = NULL;
    if (k->prepare != NULL) {
        if (!CHECK_MSG(k->prepare(&j->prepared, &plan, &err) == MB_OK, "%s: %s", oc->name, err.message)) {
            return false;
        }
        j->call.prepared = plan.prepared = &j->prepared;
    }
    for (int i = 0; i < d->n_in; i++) { /* host memory is not for kernels, uploaded or not */
        if (constants >> i & 1) {
            j->call.in[i].data = NULL;
        }
    }
    size_t bytes = k->workspace != NULL ? k->workspace(&plan) : 0;
    ok_or_die(mb_cuda_alloc(device, &j->workspace, bytes, "a workspace", &err), &err);
    j->call.workspace = bytes > 0 ? j->workspace : NULL;
    return true;
}

static void end_job(job *j)
{
    if (j->prepared.free != NULL) {
        j->prepared.free(j->prepared.data);
    }
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        free_block(&j->in[i]);
    }
    free_block(&j->out);
    mb_cuda_free(device, j->workspace);
}

static bool run_once(float *dense, const mb_kernel *k, mb_op op, const op_case *oc, const data *d, mb_dtype t, layout l)
{
    job j;
    mb_error err = {0};
    bool ok = begin_job(&j, k, op, oc, d, t, l);
    if (ok) {
        size_t before = mb_alloc_count();
        mb_status s = k->run(&j.call, &err);
        ok = CHECK_MSG(s == MB_OK, "'%s' %s %s %s: %s", oc->name, k->name, mb_dtype_name(t), layout_names[l],
                       err.message) &&
             CHECK_MSG(mb_alloc_count() == before, "'%s' %s: run allocates", oc->name, k->name);
        device->broken = (mb_error){0}; /* the next run is a new story */
    }
    if (ok) {
        block *out = j.taken >= 0 ? &j.in[j.taken] : &j.out;
        ok = CHECK_MSG(read_block(dense, out), "'%s' %s %s %s: written outside of the output", oc->name, k->name,
                       mb_dtype_name(t), layout_names[l]);
    }
    end_job(&j);
    return ok;
}

/* Of the largest magnitude. */
static double allowed(mb_op op, const op_case *oc, mb_dtype t)
{
    double factor = oc->looser16 > 0 ? (double)oc->looser16 : 1;
    double limit = t == MB_F16 ? 1e-3 * factor : (t == MB_BF16 ? 8e-3 * factor : 0);
    if (t == MB_F32) { /* own sums are f32 in another order than the reference's doubles */
        limit = (double)mb_op_get_rule(op)->tolerance;
    }
    return limit * (oc->looser > 0 ? (double)oc->looser : 1);
}

static void check_layout(const mb_kernel *k, mb_op op, const op_case *oc, data *d, mb_dtype t, layout l, int orders)
{
    for (int o = 0; o < orders; o++) {
        mb_emu_set(o < 2 ? o : 2, (unsigned)o);
        float *now = o == 0 ? d->first : d->now;
        if (!run_once(now, k, op, oc, d, t, l)) {
            return;
        }
        if (o == 0) {
            double far = op_distance(now, d->expected, d->n_out), limit = allowed(op, oc, t);
            CHECK_MSG(far <= limit, "'%s' %s %s %s: %.2g from ref, %.2g is allowed", oc->name, k->name,
                      mb_dtype_name(t), layout_names[l], far, limit);
        } else {
            CHECK_MSG(memcmp(d->first, now, d->n_out * sizeof(float)) == 0,
                      "'%s' %s %s %s: another order of threads gives other bits", oc->name, k->name, mb_dtype_name(t),
                      layout_names[l]);
        }
    }
}

static bool can_be_in_place(const mb_kernel *k, mb_op op, const data *d)
{
    int i = k->in_place_input - 1;
    return i >= 0 && d->in[i] != NULL && !(op_constants(op) >> i & 1) &&
           memcmp(d->dims[i], d->out_dims, sizeof d->out_dims) == 0;
}

/* Sets the types of a call's maps, as a plan has them, without data. */
static mb_call typed_call(mb_op op, const op_case *oc, const data *d, mb_dtype t)
{
    mb_call c = host_call(op, oc, d);
    c.out = mb_view_of(NULL, d->out_dims[0], d->out_dims[1], d->out_dims[2], d->out_dims[3]);
    c.out.dtype = t;
    for (int i = 0; i < d->n_in; i++) {
        if (!(op_constants(op) >> i & 1)) {
            c.in[i].dtype = type_of(op, i, t);
            c.in[i].data = NULL;
        }
    }
    return c;
}

static void check_case(const mb_backend *b, mb_op op, const op_case *oc, mb_dtype t, bool quick)
{
    data d;
    if (make_data(&d, op, oc, t)) {
        mb_call c = typed_call(op, oc, &d, t);
        int ran = 0;
        for (int i = 0; i < MB_KERNEL_CHOICES; i++) {
            const mb_kernel *k = b->kernels[op][i];
            if (k == NULL || (k->supports != NULL && !k->supports(&c))) {
                continue;
            }
            ran++;
            check_layout(k, op, oc, &d, t, DENSE, quick && t == MB_BF16 ? 2 : 5); /* bf16 is f16's template */
            check_layout(k, op, oc, &d, t, RAGGED, quick ? 1 : 2);
            check_layout(k, op, oc, &d, t, ALIGNED, quick ? 1 : 2);
            if (can_be_in_place(k, op, &d)) {
                check_layout(k, op, oc, &d, t, IN_PLACE, 1);
            }
        }
        CHECK_MSG(ran > 0, "'%s' %s: no kernel runs it", oc->name, mb_dtype_name(t));
    }
    free_data(&d);
}

/* ---- the sub-tests: one for each case ---- */

static mb_op tested;
static mb_backend backend;

static void open_device(void)
{
    mb_error err;
#if !defined(MB_ON_DEVICE)
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
#endif
    setenv("MATTEBOX_CACHE", "", 0); /* no trace at home */
    REQUIRE_OK(mb_backend_cuda(&backend, &err), err);
    REQUIRE_OK(mb_cuda_open(&device, 0, &err), err);
    mb_cuda_weights_image_bytes(device, 0);
}

static void close_device(void)
{
    mb_cuda_close(device);
}

static void check_row(const void *row)
{
    const bool quick = !test_long();
    check_case(&backend, tested, row, MB_F32, quick);
    check_case(&backend, tested, row, MB_F16, quick);
    check_case(&backend, tested, row, MB_BF16, quick);
}

int op_harness_main(int argc, char **argv, mb_op op, const op_case *cases, int n_cases)
{
    tested = op;
    test_setup(open_device);
    test_teardown(close_device);
    for (int i = 0; i < n_cases; i++) {
        if (!cases[i].bench && (!cases[i].long_to_emulate || test_long())) {
            test_add_row("", cases[i].name, i, check_row, &cases[i]);
        }
    }
    return test_main(argc, argv);
}
