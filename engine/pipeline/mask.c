/* The mask step: the recipe's way in, the network, the recipe's way back (image/resample/recipe.h has the arithmetic).
 * On a device all three are queued there at once; on the CPU, and for what devices cannot (the mirror image, masks of
 * more than 8 bits, no memory for the picture), recipe.c does its part. */
#include "pipeline/mask.h"

#include "core/alloc.h"
#include "image/resample/recipe.h"

#include <stdio.h>
#include <string.h>

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

/* Three numbers of the metadata, e.g. "0.485,0.456,0.406". */
static mb_status read_triple(float out[3], const mb_model *model, const char *key, mb_error *err)
{
    const char *text = mb_model_meta(model, key);
    if (text == NULL || sscanf(text, "%f,%f,%f", &out[0], &out[1], &out[2]) != 3) {
        return mb_fail(err, MB_E_FORMAT, "%.200s: metadata %s is missing or no three numbers\nconvert the file again",
                       model->info.path, key);
    }
    return MB_OK;
}

/* Two runs, the second on the mirror image; the output becomes the mean of the logits of both. */
static mb_status run_both_ways(mb_network *network, const mb_mask_spec *spec, mb_error *err)
{
    mb_status status = MB_OK;
    size_t w = (size_t)spec->width, h = (size_t)spec->height, n;
    float *input = NULL, *logits = NULL;
    if (!mb_mul_size(&n, w, h)) {
        return mb_fail(err, MB_E_ARGUMENT, "an input of %d x %d", spec->width, spec->height);
    }
    input = mb_alloc_array(n, 3 * sizeof *input);
    logits = mb_alloc_array(n, sizeof *logits);
    if (input == NULL || logits == NULL) {
        status = mb_fail_memory(err, n * 16, "the mirror image");
        goto done;
    }
    float *in = mb_network_input_view(network).data;
    memcpy(input, in, 3 * n * sizeof *input); /* a run may overwrite its input */
    MB_TRY(mb_network_run_plan(network, NULL, spec->first, spec->share / 2, err));
    memcpy(logits, mb_network_output_view(network).data, n * sizeof *logits);
    for (size_t i = 0; i < n; i++) {
        memcpy(in + 3 * i, input + 3 * (i / w * w + (w - 1 - i % w)), 3 * sizeof *in);
    }
    MB_TRY(mb_network_run_plan(network, NULL, spec->first + spec->share / 2, spec->share / 2, err));
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

static mb_status read_recipe(mb_recipe_input *to, const mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    *to = (mb_recipe_input){.width = job->spec.width, .height = job->spec.height, .recipe = job->spec.recipe};
    MB_TRY(read_triple(to->mean, job->network->model, "input.mean", err));
    MB_TRY(read_triple(to->std, job->network->model, "input.std", err));
done:
    return status;
}

/* ---- on a device */

static void *way_of(const mb_mask_job *job)
{
    return job->network->upload_slots[job->way - 1];
}

static mb_status feed_photo(void *user, const mb_view *input, mb_error *err)
{
    const mb_mask_job *job = user;
    return job->network->backend->image_io->write_input(way_of(job), input, err);
}

static mb_status take_mask(void *user, const mb_view *logits, mb_error *err)
{
    const mb_mask_job *job = user;
    return job->network->backend->image_io->read_output(way_of(job), logits, err);
}

static mb_plan_io io_of(mb_mask_job *job)
{
    const mb_architecture *a = job->network->model->architecture;
    return (mb_plan_io){a->input, a->output, feed_photo, take_mask, job};
}

/* A free slot of the network's; false: none, or not for such a mask. */
static bool take_way(mb_mask_job *job, mb_error *err)
{
    mb_network *n = job->network;
    if (job->spec.flip || job->spec.fine != NULL) {
        return false;
    }
    for (int i = 0; i < MB_UPLOAD_SLOTS; i++) {
        if (!n->slot_in_flight[i]) {
            n->slot_in_flight[i] = n->upload_slots[i] != NULL ||
                                   n->backend->image_io->open(n->backend->device, &n->upload_slots[i], err) == MB_OK;
            job->way = n->slot_in_flight[i] ? 1 + i : 0;
            return n->slot_in_flight[i];
        }
    }
    return false;
}

void mb_mask_drop(mb_mask_job *job)
{
    if (job->way > 0) {
        job->network->slot_in_flight[job->way - 1] = false;
        job->way = 0;
    }
}

static mb_status send_photo(mb_mask_job *job, const mb_recipe_input *to, mb_error *err)
{
    mb_status status = MB_OK;
    mb_recipe_numbers r = {0};
    const mb_image_u8 *photo = job->photo;
    MB_TRY(mb_recipe_numbers_create(&r, to, photo->width, photo->height, err));
    mb_image_input in = {.rgb = photo->v,
                         .width = photo->width,
                         .height = photo->height,
                         .resize = &r.in,
                         .table = r.table[0],
                         .by_maximum = r.by_maximum};
    memcpy(in.mean, to->mean, sizeof in.mean);
    memcpy(in.std, to->std, sizeof in.std);
    mb_mask_output out = {&r.back, r.by_maximum, r.brightens ? r.brightness : NULL};
    MB_TRY(job->network->backend->image_io->upload(way_of(job), &in, &out, err));
done:
    mb_recipe_numbers_dispose(&r);
    return status;
}

static mb_status begin_inside(mb_mask_job *job, const mb_recipe_input *to, mb_error *err)
{
    mb_error why = {0};
    mb_status status = take_way(job, &why) ? send_photo(job, to, &why) : why.code;
    if (status == MB_E_MEMORY || status == MB_E_UNSUPPORTED) { /* the CPU prepares this picture */
        mb_mask_drop(job);
        status = MB_OK;
    }
    return status == MB_OK ? MB_OK : mb_fail(err, status, "%s", why.message);
}

mb_status mb_mask_begin(mb_mask_job *job, mb_network *network, const mb_image_u8 *photo, const mb_mask_spec *spec,
                        mb_error *err)
{
    mb_status status = MB_OK;
    const mb_backend *b = network->backend;
    mb_recipe_input to;
    *job = (mb_mask_job){.network = network, .photo = photo, .spec = *spec};
    if (b->memory == NULL || !mb_image_io_wanted(b->image_io)) {
        return MB_OK;
    }
    MB_TRY(read_recipe(&to, job, err));
    MB_TRY(mb_network_prepare(network, 1, spec->height, spec->width, NULL, 0, err));
    MB_TRY(b->memory->enter(b->device, err));
    status = begin_inside(job, &to, err);
    b->memory->leave(b->device);
    if (status == MB_OK && job->way > 0) {
        mb_plan_io io = io_of(job);
        job->plan = network->plan;
        status = mb_network_run_plan(network, &io, spec->first, spec->share, err);
    }
done:
    if (status != MB_OK) {
        mb_mask_drop(job);
    }
    return status;
}

static mb_status receive(mb_image_u8 *mask, mb_mask_job *job, mb_error *err)
{
    mb_status status;
    mb_network *n = job->network;
    bool finite = true;
    MB_TRY(mb_image_u8_create(mask, job->photo->width, job->photo->height, 1, err));
    MB_TRY(n->backend->image_io->download(way_of(job), mask->v, &finite, err));
    if (!finite && mb_runner_is_16bit(n->runner)) {
        mb_plan_io io = io_of(job);
        MB_TRY(mb_runner_again(n->runner, job->plan, &io, err));
        MB_TRY(n->backend->image_io->download(way_of(job), mask->v, &finite, err));
        (void)snprintf(job->warning, sizeof job->warning, "%s", mb_network_warning(n));
    }
    if (!finite) {
        mb_plan_io io = io_of(job);
        status = mb_plan_explain(job->plan, &io, err);
    }
done:
    return status;
}

/* ---- on the CPU, around the network */

static mb_status make(mb_image_u8 *mask, mb_mask_job *job, mb_error *err)
{
    mb_status status = MB_OK;
    mb_network *network = job->network;
    const mb_mask_spec *spec = &job->spec;
    mb_recipe_input to;
    MB_TRY(read_recipe(&to, job, err));
    MB_TRY(mb_network_prepare(network, 1, spec->height, spec->width, NULL, 0, err));
    mb_view in = mb_network_input_view(network), out = mb_network_output_view(network);
    if (in.pitch != 3 || out.pitch != 1) {
        status = mb_fail(err, MB_E_INTERNAL, "the plan's input or output is not packed");
        goto done;
    }
    to.input = in.data;
    MB_TRY(mb_recipe_prepare(&to, job->photo, network->pool, err));
    MB_TRY(spec->flip ? run_both_ways(network, spec, err)
                      : mb_network_run_plan(network, NULL, spec->first, spec->share, err));
    if (!mb_plan_is_finite(network->plan)) {
        MB_TRY(mb_recipe_prepare(&to, job->photo, network->pool, err));
        MB_TRY(mb_plan_explain(network->plan, NULL, err));
    }
    mb_recipe_output from = {out.data, spec->width, spec->height, job->photo->width, job->photo->height, spec->recipe};
    MB_TRY(mb_recipe_finish(mask, spec->fine, &from, network->pool, err));
    (void)snprintf(job->warning, sizeof job->warning, "%s", mb_network_warning(network));
done:
    return status;
}

mb_status mb_mask_finish(mb_image_u8 *mask, mb_mask_job *job, mb_error *err)
{
    *mask = (mb_image_u8){0};
    mb_status status = job->way > 0 ? receive(mask, job, err) : make(mask, job, err);
    mb_mask_drop(job);
    if (status != MB_OK) {
        mb_image_u8_dispose(mask);
    }
    return status;
}
