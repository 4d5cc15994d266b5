/* The image processor's arithmetic is exact (f32, fused rescaling), on the host and on a device alike. */
#include "pipeline/vitmatte_net.h"

#include <string.h>

/* 256 values decide the arithmetic for host and device: the same bits on both. */
void mb_vitmatte_table(float table[4][256], const float mean[3], const float std[3])
{
    const float one = (float)(1 / 255.0);
    for (int i = 0; i < 256; i++) {
        for (int c = 0; c < 3; c++) { /* mean and std on the scale of the bytes, as the processor fuses them */
            table[c][i] = ((float)i - mean[c] * 255.0f) / (std[c] * 255.0f);
        }
        table[3][i] = (float)i * one;
    }
}

/* On the host. Pixels beyond the photo are zero: after the normalisation, as the processor pads. */
void mb_vitmatte_process(float *v, int64_t h, int64_t w, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                         const float mean[3], const float std[3])
{
    float table[4][256];
    mb_vitmatte_table(table, mean, std);
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

/* The bytes of photo and trimap go over as they are; the device pads and converts them. */
static mb_status upload(mb_net_pass *pass, const mb_image_u8 *photo, const mb_image_u8 *trimap,
                        const mb_normalization *colours, mb_error *err)
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
    mb_vitmatte_table(table, colours->mean, colours->std);
    return mb_net_upload(pass, &in, NULL, err);
}

/* The part of the output [h,w] that the photo covers. */
static void crop(mb_image_f32 *alpha, const mb_view *out)
{
    for (int64_t y = 0; y < alpha->height; y++) {
        const float *row = (const float *)out->data + y * out->dims[3] * out->pitch;
        for (int64_t x = 0; x < alpha->width; x++) {
            alpha->v[y * alpha->width + x] = row[x * out->pitch];
        }
    }
}

/* The network sees the photo padded to the model's step, right and bottom; alpha is cropped back. */
mb_status mb_vitmatte_net_run(const mb_task *task, mb_image_f32 *alpha, char *warning, mb_network *network,
                              const mb_normalization *normalization, const mb_image_u8 *photo,
                              const mb_image_u8 *trimap, mb_error *err)
{
    mb_status status = MB_OK;
    mb_net_pass pass = {0};
    *alpha = (mb_image_f32){0};
    if (photo->channels != 3 || trimap->channels != 1 || photo->width != trimap->width ||
        photo->height != trimap->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the trimap is %d x %d with %d channels, the photo %d x %d with %d",
                       trimap->width, trimap->height, trimap->channels, photo->width, photo->height, photo->channels);
    }
    int h = mb_network_padded(network->model, photo->height), w = mb_network_padded(network->model, photo->width);
    MB_TRY(mb_net_begin(task, &pass, network, h, w, err));
    mb_view input = mb_network_input_view(network), out = mb_network_output_view(network);
    if (!mb_view_present(&input) || !mb_view_present(&out)) {
        status = mb_fail(err, MB_E_INTERNAL, "the matting network has no input or no output");
        goto done;
    }
    if (mb_net_uploads(network)) {
        MB_TRY(upload(&pass, photo, trimap, normalization, err));
    }
    if (pass.slot == 0) {
        mb_vitmatte_process(input.data, h, w, photo, trimap, normalization->mean, normalization->std);
    }
    MB_TRY(mb_net_run(task, &pass, err));
    if (!mb_plan_is_finite(pass.plan)) {
        mb_vitmatte_process(input.data, h, w, photo, trimap, normalization->mean, normalization->std);
        MB_TRY(mb_net_explain(&pass, err));
    }
    memcpy(warning, pass.warning, sizeof pass.warning);
    MB_TRY(mb_image_f32_create(alpha, photo->width, photo->height, err));
    crop(alpha, &out);
done:
    mb_net_release(&pass);
    return status;
}
