/* From the command line to the library's options: defaults, then the preset, then what was given. */
#include "args.h"
#include "builtin.h"
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "blur" or "blur:RADIUS". 1: read, 0: something else, -1: a bad radius. */
static int read_blur(mb_options *out, const char *text)
{
    if (strncmp(text, "blur", 4) != 0 || (text[4] != '\0' && text[4] != ':')) {
        return 0;
    }
    out->background = MB_BACKGROUND_BLUR;
    if (text[4] == ':') {
        char *end;
        out->background_blur = strtod(text + 5, &end);
        if (end == text + 5 || *end != '\0' || !(out->background_blur > 0.0 && out->background_blur <= 4096.0)) {
            return -1;
        }
    }
    return 1;
}

/* --background: a word, a colour, or else a picture's path. */
static int read_background(mb_options *out, args *a)
{
    const char *text = a->background;
    mb_error err = {0};
    if (text == NULL || strcmp(text, "none") == 0) {
        return CODE_OK;
    }
    int blur = read_blur(out, text);
    if (blur < 0) {
        return message_error(CODE_USAGE, NULL, "--background %s: a radius above 0, to 4096", text);
    }
    a->opaque = 1;
    if (blur > 0) {
        return CODE_OK;
    }
    if (mb_parse_colour(out->background_colour, text, &err) == MB_OK) {
        out->background = MB_BACKGROUND_COLOUR;
        a->opaque = out->background_colour[3] == 255;
        return CODE_OK;
    }
    struct stat s;
    if (stat(text, &s) != 0) {
        return message_error(CODE_USAGE,
                             "none, blur, blur:RADIUS, #rrggbb, #rrggbbaa, r,g,b, a name like white, or a file",
                             "--background %s: no colour, and no such file", text);
    }
    mb_load_options o;
    mb_load_options_init(&o);
    o.max_megapixels = a->max_megapixels_in;
    err = (mb_error){0};
    mb_image_dispose(&a->background_picture);
    mb_metadata_dispose(&a->background_metadata);
    o.metadata = &a->background_metadata;
    mb_status status = mb_image_load(&a->background_picture, NULL, text, &o, &err);
    if (status != MB_OK) {
        return message_status(status == MB_E_MEMORY ? CODE_MACHINE : CODE_USAGE, NULL, &err);
    }
    out->background = MB_BACKGROUND_PICTURE;
    out->background_picture = &a->background_picture;
    return CODE_OK;
}

static void set_edges(mb_options *out, const args *a)
{
    if (a->preset == NULL && (a->command->bit & (CMD_MATTE | CMD_REFINE)) != 0) {
        out->detail = MB_DETAIL_PYMATTING; /* refining is what these are for, and it needs no model */
    }
    if (args_given(a, "detail")) {
        out->detail = (mb_detail)a->detail;
        out->process_detail = 1;
    }
    if (args_given(a, "foreground")) {
        out->foreground = (mb_foreground)a->foreground;
    }
    if (args_given(a, "recipe")) {
        out->recipe = (mb_recipe)a->recipe;
    }
    out->erode = args_given(a, "erode") ? a->erode : out->erode;
    out->dilate = args_given(a, "dilate") ? a->dilate : out->dilate;
    out->black_point = args_given(a, "black-point") ? a->black_point : out->black_point;
    out->white_point = args_given(a, "white-point") ? a->white_point : out->white_point;
    out->max_megapixels = args_given(a, "max-megapixels") ? a->max_megapixels : out->max_megapixels;
    out->process_detail = a->no_detail ? 0 : out->process_detail;
    out->trimap_low = args_given(a, "trimap-low") ? a->trimap_low : out->trimap_low;
    out->trimap_high = args_given(a, "trimap-high") ? a->trimap_high : out->trimap_high;
    out->guided_radius = a->guided_radius;
    out->guided_eps = a->guided_eps;
    out->guided_scale = a->guided_scale;
    out->matting_epsilon = a->matting_epsilon;
}

static void set_look(mb_options *out, const args *a)
{
    static const int depths[] = {0, 8, 16};
    out->input_alpha = (mb_input_alpha)a->input_alpha;
    out->depth = args_given(a, "depth") ? depths[a->depth] : out->depth;
    out->min_area = a->min_area;
    out->largest = a->largest;
    out->invert = a->invert;
    out->linear = a->linear;
    out->premultiplied = a->premultiplied && a->icc != ICC_SRGB; /* converted first, then multiplied: colour.c */
    out->clean_transparent = a->clean_transparent;
    out->crop = args_given(a, "crop");
    out->crop_margin = a->crop;
    out->want_cutout = !a->only_mask && a->command->bit != CMD_REFINE;
    out->want_trimap = a->trimap;
}

int args_library_options(mb_options *out, args *a)
{
    mb_error err = {0};
    mb_options_init(out);
    out->foreground = MB_FOREGROUND_ML; /* a cut-out without a rim; the node's presets keep the photo's colours */
    const model_choice choice = a->command->bit == CMD_CUT ? model_choose(a->model) : (model_choice){0};
    const char *preset = a->preset == NULL && choice.standard ? "small" : a->preset;
    const mb_foreground foreground = out->foreground;
    if (preset != NULL && mb_options_preset(out, preset, &err) != MB_OK) {
        return message_status(CODE_USAGE, NULL, &err);
    }
    if (preset != NULL && strcmp(preset, "small") == 0) {
        out->foreground = foreground;
    }
    out->segment = choice.saliency ? MB_SEGMENT_SALIENCY : out->segment;
    out->segment = args_given(a, "segment") ? (mb_segmenter)a->segment : out->segment;
    out->flip = args_given(a, "flip") ? 1 : out->flip;
    out->grabcut = args_given(a, "grabcut") ? 1 : out->grabcut;
    set_edges(out, a);
    set_look(out, a);
    out->input_width = a->input_size.width;
    out->input_height = a->input_size.height;
    int code = read_background(out, a);
    if (code == CODE_OK && mb_options_check(out, &err) != MB_OK) {
        code = message_status(CODE_USAGE, NULL, &err);
    }
    return code;
}
