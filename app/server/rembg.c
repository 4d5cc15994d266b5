/* /api/remove: the protocol of rembg's server (2.0.86). Its POST reads bgc and extras from the query and everything else
 * from the form; here each is read from either. docs/server.md lists what differs in the results. */
#include "answers.h"
#include "fields.h"
#include "routes.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

void rembg_url_handle(request *r)
{
    request_error(r, 403, "no_fetching",
                  "this server fetches nothing for a request\nPOST the picture as the file \"file\" of a form");
}

/* An absent flag is 0. */
static int read_flag(work *w, const form *f, const char *name)
{
    const char *text = form_text(f, name);
    int v = text != NULL ? fields_flag(text) : 0;
    if (v < 0 || (text != NULL && text[0] == '\0')) {
        work_fail(w, 422, "bad_option", "%s: true or false", name);
        return 0;
    }
    return v;
}

static int read_number(work *w, const form *f, const char *name, int standard, int most)
{
    const char *text = form_text(f, name);
    char *end = NULL;
    if (text == NULL) {
        return standard;
    }
    long v = strtol(text, &end, 10);
    if (end == text || *end != '\0' || v < 0 || v > most) {
        work_fail(w, 422, "bad_option", "%s %.20s: 0 to %d", name, text, most);
        return standard;
    }
    return (int)v;
}

/* The checkpoints that rembg calls so, by the names that ours are installed under. */
static const char *matting_name(const char *variant)
{
    static const char *const names[][2] = {{"small-distinctions-646", "vitmatte-s-distinctions"},
                                           {"small-composition-1k", "vitmatte-s"},
                                           {"base-distinctions-646", "vitmatte-b-distinctions"},
                                           {"base-composition-1k", "vitmatte-b"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(variant, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return NULL;
}

/* Paths and points for other models are no business of a request: unknown keys are refused. */
static void read_extras(work *w, const char *text)
{
    const char *end = NULL;
    cJSON *top = text != NULL && text[0] != '\0' ? cJSON_ParseWithOpts(text, &end, 1) : NULL;
    w->settings = top;
    if (text == NULL || text[0] == '\0') {
        return;
    }
    if (!cJSON_IsObject(top)) {
        work_fail(w, 422, "bad_option", "extras: not a JSON object");
        return;
    }
    for (const cJSON *v = top->child; v != NULL && !work_failed(w); v = v->next) {
        if (strcmp(v->string, "vitmatte_model") == 0 && cJSON_IsString(v)) {
            const char *name = matting_name(v->valuestring);
            if (name == NULL) {
                work_fail(w, 422, "bad_option", "extras: no such vitmatte_model");
            } else {
                w->a.matting_model = name;
            }
        } else if (strcmp(v->string, "putalpha") == 0 && cJSON_IsBool(v)) {
            if (cJSON_IsTrue(v)) {
                w->a.options.foreground = MB_FOREGROUND_NONE;
                w->a.given[args_row_of("foreground", CMD_CUT)] = 1;
            }
        } else {
            work_fail(w, 422, "unknown_field", "extras: vitmatte_model and putalpha are known here, no other key");
        }
    }
}

static void read_names(work *w, const form *f)
{
    static const char *const known[] = {"a", "af", "ab", "ae", "vm", "dc", "om", "ppm", "bgc", "model", "extras"};
    for (int i = 0; i < f->n; i++) {
        int found = 0;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            found |= strcmp(known[k], f->fields[i].name) == 0;
        }
        if (!found && !work_failed(w)) {
            add_warning(&w->j, "unknown fields were ignored");
            return;
        }
    }
}

void rembg_handle(request *r)
{
    work *w = work_create(r->s, WORK_CUT);
    const form *f = &r->form;
    if (w == NULL) {
        request_error(r, 503, "no_memory", "out of memory");
        return;
    }
    w->form = &r->form;
    if (f->files[FILE_PHOTO].fd < 0) {
        work_fail(w, 422, "no_photo", "the form has no file \"file\"");
    }
    read_names(w, f);
    int a = read_flag(w, f, "a"), vm = read_flag(w, f, "vm");
    (void)read_flag(w, f, "dc"); /* the colours are estimated in any case */
    w->rembg = (rembg_options){.on = 1,
                               .matting = a || vm,
                               .above = read_number(w, f, "af", 240, 255),
                               .below = read_number(w, f, "ab", 10, 255),
                               .erode = read_number(w, f, "ae", 10, 1000),
                               .smooth = read_flag(w, f, "ppm")};
    w->want = read_flag(w, f, "om") ? WANT_RAW_MASK : WANT_CUTOUT;
    w->rembg.matting = w->rembg.matting && w->want == WANT_CUTOUT;
    read_extras(w, form_text(f, "extras"));
    const char *colour = form_text(f, "bgc");
    w->a.background = colour != NULL && colour[0] != '\0' && w->want == WANT_CUTOUT ? colour : NULL;
    w->a.options.detail = !w->rembg.matting ? MB_DETAIL_NONE : vm ? MB_DETAIL_VITMATTE : MB_DETAIL_PYMATTING;
    w->a.options.depth = 8;
    w->a.given[args_row_of("detail", CMD_CUT)] = 1;
    w->a.given[args_row_of("depth", CMD_CUT)] = 1;
    if (!work_failed(w)) {
        served_choice choice;
        char list[600];
        const char *model = form_text(f, "model");
        if (!served_models_choose(lanes_models(r->s->lanes), &choice, model, list, sizeof list)) {
            if (!r->s->a->serve.any_model) { /* rembg's own names are what such clients send */
                work_fail(w, 422, "bad_model",
                          "no such model here; there are: %s\nstarted with the option any-model, the server takes its "
                          "default instead",
                          list);
                request_submit(r, w, 0);
                return;
            }
            add_warning(&w->j, "that model is not here: the default was taken");
            model = NULL;
        }
        fields_finish(w, model);
    }
    request_submit(r, w, 0);
}
