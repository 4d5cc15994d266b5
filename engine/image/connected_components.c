#include "image/connected_components.h"

#include "core/alloc.h"

#include <string.h>

#define STRONG 26 /* of 255: a tenth */

enum { UNSEEN = 0, REACHED = -1 }; /* labels of parts count from 1 */

typedef struct search {
    const mb_image_u8 *alpha;
    int32_t *label; /* [H,W] */
    int32_t *queue; /* [H,W] pixels to look around */
    int64_t *area;  /* [capacity] by label */
    int32_t n_parts, capacity;
} search;

/* Spreads `label` from the n pixels in the queue over touching unseen pixels of at least `least`. Returns how many
 * there are in the queue at the end. */
static int32_t spread(search *s, int32_t n, int32_t label, int least)
{
    const int w = s->alpha->width, h = s->alpha->height;
    for (int32_t i = 0; i < n; i++) {
        int x = s->queue[i] % w, y = s->queue[i] / w;
        for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < h; v++) {
            for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < w; u++) {
                int32_t at = (int32_t)((int64_t)v * w + u);
                if (s->label[at] == UNSEEN && s->alpha->v[at] >= least) {
                    s->label[at] = label;
                    s->queue[n++] = at;
                }
            }
        }
    }
    return n;
}

static mb_status find_parts(search *s, mb_error *err)
{
    int32_t n = (int32_t)((int64_t)s->alpha->width * s->alpha->height);
    for (int32_t i = 0; i < n; i++) {
        if (s->alpha->v[i] < STRONG || s->label[i] != UNSEEN) {
            continue;
        }
        if (++s->n_parts >= s->capacity) {
            size_t capacity = s->capacity > 0 ? 2 * (size_t)s->capacity : 256;
            int64_t *area = mb_realloc_array(s->area, capacity, sizeof *area);
            if (area == NULL) {
                return mb_fail_memory(err, capacity * sizeof *area, "the parts of a mask");
            }
            s->area = area;
            s->capacity = (int32_t)capacity;
        }
        s->queue[0] = i;
        s->label[i] = s->n_parts;
        s->area[s->n_parts] = spread(s, 1, s->n_parts, STRONG);
    }
    return MB_OK;
}

/* Which parts stay: area[k] becomes 1 or 0. */
static int judge(search *s, const mb_component_rule *rule)
{
    int32_t best = 0;
    int dropped = 0;
    for (int32_t k = 1; k <= s->n_parts; k++) {
        best = best == 0 || s->area[k] > s->area[best] ? k : best;
    }
    for (int32_t k = 1; k <= s->n_parts; k++) {
        bool stays = (!rule->largest || k == best) && s->area[k] >= rule->min_area;
        dropped += !stays;
        s->area[k] = stays;
    }
    return dropped;
}

mb_status mb_keep_components(mb_image_u8 *alpha, mb_image_f32 *fine, const mb_component_rule *rule, int *dropped,
                             mb_error *err)
{
    search s = {.alpha = alpha};
    mb_status status = MB_OK;
    size_t n = (size_t)alpha->width * (size_t)alpha->height;
    *dropped = 0;
    if (n > INT32_MAX) {
        return mb_fail(err, MB_E_MEMORY, "a mask of %d x %d pixels is too large for this", alpha->width, alpha->height);
    }
    s.label = mb_calloc(n, sizeof *s.label);
    s.queue = mb_alloc_array(n, sizeof *s.queue);
    if (s.label == NULL || s.queue == NULL) {
        status = mb_fail_memory(err, n * 2 * sizeof *s.label, "the parts of a mask");
        goto done;
    }
    MB_TRY(find_parts(&s, err));
    if (s.n_parts > 0) {
        *dropped = judge(&s, rule);
    }
    int32_t seeds = 0;
    for (size_t i = 0; i < n; i++) {
        if (s.label[i] > 0 && s.area[s.label[i]] == 1) {
            s.queue[seeds++] = (int32_t)i;
        }
    }
    (void)spread(&s, seeds, REACHED, 1); /* faint pixels that reach a part that stays */
    for (size_t i = 0; i < n; i++) {
        bool stays = s.label[i] == REACHED || (s.label[i] > 0 && s.area[s.label[i]] == 1);
        if (!stays) {
            alpha->v[i] = 0;
            if (fine != NULL) {
                fine->v[i] = 0.0f;
            }
        }
    }
done:
    mb_free(s.label);
    mb_free(s.queue);
    mb_free(s.area);
    return status;
}
