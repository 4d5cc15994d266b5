/* Pictures and planes: creation with checked sizes. */
#include "image/raster.h"

#include "core/alloc.h"

/* Memory of width x height pixels, sizes checked. Not initialised. */
static mb_status pixels(void **out, int width, int height, size_t bytes_per_pixel, mb_error *err)
{
    size_t area, bytes;
    *out = NULL;
    if (width < 1 || height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d x %d pixels: both sides must be at least 1", width, height);
    }
    if (!mb_mul_size(&area, (size_t)width, (size_t)height) || !mb_mul_size(&bytes, area, bytes_per_pixel)) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    *out = mb_alloc_aligned(bytes);
    return *out != NULL ? MB_OK : mb_fail_memory(err, bytes, "a picture");
}

/* Two channels do not occur: grey with alpha is split by whoever reads it. */
mb_status mb_image_u8_create(mb_image_u8 *out, int width, int height, int channels, mb_error *err)
{
    void *v = NULL;
    *out = (mb_image_u8){0};
    if (channels != 1 && channels != 3 && channels != 4) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d channels: 1, 3 or 4", channels);
    }
    mb_status status = pixels(&v, width, height, (size_t)channels, err);
    if (status == MB_OK) {
        *out = (mb_image_u8){width, height, channels, v};
    }
    return status;
}

void mb_image_u8_dispose(mb_image_u8 *p)
{
    mb_free_aligned(p->v);
    *p = (mb_image_u8){0};
}

/* Packed rows; the contents are undefined. */
mb_status mb_image_f32_create(mb_image_f32 *out, int width, int height, mb_error *err)
{
    void *v = NULL;
    *out = (mb_image_f32){0};
    mb_status status = pixels(&v, width, height, sizeof(float), err);
    if (status == MB_OK) {
        *out = (mb_image_f32){width, height, v};
    }
    return status;
}

void mb_image_f32_dispose(mb_image_f32 *p)
{
    mb_free_aligned(p->v);
    *p = (mb_image_f32){0};
}
