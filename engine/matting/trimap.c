/* Trimaps from bit images (bitmap.h): threshold, erode, dilate, spread to bytes. docs/models/refine.md section 4. */
#include "matting/trimap.h"

#include "image/bitmap.h"
#include "options/options.h"

typedef struct spread_job {
    mb_image_u8 *out;
    const mb_bitmap *a, *b;
    uint8_t levels[3];
} spread_job;

static void spread_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    spread_job *j = arg;
    for (size_t y = begin; y < end; y++) {
        mb_bitmap_spread(j->out->v + y * (size_t)j->out->width, j->a, j->b, (int)y, j->levels);
    }
}

/* out = levels[0] where a, else levels[1] where b, else levels[2]. */
static mb_status spread(mb_image_u8 *out, const mb_bitmap *a, const mb_bitmap *b, const uint8_t levels[3],
                        mb_pool *pool, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, a->width, a->height, 1, err);
    if (status == MB_OK) {
        spread_job j = {out, a, b, {levels[0], levels[1], levels[2]}};
        mb_parallel_for(mb_bitmap_pool(a, pool), (size_t)a->height, 32, spread_rows, &j);
    }
    return status;
}

/* Five passes of a k x k kernel anchored at k/2 are one window of 5(k-1)+1 pixels, lopsided for even k. */
static mb_window five_passes(int k)
{
    return (mb_window){MB_TRIMAP_ITERATIONS * (k / 2), MB_TRIMAP_ITERATIONS * (k - 1 - k / 2)};
}

static mb_status copy_bits(mb_bitmap *out, const mb_bitmap *b, mb_error *err)
{
    mb_status status = mb_bitmap_create(out, b->width, b->height, err);
    if (status == MB_OK) {
        for (size_t i = 0; i < b->words * (size_t)b->height; i++) {
            out->v[i] = b->v[i];
        }
    }
    return status;
}

/* `fg` holds the truncated mask and becomes the dilation. */
static mb_status node_bands(mb_image_u8 *out, mb_bitmap *fg, const mb_window erode_dilate[2], mb_pool *pool,
                            mb_error *err)
{
    static const uint8_t levels[3] = {255, 127, 0};
    mb_bitmap eroded = {0};
    mb_status status = MB_OK;
    MB_TRY(copy_bits(&eroded, fg, err));
    MB_TRY(mb_bitmap_erode(&eroded, erode_dilate[0], pool, err)); /* nothing from the border */
    MB_TRY(mb_bitmap_dilate(fg, erode_dilate[1], pool, err));
    MB_TRY(spread(out, &eroded, fg, levels, pool, err));
done:
    mb_bitmap_dispose(&eroded);
    return status;
}

/* Exactly one of picture and plane is given. */
static mb_status node_trimap(mb_image_u8 *out, const mb_image_u8 *picture, const mb_image_f32 *plane,
                             const int erode_dilate[2], mb_pool *pool, mb_error *err)
{
    mb_bitmap fg = {0};
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    MB_TRY(mb_option_check(MB_OPTION_erode, erode_dilate[0], err));
    MB_TRY(mb_option_check(MB_OPTION_dilate, erode_dilate[1], err));
    mb_window windows[2] = {five_passes(erode_dilate[0]), five_passes(erode_dilate[1])};
    int width = picture != NULL ? picture->width : plane->width;
    int height = picture != NULL ? picture->height : plane->height;
    MB_TRY(mb_bitmap_create(&fg, width, height, err));
    if (picture != NULL) {
        mb_bitmap_range(&fg, picture, 255, 255, pool);
    } else {
        mb_bitmap_at_least(&fg, plane, 1.0f, pool);
    }
    MB_TRY(node_bands(out, &fg, windows, pool, err));
done:
    mb_bitmap_dispose(&fg);
    return status;
}

mb_status mb_trimap_layerstyle(mb_image_u8 *out, const mb_image_u8 *mask, int erode, int dilate, mb_pool *pool,
                               mb_error *err)
{
    return node_trimap(out, mask, NULL, (const int[2]){erode, dilate}, pool, err);
}

mb_status mb_trimap_layerstyle_f32(mb_image_u8 *out, const mb_image_f32 *mask, int erode, int dilate, mb_pool *pool,
                                   mb_error *err)
{
    return node_trimap(out, NULL, mask, (const int[2]){erode, dilate}, pool, err);
}

/* Foreground above high, background below low; `size` > 0 erodes both. */
static mb_status two_sided(mb_image_u8 *out, const mb_image_u8 *mask, const int low_high_size[3], mb_pool *pool,
                           mb_error *err)
{
    static const uint8_t levels[3] = {255, 128, 0};
    int low = low_high_size[0], high = low_high_size[1], size = low_high_size[2];
    mb_bitmap fg = {0}, rest = {0}; /* rest: what is not background */
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    if (low < 0 || high > 255 || low > high) {
        return mb_fail(err, MB_E_ARGUMENT, "trimap thresholds %d and %d: 0 <= low <= high <= 255", low, high);
    }
    MB_TRY(mb_bitmap_create(&fg, mask->width, mask->height, err));
    MB_TRY(mb_bitmap_create(&rest, mask->width, mask->height, err));
    mb_bitmap_range(&fg, mask, high + 1, 255, pool);
    mb_bitmap_range(&rest, mask, low, 255, pool);
    if (size > 1) {
        mb_window w = {size / 2, size - 1 - size / 2};
        MB_TRY(mb_bitmap_dilate(&rest, w, pool, err)); /* outside: background */
        MB_TRY(mb_bitmap_erode(&fg, w, pool, err));
        mb_bitmap_clear_border(&fg, w);
    }
    MB_TRY(spread(out, &fg, &rest, levels, pool, err));
done:
    mb_bitmap_dispose(&fg);
    mb_bitmap_dispose(&rest);
    return status;
}

mb_status mb_trimap_thresholds(mb_image_u8 *out, const mb_image_u8 *mask, int low, int high, mb_pool *pool,
                               mb_error *err)
{
    return two_sided(out, mask, (const int[3]){low, high, 0}, pool, err);
}

mb_status mb_trimap_rembg(mb_image_u8 *out, const mb_image_u8 *mask, const int low_high_size[3], mb_pool *pool,
                          mb_error *err)
{
    int size = low_high_size[2];
    if (size < 0 || size > 255) {
        return mb_fail(err, MB_E_ARGUMENT, "trimap erosion %d: 0 to 255", size);
    }
    return two_sided(out, mask, low_high_size, pool, err);
}
