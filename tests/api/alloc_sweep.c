/* Allocations of a whole run, from the context to the encoded PNG, fail one at a time: a clean MB_E_MEMORY with a
 * message, nothing leaked (under the address sanitizer), and the same run works afterwards. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/models.h"

#include <mattebox.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker sends the library's heap calls here (see CMakeLists.txt beside this file). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_posix_memalign(void **p, size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **p, size_t alignment, size_t n);

static long calls, failing = -1; /* number of the call that fails; negative: none. One thread only */

static bool fails_now(void)
{
    return calls++ == failing;
}

void *__wrap_malloc(size_t n)
{
    return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails_now() ? NULL : __real_realloc(p, n);
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t n)
{
    return fails_now() ? 12 : __real_posix_memalign(p, alignment, n);
}

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != MB_OK) {                                                                                         \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* A refinement with everything that a result can be, written as each format: all of it allocates. */
static mb_status refined_run(mb_error *err)
{
    enum { W = 40, H = 33 };
    static unsigned short pixels[W * H * 3];
    static unsigned char given[W * H];
    static const mb_background backgrounds[] = {MB_BACKGROUND_BLUR, MB_BACKGROUND_PICTURE, MB_BACKGROUND_NONE};
    static const mb_format formats[] = {MB_FORMAT_PNG, MB_FORMAT_JPEG, MB_FORMAT_WEBP};
    const mb_image photo = {.data = pixels, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16};
    const mb_image mask = {.data = given, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8};
    mb_status status = MB_OK;
    mb_context *context = NULL;
    mb_pipeline *pipeline = NULL;
    mb_result *result = NULL;
    void *file = NULL;
    size_t n = 0;
    mb_context_options c;
    mb_options o;
    for (int i = 0; i < W * H; i++) {
        given[i] = i % W > 8 && i % W < 30 && i / W > 5 && i / W < 28 ? 255 : 0;
        pixels[3 * i] = (unsigned short)(i * 40);
    }
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 1;
    TRY(mb_context_create(&context, &c, err));
    for (int k = 0; k < 3; k++) {
        mb_options_init(&o);
        o.detail = k == 0 ? MB_DETAIL_GUIDED : MB_DETAIL_PYMATTING;
        o.foreground = k == 1 ? MB_FOREGROUND_BLURFUSION : MB_FOREGROUND_ML;
        o.depth = k == 1 ? 8 : 0;
        o.guided_scale = 0.5;
        o.min_area = 4;
        o.invert = k == 2;
        o.background = backgrounds[k];
        o.background_picture = &photo;
        o.crop = 1;
        TRY(mb_pipeline_create(&pipeline, context, NULL, NULL, &o, err));
        TRY(mb_pipeline_refine(&result, pipeline, &photo, &mask, NULL, err));
        mb_save_options save;
        mb_save_options_init(&save);
        save.format = formats[k];
        status = mb_image_encode(&file, &n, &result->cutout, &save, err);
        if (status == MB_E_UNSUPPORTED) { /* a build without that library */
            status = MB_OK;
            *err = (mb_error){0};
        }
        TRY(status);
        mb_buffer_free(file);
        mb_result_free(result);
        mb_pipeline_free(pipeline);
        file = NULL;
        result = NULL;
        pipeline = NULL;
    }
done:
    mb_buffer_free(file);
    mb_result_free(result);
    mb_pipeline_free(pipeline);
    mb_context_free(context);
    return status;
}

static mb_status whole_run(mb_error *err)
{
    static unsigned char pixels[24 * 20 * 3];
    mb_image photo = {.data = pixels, .width = 24, .height = 20, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
    mb_status status = MB_OK;
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_pipeline *pipeline = NULL;
    mb_result *result = NULL;
    void *png = NULL;
    size_t n = 0;
    mb_context_options c;
    mb_options o;
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (unsigned char)(i * i / 7);
    }
    mb_context_options_init(&c);
    c.device = MB_DEVICE_CPU;
    c.threads = 1;
    mb_options_init(&o);
    o.input_width = o.input_height = 32;
    o.detail = MB_DETAIL_PYMATTING;
    o.foreground = MB_FOREGROUND_ML;
    o.want_trimap = 1;
    TRY(mb_context_create(&context, &c, err));
    TRY(mb_model_open(&model, context, test_model("tiny_legacy"), err));
    TRY(mb_pipeline_create(&pipeline, context, model, NULL, &o, err));
    TRY(mb_pipeline_run(&result, pipeline, &photo, err));
    TRY(mb_image_encode(&png, &n, &result->cutout, NULL, err));
done:
    CHECK((status == MB_OK) == (png != NULL));
    mb_buffer_free(png);
    mb_result_free(result);
    mb_pipeline_free(pipeline);
    mb_model_free(model);
    mb_context_free(context);
    return status;
}

/* Fails the allocations of `run` one at a time: all of the first hundred, then a spread that visits every phase and
 * stays within seconds. */
static void sweep(const char *name, mb_status (*run)(mb_error *err))
{
    mb_error err = {0};
    CHECK_OK(run(&err), err);
    calls = 0;
    CHECK_OK(run(&err), err);
    long total = calls, injected = 0, survived = 0, step = total / 150 + 1;
    for (long i = 0; i < total; i += i < 100 ? 1 : step) {
        err = (mb_error){0};
        calls = 0;
        failing = i;
        mb_status status = run(&err);
        failing = -1;
        injected++;
        survived += status == MB_OK; /* a cache that could not be made, a slower way that was taken */
        CHECK_MSG(status == MB_OK || status == MB_E_MEMORY, "%s, allocation %ld of %ld: %s, %s", name, i, total,
                  mb_status_name(status), err.message);
        CHECK_MSG(status == MB_OK || (err.code == status && err.message[0] != '\0'), "%s, allocation %ld: no message",
                  name, i);
    }
    CHECK_OK(run(&err), err);
    printf("%s: %ld failures injected into a run of %ld allocations, %ld survived\n", name, injected, total, survived);
}

SETUP
{
    (void)test_model("tiny_legacy");
}

TEST(cut)
{
    sweep("cut", whole_run);
}

TEST(refine)
{
    sweep("refine", refined_run);
}
