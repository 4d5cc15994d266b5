/* From a method's f32 colours to the picture that the cut-out carries. docs/models/refine.md section 8. */
#include "matting/foreground.h"

#include "core/alloc.h"
#include "image/convert.h"

#include <string.h>

/* Four floats a pixel: loops over colours become vectors of four. */
mb_status mb_colours_create(mb_colours *out, int width, int height, mb_error *err)
{
    size_t area, bytes;
    *out = (mb_colours){0};
    if (!mb_mul_size(&area, (size_t)width, (size_t)height) || !mb_mul_size(&bytes, area, 4 * sizeof(float))) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    float *v = mb_alloc_aligned(bytes);
    if (v == NULL) {
        return mb_fail_memory(err, bytes, "foreground colours");
    }
    *out = (mb_colours){width, height, v};
    return MB_OK;
}

void mb_colours_dispose(mb_colours *c)
{
    mb_free_aligned(c->v);
    *c = (mb_colours){0};
}

typedef struct round_job {
    mb_image_u8 *out; /* holds the photo */
    const mb_colours *f;
    const uint8_t *alpha;
} round_job;

/* f32 estimates to bytes, but for opaque pixels. */
static void round_colours(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const round_job *j = arg;
    for (size_t i = begin; i < end; i++) {
        if (j->alpha[i] == 255) {
            continue; /* the photo's own colour */
        }
        for (size_t k = 0; k < 3; k++) {
            j->out->v[3 * i + k] = mb_to8(j->f->v[4 * i + k]);
        }
    }
}

/* The estimate works on 8-bit RGB and f32 alpha; opaque pixels keep the bytes of the photo. */
mb_status mb_foreground_estimate(const mb_task *task, mb_image_u8 *out, mb_foreground method, const mb_image_u8 *photo,
                                 const mb_image_u8 *alpha, const mb_foreground_options *o, mb_error *err)
{
    mb_image_f32 a = {0};
    mb_colours f = {0};
    mb_status status = MB_OK;
    *out = (mb_image_u8){0};
    if (photo->width != alpha->width || photo->height != alpha->height || alpha->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "the alpha is %d x %d, the photo %d x %d\nboth must have one size",
                       alpha->width, alpha->height, photo->width, photo->height);
    }
    MB_TRY(mb_image_u8_rgb(out, photo, err));
    if (method != MB_FOREGROUND_NONE) {
        MB_TRY(mb_image_f32_from_u8(&a, alpha, err));
        if (method != MB_FOREGROUND_BLURFUSION) {
            MB_TRY(mb_foreground_ml_bytes(task, out, &a, alpha->v, o, err));
            goto done;
        }
        MB_TRY(mb_foreground_blurfusion(task, &f, out, &a, o, err));
        round_job j = {out, &f, alpha->v};
        MB_TRY(
            mb_task_for(task, (size_t)alpha->width * (size_t)alpha->height, (size_t)1 << 15, round_colours, &j, err));
    }
done:
    mb_image_f32_dispose(&a);
    mb_colours_dispose(&f);
    if (status != MB_OK) {
        mb_image_u8_dispose(out);
    }
    return status;
}

/* Colours and f32 alpha, then what a method needs: the levels; or three times F and B, of which two make the third. */
double mb_foreground_memory(mb_foreground method, int width, int height, bool fine)
{
    const double pixels = (double)width * (double)height, colour = 4 * sizeof(float);
    const double kept = fine ? 0 : pixels * (3 + sizeof(float));
    if (method == MB_FOREGROUND_NONE) {
        return pixels * (fine ? colour : 3);
    }
    return kept + (method == MB_FOREGROUND_ML ? mb_foreground_ml_memory(width, height, !fine) : 3 * colour * pixels);
}
