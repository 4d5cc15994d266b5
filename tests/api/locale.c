/* The library in a program that runs under a locale with a decimal comma: files of numbers are read the same, and give
 * the same masks, for both families of networks. The locale is made here, since few machines have one installed. */
#define _GNU_SOURCE /* setenv, mkdtemp */
#include "core/text.h"
#include "harness/check.h"
#include "harness/models.h"

#include <mattebox.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 64, HEIGHT = 48 };

/* de_DE.UTF-8 in a folder of ours; false: this machine has nothing to make it of. */
static bool use_comma(void)
{
    static char folder[] = "/tmp/mb_locale_XXXXXX";
    char command[300];
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(command, sizeof command, "localedef -c -i de_DE -f UTF-8 %s/de_DE.UTF-8 > /dev/null 2>&1", folder);
    bool made = system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "de_DE.UTF-8") != NULL &&
                strcmp(localeconv()->decimal_point, ",") == 0;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 && made;
}

/* The result for a photo by formula, on the CPU. */
static mb_result *run(void)
{
    static unsigned char pixels[HEIGHT * WIDTH * 3];
    mb_image photo = {.data = pixels, .width = WIDTH, .height = HEIGHT, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
    mb_context_options machine;
    mb_options o;
    mb_error err = {0};
    mb_context *context = NULL;
    mb_model *model = NULL, *matting = NULL;
    mb_pipeline *pipeline = NULL;
    mb_result *result = NULL;
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++) {
        pixels[i] = (unsigned char)(i * 7 % 256);
    }
    mb_context_options_init(&machine);
    machine.device = MB_DEVICE_CPU;
    mb_options_init(&o);
    o.input_width = o.input_height = 32;
    o.detail = MB_DETAIL_VITMATTE;
    CHECK_OK(mb_context_create(&context, &machine, &err), err);
    CHECK_OK(mb_model_open(&model, context, test_model("tiny_legacy"), &err), err);
    CHECK_OK(mb_model_open(&matting, context, test_model("vitmatte_tiny4"), &err), err);
    CHECK_OK(mb_pipeline_create(&pipeline, context, model, matting, &o, &err), err);
    if (pipeline != NULL) {
        CHECK_OK(mb_pipeline_run(&result, pipeline, &photo, &err), err);
    }
    mb_pipeline_free(pipeline);
    mb_model_free(model);
    mb_model_free(matting);
    mb_context_free(context);
    return result;
}

/* Numbers of text files, in whichever locale is set. */
static void test_numbers(void)
{
    static const struct {
        const char *text;
        double value;
        int length; /* -1: no number */
    } rows[] = {{"0.485", 0.485, 5},
                {"-12.5,3", -12.5, 5},
                {"1e-06", 1e-6, 5},
                {"2.5E+3x", 2500.0, 6},
                {"7", 7.0, 1},
                {".5", 0.5, 2},
                {"5.", 5.0, 2},
                {"444 MB", 444.0, 3},
                {"1e", 1.0, 1},
                {"3e+", 3.0, 1},
                {"0,5", 0.0, 1},
                {"1.2.3", 1.2, 3},
                {"", 0.0, -1},
                {"-", 0.0, -1},
                {".", 0.0, -1},
                {"e5", 0.0, -1},
                {"1e999", 0.0, -1},
                {"1e-99999999999", 0.0, -1},
                {"1234567890123456", 0.0, -1},
                {"off", 0.0, -1},
                {"nan", 0.0, -1},
                {" 1", 0.0, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double v = NAN;
        const char *end = mb_text_number(&v, rows[i].text);
        int length = end != NULL ? (int)(end - rows[i].text) : -1;
        CHECK_MSG(v == rows[i].value && length == rows[i].length, "\"%s\": %g, %d characters", rows[i].text, v, length);
    }
}

TEST(numbers)
{
    test_numbers();
}

/* Last: the comma stays in force. */
TEST(under_a_comma)
{
    mb_result *want = run(), *got = NULL;
    double comma = 0;
    if (!use_comma()) {
        mb_result_free(want);
        SKIP("no locale with a decimal comma can be made here");
    }
    CHECK(sscanf("0,5", "%lf", &comma) == 1 && comma == 0.5); /* it is in force */
    test_numbers();
    got = run();
    if (CHECK(want != NULL && got != NULL)) {
        CHECK(memcmp(got->mask.data, want->mask.data, WIDTH * HEIGHT) == 0);
        CHECK(memcmp(got->alpha.data, want->alpha.data, WIDTH * HEIGHT) == 0);
    }
    mb_result_free(want);
    mb_result_free(got);
}
