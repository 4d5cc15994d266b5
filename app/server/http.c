/* The one thread that talks to sockets. Work is done elsewhere: a request with work is suspended until the queue says
 * that it is done.
 *
 * Each phase of a connection has a time limit, and one that is over is shut down, which libmicrohttpd then sees as the
 * end. The library's own limit would close without a word, so it comes later than ours.
 *
 * Connections beyond the limit are accepted too, up to a number, so that their clients can be told: a POST over one of
 * them is answered 503 or 429. */
#include "http.h"
#include "answers.h"
#include "guard.h"
#include "metrics.h"
#include "photos.h"
#include "routes.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_LISTENERS  16
#define TICK_MS        200
#define HEADER_BYTES   (32u << 10)
#define SILENCE_S      120  /* the library's own limit, after all of ours */
#define IDLE_MS        75e3 /* to the end of the next request's head; proxies keep theirs for 60 s */
#define CROWDED_MS     1e3  /* idle connections as old as that make room for new ones */
#define HEAD_MS        10e3 /* of a new connection */
#define BODY_MS        60e3
#define SILENT_MS      15e3 /* between two pieces of a body */
#define SLOW_AFTER_MS  10e3
#define SLOWEST        1024.0 /* bytes per second, after that */
#define ANSWER_MS      60e3
#define ANSWER_SLOWEST 16384.0 /* bytes per second: large answers have longer */
#define PER_ADDRESS    16      /* connections, but for loopback: a proxy's come from there */
#define SURPLUS        192     /* connections beyond the limit that are accepted, to be refused in words */
#define SWALLOW        4       /* bodies of a refused request are read up to so many times the limit */

/* The state of the main thread: there is one server in a process. */
static struct {
    struct MHD_Daemon *daemons[MAX_LISTENERS];
    int is_unix[MAX_LISTENERS];
    int sockets[MAX_LISTENERS];
    int n;
    peer *peers;
    int n_peers; /* without those that are closing */
    request *requests;
    int n_requests;
    double ticked_ms;
} loop;

int http_open_requests(void)
{
    return loop.n_requests;
}

static int is_full(const server *s)
{
    return loop.n_peers >= s->a->serve.connections;
}

request *http_find(const char *id)
{
    for (request *r = loop.requests; r != NULL; r = r->next) {
        if (!r->answered && strcmp(r->id, id) == 0) {
            return r;
        }
    }
    return NULL;
}

/* ---- connections */

static void set_phase(peer *p, phase now)
{
    p->phase = now;
    p->since_ms = clock_ms();
}

static void read_address(peer *p, const struct sockaddr *a)
{
    if (a == NULL || a->sa_family == AF_UNIX) {
        p->over_unix = 1;
    } else if (a->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, a, sizeof v4);
        memcpy(p->address, &v4.sin_addr, 4);
        p->is_loopback = p->address[0] == 127;
    } else if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, a, sizeof v6);
        memcpy(p->address, &v6.sin6_addr, 16);
        p->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
}

static int peers_of(const peer *like)
{
    int n = 0;
    for (const peer *p = loop.peers; p != NULL; p = p->next) {
        n += memcmp(p->address, like->address, sizeof p->address) == 0;
    }
    return n;
}

static int is_local(const peer *p)
{
    return p->over_unix || p->is_loopback;
}

/* The library cannot answer in the middle of a body, and has sent nothing yet: these bytes are the answer. */
static void say_late(const peer *p)
{
    static const char body[] =
        "{\"detail\":\"the body of the request came too slowly\",\"hint\":\"\",\"code\":\"too_slow\","
        "\"status\":408}\n";
    char text[400];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
                     sizeof body - 1, body);
    (void)send(p->fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void drop(peer *p, closing why)
{
    if (!p->closing && p->fd >= 0) {
        p->closing = 1;
        loop.n_peers--;
        if (why == CLOSED_BODY) {
            say_late(p);
        }
        (void)shutdown(p->fd, SHUT_RDWR);
        metrics_dropped(p->s->metrics, why);
    }
}

/* What has come and was not read yet is this server's own lateness, not the client's. */
static int has_unread(const peer *p)
{
    int n = 0;
    return ioctl(p->fd, FIONREAD, &n) == 0 && n > 0;
}

/* Where all connections are taken, the one that has been idle for longest makes room. */
static int has_room(const server *s)
{
    double oldest = clock_ms() - CROWDED_MS;
    peer *idle = NULL;
    if (!is_full(s)) {
        return 1;
    }
    for (peer *p = loop.peers; p != NULL; p = p->next) {
        if (p->phase == PHASE_IDLE && p->has_asked && !p->closing && p->since_ms < oldest && !has_unread(p)) {
            idle = p;
            oldest = p->since_ms;
        }
    }
    if (idle != NULL) {
        drop(idle, CLOSED_CROWD);
    }
    return idle != NULL;
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
    server *s = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        peer *p = calloc(1, sizeof *p);
        const union MHD_ConnectionInfo *fd = mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        const union MHD_ConnectionInfo *address = mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *context = p;
        if (p == NULL) {
            return;
        }
        p->s = s;
        p->fd = fd != NULL ? fd->connect_fd : -1;
        read_address(p, address != NULL ? address->client_addr : NULL);
        p->surplus = !is_local(p) && peers_of(p) >= PER_ADDRESS ? 429 : has_room(s) ? 0 : 503;
        p->phase = PHASE_IDLE;
        p->since_ms = clock_ms() - IDLE_MS + HEAD_MS; /* a new connection has less time */
        p->next = loop.peers;
        if (p->next != NULL) {
            p->next->previous = p;
        }
        loop.peers = p;
        loop.n_peers++;
        return;
    }
    peer *p = *context;
    if (p != NULL) { /* before the socket is closed, so that its number is not another's yet */
        *(p->previous != NULL ? &p->previous->next : &loop.peers) = p->next;
        if (p->next != NULL) {
            p->next->previous = p->previous;
        }
        loop.n_peers -= !p->closing;
        free(p);
        *context = NULL;
    }
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *a, socklen_t bytes)
{
    peer incoming = {0};
    (void)cls;
    (void)bytes;
    read_address(&incoming, a);
    return is_local(&incoming) || peers_of(&incoming) < 2 * PER_ADDRESS ? MHD_YES : MHD_NO;
}

/* A client that is gone would wait for nothing: the library does not look at suspended connections. One that has closed its
 * own side only, and still listens, looks the same until something is sent to it. */
static int is_gone(const peer *p)
{
    char byte;
    ssize_t n = recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* Is it to be closed, and why? CLOSINGS: it is not. */
static closing why_close(const peer *p, double now)
{
    double ms = now - p->since_ms;
    switch (p->phase) {
    case PHASE_IDLE:
        if (ms > IDLE_MS && !has_unread(p)) {
            return p->has_asked ? CLOSED_IDLE : CLOSED_HEAD;
        }
        return CLOSINGS;
    case PHASE_BODY:
        if (ms > BODY_MS || (ms > SLOW_AFTER_MS && (double)p->received < SLOWEST * 1e-3 * ms) ||
            now - p->heard_ms > SILENT_MS) {
            return has_unread(p) ? CLOSINGS : CLOSED_BODY;
        }
        return CLOSINGS;
    case PHASE_ANSWER:
        return ms > ANSWER_MS + 1e3 * (double)p->to_send / ANSWER_SLOWEST ? CLOSED_ANSWER : CLOSINGS;
    case PHASE_WORK: /* the work has a limit of its own */
        break;
    }
    return CLOSINGS;
}

static void tick(server *s)
{
    double now = clock_ms();
    if (now - loop.ticked_ms < TICK_MS) {
        return;
    }
    loop.ticked_ms = now;
    for (peer *p = loop.peers; p != NULL; p = p->next) {
        closing why = why_close(p, now);
        if (why != CLOSINGS) {
            drop(p, why);
        }
    }
    for (request *r = loop.requests; r != NULL; r = r->next) {
        if (r->suspended && r->work != NULL && r->p != NULL && is_gone(r->p)) {
            int none = 0; /* who asked first is the reason */
            (void)atomic_compare_exchange_strong(&r->work->cancelled, &none, WORK_LEFT);
        }
    }
    photos_expire(s->photos);
}

/* ---- requests */

int http_id_is_usable(const char *id)
{
    size_t n = id != NULL ? strlen(id) : 0;
    return n >= 8 && n < WORK_ID_BYTES - 1 &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* The client's own id lets it ask how far its request is; else one is made. */
static void choose_id(request *r)
{
    const char *id = mhd.MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, "X-Request-Id");
    unsigned char raw[8] = {0};
    if (http_id_is_usable(id) && http_find(id) == NULL) {
        (void)snprintf(r->id, sizeof r->id, "%s", id);
        return;
    }
    if (getrandom(raw, sizeof raw, 0) < 0) {
        raw[0] = (unsigned char)loop.n_requests;
    }
    for (size_t i = 0; i < sizeof raw; i++) {
        (void)snprintf(r->id + 2 * i, 3, "%02x", raw[i]);
    }
}

static void refuse(request *r, int status, const char *code, const char *text, const char *hint)
{
    r->refused = 1;
    r->early.status = status;
    (void)snprintf(r->early.code, sizeof r->early.code, "%s", code);
    (void)snprintf(r->early.message, sizeof r->early.message, "%s", text);
    (void)snprintf(r->early.hint, sizeof r->early.hint, "%s", hint);
}

/* Everything that can be said before the body has come. */
static void check_head(request *r, const char *path)
{
    const args *a = r->s->a;
    const char *length = mhd.MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, "Content-Length");
    switch (guard_check(r->s->guard, r->c, r->route == NULL || r->route->open, r->p->over_unix)) {
    case GUARD_HOST:
        refuse(r, 421, "bad_host", "this server does not answer to that host name", "--host NAME of mattebox serve");
        return;
    case GUARD_ORIGIN:
        refuse(r, 403, "bad_origin", "pages of that origin may not use this server", "--cors ORIGIN of mattebox serve");
        return;
    case GUARD_TOKEN:
        refuse(r, 401, "no_token", "a token is required", "Authorization: Bearer TOKEN");
        return;
    case GUARD_PASS:
        break;
    }
    if (r->route == NULL) {
        if (r->allow[0] != '\0') {
            refuse(r, 405, "bad_method", "that path has no such method", "");
        } else {
            refuse(r, 404, "not_found", strlen(path) < 200 ? "no such path" : "no such path, and a long one", "");
        }
    } else if (length != NULL && strtod(length, NULL) > a->serve.max_body) {
        char text[100];
        (void)snprintf(text, sizeof text, "a request may have %.0f bytes", a->serve.max_body);
        refuse(r, 413, "too_large", text, "");
    } else if (r->p->surplus != 0 && strcmp(r->method, "POST") == 0) {
        refuse(r, r->p->surplus, "crowded",
               r->p->surplus == 429 ? "too many connections from this address" : "too many connections",
               "--connections N of mattebox serve");
        r->retry_after = 1;
    } else if (atomic_load(&r->s->draining)) {
        refuse(r, 503, "ending", "the server is ending", "");
        r->retry_after = 5;
    }
}

static request *begin(server *s, struct MHD_Connection *c, const char *path, const char *method)
{
    request *r = calloc(1, sizeof *r);
    const union MHD_ConnectionInfo *info = mhd.MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (r == NULL || info == NULL || info->socket_context == NULL) {
        free(r);
        return NULL;
    }
    r->s = s;
    r->c = c;
    r->p = info->socket_context;
    r->started_ms = clock_ms();
    r->route = route_find(method, path, r->argument, sizeof r->argument, r->allow, sizeof r->allow);
    (void)snprintf(r->method, sizeof r->method, "%s", r->route != NULL ? r->route->method : "-");
    (void)snprintf(r->path, sizeof r->path, "%s", r->route != NULL ? r->route->path : "other");
    choose_id(r);
    r->next = loop.requests;
    if (r->next != NULL) {
        r->next->previous = r;
    }
    loop.requests = r;
    loop.n_requests++;
    r->p->received = 0;
    r->p->has_asked = 1;
    set_phase(r->p, PHASE_BODY);
    r->p->heard_ms = r->p->since_ms;
    return r;
}

/* A refusal is sent at once where nothing more comes, where the client waits for our word, or where too much would come;
 * else the body is read first: a connection that is closed while the client sends may lose the answer. */
static int answers_at_once(request *r)
{
    const char *length = mhd.MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, "Content-Length");
    const char *expect = mhd.MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, "Expect");
    return expect != NULL || (length != NULL && strtod(length, NULL) > SWALLOW * r->s->a->serve.max_body);
}

static void receive(request *r, const char *data, size_t n)
{
    server *s = r->s;
    r->body_bytes += n;
    r->p->received += n;
    r->p->heard_ms = clock_ms();
    if ((double)r->body_bytes > s->a->serve.max_body) {
        form_fail(&r->form, 413, "a request may have %.0f bytes", s->a->serve.max_body);
    }
    if (n == 0 || r->refused || r->form.status != 0) {
        return;
    }
    if (atomic_fetch_add(&s->in_memory, n) + n > s->max_in_memory) {
        form_fail(&r->form, 503, "too many uploads at once");
        r->retry_after = 5;
    }
    r->counted_bytes += n;
    form_add(&r->form, data, n);
}

/* The whole request is there. */
static void complete(request *r)
{
    form_end(&r->form, r->c);
    if (r->refused) {
        request_answer(r, &r->early);
    } else if (r->form.status != 0) {
        request_error(r, r->form.status, r->form.status == 413 ? "too_large" : "bad_request", "%s", r->form.message);
    } else {
        r->route->handle(r);
    }
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *data, size_t *n, void **context)
{
    request *r = *context;
    const int is_new = r == NULL;
    (void)version;
    if (is_new) {
        r = begin(cls, c, path, method);
        *context = r;
        if (r == NULL) {
            return MHD_NO;
        }
    }
    r->is_last = r->p->surplus != 0 || is_full(r->s);
    if (is_new) {
        check_head(r, path);
        form_begin(&r->form, c, strcmp(method, "POST") == 0 && !r->refused);
        if (r->refused && answers_at_once(r)) {
            request_answer(r, &r->early);
        }
        return MHD_YES;
    }
    /* A piece of the body. The library hands over an empty one, to which nothing can be answered, where a request without
     * a body expects 100 and more follows. */
    if (data != NULL) {
        receive(r, data, *n);
        *n = 0;
        return (double)r->body_bytes > SWALLOW * r->s->a->serve.max_body ? MHD_NO : MHD_YES;
    }
    if (r->suspended) { /* its work is done */
        r->suspended = 0;
        answer_work(r);
    } else if (!r->answered) {
        complete(r);
    }
    /* Without an answer the library would ask again in every turn. */
    return r->answered || r->suspended ? MHD_YES : MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code)
{
    request *r = *context;
    (void)cls;
    (void)c;
    (void)code;
    if (r == NULL) {
        return;
    }
    answer_log(r);
    *(r->previous != NULL ? &r->previous->next : &loop.requests) = r->next;
    if (r->next != NULL) {
        r->next->previous = r->previous;
    }
    loop.n_requests--;
    set_phase(r->p, PHASE_IDLE);
    (void)atomic_fetch_sub(&r->s->in_memory, r->counted_bytes);
    work_dispose(r->work);
    form_dispose(&r->form);
    free(r);
    *context = NULL;
}

void request_submit(request *r, work *w, int always)
{
    int seconds = 1;
    r->work = w;
    w->request = r;
    w->form = &r->form;
    w->ms_receive = w->queued_ms - r->started_ms;
    (void)snprintf(w->id, sizeof w->id, "%s", r->id);
    if (work_failed(w)) {
        answer_work(r);
        return;
    }
    if (!queue_add(r->s->queue, w, always, &seconds)) {
        r->retry_after = seconds;
        request_error(r, 429, "busy", "too many requests are waiting");
        return;
    }
    r->suspended = 1;
    set_phase(r->p, PHASE_WORK);
    mhd.MHD_suspend_connection(r->c);
}

/* ---- the loop */

static void quiet_log(void *cls, const char *format, va_list list)
{
    (void)cls;
    (void)format;
    (void)list;
}

int http_add(server *s, int socket, int is_unix)
{
    if (loop.n == MAX_LISTENERS) {
        return message_error(CODE_USAGE, NULL, "more than %d addresses to listen on", MAX_LISTENERS), 0;
    }
    struct MHD_Daemon *d = mhd.MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, on_accept, NULL, on_request, s,
        MHD_OPTION_EXTERNAL_LOGGER, quiet_log, NULL, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)s->a->serve.connections + SURPLUS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    if (d == NULL) {
        return message_error(CODE_MACHINE, NULL, "the HTTP library did not start"), 0;
    }
    loop.daemons[loop.n] = d;
    loop.is_unix[loop.n] = is_unix;
    loop.sockets[loop.n++] = socket;
    return 1;
}

static void finish_work(server *s)
{
    uint64_t count;
    ssize_t unused = read(s->wake, &count, sizeof count);
    (void)unused;
    for (work *w; (w = queue_finished(s->queue)) != NULL;) {
        request *r = w->request;
        metrics_work(s->metrics, w);
        mhd.MHD_resume_connection(r->c);
    }
}

static int turn_timeout(void)
{
    int timeout = TICK_MS;
    for (int i = 0; i < loop.n; i++) {
        MHD_UNSIGNED_LONG_LONG ms;
        if (mhd.MHD_get_timeout(loop.daemons[i], &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)timeout) {
            timeout = (int)ms;
        }
    }
    return timeout;
}

void http_turn(server *s)
{
    struct pollfd fds[MAX_LISTENERS + 1];
    for (int i = 0; i < loop.n; i++) {
        const union MHD_DaemonInfo *info = mhd.MHD_get_daemon_info(loop.daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
        fds[i] = (struct pollfd){.fd = info != NULL ? info->epoll_fd : -1, .events = POLLIN};
    }
    fds[loop.n] = (struct pollfd){.fd = s->wake, .events = POLLIN};
    (void)poll(fds, (nfds_t)loop.n + 1, turn_timeout());
    finish_work(s);
    for (int i = 0; i < loop.n; i++) {
        (void)mhd.MHD_run(loop.daemons[i]);
    }
    tick(s);
}

void http_quiesce(server *s)
{
    (void)s;
    for (int i = 0; i < loop.n; i++) {
        int fd = mhd.MHD_quiesce_daemon(loop.daemons[i]);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
}

void http_stop(void)
{
    for (int i = 0; i < loop.n; i++) {
        mhd.MHD_stop_daemon(loop.daemons[i]);
    }
    loop.n = 0;
}
