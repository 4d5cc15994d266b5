/* A host program may set a locale whose decimal sign is a comma and whose groups are parted by dots: models open, masks
 * come out, and files and JSON are written byte for byte as under the C locale. The locale is built here by localedef
 * (none of the machine's is needed). */
#define _GNU_SOURCE /* setenv */
#include "core/json.h"
#include "harness/check.h"
#include "harness/models.h"
#include "harness/process.h"
#include "tool.h"

#include <mattebox.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 48
#define H 40

static const char *folder;
static process p;

SETUP
{
    static const char definition[] =
        "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\ngrouping 3;3\nEND LC_NUMERIC\n";
    folder = process_folder("format-locale");
    file_write_text("comma.src", definition);
    /* 1: built, with warnings about the categories that are left out */
    process_run(&p, "localedef -c -i comma.src -f UTF-8 ./comma_DE; test $? -le 1 && test -s comma_DE/LC_NUMERIC");
    if (p.code != 0) {
        SKIP("no localedef, or no character map for it: %s", p.err);
    }
    setenv("LOCPATH", folder, 1);
    setenv("LC_ALL", "comma_DE", 1);
}

static void use_comma(bool comma)
{
    char text[16];
    REQUIRE(setlocale(LC_ALL, comma ? "" : "C") != NULL);
    (void)snprintf(text, sizeof text, "%.1f", 1.5);
    REQUIRE_MSG(strcmp(text, comma ? "1,5" : "1.5") == 0, "the locale gives %s", text);
}

BEFORE_EACH
{
    use_comma(false);
}

/* A picture through a model, from the file to the mask; the bytes of the mask into `mask`. */
static void cut(unsigned char mask[W * H], const char *variant, bool comma)
{
    static unsigned char pixels[H][W][3];
    const mb_image photo = {.data = pixels, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U8};
    const char *path = test_model(variant);
    mb_error err;
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_pipeline *pipeline = NULL;
    mb_result *result = NULL;
    mb_options options;
    mb_context_options machine;
    for (int i = 0; i < W * H; i++) {
        for (int c = 0; c < 3; c++) {
            pixels[i / W][i % W][c] = (unsigned char)(i % W * 5 + i / W * (c + 1));
        }
    }
    use_comma(comma);
    mb_context_options_init(&machine);
    machine.device = MB_DEVICE_CPU;
    mb_options_init(&options);
    options.input_width = options.input_height = 32;
    REQUIRE_OK(mb_context_create(&context, &machine, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, path, &err), err);
    REQUIRE_OK(mb_pipeline_create(&pipeline, context, model, NULL, &options, &err), err);
    REQUIRE_OK(mb_pipeline_run(&result, pipeline, &photo, &err), err);
    REQUIRE(result->mask.width == W && result->mask.height == H);
    for (int y = 0; y < H; y++) {
        const size_t row = result->mask.row_bytes > 0 ? result->mask.row_bytes : W;
        memcpy(mask + (size_t)y * W, (const unsigned char *)result->mask.data + (size_t)y * row, W);
    }
    mb_result_free(result);
    mb_pipeline_free(pipeline);
    mb_model_free(model);
    mb_context_free(context);
}

static const struct {
    const char *name;
} networks[] = {{"tiny7"}, {"tiny_legacy"}};

TEST_ROWS(mask, networks)
{
    static unsigned char plain[W * H], comma[W * H];
    cut(plain, row->name, false);
    cut(comma, row->name, true);
    CHECK(memcmp(plain, comma, sizeof plain) == 0);
}

/* The command line of mattebox-weights inside the host program; what it printed into `out`. */
static void tool(char *out, size_t capacity, bool comma, const char *const given[], int n)
{
    char *argv[10] = {NULL};
    for (int i = 0; i < n; i++) {
        argv[i] = (char *)(uintptr_t)given[i];
    }
    use_comma(comma);
    FILE *printed = tmpfile(), *complained = tmpfile();
    REQUIRE(printed != NULL && complained != NULL);
    const int code = tool_main(n, argv, printed, complained);
    CHECK_EQ(code, 0);
    rewind(code == 0 ? printed : complained);
    out[fread(out, 1, capacity - 1, code == 0 ? printed : complained)] = '\0';
    CHECK_MSG(code == 0, "%s", out);
    (void)fclose(printed);
    (void)fclose(complained);
}

#define TOOL(out, comma, ...)                                                                                          \
    tool(out, sizeof(out), comma, (const char *const[]){"mattebox-weights", __VA_ARGS__},                              \
         (int)(sizeof((const char *const[]){"mattebox-weights", __VA_ARGS__}) / sizeof(char *)))

static const char *in_folder(const char *name)
{
    static char paths[4][5000];
    static int turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

TEST_ROWS(weights, networks)
{
    static char plain[100000], comma[100000];
    TOOL(plain, false, "generate", row->name, "-o", in_folder("plain.mbw"), "-f");
    TOOL(comma, true, "generate", row->name, "-o", in_folder("comma.mbw"), "-f");
    CHECK(file_equal("plain.mbw", "comma.mbw"));
    TOOL(plain, false, "generate", row->name, "--checkpoint", "-o", in_folder("a.safetensors"), "-f");
    TOOL(comma, true, "generate", row->name, "--checkpoint", "-o", in_folder("b.safetensors"), "-f");
    CHECK(file_equal("a.safetensors", "b.safetensors"));
    TOOL(plain, false, "convert", in_folder("a.safetensors"), "-o", in_folder("plain.mbw"), "-f", "--dtype", "f16");
    TOOL(comma, true, "convert", in_folder("a.safetensors"), "-o", in_folder("comma.mbw"), "-f", "--dtype", "f16");
    CHECK(file_equal("plain.mbw", "comma.mbw"));
    TOOL(plain, false, "inspect", in_folder("plain.mbw"), "--json");
    TOOL(comma, true, "inspect", in_folder("plain.mbw"), "--json");
    CHECK_STR(comma, plain);
}

TEST(json)
{
    static const double numbers[] = {0.5, -1.25e-7, 123456.75, 98765.4321};
    mb_json j;
    use_comma(true);
    mb_json_init(&j);
    mb_json_begin_array(&j);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        mb_json_number(&j, numbers[i]);
    }
    mb_json_end(&j);
    CHECK_STR(mb_json_text(&j), "[0.5,-1.25e-07,123456.75,98765.4321]");
    mb_json_reader r;
    double v = 0;
    mb_json_read_init(&r, mb_json_text(&j), strlen(mb_json_text(&j)));
    CHECK(mb_json_enter(&r, '['));
    for (size_t i = 0; mb_json_next_item(&r); i++) {
        REQUIRE(i < sizeof numbers / sizeof numbers[0] && mb_json_get_number(&r, &v));
        CHECK_EQ(v, numbers[i]);
    }
    CHECK(mb_json_finish(&r));
    mb_json_dispose(&j);
}

/* The program itself, in the user's locale. Its JSON is read back: a decimal comma would break every object. */
TEST(program)
{
    process_run(&p, "mattebox --version");
    if (p.code == 126) {
        SKIP("the shell cannot start a program for another processor: %s", p.err);
    }
    process_run(&p,
                "cp '%s/pictures/chelsea.ppm' a.ppm && for l in C comma_DE; do LC_ALL=$l mattebox a.ppm -m '%s' "
                "--input-size 32 --black-point 0.25 --background blur:1.5 -o $l.png -f --json >$l.json || exit; done; "
                "cmp C.png comma_DE.png && cat comma_DE.json",
                MB_TEST_DATA, test_model("tiny_legacy"));
    CHECK_RUN(&p, 0, "");
    CHECK_CONTAINS(p.out, "\"coverage\":0.");
    int lines = 0;
    for (const char *line = p.out; *line != '\0'; lines++) {
        const size_t n = strcspn(line, "\n");
        mb_json_reader r;
        mb_json_read_init(&r, line, n);
        CHECK_MSG(mb_json_skip(&r) && mb_json_finish(&r), "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
    CHECK_EQ(lines, 2);
}
