/* What an animation shows: frames laid over each other as GIF, APNG and WebP say. Straight alpha, 8 or 16 bits. */
#ifndef MB_IMAGE_CODEC_CANVAS_H
#define MB_IMAGE_CODEC_CANVAS_H

#include "image/codec/budget.h"
#include "image/codec/gif.h"

#include "core/status.h"

typedef struct mb_canvas {
    int width, height;
    bool deep;                  /* 16 bits a sample */
    void *rgba, *saved;         /* in the budget; begins clear */
    int left, top, right, down; /* the part that the next frame's disposal concerns */
    mb_dispose dispose;         /* of the frame that is shown */
} mb_canvas;

/* A part of the canvas. */
typedef struct mb_canvas_part {
    int x, y, width, height;
} mb_canvas_part;

MB_MUST_CHECK mb_status mb_canvas_create(mb_canvas *c, int width, int height, bool deep, mb_budget *budget,
                                         mb_error *err);
void mb_canvas_dispose(mb_canvas *c, mb_budget *budget);
/* Before a frame: the one before it leaves as it wanted to, and what lies under the new one is kept if that is to be
 * restored. `part` is cut to the canvas. */
MB_MUST_CHECK mb_status mb_canvas_begin(mb_canvas *c, mb_canvas_part part, mb_dispose dispose, mb_budget *budget,
                                        mb_error *err);
/* One pixel, 4 samples of the canvas' depth; over: with what is there, else in its place. */
void mb_canvas_put(mb_canvas *c, int x, int y, const unsigned rgba[4], bool over);

#endif
