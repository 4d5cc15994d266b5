/* Methods `vitmatte...`: everything around the network. Trimap, the limit on megapixels (Pillow's bilinear there and
 * back), truncation to 8 bits, crop, remap. docs/models/refine.md sections 1 and 4. */
#include "core/alloc.h"
#include "image/convert.h"
#include "image/resample/resize.h"
#include "image/levels.h"
#include "matting/methods.h"
#include "matting/trimap.h"

#include <math.h>
#include <string.h>

void mb_matte_limit(int *out_width, int *out_height, int width, int height, double max_megapixels)
{
    double limit = max_megapixels * 1048576.0, ratio = (double)width / (double)height;
    *out_width = width;
    *out_height = height;
    if ((double)width * (double)height > limit) {
        double w = sqrt(ratio * limit), h = w / ratio; /* h from the untruncated w */
        *out_width = w >= 1 ? (int)w : 1;
        *out_height = h >= 1 ? (int)h : 1;
    }
}

/* An RGB picture of any photo: a copy, or of grey three equal channels. */
static mb_status rgb_of(mb_image_u8 *out, const mb_image_u8 *src, mb_error *err)
{
    mb_status status = mb_image_u8_create(out, src->width, src->height, 3, err);
    if (status == MB_OK) {
        size_t n = (size_t)src->width * (size_t)src->height, step = (size_t)src->channels;
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < 3; k++) {
                out->v[3 * i + k] = src->v[i * step + (step == 1 ? 0 : k)];
            }
        }
    }
    return status;
}

static mb_status make_trimap(mb_image_u8 *trimap, const mb_matte_job *job, mb_error *err)
{
    if (job->mask == NULL) {
        return mb_matte_first_channel(trimap, job->given_trimap, err);
    }
    mb_status status = mb_trimap_layerstyle(trimap, job->mask, job->o->erode, job->o->dilate, job->c->pool, err);
    if (status == MB_OK && memchr(trimap->v, 255, (size_t)trimap->width * (size_t)trimap->height) == NULL) {
        mb_matte_warn(job, MB_WARN_NO_FOREGROUND, "the trimap has no foreground: too thin for erode %d, or no subject",
                      job->o->erode);
    }
    return status;
}

/* Alpha at more than 8 bits: cropped, enlarged (bilinear, as the 8-bit way), remapped. */
static mb_status keep_fine(const mb_matte_job *job, const mb_image_f32 *padded, const mb_image_u8 *seen, mb_error *err)
{
    mb_image_f32 part = {0}, full = {0};
    mb_status status = MB_OK;
    if (job->c->fine == NULL) {
        return MB_OK;
    }
    MB_TRY(mb_image_f32_create(&part, seen->width, seen->height, err));
    for (size_t y = 0; y < (size_t)part.height; y++) {
        memcpy(part.v + y * (size_t)part.width, padded->v + y * (size_t)padded->width,
               (size_t)part.width * sizeof *part.v);
    }
    if (seen->width != job->photo->width || seen->height != job->photo->height) {
        MB_TRY(mb_image_f32_create(&full, job->photo->width, job->photo->height, err));
        const mb_floats from = {part.v, part.width, part.height, 1}, to = {full.v, full.width, full.height, 1};
        MB_TRY(mb_resize_cv_f32(&to, &from, job->c->pool, err));
        mb_image_f32_dispose(&part);
        part = full;
        full = (mb_image_f32){0};
    }
    mb_levels_f32(&part, mb_levels_of(job->o->black_point, job->o->white_point), job->c->pool);
    mb_matte_return_f32(job, &part);
done:
    mb_image_f32_dispose(&part);
    mb_image_f32_dispose(&full);
    return status;
}

/* The network on pictures of the size it shall see: 8-bit alpha of that size. */
static mb_status run_network(mb_image_u8 *alpha, const mb_matte_job *job, const mb_image_u8 *photo,
                             const mb_image_u8 *trimap, mb_error *err)
{
    mb_image_f32 padded = {0};
    mb_status status = MB_OK;
    MB_TRY(job->c->matting(&padded, job->c->matting_user, photo, trimap, err));
    if (padded.width < photo->width || padded.height < photo->height) {
        status = mb_fail(err, MB_E_INTERNAL, "the matting network gave %d x %d for %d x %d", padded.width,
                         padded.height, photo->width, photo->height);
        goto done;
    }
    MB_TRY(keep_fine(job, &padded, photo, err));
    MB_TRY(mb_image_u8_create(alpha, photo->width, photo->height, 1, err));
    for (size_t y = 0; y < (size_t)alpha->height; y++) {
        mb_to8_array(alpha->v + y * (size_t)alpha->width, padded.v + y * (size_t)padded.width, (size_t)alpha->width);
    }
done:
    mb_image_f32_dispose(&padded);
    return status;
}

/* There and back with a smaller picture. */
static mb_status run_reduced(mb_image_u8 *alpha, const mb_matte_job *job, const mb_image_u8 *photo,
                             const mb_image_u8 *trimap, mb_error *err)
{
    int width, height;
    mb_image_u8 small_photo = {0}, small_trimap = {0}, small_alpha = {0};
    mb_status status = MB_OK;
    mb_matte_limit(&width, &height, photo->width, photo->height, job->o->max_megapixels);
    mb_matte_warn(job, MB_WARN_REDUCED, "VITMatte saw %d x %d of %d x %d pixels (max_megapixels %g)", width, height,
                  photo->width, photo->height, job->o->max_megapixels);
    MB_TRY(mb_resize_pillow(&small_photo, photo, width, height, MB_FILTER_BILINEAR, job->c->pool, err));
    MB_TRY(mb_resize_pillow(&small_trimap, trimap, width, height, MB_FILTER_BILINEAR, job->c->pool, err));
    MB_TRY(run_network(&small_alpha, job, &small_photo, &small_trimap, err));
    MB_TRY(mb_resize_pillow(alpha, &small_alpha, photo->width, photo->height, MB_FILTER_BILINEAR, job->c->pool, err));
done:
    mb_image_u8_dispose(&small_photo);
    mb_image_u8_dispose(&small_trimap);
    mb_image_u8_dispose(&small_alpha);
    return status;
}

mb_status mb_matte_vitmatte(mb_image_u8 *alpha, const mb_matte_job *job, mb_error *err)
{
    mb_image_u8 trimap = {0}, rgb = {0};
    const mb_image_u8 *photo = job->photo;
    mb_status status = MB_OK;
    if (job->c->matting == NULL) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "detail %s needs a matting model\n"
                       "pass VITMatte weights, or use detail=pymatting or detail=guided, which need none",
                       mb_detail_name((int)job->o->detail));
    }
    MB_TRY(make_trimap(&trimap, job, err));
    if (mb_cancelled(&job->c->cancel)) {
        status = mb_fail(err, MB_E_CANCELLED, "cancelled");
        goto done;
    }
    if (photo->channels != 3) {
        MB_TRY(rgb_of(&rgb, photo, err));
        photo = &rgb;
    }
    bool reduce = (double)photo->width * (double)photo->height > job->o->max_megapixels * 1048576.0;
    MB_TRY((reduce ? run_reduced : run_network)(alpha, job, photo, &trimap, err));
    uint8_t table[256];
    mb_levels_table(table, mb_levels_of(job->o->black_point, job->o->white_point));
    mb_levels_map(alpha, table, job->c->pool);
    mb_matte_return_trimap(job, &trimap);
done:
    mb_image_u8_dispose(&trimap);
    mb_image_u8_dispose(&rgb);
    return status;
}
