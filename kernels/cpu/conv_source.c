/* Patches by pointer (each tap's pixel, or the zero pixel) and, for few channels, by copy. */
#include "conv_source.h"

#include <string.h>

/* A place of the output, and where its patch begins in the input. */
typedef struct pixel {
    const float *item; /* the map of this batch item */
    int64_t y, x;      /* of the patch's first tap, in the input */
    int64_t ox, oy;
} pixel;

/* Where the patch of row `row` (output pixels, item by item) begins. */
static pixel first_pixel(const mb_patches *p, int64_t row)
{
    int64_t size = p->out_h * p->out_w, n = row / size, in_item = row % size;
    pixel q = {.item = (const float *)p->x.data + n * p->x.dims[2] * p->x.dims[3] * p->x.pitch,
               .oy = in_item / p->out_w,
               .ox = in_item % p->out_w};
    q.y = q.oy * p->stride - p->pad;
    q.x = q.ox * p->stride - p->pad;
    return q;
}

/* The patch of the next output pixel, without divisions: across, then down, then the next item. */
static void next_pixel(const mb_patches *p, pixel *q)
{
    q->x += p->stride;
    if (++q->ox == p->out_w) {
        q->ox = 0;
        q->x = -p->pad;
        q->y += p->stride;
        if (++q->oy == p->out_h) {
            q->oy = 0;
            q->y = -p->pad;
            q->item += p->x.dims[2] * p->x.dims[3] * p->x.pitch;
        }
    }
}

/* Fills w->rows by pointer: rows of a tile side by side, tap by tap, as mb_panel wants them. A tap
 * outside of the map points to the zero pixel. */
void mb_source_patches(const void *patches, const mb_rows_wanted *w)
{
    const mb_patches *p = patches;
    int64_t height = p->x.dims[2], width = p->x.dims[3], pitch = p->x.pitch;
    pixel q = first_pixel(p, w->row);
    for (int64_t r = 0; r < w->n_rows; r++, next_pixel(p, &q)) {
        /* Row r of its tile; taps are tile_rows apart. */
        const float **to = w->rows + r / w->tile_rows * w->tile_rows * w->taps + r % w->tile_rows;
        int64_t ky = w->tap / p->kernel_w, kx = w->tap % p->kernel_w;
        for (int64_t t = 0; t < w->taps; t++, to += w->tile_rows) {
            int64_t y = q.y + ky, x = q.x + kx;
            bool inside = y >= 0 && y < height && x >= 0 && x < width;
            *to = (inside ? q.item + (y * width + x) * pitch : p->zeros) + w->channel;
            if (++kx == p->kernel_w) {
                kx = 0;
                ky++;
            }
        }
    }
    for (int64_t r = w->n_rows; r % w->tile_rows != 0; r++) { /* the last tile's missing rows repeat its first */
        const float **tile = w->rows + r / w->tile_rows * w->tile_rows * w->taps;
        for (int64_t t = 0; t < w->taps; t++) {
            tile[t * w->tile_rows + r % w->tile_rows] = tile[t * w->tile_rows];
        }
    }
}

/* The taps of one patch, `channels` values each, zeros outside of the map. */
static void copy_patch(const mb_patches *p, const mb_rows_wanted *w, const pixel *q, float *to)
{
    int64_t height = p->x.dims[2], width = p->x.dims[3], channels = w->length;
    for (int64_t t = w->tap; t < w->tap + w->taps; t++, to += channels) {
        int64_t y = q->y + t / p->kernel_w, x = q->x + t % p->kernel_w;
        if (y >= 0 && y < height && x >= 0 && x < width) {
            const float *from = q->item + (y * width + x) * p->x.pitch;
            for (int64_t c = 0; c < channels; c++) {
                to[c] = from[c];
            }
        } else {
            memset(to, 0, (size_t)channels * sizeof(float));
        }
    }
}

/* Copies each patch into a row of scratch [taps][channels]: with 3 or 4 channels a pointer per tap
 * would cost more than the values. */
void mb_source_small_patches(const void *patches, const mb_rows_wanted *w)
{
    const mb_patches *p = patches;
    pixel q = first_pixel(p, w->row);
    int64_t length = w->taps * w->length;
    for (int64_t r = 0; r < w->n_rows; r++, next_pixel(p, &q)) {
        w->rows[r] = w->scratch + r * length;
        copy_patch(p, w, &q, w->scratch + r * length);
    }
    for (int64_t r = w->n_rows; r % w->tile_rows != 0; r++) {
        w->rows[r] = w->rows[w->n_rows - 1];
    }
}
