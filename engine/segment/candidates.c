/* Choosing a way to cut out (see the header). Everything happens on a copy of 320 pixels. */
#include "segment/candidates.h"

#include "segment/candidate_weights.h"
#include "image/resample/reduce.h"

#include <math.h>
#include <stdbool.h>

enum { SIDE = 320 };

/* The photographer points at the subject: a share of the network's seed is a box in the middle. */
static const float LEAN_HALF = 0.36f, LEAN_SHARE = 0.3f, LEAN_INSIDE = 0.9f, LEAN_OUTSIDE = 0.1f;
/* Half sides of the boxes that nothing lies outside of, and what the network's mask is raised by within. */
static const float BOX_HALF = 0.42f, FRAME_HALF = 0.45f, FRAME_RAISE = 0.15f;

/* How the seeds are snapped: the box knows no outline, so it looks longer and for a shorter one. */
static mb_grabcut_options options_of(mb_candidate way)
{
    mb_grabcut_options o = MB_GRABCUT_DEFAULTS;
    o.piece = 10; /* one subject is looked for, not its echoes */
    if (way == MB_CANDIDATE_BOX) {
        o.rounds = 6;
        o.smooth = 30;
    }
    return o;
}

static bool within(const mb_image_u8 *p, int x, int y, float half)
{
    float u = fabsf(((float)x + 0.5f) / (float)p->width - 0.5f), v = fabsf(((float)y + 0.5f) / (float)p->height - 0.5f);
    return u < half && v < half;
}

/* The seeds that need no other cut-out; network and saliency have the size of the seed. */
static mb_status make_seed(mb_image_u8 *out, mb_candidate way, const mb_image_u8 *network, const mb_image_u8 *saliency,
                           mb_error *err)
{
    mb_status status = mb_image_u8_create(out, network->width, network->height, 1, err);
    for (int y = 0; status == MB_OK && y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            size_t i = (size_t)y * (size_t)out->width + (size_t)x;
            float n = (float)network->v[i], v = 0;
            switch (way) {
            case MB_CANDIDATE_SALIENCY:
                v = (float)saliency->v[i];
                break;
            case MB_CANDIDATE_NETWORK:
                v = (1 - LEAN_SHARE) * n +
                    LEAN_SHARE * 255 * (within(out, x, y, LEAN_HALF) ? LEAN_INSIDE : LEAN_OUTSIDE);
                break;
            case MB_CANDIDATE_BOX:
                v = within(out, x, y, BOX_HALF) ? 128.0f : 0.0f;
                break;
            default:
                v = within(out, x, y, FRAME_HALF) ? (1 - LEAN_SHARE) * n + FRAME_RAISE * 255 : 0.0f;
            }
            out->v[i] = (uint8_t)(v + 0.5f);
        }
    }
    return status;
}

/* What three cut-outs and both soft masks say together. */
static mb_status make_joint(mb_image_u8 *out, const mb_image_u8 cuts[MB_N_CANDIDATES], const mb_image_u8 *network,
                            const mb_image_u8 *saliency, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, network->width, network->height, 1, err);
    size_t n = (size_t)network->width * (size_t)network->height;
    for (size_t i = 0; status == MB_OK && i < n; i++) {
        int sum = cuts[MB_CANDIDATE_SALIENCY].v[i] + cuts[MB_CANDIDATE_NETWORK].v[i] + cuts[MB_CANDIDATE_BOX].v[i] +
                  network->v[i] + saliency->v[i];
        out->v[i] = (uint8_t)((sum + 2) / 5);
    }
    return status;
}

mb_status mb_candidates_create(mb_candidates *out, const mb_image_u8 *rgb, const mb_image_u8 *network,
                               const mb_image_u8 *saliency, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 small = {0}, seen = {0}, salient = {0};
    mb_score_inputs judge = {&small, &seen, &salient};
    *out = (mb_candidates){0};
    if (rgb->channels < 3 || network->channels != 1 || saliency->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "a choice of masks needs an RGB picture and grey masks");
    }
    MB_TRY(mb_image_u8_reduce(&small, rgb, SIDE, err));
    MB_TRY(mb_image_u8_rescale(&seen, network, small.width, small.height, err));
    MB_TRY(mb_image_u8_rescale(&salient, saliency, small.width, small.height, err));
    for (int way = 0; way < MB_N_CANDIDATES; way++) {
        out->how[way] = options_of((mb_candidate)way);
        if (way == MB_CANDIDATE_JOINT) {
            MB_TRY(make_joint(&out->seeds[way], out->cuts, &seen, &salient, err));
        } else {
            MB_TRY(make_seed(&out->seeds[way], (mb_candidate)way, &seen, &salient, err));
        }
        MB_TRY(mb_grabcut(&out->cuts[way], &small, &out->seeds[way], &out->how[way], err));
        MB_TRY(mb_candidate_features(out->figures[way], &out->usable[way], &judge, &out->cuts[way], err));
    }
done:
    mb_image_u8_dispose(&small);
    mb_image_u8_dispose(&seen);
    mb_image_u8_dispose(&salient);
    return status;
}

void mb_candidates_dispose(mb_candidates *c)
{
    for (int way = 0; way < MB_N_CANDIDATES; way++) {
        mb_image_u8_dispose(&c->seeds[way]);
        mb_image_u8_dispose(&c->cuts[way]);
    }
}

mb_candidate mb_candidates_best(const mb_candidates *c)
{
    double most = -INFINITY;
    mb_candidate best = MB_CANDIDATE_SALIENCY;
    for (int way = 0; way < MB_N_CANDIDATES; way++) {
        double score = CANDIDATE_WEIGHT[way];
        for (int k = 0; k < MB_N_FEATURES; k++) {
            score += FEATURE_WEIGHT[k] * c->figures[way][k];
        }
        if (c->usable[way] && score > most) {
            most = score;
            best = (mb_candidate)way;
        }
    }
    return best;
}

mb_status mb_candidates_choose(mb_image_u8 *seed, mb_grabcut_options *how, const mb_image_u8 *rgb,
                               const mb_image_u8 *network, const mb_image_u8 *saliency, mb_error *err)
{
    mb_candidates c;
    *seed = (mb_image_u8){0};
    mb_status status = mb_candidates_create(&c, rgb, network, saliency, err);
    if (status == MB_OK) {
        mb_candidate best = mb_candidates_best(&c);
        *how = c.how[best];
        *seed = c.seeds[best];
        c.seeds[best] = (mb_image_u8){0};
    }
    mb_candidates_dispose(&c);
    return status;
}
