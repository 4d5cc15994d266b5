/* Level 1 of the public header: one call from a file to a file, on top of everything else. */
#include "core/file.h"
#include "core/status.h"

/* The program's defaults; the result is whole or absent, as mb_image_save writes it. */
mb_status mb_cutout_file(const char *model, const char *photo, const char *png, mb_error *err)
{
    mb_status status = MB_OK;
    mb_options options;
    mb_context *context = NULL;
    mb_model *m = NULL;
    mb_pipeline *pipeline = NULL;
    mb_image image = {0};
    mb_load_options load;
    mb_result *result = NULL;
    mb_options_init(&options);
    MB_TRY(mb_refuse_same_file(png, photo, "the photo", err));
    MB_TRY(mb_context_create(&context, NULL, err));
    MB_TRY(mb_model_open(&m, context, model, err));
    MB_TRY(mb_refuse_same_file(png, mb_model_get_info(m)->path, "the model", err));
    if (mb_model_get_info(m)->path[0] == '\0') {
        MB_TRY(mb_options_preset(&options, "small", err));
    }
    options.foreground = MB_FOREGROUND_ML;
    mb_load_options_init(&load);
    load.keep_alpha = 1;
    MB_TRY(mb_image_load(&image, NULL, photo, &load, err));
    MB_TRY(mb_pipeline_create(&pipeline, context, m, NULL, &options, err));
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
