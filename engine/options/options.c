/* Options: defaults, presets, checks and the names of values, all by the table options.def. The table is included four
 * times with another meaning of MB_OPTION each: names, compile-time checks, rows. A new option is therefore one line
 * there and a field in the public struct. Values pass through here as doubles, which hold every int exactly. */
#include "options/options.h"

#include "core/sized.h"
#include "image/compose/colour.h"
#include "image/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table */

#define MB_NAMES(...) __VA_ARGS__, NULL
#define MB_NO_NAMES   NULL

#define MB_OPTION(field, kind, least, most, standard, zero, names, ...)                                                \
    static const char *const field##_names[] = {names};
#include "options/options.def"
#undef MB_OPTION

/* What a row says about its field holds: the type, and one name for each value of an enum. */
#define MB_TYPE_ENUM  int
#define MB_TYPE_FLAG  int
#define MB_TYPE_INT   int
#define MB_TYPE_CODE  int
#define MB_TYPE_REAL  double
#define MB_TYPE_OTHER char
#define MB_OPTION(field, kind, least, most, standard, zero, names, ...)                                                \
    _Static_assert(MB_OPTION_KIND_##kind == MB_OPTION_KIND_OTHER ||                                                    \
                       sizeof(((mb_options *)0)->field) == sizeof(MB_TYPE_##kind),                                     \
                   #field ": the field has another type");                                                             \
    _Static_assert(MB_OPTION_KIND_##kind != MB_OPTION_KIND_ENUM ||                                                     \
                       sizeof field##_names == ((size_t)(most) + 2) * sizeof(char *),                                  \
                   #field ": a value has no name, or a name no value");
#include "options/options.def"
#undef MB_OPTION

const mb_option_row mb_option_rows[MB_N_OPTIONS] = {
#define MB_OPTION(field, kind, least, most, standard, zero, names, unit, ...)                                          \
    {#field, MB_OPTION_KIND_##kind, offsetof(mb_options, field), least, most, standard, zero, field##_names, unit},
#include "options/options.def"
#undef MB_OPTION
};

/* The field is read by its offset and the type of its row. Fields of kind OTHER (pointers and the like) give 0. */
double mb_option_get(const mb_options *options, mb_option_id id)
{
    const mb_option_row *row = &mb_option_rows[id];
    const char *field = (const char *)options + row->offset;
    double real = 0.0;
    int whole = 0;
    if (row->kind == MB_OPTION_KIND_REAL) {
        memcpy(&real, field, sizeof real);
        return real;
    }
    if (row->kind != MB_OPTION_KIND_OTHER) {
        memcpy(&whole, field, sizeof whole);
    }
    return whole;
}

/* The value must be legal (mb_option_check); whole numbers are cut. Fields of kind OTHER stay as they are. */
void mb_option_set(mb_options *options, mb_option_id id, double value)
{
    const mb_option_row *row = &mb_option_rows[id];
    char *field = (char *)options + row->offset;
    const int whole = row->kind != MB_OPTION_KIND_REAL ? (int)value : 0;
    if (row->kind == MB_OPTION_KIND_REAL) {
        memcpy(field, &value, sizeof value);
    } else if (row->kind != MB_OPTION_KIND_OTHER) {
        memcpy(field, &whole, sizeof whole);
    }
}

/* ---- defaults and presets */

void mb_options_init(mb_options *options)
{
    *options = (mb_options){.size = sizeof *options};
    for (int i = 0; i < MB_N_OPTIONS; i++) {
        mb_option_set(options, (mb_option_id)i, mb_option_rows[i].standard);
    }
}

/* Sets everything, not only what differs from the defaults: what was set before the preset is lost. The two "ultra"
 * presets follow the nodes BiRefNetUltra and BiRefNetUltraV2. */
mb_status mb_options_preset(mb_options *options, const char *name, mb_error *err)
{
    bool v2 = strcmp(name, "birefnet-ultra-v2") == 0;
    if (strcmp(name, "small") == 0) { /* docs/models/default.md has the figures that chose this */
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
    /* Both nodes leave the photo's colours unchanged: foreground none, the default. */
    mb_options_init(options);
    options->detail = MB_DETAIL_VITMATTE;
    options->depth = 8;
    options->trimap_low = 0; /* black and white alone are known there */
    options->trimap_high = 255;
    options->recipe = v2 ? MB_RECIPE_LAYERSTYLE_V2 : MB_RECIPE_LAYERSTYLE;
    if (v2) {
        options->erode = 4;
        options->dilate = 2;
        options->process_detail = 0;
    }
    return MB_OK;
}

/* ---- checks */

/* "auto" stands for 0, other names for themselves. Kind CODE: a number out of a list, such as the bits of a sample. */
static bool is_code(const char *const *names, double value)
{
    for (; *names != NULL; names++) {
        if (strtol(*names, NULL, 10) == (long)value && (double)(long)value == value) {
            return true;
        }
    }
    return false;
}

/* The legal values in words: "1 to 255", "1 to 512 (0: from erode and dilate)", "0, 8, 16". */
static void describe_range(char *text, size_t bytes, const mb_option_row *row)
{
    if (row->kind == MB_OPTION_KIND_CODE) {
        size_t at = 0;
        for (const char *const *name = row->names; *name != NULL && at < bytes; name++) {
            int n = snprintf(text + at, bytes - at, "%s%ld", at > 0 ? ", " : "", strtol(*name, NULL, 10));
            at += n > 0 ? (size_t)n : 0;
        }
    } else if (row->zero[0] != '\0') {
        (void)snprintf(text, bytes, "%.10g to %.10g (0: %s)", row->least, row->most, row->zero);
    } else {
        (void)snprintf(text, bytes, "%.10g to %.10g", row->least, row->most);
    }
}

/* One value against the range of its row. Where 0 has a meaning of its own it is legal outside the range. */
mb_status mb_option_check(mb_option_id id, double value, mb_error *err)
{
    const mb_option_row *row = &mb_option_rows[id];
    bool in = value >= row->least && value <= row->most; /* NaN is not */
    in = in || (value == 0.0 && row->zero[0] != '\0');
    in = row->kind == MB_OPTION_KIND_CODE ? in && is_code(row->names, value) : in;
    if (!in && row->kind != MB_OPTION_KIND_OTHER) {
        char range[96];
        describe_range(range, sizeof range, row);
        return mb_fail(err, MB_E_ARGUMENT, "%s %.10g: %s", row->field, value, range);
    }
    return MB_OK;
}

/* What no single range can say: options that need or exclude each other. */
static mb_status check_combinations(const mb_options *o, mb_error *err)
{
    bool layerstyle = o->recipe == MB_RECIPE_LAYERSTYLE || o->recipe == MB_RECIPE_LAYERSTYLE_V2;
    if ((o->input_width == 0) != (o->input_height == 0)) {
        return mb_fail(err, MB_E_ARGUMENT, "input_width %d, input_height %d: set both or neither", o->input_width,
                       o->input_height);
    }
    /* The node accepts crossed points and has a rule for them; elsewhere they are a mistake. */
    if (o->black_point > o->white_point && !layerstyle) {
        return mb_fail(err, MB_E_ARGUMENT, "black_point %.10g is above white_point %.10g", o->black_point,
                       o->white_point);
    }
    if (o->background == MB_BACKGROUND_PICTURE && o->background_picture == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "background=picture needs background_picture");
    }
    return o->background == MB_BACKGROUND_PICTURE ? mb_image_check(o->background_picture, err) : MB_OK;
}

/* The struct may be that of an older or newer caller: its size decides which fields it has, and those it lacks keep
 * their defaults. */
mb_status mb_options_check(const mb_options *options, mb_error *err)
{
    mb_options o;
    mb_options_init(&o);
    mb_status status = mb_copy_sized(&o, sizeof o, options, "mb_options", err);
    for (int i = 0; i < MB_N_OPTIONS && status == MB_OK; i++) {
        status = mb_option_check((mb_option_id)i, mb_option_get(&o, (mb_option_id)i), err);
    }
    return status == MB_OK ? check_combinations(&o, err) : status;
}

mb_status mb_parse_colour(unsigned char rgba[4], const char *text, mb_error *err)
{
    return mb_colour_read(rgba, text)
               ? MB_OK
               : mb_fail(err, MB_E_ARGUMENT, "\"%.60s\" is no colour\n#rrggbb, #rrggbbaa, r,g,b or a name like white",
                         text);
}

/* ---- names of values */

/* Name i of a list that ends with NULL. NULL for numbers beyond either end, since callers count upwards until they
 * meet it. */
static const char *name_at(const char *const *names, int i)
{
    for (int k = 0; i >= 0 && k < i; k++) {
        if (names[k] == NULL) {
            return NULL;
        }
    }
    return i >= 0 ? names[i] : NULL;
}

const char *mb_input_alpha_name(int i)
{
    return name_at(input_alpha_names, i);
}

const char *mb_recipe_name(int i)
{
    return name_at(recipe_names, i);
}

const char *mb_detail_name(int i)
{
    return name_at(detail_names, i);
}

const char *mb_segmenter_name(int i)
{
    return name_at(segment_names, i);
}

const char *mb_foreground_name(int i)
{
    return name_at(foreground_names, i);
}

const char *mb_background_name(int i)
{
    return name_at(background_names, i);
}

const char *mb_precision_name(int i)
{
    return name_at(precision_names, i);
}

/* Values of the other structs: of mb_save_options and mb_context_options. */
const char *mb_format_name(int i)
{
    static const char *const names[] = {"auto", "png", "webp", "jpeg", NULL};
    return name_at(names, i);
}

const char *mb_device_name(int i)
{
    static const char *const names[] = {"auto", "cpu", "cuda", NULL};
    return name_at(names, i);
}
