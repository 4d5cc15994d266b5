/* The mask step: the recipe's way in, the network, the recipe's way back (image/recipe.h has the arithmetic). */
#include "pipeline/mask.h"

#include "core/alloc.h"
#include "image/recipe.h"

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
    MB_TRY(mb_network_run_plan(network, spec->first, spec->share / 2, err));
    memcpy(logits, mb_network_output_view(network).data, n * sizeof *logits);
    for (size_t i = 0; i < n; i++) {
        memcpy(in + 3 * i, input + 3 * (i / w * w + (w - 1 - i % w)), 3 * sizeof *in);
    }
    MB_TRY(mb_network_run_plan(network, spec->first + spec->share / 2, spec->share / 2, err));
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

mb_status mb_mask_make(mb_picture *mask, mb_network *network, const mb_picture *photo, const mb_mask_spec *spec,
                       mb_error *err)
{
    mb_status status = MB_OK;
    *mask = (mb_picture){0};
    MB_TRY(mb_network_prepare(network, 1, spec->height, spec->width, NULL, 0, err));
    mb_view in = mb_network_input_view(network);
    mb_recipe_input to = {.input = in.data, .width = spec->width, .height = spec->height, .recipe = spec->recipe};
    MB_TRY(read_triple(to.mean, network->model, "input.mean", err));
    MB_TRY(read_triple(to.std, network->model, "input.std", err));
    if (in.pitch != 3) {
        status = mb_fail(err, MB_E_INTERNAL, "the plan's input is not packed");
        goto done;
    }
    MB_TRY(mb_recipe_prepare(&to, photo, network->pool, err));
    mb_view out = mb_network_output_view(network);
    if (out.pitch != 1) {
        status = mb_fail(err, MB_E_INTERNAL, "the plan's output is not packed");
        goto done;
    }
    MB_TRY(spec->mirror ? run_both_ways(network, spec, err)
                        : mb_network_run_plan(network, spec->first, spec->share, err));
    mb_recipe_output from = {out.data, spec->width, spec->height, photo->width, photo->height, spec->recipe};
    MB_TRY(mb_recipe_finish(mask, spec->fine, &from, network->pool, err));
done:
    return status;
}
