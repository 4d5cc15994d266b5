/* The mask step: the recipe's way in, the network, the recipe's way back (image/recipe.h has the arithmetic). */
#include "pipeline/mask.h"

#include "image/recipe.h"

#include <stdio.h>
#include <string.h>

mb_recipe mb_recipe_for(const mb_model *model, mb_recipe wish)
{
    if (wish != MB_RECIPE_AUTO) {
        return wish;
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
    MB_TRY(mb_network_run_plan(network, spec->first, spec->share, err));
    mb_view out = mb_network_output_view(network);
    if (out.pitch != 1) {
        status = mb_fail(err, MB_E_INTERNAL, "the plan's output is not packed");
        goto done;
    }
    mb_recipe_output from = {out.data, spec->width, spec->height, photo->width, photo->height, spec->recipe};
    MB_TRY(mb_recipe_finish(mask, NULL, &from, network->pool, err));
done:
    return status;
}
