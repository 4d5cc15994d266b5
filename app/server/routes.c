/* Which path means what, and the handlers that are short. */
#include "routes.h"
#include "answers.h"
#include "fields.h"
#include "metrics.h"
#include "photos.h"

#include "../json.h"

#include <stdlib.h>
#include <string.h>

/* ---- handlers */

static void page(request *r)
{
    if (r->s->a->serve.no_page) {
        request_error(r, 404, "not_found", "no such path");
        return;
    }
    request_static(r, "text/html; charset=utf-8", page_html, page_bytes);
}

static void icon(request *r)
{
    r->status = 204;
    request_static(r, "image/x-icon", "", 0);
}

static void health(request *r)
{
    static const char text[] = "{\"status\":\"ok\"}\n";
    request_static(r, "application/json", text, sizeof text - 1);
}

static void ready(request *r)
{
    static const char text[] = "{\"status\":\"ready\"}\n";
    if (atomic_load(&r->s->ready) && !atomic_load(&r->s->draining)) {
        request_static(r, "application/json", text, sizeof text - 1);
    } else {
        r->retry_after = 1;
        request_error(r, 503, "not_ready", "%s",
                      atomic_load(&r->s->draining) ? "the server is ending" : "the model is being prepared");
    }
}

static void written(request *r, const char *type, void (*write)(request *r, FILE *out))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out != NULL) {
        write(r, out);
        (void)fclose(out);
    }
    if (text == NULL) {
        request_error(r, 503, "no_memory", "out of memory");
        return;
    }
    answer a = {.status = 200, .body = text, .bytes = bytes, .free_body = free};
    (void)snprintf(a.type, sizeof a.type, "%s", type);
    request_answer(r, &a);
    free(a.body);
}

static void write_metrics(request *r, FILE *out)
{
    metrics_write(r->s->metrics, r->s, out);
}

static void metrics_get(request *r)
{
    written(r, "text/plain; version=0.0.4; charset=utf-8", write_metrics);
}

static void write_openapi(request *r, FILE *out)
{
    openapi_write(r->s, out);
}

static void openapi(request *r)
{
    written(r, "application/json", write_openapi);
}

static void write_models(request *r, FILE *out)
{
    json j = {out, 0};
    json_begin(&j, NULL, '{');
    served_models_write(lanes_models(r->s->lanes), &j);
    json_end(&j, '}');
    (void)fputc('\n', out);
}

static void models(request *r)
{
    written(r, "application/json", write_models);
}

/* The photo of the request: a file, or one that is kept. */
static int choose_photo(request *r, work *w)
{
    const char *id = form_text(&r->form, "photo");
    int has_file = r->form.files[FILE_PHOTO].fd >= 0;
    if (id != NULL && has_file) {
        work_fail(w, 422, "bad_request", "a file and a kept photo: one of them");
    } else if (id != NULL) {
        w->kept = photos_find(r->s->photos, id);
        if (w->kept == NULL) {
            work_fail(w, 404, "no_photo", "no such photo is kept (any more)\nsend it again to /v1/photos");
        }
    } else if (!has_file) {
        work_fail(w, 422, "no_photo", "no photo\nsend it as the file \"file\" of a form, or as the body");
    }
    return !work_failed(w);
}

/* Files that the route makes no use of would be dropped without a word. */
static void refuse_file(request *r, work *w, form_file which, const char *name)
{
    if (r->form.files[which].fd >= 0) {
        work_fail(w, 422, "bad_request", "a file called \"%s\" has no meaning here", name);
    }
}

static work *start_work(request *r, work_kind kind)
{
    work *w = work_create(r->s, kind);
    if (w == NULL) {
        request_error(r, 503, "no_memory", "out of memory");
        return NULL;
    }
    w->form = &r->form;
    return w;
}

/* Strokes change a mask; a trimap says already what is known, and a stroke on it would be one more grey. */
static void refuse_strokes_on_trimap(request *r, work *w)
{
    if (r->form.files[FILE_TRIMAP].fd >= 0 && r->form.files[FILE_HINTS].fd >= 0) {
        work_fail(w, 422, "bad_request", "hints and a trimap: hints change a mask; draw on the trimap itself");
    }
}

static void cut(request *r)
{
    work *w = start_work(r, WORK_CUT);
    if (w != NULL) {
        const upload *files = r->form.files;
        if (choose_photo(r, w)) {
            if (files[FILE_MASK].fd >= 0 && files[FILE_TRIMAP].fd >= 0) {
                work_fail(w, 422, "bad_request", "a mask and a trimap: one of them");
            }
            refuse_strokes_on_trimap(r, w);
            fields_read(w, &r->form);
        }
        request_submit(r, w, 0);
    }
}

static void matte(request *r)
{
    work *w = start_work(r, WORK_MATTE);
    if (w != NULL) {
        const upload *files = r->form.files;
        if (choose_photo(r, w)) {
            const int both = files[FILE_MASK].fd >= 0 && files[FILE_TRIMAP].fd >= 0;
            if (both) {
                work_fail(w, 422, "bad_request", "a mask and a trimap: one of them");
            } else if (files[FILE_MASK].fd < 0 && files[FILE_TRIMAP].fd < 0) {
                work_fail(w, 422, "bad_request", "one of the files \"mask\" and \"trimap\" is needed");
            }
            refuse_strokes_on_trimap(r, w);
            fields_read(w, &r->form);
        }
        request_submit(r, w, 0);
    }
}

static void trimap(request *r)
{
    work *w = start_work(r, WORK_TRIMAP);
    if (w != NULL) {
        if (r->form.files[FILE_MASK].fd < 0 && r->form.files[FILE_PHOTO].fd < 0) {
            work_fail(w, 422, "no_photo", "no mask\nsend it as the file \"mask\" of a form, or as the body");
        } else if (r->form.files[FILE_MASK].fd >= 0 && r->form.files[FILE_PHOTO].fd >= 0) {
            work_fail(w, 422, "bad_request", "the files \"mask\" and \"file\": one of them is the mask");
        }
        refuse_file(r, w, FILE_TRIMAP, "trimap");
        refuse_file(r, w, FILE_HINTS, "hints");
        refuse_file(r, w, FILE_BACKGROUND, "background_file");
        if (form_text(&r->form, "photo") != NULL || form_text(&r->form, "output") != NULL) {
            work_fail(w, 422, "unknown_field", "unknown field \"%s\"",
                      form_text(&r->form, "photo") != NULL ? "photo" : "output");
        }
        fields_read(w, &r->form);
        request_submit(r, w, 0);
    }
}

static void photos_post(request *r)
{
    work *w = start_work(r, WORK_PHOTO);
    if (w != NULL) {
        if (r->form.files[FILE_PHOTO].fd < 0) {
            work_fail(w, 422, "no_photo", "no photo\nsend it as the file \"file\" of a form, or as the body");
        } else if (r->form.n > 0) {
            work_fail(w, 422, "unknown_field", "unknown field \"%s\"", r->form.fields[0].name);
        }
        refuse_file(r, w, FILE_MASK, "mask");
        refuse_file(r, w, FILE_TRIMAP, "trimap");
        refuse_file(r, w, FILE_HINTS, "hints");
        refuse_file(r, w, FILE_BACKGROUND, "background_file");
        request_submit(r, w, 0);
    }
}

static void write_photo(request *r, FILE *out)
{
    photo *p = photos_find(r->s->photos, r->argument);
    json j = {out, 0};
    json_begin(&j, NULL, '{');
    json_text(&j, "id", r->argument);
    json_int(&j, "width", p != NULL ? p->picture.image.width : 0);
    json_int(&j, "height", p != NULL ? p->picture.image.height : 0);
    json_text(&j, "format", p != NULL ? p->picture.source.format : "");
    json_bool(&j, "mask", p != NULL && photo_has_mask(p));
    json_int(&j, "expires_in", r->s->a->serve.keep_seconds);
    json_end(&j, '}');
    (void)fputc('\n', out);
    photo_release(p);
}

static void photos_get(request *r)
{
    photo *p = photos_find(r->s->photos, r->argument);
    if (p == NULL) {
        request_error(r, 404, "no_photo", "no such photo is kept (any more)");
        return;
    }
    written(r, "application/json", write_photo);
    photo_release(p);
}

static void photos_picture(request *r)
{
    work *w = start_work(r, WORK_SHOW);
    if (w != NULL) {
        w->kept = photos_find(r->s->photos, r->argument);
        if (w->kept == NULL) {
            work_fail(w, 404, "no_photo", "no such photo is kept (any more)");
        }
        request_submit(r, w, 1);
    }
}

static void photos_delete(request *r)
{
    static const char text[] = "{\"status\":\"deleted\"}\n";
    if (photos_remove(r->s->photos, r->argument)) {
        request_static(r, "application/json", text, sizeof text - 1);
    } else {
        request_error(r, 404, "no_photo", "no such photo is kept (any more)");
    }
}

/* A number of pixels, 1 to 65535; 0: it is none. */
static int read_side(const char *text)
{
    char *end = NULL;
    long v = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
    return end != NULL && *end == '\0' && v >= 1 && v <= 65535 ? (int)v : 0;
}

static void estimate_get(request *r)
{
    work *w = start_work(r, WORK_ESTIMATE);
    if (w == NULL) {
        return;
    }
    const char *id = form_text(&r->form, "photo");
    w->wait_seconds = queue_seconds(r->s->queue);
    w->kept = id != NULL ? photos_find(r->s->photos, id) : NULL;
    if (w->kept != NULL) {
        w->width = w->kept->picture.image.width;
        w->height = w->kept->picture.image.height;
    } else if (id != NULL) {
        work_fail(w, 404, "no_photo", "no such photo is kept (any more)");
    } else {
        w->width = read_side(form_text(&r->form, "width"));
        w->height = read_side(form_text(&r->form, "height"));
        if (w->width == 0 || w->height == 0) {
            work_fail(w, 422, "bad_option", "width and height, 1 to 65535 pixels, or a kept photo are needed");
        }
    }
    if (id != NULL && (form_text(&r->form, "width") != NULL || form_text(&r->form, "height") != NULL)) {
        work_fail(w, 422, "bad_request", "width and height, or a kept photo: one of them");
    }
    fields_once(w, &r->form);
    form rest = r->form; /* without what is read here */
    rest.n = 0;
    for (int i = 0; i < r->form.n; i++) {
        const char *name = r->form.fields[i].name;
        if (strcmp(name, "width") != 0 && strcmp(name, "height") != 0) {
            rest.fields[rest.n++] = r->form.fields[i];
        }
    }
    fields_read(w, &rest);
    request_submit(r, w, 1);
}

/* One that has not come yet, or has been answered already, is no error: who asks beside a request cannot know. */
static void write_request(request *r, FILE *out)
{
    request *other = http_find(r->argument);
    work *w = other != NULL ? other->work : NULL;
    json j = {out, 0};
    json_begin(&j, NULL, '{');
    json_text(&j, "id", r->argument);
    int state = w != NULL ? atomic_load(&w->state) : WORK_QUEUED;
    const char *stage = w != NULL ? atomic_load(&w->stage) : NULL;
    json_text(&j, "state", other == NULL ? "unknown" : w == NULL ? "receiving" : work_state_name(state));
    json_int(&j, "before", w != NULL && state < WORK_RUNNING ? queue_position(r->s->queue, w) : 0);
    json_real(&j, "progress", w != NULL ? 1e-3 * atomic_load(&w->permille) : 0.0);
    json_text(&j, "stage", stage != NULL ? stage : "");
    json_real(&j, "seconds", other != NULL ? 1e-3 * (clock_ms() - other->started_ms) : 0.0);
    json_end(&j, '}');
    (void)fputc('\n', out);
}

static void requests_get(request *r)
{
    if (!http_id_is_usable(r->argument)) {
        request_error(r, 404, "no_request", "ids of requests are 8 to 70 letters, digits, - or _");
        return;
    }
    written(r, "application/json", write_request);
}

static void requests_delete(request *r)
{
    static const char text[] = "{\"status\":\"cancelled\"}\n";
    request *other = http_find(r->argument);
    if (other == NULL || other->work == NULL) {
        request_error(r, 404, "no_request", "no such request is under way");
        return;
    }
    atomic_store(&other->work->cancelled, WORK_CANCELLED);
    request_static(r, "application/json", text, sizeof text - 1);
}

static void preflight(request *r)
{
    request_static(r, "text/plain", "", 0);
}

/* ---- the table */

#define PNG    "image/png"
#define JSON   "application/json"
#define OF_JOB "400 401 404 408 409 413 415 422 429 500 503 504 507"

const route routes[] = {
    {"GET", "/", page, FIELDS_NONE, 1, "text/html", "The page for the browser", "404"},
    {"GET", "/favicon.ico", icon, FIELDS_NONE, 1, "image/x-icon", "Nothing", ""},
    {"GET", "/health", health, FIELDS_NONE, 1, JSON, "The server is alive", ""},
    {"GET", "/ready", ready, FIELDS_NONE, 1, JSON, "The model has run once", "503"},
    {"GET", "/metrics", metrics_get, FIELDS_NONE, 0, "text/plain", "Counters for Prometheus", "401"},
    {"GET", "/openapi.json", openapi, FIELDS_NONE, 0, JSON, "This description", "401"},
    {"GET", "/v1/models", models, FIELDS_NONE, 0, JSON, "Models that requests may name", "401"},
    {"POST", "/v1/cut", cut, FIELDS_CUT, 0, PNG, "Cut the subject out of a photo", OF_JOB},
    {"POST", "/v1/matte", matte, FIELDS_MATTE, 0, PNG, "Cut out by a mask or trimap of the client", OF_JOB},
    {"POST", "/v1/trimap", trimap, FIELDS_TRIMAP, 0, PNG, "Make a trimap of a mask", OF_JOB},
    {"POST", "/v1/remove-background", cut, FIELDS_REMOVE_BACKGROUND, 0, PNG, "As /v1/cut, with withoutbg's names",
     OF_JOB},
    {"POST", "/v1/photos", photos_post, FIELDS_PHOTO, 0, JSON, "Keep a photo, to work on it several times", OF_JOB},
    {"GET", "/v1/photos/{id}", photos_get, FIELDS_NONE, 0, JSON, "A kept photo", "401 404"},
    {"DELETE", "/v1/photos/{id}", photos_delete, FIELDS_NONE, 0, JSON, "Forget a kept photo", "401 404"},
    {"GET", "/v1/photos/{id}/picture", photos_picture, FIELDS_NONE, 0, "image/jpeg", "A kept photo as a JPEG",
     "401 404 503 504 507"},
    {"GET", "/v1/estimate", estimate_get, FIELDS_ESTIMATE, 0, JSON, "Seconds and memory of a cut, before it starts",
     "401 404 422 503 507"},
    {"GET", "/v1/requests/{id}", requests_get, FIELDS_NONE, 0, JSON, "How far a request is", "401 404"},
    {"DELETE", "/v1/requests/{id}", requests_delete, FIELDS_NONE, 0, JSON, "Cancel a request", "401 404"},
    {"POST", "/api/remove", rembg_handle, FIELDS_REMBG, 0, PNG, "As rembg's server", OF_JOB},
    {"GET", "/api/remove", rembg_url_handle, FIELDS_REMBG_URL, 0, PNG, "Refused: this server fetches nothing",
     "401 403"},
};
const int n_routes = sizeof routes / sizeof routes[0];

static const route preflight_route = {"OPTIONS", "*", preflight, FIELDS_NONE, 1, "text/plain", "", ""};

/* Does the path fit "/v1/photos/{id}"? */
static int fits(const char *pattern, const char *path, char *argument, size_t bytes)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            size_t n = strcspn(path, "/");
            if (n == 0 || n >= bytes) {
                return 0;
            }
            memcpy(argument, path, n);
            argument[n] = '\0';
            path += n;
            pattern += strcspn(pattern, "}") + 1;
        } else if (*pattern++ != *path++) {
            return 0;
        }
    }
    return *path == '\0';
}

const route *route_find(const char *method, const char *path, char *argument, size_t argument_bytes, char *allow,
                        size_t allow_bytes)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    allow[0] = '\0';
    for (int i = 0; i < n_routes; i++) {
        if (!fits(routes[i].path, path, argument, argument_bytes)) {
            continue;
        }
        if (strcmp(method, "OPTIONS") == 0) {
            return &preflight_route;
        }
        if (strcmp(routes[i].method, wanted) == 0) {
            return &routes[i];
        }
        size_t at = strlen(allow);
        (void)snprintf(allow + at, allow_bytes - at, "%s%s", at > 0 ? ", " : "", routes[i].method);
    }
    return NULL;
}
