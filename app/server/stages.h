/* What happens to a piece of work in each kind of thread. */
#ifndef SERVER_STAGES_H
#define SERVER_STAGES_H

#include "lanes.h"

/* A decoding thread's own: its decoder, and pipelines to plan with. */
typedef struct helper helper;
helper *helper_create(server *s);
void helper_free(helper *h);
decoder *helper_decoder(helper *h);
lane *helper_lane(helper *h);

/* Reads the pictures, or does all there is to do. Returns the next state: WORK_WAITING (for a run) or WORK_DONE. */
int stage_decode(helper *h, work *w);
/* Mask, matting, composition. */
void stage_run(lane *n, work *w);
/* The answer's bytes. */
void stage_encode(work *w);

/* estimate.c: time and memory of a cut of w->width x w->height. */
void estimate(lane *n, work *w);
/* rembg_mask.c: its post-processing of masks, and its trimap. Both are grey, 8 bits; trimap: caller disposes. */
mb_status rembg_smooth(const mb_image *mask, mb_error *err);
mb_status rembg_trimap(mb_image *trimap, const mb_image *mask, const rembg_options *o, mb_error *err);

/* What stands for a picture in an answer; takes nothing over. */
void encode_picture(work *w, const mb_image *picture);

#endif
