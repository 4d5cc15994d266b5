/* From file to file, and the same with everything kept for the next photo: cc example.c $(pkg-config --cflags --libs
 * mattebox). Run as: example MODEL PHOTO OUT.png. A test compiles and runs it. */
#include <mattebox.h>
#include <stdio.h>

static int load_once_run_often(const char *model_path, int n, char **photos)
{
    mb_error err = {MB_OK, ""};
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_pipeline *pipeline = NULL;
    mb_status status = mb_context_create(&context, NULL, &err);
    if (status == MB_OK) {
        status = mb_model_open(&model, context, model_path, &err);
    }
    if (status == MB_OK) {
        status = mb_pipeline_create(&pipeline, context, model, NULL, NULL, &err);
    }
    for (int i = 0; i < n && status == MB_OK; i++) {
        mb_image photo = {0};
        mb_result *result = NULL;
        status = mb_image_load(&photo, NULL, photos[i], NULL, &err);
        if (status == MB_OK) {
            status = mb_pipeline_run(&result, pipeline, &photo, &err);
        }
        if (status == MB_OK) {
            printf("%s: %.1f %% foreground\n", photos[i], 100.0 * result->coverage);
        }
        mb_result_free(result);
        mb_image_dispose(&photo);
    }
    mb_pipeline_free(pipeline);
    mb_model_free(model);
    mb_context_free(context);
    if (status != MB_OK) {
        fprintf(stderr, "%s\n", err.message);
    }
    return status == MB_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    mb_error err = {MB_OK, ""};
    if (argc != 4) {
        return 2;
    }
    if (mb_cutout_file(argv[1], argv[2], argv[3], &err) != MB_OK) { /* the whole library in one call */
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return load_once_run_often(argv[1], 1, argv + 2);
}
