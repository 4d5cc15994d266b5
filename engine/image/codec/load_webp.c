/* WebP through libwebp. Of an animation the first frame is decoded and placed on a black canvas. */
#include "image/codec/codec.h"

#if MB_HAVE_WEBP

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#define STEP ((size_t)64 << 10)

/* The library decodes what there is of a file; so it gets the file piece by piece, and stops where it is told to. */
static VP8StatusCode decode_in_steps(mb_decode_job *job, const WebPData *data, WebPDecoderConfig *config)
{
    WebPIDecoder *decoder = WebPIDecode(NULL, 0, config);
    VP8StatusCode code = decoder != NULL ? VP8_STATUS_SUSPENDED : VP8_STATUS_OUT_OF_MEMORY;
    for (size_t at = 0; code == VP8_STATUS_SUSPENDED && at < data->size;) {
        at = data->size - at < STEP ? data->size : at + STEP;
        code = mb_should_stop(job->task) ? VP8_STATUS_USER_ABORT : WebPIUpdate(decoder, data->bytes, at);
    }
    WebPIDelete(decoder);
    return code;
}

/* RGBA rows to the picture's colours and alpha, from pixel `at` on. */
static void split(const mb_decode_job *job, const uint8_t *rgba, size_t at, int width, int height)
{
    for (size_t y = 0; y < (size_t)height; y++) {
        const size_t row = at + y * (size_t)job->out->width;
        for (size_t x = 0; x < (size_t)width; x++, rgba += 4) {
            memcpy(job->out->v + 3 * (row + x), rgba, 3);
            job->info->alpha_plane.v[row + x] = rgba[3];
        }
    }
}

/* Decodes a still picture of width x height into the result, from pixel `at` on. */
static mb_status decode_still(mb_decode_job *job, const WebPData *data, size_t at, int width, int height)
{
    WebPDecoderConfig config;
    const size_t pixels = (size_t)width * (size_t)height;
    uint8_t *rgba = NULL;
    if (job->info->alpha_plane.v != NULL) {
        rgba = mb_budget_alloc(job->budget, 4 * pixels); /* 4 of the 8 bytes a pixel that a decoder may take */
        if (rgba == NULL) {
            return mb_fail_memory(job->err, 4 * pixels, "a WebP picture with alpha");
        }
        memset(rgba, 0, 4 * pixels);
    }
    if (!WebPInitDecoderConfig(&config)) {
        return mb_fail(job->err, MB_E_UNSUPPORTED,
                       "WebP: the installed library does not match the header of this build");
    }
    VP8StatusCode code = WebPGetFeatures(data->bytes, data->size, &config.input);
    if (code == VP8_STATUS_OK && (config.input.width != width || config.input.height != height)) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged WebP: two headers give different sizes");
    }
    const size_t row = (size_t)job->out->width * 3;
    config.output.colorspace = rgba != NULL ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgba != NULL ? rgba : job->out->v + 3 * at;
    config.output.u.RGBA.stride = rgba != NULL ? 4 * width : (int)row;
    config.output.u.RGBA.size = rgba != NULL ? 4 * pixels : row * (size_t)(height - 1) + (size_t)width * 3;
    if (code == VP8_STATUS_OK) {
        code = decode_in_steps(job, data, &config);
    }
    WebPFreeDecBuffer(&config.output);
    if (rgba != NULL) {
        split(job, rgba, at, width, height);
        mb_budget_free(job->budget, rgba);
    }
    switch (code) {
    case VP8_STATUS_OK:
        return MB_OK;
    case VP8_STATUS_USER_ABORT:
        return mb_fail(job->err, MB_E_CANCELLED, "cancelled");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        job->ended_early = true; /* the rows that are there stay */
        return MB_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return mb_fail(job->err, MB_E_MEMORY, "WebP: not enough memory to decode it");
    default:
        return mb_fail(job->err, MB_E_FORMAT,
                       "damaged WebP: the picture data cannot be decoded\n"
                       "copy or download it again");
    }
}

/* An animation: its first frame, at its place in the black canvas. */
static mb_status first_frame(mb_decode_job *job, const WebPData *data)
{
    WebPDemuxer *demuxer = WebPDemux(data);
    WebPIterator frame;
    mb_status status;
    memset(&frame, 0, sizeof frame);
    if (demuxer == NULL || WebPDemuxGetFrame(demuxer, 1, &frame) == 0) {
        MB_TRY(mb_fail(job->err, MB_E_FORMAT, "damaged WebP: no frame can be found\ncopy or download it again"));
    }
    if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width < 1 || frame.height < 1 ||
        frame.width > job->out->width - frame.x_offset || frame.height > job->out->height - frame.y_offset) {
        MB_TRY(mb_fail(job->err, MB_E_FORMAT, "damaged WebP: its first frame does not fit the picture"));
    }
    size_t at = (size_t)frame.y_offset * (size_t)job->out->width + (size_t)frame.x_offset;
    MB_TRY(decode_still(job, &frame.fragment, at, frame.width, frame.height));
done:
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return status;
}

/* Still pictures decode into the result in place. */
mb_status mb_decode_webp(mb_decode_job *job)
{
    const WebPData data = {job->bytes, job->n};
    mb_status status = mb_decode_begin(job);
    if (status == MB_OK && job->head.alpha) {
        status = mb_decode_begin_alpha(job);
    }
    if (status != MB_OK) {
        return status;
    }
    if (job->head.animated && job->info->alpha_plane.v != NULL) { /* nothing around the first frame */
        memset(job->info->alpha_plane.v, 0, (size_t)job->out->width * (size_t)job->out->height);
    }
    return job->head.animated ? first_frame(job, &data)
                              : decode_still(job, &data, 0, job->out->width, job->out->height);
}

void mb_webp_version(char *text, size_t n)
{
    int v = WebPGetDecoderVersion();
    (void)snprintf(text, n, "libwebp %d.%d.%d", v >> 16, v >> 8 & 255, v & 255);
}

#else
typedef int mb_no_webp; /* an empty file is not C */
#endif
