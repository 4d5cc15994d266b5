#define _GNU_SOURCE
#include "harness/serving.h"
#include "harness/check.h"
#include "harness/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 180000 /* a sanitizer on a busy machine */
#define BOUNDARY    "----test7MA4YWxkTrZu0gW"

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

char *serving_log(const serving *s)
{
    return file_read(s->log, &(size_t){0});
}

/* Waits until its log has `text`, or it ended. */
static bool await_log(serving *s, const char *text)
{
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        char *log = serving_log(s);
        const char *found = log != NULL ? strstr(log, text) : NULL;
        if (found != NULL) {
            const char *url = strstr(log, "http://127.0.0.1:");
            s->port = url != NULL && s->port == 0 ? (int)strtol(url + 17, NULL, 10) : s->port;
        }
        free(log);
        if (found != NULL) {
            return true;
        }
        int status;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        pause_ms(20);
    }
    return false;
}

bool serving_start(serving *s, const char *options, bool ready)
{
    static int number;
    char command[16384], folder[4096];
    process p;
    *s = (serving){0};
    process_run(&p, "pwd");
    (void)snprintf(folder, sizeof folder, "%.*s", (int)strcspn(p.out, "\n"), p.out);
    (void)snprintf(s->log, sizeof s->log, "%s/server%d.log", folder, number++);
    const char *path = strstr(options, "--unix ");
    if (path != NULL) {
        (void)snprintf(s->unix_path, sizeof s->unix_path, "%.*s", (int)strcspn(path + 7, " "), path + 7);
    }
    bool listens = path != NULL || strstr(options, "--listen") != NULL;
    (void)snprintf(
        command, sizeof command,
        "cd '%s' && export PATH='%s':\"$PATH\" HOME='%s' && unset MATTEBOX_MODELS MATTEBOX_THREADS; exec mattebox "
        "serve %s %s 2>'%s'",
        folder, MB_BUILD_DIR, folder, listens ? "" : "--listen 127.0.0.1:0", options, s->log);
    s->pid = fork();
    if (s->pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return s->pid > 0 && await_log(s, "mattebox serves on") && (!ready || await_log(s, "ready: model"));
}

int serving_stop(serving *s)
{
    int status = 0;
    if (s->pid <= 0) {
        return -1;
    }
    (void)kill(s->pid, SIGTERM);
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        pause_ms(20);
    }
    (void)kill(s->pid, SIGKILL);
    (void)waitpid(s->pid, &status, 0);
    s->pid = 0;
    return -1;
}

bool serving_is_alive(const serving *s)
{
    return s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == 0;
}

long serving_resident_kib(const serving *s)
{
    char path[64], line[256];
    long kib = -1;
    (void)snprintf(path, sizeof path, "/proc/%d/status", s->pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kib;
}

/* ---- answers */

void reply_dispose(reply *r)
{
    free(r->body);
    *r = (reply){0};
}

const char *reply_header(const reply *r, const char *name)
{
    static char value[4096];
    size_t n = strlen(name);
    for (const char *line = r->head; line != NULL && *line != '\0';) {
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *from = line + n + 1 + strspn(line + n + 1, " ");
            (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r\n"), from);
            return value;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return "";
}

static bool await_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) > 0;
}

/* The head byte by byte, so that nothing of a next answer is taken; then the body by its length. */
void serving_receive(int fd, reply *r)
{
    size_t n = 0;
    *r = (reply){0};
    while (n + 1 < sizeof r->head && strstr(r->head, "\r\n\r\n") == NULL) {
        if (!await_bytes(fd) || recv(fd, r->head + n, 1, 0) != 1) {
            r->head[0] = '\0';
            return;
        }
        r->head[++n] = '\0';
    }
    if (strncmp(r->head, "HTTP/1.1 100", 12) == 0) {
        serving_receive(fd, r);
        return;
    }
    long length = strtol(reply_header(r, "Content-Length"), NULL, 10);
    r->status = (int)strtol(r->head + 9, NULL, 10);
    r->body = calloc(1, (size_t)length + 1);
    while (r->body != NULL && r->bytes < (size_t)length && await_bytes(fd)) {
        ssize_t got = recv(fd, r->body + r->bytes, (size_t)length - r->bytes, 0);
        if (got <= 0) {
            return;
        }
        r->bytes += (size_t)got;
    }
}

/* ---- requests */

int serving_connect(const serving *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    struct sockaddr_un u = {.sun_family = AF_UNIX};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)snprintf(u.sun_path, sizeof u.sun_path, "%.100s", s->unix_path);
    bool is_unix = s->unix_path[0] != '\0';
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    if (fd < 0 ||
        connect(fd, is_unix ? (struct sockaddr *)&u : (struct sockaddr *)&a, is_unix ? sizeof u : sizeof a) != 0) {
        (void)close(fd);
        return -1;
    }
    int one = 1; /* a byte at a time goes out as it is sent */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void serving_raw(const serving *s, reply *r, const void *data, size_t bytes)
{
    int fd = serving_connect(s);
    *r = (reply){0};
    for (size_t at = 0; fd >= 0 && at < bytes;) {
        ssize_t n = send(fd, (const char *)data + at, bytes - at, MSG_NOSIGNAL);
        if (n <= 0) {
            break; /* refused: its answer may be there */
        }
        at += (size_t)n;
    }
    if (fd >= 0) {
        serving_receive(fd, r);
        (void)close(fd);
    }
}

void serving_ask(const serving *s, reply *r, const char *method, const char *path, const char *headers)
{
    char text[8192];
    const char *host = headers != NULL && strcasestr(headers, "host:") != NULL ? "" : "Host: localhost\r\n";
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n%s%sConnection: close\r\n\r\n", method, path, host,
                     headers != NULL ? headers : "");
    serving_raw(s, r, text, (size_t)n);
}

char *serving_form(size_t *bytes, const char *path, const char *headers, const part *parts, int n)
{
    char *body = NULL, *all = NULL;
    size_t body_bytes = 0;
    FILE *out = open_memstream(&body, &body_bytes);
    for (int i = 0; i < n; i++) {
        (void)fprintf(out, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"", parts[i].name);
        if (parts[i].filename != NULL) {
            (void)fprintf(out, "; filename=\"%s\"\r\nContent-Type: application/octet-stream", parts[i].filename);
        }
        (void)fputs("\r\n\r\n", out);
        size_t size = parts[i].bytes == 0 && parts[i].data != NULL ? strlen(parts[i].data) : parts[i].bytes;
        (void)fwrite(parts[i].data, 1, size, out);
        (void)fputs("\r\n", out);
    }
    (void)fputs("--" BOUNDARY "--\r\n", out);
    (void)fclose(out);
    out = open_memstream(&all, bytes);
    (void)fprintf(out,
                  "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Type: multipart/form-data; "
                  "boundary=" BOUNDARY "\r\nContent-Length: %zu\r\n\r\n",
                  path, headers != NULL ? headers : "", body_bytes);
    (void)fwrite(body, 1, body_bytes, out);
    (void)fclose(out);
    free(body);
    return all;
}

void serving_post(const serving *s, reply *r, const char *path, const char *headers, const part *parts, int n)
{
    size_t bytes = 0;
    char *all = serving_form(&bytes, path, headers, parts, n);
    serving_raw(s, r, all, bytes);
    free(all);
}

void png_size(const reply *r, int *width, int *height, int *colour_type)
{
    const unsigned char *b = (const unsigned char *)r->body;
    *width = *height = 0;
    *colour_type = -1;
    if (r->bytes > 26 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0) {
        *width = b[18] << 8 | b[19];
        *height = b[22] << 8 | b[23];
        *colour_type = b[25];
    }
}
