/* Blending and disposal of animation frames (canvas.h). */
#include "image/codec/canvas.h"

#include "core/alloc.h"

#include <string.h>

static size_t pixel_bytes(const mb_canvas *c)
{
    return c->deep ? 8 : 4;
}

/* Room of the canvas' size, zeroed: transparent black. */
static void *take_room(const mb_canvas *c, mb_budget *budget, mb_error *err)
{
    const size_t pixels = (size_t)c->width * (size_t)c->height; /* within the limits of pictures */
    void *v = mb_budget_alloc(budget, pixels * pixel_bytes(c));
    if (v == NULL) {
        (void)mb_fail_memory(err, pixels * pixel_bytes(c), "an animation's canvas");
    }
    return v;
}

mb_status mb_canvas_create(mb_canvas *c, int width, int height, bool deep, mb_budget *budget, mb_error *err)
{
    *c = (mb_canvas){.width = width, .height = height, .deep = deep};
    c->rgba = take_room(c, budget, err);
    return c->rgba != NULL ? MB_OK : MB_E_MEMORY;
}

void mb_canvas_dispose(mb_canvas *c, mb_budget *budget)
{
    mb_budget_free(budget, c->rgba);
    mb_budget_free(budget, c->saved);
    *c = (mb_canvas){0};
}

/* Rows of the part: cleared (from NULL), or copied. */
static void fill_part(const mb_canvas *c, void *to, const void *from)
{
    const size_t bytes = pixel_bytes(c), n = (size_t)(c->right - c->left) * bytes;
    for (int y = c->top; y < c->down && n > 0; y++) {
        const size_t at = ((size_t)y * (size_t)c->width + (size_t)c->left) * bytes;
        if (from != NULL) {
            memcpy((uint8_t *)to + at, (const uint8_t *)from + at, n);
        } else {
            memset((uint8_t *)to + at, 0, n);
        }
    }
}

static int within(int v, int most)
{
    return v < 0 ? 0 : v < most ? v : most;
}

mb_status mb_canvas_begin(mb_canvas *c, mb_canvas_part part, mb_dispose dispose, mb_budget *budget, mb_error *err)
{
    if (c->dispose == MB_DISPOSE_CLEAR) {
        fill_part(c, c->rgba, NULL);
    } else if (c->dispose == MB_DISPOSE_RESTORE) {
        fill_part(c, c->rgba, c->saved);
    }
    c->left = within(part.x, c->width);
    c->top = within(part.y, c->height);
    c->right = within(part.x + part.width, c->width);
    c->down = within(part.y + part.height, c->height);
    c->dispose = dispose;
    if (dispose == MB_DISPOSE_RESTORE) {
        c->saved = c->saved != NULL ? c->saved : take_room(c, budget, err);
        if (c->saved == NULL) {
            return MB_E_MEMORY;
        }
        fill_part(c, c->saved, c->rgba);
    }
    return MB_OK;
}

/* a over b, both straight; samples up to `top`. */
static void blend(unsigned out[4], const unsigned a[4], const unsigned b[4], unsigned top)
{
    const uint64_t share_a = (uint64_t)a[3] * top, share_b = (uint64_t)(top - a[3]) * b[3], all = share_a + share_b;
    for (int k = 0; k < 3; k++) {
        out[k] = all > 0 ? (unsigned)((a[k] * share_a + b[k] * share_b + all / 2) / all) : 0;
    }
    out[3] = (unsigned)((all + top / 2) / top);
}

void mb_canvas_put(mb_canvas *c, int x, int y, const unsigned rgba[4], bool over)
{
    const unsigned top = c->deep ? 65535 : 255;
    if (x < 0 || y < 0 || x >= c->width || y >= c->height || (over && rgba[3] == 0)) {
        return;
    }
    const size_t at = 4 * ((size_t)y * (size_t)c->width + (size_t)x);
    uint8_t *narrow = c->rgba;
    uint16_t *wide = c->rgba;
    unsigned v[4] = {rgba[0], rgba[1], rgba[2], rgba[3]};
    if (over && rgba[3] < top) {
        unsigned below[4];
        for (size_t k = 0; k < 4; k++) {
            below[k] = c->deep ? wide[at + k] : narrow[at + k];
        }
        blend(v, rgba, below, top);
    }
    for (size_t k = 0; k < 4; k++) {
        if (c->deep) {
            wide[at + k] = (uint16_t)v[k];
        } else {
            narrow[at + k] = (uint8_t)v[k];
        }
    }
}
