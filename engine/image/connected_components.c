#include "image/connected_components.h"

#include "core/alloc.h"

#define STRONG 26 /* of 255: a tenth */

enum { UNSEEN = 0, REACHED = -1 }; /* beside the labels, which count from 1 */

/* Spreads `label` from the first n pixels of the queue over touching unseen pixels of at least `least`. Returns how many
 * there are in the queue at the end. */
static int32_t spread(const mb_task *task, mb_connected *c, const mb_image_u8 *gray, int32_t n, int32_t label,
                      int least, mb_connectivity connectivity)
{
    const int w = gray->width, h = gray->height;
    for (int32_t i = 0; i < n; i++) {
        if (i % MB_POLL_STRIDE == 0 && mb_should_stop(task)) {
            return n;
        }
        int x = c->queue[i] % w, y = c->queue[i] / w;
        for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < h; v++) {
            for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < w; u++) {
                int32_t at = (int32_t)((int64_t)v * w + u);
                bool touches = connectivity == MB_CONNECT_8 || u == x || v == y;
                if (touches && c->label[at] == UNSEEN && gray->v[at] >= least) {
                    c->label[at] = label;
                    c->queue[n++] = at;
                }
            }
        }
    }
    return n;
}

/* Room for the area of one more label. */
static mb_status reserve(mb_connected *c, size_t *capacity, mb_error *err)
{
    if ((size_t)c->count + 2 <= *capacity) {
        return MB_OK;
    }
    size_t larger = *capacity > 0 ? 2 * *capacity : 256;
    int64_t *area = mb_realloc_array(c->area, larger, sizeof *area);
    if (area == NULL) {
        return mb_fail_memory(err, larger * sizeof *area, "the components of a mask");
    }
    c->area = area;
    *capacity = larger;
    return MB_OK;
}

/* Flood fill from every pixel that no earlier one has reached. */
mb_status mb_connected_find(const mb_task *task, mb_connected *out, const mb_image_u8 *gray, int least,
                            mb_connectivity connectivity, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)gray->width * (size_t)gray->height, capacity = 0;
    *out = (mb_connected){0};
    if (n > INT32_MAX) {
        return mb_fail(err, MB_E_MEMORY, "a mask of %d x %d pixels is too large for this", gray->width, gray->height);
    }
    out->label = mb_calloc(n, sizeof *out->label);
    out->queue = mb_alloc_array(n, sizeof *out->queue);
    if (out->label == NULL || out->queue == NULL) {
        return mb_fail_memory(err, n * 2 * sizeof *out->label, "the components of a mask");
    }
    for (size_t i = 0; i < n; i++) {
        if (gray->v[i] < least || out->label[i] != UNSEEN) {
            continue;
        }
        MB_TRY(reserve(out, &capacity, err));
        int32_t label = ++out->count;
        out->queue[0] = (int32_t)i;
        out->label[i] = label;
        out->area[label] = spread(task, out, gray, 1, label, least, connectivity);
        MB_TRY(mb_task_check(task, err));
    }
done:
    return status;
}

void mb_connected_dispose(mb_connected *c)
{
    mb_free(c->label);
    mb_free(c->area);
    mb_free(c->queue);
    *c = (mb_connected){0};
}

/* Which components stay: area[k] becomes 1 or 0. -> how many go. */
static int apply_rule(mb_connected *c, const mb_component_rule *rule)
{
    int32_t best = 0;
    int dropped = 0;
    for (int32_t k = 1; k <= c->count; k++) {
        best = best == 0 || c->area[k] > c->area[best] ? k : best;
    }
    for (int32_t k = 1; k <= c->count; k++) {
        bool stays = (!rule->largest || k == best) && c->area[k] >= rule->min_area;
        dropped += !stays;
        c->area[k] = stays;
    }
    return dropped;
}

/* Strong pixels make the components; faint ones are then reached from those that stay, so a soft edge stays with its
 * subject. */
mb_status mb_keep_components(const mb_task *task, mb_image_u8 *alpha, mb_image_f32 *alpha_f32,
                             const mb_component_rule *rule, int *dropped, mb_error *err)
{
    mb_connected c;
    mb_status status = MB_OK;
    size_t n = (size_t)alpha->width * (size_t)alpha->height;
    *dropped = 0;
    MB_TRY(mb_connected_find(task, &c, alpha, STRONG, MB_CONNECT_8, err));
    *dropped = apply_rule(&c, rule);
    int32_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (c.label[i] > 0 && c.area[c.label[i]] == 1) {
            c.queue[kept++] = (int32_t)i;
        }
    }
    (void)spread(task, &c, alpha, kept, REACHED, 1, MB_CONNECT_8); /* faint pixels that reach one that stays */
    MB_TRY(mb_task_check(task, err));
    for (size_t i = 0; i < n; i++) {
        bool stays = c.label[i] == REACHED || (c.label[i] > 0 && c.area[c.label[i]] == 1);
        if (!stays) {
            alpha->v[i] = 0;
            if (alpha_f32 != NULL) {
                alpha_f32->v[i] = 0.0f;
            }
        }
    }
done:
    mb_connected_dispose(&c);
    return status;
}
