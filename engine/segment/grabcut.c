/* GrabCut (see the header). Energy of a labelling, in nats:
 *   sum over pixels  -limit < log p(colour | other) - log p(colour | own) < limit, plus prior * logit(mask)
 *   sum over pairs   smooth / distance * exp(-|colour difference|^2 / (2 * mean)) where the labels differ
 *                    (8 neighbours)
 * The colour models are fitted to the shares of the mask in the first round, and to the labels from then on. */
#include "segment/grabcut.h"

#include "core/alloc.h"
#include "image/connected_components.h"
#include "image/resample/reduce.h"
#include "segment/draw_labels.h"
#include "segment/maxflow.h"

#include <math.h>
#include <string.h>

/* Nats to the integers of the cut. */
static const float UNIT = 256.0f;

enum { SMALLEST_HOLE = 500 }; /* holes below this part of the picture are filled */
enum { ROWS_PER_CHUNK = 8 };

/* Where the stages lie in the progress of mb_grabcut: the reduced picture, its cut, the band. */
static const double OPEN_SHARE = 0.15, CUT_SHARE = 0.5;

static const mb_grabcut_options defaults = MB_GRABCUT_DEFAULTS;

/* One cut: of the whole reduced picture, or of a band of a larger one. */
typedef struct cut_work {
    const mb_grabcut_options *o;
    const mb_image_u8 *mask; /* of the size of the picture */
    const mb_lab *lab;
    const float *similarity; /* of the picture; NULL: computed where it is needed */
    float edge_scale;
    int32_t *node;  /* [H,W] node of the cut, or -1: the label is fixed */
    uint8_t *label; /* [H,W] 1 = subject */
    float prior[256];
    mb_maxflow *flow;
    float *colour; /* [nodes] log p(colour | subject) - log p(colour | ground) */
    int32_t *pull; /* [nodes] what the flow has been told: capacity from the source minus capacity to the sink */
    const mb_gmm *subject, *ground;
} cut_work;

static size_t pixels_of(const mb_lab *lab)
{
    return (size_t)lab->width * (size_t)lab->height;
}

static void fill_prior(float prior[256], float weight)
{
    for (int i = 0; i < 256; i++) {
        float p = fminf(fmaxf((float)i / 255.0f, 0.01f), 0.99f);
        prior[i] = weight * logf(p / (1 - p));
    }
}

/* ---- the picture */

/* 1 / (2 * mean squared difference) of neighbours, summed in raster order. */
static mb_status measure_edges(const mb_task *task, float *scale, const mb_lab *lab, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = pixels_of(lab), stride = (size_t)lab->width;
    double sum = 0;
    for (size_t i = stride; i < n; i++) {
        if (i % MB_POLL_STRIDE == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        const float *p = lab->v + 3 * i;
        sum += (double)(mb_lab_distance2(p, p - 3 * stride) + mb_lab_distance2(p, p - 3));
    }
    *scale = (float)((double)n / (sum + 1e-6));
done:
    return status;
}

static float similarity_of(const mb_lab *lab, size_t i, size_t j, float edge_scale)
{
    return expf(-mb_lab_distance2(lab->v + 3 * i, lab->v + 3 * j) * edge_scale);
}

/* Rows [begin, end); pairs that lead out of the picture are never read. */
static void similarity_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const mb_grabcut_picture *p = arg;
    int width = p->lab.width, height = p->lab.height;
    for (int y = (int)begin; y < (int)end; y++) {
        for (int x = 0; x < width; x++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            for (int d = 0; d < MB_CUT_DIRECTIONS; d += 2) { /* the other half are the reverses */
                int u = x + mb_maxflow_dx[d], v = y + mb_maxflow_dy[d];
                bool outside = u < 0 || u >= width || v >= height;
                size_t j = outside ? i : (size_t)v * (size_t)width + (size_t)u;
                p->similarity[4 * i + (size_t)d / 2] = similarity_of(&p->lab, i, j, p->edge_scale);
            }
        }
    }
}

/* All that does not depend on a mask. */
mb_status mb_grabcut_open(const mb_task *task, mb_grabcut_picture *out, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    *out = (mb_grabcut_picture){0};
    if (rgb->channels < 3) {
        return mb_fail(err, MB_E_ARGUMENT, "GrabCut needs an RGB picture, not %d channels", rgb->channels);
    }
    MB_TRY(mb_image_u8_reduce(task, &out->rgb, rgb, MB_GRABCUT_SIDE, err));
    MB_TRY(mb_lab_create(task, &out->lab, &out->rgb, err));
    MB_TRY(measure_edges(task, &out->edge_scale, &out->lab, err));
    MB_TRY(mb_palette_create(task, &out->palette, &out->rgb, err));
    out->similarity = mb_alloc_array(pixels_of(&out->lab), 4 * sizeof *out->similarity);
    if (out->similarity == NULL) {
        return mb_fail_memory(err, pixels_of(&out->lab) * 4 * sizeof *out->similarity, "GrabCut");
    }
    MB_TRY(mb_task_for(task, (size_t)out->lab.height, ROWS_PER_CHUNK, similarity_rows, out, err));
done:
    return status;
}

void mb_grabcut_close(mb_grabcut_picture *p)
{
    mb_image_u8_dispose(&p->rgb);
    mb_lab_dispose(&p->lab);
    mb_palette_dispose(&p->palette);
    mb_free(p->similarity);
    *p = (mb_grabcut_picture){0};
}

/* ---- a cut */

/* Capacity of the pair of pixel i and its neighbour j in direction d. */
static int32_t pair_capacity(const cut_work *w, size_t i, size_t j, int d)
{
    float same;
    if (w->similarity == NULL) {
        same = similarity_of(w->lab, i, j, w->edge_scale);
    } else {
        same = d % 2 == 0 ? w->similarity[4 * i + (size_t)d / 2] : w->similarity[4 * j + (size_t)d / 2];
    }
    return (int32_t)(w->o->smooth * UNIT * same * (d < 4 ? 1.0f : 0.70710678f)) + 1;
}

/* Edges between the nodes of some rows, and the pull of their neighbours whose label is fixed. Every node and every
 * edge is written by one row alone. */
static void connect_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const cut_work *w = arg;
    int width = w->lab->width, height = w->lab->height;
    for (int y = (int)begin; y < (int)end; y++) {
        for (int x = 0; x < width; x++) {
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            if (w->node[i] < 0) {
                continue;
            }
            for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
                int u = x + mb_maxflow_dx[d], v = y + mb_maxflow_dy[d];
                if (u < 0 || v < 0 || u >= width || v >= height) {
                    continue;
                }
                size_t j = (size_t)v * (size_t)width + (size_t)u;
                if (w->node[j] < 0) {
                    int32_t c = pair_capacity(w, i, j, d);
                    mb_maxflow_terminal(w->flow, w->node[i], w->label[j] ? c : -c);
                } else if (d % 2 == 0) {
                    mb_maxflow_edge(w->flow, w->node[i], w->node[j], d, pair_capacity(w, i, j, d));
                }
            }
        }
    }
}

/* The network of the cut: nodes, edges, and no data terms yet. whole: every pixel has its node of the grid. */
static mb_status open_flow(const mb_task *task, cut_work *w, int nodes, bool whole, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(whole ? mb_maxflow_create_grid(&w->flow, w->lab->width, w->lab->height, err)
                 : mb_maxflow_create(&w->flow, nodes, err));
    w->colour = mb_alloc_array((size_t)nodes, sizeof *w->colour);
    w->pull = mb_calloc((size_t)nodes, sizeof *w->pull);
    if (w->colour == NULL || w->pull == NULL) {
        return mb_fail_memory(err, (size_t)nodes * 8, "GrabCut");
    }
    MB_TRY(mb_task_for(task, (size_t)w->lab->height, ROWS_PER_CHUNK, connect_rows, w, err));
done:
    return status;
}

static void close_flow(cut_work *w)
{
    mb_maxflow_free(w->flow);
    mb_free(w->colour);
    mb_free(w->pull);
}

/* The data terms of some rows; > 0 towards the subject. The flow hears what has changed since the round before, and
 * keeps what it found. */
static void pull_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const cut_work *w = arg;
    const float limit = w->o->limit;
    size_t width = (size_t)w->lab->width;
    for (size_t i = begin * width; i < end * width; i++) {
        int32_t k = w->node[i];
        if (k >= 0) {
            float colour = fminf(fmaxf(w->colour[k], -limit), limit);
            int32_t pull = (int32_t)((colour + w->prior[w->mask->v[i]]) * UNIT);
            mb_maxflow_terminal(w->flow, k, pull - w->pull[k]);
            w->pull[k] = pull;
        }
    }
}

/* One cut over the nodes; changes the labels, unless that left nothing on one side. *changed: how many. */
static mb_status cut_once(const mb_task *task, cut_work *w, int *changed, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = pixels_of(w->lab), inside = 0;
    *changed = 0;
    MB_TRY(mb_task_for(task, (size_t)w->lab->height, ROWS_PER_CHUNK, pull_rows, w, err));
    MB_TRY(mb_maxflow_solve(task, w->flow, err));
    for (size_t i = 0; i < n; i++) {
        inside += (size_t)(w->node[i] >= 0 ? mb_maxflow_on_source_side(w->flow, w->node[i]) : w->label[i]);
    }
    if (inside > 0 && inside < n) {
        for (size_t i = 0; i < n; i++) {
            if (w->node[i] >= 0 && w->label[i] != mb_maxflow_on_source_side(w->flow, w->node[i])) {
                w->label[i] ^= 1;
                ++*changed;
            }
        }
    }
done:
    return status;
}

/* ---- the whole reduced picture */

/* The two models, fitted side by side. */
typedef struct fit_job {
    const mb_palette *palette;
    mb_gmm *model[2];        /* subject, ground */
    const float *weights[2]; /* [colours] each */
    float *scratch[2];       /* [colours] each */
} fit_job;

/* Models [begin, end): subject, ground. */
static void fit_one(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const fit_job *j = arg;
    for (size_t k = begin; k < end; k++) {
        mb_gmm_fit(j->model[k], j->palette, j->weights[k], j->scratch[k]);
    }
}

/* Fits both models: to the shares of the mask where `labels` is false, else to the labels. scratch: 4 * colours. */
static mb_status fit_models(const mb_task *task, const cut_work *w, const mb_palette *p, bool labels,
                            mb_grabcut_labels *out, float *scratch, mb_error *err)
{
    size_t k = (size_t)p->colours, n = pixels_of(w->lab);
    float *inside = scratch, *outside = scratch + k;
    memset(scratch, 0, 2 * k * sizeof *scratch);
    for (size_t i = 0; i < n; i++) {
        float m = labels ? (float)w->label[i] : (float)w->mask->v[i] / 255.0f;
        inside[p->cell[i]] += labels ? m : m * m; /* squared: doubtful pixels should not shape either model */
        outside[p->cell[i]] += labels ? 1 - m : (1 - m) * (1 - m);
    }
    fit_job job = {p, {&out->subject, &out->ground}, {inside, outside}, {scratch + 2 * k, scratch + 3 * k}};
    return mb_task_for(task, 2, 1, fit_one, &job, err);
}

/* Colour models and cut in turn over the whole reduced picture. */
static mb_status cut_whole(const mb_task *task, cut_work *w, const mb_palette *p, mb_grabcut_labels *out, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = pixels_of(w->lab), colours = (size_t)p->colours;
    int changed = 1;
    float *scratch = mb_alloc_array(colours, 4 * sizeof *scratch);
    if (scratch == NULL) {
        return mb_fail_memory(err, colours * 4 * sizeof *scratch, "GrabCut");
    }
    for (int y = 0; y < w->lab->height; y++) {
        for (int x = 0; x < w->lab->width; x++) {
            w->node[(size_t)y * (size_t)w->lab->width + (size_t)x] = mb_maxflow_grid_node(w->lab->width, x, y);
        }
    }
    MB_TRY(open_flow(task, w, mb_maxflow_grid_nodes(w->lab->width, w->lab->height), true, err));
    for (int round = 0; round < w->o->rounds && changed > 0; round++) {
        MB_TRY(fit_models(task, w, p, round > 0, out, scratch, err));
        for (size_t c = 0; c < colours; c++) {
            scratch[c] = mb_gmm_log(&out->subject, p->lab + 3 * c) - mb_gmm_log(&out->ground, p->lab + 3 * c);
        }
        for (size_t i = 0; i < n; i++) {
            w->colour[w->node[i]] = scratch[p->cell[i]];
        }
        MB_TRY(cut_once(task, w, &changed, err));
        mb_report_progress(task, (round + 1.0) / w->o->rounds);
    }
done:
    mb_free(scratch);
    close_flow(w);
    return status;
}

/* Which components of a label to flip: those of less than `least` pixels, or, where share > 0, of less than 1/share of
 * the largest one. */
typedef struct flip_rule {
    int least, share;
} flip_rule;

/* Flips small components (4 neighbours) of the label `of`. */
static mb_status flip_small(const mb_task *task, mb_grabcut_labels *l, uint8_t of, flip_rule rule, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)l->width * (size_t)l->height;
    mb_image_u8 flags = {0};
    mb_connected c = {0};
    MB_TRY(mb_image_u8_create(&flags, l->width, l->height, 1, err));
    for (size_t i = 0; i < n; i++) {
        flags.v[i] = l->label[i] == of;
    }
    MB_TRY(mb_connected_find(task, &c, &flags, 1, MB_CONNECT_4, err));
    int64_t largest = 0;
    for (int32_t k = 1; k <= c.count; k++) {
        largest = c.area[k] > largest ? c.area[k] : largest;
    }
    int64_t least = rule.share > 0 ? largest / rule.share : rule.least;
    for (size_t i = 0; i < n; i++) {
        if (c.label[i] > 0 && c.area[c.label[i]] < least) {
            l->label[i] ^= 1;
        }
    }
done:
    mb_connected_dispose(&c);
    mb_image_u8_dispose(&flags);
    return status;
}

/* The mask at the size of the picture decides the first labels; if all are the same there is nothing to cut. */
mb_status mb_grabcut_cut(const mb_task *task, mb_grabcut_labels *out, const mb_grabcut_picture *p,
                         const mb_image_u8 *mask, const mb_grabcut_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = pixels_of(&p->lab), inside = 0;
    mb_image_u8 small = {0};
    const mb_grabcut_options *o = options != NULL ? options : &defaults;
    cut_work w = {.o = o, .mask = &small, .lab = &p->lab, .similarity = p->similarity};
    *out = (mb_grabcut_labels){.width = p->lab.width, .height = p->lab.height};
    if (mask->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "GrabCut needs a grey mask, not %d channels", mask->channels);
    }
    MB_TRY(mb_image_u8_rescale(task, &small, mask, p->lab.width, p->lab.height, err));
    out->label = mb_alloc_array(n, 1);
    w.label = out->label;
    w.node = mb_alloc_array(n, sizeof *w.node);
    if (!out->label || !w.node) {
        status = mb_fail_memory(err, n * 5, "GrabCut");
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        out->label[i] = small.v[i] >= 128;
        inside += out->label[i];
    }
    out->trivial = inside == 0 || inside == n;
    if (!out->trivial) {
        fill_prior(w.prior, o->prior);
        MB_TRY(cut_whole(task, &w, &p->palette, out, err));
        MB_TRY(flip_small(task, out, 1, (flip_rule){.share = o->piece}, err));
        MB_TRY(flip_small(task, out, 0, (flip_rule){.least = (int)(n / SMALLEST_HOLE)}, err));
    }
done:
    mb_image_u8_dispose(&small);
    mb_free(w.node);
    if (status != MB_OK) {
        mb_grabcut_labels_dispose(out);
    }
    return status;
}

void mb_grabcut_labels_dispose(mb_grabcut_labels *l)
{
    mb_free(l->label);
    *l = (mb_grabcut_labels){0};
}

/* ---- the band */

/* Takes the outline of the reduced cut over and frees a band of about 1.5 of its pixels on both sides. -> nodes. */
static mb_status take_outline(const mb_task *task, cut_work *w, const mb_grabcut_labels *small, int *nodes,
                              mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 soft = {0}, large = {0};
    int width = small->width, height = small->height;
    MB_TRY(mb_image_u8_create(&soft, width, height, 1, err));
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int sum = 0;
            for (int k = 0; k < 9; k++) {
                int u = x + k % 3 - 1, v = y + k / 3 - 1;
                u = u < 0 ? 0 : u >= width ? width - 1 : u;
                v = v < 0 ? 0 : v >= height ? height - 1 : v;
                sum += small->label[v * width + u];
            }
            soft.v[y * width + x] = (uint8_t)(sum * 255 / 9);
        }
    }
    MB_TRY(mb_image_u8_rescale(task, &large, &soft, w->lab->width, w->lab->height, err));
    *nodes = 0;
    for (size_t i = 0; i < pixels_of(w->lab); i++) {
        w->label[i] = large.v[i] >= 128;
        w->node[i] = large.v[i] > 2 && large.v[i] < 253 ? (*nodes)++ : -1;
    }
done:
    mb_image_u8_dispose(&soft);
    mb_image_u8_dispose(&large);
    return status;
}

/* The data terms of the band, by the models of the whole picture. */
static void colour_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const cut_work *w = arg;
    size_t width = (size_t)w->lab->width;
    for (size_t i = begin * width; i < end * width; i++) {
        if (w->node[i] >= 0) {
            const float *lab = w->lab->v + 3 * i;
            w->colour[w->node[i]] = mb_gmm_log(w->subject, lab) - mb_gmm_log(w->ground, lab);
        }
    }
}

/* label [H,W] of the copy `rgb` of the photo: the reduced cut's outline, moved within its band. */
static mb_status cut_band(const mb_task *task, uint8_t *label, const mb_grabcut_labels *small, const mb_image_u8 *rgb,
                          const mb_image_u8 *mask, const mb_grabcut_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    mb_lab lab = {0};
    mb_image_u8 scaled = {0};
    size_t n = (size_t)rgb->width * (size_t)rgb->height;
    int nodes = 0, changed;
    cut_work w = {.o = o, .mask = &scaled, .lab = &lab, .label = label};
    w.subject = &small->subject;
    w.ground = &small->ground;
    w.node = mb_alloc_array(n, sizeof *w.node);
    if (w.node == NULL) {
        return mb_fail_memory(err, n * sizeof *w.node, "GrabCut");
    }
    fill_prior(w.prior, o->prior);
    MB_TRY(mb_lab_create(task, &lab, rgb, err));
    MB_TRY(measure_edges(task, &w.edge_scale, &lab, err));
    MB_TRY(mb_image_u8_rescale(task, &scaled, mask, rgb->width, rgb->height, err));
    MB_TRY(take_outline(task, &w, small, &nodes, err));
    mb_report_progress(task, 0.4);
    if (nodes > 0) {
        MB_TRY(open_flow(task, &w, nodes, false, err));
        MB_TRY(mb_task_for(task, (size_t)rgb->height, ROWS_PER_CHUNK, colour_rows, &w, err));
        mb_report_progress(task, 0.6);
        MB_TRY(cut_once(task, &w, &changed, err));
    }
done:
    close_flow(&w);
    mb_free(w.node);
    mb_lab_dispose(&lab);
    mb_image_u8_dispose(&scaled);
    return status;
}

/* ---- the result */

/* No larger picture, no band: the labels are drawn as they are. */
mb_status mb_grabcut_finish(const mb_task *task, mb_image_u8 *out, const mb_grabcut_labels *cut, const mb_image_u8 *rgb,
                            const mb_image_u8 *mask, const mb_grabcut_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_grabcut_options *o = options != NULL ? options : &defaults;
    mb_image_u8 copy = {0};
    uint8_t *label = NULL;
    *out = (mb_image_u8){0};
    if (cut->trivial) {
        return mb_image_u8_rescale(task, out, mask, rgb->width, rgb->height, err);
    }
    if (rgb->width <= cut->width && rgb->height <= cut->height) {
        return mb_draw_labels(task, out, cut->label, cut->width, cut->height, rgb, err);
    }
    MB_TRY(mb_image_u8_reduce(task, &copy, rgb, o->band_side, err));
    size_t n = (size_t)copy.width * (size_t)copy.height;
    label = mb_alloc_array(n, 1);
    if (label == NULL) {
        status = mb_fail_memory(err, n, "GrabCut");
        goto done;
    }
    const mb_task band = mb_task_part(task, 0.1, 0.8);
    MB_TRY(cut_band(&band, label, cut, &copy, mask, o, err));
    MB_TRY(mb_draw_labels(task, out, label, copy.width, copy.height, rgb, err));
done:
    mb_image_u8_dispose(&copy);
    mb_free(label);
    return status;
}

/* One mask of one picture. */
mb_status mb_grabcut(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                     const mb_grabcut_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_grabcut_picture picture = {0};
    mb_grabcut_labels cut = {0};
    const mb_task opening = mb_task_part(task, 0.0, OPEN_SHARE), cutting = mb_task_part(task, OPEN_SHARE, CUT_SHARE);
    const mb_task finishing = mb_task_part(task, OPEN_SHARE + CUT_SHARE, 1.0 - OPEN_SHARE - CUT_SHARE);
    *out = (mb_image_u8){0};
    MB_TRY(mb_grabcut_open(&opening, &picture, rgb, err));
    MB_TRY(mb_grabcut_cut(&cutting, &cut, &picture, mask, options, err));
    MB_TRY(mb_grabcut_finish(&finishing, out, &cut, rgb, mask, options, err));
done:
    mb_grabcut_close(&picture);
    mb_grabcut_labels_dispose(&cut);
    return status;
}
