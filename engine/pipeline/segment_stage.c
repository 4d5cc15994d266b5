/* From the network's mask, saliency, or both to the subject's mask (see the header).
 *
 *   NETWORK     network -> grabcut, if wanted
 *   SALIENCY    saliency -> grabcut, if wanted
 *   BOTH        network, saliency -> candidates, each cut out small and scored -> the best -> grabcut at full size */
#include "pipeline/segment_stage.h"

#include "segment/candidates.h"
#include "segment/plain.h"
#include "segment/saliency.h"
#include "segment/grabcut.h"

#include <stdio.h>
#include <string.h>

/* Replaces the mask by its form that follows the picture's edges. how: NULL: the defaults. */
static mb_status snap_with(mb_image_u8 *mask, const mb_image_u8 *photo, const mb_grabcut_options *how, mb_error *err)
{
    mb_image_u8 snapped = {0};
    mb_status status = mb_grabcut(&snapped, photo, mask, how, err);
    if (status == MB_OK) {
        mb_image_u8_dispose(mask);
        *mask = snapped;
    }
    return status;
}

mb_status mb_segment_grabcut(mb_image_u8 *mask, const mb_image_u8 *photo, const mb_options *o, mb_error *err)
{
    return o->grabcut ? snap_with(mask, photo, NULL, err) : MB_OK;
}

/* NETWORK: the network's mask, snapped if wanted. SALIENCY: what stands out, likewise. BOTH: candidates made of the two
 * compete; the best is snapped always, with the settings that its kind needs. */
mb_status mb_segment_mask(mb_image_u8 *mask, mb_mask_job *job, const mb_image_u8 *photo, const mb_options *o,
                          mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 saliency = {0}, seed = {0};
    mb_grabcut_options how;
    *mask = (mb_image_u8){0};
    bool plain = false;
    if (o->segment != MB_SEGMENT_NETWORK) {
        MB_TRY(mb_picture_is_plain(&plain, photo, err));
    }
    if (plain) { /* no network needs to see that */
        mb_mask_release(job);
        (void)snprintf(job->warning, sizeof job->warning, "the picture has one colour throughout");
        MB_TRY(mb_image_u8_create(mask, photo->width, photo->height, 1, err));
        memset(mask->v, 0, (size_t)photo->width * (size_t)photo->height);
        return MB_OK;
    }
    if (o->segment != MB_SEGMENT_SALIENCY) {
        MB_TRY(mb_mask_finish(mask, job, err));
    }
    if (o->segment != MB_SEGMENT_NETWORK) {
        MB_TRY(mb_saliency(&saliency, photo, err));
    }
    if (o->segment == MB_SEGMENT_BOTH) {
        MB_TRY(mb_candidates_choose(&seed, &how, photo, mask, &saliency, err));
        mb_image_u8_dispose(mask);
        *mask = seed;
        MB_TRY(snap_with(mask, photo, &how, err));
    } else {
        if (o->segment == MB_SEGMENT_SALIENCY) {
            *mask = saliency;
            saliency = (mb_image_u8){0};
        }
        MB_TRY(mb_segment_grabcut(mask, photo, o, err));
    }
done:
    mb_image_u8_dispose(&saliency);
    return status;
}

/* Measured; superpixels and the whole cut work on a reduced picture, the banded cut on a band of a larger one. */
size_t mb_segment_bytes(const mb_options *o, int width, int height)
{
    static const mb_grabcut_options snap = MB_GRABCUT_DEFAULTS;
    size_t bytes = 0;
    double pixels = (double)width * (double)height, side = width > height ? width : height;
    if (o->segment != MB_SEGMENT_NETWORK) {
        bytes += (size_t)16 << 20; /* superpixels and their pairs: a reduced picture, whatever the photo */
        bytes += (size_t)pixels;
    }
    if (o->segment == MB_SEGMENT_BOTH) {
        bytes += (size_t)(snap.side * snap.side * 40); /* seeds, cut-outs, and what they are judged by */
    }
    if (o->grabcut || o->segment == MB_SEGMENT_BOTH) {
        /* The banded cut's copies, 21 bytes a pixel of at most band_side, and the whole cut's nodes, 86 bytes each. */
        double shrink = side > snap.band_side ? snap.band_side / side : 1.0;
        bytes += (size_t)(pixels * shrink * shrink * 21.0) + (size_t)(snap.side * snap.side * 120) + (size_t)pixels;
    }
    return bytes;
}
