/* Errors of all routes are one JSON object:
 *
 *     {"detail": "erode 300: 1 to 255", "hint": "", "code": "bad_option", "status": 422}
 *
 * "detail" is where clients of other servers look for the text. */
#include "answers.h"
#include "guard.h"
#include "metrics.h"
#include "routes.h"

#include "../json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES_PER_SECOND 50

/* What a browser may do with any answer of ours: nothing but show it. The page has its own (page_policy). */
#define API_POLICY "default-src 'none'; frame-ancestors 'none'"

static void header(struct MHD_Response *m, const char *name, const char *value)
{
    (void)mhd.MHD_add_response_header(m, name, value);
}

/* Times of each stage, which every browser shows. */
static void timing(struct MHD_Response *m, const work *w)
{
    char text[400];
    double total = clock_ms() - w->queued_ms;
    (void)snprintf(text, sizeof text,
                   "receive;dur=%.2f, decode;dur=%.2f, queue;dur=%.2f, network;dur=%.2f, refine;dur=%.2f, "
                   "compose;dur=%.2f, other;dur=%.2f, encode;dur=%.2f, overhead;dur=%.2f, total;dur=%.2f",
                   w->ms_receive, w->ms_decode, w->ms_wait, w->ms_network, w->ms_refine, w->ms_compose,
                   work_other_ms(w), w->ms_encode, work_overhead_ms(w, total), total);
    header(m, "Server-Timing", text);
}

static void common_headers(request *r, struct MHD_Response *m, const char *type)
{
    const char *origin = guard_cors(r->s->guard, r->c);
    int is_page = strncmp(type, "text/html", 9) == 0;
    header(m, "Content-Type", type);
    header(m, "X-Request-Id", r->id);
    header(m, "X-Content-Type-Options", "nosniff");
    header(m, "Referrer-Policy", "no-referrer");
    header(m, "Content-Security-Policy", is_page ? page_policy : API_POLICY);
    header(m, "Cross-Origin-Resource-Policy", origin != NULL ? "cross-origin" : "same-origin");
    header(m, "Cache-Control", is_page ? "no-cache" : "no-store");
    if (origin != NULL) {
        header(m, "Access-Control-Allow-Origin", origin);
        header(m, "Access-Control-Expose-Headers",
               "X-Request-Id, X-Mattebox-Model, X-Mattebox-Result, Server-Timing, Retry-After");
        header(m, "Access-Control-Allow-Methods", "GET, POST, DELETE");
        header(m, "Access-Control-Allow-Headers", "Authorization, Content-Type, X-Api-Key, X-Request-Id");
        header(m, "Access-Control-Max-Age", "600");
        header(m, "Vary", "Origin");
    }
}

static void send_answer(request *r, int status, const char *type, struct MHD_Response *m, size_t bytes)
{
    char number[16];
    if (m == NULL) {
        return; /* no memory for an answer: the connection is closed */
    }
    common_headers(r, m, type);
    if (r->retry_after > 0) {
        (void)snprintf(number, sizeof number, "%d", r->retry_after);
        header(m, "Retry-After", number);
    }
    if (status == 405) {
        header(m, "Allow", r->allow);
    }
    if (status == 401) {
        header(m, "WWW-Authenticate", "Bearer");
    }
    if (atomic_load(&r->s->draining) || r->is_last) {
        header(m, "Connection", "close");
    }
    const work *w = r->work;
    if (w != NULL) {
        timing(m, w);
        if (w->network[0] != '\0' && status < 400) {
            header(m, "X-Mattebox-Model", w->network);
        }
        if (w->info[0] != '\0' && status < 400) {
            header(m, "X-Mattebox-Result", w->info);
        }
    }
    r->answered = mhd.MHD_queue_response(r->c, (unsigned)status, m) == MHD_YES;
    r->status = status;
    r->sent_bytes = bytes;
    r->p->to_send = bytes;
    r->p->phase = PHASE_ANSWER;
    r->p->since_ms = clock_ms();
    mhd.MHD_destroy_response(m);
}

static char *error_text(const answer *a, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    if (out != NULL) {
        json j = {out, 0};
        json_begin(&j, NULL, '{');
        json_text(&j, "detail", a->message);
        json_text(&j, "hint", a->hint);
        json_text(&j, "code", a->code);
        json_int(&j, "status", a->status);
        json_end(&j, '}');
        (void)fputc('\n', out);
        (void)fclose(out);
    }
    return text;
}

void request_answer(request *r, answer *a)
{
    if (r->answered) {
        return;
    }
    if (a->body == NULL) {
        size_t n = 0;
        char *text = error_text(a, &n);
        send_answer(r, a->status, "application/json",
                    text != NULL ? mhd.MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE) : NULL, n);
        return;
    }
    struct MHD_Response *m = mhd.MHD_create_response_from_buffer_with_free_callback(a->bytes, a->body, a->free_body);
    if (m != NULL) {
        a->body = NULL; /* the library's now */
    }
    send_answer(r, a->status, a->type, m, a->bytes);
}

void request_error(request *r, int status, const char *code, const char *format, ...)
{
    answer a = {.status = status};
    va_list list;
    va_start(list, format);
    (void)vsnprintf(a.message, sizeof a.message, format, list);
    va_end(list);
    char *hint = strchr(a.message, '\n');
    if (hint != NULL) {
        *hint = '\0';
        (void)snprintf(a.hint, sizeof a.hint, "%s", hint + 1);
    }
    (void)snprintf(a.code, sizeof a.code, "%s", code);
    request_answer(r, &a);
}

void request_json(request *r, int status, char *text, size_t bytes)
{
    if (text == NULL) {
        request_error(r, 503, "no_memory", "out of memory");
        return;
    }
    answer a = {.status = status, .type = "application/json", .body = text, .bytes = bytes, .free_body = free};
    request_answer(r, &a);
    free(a.body);
}

void request_static(request *r, const char *type, const void *data, size_t bytes)
{
    union {
        const void *constant;
        void *buffer; /* the library does not write to persistent ones */
    } body = {data};
    send_answer(r, 200, type, mhd.MHD_create_response_from_buffer(bytes, body.buffer, MHD_RESPMEM_PERSISTENT), bytes);
}

void answer_work(request *r)
{
    work *w = r->work;
    if (work_failed(w) && w->out.body != NULL) {
        w->out.free_body(w->out.body);
        w->out.body = NULL;
    }
    request_answer(r, &w->out);
}

/* One line a request, without names of files; floods are counted instead of printed. */
void answer_log(request *r)
{
    static time_t second;
    static int lines, left_out;
    double ms = clock_ms() - r->started_ms;
    time_t now = time(NULL);
    struct tm utc;
    char stamp[32] = "";
    metrics_request(r->s->metrics, r->path, r->status, 1e-3 * ms, r->body_bytes, r->sent_bytes);
    if (r->s->a->quiet) {
        return;
    }
    if (now != second) {
        if (left_out > 0) {
            (void)fprintf(stderr, "%d lines left out\n", left_out);
        }
        second = now;
        lines = left_out = 0;
    }
    if (++lines > LINES_PER_SECOND) {
        left_out++;
        return;
    }
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    const work *w = r->work;
    (void)fprintf(stderr, "%s %s %s %s %d in=%zu out=%zu size=%dx%d %.0f ms\n", stamp, r->id, r->method, r->path,
                  r->status, r->body_bytes, r->sent_bytes, w != NULL ? w->j.photo.width : 0,
                  w != NULL ? w->j.photo.height : 0, ms);
}
