/* The public face of a bare network: tensors in, tensors and a profile out. Pipelines run the same object on pictures
 * (net.c). */
#include "pipeline/net.h"

#include "core/sized.h"

#include <math.h>
#include <string.h>

/* A bare network has a pool of its own, so that several run side by side. */
mb_status mb_network_create(mb_network **out, mb_context *context, const mb_model *model, mb_error *err)
{
    mb_pool *pool = NULL;
    *out = NULL;
    mb_status status = mb_pool_create(&pool, context->threads, err);
    if (status == MB_OK) {
        status = mb_network_create_on(out, context, &context->backend, model, pool, err);
    }
    if (status != MB_OK) {
        mb_pool_free(pool);
        return status;
    }
    (*out)->own_pool = pool;
    return MB_OK;
}

/* Called between nodes, and within long ones when it is due. */
void mb_network_set_progress(mb_network *network, mb_progress_callback callback, void *user)
{
    network->on_progress = callback;
    network->user = user;
}

/* Sizes are checked as for a run; nothing is allocated for it. */
mb_status mb_network_plan(mb_plan_info *out, mb_network *network, int64_t n, int64_t height, int64_t width,
                          mb_error *err)
{
    mb_status status = MB_OK;
    mb_plan_info info = {.size = sizeof info};
    MB_TRY(mb_check_sized(out, "mb_plan_info", err));
    MB_TRY(mb_network_check_size(network->model, height, width, err));
    if (n < 1 || n > 4096) {
        status = mb_fail(err, MB_E_ARGUMENT, "batch %lld: 1 to 4096", (long long)n);
        goto done;
    }
    mb_plan_stats f;
    MB_TRY(mb_network_stats(&f, network, n, height, width, err));
    info.input_width = (int)width;
    info.input_height = (int)height;
    info.n_nodes = f.n_nodes;
    info.macs = f.macs;
    info.weight_bytes = f.weight_bytes;
    info.arena_bytes = f.arena_bytes;
    info.lower_bound = f.lower_bound;
    info.total_bytes = f.weight_bytes + f.arena_bytes;
    mb_return_sized(out, &info, sizeof info);
done:
    return status;
}

/* [N,C,H,W] row-major into the input, channels last. */
static void pack_input(const mb_view *v, const float *src)
{
    int64_t c_count = v->dims[1], pixels = v->dims[2] * v->dims[3];
    float *dst = v->data;
    for (int64_t n = 0; n < v->dims[0]; n++) {
        for (int64_t c = 0; c < c_count; c++) {
            for (int64_t i = 0; i < pixels; i++) {
                dst[(n * pixels + i) * v->pitch + c] = *src++;
            }
        }
    }
}

static bool is_finite(const mb_array *a)
{
    const int64_t n = a->dims[0] * a->dims[1] * a->dims[2] * a->dims[3];
    int64_t i = 0;
    while (i < n && isfinite(a->data[i])) {
        i++;
    }
    return i == n;
}

/* One input tensor, run to the end. Outputs and taps stay readable until the next run. */
mb_status mb_network_run(mb_network *network, const mb_array *input, const char *const *taps, int n_taps, mb_error *err)
{
    const int64_t *d = input->dims;
    int64_t channels = network->model->info.input_channels;
    if (d[0] < 1 || d[0] > 4096 || d[1] != channels || input->data == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "input [%lld,%lld,%lld,%lld]: the model expects [N,%lld,H,W]",
                       (long long)d[0], (long long)d[1], (long long)d[2], (long long)d[3], (long long)channels);
    }
    mb_progress_relay relay;
    mb_task whole = mb_progress_begin(&relay, network->on_progress, network->user, network->pool);
    mb_task task = mb_progress_stage(&whole, "network", 0.0, 1.0);
    mb_status status = mb_network_prepare(&task, network, d[0], d[2], d[3], taps, n_taps, err);
    if (status != MB_OK) {
        return status;
    }
    mb_view in = mb_network_input_view(network);
    pack_input(&in, input->data);
    status = mb_network_run_plan(&task, network, NULL, err);
    if (status != MB_OK || n_taps > 0 || mb_plan_is_finite(network->plan) || !is_finite(input)) {
        return status; /* with taps the caller looks at values himself, and NaN in gives NaN out */
    }
    pack_input(&in, input->data);
    return mb_plan_explain(network->plan, NULL, err);
}

/* Outputs of the network and the taps that were asked for. */
int mb_network_n_outputs(const mb_network *network)
{
    return network->plan != NULL ? mb_plan_n_taps(network->plan) : 0;
}

const char *mb_network_output_name(const mb_network *network, int i)
{
    return i >= 0 && i < mb_network_n_outputs(network) ? mb_plan_tap_name(network->plan, i) : NULL;
}

/* An output or tap of the last run by its name. */
static mb_status find_view(mb_view *v, const mb_network *network, const char *name, mb_error *err)
{
    *v = (mb_view){0};
    if (network->plan != NULL) {
        *v = mb_plan_view(network->plan, name);
    }
    if (!mb_view_present(v)) {
        return mb_fail(err, MB_E_ARGUMENT, "the last run kept no output '%.100s'", name);
    }
    return MB_OK;
}

/* [N,C,H,W]; all 0 for a name that the last run did not keep. */
mb_status mb_network_output_dims(int64_t dims[4], const mb_network *network, const char *name, mb_error *err)
{
    mb_view v;
    mb_status status = find_view(&v, network, name, err);
    memcpy(dims, v.dims, sizeof v.dims);
    return status;
}

/* Channels last back into [N,C,H,W] row-major. */
mb_status mb_network_read(float *dst, size_t count, const mb_network *network, const char *name, mb_error *err)
{
    mb_view v;
    mb_status status = find_view(&v, network, name, err);
    if (status != MB_OK) {
        return status;
    }
    if (count != (size_t)mb_view_count(&v)) {
        return mb_fail(err, MB_E_ARGUMENT, "output '%.100s' has %lld values, not %zu", name,
                       (long long)mb_view_count(&v), count);
    }
    int64_t pixels = v.dims[2] * v.dims[3];
    const float *src = v.data;
    for (int64_t n = 0; n < v.dims[0]; n++) {
        for (int64_t c = 0; c < v.dims[1]; c++) {
            for (int64_t i = 0; i < pixels; i++) {
                *dst++ = src[(n * pixels + i) * v.pitch + c];
            }
        }
    }
    return MB_OK;
}

/* Of the last plan, after all passes. */
int mb_network_n_nodes(const mb_network *network)
{
    return network->plan != NULL ? mb_plan_n_nodes(network->plan) : 0;
}

/* Times are those of the last run; names live as long as its plan. */
int mb_network_node(mb_node_row *out, const mb_network *network, int i)
{
    if (i < 0 || i >= mb_network_n_nodes(network)) {
        return 0;
    }
    mb_node_profile p = mb_plan_profile(network->plan, i);
    *out = (mb_node_row){p.name, p.op, p.kernel, p.ms, p.macs, p.bytes, {0}};
    memcpy(out->dims, p.out_dims, sizeof out->dims);
    return 1;
}
