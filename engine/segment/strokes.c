/* Strokes on a mask: they are spread over what has their colours, GrabCut moves that to edges, and of what has changed
 * the pieces that touch a stroke are taken. */
#include "segment/strokes.h"

#include "core/alloc.h"
#include "segment/gmm.h"
#include "segment/grabcut.h"
#include "segment/lab.h"

#include <string.h>

#define LEAST_MARGIN 32    /* pixels around the strokes; else as much as their box is large */
#define ALIKE        12.0f /* L*a*b*: colours this near to one of a stroke's may belong to what it means */
#define SPREAD       230   /* of 255: what spreading says is a start for the cut, not certain */

typedef struct box {
    int x, y, width, height;
} box;

/* 1: subject, -1: background, 0: nothing is said */
static int said(uint8_t v)
{
    return v >= MB_STROKE_SUBJECT ? 1 : v <= MB_STROKE_GROUND ? -1 : 0;
}

/* The box of all strokes with `margins` times the usual margin around it; width 0: there are none. */
static box around(const mb_image_u8 *strokes, int margins)
{
    int left = strokes->width, top = strokes->height, right = -1, bottom = -1;
    for (int y = 0; y < strokes->height; y++) {
        for (int x = 0; x < strokes->width; x++) {
            if (said(strokes->v[(size_t)y * (size_t)strokes->width + (size_t)x]) != 0) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y;
            }
        }
    }
    if (right < 0) {
        return (box){0};
    }
    const int longer = right - left > bottom - top ? right - left : bottom - top;
    const int margin = margins * (longer > LEAST_MARGIN ? longer : LEAST_MARGIN);
    box b = {left > margin ? left - margin : 0, top > margin ? top - margin : 0, 0, 0};
    b.width = (strokes->width - right > margin ? right + margin : strokes->width) - b.x;
    b.height = (strokes->height - bottom > margin ? bottom + margin : strokes->height) - b.y;
    return b;
}

static mb_status crop(mb_image_u8 *out, const mb_image_u8 *from, box b, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, b.width, b.height, from->channels, err);
    const size_t pixel = (size_t)from->channels, row = (size_t)b.width * pixel;
    for (int y = 0; y < b.height && status == MB_OK; y++) {
        memcpy(out->v + (size_t)y * row, from->v + ((size_t)(b.y + y) * (size_t)from->width + (size_t)b.x) * pixel,
               row);
    }
    return status;
}

/* The part of the photo that is worked on. */
typedef struct part {
    mb_image_u8 photo, old, start, strokes, cut; /* start: the mask that the cut begins with */
    mb_palette palette;
    uint8_t *alike; /* for each colour of the palette */
    int32_t *queue; /* [H,W] */
    uint8_t *seen;  /* [H,W] */
} part;

/* Which colours are near to one of the strokes of this way. */
static mb_status find_alike(const mb_task *task, part *p, int way, mb_error *err)
{
    const mb_palette *colours = &p->palette;
    const size_t n = (size_t)p->old.width * (size_t)p->old.height;
    uint8_t *used = mb_alloc_array((size_t)colours->colours, 1);
    if (used == NULL) {
        return mb_fail_memory(err, (size_t)colours->colours, "colours of strokes");
    }
    memset(used, 0, (size_t)colours->colours);
    for (size_t i = 0; i < n; i++) {
        used[colours->cell[i]] |= said(p->strokes.v[i]) == way;
    }
    for (int i = 0; i < colours->colours && !mb_should_stop(task); i++) {
        p->alike[i] = used[i];
        for (int k = 0; k < colours->colours && !p->alike[i]; k++) {
            p->alike[i] = used[k] &&
                          mb_lab_distance2(colours->lab + 3 * (size_t)i, colours->lab + 3 * (size_t)k) <= ALIKE * ALIKE;
        }
    }
    mb_free(used);
    return MB_OK;
}

/* The neighbours of pixel i above, below and beside it; -1: outside. */
static void neighbours(int next[4], int i, int w, int h)
{
    const int x = i % w, y = i / w;
    next[0] = x > 0 ? i - 1 : -1;
    next[1] = x + 1 < w ? i + 1 : -1;
    next[2] = y > 0 ? i - w : -1;
    next[3] = y + 1 < h ? i + w : -1;
}

/* Puts the strokes of one way into the queue; returns how many pixels they have. */
static int begin_flood(part *p, int way)
{
    const int n = p->old.width * p->old.height;
    int tail = 0;
    memset(p->seen, 0, (size_t)n);
    for (int i = 0; i < n; i++) {
        if (said(p->strokes.v[i]) == way) {
            p->seen[i] = 1;
            p->queue[tail++] = i;
        }
    }
    return tail;
}

/* The start of the cut: the strokes of one way flow over what has their colours and the other label in the mask. */
static void spread(part *p, int way)
{
    const int w = p->old.width, h = p->old.height;
    int tail = begin_flood(p, way);
    for (int head = 0; head < tail; head++) {
        int next[4];
        neighbours(next, p->queue[head], w, h);
        for (int k = 0; k < 4; k++) {
            const int j = next[k];
            if (j >= 0 && !p->seen[j] && p->alike[p->palette.cell[j]] && (p->old.v[j] >= 128) == (way < 0) &&
                said(p->strokes.v[j]) == 0) {
                p->seen[j] = 1;
                p->queue[tail++] = j;
                p->start.v[j] = (uint8_t)(way > 0 ? SPREAD : 255 - SPREAD);
            }
        }
    }
}

/* Does the cut turn this pixel of the old mask the way the stroke wants? */
static bool turns(uint8_t old, uint8_t cut, int way)
{
    return way > 0 ? old < 128 && cut >= 128 : old >= 128 && cut < 128;
}

/* Takes what hangs together with the strokes of one way: flood from them through the pixels that the cut turns. The
 * rim of the cut's outline, grey for one pixel, comes along. */
static void take(mb_image_u8 *mask, part *p, int way)
{
    const uint8_t *old = p->old.v, *cut = p->cut.v;
    int tail = begin_flood(p, way);
    for (int head = 0; head < tail; head++) {
        int next[4];
        neighbours(next, p->queue[head], mask->width, mask->height);
        mask->v[p->queue[head]] = cut[p->queue[head]];
        for (int k = 0; k < 4; k++) {
            const int j = next[k];
            if (j < 0 || p->seen[j]) {
                continue;
            }
            if (turns(old[j], cut[j], way) && said(p->strokes.v[j]) != -way) {
                p->seen[j] = 1;
                p->queue[tail++] = j;
            } else if (way > 0 ? cut[j] > mask->v[j] : cut[j] < mask->v[j]) {
                mask->v[j] = cut[j];
            }
        }
    }
}

static void draw(mb_image_u8 *mask, const mb_image_u8 *strokes)
{
    const size_t n = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < n; i++) {
        const int way = said(strokes->v[i]);
        mask->v[i] = way > 0 ? 255 : way < 0 ? 0 : mask->v[i];
    }
}

static mb_status part_open(const mb_task *task, part *p, const mb_image_u8 *mask, const mb_image_u8 *rgb,
                           const mb_image_u8 *strokes, box b, mb_error *err)
{
    mb_status status = MB_OK;
    const size_t n = (size_t)b.width * (size_t)b.height;
    MB_TRY(crop(&p->photo, rgb, b, err));
    MB_TRY(crop(&p->old, mask, b, err));
    MB_TRY(crop(&p->start, mask, b, err));
    MB_TRY(crop(&p->strokes, strokes, b, err));
    MB_TRY(mb_palette_create(task, &p->palette, &p->photo, err));
    p->queue = mb_alloc_array(n, sizeof *p->queue);
    p->seen = mb_alloc_array(n, sizeof *p->seen);
    p->alike = mb_alloc_array((size_t)p->palette.colours, 1);
    if (p->queue == NULL || p->seen == NULL || p->alike == NULL) {
        status = mb_fail_memory(err, n * 5, "the strokes on a mask");
    }
done:
    return status;
}

static void part_close(part *p)
{
    mb_free(p->queue);
    mb_free(p->seen);
    mb_free(p->alike);
    mb_palette_dispose(&p->palette);
    mb_image_u8_dispose(&p->photo);
    mb_image_u8_dispose(&p->old);
    mb_image_u8_dispose(&p->start);
    mb_image_u8_dispose(&p->strokes);
    mb_image_u8_dispose(&p->cut);
}

/* Has something changed at a side of the box that lies within the picture? Then the box decides where the change ends. */
static bool is_cut_off(const part *p, box b, const mb_image_u8 *mask)
{
    const int right = b.x + b.width < mask->width, down = b.y + b.height < mask->height;
    for (int y = 0; y < b.height; y++) {
        for (int x = 0; x < b.width; x++) {
            const size_t i = (size_t)y * (size_t)b.width + (size_t)x;
            const bool at_side = (x == 0 && b.x > 0) || (y == 0 && b.y > 0) || (x + 1 == b.width && right) ||
                                 (y + 1 == b.height && down);
            if (at_side && (p->start.v[i] >= 128) != (p->old.v[i] >= 128)) {
                return true;
            }
        }
    }
    return false;
}

/* The strokes within one box. *larger: what they mean may reach beyond it, and nothing has been changed. */
static mb_status apply_in(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *rgb, const mb_image_u8 *strokes,
                          box b, bool *larger, mb_error *err)
{
    mb_status status = MB_OK;
    part p = {0};
    if ((int64_t)b.width * b.height > INT32_MAX) {
        return mb_fail(err, MB_E_ARGUMENT, "the part around the strokes is %dx%d: too large", b.width, b.height);
    }
    MB_TRY(part_open(task, &p, mask, rgb, strokes, b, err));
    for (int way = 1; way >= -1; way -= 2) {
        MB_TRY(find_alike(task, &p, way, err));
        spread(&p, way);
    }
    draw(&p.start, &p.strokes);
    MB_TRY(mb_grabcut(task, &p.cut, &p.photo, &p.start, NULL, err));
    memcpy(p.start.v, p.old.v, (size_t)b.width * (size_t)b.height);
    take(&p.start, &p, 1);
    take(&p.start, &p, -1);
    *larger = is_cut_off(&p, b, mask);
    draw(&p.start, &p.strokes);
    for (int y = 0; y < b.height && !*larger; y++) {
        memcpy(mask->v + (size_t)(b.y + y) * (size_t)mask->width + (size_t)b.x, p.start.v + (size_t)y * (size_t)b.width,
               (size_t)b.width);
    }
done:
    part_close(&p);
    return mb_task_result(task, status, err);
}

/* A box that is too small is doubled, up to the whole picture. */
mb_status mb_strokes_apply(const mb_task *task, mb_image_u8 *mask, const mb_image_u8 *rgb, const mb_image_u8 *strokes,
                           mb_error *err)
{
    mb_status status = MB_OK;
    bool larger = true;
    for (int margins = 1; larger && status == MB_OK; margins *= 2) {
        const box b = around(strokes, margins);
        if (b.width == 0) {
            return MB_OK;
        }
        status = apply_in(task, mask, rgb, strokes, b, &larger, err);
    }
    return status;
}
