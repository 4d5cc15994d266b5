/* Decoders run in processes that can do nothing else: what breaks one costs one request, and what takes one over finds no
 * file, no network, no program. The files that break it are a hook for tests (MATTEBOX_TEST_DECODER). */
#define _GNU_SOURCE
#include "one_server.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static process p;

SETUP
{
    process_folder("server_sandbox");
    (void)setenv("MATTEBOX_TEST_DECODER", "1", 1);
    process_run(&p, "cp '%s/docs/pictures/astronaut_mask.png' photo.png", MB_SOURCE_DIR);
    CHECK_RUN(&p, 0, "");
    photo = file_read("photo.png", &photo_bytes);
    REQUIRE(photo != NULL);
    REQUIRE(serving_start(&s, "--model saliency --timeout 20", true));
}

static void post(const void *data, size_t bytes)
{
    const part file = {"file", "a", data, bytes};
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/trimap", NULL, &file, 1);
}

static void is_served(void)
{
    post(photo, photo_bytes);
    CHECK_MSG(r.status == 200, "%d: %s", r.status, r.body != NULL ? r.body : "");
}

/* Sends a picture and waits until it has reached a decoder: the answer can be received from the descriptor. */
static int start_decoding(const serving *to, const void *data, size_t bytes, const char *id)
{
    const part file = {"file", "a", data, bytes};
    char header[100], path[100];
    size_t n = 0;
    (void)snprintf(header, sizeof header, "X-Request-Id: %s\r\n", id);
    (void)snprintf(path, sizeof path, "/v1/requests/%s", id);
    char *all = serving_form(&n, "/v1/trimap", header, &file, 1);
    int fd = serving_connect(to);
    CHECK(send(fd, all, n, MSG_NOSIGNAL) == (ssize_t)n);
    free(all);
    for (int i = 0; i < 200; i++) {
        reply_dispose(&r);
        serving_ask(to, &r, "GET", path, NULL);
        if (r.body != NULL && strstr(r.body, "decoding") != NULL) {
            break;
        }
    }
    return fd;
}

/* Numbers of the decoders' processes, "" if there are none. */
static const char *decoders(void)
{
    process_run(&p, "pgrep -P %d -d ' ' || true", s.pid);
    return p.out;
}

TEST(cage)
{
    static const char cage[] = "mattebox-test:cage";
    post(cage, sizeof cage - 1);
    if (r.body != NULL && strstr(r.body, "open 1") != NULL) {
        SKIP("this system cannot filter system calls");
    }
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "open 0, socket 0, execve 0, fork 0, kill 0, executable memory 0");
    is_served();
}

TEST(crash)
{
    static const char crash[] = "mattebox-test:crash";
    for (int i = 0; i < 4; i++) {
        post(crash, sizeof crash - 1);
        CHECK_EQ(r.status, 422);
        CHECK_CONTAINS(r.body, "decoder_failed");
        is_served();
    }
    reply_dispose(&r);
    serving_ask(&s, &r, "GET", "/metrics", NULL);
    CHECK_CONTAINS(r.body, "mattebox_decoder_restarts_total 4\n");
}

/* A decoder that cannot be started for a while costs requests, not the sandbox: nothing is decoded in the server instead. */
TEST(none_for_a_while)
{
    static const char crash[] = "mattebox-test:crash";
    file_write_text("no-decoder-now", "");
    int ended = 0; /* each thread may have one; which thread takes the next request is chance */
    for (int i = 0; i < 100 && ended < 2; i++) {
        post(crash, sizeof crash - 1);
        ended += r.status == 422;
    }
    for (int i = 0; i < 4; i++) {
        post(photo, photo_bytes);
        CHECK_EQ(r.status, 503);
        CHECK_CONTAINS(r.body, "no_decoder");
    }
    process_run(&p, "rm no-decoder-now");
    is_served();
    is_served();
    CHECK_GT(strlen(decoders()), 0);
}

/* One that has used much of its processor time makes room for a new one before the system ends it: no request is lost. There is
 * one for each thread that reads pictures. The one that was tired is gone: either it was there before, or it was new. */
TEST(tired)
{
    static const char tired[] = "mattebox-test:tired";
    bool is_gone = false;
    for (int i = 0; i < 20 && !is_gone; i++) {
        is_served();
        const size_t before = strlen(decoders());
        post(tired, sizeof tired - 1);
        CHECK_EQ(r.status, 422);
        const size_t after = strlen(decoders());
        CHECK_LE(after, before);
        is_gone = after < before;
    }
    CHECK_MSG(is_gone, "%s are still there", decoders());
    is_served();
    is_served();
}

/* The time limit ends a decoder that hangs. */
TEST(hang)
{
    static const char hang[] = "mattebox-test:hang";
    serving other;
    REQUIRE(serving_start(&other, "--model saliency --timeout 1", true));
    const part file = {"file", "a", hang, sizeof hang - 1};
    serving_post(&other, &r, "/v1/trimap", NULL, &file, 1);
    CHECK_EQ(r.status, 504);
    const part good = {"file", "a", photo, photo_bytes};
    reply_dispose(&r);
    serving_post(&other, &r, "/v1/trimap", NULL, &good, 1);
    CHECK_EQ(r.status, 200);
    CHECK_EQ(serving_stop(&other), 0);
}

/* Killed from outside while they have nothing to do: nothing is lost. While they decode: that request. */
TEST(killed)
{
    for (int i = 0; i < 8; i++) {
        is_served();
        process_run(&p, /* and wait until they are gone, the last of their threads too */
                    "for n in $(pgrep -P %d); do kill -9 $n; while ! grep -q ') Z' /proc/$n/stat || "
                    "[ \"$(ls /proc/$n/task | wc -l)\" -gt 1 ]; do sleep 0.01; done; done; sleep 0.1",
                    s.pid);
        is_served();
        is_served();
    }
    static const char hang[] = "mattebox-test:hang";
    int fd = start_decoding(&s, hang, sizeof hang - 1, "to-be-killed");
    process_run(&p,
                "sleep 0.1; all=$(pgrep -P %d); kill -9 $all; for n in $all; do while [ -e /proc/$n ] && "
                "! grep -q ') Z' /proc/$n/stat; do sleep 0.01; done; done 2>/dev/null",
                s.pid);
    reply_dispose(&r);
    serving_receive(fd, &r);
    CHECK_EQ(r.status, 422);
    (void)close(fd);
    is_served();
    CHECK(serving_is_alive(&s));
}

/* Killed between the question and its reading: another one is asked. Both stop, so that whichever is asked cannot read. */
TEST(killed_before_it_reads)
{
    serving other;
    REQUIRE(serving_start(&other, "--model saliency", true));
    process_run(&p,
                "for i in $(seq 500); do [ $(pgrep -P %d -r S | wc -l) = 2 ] && break; sleep 0.02; done; sleep 0.1; "
                "pkill -STOP -P %d; "
                "for i in $(seq 500); do [ $(pgrep -P %d -r T | wc -l) = 2 ] && exit; sleep 0.02; done; exit 1",
                other.pid, other.pid, other.pid);
    CHECK_EQ(p.code, 0);
    int fd = start_decoding(&other, photo, photo_bytes, "unread");
    process_run(&p, "sleep 0.1; for n in $(pgrep -P %d); do kill -9 $n; done", other.pid);
    reply_dispose(&r);
    serving_receive(fd, &r);
    CHECK_MSG(r.status == 200, "%d: %s", r.status, r.body != NULL ? r.body : "");
    (void)close(fd);
    CHECK_EQ(serving_stop(&other), 0);
}

/* The same picture, in the process and in the server itself. */
TEST(same_bytes)
{
    serving other;
    REQUIRE(serving_start(&other, "--model saliency --sandbox off", true));
    process_run(&p, "pgrep -P %d", other.pid);
    CHECK_MSG(p.out[0] == '\0', "it has processes: %s", p.out);
    const part file = {"file", "a", photo, photo_bytes};
    is_served();
    char *first = r.body;
    size_t n = r.bytes;
    r.body = NULL;
    serving_post(&other, &r, "/v1/trimap", NULL, &file, 1);
    CHECK(r.status == 200 && r.bytes == n && memcmp(r.body, first, n) == 0);
    free(first);
    CHECK_EQ(serving_stop(&other), 0);
    CHECK(decoders()[0] != '\0');
}

/* Every format that this build reads works behind the filter, also those whose libraries are opened at run time. */
TEST(formats)
{
    static const char *const files[] = {"docs/pictures/astronaut.jpg", "tests/data/pictures/jxl/photo.jxl",
                                        "tests/data/pictures/heif/two.heic", "tests/data/pictures/profiles/cmyk.tif"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t n = 0;
        char path[4200];
        (void)snprintf(path, sizeof path, "%s/%s", MB_SOURCE_DIR, files[i]);
        process_run(&p, "mattebox %s --model saliency -q -f -o out.png", path);
        int is_read = p.code == 0; /* the libraries are optional */
        char *data = file_read(path, &n);
        const part file = {"file", "a", data, n};
        reply_dispose(&r);
        serving_post(&s, &r, "/v1/photos", NULL, &file, 1);
        CHECK_MSG((r.status == 201) == is_read, "%s: %d: %s", path, r.status, r.body != NULL ? r.body : "");
        free(data);
    }
}

/* What comes and goes leaves nothing: descriptors and memory stay. */
TEST(flat)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const int n = 10;
#else
    const int n = 50;
#endif
    for (int i = 0; i < n; i++) {
        is_served();
    }
    char before[200], after[200];
    long kib = serving_resident_kib(&s);
    process_run(&p, "ls /proc/%d/fd | wc -l", s.pid);
    (void)snprintf(before, sizeof before, "%.100s", p.out);
    for (int i = 0; i < 2 * n; i++) {
        if (i % 2 == 0) {
            is_served();
        } else {
            post(photo, photo_bytes / 3);
            CHECK_EQ(r.status, 422);
        }
    }
    process_run(&p, "ls /proc/%d/fd | wc -l", s.pid);
    (void)snprintf(after, sizeof after, "%.100s", p.out);
    CHECK_STR(after, before);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK_LT(serving_resident_kib(&s) - kib, 4096);
#else
    (void)kib;
#endif
}
