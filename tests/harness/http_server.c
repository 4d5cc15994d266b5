#define _GNU_SOURCE
#include "harness/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    int listener;
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stop;
    http_script script;
    int requests, cut;
    char last[4096];
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Until the other side goes, or the server stops. */
static void stall(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    char byte;
    while (!atomic_load(&server.stop) && (poll(&p, 1, 50) == 0 || recv(fd, &byte, 1, 0) > 0)) {
    }
}

static bool read_request(int fd, char *text, size_t capacity)
{
    size_t at = 0;
    struct pollfd p = {fd, POLLIN, 0};
    while (at + 1 < capacity && poll(&p, 1, 2000) > 0) {
        ssize_t n = recv(fd, text + at, capacity - 1 - at, 0);
        if (n <= 0) {
            return false;
        }
        at += (size_t)n;
        text[at] = '\0';
        if (strstr(text, "\r\n\r\n") != NULL) {
            return true;
        }
    }
    return false;
}

/* The value of a header line, ended by \r; NULL: absent. */
static const char *header(const char *request, const char *name)
{
    const char *p = strcasestr(request, name);
    return p != NULL ? p + strlen(name) : NULL;
}

static void answer(int fd, const http_script *s, const char *request)
{
    char head[2048], range_line[120] = "", length_line[64] = "";
    size_t start = 0;
    int status = s->status != 0 ? s->status : 200;
    const char *range = header(request, "\r\nRange: bytes="), *condition = header(request, "\r\nIf-Range: ");
    bool matches = condition == NULL || s->ignore_if_range ||
                   (s->etag != NULL && strncmp(condition, s->etag, strlen(s->etag)) == 0);
    if (s->status == 0 && range != NULL && !s->no_ranges && matches) {
        start = (size_t)strtoull(range, NULL, 10);
        status = start < s->bytes ? 206 : 416;
        if (status == 206) {
            (void)snprintf(range_line, sizeof range_line, "Content-Range: bytes %zu-%zu/%zu\r\n", start, s->bytes - 1,
                           s->bytes);
        } else {
            (void)snprintf(range_line, sizeof range_line, "Content-Range: bytes */%zu\r\n", s->bytes);
            start = s->bytes;
        }
    }
    if (s->token != NULL) {
        const char *sent = header(request, "\r\nAuthorization: Bearer ");
        status = sent != NULL && strncmp(sent, s->token, strlen(s->token)) == 0 ? status : 401;
    }
    bool redirect = s->location != NULL && (!s->first_hop_only || strncmp(request, "GET /first", 10) == 0);
    status = redirect ? 302 : status;
    size_t bytes = status == 200 || status == 206 || s->status != 0 ? s->bytes - start : 0;
    bytes = redirect ? 0 : bytes;
    if (!s->no_length) {
        (void)snprintf(length_line, sizeof length_line, "Content-Length: %lld\r\n", (long long)bytes + s->lie);
    }
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nConnection: close\r\n%s%s%s%s%s%s%s%s%s%s\r\n", status,
                     length_line, range_line, s->etag != NULL ? "ETag: " : "", s->etag != NULL ? s->etag : "",
                     s->etag != NULL ? "\r\n" : "", redirect ? "Location: " : "", redirect ? s->location : "",
                     redirect ? "\r\n" : "", s->headers != NULL ? s->headers : "", "");
    size_t most = bytes;
    bool cut = s->cut_after > 0 && (s->cuts == 0 || server.cut < s->cuts);
    if (cut && s->cut_after < most) {
        most = s->cut_after;
        server.cut++;
    }
    most = s->stall_after > 0 && s->stall_after < most ? s->stall_after : most;
    if (send_all(fd, head, (size_t)n) && send_all(fd, (const char *)s->data + start, most) && s->stall_after > 0 &&
        most < bytes) {
        stall(fd);
    }
}

static void *serve(void *unused)
{
    (void)unused;
    struct pollfd p = {server.listener, POLLIN, 0};
    while (!atomic_load(&server.stop)) {
        int fd = poll(&p, 1, 50) > 0 ? accept(server.listener, NULL, NULL) : -1;
        char request[4096] = "";
        if (fd < 0) {
            continue;
        }
        if (read_request(fd, request, sizeof request)) {
            (void)pthread_mutex_lock(&server.lock);
            http_script s = server.script;
            server.requests++;
            memcpy(server.last, request, sizeof request);
            (void)pthread_mutex_unlock(&server.lock);
            if (s.mute) {
                stall(fd);
            } else {
                answer(fd, &s, request);
            }
        }
        (void)shutdown(fd, SHUT_RDWR);
        (void)close(fd);
    }
    return NULL;
}

int http_server_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    atomic_store(&server.stop, false);
    if (server.listener < 0 || bind(server.listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server.listener, 16) != 0 || getsockname(server.listener, (struct sockaddr *)&address, &n) != 0 ||
        pthread_create(&server.thread, NULL, serve, NULL) != 0) {
        fprintf(stderr, "no loopback interface to listen on\n");
        exit(77);
    }
    return ntohs(address.sin_port);
}

void http_server_stop(void)
{
    atomic_store(&server.stop, true);
    (void)pthread_join(server.thread, NULL);
    (void)close(server.listener);
}

void http_server_script(const http_script *script)
{
    (void)pthread_mutex_lock(&server.lock);
    server.script = *script;
    server.requests = server.cut = 0;
    server.last[0] = '\0';
    (void)pthread_mutex_unlock(&server.lock);
}

int http_server_requests(void)
{
    (void)pthread_mutex_lock(&server.lock);
    int n = server.requests;
    (void)pthread_mutex_unlock(&server.lock);
    return n;
}

const char *http_server_last(void)
{
    return server.last;
}
