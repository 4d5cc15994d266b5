/* VITMatte's picture side: trimap, the limit on megapixels (Pillow's bilinear there and back), truncation to 8 bits,
 * crop, remap. docs/models/refine.md sections 1 and 4. */
#include "matting/vitmatte.h"

#include "core/alloc.h"
#include "image/convert.h"
#include "image/levels.h"
#include "image/resample/resize.h"
#include "matting/methods.h"
#include "matting/trimap.h"

#include <math.h>
#include <string.h>

/* LayerStyle's arithmetic, with its truncations. */
void mb_vitmatte_limit(int *out_width, int *out_height, int width, int height, double max_megapixels)
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

/* The small photo and trimap, alpha and its bytes; what is enlarged across first; alpha in f32 at the full size. */
double mb_vitmatte_scratch_bytes(const mb_options *o, int width, int height, bool want_f32)
{
    int w, h;
    mb_vitmatte_limit(&w, &h, width, height, o->max_megapixels);
    const double small = (double)w * (double)h, pixels = (double)width * (double)height;
    const bool reduced = w < width || h < height;
    return 12 * small + (want_f32 ? pixels * sizeof(float) : 0) + (reduced ? 3.0 * w * height : pixels);
}

/* job->trimap, of the photo's size: the user's own as it is, else LayerStyle's from the mask. */
static mb_status make_trimap(const mb_task *task, mb_matte_job *job, mb_error *err)
{
    const mb_options *o = job->options;
    mb_image_u8 *trimap = &job->trimap;
    if (job->mask == NULL) {
        return mb_matte_first_channel(trimap, job->user_trimap, err);
    }
    mb_status status = mb_trimap_layerstyle(task, trimap, job->mask, o->erode, o->dilate, err);
    if (status == MB_OK && memchr(trimap->v, 255, (size_t)trimap->width * (size_t)trimap->height) == NULL) {
        mb_task_warn(task, MB_WARN_NO_FOREGROUND, "the trimap has no foreground: too thin for erode %d, or no subject",
                     o->erode);
    } else if (status == MB_OK && memchr(trimap->v, 127, (size_t)trimap->width * (size_t)trimap->height) == NULL) {
        mb_task_warn(task, MB_WARN_NO_UNKNOWN,
                     "nothing of the trimap is unknown: a larger erode or dilate leaves a band");
    }
    return status;
}

/* Photo and trimap at the size of the limit. */
static mb_status reduce(const mb_task *task, mb_vitmatte_input *input, mb_matte_job *job, mb_error *err)
{
    int width, height;
    mb_status status = MB_OK;
    const mb_image_u8 *photo = input->photo;
    double limit = job->options->max_megapixels;
    mb_vitmatte_limit(&width, &height, photo->width, photo->height, limit);
    mb_task_warn(task, MB_WARN_REDUCED, "VITMatte saw %d x %d of %d x %d pixels (max_megapixels %g)", width, height,
                 photo->width, photo->height, limit);
    MB_TRY(mb_resize_pillow(task, &input->small_photo, photo, width, height, MB_FILTER_BILINEAR, err));
    MB_TRY(mb_resize_pillow(task, &input->small_trimap, &job->trimap, width, height, MB_FILTER_BILINEAR, err));
    input->photo = &input->small_photo;
    input->trimap = &input->small_trimap;
done:
    return status;
}

/* The trimap is made at the full size, then reduced like the photo. */
mb_status mb_vitmatte_prepare(const mb_task *task, mb_vitmatte_input *input, mb_matte_job *job, mb_error *err)
{
    const mb_image_u8 *photo = job->photo;
    mb_status status = MB_OK;
    *input = (mb_vitmatte_input){.photo = photo, .trimap = &job->trimap};
    MB_TRY(mb_matte_check_sizes(job, err));
    mb_matte_warn_trimap(task, job);
    MB_TRY(make_trimap(task, job, err));
    MB_TRY(mb_task_check(task, err));
    if (photo->channels != 3) {
        MB_TRY(mb_image_u8_rgb(&input->rgb, photo, err));
        input->photo = &input->rgb;
    }
    if ((double)photo->width * (double)photo->height > job->options->max_megapixels * 1048576.0) {
        MB_TRY(reduce(task, input, job, err));
    }
done:
    if (status != MB_OK) {
        mb_vitmatte_input_dispose(input);
        mb_matte_job_dispose(job);
    }
    return status;
}

/* Alpha at more than 8 bits: cropped, enlarged (bilinear, as the 8-bit way), remapped. */
static mb_status finish_f32(const mb_task *task, mb_matte_job *job, const mb_image_u8 *seen, const mb_image_f32 *padded,
                            mb_error *err)
{
    mb_image_f32 part = {0}, full = {0};
    const mb_options *o = job->options;
    mb_status status = MB_OK;
    MB_TRY(mb_image_f32_create(&part, seen->width, seen->height, err));
    for (size_t y = 0; y < (size_t)part.height; y++) {
        memcpy(part.v + y * (size_t)part.width, padded->v + y * (size_t)padded->width,
               (size_t)part.width * sizeof *part.v);
    }
    if (seen->width != job->photo->width || seen->height != job->photo->height) {
        MB_TRY(mb_image_f32_create(&full, job->photo->width, job->photo->height, err));
        const mb_floats from = {part.v, part.width, part.height, 1}, to = {full.v, full.width, full.height, 1};
        MB_TRY(mb_resize_cv_f32(task, &to, &from, err));
        mb_image_f32_dispose(&part);
        part = full;
        full = (mb_image_f32){0};
    }
    mb_levels_f32(task, &part, mb_levels_of(o->black_point, o->white_point));
    mb_matte_return_f32(job, &part);
done:
    mb_image_f32_dispose(&part);
    mb_image_f32_dispose(&full);
    return status;
}

/* Alpha in 8 bits: cropped and truncated at the size the network saw, then enlarged by Pillow's bilinear. */
static mb_status finish_u8(const mb_task *task, mb_matte_job *job, const mb_image_u8 *seen, const mb_image_f32 *padded,
                           mb_error *err)
{
    mb_image_u8 small = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_image_u8_create(&small, seen->width, seen->height, 1, err));
    for (size_t y = 0; y < (size_t)small.height; y++) {
        mb_to8_array(small.v + y * (size_t)small.width, padded->v + y * (size_t)padded->width, (size_t)small.width);
    }
    if (seen->width == job->photo->width && seen->height == job->photo->height) {
        job->alpha = small;
        small = (mb_image_u8){0};
    } else {
        MB_TRY(mb_resize_pillow(task, &job->alpha, &small, job->photo->width, job->photo->height, MB_FILTER_BILINEAR,
                                err));
    }
done:
    mb_image_u8_dispose(&small);
    return status;
}

/* The f32 alpha, if wanted, is made beside the 8-bit one, not from it. */
mb_status mb_vitmatte_finish(const mb_task *task, mb_matte_job *job, const mb_vitmatte_input *input,
                             const mb_image_f32 *network_alpha, mb_error *err)
{
    const mb_image_u8 *seen = input->photo;
    const mb_options *o = job->options;
    mb_status status = MB_OK;
    uint8_t table[256];
    if (network_alpha->width < seen->width || network_alpha->height < seen->height) {
        status = mb_fail(err, MB_E_INTERNAL, "the matting network gave %d x %d for %d x %d", network_alpha->width,
                         network_alpha->height, seen->width, seen->height);
        goto done;
    }
    if (job->want_f32) {
        MB_TRY(finish_f32(task, job, seen, network_alpha, err));
    }
    MB_TRY(finish_u8(task, job, seen, network_alpha, err));
    mb_levels_table(table, mb_levels_of(o->black_point, o->white_point));
    mb_levels_map(task, &job->alpha, table);
done:
    if (status != MB_OK) {
        mb_matte_job_dispose(job);
    }
    return status;
}

void mb_vitmatte_input_dispose(mb_vitmatte_input *input)
{
    mb_image_u8_dispose(&input->rgb);
    mb_image_u8_dispose(&input->small_photo);
    mb_image_u8_dispose(&input->small_trimap);
    *input = (mb_vitmatte_input){0};
}
