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

/* Decodes a still picture of width x height into rows of the result, from pixel `dst` on. */
static mb_status decode_still(mb_decode_job *job, const WebPData *data, uint8_t *dst, int width, int height)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        return mb_fail(job->err, MB_E_UNSUPPORTED,
                       "WebP: the installed library does not match the header of this build");
    }
    VP8StatusCode code = WebPGetFeatures(data->bytes, data->size, &config.input);
    if (code == VP8_STATUS_OK && (config.input.width != width || config.input.height != height)) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged WebP: two headers give different sizes");
    }
    const size_t row = (size_t)job->out->width * 3;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = dst;
    config.output.u.RGBA.stride = (int)row;
    config.output.u.RGBA.size = row * (size_t)(height - 1) + (size_t)width * 3;
    if (code == VP8_STATUS_OK) {
        code = decode_in_steps(job, data, &config);
    }
    WebPFreeDecBuffer(&config.output);
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
    MB_TRY(decode_still(job, &frame.fragment, job->out->v + 3 * at, frame.width, frame.height));
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
    if (status != MB_OK) {
        return status;
    }
    return job->head.animated ? first_frame(job, &data)
                              : decode_still(job, &data, job->out->v, job->out->width, job->out->height);
}

void mb_webp_version(char *text, size_t n)
{
    int v = WebPGetDecoderVersion();
    (void)snprintf(text, n, "libwebp %d.%d.%d", v >> 16, v >> 8 & 255, v & 255);
}

#else
typedef int mb_no_webp; /* an empty file is not C */
#endif
