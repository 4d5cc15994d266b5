/* Frames of an animated WebP: libwebp's own composer, which keeps the canvas. */
#include "image/codec/frames.h"

#if MB_HAVE_WEBP

#include <string.h>

#include <webp/demux.h>

static mb_status begin(mb_frame_file *f, mb_error *err)
{
    const WebPData data = {f->bytes, f->n};
    WebPAnimDecoderOptions o;
    WebPAnimInfo info;
    f->state.webp = NULL;
    if (WebPAnimDecoderOptionsInit(&o)) {
        o.color_mode = MODE_RGBA;
        o.use_threads = 0;
        f->state.webp = WebPAnimDecoderNew(&data, &o);
    }
    if (f->state.webp == NULL || !WebPAnimDecoderGetInfo(f->state.webp, &info) ||
        info.canvas_width != (uint32_t)f->head.width || info.canvas_height != (uint32_t)f->head.height) {
        return mb_fail(err, MB_E_FORMAT, "damaged WebP: no animation can be found\ncopy or download it again");
    }
    f->count = info.frame_count < 0x7FFFFFFF ? (int)info.frame_count : 0x7FFFFFFF;
    f->loops = (int)(info.loop_count & 0x7FFFFFFF);
    f->duration_ms = 0;
    f->state_ms = 0;
    if (f->canvas.rgba == NULL) {
        return mb_canvas_create(&f->canvas, (int)info.canvas_width, (int)info.canvas_height, false, &f->budget, err);
    }
    return MB_OK;
}

static mb_status next(mb_frame_file *f, const mb_task *task, const mb_load_limits *limits, mb_error *err)
{
    uint8_t *rgba = NULL;
    int until_ms = 0;
    (void)limits;
    mb_status status = mb_task_check(task, err);
    if (status != MB_OK) {
        return status;
    }
    if (!WebPAnimDecoderGetNext(f->state.webp, &rgba, &until_ms)) {
        return mb_fail(err, MB_E_FORMAT, "damaged WebP: the frame cannot be decoded\ncopy or download it again");
    }
    memcpy(f->canvas.rgba, rgba, 4 * (size_t)f->canvas.width * (size_t)f->canvas.height);
    f->duration_ms = until_ms - f->state_ms;
    f->state_ms = until_ms;
    return MB_OK;
}

static void end(mb_frame_file *f)
{
    WebPAnimDecoderDelete(f->state.webp);
    f->state.webp = NULL;
}

const mb_frame_walk mb_webp_walk = {begin, next, end};

#else
typedef int mb_no_webp_frames; /* an empty file is not C */
#endif
