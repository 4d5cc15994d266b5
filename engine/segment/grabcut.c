/* snap (see the header). Energy of a labelling, in nats:
 *   sum over pixels   -limit < log p(colour | other) - log p(colour | own) < limit, plus prior * logit(mask)
 *   sum over pairs    smooth / distance * exp(-|colour difference|^2 / (2 * mean)) where the labels differ (8
 * neighbours) The colour models are fitted to the mask's shares in the first round and to the labels from then on. */
#include "segment/grabcut.h"

#include "core/alloc.h"
#include "segment/gmm.h"
#include "segment/maxflow.h"
#include "image/resample/reduce.h"
#include "segment/slic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Nats to the integers of the cut. */
static const float UNIT = 256.0f;

/* Holes below 1/500 of the picture are filled. */
enum { SMALLEST_HOLE = 500 };

typedef struct work {
    const mb_grabcut_options *o;
    mb_image_u8 rgb, mask;
    float *lab;     /* [H,W][3] */
    int32_t *node;  /* [H,W] node of the cut, or -1: label is fixed */
    uint8_t *label; /* [H,W] 1 = subject */
    float prior[256];
    float edge_scale; /* 1 / (2 * mean squared colour difference of neighbours) */
} work;

static void dispose_work(work *w)
{
    mb_image_u8_dispose(&w->rgb);
    mb_image_u8_dispose(&w->mask);
    mb_free(w->lab);
    mb_free(w->node);
    mb_free(w->label);
}

static float difference(const float *a, const float *b)
{
    float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

static size_t pixels(const work *w)
{
    return (size_t)w->rgb.width * (size_t)w->rgb.height;
}

/* Copies of the picture and the mask with the longer side at most `side`, and what the energy needs of them. */
static mb_status open_work(work *w, const mb_image_u8 *rgb, const mb_image_u8 *mask, int side, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(mb_image_u8_reduce(&w->rgb, rgb, side, err));
    MB_TRY(mb_image_u8_rescale(&w->mask, mask, w->rgb.width, w->rgb.height, err));
    size_t n = pixels(w), stride = (size_t)w->rgb.width;
    w->lab = mb_alloc_array(n, 3 * sizeof *w->lab);
    w->node = mb_alloc_array(n, sizeof *w->node);
    w->label = mb_alloc_array(n, 1);
    if (!w->lab || !w->node || !w->label) {
        return mb_fail_memory(err, n * 17, "snap");
    }
    mb_rgb_to_lab(w->lab, w->rgb.v, n, w->rgb.channels);
    double sum = 0;
    for (size_t i = stride; i < n; i++) {
        sum += (double)(difference(w->lab + 3 * i, w->lab + 3 * (i - stride)) +
                        difference(w->lab + 3 * i, w->lab + 3 * (i - 1)));
    }
    w->edge_scale = (float)((double)n / (sum + 1e-6));
    for (int i = 0; i < 256; i++) {
        float p = fminf(fmaxf((float)i / 255.0f, 0.01f), 0.99f);
        w->prior[i] = w->o->prior * logf(p / (1 - p));
    }
done:
    return status;
}

/* The nodes' data terms: > 0 towards the subject. */
static int data_term(const work *w, size_t i, float colour)
{
    float limit = w->o->limit;
    return (int)((fminf(fmaxf(colour, -limit), limit) + w->prior[w->mask.v[i]]) * UNIT);
}

/* Edges between nodes, and the pull of fixed neighbours. */
static void add_edges(const work *w, mb_maxflow *cut)
{
    int width = w->rgb.width, height = w->rgb.height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int i = y * width + x;
            for (int d = 0; d < MB_CUT_DIRECTIONS; d += 2) { /* the other half are the reverses */
                int u = x + mb_maxflow_dx[d], v = y + mb_maxflow_dy[d], j = v * width + u;
                if (u < 0 || v < 0 || u >= width || v >= height || (w->node[i] < 0 && w->node[j] < 0)) {
                    continue;
                }
                float same = expf(-difference(w->lab + 3 * (size_t)i, w->lab + 3 * (size_t)j) * w->edge_scale);
                int c = (int)(w->o->smooth * UNIT * same * (d < 4 ? 1.0f : 0.70710678f)) + 1;
                if (w->node[i] >= 0 && w->node[j] >= 0) {
                    mb_maxflow_edge(cut, w->node[i], w->node[j], d, c);
                } else {
                    int inside = w->node[i] >= 0 ? i : j, outside = w->node[i] >= 0 ? j : i;
                    mb_maxflow_terminal(cut, w->node[inside], w->label[outside] ? c : -c);
                }
            }
        }
    }
}

/* Fits both models: to the mask's shares where `labels` is false, else to the labels. */
static void fit_models(const work *w, const mb_palette *p, bool labels, mb_gmm *subject, mb_gmm *ground, float *scratch)
{
    size_t k = (size_t)p->colours, n = pixels(w);
    float *inside = scratch, *outside = scratch + k;
    memset(scratch, 0, 2 * k * sizeof *scratch);
    for (size_t i = 0; i < n; i++) {
        float m = labels ? (float)w->label[i] : (float)w->mask.v[i] / 255.0f;
        inside[p->cell[i]] += labels ? m : m * m; /* squared: doubtful pixels should not shape either model */
        outside[p->cell[i]] += labels ? 1 - m : (1 - m) * (1 - m);
    }
    mb_gmm_fit(subject, p, inside, scratch + 2 * k);
    mb_gmm_fit(ground, p, outside, scratch + 2 * k);
}

static int count_labels(const work *w)
{
    int count = 0;
    for (size_t i = 0; i < pixels(w); i++) {
        count += w->label[i];
    }
    return count;
}

/* One cut over the nodes; changes the labels, unless that left nothing on one side. -> changed pixels. */
static mb_status cut_once(work *w, int nodes, const float *data, int *changed, mb_error *err)
{
    mb_maxflow *cut = NULL;
    mb_status status = mb_maxflow_create(&cut, nodes, err);
    if (status != MB_OK) {
        return status;
    }
    add_edges(w, cut);
    for (size_t i = 0; i < pixels(w); i++) {
        if (w->node[i] >= 0) {
            mb_maxflow_terminal(cut, w->node[i], data_term(w, i, data[w->node[i]]));
        }
    }
    mb_maxflow_solve(cut);
    int inside = 0;
    *changed = 0;
    for (size_t i = 0; i < pixels(w); i++) {
        inside += w->node[i] >= 0 ? mb_maxflow_on_source_side(cut, w->node[i]) : w->label[i];
    }
    for (size_t i = 0; i < pixels(w) && inside > 0 && (size_t)inside < pixels(w); i++) {
        if (w->node[i] >= 0 && w->label[i] != mb_maxflow_on_source_side(cut, w->node[i])) {
            w->label[i] ^= 1;
            ++*changed;
        }
    }
    mb_maxflow_free(cut);
    return MB_OK;
}

/* Colour models and cut in turn over the whole reduced picture. */
static mb_status cut_whole(work *w, mb_gmm *subject, mb_gmm *ground, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = pixels(w);
    mb_palette p = {0};
    float *scratch = NULL, *data = NULL;
    MB_TRY(mb_palette_create(&p, &w->rgb, err));
    scratch = mb_alloc_array((size_t)p.colours, 3 * sizeof *scratch);
    data = mb_alloc_array(n, sizeof *data);
    if (!scratch || !data) {
        status = mb_fail_memory(err, n * 16, "snap");
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        w->node[i] = (int32_t)i;
    }
    int changed = 1;
    for (int round = 0; round < w->o->rounds && changed > 0; round++) {
        fit_models(w, &p, round > 0, subject, ground, scratch);
        for (int c = 0; c < p.colours; c++) {
            scratch[c] = mb_gmm_log(subject, p.lab + 3 * c) - mb_gmm_log(ground, p.lab + 3 * c);
        }
        for (size_t i = 0; i < n; i++) {
            data[i] = scratch[p.cell[i]];
        }
        MB_TRY(cut_once(w, (int)n, data, &changed, err));
    }
done:
    mb_palette_dispose(&p);
    mb_free(scratch);
    mb_free(data);
    return status;
}

/* Flips small pieces of the label `of`: those below `least`, or below a share of the largest where share > 0. */
static void flip_small(work *w, uint8_t of, int least, int share)
{
    static const int dx[4] = {1, -1, 0, 0}, dy[4] = {0, 0, 1, -1};
    int width = w->rgb.width, n = (int)pixels(w), largest = 0;
    int32_t *stack = w->node;              /* free between the cuts */
    for (int pass = 0; pass < 2; pass++) { /* 0: find the largest, 1: flip; marks are 2 and 4 */
        uint8_t mark = (uint8_t)(2 << pass);
        for (int start = 0; start < n; start++) {
            if ((w->label[start] & 1) != of || (w->label[start] & mark)) {
                continue;
            }
            int size = 0;
            stack[size++] = start;
            w->label[start] |= mark;
            for (int at = 0; at < size; at++) {
                int x = stack[at] % width, y = stack[at] / width;
                for (int d = 0; d < 4; d++) {
                    int u = x + dx[d], v = y + dy[d], j = v * width + u;
                    if (u < 0 || v < 0 || u >= width || v >= w->rgb.height) {
                        continue;
                    }
                    if ((w->label[j] & 1) == of && !(w->label[j] & mark)) {
                        w->label[j] |= mark;
                        stack[size++] = j;
                    }
                }
            }
            largest = size > largest ? size : largest;
            for (int i = 0; pass == 1 && size < (share ? largest / share : least) && i < size; i++) {
                w->label[stack[i]] ^= 1;
            }
        }
    }
    for (int i = 0; i < n; i++) {
        w->label[i] &= 1;
    }
}

/* Takes the outline of `small` over to w and frees a band of about 1.5 of its pixels on both sides. -> nodes. */
static mb_status take_outline(work *w, const work *small, int *nodes, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 soft = {0}, large = {0};
    int width = small->rgb.width, height = small->rgb.height;
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
    MB_TRY(mb_image_u8_rescale(&large, &soft, w->rgb.width, w->rgb.height, err));
    *nodes = 0;
    for (size_t i = 0; i < pixels(w); i++) {
        w->label[i] = large.v[i] >= 128;
        w->node[i] = large.v[i] > 2 && large.v[i] < 253 ? (*nodes)++ : -1;
    }
done:
    mb_image_u8_dispose(&soft);
    mb_image_u8_dispose(&large);
    return status;
}

static mb_status cut_band(work *w, int nodes, const mb_gmm *subject, const mb_gmm *ground, mb_error *err)
{
    int changed;
    float *data = mb_alloc_array((size_t)nodes, sizeof *data);
    if (!data) {
        return mb_fail_memory(err, (size_t)nodes * sizeof *data, "snap");
    }
    for (size_t i = 0; i < pixels(w); i++) {
        if (w->node[i] >= 0) {
            data[w->node[i]] = mb_gmm_log(subject, w->lab + 3 * i) - mb_gmm_log(ground, w->lab + 3 * i);
        }
    }
    mb_status status = cut_once(w, nodes, data, &changed, err);
    mb_free(data);
    return status;
}

/* The labels as a mask with one pixel of smoothing (1 2 1 both ways), enlarged to width x height. */
static mb_status draw(mb_image_u8 *out, const work *w, int width, int height, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 soft = {0};
    int sw = w->rgb.width, sh = w->rgb.height;
    MB_TRY(mb_image_u8_create(&soft, sw, sh, 1, err));
    for (int y = 0; y < sh; y++) {
        const uint8_t *row[3] = {w->label + (size_t)(y > 0 ? y - 1 : 0) * (size_t)sw, w->label + (size_t)y * (size_t)sw,
                                 w->label + (size_t)(y < sh - 1 ? y + 1 : y) * (size_t)sw};
        for (int x = 0; x < sw; x++) {
            int l = x > 0 ? x - 1 : 0, r = x < sw - 1 ? x + 1 : x, sum = 0;
            for (int k = 0; k < 3; k++) {
                sum += (k == 1 ? 2 : 1) * (row[k][l] + 2 * row[k][x] + row[k][r]);
            }
            soft.v[y * sw + x] = (uint8_t)((sum * 255 + 8) / 16);
        }
    }
    MB_TRY(mb_image_u8_rescale(out, &soft, width, height, err));
done:
    mb_image_u8_dispose(&soft);
    return status;
}

static mb_status snap_labels(mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask, work *small,
                             work *large, mb_error *err)
{
    mb_status status = MB_OK;
    mb_gmm subject, ground;
    int nodes = 0;
    MB_TRY(cut_whole(small, &subject, &ground, err));
    flip_small(small, 1, 0, small->o->piece);
    flip_small(small, 0, (int)(pixels(small) / SMALLEST_HOLE), 0);
    const work *last = small;
    if (rgb->width > small->rgb.width || rgb->height > small->rgb.height) {
        MB_TRY(open_work(large, rgb, mask, large->o->band_side, err));
        MB_TRY(take_outline(large, small, &nodes, err));
        if (nodes > 0) {
            MB_TRY(cut_band(large, nodes, &subject, &ground, err));
        }
        last = large;
    }
    MB_TRY(draw(out, last, rgb->width, rgb->height, err));
done:
    return status;
}

mb_status mb_grabcut(mb_image_u8 *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                     const mb_grabcut_options *options, mb_error *err)
{
    static const mb_grabcut_options defaults = MB_GRABCUT_DEFAULTS;
    mb_status status = MB_OK;
    work small = {.o = options ? options : &defaults}, large = {.o = small.o};
    *out = (mb_image_u8){0};
    if (rgb->channels < 3 || mask->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "snap needs an RGB picture and a grey mask, not %d and %d channels",
                       rgb->channels, mask->channels);
    }
    MB_TRY(open_work(&small, rgb, mask, small.o->side, err));
    for (size_t i = 0; i < pixels(&small); i++) {
        small.label[i] = small.mask.v[i] >= 128;
    }
    int inside = count_labels(&small);
    if (inside == 0 || (size_t)inside == pixels(&small)) {
        MB_TRY(mb_image_u8_rescale(out, mask, rgb->width, rgb->height, err));
    } else {
        MB_TRY(snap_labels(out, rgb, mask, &small, &large, err));
    }
done:
    dispose_work(&small);
    dispose_work(&large);
    return status;
}
