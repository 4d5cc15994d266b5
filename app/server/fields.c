/* From the fields of a form to options. Those of "settings", a JSON object, come first; single fields win over them. */
#include "fields.h"
#include "photos.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *want_name(int i)
{
    static const char *const names[] = {"cutout", "mask", "trimap", "composite", "raw-mask", "zip"};
    return i >= 0 && i <= WANT_ZIP ? names[i] : NULL;
}

int fields_flag(const char *text)
{
    static const char *const yes[] = {"", "true", "1", "on", "yes", "t", "y"};
    static const char *const no[] = {"false", "0", "off", "no", "f", "n"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        if (strcasecmp(text, no[i]) == 0) {
            return 0;
        }
    }
    return -1;
}

/* What concerns files, the machine or messages is the server's; what concerns the result is the request's. */
int fields_has(const option_row *row, unsigned bit)
{
    static const char *const own[] = {"model",     "matting-model", "background", "crop",          "icc",
                                      "metadata",  "format",        "quality",    "png-level",     "preset",
                                      "no-detail", "mask-channel",  "mask-scale", "accept-partial"};
    if (row->name == NULL || (row->commands & bit) == 0 || row->kind == KIND_DEVICE || row->kind == KIND_LIST) {
        return 0;
    }
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(row->name, own[i]) == 0) {
            return 1;
        }
    }
    return row->library_bytes > 0 && strcmp(row->name, "precision") != 0;
}

/* "guided_radius" is "guided-radius": JSON likes the one, forms the other. */
static void dashed(char *to, size_t bytes, const char *name)
{
    (void)snprintf(to, bytes, "%s", name);
    for (char *c = to; *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
}

static int row_of(const char *name, unsigned bit)
{
    char wanted[FORM_NAME_BYTES];
    dashed(wanted, sizeof wanted, name);
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if (fields_has(row, bit) &&
            (strcmp(row->name, wanted) == 0 || (row->alias != NULL && strcmp(row->alias, wanted) == 0))) {
            return i;
        }
    }
    return -1;
}

/* The fields that are no options: first those whose meaning is the route's alone. */
static const char *const own_fields[] = {"photo", "output", "settings", "width", "height"};
enum { N_OWN = sizeof own_fields / sizeof own_fields[0], N_SPECIAL = 3 };

static int own_field_of(const char *name)
{
    for (int i = 0; i < N_OWN; i++) {
        if (strcmp(own_fields[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

/* A field of a page that nobody filled in. */
static int is_unfilled(const option_row *row, const char *text)
{
    return row->kind == KIND_TEXT && text[0] == '\0';
}

typedef struct seen_fields {
    unsigned char v[MAX_OPTIONS + N_OWN]; /* by row, then by own field */
} seen_fields;

/* 1: it was there before, under this name or another of the option's. */
static int was_seen(seen_fields *seen, const work *w, const char *name, const char *text)
{
    int own = own_field_of(name), row = own < 0 ? row_of(name, w->a.command->bit) : -1;
    int i = own >= 0 ? MAX_OPTIONS + own : row;
    if (i < 0 || (row >= 0 && is_unfilled(&option_rows[row], text))) { /* unknown ones are refused as such */
        return 0;
    }
    int before = seen->v[i];
    seen->v[i] = 1;
    return before;
}

/* One of two values would be dropped without a word. */
void fields_once(work *w, const form *f)
{
    seen_fields seen = {0};
    for (int i = 0; i < f->n && !work_failed(w); i++) {
        if (was_seen(&seen, w, f->fields[i].name, f->fields[i].text)) {
            work_fail(w, 422, "bad_request",
                      "the field \"%s\" is given twice\ngive it once, in the form or in the query", f->fields[i].name);
        }
    }
}

static void unknown_field(work *w, const char *name)
{
    const char *names[MAX_OPTIONS];
    char wanted[FORM_NAME_BYTES];
    int n = 0;
    for (int i = 0; i < n_option_rows; i++) {
        if (fields_has(&option_rows[i], w->a.command->bit)) {
            names[n++] = option_rows[i].name;
        }
    }
    dashed(wanted, sizeof wanted, name);
    const char *near = nearest_name(wanted, names, n);
    work_fail(w, 422, "unknown_field", "unknown field \"%s\"%s%s%s", name, near != NULL ? "\ndid you mean " : "",
              near != NULL ? near : "", near != NULL ? "?" : "");
}

/* One option; `text` stays where it is until the work is done. */
static void set_field(work *w, const char *name, char *text)
{
    int i = row_of(name, w->a.command->bit), flag = 1;
    if (i < 0) {
        unknown_field(w, name);
        return;
    }
    const option_row *row = &option_rows[i];
    if (is_unfilled(row, text)) {
        return;
    }
    if (row->kind == KIND_FLAG ||
        (row->kind == KIND_MAYBE && fields_flag(text) >= 0 && strcmp(text, "1") != 0 && strcmp(text, "0") != 0)) {
        flag = fields_flag(text);
        if (flag < 0) {
            work_fail(w, 422, "bad_option", "%s %.40s: true or false", row->name, text);
            return;
        }
        if (!flag && row->kind == KIND_MAYBE) {
            w->a.given[i] = 0; /* as settings may have it */
            return;
        }
        text = NULL;
    }
    message_capture said;
    message_capture_begin(&said);
    int code = args_set(&w->a, i, row->name, text);
    message_capture_end();
    if (code != CODE_OK) {
        work_fail(w, 422, "bad_option", "%s%s%s", said.error, said.hint[0] != '\0' ? "\n" : "", said.hint);
    } else if (!flag) {
        *(int *)((char *)&w->a + row->field) = 0;
    }
}

static void read_output(work *w, const char *text)
{
    for (int i = 0; want_name(i) != NULL; i++) {
        if (strcmp(want_name(i), text) == 0) {
            w->want = (want)i;
            return;
        }
    }
    if (strcmp(text, "matte") == 0 || strcmp(text, "alpha") == 0) {
        w->want = WANT_MASK;
        return;
    }
    work_fail(w, 422, "bad_option", "output %.40s: one of cutout, mask, trimap, composite, raw-mask, zip", text);
}

/* {"detail": "guided", "erode": 10, "largest": true} */
static void read_settings(work *w, const char *text)
{
    const char *end = NULL;
    seen_fields seen = {0};
    cJSON *top = cJSON_ParseWithOpts(text, &end, 1);
    w->settings = top;
    if (!cJSON_IsObject(top)) {
        work_fail(w, 422, "bad_option", "settings: not a JSON object");
        return;
    }
    for (const cJSON *v = top->child; v != NULL && !work_failed(w); v = v->next) {
        char number[40], name[FORM_NAME_BYTES];
        (void)snprintf(name, sizeof name, "%s", v->string);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c >= 32 && *c < 127 && *c != '"' && *c != '\\' ? *c : '?';
        }
        if (was_seen(&seen, w, name, cJSON_IsString(v) ? v->valuestring : "")) {
            work_fail(w, 422, "bad_request", "settings: \"%s\" is given twice", name);
        } else if (cJSON_IsString(v)) {
            if (strcmp(name, "output") == 0) {
                read_output(w, v->valuestring);
            } else {
                set_field(w, name, v->valuestring);
            }
        } else if (cJSON_IsBool(v)) {
            (void)snprintf(number, sizeof number, "%s", cJSON_IsTrue(v) ? "true" : "false");
            set_field(w, name, number);
        } else if (cJSON_IsNumber(v)) {
            (void)snprintf(number, sizeof number, "%.17g", v->valuedouble);
            int i = row_of(name, w->a.command->bit);
            if (i >= 0 && option_rows[i].kind == KIND_TEXT) { /* a text would point to a number that is gone */
                work_fail(w, 422, "bad_option", "%s: a text is needed", name);
            } else {
                set_field(w, name, number);
            }
        } else {
            work_fail(w, 422, "bad_option", "settings: \"%s\" is neither text, number nor true or false", name);
        }
    }
}

/* The matting weights that the method needs, by name. */
static void choose_matting(work *w)
{
    const char *name = w->a.matting_model;
    served_models *models = lanes_models(w->s->lanes);
    if (!w->options.process_detail || w->options.detail < MB_DETAIL_VITMATTE) {
        return;
    }
    if (name == NULL) {
        name = w->options.detail == MB_DETAIL_VITMATTE_BASE ? "vitmatte-b" : "vitmatte-s";
    }
    if (!served_models_has_matting(models, name)) {
        work_fail(w, 422, "bad_model",
                  "no matting model \"%.60s\" is installed here\nmattebox models get vitmatte-s on the server", name);
        return;
    }
    (void)snprintf(w->matting, sizeof w->matting, "%s", name);
}

/* JPEG cannot hold what is asked for: found before the work. */
static void check_format(work *w)
{
    int has_alpha = w->want == WANT_CUTOUT || w->want == WANT_ZIP || w->want == WANT_COMPOSITE;
    if (w->kind == WORK_TRIMAP) {
        return;
    }
    if (w->a.format == MB_FORMAT_JPEG && has_alpha && !w->a.opaque && w->form->files[FILE_BACKGROUND].fd < 0) {
        work_fail(w, 422, "bad_option", "JPEG has no transparency\nbackground white, or format png");
    }
    if (w->want == WANT_COMPOSITE && w->options.background == MB_BACKGROUND_NONE &&
        w->form->files[FILE_BACKGROUND].fd < 0) {
        work_fail(w, 422, "bad_option", "output composite: needs a background");
    }
}

void fields_finish(work *w, const char *model)
{
    served_choice choice;
    char list[600];
    if (w->kind == WORK_CUT || w->kind == WORK_ESTIMATE) {
        if (!served_models_choose(lanes_models(w->s->lanes), &choice, model, list, sizeof list)) {
            work_fail(w, 422, "bad_model", "no such model here; there are: %s", list);
            return;
        }
        (void)snprintf(w->model, sizeof w->model, "%s", choice.name);
        (void)snprintf(w->network, sizeof w->network, "%s",
                       choice.saliency          ? "saliency"
                       : choice.builtin_default ? "default"
                                                : choice.name);
        w->builtin_default = choice.builtin_default;
        w->saliency = choice.saliency;
    }
    w->a.has_trimap = w->form != NULL && w->form->files[FILE_TRIMAP].fd >= 0;
    message_capture_begin(&w->said);
    int code = args_options_with(&w->options, &w->a, w->builtin_default, w->saliency);
    message_capture_end();
    if (code != CODE_OK) {
        work_fail(w, code == CODE_MACHINE ? 507 : 422, "bad_option", "%s%s%s", w->said.error,
                  w->said.hint[0] != '\0' ? "\n" : "", w->said.hint);
        return;
    }
    if (w->saliency && w->options.segment != MB_SEGMENT_SALIENCY) {
        work_fail(w, 422, "bad_option", "segment %s needs a model", mb_segmenter_name((int)w->options.segment));
    }
    w->options.want_cutout = w->want == WANT_CUTOUT || w->want == WANT_COMPOSITE || w->want == WANT_ZIP;
    w->options.want_trimap = w->want == WANT_TRIMAP || w->want == WANT_ZIP;
    choose_matting(w);
    check_format(w);
}

void fields_read(work *w, const form *f)
{
    const char *settings = form_text(f, "settings"), *output = form_text(f, "output");
    fields_once(w, f);
    if (settings != NULL && !work_failed(w)) {
        read_settings(w, settings);
    }
    if (output != NULL && !work_failed(w)) {
        read_output(w, output);
    }
    for (int i = 0; i < f->n && !work_failed(w); i++) {
        int own = own_field_of(f->fields[i].name);
        if (own < 0 || own >= N_SPECIAL) {
            set_field(w, f->fields[i].name, f->fields[i].text);
        }
    }
    if (w->a.background != NULL && f->files[FILE_BACKGROUND].fd >= 0) {
        work_fail(w, 422, "bad_request", "background %.40s and a file for the background: one of them",
                  w->a.background);
    }
    if (!work_failed(w)) {
        fields_finish(w, w->a.model);
    }
}
