/* The network's own part (create, sizes, plan, run), then the road of pictures through it (see the header). */
#include "pipeline/net.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

/* ---- the network */

/* No plan yet: the first run makes it. */
mb_status mb_network_create_on(mb_network **out, mb_context *context, const mb_backend *backend, const mb_model *model,
                               mb_pool *pool, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    mb_network *n = mb_calloc(1, sizeof *n);
    if (n == NULL) {
        return mb_fail_memory(err, sizeof *n, "the network");
    }
    n->model = model;
    n->pool = pool;
    n->backend = backend;
    mb_runner_options options = {n->pool, backend, mb_network_limit(context, backend), NULL};
    MB_TRY(mb_runner_create(&n->runner, model->weights, model->architecture->record, &options, err));
    *out = n;
    n = NULL;
done:
    mb_network_free(n);
    return status;
}

/* Slots first: closing one waits for work of its picture that is still queued. */
void mb_network_free(mb_network *network)
{
    if (network != NULL) {
        for (int i = 0; i < MB_UPLOAD_SLOTS; i++) {
            if (network->upload_slots[i] != NULL) {
                network->backend->image_io->close(network->upload_slots[i]);
            }
        }
        mb_runner_free(network->runner);
        mb_pool_free(network->own_pool);
        mb_free(network);
    }
}

/* More than any photo; beyond it sizes of maps could overflow. */
#define MOST_PIXELS 65536

/* The multiple of `step` next to a side, within the limit. */
static int64_t nearest(int64_t side, int64_t step)
{
    const int64_t most = MOST_PIXELS / step * step;
    return side < step ? step : side > most ? most : (side + step / 2) / step * step;
}

mb_status mb_network_check_size(const mb_model *model, int64_t height, int64_t width, mb_error *err)
{
    int64_t step = model->info.size_multiple;
    if (height < step || width < step || height % step != 0 || width % step != 0 || height > MOST_PIXELS ||
        width > MOST_PIXELS) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "network input %lld x %lld: both sides must be multiples of %lld, up to %d\nthe nearest is "
                       "%lldx%lld",
                       (long long)width, (long long)height, (long long)step, MOST_PIXELS,
                       (long long)nearest(width, step), (long long)nearest(height, step));
    }
    return MB_OK;
}

/* Right and bottom: the caller pads and crops. */
int mb_network_padded(const mb_model *model, int size)
{
    int step = model->info.size_multiple;
    return (int)(((int64_t)size + step - 1) / step * step);
}

mb_status mb_network_stats(mb_plan_stats *out, mb_network *network, int64_t n, int64_t height, int64_t width,
                           mb_error *err)
{
    return mb_runner_stats(out, network->runner, n, height, width, err);
}

mb_status mb_network_prepare(const mb_task *task, mb_network *network, int64_t n, int64_t height, int64_t width,
                             const char *const *taps, int n_taps, mb_error *err)
{
    network->plan = NULL;
    mb_status status = mb_network_check_size(network->model, height, width, err);
    if (status != MB_OK) {
        return status;
    }
    mb_runner_set_task(network->runner, task);
    status = mb_runner_plan(&network->plan, network->runner, n, height, width, taps, n_taps, err);
    mb_runner_set_task(network->runner, NULL);
    return mb_task_result(task, status, err);
}

mb_view mb_network_input_view(const mb_network *network)
{
    return mb_plan_view(network->plan, network->model->architecture->input);
}

mb_view mb_network_output_view(const mb_network *network)
{
    return mb_plan_view(network->plan, network->model->architecture->output);
}

/* The pool asks the same question between its chunks that the plan asks between its nodes: a long kernel stops too. */
mb_status mb_network_run_plan(const mb_task *task, mb_network *network, const mb_plan_io *io, mb_error *err)
{
    mb_task stage = *task;
    mb_pool_set_task(network->pool, &stage); /* kernels know the pool alone */
    mb_status status =
        mb_runner_run_io(network->runner, network->plan, io, stage.user != NULL ? mb_progress_node : NULL, &stage, err);
    mb_pool_set_task(network->pool, NULL);
    return mb_task_result(task, status, err);
}

const char *mb_network_warning(const mb_network *network)
{
    return mb_runner_warning(network->runner);
}

/* ---- pictures */

bool mb_net_uploads(const mb_network *network)
{
    return network->backend->memory != NULL && mb_image_io_wanted(network->backend->image_io);
}

mb_status mb_net_begin(const mb_task *task, mb_net_pass *pass, mb_network *network, int height, int width,
                       mb_error *err)
{
    *pass = (mb_net_pass){.network = network};
    mb_status status = mb_network_prepare(task, network, 1, height, width, NULL, 0, err);
    pass->plan = network->plan;
    return status;
}

/* The slot that the pass holds. */
static void *slot_of(const mb_net_pass *pass)
{
    return pass->network->upload_slots[pass->slot - 1];
}

/* A slot that is not in flight, opened if it was not yet. MB_OK with pass->slot 0: all are in flight. */
static mb_status acquire_slot(mb_net_pass *pass, mb_error *err)
{
    mb_network *n = pass->network;
    mb_status status = MB_OK;
    int i = 0;
    while (i < MB_UPLOAD_SLOTS && n->slot_in_flight[i]) {
        i++;
    }
    if (i == MB_UPLOAD_SLOTS) {
        return MB_OK;
    }
    if (n->upload_slots[i] == NULL) {
        status = n->backend->image_io->open(n->backend->device, &n->upload_slots[i], err);
    }
    n->slot_in_flight[i] = status == MB_OK;
    pass->slot = status == MB_OK ? 1 + i : 0;
    return status;
}

void mb_net_release(mb_net_pass *pass)
{
    if (pass->slot > 0) {
        pass->network->slot_in_flight[pass->slot - 1] = false;
        pass->slot = 0;
    }
}

/* With the device entered: a slot, and the picture into it. */
static mb_status upload(mb_net_pass *pass, const mb_image_input *in, const mb_mask_output *out, mb_error *err)
{
    mb_status status = acquire_slot(pass, err);
    if (status == MB_OK && pass->slot > 0) {
        status = pass->network->backend->image_io->upload(slot_of(pass), in, out, err);
    }
    return status;
}

/* The device takes the picture, or the host will. Only an error that the host cannot help is one: a device that broke,
 * not one that is short of memory. */
mb_status mb_net_upload(mb_net_pass *pass, const mb_image_input *in, const mb_mask_output *out, mb_error *err)
{
    const mb_backend *b = pass->network->backend;
    mb_error why = {0};
    if (!mb_net_uploads(pass->network)) {
        return MB_OK;
    }
    mb_status status = b->memory->enter(b->device, &why);
    if (status == MB_OK) {
        status = upload(pass, in, out, &why);
        b->memory->leave(b->device);
    }
    pass->masks = out != NULL;
    if (status == MB_OK) {
        return MB_OK;
    }
    mb_net_release(pass);
    bool host = status == MB_E_MEMORY || status == MB_E_UNSUPPORTED; /* the host prepares this picture */
    return host ? MB_OK : mb_fail(err, status, "%s", why.message);
}

/* The plan calls it with the device entered; input: where the network reads. */
static mb_status write_input(void *user, const mb_view *input, mb_error *err)
{
    const mb_net_pass *pass = user;
    return pass->network->backend->image_io->write_input(slot_of(pass), input, err);
}

/* Queues the way from logits to mask in the slot; nothing is waited for. */
static mb_status read_output(void *user, const mb_view *output, mb_error *err)
{
    const mb_net_pass *pass = user;
    return pass->network->backend->image_io->read_output(slot_of(pass), output, err);
}

/* The slot in place of the host's copies. Without a mask the output comes back to the host as always. */
static mb_plan_io io_of(mb_net_pass *pass)
{
    const mb_architecture *a = pass->network->model->architecture;
    return (mb_plan_io){a->input, a->output, write_input, pass->masks ? read_output : NULL, pass};
}

/* At once: the next run of the network, of whichever picture, replaces it. */
static void copy_warning(mb_net_pass *pass)
{
    (void)snprintf(pass->warning, sizeof pass->warning, "%s", mb_network_warning(pass->network));
}

/* network->plan becomes this pass's: another picture of the network may have run in between. */
mb_status mb_net_run(const mb_task *task, mb_net_pass *pass, mb_error *err)
{
    mb_plan_io io = io_of(pass);
    pass->network->plan = pass->plan;
    mb_status status = mb_network_run_plan(task, pass->network, pass->slot > 0 ? &io : NULL, err);
    copy_warning(pass);
    return status;
}

/* Waits for the mask. Not with the device entered: pictures of other threads go on meanwhile. The second run happens
 * from the same uploaded picture, so the photo may be gone by now. */
mb_status mb_net_download(uint8_t *mask, mb_net_pass *pass, mb_error *err)
{
    mb_status status = MB_OK;
    mb_runner *runner = pass->network->runner;
    const mb_device_image_io *image_io = pass->network->backend->image_io;
    bool finite = true;
    MB_TRY(image_io->download(slot_of(pass), mask, &finite, err));
    if (!finite && mb_runner_is_16bit(runner)) {
        mb_plan_io io = io_of(pass);
        MB_TRY(mb_runner_again(runner, pass->plan, &io, err));
        MB_TRY(image_io->download(slot_of(pass), mask, &finite, err));
        copy_warning(pass);
    }
    if (!finite) {
        status = mb_net_explain(pass, err);
    }
done:
    return status;
}

mb_status mb_net_explain(mb_net_pass *pass, mb_error *err)
{
    mb_plan_io io = io_of(pass);
    return mb_plan_explain(pass->plan, pass->slot > 0 ? &io : NULL, err);
}
