/* Five ways to cut out, and the choice between them (see the header). Everything but the last step happens on a copy of
 * MB_GRABCUT_SIDE pixels. */
#include "segment/candidates.h"

#include "image/resample/reduce.h"
#include "segment/candidate_weights.h"
#include "segment/confidence.h"

#include <math.h>

/* The photographer points at the subject: a share of the network's initial mask is a box in the middle. */
static const float LEAN_HALF = 0.36f, LEAN_SHARE = 0.3f, LEAN_INSIDE = 0.9f, LEAN_OUTSIDE = 0.1f;
/* Half sides of the boxes that nothing lies outside of, and what the network's mask is raised by within. */
static const float BOX_HALF = 0.42f, FRAME_HALF = 0.45f, FRAME_RAISE = 0.15f;

/* Where the stages lie in the progress: the small copies, four candidates side by side, the joint one. */
static const double COPIES_SHARE = 0.2, FOUR_SHARE = 0.65;

/* How a candidate is cut. The box has no contour to start from: more iterations, stronger smoothness. */
static mb_grabcut_options options_of(mb_candidate candidate)
{
    mb_grabcut_options o = MB_GRABCUT_DEFAULTS;
    o.piece = 10; /* one subject is wanted, not its echoes */
    if (candidate == MB_CANDIDATE_BOX) {
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

/* The initial mask of a candidate that needs no other cut-out; network and saliency have its size. */
static mb_status make_initial(mb_image_u8 *out, mb_candidate candidate, const mb_image_u8 *network,
                              const mb_image_u8 *saliency, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, network->width, network->height, 1, err);
    if (status != MB_OK) {
        return status;
    }
    for (int y = 0; y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            size_t i = (size_t)y * (size_t)out->width + (size_t)x;
            float n = (float)network->v[i], v = 0;
            switch (candidate) {
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
    return MB_OK;
}

/* What three cut-outs and both soft masks say together. */
static mb_status make_joint(mb_image_u8 *out, const mb_image_u8 cuts[MB_N_CANDIDATES], const mb_image_u8 *network,
                            const mb_image_u8 *saliency, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, network->width, network->height, 1, err);
    if (status != MB_OK) {
        return status;
    }
    size_t n = (size_t)network->width * (size_t)network->height;
    for (size_t i = 0; i < n; i++) {
        int sum = cuts[MB_CANDIDATE_SALIENCY].v[i] + cuts[MB_CANDIDATE_NETWORK].v[i] + cuts[MB_CANDIDATE_BOX].v[i] +
                  network->v[i] + saliency->v[i];
        out->v[i] = (uint8_t)((sum + 2) / 5);
    }
    return MB_OK;
}

/* What the candidates share. */
typedef struct contest {
    mb_task serial; /* for the workers */
    mb_candidates *out;
    mb_grabcut_picture picture;
    mb_image_u8 network, saliency; /* of the picture's size */
    mb_status status[MB_N_CANDIDATES];
    mb_error err[MB_N_CANDIDATES];
} contest;

/* How sure the network is of what it takes for the subject: see mb_candidates. */
static double strength_of(const mb_image_u8 *network)
{
    const size_t n = (size_t)network->width * (size_t)network->height;
    double sum = 0, area = 0;
    for (size_t i = 0; i < n; i++) {
        sum += network->v[i] >= 128 ? network->v[i] / 255.0 : 0;
        area += network->v[i] >= 128;
    }
    return area > 0 ? sum / area : 0.5;
}

/* From the initial mask to the features. */
static mb_status run_candidate(const mb_task *task, contest *c, mb_candidate k, mb_error *err)
{
    mb_candidates *out = c->out;
    const mb_score_inputs inputs = {&c->picture.lab, &c->network, &c->saliency};
    mb_status status = MB_OK;
    out->options[k] = options_of(k);
    if (k == MB_CANDIDATE_JOINT) {
        MB_TRY(make_joint(&out->initial[k], out->cuts, &c->network, &c->saliency, err));
    } else {
        MB_TRY(make_initial(&out->initial[k], k, &c->network, &c->saliency, err));
    }
    const mb_image_u8 *initial = &out->initial[k];
    MB_TRY(mb_grabcut_cut(task, &out->labels[k], &c->picture, initial, &out->options[k], err));
    MB_TRY(mb_grabcut_finish(task, &out->cuts[k], &out->labels[k], &c->picture.rgb, initial, &out->options[k], err));
    MB_TRY(mb_candidate_features(task, out->features[k], &out->usable[k], &inputs, &out->cuts[k], err));
done:
    return status;
}

/* Candidates [begin, end) of the first four, each alone in its worker. */
static void run_candidates(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    static const mb_candidate order[] = {/* the longest first: the others fit beside it */
                                         MB_CANDIDATE_BOX, MB_CANDIDATE_NETWORK, MB_CANDIDATE_FRAMED,
                                         MB_CANDIDATE_SALIENCY};
    contest *c = arg;
    for (size_t i = begin; i < end; i++) {
        const mb_task part = mb_task_part(&c->serial, (double)i / MB_CANDIDATE_JOINT, 1.0 / MB_CANDIDATE_JOINT);
        mb_candidate k = order[i];
        c->status[k] = run_candidate(&part, c, k, &c->err[k]);
    }
}

/* The picture is prepared once for all cuts. */
mb_status mb_candidates_create(const mb_task *task, mb_candidates *out, const mb_image_u8 *rgb,
                               const mb_image_u8 *network, const mb_image_u8 *saliency, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_task four = mb_task_part(task, COPIES_SHARE, FOUR_SHARE);
    const mb_task joint = mb_task_part(task, COPIES_SHARE + FOUR_SHARE, 1.0 - COPIES_SHARE - FOUR_SHARE);
    contest c = {.serial = mb_task_serial(&four), .out = out};
    *out = (mb_candidates){0};
    if (rgb->channels < 3 || network->channels != 1 || saliency->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "candidate masks need an RGB picture and grey masks");
    }
    MB_TRY(mb_grabcut_open(task, &c.picture, rgb, err));
    const int width = c.picture.rgb.width, height = c.picture.rgb.height;
    MB_TRY(mb_image_u8_rescale(task, &c.network, network, width, height, err));
    MB_TRY(mb_image_u8_rescale(task, &c.saliency, saliency, width, height, err));
    out->strength = strength_of(&c.network);
    MB_TRY(mb_task_for(&four, MB_CANDIDATE_JOINT, 1, run_candidates, &c, err));
    for (int k = 0; k < MB_CANDIDATE_JOINT; k++) {
        if (c.status[k] != MB_OK) {
            status = mb_fail(err, c.status[k], "%s", c.err[k].message);
            goto done;
        }
    }
    MB_TRY(run_candidate(&joint, &c, MB_CANDIDATE_JOINT, err));
done:
    mb_grabcut_close(&c.picture);
    mb_image_u8_dispose(&c.network);
    mb_image_u8_dispose(&c.saliency);
    return status;
}

void mb_candidates_dispose(mb_candidates *c)
{
    for (int k = 0; k < MB_N_CANDIDATES; k++) {
        mb_image_u8_dispose(&c->initial[k]);
        mb_image_u8_dispose(&c->cuts[k]);
        mb_grabcut_labels_dispose(&c->labels[k]);
    }
}

/* A linear score: features times their weights, plus what the kind of candidate is worth by itself. */
mb_candidate mb_candidates_best(const mb_candidates *c)
{
    double most = -INFINITY;
    mb_candidate best = MB_CANDIDATE_SALIENCY;
    for (int k = 0; k < MB_N_CANDIDATES; k++) {
        double score = CANDIDATE_WEIGHT[k];
        for (int i = 0; i < MB_N_FEATURES; i++) {
            score += FEATURE_WEIGHT[i] * c->features[k][i];
        }
        if (c->usable[k] && score > most) {
            most = score;
            best = (mb_candidate)k;
        }
    }
    return best;
}

/* The cut of the winner exists already: only its outline is still to be moved at the larger size. */
mb_status mb_candidates_segment(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb,
                                const mb_image_u8 *network, const mb_image_u8 *saliency, mb_confidence *confidence,
                                mb_error *err)
{
    mb_candidates c;
    const mb_task contest_part = mb_task_part(task, 0.0, 0.7), last = mb_task_part(task, 0.7, 0.3);
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    MB_TRY(mb_candidates_create(&contest_part, &c, rgb, network, saliency, err));
    mb_candidate best = mb_candidates_best(&c);
    if (confidence != NULL) {
        *confidence = mb_confidence_of_candidates(&c, best);
    }
    MB_TRY(mb_grabcut_finish(&last, out, &c.labels[best], rgb, &c.initial[best], &c.options[best], err));
done:
    mb_candidates_dispose(&c);
    return status;
}
