/* Level 1 of the public header: one call from a file to a file, on top of everything else. */
#include "core/file.h"
#include "core/status.h"

/* Defaults everywhere; the result is whole or absent, as mb_image_save writes it. */
mb_status mb_cutout_file(const char *model, const char *photo, const char *png, mb_error *err)
{
    mb_status status = MB_OK;
    char path[4096];
    mb_context *context = NULL;
    mb_model *m = NULL;
    mb_pipeline *pipeline = NULL;
    mb_image image = {0};
    mb_result *result = NULL;
    MB_TRY(mb_find_model(path, sizeof path, model, err));
    MB_TRY(mb_refuse_same_file(png, photo, "the photo", err));
    MB_TRY(mb_refuse_same_file(png, path, "the model", err));
    MB_TRY(mb_context_create(&context, NULL, err));
    MB_TRY(mb_model_open(&m, context, path, err));
    MB_TRY(mb_image_load(&image, NULL, photo, NULL, err));
    MB_TRY(mb_pipeline_create(&pipeline, context, m, NULL, NULL, err));
    MB_TRY(mb_pipeline_run(&result, pipeline, &image, err));
    MB_TRY(mb_image_save(&result->cutout, png, NULL, err));
done:
    mb_result_free(result);
    mb_image_dispose(&image);
    mb_pipeline_free(pipeline);
    mb_model_free(m);
    mb_context_free(context);
    return status;
}
