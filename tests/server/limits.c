/* What the server refuses, for how long it waits, and that it ends well: tokens, names, sizes, queues, time limits, slow and
 * broken clients, SIGTERM, systemd's sockets. Work that never ends is a file that makes the decoder wait (a hook for tests,
 * MATTEBOX_TEST_DECODER). */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/process.h"
#include "harness/serving.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static reply r;

SETUP
{
    process_folder("server_limits");
    (void)setenv("MATTEBOX_TEST_DECODER", "1", 1);
    process p;
    process_run(&p, "cp '%s/docs/pictures/astronaut_mask.png' photo.png", MB_SOURCE_DIR);
    CHECK_RUN(&p, 0, "");
}

BEFORE_EACH
{
    reply_dispose(&r);
}

TEARDOWN
{
    reply_dispose(&r);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pause_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

#define HANG ((part){"file", "a", "mattebox-test:hang", 0})

/* A request that has been sent and not been answered. */
static int start_hanging(const serving *s, const char *headers)
{
    const part file = HANG;
    size_t n = 0;
    char *all = serving_form(&n, "/v1/cut", headers, &file, 1);
    int fd = serving_connect(s);
    CHECK(fd >= 0 && send(fd, all, n, MSG_NOSIGNAL) == (ssize_t)n);
    free(all);
    return fd;
}

static void ask(const serving *s, const char *method, const char *path, const char *headers)
{
    reply_dispose(&r);
    serving_ask(s, &r, method, path, headers);
}

/* Until a metric has a value; the sum of its samples is not needed. */
static bool await_text(const serving *s, const char *path, const char *text)
{
    for (int i = 0; i < 500; i++) {
        ask(s, "GET", path, NULL);
        if (r.body != NULL && strstr(r.body, text) != NULL) {
            return true;
        }
        pause_ms(20);
    }
    return false;
}

TEST(token)
{
    serving s;
    file_write_text("tokens", "# of the tests\nfirst-token-0123456789\nsecond-token-0123456789\n");
    process p;
    process_run(&p, "chmod 600 tokens");
    REQUIRE(serving_start(&s, "--model saliency --token-file tokens", false));
    ask(&s, "GET", "/v1/models", NULL);
    CHECK_EQ(r.status, 401);
    CHECK_STR(reply_header(&r, "WWW-Authenticate"), "Bearer");
    ask(&s, "GET", "/v1/models", "Authorization: Bearer first-token-012345678\r\n");
    CHECK_EQ(r.status, 401);
    ask(&s, "GET", "/v1/models", "Authorization: Bearer second-token-0123456789\r\n");
    CHECK_EQ(r.status, 200);
    ask(&s, "GET", "/metrics", "X-Api-Key: first-token-0123456789\r\n");
    CHECK_EQ(r.status, 200);
    ask(&s, "GET", "/health", NULL);
    CHECK_EQ(r.status, 200);
    ask(&s, "GET", "/", NULL);
    CHECK_EQ(r.status, 200);
    const part file = HANG;
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &file, 1); /* refused before anything is decoded */
    CHECK_EQ(r.status, 401);
    CHECK_EQ(serving_stop(&s), 0);
    char *log = serving_log(&s);
    CHECK_CONTAINS(log, " GET /v1/models 401 ");
    CHECK_CONTAINS(log, " POST /v1/cut 401 ");
    free(log);
    file_write_text("short", "abc\n");
    process_run(&p, "mattebox serve --listen 127.0.0.1:0 --token-file short");
    CHECK_RUN(&p, 2, "a token has 16 to 255 characters");
}

/* Refused before the server listens. */
static void refuses_tokens(const char *text, const char *says)
{
    process p;
    if (text != NULL) {
        file_write_text("refused", text);
    }
    process_run(&p, "mattebox serve --listen 127.0.0.1:0 --model saliency --token-file refused");
    CHECK_RUN(&p, 2, says);
}

TEST(token_files)
{
    static char text[4096];
    process p;
    refuses_tokens(NULL, "--token-file refused: No such file or directory");
    refuses_tokens("", "no token in it");
    refuses_tokens("# none\n\n   \n", "no token in it");
    refuses_tokens("# one\n0123456789abcde\n", "line 2: a token has 16 to 255 characters");
    memset(text, 'x', 256);
    refuses_tokens(text, "line 1: a token has 16 to 255 characters");
    memset(text, ' ', 300);
    memset(text + 300, 'x', 40); /* the buffer ends within it */
    refuses_tokens(text, "line 1: a token has 16 to 255 characters");
    memset(text, 0, sizeof text);
    text[0] = '#'; /* the rest of a long comment is none */
    memset(text + 1, 'x', 500);
    refuses_tokens(text, "no token in it");
    memset(text, 0, sizeof text);
    for (int i = 0; i < 65; i++) {
        (void)snprintf(text + 17 * i, 18, "token-%010d\n", i);
    }
    refuses_tokens(text, "line 65: a token has 16 to 255 characters, a file at most 64");
    process_run(&p, "rm refused && mkdir refused");
    refuses_tokens(NULL, "--token-file refused: Is a directory");
}

TEST(names_and_origins)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency --host cut.example --cors https://app.example --no-page", false));
    ask(&s, "GET", "/health", "Host: evil.example\r\n");
    CHECK_EQ(r.status, 421);
    ask(&s, "GET", "/health", "Host: cut.example:7000\r\n");
    CHECK_EQ(r.status, 200);
    ask(&s, "GET", "/health", "Host: [::1]:7000\r\n");
    CHECK_EQ(r.status, 200);
    ask(&s, "GET", "/health", "Origin: http://evil.example\r\n");
    CHECK_EQ(r.status, 403);
    ask(&s, "GET", "/health", "Origin: null\r\n");
    CHECK_EQ(r.status, 403);
    ask(&s, "GET", "/health", "Origin: http://localhost\r\n");
    CHECK_EQ(r.status, 200);
    CHECK_STR(reply_header(&r, "Access-Control-Allow-Origin"), "");
    ask(&s, "GET", "/health", "Origin: https://app.example\r\n");
    CHECK_EQ(r.status, 200);
    CHECK_STR(reply_header(&r, "Access-Control-Allow-Origin"), "https://app.example");
    ask(&s, "OPTIONS", "/v1/cut", "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n");
    CHECK_CONTAINS(reply_header(&r, "Access-Control-Allow-Methods"), "POST");
    ask(&s, "GET", "/", NULL);
    CHECK_EQ(r.status, 404);
    ask(&s, "GET", "/../../etc/passwd", NULL);
    CHECK_EQ(r.status, 404);
    ask(&s, "GET", "/%2e%2e/etc/passwd", NULL);
    CHECK_EQ(r.status, 404);
    CHECK_EQ(serving_stop(&s), 0);
}

TEST(sizes)
{
    serving s;
    static char large[300000];
    REQUIRE(serving_start(&s, "--model saliency --max-body 100k --max-megapixels-in 0.1", false));
    const part file = {"file", "a", large, sizeof large}, small = {"file", "a", large, 90000};
    serving_post(&s, &r, "/v1/cut", NULL, &file, 1);
    CHECK_EQ(r.status, 413);
    CHECK_CONTAINS(r.body, "too_large");
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &small, 1);
    CHECK_EQ(r.status, 415);
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", "Expect: 100-continue\r\n", &file, 1);
    CHECK_EQ(r.status, 413);
    size_t n = 0;
    char *photo = file_read("photo.png", &n); /* 512 x 512 */
    const part picture = {"file", "a", photo, n}, text = {"detail", NULL, large, 9000};
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &picture, 1);
    CHECK_EQ(r.status, 413);
    CHECK_CONTAINS(r.body, "the limit is");
    memset(large, 'x', sizeof large);
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &text, 1);
    CHECK_EQ(r.status, 413);
    free(photo);
    /* a body without a length is counted as it comes */
    reply_dispose(&r);
    char *chunked = malloc(200 + sizeof large);
    int head = snprintf(
        chunked, 200,
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%zx\r\n",
        sizeof large);
    memcpy(chunked + head, large, sizeof large);
    memcpy(chunked + head + sizeof large, "\r\n0\r\n\r\n", 7);
    serving_raw(&s, &r, chunked, (size_t)head + sizeof large + 7);
    CHECK_EQ(r.status, 413);
    free(chunked);
    CHECK_EQ(serving_stop(&s), 0);
}

TEST(queue_progress_and_cancel)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency --queue 0", true));
    int first = start_hanging(&s, "X-Request-Id: the-first-request\r\n");
    CHECK(await_text(&s, "/v1/requests/the-first-request", "\"state\":\"decoding\""));
    const part file = HANG;
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &file, 1);
    CHECK_EQ(r.status, 429);
    CHECK(strtol(reply_header(&r, "Retry-After"), NULL, 10) >= 1);
    ask(&s, "DELETE", "/v1/requests/the-first-request", NULL);
    CHECK_EQ(r.status, 200);
    reply_dispose(&r);
    serving_receive(first, &r);
    CHECK_EQ(r.status, 409);
    CHECK_STR(reply_header(&r, "X-Request-Id"), "the-first-request");
    (void)close(first);
    ask(&s, "GET", "/v1/requests/the-first-request", NULL);
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(r.body, "\"state\":\"unknown\"");
    /* a client that goes away frees its place */
    int second = start_hanging(&s, "X-Request-Id: the-second-request\r\n");
    CHECK(await_text(&s, "/v1/requests/the-second-request", "\"state\":\"decoding\""));
    (void)close(second);
    CHECK(await_text(&s, "/metrics", "mattebox_queue_waiting 0\n"));
    CHECK_EQ(serving_stop(&s), 0);
}

TEST(time_limit)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency --timeout 1", true));
    const part file = HANG;
    double start = now();
    serving_post(&s, &r, "/v1/cut", NULL, &file, 1);
    CHECK_EQ(r.status, 504);
    CHECK_CONTAINS(r.body, "longer than 1 s");
    CHECK_GE(now() - start, 1.0);
    CHECK_LT(now() - start, 10.0);
    CHECK_EQ(serving_stop(&s), 0);
}

/* What is running is finished; what is new is told so; what takes too long is stopped. */
TEST(drain)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency --drain 1", true));
    int kept = serving_connect(&s), hanging = start_hanging(&s, "X-Request-Id: hanging-request\r\n");
    static const char get[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    CHECK(await_text(&s, "/v1/requests/hanging-request", "decoding"));
    CHECK(send(kept, get, sizeof get - 1, MSG_NOSIGNAL) > 0);
    reply_dispose(&r);
    serving_receive(kept, &r);
    CHECK_EQ(r.status, 200);
    (void)kill(s.pid, SIGTERM);
    int fd = serving_connect(&s);
    for (int i = 0; fd >= 0 && i < 100; i++) { /* until the socket is gone */
        (void)close(fd);
        pause_ms(20);
        fd = serving_connect(&s);
    }
    CHECK_EQ(fd, -1);
    CHECK(send(kept, get, sizeof get - 1, MSG_NOSIGNAL) > 0);
    reply_dispose(&r);
    serving_receive(kept, &r);
    CHECK_EQ(r.status, 503);
    CHECK_STR(reply_header(&r, "Connection"), "close");
    (void)close(kept);
    reply_dispose(&r);
    serving_receive(hanging, &r);
    CHECK_EQ(r.status, 503);
    CHECK_CONTAINS(r.body, "the server is ending");
    (void)close(hanging);
    int status = 0;
    CHECK_EQ(waitpid(s.pid, &status, 0), s.pid);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

TEST(unix_socket)
{
    serving s;
    char path[64];
    process p;
    (void)snprintf(path, sizeof path, "/tmp/mattebox-test-%d.sock", getpid());
    char options[200];
    (void)snprintf(options, sizeof options, "--model saliency --unix %s", path);
    REQUIRE(serving_start(&s, options, false));
    CHECK_EQ(s.port, 0);
    ask(&s, "GET", "/health", "Host: any.name\r\n");
    CHECK_EQ(r.status, 200);
    process_run(&p, "stat -c %%a %s; mattebox serve --unix %s", path, path);
    CHECK_CONTAINS(p.out, "660");
    CHECK_RUN(&p, 2, "is in use");
    CHECK_EQ(serving_stop(&s), 0);
    CHECK(!file_exists(path));
    /* what a killed server left behind is replaced */
    REQUIRE(serving_start(&s, options, false));
    (void)kill(s.pid, SIGKILL);
    (void)waitpid(s.pid, NULL, 0);
    CHECK(file_exists(path));
    REQUIRE(serving_start(&s, options, false));
    CHECK_EQ(serving_stop(&s), 0);
}

/* systemd hands over a listening socket as descriptor 3, and is told when the model is ready. */
TEST(systemd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX}, n = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "/tmp/mattebox-listen-%d", getpid());
    (void)snprintf(n.sun_path, sizeof n.sun_path, "/tmp/mattebox-notify-%d", getpid());
    (void)unlink(a.sun_path);
    (void)unlink(n.sun_path);
    int listens = socket(AF_UNIX, SOCK_STREAM, 0), notified = socket(AF_UNIX, SOCK_DGRAM, 0);
    REQUIRE(bind(listens, (struct sockaddr *)&a, sizeof a) == 0 && listen(listens, 8) == 0);
    REQUIRE(bind(notified, (struct sockaddr *)&n, sizeof n) == 0);
    serving s = {0};
    (void)snprintf(s.unix_path, sizeof s.unix_path, "%.100s", a.sun_path);
    s.pid = fork();
    if (s.pid == 0) {
        char pid[32];
        (void)dup2(listens, 3);
        (void)snprintf(pid, sizeof pid, "%d", getpid());
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", "1", 1);
        (void)setenv("NOTIFY_SOCKET", n.sun_path, 1);
        (void)execl(MB_BUILD_DIR "/mattebox", "mattebox", "serve", "--model", "saliency", "-q", (char *)NULL);
        _exit(127);
    }
    char text[64] = "";
    struct pollfd ready = {.fd = notified, .events = POLLIN};
    CHECK(poll(&ready, 1, 180000) == 1 && recv(notified, text, sizeof text - 1, 0) > 0);
    CHECK_CONTAINS(text, "READY=1");
    ask(&s, "GET", "/ready", NULL);
    CHECK_EQ(r.status, 200);
    CHECK_EQ(serving_stop(&s), 0);
    memset(text, 0, sizeof text);
    CHECK(poll(&ready, 1, 1000) == 1 && recv(notified, text, sizeof text - 1, 0) > 0);
    CHECK_CONTAINS(text, "STOPPING=1");
    (void)close(listens);
    (void)close(notified);
    (void)unlink(a.sun_path);
    (void)unlink(n.sun_path);
}

/* A head that never ends, a body that comes too slowly, and silence are all ended; others are served meanwhile. */
TEST(slow_clients)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency", false));
    int head = serving_connect(&s), body = serving_connect(&s), silent = serving_connect(&s);
    static const char start[] =
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n";
    CHECK(send(body, start, sizeof start - 1, MSG_NOSIGNAL) > 0);
    CHECK(send(head, "GET /health HTTP/1.1\r\nX: ", 25, MSG_NOSIGNAL) > 0);
    double begin = now();
    int open = 7;
    for (int i = 0; open != 0 && now() - begin < 30.0; i++) {
        if (i % 10 == 0) {
            (void)send(head, "x", 1, MSG_NOSIGNAL);
            (void)send(body, "x", 1, MSG_NOSIGNAL);
            ask(&s, "GET", "/health", NULL);
            CHECK_EQ(r.status, 200);
        }
        char byte;
        const int fds[] = {head, body, silent};
        for (int k = 0; k < 3; k++) {
            ssize_t n = recv(fds[k], &byte, 1, MSG_DONTWAIT | MSG_PEEK);
            open &= n >= 0 || errno == ECONNRESET ? ~(1 << k) : 7;
        }
        pause_ms(100);
    }
    CHECK_EQ(open, 0);
    CHECK_GT(now() - begin, 9.0);
    CHECK(await_text(&s, "/metrics", "mattebox_dropped_connections_total{phase=\"head\"} 2\n"));
    CHECK_CONTAINS(r.body, "mattebox_dropped_connections_total{phase=\"body\"} 1\n");
    reply_dispose(&r);
    serving_receive(body, &r); /* it is told why */
    CHECK_EQ(r.status, 408);
    CHECK_CONTAINS(r.body, "\"code\":\"too_slow\"");
    (void)close(head);
    (void)close(body);
    (void)close(silent);
    CHECK_EQ(serving_stop(&s), 0);
}

/* More clients at once than there are connections: each is answered, and none is left without a word. */
TEST(crowd)
{
    enum { CROWD = 60, TAKEN = 6 };
    serving s;
    REQUIRE(serving_start(&s, "--model saliency --connections 6 --queue 2", true));
    int fds[CROWD], answered = 0, busy = 0, crowded = 0;
    struct pollfd polls[CROWD];
    for (int i = 0; i < CROWD; i++) {
        fds[i] = start_hanging(&s, "");
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    for (double begin = now();
         answered < CROWD - 3 && now() - begin < 60.0;) { /* three are under way: one at work, two in the queue */
        (void)poll(polls, CROWD, 100);
        for (int i = 0; i < CROWD; i++) {
            if (polls[i].fd >= 0 && (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
                reply_dispose(&r);
                serving_receive(fds[i], &r);
                CHECK_MSG(r.status == 429 || r.status == 503, "client %d: %d", i, r.status);
                CHECK_GE(strtol(reply_header(&r, "Retry-After"), NULL, 10), 1);
                *(r.status == 429 ? &busy : &crowded) += 1;
                answered++;
                polls[i].fd = -1;
            }
        }
    }
    CHECK_EQ(answered, CROWD - 3);
    CHECK(busy > 0 && crowded > 0);
    for (int i = 0; i < CROWD; i++) {
        (void)close(fds[i]);
    }
    /* connections that only wait make room for a client with a photo */
    int idle[TAKEN];
    static const char get[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    CHECK(await_text(&s, "/metrics", "mattebox_queue_waiting 0\n"));
    for (int i = 0; i < TAKEN - 1; i++) {
        idle[i] = serving_connect(&s);
        CHECK(send(idle[i], get, sizeof get - 1, MSG_NOSIGNAL) > 0);
        reply_dispose(&r);
        serving_receive(idle[i], &r);
        CHECK_EQ(r.status, 200);
    }
    idle[TAKEN - 1] = serving_connect(&s);
    pause_ms(1500);
    const part file = {"file", "a", "x", 0};
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, &file, 1);
    CHECK_EQ(r.status, 415);
    CHECK_EQ(recv(idle[0], &(char){0}, 1, 0), 0); /* the one that waited for longest */
    CHECK_EQ(serving_stop(&s), 0);
}

/* Forms that can be read and mean nothing here. */
TEST(refused_forms)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency", true));
    static const part stranger[] = {{"statue", "a.png", "x", 0}}, zero[] = {{"color", NULL, "a\0b", 3}};
    static const part again[] = {{"file", "a", "x", 0}, {"file", "b", "y", 0}};
    static const part later[] = {{"file", "a", "x", 0}, {"background", "b", "y", 0}, {"file", "c", "z", 0}};
    static const struct {
        const char *path;
        const part *parts;
        int n, status;
        const char *said;
    } forms[] = {{"/v1/cut", stranger, 1, 422, "a file called \\\"statue\\\" has no meaning here"},
                 {"/v1/cut", zero, 1, 400, "the field \\\"color\\\" has a zero byte"},
                 {"/v1/cut", again, 2, 422, "two files of one kind"},
                 {"/v1/cut", later, 3, 422, "two files of one kind"},
                 {"/v1/cut?a%00b=1", again, 1, 400, "a zero byte in the query"}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        reply_dispose(&r);
        serving_post(&s, &r, forms[i].path, NULL, forms[i].parts, forms[i].n);
        CHECK_EQ(r.status, forms[i].status);
        CHECK_CONTAINS(r.body, forms[i].said);
    }
    part many[65];
    for (size_t i = 0; i < 65; i++) {
        many[i] = (part){i % 2 == 0 ? "a" : "b", NULL, "1", 0};
    }
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, many, 65);
    CHECK_EQ(r.status, 400);
    CHECK_CONTAINS(r.body, "more than 64 fields");
    static const char encoded[] =
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; "
        "boundary=form\r\nContent-Length: 106\r\n\r\n"
        "--form\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\neA==\r\n--form--\r\n";
    reply_dispose(&r);
    serving_raw(&s, &r, encoded, sizeof encoded - 1);
    CHECK_EQ(r.status, 415);
    CHECK_EQ(serving_stop(&s), 0);
}

/* Whatever is sent, there is one answer or none, and the next request is served. */
TEST(broken_requests)
{
    serving s;
    REQUIRE(serving_start(&s, "--model saliency", true));
    static const char *const texts[] = {
        "",
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /a%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /v1/photos/%2f..%2f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\n",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data\r\nContent-Length: "
        "3\r\nConnection: "
        "close\r\n\r\nabc",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: "
        "3\r\nConnection: "
        "close\r\n\r\nabc",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: "
        "close\r\n\r\nabc",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: 9\r\n"
        "Connection: close\r\n\r\nerode=300",
        "DELETE /v1/requests/%0d%0aX: HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int fd = serving_connect(&s);
        (void)send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        reply_dispose(&r);
        serving_receive(fd, &r);
        CHECK_MSG(r.status == 0 || r.status >= 400, "text %zu: %d", i, r.status);
        (void)close(fd);
    }
    /* a form that is cut off, everywhere; and one that comes byte by byte */
    const part parts[] = {{"detail", NULL, "guided", 0}, {"file", "a", "mattebox-test:cage", 0}};
    size_t n = 0;
    char *all = serving_form(&n, "/v1/cut", NULL, parts, 2);
    for (size_t cut = 0; cut < n; cut += 7) {
        int fd = serving_connect(&s);
        (void)send(fd, all, cut, MSG_NOSIGNAL);
        (void)close(fd);
    }
    int fd = serving_connect(&s);
    for (size_t i = 0; i < n; i++) {
        CHECK(send(fd, all + i, 1, MSG_NOSIGNAL) == 1);
    }
    reply_dispose(&r);
    serving_receive(fd, &r);
    CHECK_EQ(r.status, 422);
    (void)close(fd);
    free(all);
    CHECK(serving_is_alive(&s));
    CHECK_EQ(serving_stop(&s), 0);
}

TEST(listening)
{
    serving s;
    process p;
    REQUIRE(serving_start(&s, "--model saliency --listen 127.0.0.1:0", false));
    process_run(&p, "mattebox serve --listen 127.0.0.1:%d", s.port);
    CHECK_RUN(&p, 2, "is in use");
    CHECK_EQ(serving_stop(&s), 0);
    process_run(&p, "mattebox serve --listen nonsense:port");
    CHECK_RUN(&p, 2, "no address with a port");
    process_run(&p, "mattebox serve photo.png");
    CHECK_RUN(&p, 2, "serve takes no file");
    process_run(&p, "mattebox serve --listen 127.0.0.1:0 --model not-there");
    CHECK_RUN(&p, 3, "no model \"not-there\"");
    /* the one library that only the server needs, where it cannot be opened; the rest of the program goes without it */
    process_run(&p, "mkdir -p broken; : >broken/libmicrohttpd.so.12");
    process_run(&p, "LD_LIBRARY_PATH=broken mattebox serve --listen 127.0.0.1:0");
    CHECK_RUN(&p, 4, "apt-get install libmicrohttpd12");
    process_run(&p, "LD_LIBRARY_PATH=broken mattebox version --verbose");
    CHECK_RUN(&p, 0, "");
    CHECK_CONTAINS(p.out, "server: none: ");
    /* reachable from elsewhere and open to all: said */
    REQUIRE(serving_start(&s, "--model saliency --listen 0.0.0.0:0", false));
    char *log = serving_log(&s);
    CHECK_CONTAINS(log, "can be reached by other machines");
    free(log);
    CHECK_EQ(serving_stop(&s), 0);
}
