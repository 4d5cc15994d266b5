/* `mattebox decode-worker`: one picture after the other, until the server closes the socket. */
#include "decode_protocol.h"

#include "../commands.h"

#include "core/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BASE_BYTES ((size_t)512 << 20) /* program, libraries, stack, the mapped file */

size_t decode_row_bytes(int width, int pixels, int depth)
{
    static const size_t channels[] = {1, 3, 3, 4, 4};
    if (pixels < MB_PIXELS_GRAY || pixels > MB_PIXELS_BGRA || (depth != MB_DEPTH_U8 && depth != MB_DEPTH_U16) ||
        width < 1) {
        return 0;
    }
    return (size_t)width * channels[pixels] * (depth == MB_DEPTH_U16 ? 2 : 1);
}

/* A packet and the descriptor that comes with it, -1: none. 0: the server is gone. */
static int receive(void *to, size_t bytes, int *fd)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec data = {.iov_base = to, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    *fd = -1;
    do {
        n = recvmsg(DECODE_SOCKET, &m, 0);
    } while (n < 0 && errno == EINTR);
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    }
    return n == (ssize_t)bytes;
}

static int reply_with(const void *from, size_t bytes)
{
    return send(DECODE_SOCKET, from, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

/* What a test's file asks for, so that tests can see what becomes of a broken decoder, and that a taken-over one can do
 * nothing. Only with MATTEBOX_TEST_DECODER in the server's environment. */
static void obey_test(const char *bytes, size_t n, decode_reply *r)
{
    mb_error *err = &r->err;
    static const char mark[] = "mattebox-test:";
    if (getenv("MATTEBOX_TEST_DECODER") == NULL || n < sizeof mark + 3 || memcmp(bytes, mark, sizeof mark - 1) != 0) {
        return;
    }
    const char *what = bytes + sizeof mark - 1;
    if (strncmp(what, "crash", 4) == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        volatile uintptr_t nowhere = 8;
        *(volatile int *)nowhere = 1;
    }
    while (strncmp(what, "hang", 4) == 0) {
        (void)*(const volatile char *)what;
    }
    if (strncmp(what, "tired", 5) == 0) {
        r->cpu_s = DECODE_CPU_S - 1;
    }
    int opened = open("/etc/passwd", O_RDONLY), connected = socket(AF_INET, SOCK_STREAM, 0);
    char *const nothing[] = {NULL};
    int ran = execve("/bin/true", nothing, nothing), killed = kill(getppid(), 0), forked = fork();
    if (forked == 0) {
        _exit(0);
    }
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    err->code = MB_E_FORMAT;
    (void)snprintf(err->message, sizeof err->message,
                   "open %d, socket %d, execve %d, fork %d, kill %d, executable memory %d", opened >= 0, connected >= 0,
                   ran >= 0, forked >= 0, killed >= 0, code != MAP_FAILED);
}

static void fill_reply(decode_reply *r, const mb_image *image, const mb_metadata *m)
{
    r->width = image->width;
    r->height = image->height;
    r->pixels = (int32_t)image->pixels;
    r->depth = (int32_t)image->depth;
    r->icc_bytes = m->icc_bytes <= MAX_ICC_BYTES ? (uint32_t)m->icc_bytes : 0;
    r->exif_bytes = m->exif_bytes <= MAX_EXIF_BYTES ? (uint32_t)m->exif_bytes : 0;
    r->dpi_x = m->dpi_x;
    r->dpi_y = m->dpi_y;
    memcpy(r->note, m->note, sizeof r->note);
}

static int write_all(int fd, const void *data, size_t bytes)
{
    const char *from = data;
    while (bytes > 0) {
        ssize_t n = write(fd, from, bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return 0;
        }
        from += n;
        bytes -= (size_t)n;
    }
    return 1;
}

/* Pixels without gaps, then the profile, then EXIF. Written, not mapped: whole pages are neither zeroed nor faulted in
 * first, which halves the time of a large picture; and the server can seal the memory, which needs that no one has it
 * mapped to write. */
static int fill_room(int fd, size_t bytes, const mb_image *image, const mb_metadata *m, const decode_reply *r)
{
    const size_t row = decode_row_bytes(image->width, (int)image->pixels, (int)image->depth);
    const size_t from_row = image->row_bytes != 0 ? image->row_bytes : row;
    const size_t pixels = row * (size_t)image->height;
    if (pixels + r->icc_bytes + r->exif_bytes != bytes) {
        return 0;
    }
    int ok = 1;
    if (from_row == row) {
        ok = write_all(fd, image->data, pixels);
    } else {
        for (size_t y = 0; ok && y < (size_t)image->height; y++) {
            ok = write_all(fd, (const char *)image->data + y * from_row, row);
        }
    }
    return ok && write_all(fd, m->icc, r->icc_bytes) && write_all(fd, m->exif, r->exif_bytes);
}

static double cpu_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One picture; 0: the server is gone, or the two do not understand each other. */
static int serve_one(const decode_request *q, int file)
{
    mb_load_options o;
    mb_metadata metadata;
    mb_image image = {0};
    decode_reply r = {.magic = DECODE_MAGIC, .source = {.size = sizeof r.source}};
    char *bytes = mmap(NULL, q->file_bytes, PROT_READ, MAP_SHARED, file, 0);
    (void)close(file);
    mb_load_options_init(&o);
    mb_metadata_init(&metadata);
    o.max_megapixels = q->max_megapixels;
    o.max_memory = (size_t)q->max_memory;
    o.keep_alpha = q->keep_alpha;
    o.keep_depth = q->keep_depth;
    o.accept_partial = q->accept_partial;
    o.metadata = &metadata;
    if (bytes == MAP_FAILED) {
        r.err.code = MB_E_MEMORY;
        (void)snprintf(r.err.message, sizeof r.err.message, "out of memory for the file");
    } else {
        obey_test(bytes, q->file_bytes, &r);
        if (r.err.code == MB_OK && mb_image_load_memory(&image, &r.source, bytes, q->file_bytes, &o, &r.err) == MB_OK) {
            fill_reply(&r, &image, &metadata);
        }
        (void)munmap(bytes, q->file_bytes);
    }
    r.status = (int32_t)r.err.code;
    r.cpu_s += cpu_seconds();
    int ok = reply_with(&r, sizeof r);
    if (ok && r.status == MB_OK) {
        decode_room room = {0};
        int fd;
        ok = receive(&room, sizeof room, &fd) && room.magic == DECODE_MAGIC;
        if (ok && fd >= 0) { /* none: the server does not want it */
            const decode_room filled = {.magic = DECODE_MAGIC,
                                        .bytes = fill_room(fd, room.bytes, &image, &metadata, &r) ? room.bytes : 0};
            (void)close(fd);
            ok = reply_with(&filled, sizeof filled);
        }
    }
    mb_image_dispose(&image);
    mb_metadata_dispose(&metadata);
    return ok;
}

int decode_worker_main(const char *megapixels)
{
    mb_os_keep_memory(64 << 20); /* the next picture finds its pages there */
    double area = 1e6 * strtod(megapixels, NULL);
    size_t bytes = BASE_BYTES + (size_t)(24.0 * (area > 0.0 ? area : 0.0)); /* decoding, its result, and room for it */
    char info[4096];
    mb_build_info(info, sizeof info); /* opens the libraries that are opened at run time: later is too late */
    if (getenv("MATTEBOX_TEST_DECODER") != NULL && access("no-decoder-now", F_OK) == 0) {
        _exit(1); /* as if there were no memory for it */
    }
    const decode_hello hello = {.magic = DECODE_MAGIC, .is_filtered = sandbox_enter(bytes)};
    int go_on = reply_with(&hello, sizeof hello);
    while (go_on) {
        decode_request q = {0};
        int file;
        go_on = receive(&q, sizeof q, &file) && q.magic == DECODE_MAGIC && file >= 0 && serve_one(&q, file);
    }
    _exit(0);
}
