/* Options: defaults, the node's presets, ranges, and the names of values. */
#include "pipeline/sized.h"

#include "image/compose/colour.h"
#include "image/convert.h"

#include <string.h>

/* Values that are not named are 0, which is the default of every one of them. */
void mb_options_init(mb_options *options)
{
    *options = (mb_options){
        .size = sizeof *options,
        .process_detail = 1,
        .erode = 6,
        .dilate = 6,
        .black_point = 0.01,
        .white_point = 0.99,
        .max_megapixels = 2.0,
        .want_cutout = 1,
        .trimap_low = 25,
        .trimap_high = 230,
    };
}

/* The two nodes as they are shipped, and what the built-in model is used with. */
mb_status mb_options_preset(mb_options *options, const char *name, mb_error *err)
{
    bool v2 = strcmp(name, "birefnet-ultra-v2") == 0;
    if (strcmp(name, "small") == 0) { /* docs/models/default.md has the measurements that chose this */
        mb_options_init(options);
        options->segment = MB_SEGMENT_BOTH;
        options->flip = 1;
        options->grabcut = 1;
        options->detail = MB_DETAIL_PYMATTING;
        return MB_OK;
    }
    if (!v2 && strcmp(name, "birefnet-ultra") != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "preset \"%.60s\": one of birefnet-ultra, birefnet-ultra-v2, small", name);
    }
    /* Both nodes keep the photo's colours: foreground none. */
    mb_options_init(options);
    options->detail = MB_DETAIL_VITMATTE;
    options->depth = 8;
    options->trimap_low = 0; /* only black and white are known there */
    options->trimap_high = 255;
    options->recipe = v2 ? MB_RECIPE_LAYERSTYLE_V2 : MB_RECIPE_LAYERSTYLE;
    if (v2) {
        options->erode = 4;
        options->dilate = 2;
        options->process_detail = 0;
    }
    return MB_OK;
}

static const char *name_at(const char *const *names, int n, int i)
{
    return i >= 0 && i < n ? names[i] : NULL;
}

#define NAME_FUNCTION(function, ...)                                                                                   \
    const char *function(int i)                                                                                        \
    {                                                                                                                  \
        static const char *const names[] = {__VA_ARGS__};                                                              \
        return name_at(names, (int)(sizeof names / sizeof names[0]), i);                                               \
    }

NAME_FUNCTION(mb_input_alpha_name, "keep", "ignore")
NAME_FUNCTION(mb_mask_channel_name, "auto", "luma", "red", "green", "blue", "alpha")
NAME_FUNCTION(mb_recipe_name, "auto", "layerstyle", "layerstyle-v2", "modelcard", "official", "rembg")
NAME_FUNCTION(mb_detail_name, "none", "guided", "pymatting", "vitmatte", "vitmatte-local", "vitmatte-base")
NAME_FUNCTION(mb_segmenter_name, "network", "saliency", "both")
NAME_FUNCTION(mb_foreground_name, "none", "ml", "blurfusion")
NAME_FUNCTION(mb_background_name, "none", "colour", "picture", "blur")
NAME_FUNCTION(mb_format_name, "auto", "png", "webp", "jpeg")
NAME_FUNCTION(mb_device_name, "auto", "cpu", "cuda")
NAME_FUNCTION(mb_precision_name, "auto", "f32", "tf32", "f16", "bf16")

/* One row per number with a range. */
typedef struct range_row {
    const char *name;
    double value, min, max;
    bool zero_too; /* 0 stands for the default */
} range_row;

static mb_status check_choice(const char *name, int value, const char *(*names)(int), mb_error *err)
{
    if (names(value) == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "%s %d is not known", name, value);
    }
    return MB_OK;
}

mb_status mb_parse_colour(unsigned char rgba[4], const char *text, mb_error *err)
{
    return mb_colour_read(rgba, text)
               ? MB_OK
               : mb_fail(err, MB_E_ARGUMENT, "\"%.60s\" is no colour\n#rrggbb, #rrggbbaa, r,g,b or a name like white",
                         text);
}

/* In the order of the struct: ranges, then values of enums, then combinations. */
mb_status mb_options_check(const mb_options *options, mb_error *err)
{
    mb_options o;
    mb_options_init(&o);
    mb_status status = mb_copy_sized(&o, sizeof o, options, "mb_options", err);
    if (status != MB_OK) {
        return status;
    }
    const range_row rows[] = {
        {"erode", o.erode, 1, 255, false},
        {"dilate", o.dilate, 1, 255, false},
        {"black-point", o.black_point, 0.01, 0.98, false},
        {"white-point", o.white_point, 0.02, 0.99, false},
        {"max-megapixels", o.max_megapixels, 1, 999, false},
        {"input-size", o.input_width, 0, 65536, false},
        {"input-size", o.input_height, 0, 65536, false},
        {"guided-radius", o.guided_radius, 1, 512, true},
        {"guided-eps", o.guided_eps, 1e-9, 1e6, true},
        {"guided-scale", o.guided_scale, 0.01, 1, true},
        {"matting-epsilon", o.matting_epsilon, 1e-12, 1, true},
        {"min-area", o.min_area, 0, 2147483647, false},
        {"background blur", o.background_blur, 0, 4096, false},
        {"crop", o.crop_margin, 0, 65535, false},
        {"trimap-low", o.trimap_low, 0, 254, false},
        {"trimap-high", o.trimap_high, 1, 255, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool in = rows[i].value >= rows[i].min && rows[i].value <= rows[i].max; /* NaN is not */
        if (!in && !(rows[i].zero_too && rows[i].value == 0.0)) {
            return mb_fail(err, MB_E_ARGUMENT, "%s %.10g: %.10g to %.10g", rows[i].name, rows[i].value, rows[i].min,
                           rows[i].max);
        }
    }
    if ((o.input_width == 0) != (o.input_height == 0)) {
        return mb_fail(err, MB_E_ARGUMENT, "input-size %d x %d: both or none", o.input_width, o.input_height);
    }
    if (o.trimap_low >= o.trimap_high) {
        return mb_fail(err, MB_E_ARGUMENT, "trimap-low %d, trimap-high %d: low must be below high", o.trimap_low,
                       o.trimap_high);
    }
    MB_TRY(check_choice("recipe", (int)o.recipe, mb_recipe_name, err));
    MB_TRY(check_choice("input-alpha", (int)o.input_alpha, mb_input_alpha_name, err));
    MB_TRY(check_choice("detail", (int)o.detail, mb_detail_name, err));
    MB_TRY(check_choice("segment", (int)o.segment, mb_segmenter_name, err));
    MB_TRY(check_choice("foreground", (int)o.foreground, mb_foreground_name, err));
    MB_TRY(check_choice("background", (int)o.background, mb_background_name, err));
    if (o.depth != 0 && o.depth != 8 && o.depth != 16) {
        return mb_fail(err, MB_E_ARGUMENT, "depth %d: 8 or 16 bits", o.depth);
    }
    if (o.background == MB_BACKGROUND_PICTURE) {
        if (o.background_picture == NULL) {
            return mb_fail(err, MB_E_ARGUMENT, "background picture: none is given");
        }
        MB_TRY(mb_image_check(o.background_picture, err));
    }
    if (o.precision != MB_PRECISION_AUTO && o.precision != MB_PRECISION_F32) {
        return mb_fail(err, MB_E_ARGUMENT, "precision %d is not known", (int)o.precision);
    }
    MB_TRY(check_choice("precision", (int)o.precision, mb_precision_name, err));
done:
    return status;
}
