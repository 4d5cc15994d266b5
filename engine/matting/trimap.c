/* Trimaps from bit images (bitmap.h): threshold, erode, dilate, spread to bytes. docs/models/refine.md section 4. */
#include "matting/trimap.h"

#include "image/bitmap.h"
#include "options/options.h"

typedef struct spread_job {
    mb_image_u8 *out;
    const mb_bitmap *a, *b;
    uint8_t levels[3];
} spread_job;

/* Rows [begin, end) of the trimap. */
static void spread_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    spread_job *j = arg;
    for (size_t y = begin; y < end; y++) {
        mb_bitmap_spread(j->out->v + y * (size_t)j->out->width, j->a, j->b, (int)y, j->levels);
    }
}

/* out = levels[0] where a, else levels[1] where b, else levels[2]. */
static mb_status spread(const mb_task *task, mb_image_u8 *out, const mb_bitmap *a, const mb_bitmap *b,
                        const uint8_t levels[3], mb_error *err)
{
    mb_status status = mb_image_u8_create(out, a->width, a->height, 1, err);
    if (status == MB_OK) {
        spread_job j = {out, a, b, {levels[0], levels[1], levels[2]}};
        mb_parallel_for(mb_bitmap_pool(task, a), (size_t)a->height, 32, spread_rows, &j);
    }
    return status;
}

/* Five passes of a k x k kernel anchored at k/2 are one window of 5(k-1)+1 pixels, lopsided for even k. */
static mb_window five_passes(int k)
{
    return (mb_window){MB_TRIMAP_ITERATIONS * (k / 2), MB_TRIMAP_ITERATIONS * (k - 1 - k / 2)};
}

/* A bitmap of the same size with the same bits. */
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

/* LayerStyle's trimap from its foreground: eroded 255, dilated 127, the rest 0. `fg` becomes the dilation. erode, dilate:
 * sizes of the kernels. */
static mb_status layerstyle_bands(const mb_task *task, mb_image_u8 *out, mb_bitmap *fg, int erode, int dilate,
                                  mb_error *err)
{
    static const uint8_t levels[3] = {255, 127, 0};
    mb_bitmap eroded = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_option_check(MB_OPTION_erode, erode, err));
    MB_TRY(mb_option_check(MB_OPTION_dilate, dilate, err));
    MB_TRY(copy_bits(&eroded, fg, err));
    MB_TRY(mb_bitmap_erode(task, &eroded, five_passes(erode), err)); /* nothing from the border */
    MB_TRY(mb_bitmap_dilate(task, fg, five_passes(dilate), err));
    MB_TRY(spread(task, out, &eroded, fg, levels, err));
done:
    mb_bitmap_dispose(&eroded);
    return status;
}

/* From 8 bits: 255 alone is foreground. */
mb_status mb_trimap_layerstyle(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int erode, int dilate,
                               mb_error *err)
{
    mb_bitmap fg = {0};
    *out = (mb_image_u8){0};
    mb_status status = mb_bitmap_create(&fg, mask->width, mask->height, err);
    if (status == MB_OK) {
        mb_bitmap_range(task, &fg, mask, 255, 255); /* the mask is truncated: 254 is background */
        status = layerstyle_bands(task, out, &fg, erode, dilate, err);
    }
    mb_bitmap_dispose(&fg);
    return status;
}

/* From f32: what truncates to 255 is 1 and above. */
mb_status mb_trimap_layerstyle_f32(const mb_task *task, mb_image_u8 *out, const mb_image_f32 *mask, int erode,
                                   int dilate, mb_error *err)
{
    mb_bitmap fg = {0};
    *out = (mb_image_u8){0};
    mb_status status = mb_bitmap_create(&fg, mask->width, mask->height, err);
    if (status == MB_OK) {
        mb_bitmap_at_least(task, &fg, mask, 1.0f);
        status = layerstyle_bands(task, out, &fg, erode, dilate, err);
    }
    mb_bitmap_dispose(&fg);
    return status;
}

/* Foreground above high, background below low; `size` > 0 erodes both. */
static mb_status two_sided(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int low, int high, int size,
                           mb_error *err)
{
    static const uint8_t levels[3] = {255, 128, 0};
    mb_bitmap fg = {0}, rest = {0}; /* rest: what is not background */
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    if (low < 0 || high > 255 || low > high) {
        return mb_fail(err, MB_E_ARGUMENT, "trimap thresholds %d and %d: 0 <= low <= high <= 255", low, high);
    }
    MB_TRY(mb_bitmap_create(&fg, mask->width, mask->height, err));
    MB_TRY(mb_bitmap_create(&rest, mask->width, mask->height, err));
    mb_bitmap_range(task, &fg, mask, high + 1, 255);
    mb_bitmap_range(task, &rest, mask, low, 255);
    if (size > 1) {
        mb_window w = {size / 2, size - 1 - size / 2};
        MB_TRY(mb_bitmap_dilate(task, &rest, w, err)); /* outside: background */
        MB_TRY(mb_bitmap_erode(task, &fg, w, err));
        mb_bitmap_clear_border(&fg, w);
    }
    MB_TRY(spread(task, out, &fg, &rest, levels, err));
done:
    mb_bitmap_dispose(&fg);
    mb_bitmap_dispose(&rest);
    return status;
}

mb_status mb_trimap_thresholds(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int low, int high,
                               mb_error *err)
{
    return two_sided(task, out, mask, low, high, 0, err);
}

mb_status mb_trimap_rembg(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int low, int high, int size,
                          mb_error *err)
{
    if (size < 0 || size > 255) {
        return mb_fail(err, MB_E_ARGUMENT, "trimap erosion %d: 0 to 255", size);
    }
    return two_sided(task, out, mask, low, high, size, err);
}
