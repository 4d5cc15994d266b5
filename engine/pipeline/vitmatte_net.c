/* Photo and trimap to alpha through the network: the image processor's arithmetic is exact (f32, fused rescaling). */
#include "pipeline/vitmatte_net.h"

#include "core/alloc.h"
#include "models/meta.h"
#include "models/registry.h"

#include <string.h>

#define STEP 32

struct mb_vitmatte_net {
    mb_runner *runner;
    const mb_backend *backend;   /* borrowed */
    void *way;                   /* a slot of the back end's pictures, made when needed */
    float mean[3], deviation[3]; /* on the scale 0..1 */
};

mb_status mb_vitmatte_net_create(mb_vitmatte_net **out, const mb_weights *weights, const mb_runner_options *options,
                                 mb_error *err)
{
    mb_status status = MB_OK;
    const mb_architecture *arch;
    *out = NULL;
    mb_vitmatte_net *net = mb_calloc(1, sizeof *net);
    if (net == NULL) {
        return mb_fail_memory(err, sizeof *net, "the matting network");
    }
    MB_TRY(mb_registry_find(&arch, weights, err));
    if (arch->family != MB_FAMILY_VITMATTE) {
        status = mb_fail(err, MB_E_MISMATCH, "the matting model is a %s, not a vitmatte", arch->name);
        goto done;
    }
    if (!mb_meta_floats(net->mean, 3, weights, "input.mean") ||
        !mb_meta_floats(net->deviation, 3, weights, "input.std") ||
        !(net->deviation[0] > 0 && net->deviation[1] > 0 && net->deviation[2] > 0)) {
        status = mb_fail(err, MB_E_FORMAT, "the matting model's input.mean or input.std is missing or out of range");
        goto done;
    }
    net->backend = options->backend;
    MB_TRY(mb_runner_create(&net->runner, weights, arch->record, options, err));
    *out = net;
    net = NULL;
done:
    mb_vitmatte_net_free(net);
    return status;
}

void mb_vitmatte_net_free(mb_vitmatte_net *net)
{
    if (net != NULL) {
        if (net->way != NULL) {
            net->backend->image_io->close(net->way);
        }
        mb_runner_free(net->runner);
        mb_free(net);
    }
}

void mb_vitmatte_table(float table[4][256], const float mean[3], const float deviation[3])
{
    const float one = (float)(1 / 255.0);
    for (int i = 0; i < 256; i++) {
        for (int c = 0; c < 3; c++) { /* mean and deviation on the scale of the bytes, as the processor fuses them */
            table[c][i] = ((float)i - mean[c] * 255.0f) / (deviation[c] * 255.0f);
        }
        table[3][i] = (float)i * one;
    }
}

void mb_vitmatte_process(float *v, int64_t h, int64_t w, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                         const float mean[3], const float deviation[3])
{
    float table[4][256];
    mb_vitmatte_table(table, mean, deviation);
    memset(v, 0, (size_t)h * (size_t)w * 4 * sizeof *v);
    for (int64_t y = 0; y < photo->height; y++) {
        const uint8_t *rgb = photo->v + (size_t)y * (size_t)photo->width * 3;
        const uint8_t *t = trimap->v + (size_t)y * (size_t)trimap->width;
        float *row = v + y * w * 4;
        for (int64_t x = 0; x < photo->width; x++) {
            for (int c = 0; c < 3; c++) {
                row[x * 4 + c] = table[c][rgb[x * 3 + c]];
            }
            row[x * 4 + 3] = table[3][t[x]];
        }
    }
}

static int64_t padded(int size)
{
    return ((int64_t)size + STEP - 1) / STEP * STEP;
}

/* ---- the processor on a device: bytes go over, and become the input there */

static mb_status feed(void *user, const mb_view *input, mb_error *err)
{
    const mb_vitmatte_net *net = user;
    return net->backend->image_io->write_input(net->way, input, err);
}

static mb_status send_inside(mb_vitmatte_net *net, const mb_image_u8 *photo, const mb_image_u8 *trimap, mb_error *err)
{
    float table[4][256];
    mb_resample same = {.x = {.in = photo->width, .out = photo->width},
                        .y = {.in = photo->height, .out = photo->height}};
    mb_image_input in = {.rgb = photo->v,
                         .fourth = trimap->v,
                         .width = photo->width,
                         .height = photo->height,
                         .resize = &same,
                         .table = table[0]};
    mb_vitmatte_table(table, net->mean, net->deviation);
    mb_status status = MB_OK;
    if (net->way == NULL) {
        status = net->backend->image_io->open(net->backend->device, &net->way, err);
    }
    return status == MB_OK ? net->backend->image_io->upload(net->way, &in, NULL, err) : status;
}

/* sent: false where the host is to prepare the input: on the CPU, or with no room for the picture on the device. */
static mb_status send(bool *sent, mb_vitmatte_net *net, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                      mb_error *err)
{
    const mb_backend *b = net->backend;
    mb_error why = {0};
    *sent = false;
    if (b->memory == NULL || !mb_image_io_wanted(b->image_io)) {
        return MB_OK;
    }
    mb_status status = b->memory->enter(b->device, &why);
    if (status == MB_OK) {
        status = send_inside(net, photo, trimap, &why);
        b->memory->leave(b->device);
    }
    *sent = status == MB_OK;
    bool host = status == MB_E_MEMORY || status == MB_E_UNSUPPORTED;
    return *sent || host ? MB_OK : mb_fail(err, status, "%s", why.message);
}

mb_status mb_vitmatte_net_run(mb_image_f32 *alpha, mb_vitmatte_net *net, const mb_image_u8 *photo,
                              const mb_image_u8 *trimap, mb_progress_fn on_progress, void *user, mb_error *err)
{
    mb_status status = MB_OK;
    mb_plan *plan = NULL;
    *alpha = (mb_image_f32){0};
    if (photo->channels != 3 || trimap->channels != 1 || photo->width != trimap->width ||
        photo->height != trimap->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the trimap is %d x %d with %d channels, the photo %d x %d with %d",
                       trimap->width, trimap->height, trimap->channels, photo->width, photo->height, photo->channels);
    }
    int64_t h = padded(photo->height), w = padded(photo->width);
    MB_TRY(mb_runner_plan(&plan, net->runner, 1, h, w, NULL, 0, err));
    mb_view input = mb_plan_view(plan, "input"), out = mb_plan_view(plan, "alphas");
    if (!mb_view_present(&input) || !mb_view_present(&out)) {
        status = mb_fail(err, MB_E_INTERNAL, "the matting network has no input or no output");
        goto done;
    }
    bool sent = false;
    mb_plan_io io = {.input = "input", .fill = feed, .user = net};
    MB_TRY(send(&sent, net, photo, trimap, err));
    if (!sent) {
        mb_vitmatte_process(input.data, h, w, photo, trimap, net->mean, net->deviation);
    }
    MB_TRY(mb_runner_run_io(net->runner, plan, sent ? &io : NULL, on_progress, user, err));
    if (!mb_plan_is_finite(plan)) {
        mb_vitmatte_process(input.data, h, w, photo, trimap, net->mean, net->deviation);
        MB_TRY(mb_plan_explain(plan, sent ? &io : NULL, err));
    }
    MB_TRY(mb_image_f32_create(alpha, photo->width, photo->height, err));
    for (int64_t y = 0; y < photo->height; y++) {
        const float *row = (const float *)out.data + y * w * out.pitch;
        for (int64_t x = 0; x < photo->width; x++) {
            alpha->v[y * photo->width + x] = row[x * out.pitch];
        }
    }
done:
    return status;
}

mb_status mb_vitmatte_net_stats(mb_plan_stats *out, mb_vitmatte_net *net, int width, int height, mb_error *err)
{
    return mb_runner_stats(out, net->runner, 1, padded(height), padded(width), err);
}

const char *mb_vitmatte_net_warning(const mb_vitmatte_net *net)
{
    return mb_runner_warning(net->runner);
}
