/* F8: any bytes as what a client sends, to the server's own code in this process: cut into pieces at the places that the
 * input names, down to every byte. The server answers or closes, nothing stays behind (descriptors, open requests), and
 * what it says begins like an answer. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "server/guard.h"
#include "server/http.h"
#include "server/lanes.h"
#include "server/metrics.h"
#include "server/photos.h"
#include "server/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static server s;
static args a;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

/* As cmd_serve does it, with the classical method in place of a network. Its first run takes seconds, and minutes at
 * the lowest weight of a busy machine: before the first input, whose time is limited. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char *words[] = {"mattebox", "serve",     "--model", "saliency",  "--quiet", "--jobs",
                            "1",        "--threads", "1",       "--sandbox", "off",     NULL};
    (void)argc;
    (void)argv;
    (void)signal(SIGPIPE, SIG_IGN);
    s = (server){.a = &a, .max_in_memory = (size_t)64 << 20, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    FUZZ_MUST(mhd_open() == CODE_OK);
    FUZZ_MUST(args_parse(&a, (int)(sizeof words / sizeof words[0]) - 1, words) == CODE_OK &&
              guard_create(&s.guard, &a) == CODE_OK);
    a.max_megapixels_in = 0.01;
    s.metrics = metrics_create();
    s.photos = photos_create(4, 1e6, 60);
    FUZZ_MUST(s.metrics != NULL && s.photos != NULL && lanes_create(&s.lanes, &s) == CODE_OK);
    FUZZ_MUST(queue_create(&s.queue, &s) == CODE_OK);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sun_path[0] = '\0'; /* an abstract name: there is no file */
    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "mattebox-fuzz-%d", (int)getpid());
    FUZZ_MUST(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
    FUZZ_MUST(http_add(&s, fd, 1));
    for (int i = 0; i < 18000 && !atomic_load(&s.ready); i++) { /* 200 ms each, at most */
        http_turn(&s);
    }
    FUZZ_MUST(atomic_load(&s.ready));
    return 0;
}

/* A turn of the server that waits for its threads alone: clients have nothing to say that is not there yet. */
static void turn(void)
{
    const uint64_t one = 1;
    if (!queue_is_busy(s.queue)) {
        FUZZ_MUST(write(s.wake, &one, sizeof one) == (ssize_t)sizeof one);
    }
    http_turn(&s);
}

/* Sends up to the next cut; where the server does not read on, it gets a turn. */
static void send_piece(int fd, const uint8_t *p, size_t n)
{
    for (int tries = 0; n > 0 && tries < 50; tries++) {
        const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            return;
        }
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
        turn();
    }
}

/* Reads until the server has closed, or has nothing more to do: it may wait for the rest of a request. */
static void check_answer(int fd)
{
    char head[9], rest[4096];
    size_t got = 0;
    for (int silent = 0; silent < 4;) {
        turn();
        const ssize_t n = recv(fd, rest, sizeof rest, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            break;
        }
        if (n > 0) {
            const size_t take = (size_t)n < sizeof head - got ? (size_t)n : sizeof head - got;
            memcpy(head + got, rest, take);
            got += take;
        }
        silent = n > 0 || queue_is_busy(s.queue) ? 0 : silent + 1;
    }
    FUZZ_MUST(got == 0 || (got == sizeof head && memcmp(head, "HTTP/1.", 7) == 0 && head[8] == ' '));
}

/* The number of the next descriptor. */
static int next_descriptor(void)
{
    const int fd = dup(s.wake);
    FUZZ_MUST(fd >= 0 && close(fd) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const int before = next_descriptor();
    const size_t cut = n > 0 ? bytes[0] : 0; /* 0: at once; else pieces of so many bytes */
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_MUST(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    for (size_t at = 1; at < n;) {
        const size_t piece = cut == 0 || cut > n - at ? n - at : cut;
        send_piece(fd, bytes + at, piece);
        at += piece;
    }
    (void)shutdown(fd, SHUT_WR);
    check_answer(fd);
    FUZZ_MUST(close(fd) == 0);
    for (int i = 0; i < 50 && (http_open_requests() > 0 || next_descriptor() != before); i++) {
        turn();
    }
    FUZZ_MUST(http_open_requests() == 0 && atomic_load(&s.in_memory) == 0 && next_descriptor() == before);
    return 0;
}
