/* From the command line to the library's options: defaults, then the preset, then what was given.
 *
 * Single options are copied by the table, bytes of mb_options to bytes of mb_options. Only what is no
 * plain field is done by hand: --background (four fields), --crop, --no-detail, and what the command
 * itself decides. */
#include "args.h"
#include "builtin.h"
#include "inputs.h"
#include "message.h"

#include "core/os_file.h"

#include <stdlib.h>
#include <string.h>

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
        if (end == text + 5 || *end != '\0' || !(out->background_blur >= background_blur_range->least) ||
            !(out->background_blur <= background_blur_range->most)) {
            return -1;
        }
    }
    return 1;
}

/* --background: a word, a colour, or else a picture's path. Words and colours come before files: a file
 * called "white" is reached as ./white. The picture is loaded here, before any photo, so that a bad one
 * costs nothing; whether the result is opaque decides later if it may be a JPEG. */
static int read_background(mb_options *out, args *a)
{
    const char *text = a->background;
    mb_error err = {0};
    if (text == NULL || strcmp(text, "none") == 0) {
        return CODE_OK;
    }
    int blur = read_blur(out, text);
    if (blur < 0) {
        return message_error(CODE_USAGE, NULL, "--background %s: a radius of %.10g to %.10g", text,
                             background_blur_range->least, background_blur_range->most);
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
    if (a->from_strangers) {
        return message_error(CODE_USAGE, "none, blur, blur:RADIUS, #rrggbb, #rrggbbaa, r,g,b or a name like white",
                             "--background %s: no colour", text);
    }
    if (!mb_os_exists(text)) {
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
        return message_status(failure_code(status, CODE_USAGE), NULL, &err);
    }
    out->background = MB_BACKGROUND_PICTURE;
    out->background_picture = &a->background_picture;
    return CODE_OK;
}

void args_standard_options(mb_options *out, unsigned bit)
{
    mb_options_init(out);
    out->foreground = MB_FOREGROUND_ML; /* a cut-out without a rim */
    if ((bit & (CMD_MATTE | CMD_REFINE)) != 0) {
        out->detail = MB_DETAIL_PYMATTING; /* refining is what these are for, and it needs no model */
    }
}

/* What was given of the library's options, field by field as the table has them. */
static void copy_given(mb_options *out, const args *a)
{
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if (a->given[i] && row->library_bytes > 0) {
            memcpy((char *)out + row->field - offsetof(args, options), (const char *)a + row->field,
                   row->library_bytes);
        }
    }
}

/* Options that mean more than one field, or the opposite of one. */
static void set_combined(mb_options *out, const args *a)
{
    out->process_detail = args_given(a, "detail") ? 1 : out->process_detail;
    out->process_detail = a->no_detail ? 0 : out->process_detail;
    out->premultiplied = out->premultiplied && a->icc != ICC_SRGB; /* converted first, then multiplied: colour.c */
    out->crop = args_given(a, "crop");
    out->crop_margin = a->options.crop_margin;
    out->want_cutout = !a->only_mask && a->command->bit != CMD_REFINE;
    out->want_trimap = a->trimap;
    out->precision = MB_PRECISION_AUTO; /* the context's, which has it from args_context */
}

/* Results are WebP or JPEG, by --format or by the name of the result. */
static int is_narrow(const args *a)
{
    const mb_format named = a->output != NULL ? outputs_format_of(a->output) : MB_FORMAT_AUTO;
    const mb_format format = a->format != MB_FORMAT_AUTO ? (mb_format)a->format : named;
    return format == MB_FORMAT_WEBP || format == MB_FORMAT_JPEG;
}

static int has_trimap(const args *a)
{
    return a->trimap_from != NULL || a->has_trimap;
}

/* Options that say nothing where they stand: done as asked, with a word about it. */
static void warn_idle(const args *a, const mb_options *o)
{
    const int refines = o->process_detail && o->detail != MB_DETAIL_NONE;
    const int guided = refines && o->detail == MB_DETAIL_GUIDED,
              pymatting = refines && o->detail == MB_DETAIL_PYMATTING;
    const int vitmatte = refines && o->detail >= MB_DETAIL_VITMATTE;
    const int no_cutout = a->only_mask || a->command->bit == CMD_REFINE;
    const int given = has_trimap(a); /* of a given trimap no outline is widened, moved or parted */
    const char *on_mask = given ? "acts on a mask, not on a given trimap" : "acts with a --detail";
    const struct {
        const char *option;
        int acts;
        const char *where;
    } rows[] = {{"guided-radius", guided, "acts with --detail guided"},
                {"guided-eps", guided, "acts with --detail guided"},
                {"guided-scale", guided, "acts with --detail guided"},
                {"matting-epsilon", pymatting, "acts with --detail pymatting"},
                {"matting-model", vitmatte, "acts with --detail vitmatte"},
                {"max-megapixels", vitmatte, "acts with --detail vitmatte"},
                {"erode", given ? guided && o->guided_radius == 0 : refines, on_mask},
                {"dilate", given ? guided && o->guided_radius == 0 : refines, on_mask},
                {"black-point", refines && !(given && pymatting), on_mask},
                {"white-point", refines && !(given && pymatting), on_mask},
                {"grabcut", !given, on_mask},
                {"trimap-low", given, "parts a given trimap"},
                {"trimap-high", given, "parts a given trimap"},
                {"quality", is_narrow(a) || a->template != NULL, "acts on WebP and JPEG"},
                {"background", !no_cutout, "acts on the cut-out, which is not written"},
                {"foreground", !no_cutout, "acts on the cut-out, which is not written"},
                {"premultiplied", !no_cutout, "acts on the cut-out, which is not written"},
                {"linear", o->background != MB_BACKGROUND_NONE, "acts with a --background"},
                {"flip", o->segment != MB_SEGMENT_SALIENCY, "acts on the network, which is not used"},
                {"recipe", o->segment != MB_SEGMENT_SALIENCY, "acts on the network, which is not used"},
                {"input-size", o->segment != MB_SEGMENT_SALIENCY, "acts on the network, which is not used"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].acts && args_given(a, rows[i].option)) {
            char text[120];
            (void)snprintf(text, sizeof text, "--%s does nothing here: it %s", rows[i].option, rows[i].where);
            message_warning(NULL, text);
        }
    }
}

/* In the order in which people expect them to win: defaults of the command, the preset, the model's own
 * way of segmenting, single options. */
int args_options_with(mb_options *out, args *a, int builtin_default, int saliency)
{
    mb_error err = {0};
    args_standard_options(out, a->command->bit);
    const char *preset = a->preset == NULL && builtin_default ? "small" : a->preset;
    const mb_foreground foreground = out->foreground;
    if (has_trimap(a)) {
        out->detail = MB_DETAIL_PYMATTING; /* a trimap is there to be solved, and this needs no model */
    }
    if (preset != NULL && mb_options_preset(out, preset, &err) != MB_OK) {
        return message_status(CODE_USAGE, NULL, &err);
    }
    if (preset != NULL && strcmp(preset, "small") == 0) { /* the nodes' presets leave the photo's colours unchanged */
        out->foreground = foreground;
    }
    out->segment = saliency ? MB_SEGMENT_SALIENCY : out->segment;
    copy_given(out, a);
    if (is_narrow(a) && out->depth == 0) { /* of 8 bits: composed in them, what is opaque has the photo's colours */
        out->depth = a->options.depth = 8;
    }
    set_combined(out, a);
    int code = read_background(out, a);
    if (code == CODE_OK && mb_options_check(out, &err) != MB_OK) {
        code = message_status(CODE_USAGE, NULL, &err);
    }
    if (code == CODE_OK) {
        warn_idle(a, out);
    }
    return code;
}

int args_library_options(mb_options *out, args *a)
{
    const model_choice choice =
        (a->command->bit & (CMD_CUT | CMD_FRAMES)) != 0 ? model_choose(a->model) : (model_choice){0};
    return args_options_with(out, a, choice.standard, choice.saliency);
}
