/* On a device the resizing, the network and the resizing back are queued there at once. On the CPU, and for what
 * devices cannot do (the mirror image, masks of more than 8 bits, no memory for the picture), recipe.c does its part
 * around the network. */
#include "pipeline/mask.h"

#include "core/alloc.h"
#include "image/resample/recipe.h"

#include <string.h>

/* The caller's wish, else what the model file says, else what its generation was made for. */
mb_recipe mb_recipe_for(const mb_model *model, mb_recipe wish)
{
    if (wish != MB_RECIPE_AUTO) {
        return wish;
    }
    const char *own = mb_model_meta(model, "input.recipe");
    for (int i = MB_RECIPE_AUTO + 1; own != NULL && mb_recipe_name(i) != NULL; i++) {
        if (strcmp(own, mb_recipe_name(i)) == 0) {
            return (mb_recipe)i;
        }
    }
    /* v1 files (no fifth input block) belong to the older node and were made for its recipe. */
    const char *block = mb_model_meta(model, "arch.ipt_blk5");
    return block != NULL && strcmp(block, "0") == 0 ? MB_RECIPE_LAYERSTYLE : MB_RECIPE_MODELCARD;
}

/* Two runs, the second on the mirror image; the output becomes the mean of the logits of both. */
static mb_status run_flipped_too(const mb_task *task, mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    const mb_task straight = mb_task_part(task, 0.0, 0.5), flipped = mb_task_part(task, 0.5, 0.5);
    const mb_network *network = job->network;
    size_t w = (size_t)job->spec.width, h = (size_t)job->spec.height, n;
    float *input = NULL, *logits = NULL;
    if (!mb_mul_size(&n, w, h)) {
        return mb_fail(err, MB_E_ARGUMENT, "an input of %zu x %zu", w, h);
    }
    input = mb_alloc_array(n, 3 * sizeof *input);
    logits = mb_alloc_array(n, sizeof *logits);
    if (input == NULL || logits == NULL) {
        status = mb_fail_memory(err, n * 16, "the mirror image");
        goto done;
    }
    float *in = mb_network_input_view(network).data;
    memcpy(input, in, 3 * n * sizeof *input); /* a run may overwrite its input */
    MB_TRY(mb_net_run(&straight, &job->pass, err));
    memcpy(logits, mb_network_output_view(network).data, n * sizeof *logits);
    for (size_t i = 0; i < n; i++) {
        memcpy(in + 3 * i, input + 3 * (i / w * w + (w - 1 - i % w)), 3 * sizeof *in);
    }
    MB_TRY(mb_net_run(&flipped, &job->pass, err));
    float *out = mb_network_output_view(network).data;
    for (size_t y = 0; y < h; y++) {
        float *row = out + y * w, *first = logits + y * w;
        for (size_t x = 0; x < w; x++) {
            first[x] = 0.5f * (first[x] + row[w - 1 - x]);
        }
        memcpy(row, first, w * sizeof *row);
    }
done:
    mb_free(input);
    mb_free(logits);
    return status;
}

/* The network's side of the recipe, without the memory of its input. */
static mb_status read_recipe(mb_recipe_input *to, const mb_mask_job *job, mb_error *err)
{
    mb_normalization n;
    *to = (mb_recipe_input){.width = job->spec.width, .height = job->spec.height, .recipe = job->spec.recipe};
    mb_status status = mb_model_normalization(&n, job->network->model, err);
    if (status == MB_OK) {
        memcpy(to->mean, n.mean, sizeof to->mean);
        memcpy(to->std, n.std, sizeof to->std);
    }
    return status;
}

/* ---- on a device */

/* The photo goes over as bytes, with what the recipe makes of them and of the logits as tables and taps. */
static mb_status upload_photo(mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    mb_recipe_input to;
    mb_recipe_numbers r = {0};
    const mb_image_u8 *photo = job->photo;
    MB_TRY(read_recipe(&to, job, err));
    MB_TRY(mb_recipe_numbers_create(&r, &to, photo->width, photo->height, err));
    mb_image_input in = {.rgb = photo->v,
                         .width = photo->width,
                         .height = photo->height,
                         .resize = &r.in,
                         .table = r.table[0],
                         .by_maximum = r.by_maximum};
    memcpy(in.mean, to.mean, sizeof in.mean);
    memcpy(in.std, to.std, sizeof in.std);
    mb_mask_output out = {&r.back, r.by_maximum, r.brightens ? r.brightness : NULL};
    MB_TRY(mb_net_upload(&job->pass, &in, &out, err));
done:
    mb_recipe_numbers_dispose(&r);
    return status;
}

/* On a device: plan, upload, and the run queued. Everywhere else, and where no slot takes the photo, nothing is done
 * yet (pass.slot is 0), and finish does all of it. */
mb_status mb_mask_begin(const mb_task *task, mb_mask_job *job, mb_network *network, const mb_image_u8 *photo,
                        const mb_mask_spec *spec, mb_error *err)
{
    mb_status status = MB_OK;
    *job = (mb_mask_job){.network = network, .photo = photo, .spec = *spec};
    if (!mb_net_uploads(network) || spec->flip || spec->mask_f32 != NULL) {
        return MB_OK;
    }
    MB_TRY(mb_net_begin(task, &job->pass, network, spec->height, spec->width, err));
    MB_TRY(upload_photo(job, err));
    if (job->pass.slot > 0) {
        MB_TRY(mb_net_run(task, &job->pass, err));
    }
done:
    if (status != MB_OK) {
        mb_mask_release(job);
    }
    return status;
}

void mb_mask_release(mb_mask_job *job)
{
    mb_net_release(&job->pass);
}

/* ---- on the CPU, around the network */

/* Photo [H,W,3] to the input [1,h,w,3], the network, its logits [h,w] to the mask [H,W]; all on the host but the
 * network. */
static mb_status compute(const mb_task *task, mb_image_u8 *mask, mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    mb_network *network = job->network;
    const mb_mask_spec *spec = &job->spec;
    mb_recipe_input to;
    MB_TRY(read_recipe(&to, job, err));
    MB_TRY(mb_net_begin(task, &job->pass, network, spec->height, spec->width, err));
    mb_view in = mb_network_input_view(network), out = mb_network_output_view(network);
    if (in.pitch != 3 || out.pitch != 1) {
        status = mb_fail(err, MB_E_INTERNAL, "the plan's input or output is not packed");
        goto done;
    }
    to.input = in.data;
    MB_TRY(mb_recipe_prepare(task, &to, job->photo, err));
    MB_TRY(spec->flip ? run_flipped_too(task, job, err) : mb_net_run(task, &job->pass, err));
    if (!mb_plan_is_finite(job->pass.plan)) {
        MB_TRY(mb_recipe_prepare(task, &to, job->photo, err));
        MB_TRY(mb_net_explain(&job->pass, err));
    }
    mb_recipe_output from = {out.data, spec->width, spec->height, job->photo->width, job->photo->height, spec->recipe};
    MB_TRY(mb_recipe_finish(task, mask, spec->mask_f32, &from, err));
done:
    return status;
}

/* Waits for a queued mask, or computes it now. The job is released in any case. */
mb_status mb_mask_finish(const mb_task *task, mb_image_u8 *mask, mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    *mask = (mb_image_u8){0};
    if (job->pass.slot > 0) {
        MB_TRY(mb_image_u8_create(mask, job->photo->width, job->photo->height, 1, err));
        MB_TRY(mb_net_download(mask->v, &job->pass, err));
    } else {
        MB_TRY(compute(task, mask, job, err));
    }
    memcpy(job->warning, job->pass.warning, sizeof job->warning);
done:
    mb_mask_release(job);
    if (status != MB_OK) {
        mb_image_u8_dispose(mask);
    }
    return status;
}
