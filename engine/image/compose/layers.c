/* Flattening: foreground colours and alpha over a colour or picture, to 8 or 16 bits. One function per pixel serves
 * every combination of options, in f32 throughout, so that the only rounding is the last one. */
#include "image/compose/layers.h"

#include "image/convert.h"

#include <math.h>
#include <string.h>

#define ROWS 16

typedef struct flatten {
    const mb_layers *l; /* the caller's */
    mb_image *out;
    float unit[256]; /* v / 255 for each byte */
    bool opaque;     /* the result has no alpha */
} flatten;

/* The sRGB curve (IEC 61966-2-1): stored value to linear light, and back below. */
static float to_light(float v)
{
    return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
}

static float from_light(float v)
{
    return v <= 0.0031308f ? v * 12.92f : 1.055f * powf(v, 1.0f / 2.4f) - 0.055f;
}

/* p and b mixed by the share of p. Ends and equal colours are exact, and cost no powers. */
static float mix(bool linear, float p, float b, float share)
{
    if (share <= 0.0f || share >= 1.0f || p == b) {
        return share > 0.0f ? p : b;
    }
    if (!linear) {
        return p * share + b * (1.0f - share);
    }
    return from_light(to_light(p) * share + to_light(b) * (1.0f - share));
}

/* v[4]: colours and alpha of one pixel as they are written. The "over" operator of Porter and Duff on straight
 * colours: shares are relative to the joint alpha. `clean` blackens what is invisible, which keeps files small and old
 * colours private. */
static void flatten_pixel(float v[4], const mb_layers *l, const float below[4])
{
    const float least = l->depth == MB_DEPTH_U16 ? 0.5f / 65535.0f : 0.5f / 255.0f; /* that is not written as 0 */
    if (l->behind) {
        float total = v[3] + below[3] * (1.0f - v[3]);
        for (int c = 0; c < 3; c++) {
            v[c] = total > 0.0f ? mix(l->linear, v[c], below[c], v[3] / total) : 0.0f;
        }
        v[3] = total;
    }
    if (l->clean && v[3] < least) {
        v[0] = v[1] = v[2] = 0.0f;
    }
    for (int c = 0; c < 3 && l->premultiplied; c++) {
        v[c] *= v[3];
    }
}

/* Sample i, v in [0,1], rounded to nearest. */
static void put(uint8_t *dst, size_t i, float v, mb_depth depth)
{
    if (depth == MB_DEPTH_U16) {
        uint16_t u16 = mb_to16(v);
        memcpy(dst + 2 * i, &u16, sizeof u16);
    } else {
        float x = 255.0f * v + 0.5f;
        dst[i] = (uint8_t)(x > 0.0f ? (x < 255.0f ? x : 255.0f) : 0.0f);
    }
}

/* Rows [begin, end): each pixel in f32, from 8 bits or from what the caller has beyond them. */
static void flatten_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const flatten *j = arg;
    const mb_layers *l = j->l;
    const size_t width = (size_t)l->colours->width, n = j->opaque ? 3 : 4;
    float below[4];
    for (int c = 0; c < 4; c++) {
        below[c] = j->unit[l->colour[c]];
    }
    /* A background picture is opaque; its colours follow pixel by pixel. */
    below[3] = l->picture != NULL ? 1.0f : below[3];
    uint8_t *dst = j->out->data;
    for (size_t i = begin * width; i < end * width; i++) {
        float v[4];
        for (size_t c = 0; c < 3; c++) {
            v[c] = l->colours_f32 != NULL ? l->colours_f32[4 * i + c] : j->unit[l->colours->v[3 * i + c]];
            if (l->picture != NULL) {
                below[c] = j->unit[l->picture->v[3 * i + c]];
            }
        }
        v[3] = l->alpha_f32 != NULL ? l->alpha_f32->v[i] : j->unit[l->alpha->v[i]];
        flatten_pixel(v, l, below);
        for (size_t c = 0; c < n; c++) {
            put(dst, n * i + c, v[c], l->depth);
        }
    }
}

/* The commonest case, where nothing is to be computed: bytes and nothing behind them. */
static bool is_plain(const mb_layers *l)
{
    return l->depth == MB_DEPTH_U8 && l->colours_f32 == NULL && l->alpha_f32 == NULL && !l->behind && !l->premultiplied;
}

/* Rows [begin, end): colours and alpha side by side. */
static void join_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const flatten *j = arg;
    const size_t width = (size_t)j->out->width;
    const uint8_t *colour = j->l->colours->v + 3 * begin * width, *alpha = j->l->alpha->v + begin * width;
    uint8_t *dst = (uint8_t *)j->out->data + 4 * begin * width;
    for (size_t i = 0; i < (end - begin) * width; i++) {
        const uint8_t kept = j->l->clean && alpha[i] == 0 ? 0 : 255;
        dst[4 * i] = colour[3 * i] & kept;
        dst[4 * i + 1] = colour[3 * i + 1] & kept;
        dst[4 * i + 2] = colour[3 * i + 2] & kept;
        dst[4 * i + 3] = alpha[i];
    }
}

/* All pictures of one size, with the channels that the struct promises. */
static mb_status check(const mb_layers *l, mb_error *err)
{
    const struct {
        const mb_image_u8 *p;
        int channels;
        const char *what;
    } layers[] = {{l->colours, 3, "picture"}, {l->alpha, 1, "mask"}, {l->picture, 3, "background"}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const mb_image_u8 *p = layers[i].p;
        if (p != NULL &&
            (p->channels != layers[i].channels || p->width != l->colours->width || p->height != l->colours->height)) {
            return mb_fail(err, MB_E_ARGUMENT, "the %s has %d x %d pixels of %d channels, the picture %d x %d",
                           layers[i].what, p->width, p->height, p->channels, l->colours->width, l->colours->height);
        }
    }
    return MB_OK;
}

/* Three channels where nothing can shine through, else four. */
mb_status mb_layers_flatten(const mb_task *task, mb_image *out, const mb_layers *l, mb_error *err)
{
    flatten j = {.l = l, .out = out, .opaque = l->behind && (l->picture != NULL || l->colour[3] == 255)};
    *out = (mb_image){0};
    mb_status status = check(l, err);
    if (status == MB_OK) {
        status = mb_image_create(out, l->colours->width, l->colours->height, j.opaque ? MB_PIXELS_RGB : MB_PIXELS_RGBA,
                                 l->depth, err);
    }
    for (int v = 0; v < 256; v++) {
        j.unit[v] = mb_from8((uint8_t)v);
    }
    if (status == MB_OK) {
        status = mb_task_for(task, (size_t)out->height, ROWS, is_plain(l) ? join_rows : flatten_rows, &j, err);
    }
    if (status != MB_OK) {
        mb_image_dispose(out);
    }
    return status;
}
