/* `mattebox serve`: start, loop, drain.
 *
 * The sockets are opened before the model, so that a port in use is found in a millisecond, and answered from the start:
 * what comes before the model is ready waits in the queue, and /ready says so. */
#include "guard.h"
#include "http.h"
#include "lanes.h"
#include "listen.h"
#include "metrics.h"
#include "photos.h"
#include "queue.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define UPLOADS_IN_MEMORY ((size_t)256 << 20)

static void share_threads(args *a)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (a->threads == 0 && a->serve.jobs > 1) {
        long each = cores / a->serve.jobs;
        a->threads = each > 1 ? (int)each : 1;
    }
}

static void warn_exposed(const server *s, const listener *l, int n)
{
    for (int i = 0; i < n; i++) {
        if (!l[i].is_loopback && !l[i].is_unix && !guard_has_tokens(s->guard)) {
            char text[300];
            (void)snprintf(text, sizeof text,
                           "%.160s can be reached by other machines, and anyone there may use it\n--token-file FILE "
                           "asks for a token",
                           l[i].name);
            message_warning(NULL, text);
        }
    }
}

static int start(server *s, listener *l, int *n)
{
    args *a = s->a;
    int code = guard_create(&s->guard, a);
    if (code == CODE_OK) {
        code = listen_open(l, n, a);
    }
    if (code != CODE_OK) {
        return code;
    }
    s->metrics = metrics_create();
    s->photos = photos_create(a->serve.keep_count, a->serve.keep_bytes, a->serve.keep_seconds);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->metrics == NULL || s->photos == NULL || s->wake < 0) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    code = lanes_create(&s->lanes, s);
    if (code == CODE_OK) {
        code = queue_create(&s->queue, s);
    }
    for (int i = 0; i < *n && code == CODE_OK; i++) {
        code = http_add(s, l[i].fd, l[i].is_unix) ? CODE_OK : CODE_MACHINE;
    }
    return code;
}

static void stop(server *s)
{
    http_stop();
    queue_free(s->queue);
    photos_free(s->photos);
    lanes_free(s->lanes);
    metrics_free(s->metrics);
    guard_free(s->guard);
    if (s->wake > 0) {
        (void)close(s->wake);
    }
    listen_clean(s->a);
}

/* Requests that run are finished, for --drain seconds; then they are stopped, which takes a moment. */
static void drain(server *s)
{
    double until = clock_ms() + 1e3 * s->a->serve.drain, last = until + 5e3;
    atomic_store(&s->draining, 1);
    notify_systemd("STOPPING=1");
    http_quiesce(s);
    int given_up = 0;
    while (http_open_requests() > 0 && clock_ms() < last) {
        if (!given_up && clock_ms() > until) {
            given_up = 1;
            queue_give_up(s->queue);
        }
        http_turn(s);
    }
    while (queue_is_busy(s->queue)) { /* the threads may hold work of requests: they end first */
        queue_give_up(s->queue);
        http_turn(s);
    }
}

int cmd_serve(args *a)
{
    server s = {.a = a, .max_in_memory = UPLOADS_IN_MEMORY, .wake = -1};
    listener l[MAX_SOCKETS];
    int n = 0, told = 0;
    if (a->n_paths > 0) {
        return message_error(CODE_USAGE, "mattebox serve --help shows all options", "serve takes no file: %s",
                             a->paths[0]);
    }
    if (!args_given(a, "max-megapixels-in")) {
        a->max_megapixels_in = 100.0;
    }
    if ((double)s.max_in_memory < 2.0 * a->serve.max_body) {
        s.max_in_memory = (size_t)(2.0 * a->serve.max_body);
    }
    share_threads(a);
    (void)signal(SIGPIPE, SIG_IGN);
    int code = mhd_open();
    if (code == CODE_OK) {
        code = start(&s, l, &n);
    }
    if (code == CODE_OK) {
        warn_exposed(&s, l, n);
        for (int i = 0; i < n; i++) {
            message_closing("mattebox serves on %s", l[i].name);
        }
    }
    while (code == CODE_OK && !interrupted()) {
        http_turn(&s);
        if (!told && atomic_load(&s.ready)) {
            told = 1;
            notify_systemd("READY=1");
            message_closing("ready: model %s, %s", served_models_default(lanes_models(s.lanes)),
                            mb_context_device(lanes_context(s.lanes)));
        }
    }
    if (code == CODE_OK) {
        drain(&s);
    }
    stop(&s);
    return code;
}
