/* From the network's mask, saliency, or both to the subject's mask (see the header).
 *
 *   NETWORK     network -> grabcut, if wanted
 *   SALIENCY    saliency -> grabcut, if wanted
 *   BOTH        network, saliency -> candidates, each cut out small and scored -> the best -> grabcut at a larger size */
#include "pipeline/segment_stage.h"

#include "segment/candidates.h"
#include "segment/plain.h"
#include "segment/grabcut.h"
#include "segment/saliency.h"

#include <stdio.h>
#include <string.h>

/* Rough shares of the stages for the progress bar, for the small default network. Estimates: a larger network takes a
 * larger share of the time than the bar says. */
#define NETWORK_WORK    1.0
#define SALIENCY_WORK   0.25
#define GRABCUT_WORK    0.5
#define CANDIDATES_WORK 1.0 /* with the GrabCut of the best one */

/* Work of what the options ask for, beside the network. */
static double work_without_network(const mb_options *o)
{
    if (o->segment == MB_SEGMENT_BOTH) {
        return SALIENCY_WORK + CANDIDATES_WORK;
    }
    return (o->segment == MB_SEGMENT_SALIENCY ? SALIENCY_WORK : 0.0) + (o->grabcut ? GRABCUT_WORK : 0.0);
}

double mb_segment_network_share(const mb_options *o)
{
    double network = o->segment != MB_SEGMENT_SALIENCY ? NETWORK_WORK : 0.0, rest = work_without_network(o);
    return network > 0.0 ? network / (network + rest) : 0.0;
}

static mb_status cut(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *photo, mb_error *err)
{
    mb_image_u8 moved = {0};
    mb_status status = mb_grabcut(task, &moved, photo, mask, NULL, err);
    if (status == MB_OK) {
        mb_image_u8_dispose(mask);
        *mask = moved;
    }
    return status;
}

mb_status mb_segment_grabcut(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *photo, const mb_options *o,
                             mb_error *err)
{
    if (!o->grabcut) {
        return MB_OK;
    }
    const mb_task stage = mb_progress_stage(task, "segment", 0.0, 1.0);
    return cut(&stage, mask, photo, err);
}

/* NETWORK: the network's mask. SALIENCY: what stands out. Either is moved to the edges if the options ask for that.
 * BOTH: candidates made of the two compete, and the best is always cut, with the settings that its kind needs. */
mb_status mb_segment_mask(const mb_task *task, mb_image_u8 *mask, mb_mask_job *job, const mb_image_u8 *photo,
                          const mb_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 network = {0}, saliency = {0};
    const double share = mb_segment_network_share(o);
    *mask = (mb_image_u8){0};
    bool plain = false;
    if (o->segment != MB_SEGMENT_NETWORK) {
        MB_TRY(mb_picture_is_plain(task, &plain, photo, err));
    }
    if (plain) { /* no network needs to see that */
        mb_mask_release(job);
        (void)snprintf(job->warning, sizeof job->warning, "seen from afar, the picture has one colour throughout");
        job->confidence =
            (mb_confidence){.limit = MB_DOUBTFUL, .basis = "nothing in the picture stands out, seen from afar"};
        MB_TRY(mb_image_u8_create(mask, photo->width, photo->height, 1, err));
        memset(mask->v, 0, (size_t)photo->width * (size_t)photo->height);
        return MB_OK;
    }
    if (o->segment != MB_SEGMENT_SALIENCY) {
        const mb_task stage = mb_progress_stage(task, "network", 0.0, share);
        MB_TRY(mb_mask_finish(&stage, &network, job, err));
    }
    if (o->segment == MB_SEGMENT_NETWORK) {
        MB_TRY(mb_confidence_of_mask(task, &job->confidence, &network, err));
    }
    if (o->segment == MB_SEGMENT_NETWORK && !o->grabcut) {
        *mask = network;
        return MB_OK;
    }
    const mb_task stage = mb_progress_stage(task, "segment", share, 1.0 - share);
    const double found = o->segment != MB_SEGMENT_NETWORK ? SALIENCY_WORK / work_without_network(o) : 0.0;
    const mb_task finding = mb_task_part(&stage, 0.0, found), cutting = mb_task_part(&stage, found, 1.0 - found);
    if (o->segment != MB_SEGMENT_NETWORK) {
        MB_TRY(mb_saliency(&finding, &saliency, photo, err));
    }
    if (o->segment == MB_SEGMENT_BOTH) {
        MB_TRY(mb_candidates_segment(&cutting, mask, photo, &network, &saliency, &job->confidence, err));
        goto done;
    }
    if (o->segment == MB_SEGMENT_SALIENCY) {
        MB_TRY(mb_confidence_of_mask(task, &job->confidence, &saliency, err));
        job->confidence.limit = 0; /* always soft: that says nothing */
    }
    *mask = o->segment == MB_SEGMENT_NETWORK ? network : saliency;
    network = saliency = (mb_image_u8){0};
    if (o->grabcut) {
        MB_TRY(cut(&cutting, mask, photo, err));
    }
done:
    mb_image_u8_dispose(&network);
    mb_image_u8_dispose(&saliency);
    if (status != MB_OK) {
        mb_image_u8_dispose(mask);
    }
    return status;
}

bool mb_segment_keeps_f32(const mb_options *o)
{
    return o->segment == MB_SEGMENT_NETWORK && !o->grabcut;
}

double mb_segment_bytes(const mb_options *o, int width, int height, int workers)
{
    static const mb_grabcut_options defaults = MB_GRABCUT_DEFAULTS;
    const double small = (double)MB_GRABCUT_SIDE * MB_GRABCUT_SIDE;
    const double pixels = (double)width * (double)height, side = width > height ? width : height;
    double bytes = 0;
    if (o->segment != MB_SEGMENT_NETWORK) {
        bytes = 12 << 20; /* superpixels of three sizes and their pairs: a reduced picture, whatever the photo */
    }
    if (o->segment == MB_SEGMENT_BOTH) {
        /* Four cuts, as many side by side as there are workers, 130 bytes a pixel each; initial masks, cut-outs and what
         * they are scored by. */
        const double cuts = small * ((workers < 4 ? workers : 4) * 130 + 60);
        bytes = (bytes > cuts ? bytes : cuts) + pixels;
    }
    if (o->grabcut || o->segment == MB_SEGMENT_BOTH) {
        /* The banded cut's copies, 21 bytes a pixel of at most band_side, and the whole cut's nodes, 130 bytes each. */
        const double shrink = side > defaults.band_side ? defaults.band_side / side : 1.0;
        const double cut = pixels * shrink * shrink * 21.0 + small * 160 + pixels;
        bytes = bytes > cut ? bytes : cut;
    }
    return bytes;
}
