/* Making work, and what became of it when it went wrong. */
#include "work.h"
#include "photos.h"

#include <cjson/cJSON.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const char *work_state_name(int state)
{
    static const char *const names[] = {"queued", "decoding", "waiting", "running", "encoding", "done"};
    return state >= 0 && state <= WORK_DONE ? names[state] : "done";
}

static unsigned command_of(work_kind kind)
{
    return kind == WORK_MATTE ? CMD_MATTE : kind == WORK_TRIMAP ? CMD_TRIMAP : CMD_CUT;
}

work *work_create(server *s, work_kind kind)
{
    work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->kind = kind;
    w->s = s;
    args_defaults(&w->a);
    for (int i = 0; i < n_commands; i++) {
        if (commands[i].bit == command_of(kind)) {
            w->a.command = &commands[i];
        }
    }
    args_standard_options(&w->a.options, command_of(kind));
    w->a.from_strangers = 1;
    w->a.max_megapixels_in = s->a->max_megapixels_in;
    w->queued_ms = clock_ms();
    w->deadline_ms = w->queued_ms + 1e3 * s->a->serve.seconds;
    w->b = (batch){.a = &w->a, .options = &w->options};
    return w;
}

void work_dispose(work *w)
{
    if (w == NULL) {
        return;
    }
    w->j.photo = (mb_image){0}; /* w->photo or w->kept has them */
    w->j.metadata = (mb_metadata){0};
    job_dispose(&w->j);
    decoded_dispose(&w->photo);
    w->a.background_picture = (mb_image){0}; /* w->background has it */
    w->a.background_metadata = (mb_metadata){0};
    decoded_dispose(&w->background);
    mb_image_dispose(&w->mask);
    mb_image_dispose(&w->trimap);
    mb_image_dispose(&w->hints);
    photo_release(w->kept);
    args_dispose(&w->a);
    cJSON_Delete(w->settings);
    if (w->out.body != NULL && w->out.free_body != NULL) {
        w->out.free_body(w->out.body);
    }
    free(w);
}

int work_failed(const work *w)
{
    return w->out.status >= 400;
}

void work_fail(work *w, int status, const char *code, const char *format, ...)
{
    if (work_failed(w)) {
        return;
    }
    va_list list;
    va_start(list, format);
    (void)vsnprintf(w->out.message, sizeof w->out.message, format, list);
    va_end(list);
    char *hint = strchr(w->out.message, '\n');
    if (hint != NULL) {
        (void)snprintf(w->out.hint, sizeof w->out.hint, "%s", hint + 1);
        *hint = '\0';
        (void)message_undash(w->out.hint);
    }
    (void)message_undash(w->out.message);
    w->out.status = status;
    (void)snprintf(w->out.code, sizeof w->out.code, "%s", code);
}

/* By what the library found. What is said of a picture's size is about its limit. */
void work_fail_with(work *w, int status, const mb_error *err)
{
    char words[sizeof err->message * 2];
    static const struct {
        mb_status status;
        int http;
        const char *code;
    } table[] = {{MB_E_ARGUMENT, 422, "bad_option"}, {MB_E_MEMORY, 507, "no_memory"},
                 {MB_E_IO, 500, "internal"},         {MB_E_FORMAT, 422, "bad_picture"},
                 {MB_E_MISMATCH, 422, "bad_model"},  {MB_E_UNSUPPORTED, 415, "unsupported_picture"},
                 {MB_E_DEVICE, 503, "device"},       {MB_E_CANCELLED, 409, "cancelled"},
                 {MB_E_INTERNAL, 500, "internal"}};
    if (err->code == MB_E_CANCELLED) {
        work_fail_stopped(w);
        return;
    }
    (void)option_words(words, sizeof words, err->message, err->code);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == err->code) {
            work_fail(w, status != 0 ? status : table[i].http, status == 413 ? "too_large" : table[i].code, "%s",
                      words);
        }
    }
    work_fail(w, 500, "internal", "%s", words[0] != '\0' ? words : mb_status_name(err->code));
}

double work_other_ms(const work *w)
{
    const double ms = w->ms_run - w->ms_network - w->ms_refine - w->ms_compose;
    return ms > 0.0 ? ms : 0.0;
}

double work_overhead_ms(const work *w, double total_ms)
{
    return total_ms - w->ms_wait - w->ms_decode - w->ms_run - w->ms_encode;
}

int work_stops(work *w)
{
    return atomic_load(&w->cancelled) || atomic_load(&w->given_up) || clock_ms() > w->deadline_ms;
}

void work_fail_stopped(work *w)
{
    if (atomic_load(&w->cancelled)) {
        work_fail(w, 409, "cancelled", "%s",
                  atomic_load(&w->cancelled) == WORK_LEFT
                      ? "cancelled: the client has closed its side of the connection"
                      : "cancelled, as was asked for");
    } else if (atomic_load(&w->given_up)) {
        work_fail(w, 503, "ending", "the server is ending");
    } else {
        work_fail(w, 504, "too_slow", "cancelled: it took longer than %d s", w->s->a->serve.seconds);
    }
}
