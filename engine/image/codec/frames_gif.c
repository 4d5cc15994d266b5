/* Frames of a GIF onto the canvas; a picture of a GIF is its first frame. */
#include "image/codec/codec.h"
#include "image/codec/frames.h"

#include "core/alloc.h"

#include <string.h>

/* Counted by walking once. */
static mb_status begin(mb_frame_file *f, mb_error *err)
{
    mb_gif g;
    mb_gif_frame frame;
    int n = 0;
    if (!mb_gif_open(&g, f->bytes, f->n)) {
        return mb_fail(err, MB_E_FORMAT, "damaged GIF: its header is cut off\ncopy or download it again");
    }
    f->state.gif = g;
    bool there = true;
    while (there && !g.cut) {
        there = mb_gif_next(&frame, &g);
        n += there || g.cut; /* what is cut off counts as a frame, which fails when it is read */
    }
    f->count = n;
    f->loops = g.loops;
    mb_canvas_dispose(&f->canvas, &f->budget);
    return mb_canvas_create(&f->canvas, g.width, g.height, false, &f->budget, err);
}

/* Palette numbers to the canvas: the part of the frame that lies on it. A frame may claim 65535 times 65535 pixels on a
 * screen of ten, so that the frame's size must not be what the time grows with. */
static void put_indices(mb_canvas *c, const mb_gif_frame *frame, const uint8_t *indices, size_t n)
{
    const size_t width = (size_t)frame->width;
    for (int y = 0; y < frame->height && frame->y + y < c->height; y++) {
        for (int x = 0; x < frame->width && frame->x + x < c->width; x++) {
            const size_t i = (size_t)y * width + (size_t)x;
            if (i < n && indices[i] != frame->transparent) {
                const int k = indices[i];
                const uint8_t *p = k < frame->colours ? frame->palette + 3 * k : (const uint8_t *)"\0\0\0";
                mb_canvas_put(c, frame->x + x, frame->y + y, (const unsigned[]){p[0], p[1], p[2], 255}, false);
            }
        }
    }
}

/* Decodes a frame onto the canvas. *whole: all of its pixels were there. */
static mb_status draw(mb_canvas *c, bool *whole, const mb_gif *g, const mb_gif_frame *frame, mb_budget *budget,
                      mb_error *err)
{
    const size_t n = (size_t)frame->width * (size_t)frame->height; /* 16 bits each */
    mb_status status = MB_OK;
    uint8_t *indices = mb_budget_alloc(budget, n + MB_GIF_SCRATCH + 1);
    if (indices == NULL) {
        return mb_fail_memory(err, n, "a frame of a GIF");
    }
    MB_TRY(mb_canvas_begin(c, (mb_canvas_part){frame->x, frame->y, frame->width, frame->height}, frame->dispose, budget,
                           err));
    const size_t at = n + (n & 1); /* the scratch holds 16-bit numbers */
    const size_t got = mb_gif_indices(indices, g, frame, indices + at);
    *whole = got == n;
    put_indices(c, frame, indices, frame->interlaced ? n : got);
done:
    mb_budget_free(budget, indices);
    return status;
}

static mb_status next(mb_frame_file *f, const mb_task *task, const mb_load_limits *limits, mb_error *err)
{
    mb_gif_frame frame;
    bool whole = false;
    mb_status status = MB_OK;
    MB_TRY(mb_task_check(task, err));
    if (!mb_gif_next(&frame, &f->state.gif)) {
        MB_TRY(mb_fail(err, MB_E_FORMAT, "damaged GIF: the frame cannot be found\ncopy or download it again"));
    }
    MB_TRY(draw(&f->canvas, &whole, &f->state.gif, &frame, &f->budget, err));
    if (!whole && !limits->accept_partial) {
        MB_TRY(
            mb_fail(err, MB_E_FORMAT,
                    "damaged GIF: the frame's data ends early\ncopy or download it again; accept_partial=1 uses what "
                    "is there"));
    }
    f->duration_ms = frame.duration_ms;
done:
    return status;
}

/* Only what is there of the first frame. */
mb_status mb_decode_gif(mb_decode_job *job)
{
    mb_gif g;
    mb_gif_frame frame;
    mb_canvas c = {0};
    bool whole = false;
    mb_status status = MB_OK;
    if (!mb_gif_open(&g, job->bytes, job->n) || !mb_gif_next(&frame, &g)) {
        job->ended_early = g.cut;
        job->rows = 0;
        return g.cut ? MB_OK
                     : mb_fail(job->err, MB_E_FORMAT, "damaged GIF: it has no picture\ncopy or download it again");
    }
    MB_TRY(mb_decode_check(job));
    MB_TRY(mb_canvas_create(&c, g.width, g.height, false, job->budget, job->err));
    MB_TRY(draw(&c, &whole, &g, &frame, job->budget, job->err));
    MB_TRY(mb_decode_begin(job));
    job->info->alpha = true;
    MB_TRY(mb_decode_begin_alpha(job));
    const uint8_t *p = c.rgba;
    for (size_t i = 0; i < (size_t)c.width * (size_t)c.height; i++, p += 4) {
        memcpy(job->out->v + 3 * i, p, 3);
        if (job->info->alpha_plane.v != NULL) {
            job->info->alpha_plane.v[i] = p[3];
        }
    }
    job->ended_early = !whole;
done:
    mb_canvas_dispose(&c, job->budget);
    return status;
}

const mb_frame_walk mb_gif_walk = {begin, next, NULL};
