/* socket, bind, listen; and systemd's two small protocols, LISTEN_FDS and NOTIFY_SOCKET. */
#include "listen.h"

#include "../message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG       512
#define FIRST_HANDED  3 /* SD_LISTEN_FDS_START */
#define STANDARD_PORT "7000"

/* What a socket is bound to, in words. */
static void describe(listener *l)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    memset(&a, 0, sizeof a);
    if (getsockname(l->fd, (struct sockaddr *)&a, &n) != 0) {
        return;
    }
    if (a.ss_family == AF_UNIX) {
        struct sockaddr_un u;
        memcpy(&u, &a, sizeof u);
        l->is_unix = 1;
        (void)snprintf(l->name, sizeof l->name, "unix:%.*s", (int)sizeof u.sun_path, u.sun_path);
        return;
    }
    (void)getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    l->is_loopback = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
    int six = strchr(host, ':') != NULL;
    (void)snprintf(l->name, sizeof l->name, "http://%s%.100s%s:%.10s", six ? "[" : "", host, six ? "]" : "", port);
}

/* "127.0.0.1:7000", "[::1]:7000", "localhost", ":7000" (loopback). 0: it is nothing of the kind. */
static int split_address(const char *text, char *host, size_t host_bytes, char *port, size_t port_bytes)
{
    const char *colon = strrchr(text, ':'), *end = text + strlen(text);
    const char *from = text, *host_end = end;
    if (text[0] == '[') {
        host_end = strchr(text, ']');
        if (host_end == NULL || (host_end[1] != '\0' && host_end[1] != ':')) {
            return 0;
        }
        from = text + 1;
        colon = host_end[1] == ':' ? host_end + 1 : NULL;
    } else if (colon != NULL) {
        host_end = colon;
    }
    const char *port_text = colon != NULL ? colon + 1 : STANDARD_PORT;
    size_t n = (size_t)(host_end - from);
    if (n >= host_bytes || strlen(port_text) >= port_bytes || port_text[0] == '\0') {
        return 0;
    }
    (void)snprintf(host, host_bytes, "%.*s", n > 0 ? (int)n : 9, n > 0 ? from : "127.0.0.1");
    (void)snprintf(port, port_bytes, "%s", port_text);
    return strspn(port, "0123456789") == strlen(port) && strtol(port, NULL, 10) <= 65535;
}

static int open_tcp(listener *l, const char *text)
{
    char host[256], port[16], given[256];
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    (void)snprintf(given, sizeof given, "%s", text);
    if (!split_address(text, host, sizeof host, port, sizeof port)) {
        return message_error(CODE_USAGE, "127.0.0.1:7000 or [::1]:7000", "--listen %s: no address with a port", given);
    }
    if (getaddrinfo(host, port, &hints, &found) != 0 || found == NULL) {
        return message_error(CODE_USAGE, "127.0.0.1:7000 or [::1]:7000", "--listen %s: no such address here", given);
    }
    int one = 1, failed = 0;
    l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd >= 0) {
        (void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    }
    if (l->fd < 0 || bind(l->fd, found->ai_addr, found->ai_addrlen) != 0 || listen(l->fd, BACKLOG) != 0) {
        failed = errno;
    }
    freeaddrinfo(found);
    if (failed == EADDRINUSE) {
        return message_error(CODE_USAGE, "--listen 127.0.0.1:7001", "%s is in use", given);
    }
    return failed == 0 ? CODE_OK : message_error(CODE_USAGE, NULL, "--listen %s: %s", given, strerror(failed));
}

/* A socket that nobody listens on any more is left over from a server that was killed: it is replaced. */
static int is_left_over(const struct sockaddr_un *a)
{
    struct stat s;
    if (lstat(a->sun_path, &s) != 0 || !S_ISSOCK(s.st_mode)) {
        return 0;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int dead = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) != 0 && errno == ECONNREFUSED;
    if (fd >= 0) {
        (void)close(fd);
    }
    return dead;
}

static int open_unix(listener *l, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        return message_error(CODE_USAGE, NULL, "--unix %s: longer than %zu bytes", path, sizeof a.sun_path - 1);
    }
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (is_left_over(&a)) {
        (void)unlink(path);
    }
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0117);
    int failed =
        l->fd < 0 || bind(l->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(l->fd, BACKLOG) != 0 ? errno : 0;
    (void)umask(old);
    if (failed == EADDRINUSE) {
        return message_error(CODE_USAGE, NULL, "%s is in use", path);
    }
    return failed == 0 ? CODE_OK : message_error(CODE_USAGE, NULL, "--unix %s: %s", path, strerror(failed));
}

/* Sockets of systemd's socket activation: meant for this process alone. */
static int take_handed(listener *out, int *n)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid()) {
        return CODE_OK;
    }
    long handed = strtol(count, NULL, 10);
    for (long i = 0; i < handed && *n < MAX_SOCKETS; i++) {
        listener *l = &out[*n];
        *l = (listener){.fd = FIRST_HANDED + (int)i};
        (void)fcntl(l->fd, F_SETFD, FD_CLOEXEC);
        int flags = fcntl(l->fd, F_GETFL), listens = 0;
        socklen_t bytes = sizeof listens;
        if (flags < 0 || getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0 || !listens) {
            return message_error(CODE_USAGE, "ListenStream= in the socket unit",
                                 "LISTEN_FDS: descriptor %d is no listening socket", l->fd);
        }
        (void)fcntl(l->fd, F_SETFL, flags | O_NONBLOCK);
        describe(l);
        ++*n;
    }
    (void)unsetenv("LISTEN_PID"); /* not for the decoders */
    (void)unsetenv("LISTEN_FDS");
    return CODE_OK;
}

int listen_open(listener *out, int *n, const args *a)
{
    static const char *const standard = "127.0.0.1:" STANDARD_PORT;
    *n = 0;
    int code = take_handed(out, n), handed = *n > 0;
    const char *const *names = a->serve.listen.names;
    int n_names = a->serve.listen.n;
    if (n_names == 0 && !handed && a->serve.unix_path == NULL) {
        names = &standard;
        n_names = 1;
    }
    for (int i = 0; i < n_names && code == CODE_OK; i++) {
        if (*n == MAX_SOCKETS) {
            return message_error(CODE_USAGE, NULL, "more than %d addresses to listen on", MAX_SOCKETS);
        }
        out[*n] = (listener){.fd = -1};
        code = open_tcp(&out[*n], names[i]);
        describe(&out[(*n)++]);
    }
    if (a->serve.unix_path != NULL && code == CODE_OK && *n < MAX_SOCKETS) {
        out[*n] = (listener){.fd = -1};
        code = open_unix(&out[*n], a->serve.unix_path);
        describe(&out[(*n)++]);
    }
    return code;
}

void listen_clean(const args *a)
{
    if (a->serve.unix_path != NULL) {
        (void)unlink(a->serve.unix_path);
    }
}

void notify_systemd(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = path != NULL ? strlen(path) : 0;
    if (n < 2 || n >= sizeof a.sun_path || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memcpy(a.sun_path, path, n);
    a.sun_path[0] = path[0] == '@' ? '\0' : path[0]; /* an abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&a,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
        (void)close(fd);
    }
}
