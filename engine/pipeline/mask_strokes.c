/* Public: a user's strokes on a mask, as pictures of the caller. */
#include "image/convert.h"
#include "pipeline/matte_stage.h"
#include "segment/strokes.h"

/* The strokes as a grey picture of the photo's size, by the nearest pixel; transparent ones become grey. */
static mb_status read_strokes(mb_image_u8 *out, const mb_image *from, int width, int height, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 rgb = {0}, alpha = {0}, luma = {0};
    MB_TRY(mb_image_check(from, err));
    MB_TRY(mb_image_u8_from_image(&rgb, &alpha, from, err));
    MB_TRY(mb_image_u8_luma(&luma, &rgb, err));
    MB_TRY(mb_image_u8_create(out, width, height, 1, err));
    for (int y = 0; y < height; y++) {
        const size_t row = (size_t)((int64_t)y * luma.height / height) * (size_t)luma.width;
        for (int x = 0; x < width; x++) {
            const size_t at = row + (size_t)((int64_t)x * luma.width / width);
            out->v[(size_t)y * (size_t)width + (size_t)x] = alpha.v != NULL && alpha.v[at] < 128 ? 128 : luma.v[at];
        }
    }
done:
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&alpha);
    mb_image_u8_dispose(&luma);
    return status;
}

mb_status mb_mask_apply_strokes(mb_image *out, const mb_image *mask, const mb_image *photo, const mb_image *strokes,
                                mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 gray = {0}, rgb = {0}, lines = {0};
    *out = (mb_image){0};
    MB_TRY(mb_image_check(mask, err));
    MB_TRY(mb_image_check(photo, err));
    if (mask->width != photo->width || mask->height != photo->height) {
        return mb_fail(err, MB_E_ARGUMENT, "the mask is %dx%d, the photo %dx%d: they must be of one size", mask->width,
                       mask->height, photo->width, photo->height);
    }
    MB_TRY(read_strokes(&lines, strokes, photo->width, photo->height, err));
    MB_TRY(mb_gray_from_image(&gray, NULL, mask, err));
    MB_TRY(mb_image_u8_from_image(&rgb, NULL, photo, err));
    MB_TRY(mb_strokes_apply(NULL, &gray, &rgb, &lines, err));
    mb_image_take(out, &gray);
done:
    mb_image_u8_dispose(&gray);
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&lines);
    return status;
}
