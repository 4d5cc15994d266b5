/* The server's side of a decoder's process: starting, asking, believing nothing, and starting again. */
#include "decoder.h"
#include "decode_protocol.h"
#include "server.h"

#include "../batch.h"
#include "../message.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PICTURES_EACH 2000  /* then a new process takes over: what leaks in a library ends with it */
#define HELLO_MS      10000 /* a machine may be busy */
#define SLICE_MS      20    /* between two looks at whether to go on */

struct decoder {
    decoder_options options;
    pid_t pid; /* 0: none runs */
    int socket;
    int pictures;
    double cpu_s; /* as it says */
    int is_filtered;
    int gave_up; /* no process can be had here at all: pictures are decoded in the server */
};

static atomic_ulong restarts;
static atomic_int has_run; /* one has answered: whatever keeps the next from starting will pass */
extern char **environ;

unsigned long decoder_restarts(void)
{
    return atomic_load(&restarts);
}

decoder *decoder_create(const decoder_options *options)
{
    decoder *d = calloc(1, sizeof *d);
    if (d != NULL) {
        d->options = *options;
        d->socket = -1;
    }
    return d;
}

/* kill_it: it did not end by itself, and shall not go on. */
static void end_process(decoder *d, int kill_it)
{
    if (d->pid > 0) {
        if (kill_it) {
            (void)kill(d->pid, SIGKILL);
        }
        (void)close(d->socket);
        while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    d->pid = 0;
    d->socket = -1;
}

void decoder_free(decoder *d)
{
    if (d != NULL) {
        end_process(d, 0);
        free(d);
    }
}

/* ---- packets */

static int send_packet(const decoder *d, const void *from, size_t bytes, int fd)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    union {
        const void *constant;
        void *base; /* sendmsg does not write to it */
    } source = {from};
    struct iovec data = {.iov_base = source.base, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(d->socket, &m, MSG_NOSIGNAL) == (ssize_t)bytes;
}

/* Waits for a packet of just that size, until the options say to stop. */
static decoder_fault await_packet(const decoder *d, void *to, size_t bytes, const decode_options *o)
{
    for (;;) {
        struct pollfd p = {.fd = d->socket, .events = POLLIN};
        int n = poll(&p, 1, SLICE_MS);
        if (n > 0) {
            return recv(d->socket, to, bytes, MSG_DONTWAIT) == (ssize_t)bytes ? DECODER_FINE : DECODER_CRASHED;
        }
        if (n < 0 && errno != EINTR) {
            return DECODER_CRASHED;
        }
        if (clock_ms() > o->deadline_ms || (o->cancel != NULL && o->cancel(o->user))) {
            return DECODER_LATE;
        }
    }
}

/* ---- starting */

/* The process has its end of the socket, /dev/null twice, and stderr. */
static int spawn(decoder *d, int end)
{
    posix_spawn_file_actions_t files;
    char megapixels[32];
    char name[] = "mattebox", work[] = "decode-worker";
    char *const argv[] = {name, work, megapixels, NULL};
    (void)snprintf(megapixels, sizeof megapixels, "%.6f", d->options.max_megapixels);
    if (posix_spawn_file_actions_init(&files) != 0) {
        return 0;
    }
    int ok = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
             posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
             posix_spawn_file_actions_adddup2(&files, end, DECODE_SOCKET) == 0 &&
             posix_spawn_file_actions_addclosefrom_np(&files, DECODE_SOCKET + 1) == 0 &&
             posix_spawn(&d->pid, "/proc/self/exe", &files, NULL, argv, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&files);
    return ok;
}

/* ABSENT: this system gives us no such process; LATE: it does, but not in time. */
static decoder_fault start_process(decoder *d)
{
    int ends[2];
    decode_hello hello = {0};
    const decode_options patience = {.deadline_ms = clock_ms() + HELLO_MS};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return DECODER_ABSENT;
    }
    int ok = spawn(d, ends[1]);
    (void)close(ends[1]);
    if (!ok) {
        (void)close(ends[0]);
        d->pid = 0;
        return DECODER_ABSENT;
    }
    d->socket = ends[0];
    d->pictures = 0;
    d->cpu_s = 0.0;
    decoder_fault fault = await_packet(d, &hello, sizeof hello, &patience);
    if (fault != DECODER_FINE || hello.magic != DECODE_MAGIC) {
        end_process(d, 1);
        return fault == DECODER_LATE ? DECODER_LATE : DECODER_ABSENT;
    }
    d->is_filtered = hello.is_filtered;
    atomic_store(&has_run, 1);
    return DECODER_FINE;
}

mb_status decoder_start(decoder *d, mb_error *err)
{
    if (d->options.sandbox == SANDBOX_OFF || d->pid > 0 || d->gave_up) {
        return MB_OK;
    }
    const decoder_fault fault = start_process(d);
    const int started = fault == DECODER_FINE;
    if (started && (d->is_filtered || d->options.sandbox == SANDBOX_AUTO)) {
        return MB_OK;
    }
    /* A busy machine must not cost the sandbox: only what has never worked is done without. */
    if (!started && (atomic_load(&has_run) || fault == DECODER_LATE)) {
        return own_error(err, MB_E_MEMORY, "no process for decoding could be started just now");
    }
    if (d->options.sandbox == SANDBOX_AUTO) {
        d->gave_up = 1;
        message_warning(NULL, "no process for decoding could be started: pictures are decoded in the server itself");
        return MB_OK;
    }
    end_process(d, 1);
    return own_error(err, MB_E_UNSUPPORTED, "--sandbox on: %s\n--sandbox auto goes on without",
                     started ? "this system cannot filter system calls" : "no process for decoding could be started");
}

const char *decoder_kind(const decoder *d)
{
    return d->pid <= 0 ? "none" : d->is_filtered ? "seccomp" : "process";
}

/* ---- reading */

static mb_status read_here(decoder *d, decoded *out, const upload *file, const decode_options *options, mb_error *err)
{
    mb_load_options o;
    mb_load_options_init(&o);
    o.max_megapixels = d->options.max_megapixels;
    o.max_memory = d->options.max_memory;
    o.keep_alpha = options->keep_alpha;
    o.keep_depth = options->keep_depth;
    o.accept_partial = options->accept_partial;
    o.cancel = options->cancel;
    o.user = options->user;
    o.metadata = &out->metadata;
    void *bytes = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, file->fd, 0);
    if (bytes == MAP_FAILED) {
        return own_error(err, MB_E_MEMORY, "out of memory");
    }
    mb_status status = mb_image_load_memory(&out->image, &out->source, bytes, file->bytes, &o, err);
    (void)munmap(bytes, file->bytes);
    return status;
}

/* Texts of the other side: ended, and without what could steer a terminal or a client. */
static void clean_text(char *text, size_t bytes)
{
    text[bytes - 1] = '\0';
    for (char *c = text; *c != '\0'; c++) {
        *c = (unsigned char)*c < 32 && *c != '\n' ? '?' : *c;
    }
}

/* Is everything that the reply says possible? Then *bytes is what the picture takes. */
static int check_reply(const decoder *d, decode_reply *r, size_t *bytes)
{
    clean_text(r->err.message, sizeof r->err.message);
    clean_text(r->note, sizeof r->note);
    clean_text(r->source.format, sizeof r->source.format);
    clean_text(r->source.warning, sizeof r->source.warning);
    if (r->magic != DECODE_MAGIC || r->status > MB_OK || r->status < MB_E_INTERNAL) {
        return 0;
    }
    if (r->status != MB_OK) {
        return 1;
    }
    size_t row = decode_row_bytes(r->width, r->pixels, r->depth);
    double area = (double)r->width * (double)r->height;
    int fits = row > 0 && r->height > 0 && r->width <= 1 << 20 && r->height <= 1 << 20 &&
               area <= 1e6 * d->options.max_megapixels + 1.0 && r->icc_bytes <= MAX_ICC_BYTES &&
               r->exif_bytes <= MAX_EXIF_BYTES && isfinite(r->dpi_x) && isfinite(r->dpi_y) && r->dpi_x >= 0.0 &&
               r->dpi_y >= 0.0 && r->source.size == sizeof r->source && r->source.orientation >= 1 &&
               r->source.orientation <= 8;
    *bytes = fits ? row * (size_t)r->height + r->icc_bytes + r->exif_bytes : 0;
    return fits;
}

/* Memory for the picture, which the decoder can fill but neither shrink nor grow. */
static int make_room(size_t bytes)
{
    int fd = memfd_create("mattebox-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && (ftruncate(fd, (off_t)bytes) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void take_over(decoded *out, const decode_reply *r, char *map, size_t bytes)
{
    const size_t row = decode_row_bytes(r->width, r->pixels, r->depth), pixels = row * (size_t)r->height;
    out->map = map;
    out->map_bytes = bytes;
    out->image = (mb_image){.data = map,
                            .width = r->width,
                            .height = r->height,
                            .row_bytes = row,
                            .pixels = (mb_pixels)r->pixels,
                            .depth = (mb_depth)r->depth};
    out->source = r->source;
    mb_metadata *m = &out->metadata;
    m->icc = r->icc_bytes > 0 ? map + pixels : NULL;
    m->icc_bytes = r->icc_bytes;
    m->exif = r->exif_bytes > 0 ? map + pixels + r->icc_bytes : NULL;
    m->exif_bytes = r->exif_bytes;
    m->dpi_x = r->dpi_x;
    m->dpi_y = r->dpi_y;
    memcpy(m->note, r->note, sizeof m->note);
}

/* From a good reply to a picture. The last seal can be set only when nobody can write any more: then what is checked is
 * what is used. */
static decoder_fault fetch(decoder *d, decoded *out, const decode_reply *r, size_t bytes, const decode_options *o,
                           mb_error *err)
{
    const decode_room room = {.magic = DECODE_MAGIC, .bytes = bytes};
    decode_room filled = {0};
    int fd = make_room(bytes);
    if (fd < 0) {
        (void)own_error(err, MB_E_MEMORY, "out of memory");
        return send_packet(d, &room, sizeof room, -1) ? DECODER_FINE : DECODER_CRASHED;
    }
    decoder_fault fault =
        send_packet(d, &room, sizeof room, fd) ? await_packet(d, &filled, sizeof filled, o) : DECODER_CRASHED;
    if (fault == DECODER_FINE && (filled.magic != DECODE_MAGIC || filled.bytes != bytes ||
                                  fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0)) {
        fault = DECODER_CRASHED;
    }
    if (fault == DECODER_FINE) {
        char *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (map == MAP_FAILED) {
            (void)own_error(err, MB_E_MEMORY, "out of memory");
        } else {
            take_over(out, r, map, bytes);
        }
    }
    (void)close(fd);
    return fault;
}

/* 0: the process ended without having read the question, which is no fault of the file. Linux says so: reading from a socket
 * whose other end was closed with something unread in it fails with ECONNRESET, else the end of the stream is read. */
static int ask(const decoder *d, const decode_request *q, const upload *file, const decode_options *o, decode_reply *r,
               decoder_fault *fault)
{
    if (!send_packet(d, q, sizeof *q, file->fd)) {
        return 0;
    }
    errno = 0;
    *fault = await_packet(d, r, sizeof *r, o);
    return *fault != DECODER_CRASHED || errno != ECONNRESET;
}

static decoder_fault read_there(decoder *d, decoded *out, const upload *file, const decode_options *o, mb_error *err)
{
    const decode_request q = {.magic = DECODE_MAGIC,
                              .keep_depth = o->keep_depth,
                              .keep_alpha = o->keep_alpha,
                              .accept_partial = o->accept_partial,
                              .file_bytes = file->bytes,
                              .max_megapixels = d->options.max_megapixels,
                              .max_memory = d->options.max_memory > 0 ? d->options.max_memory : UINT64_MAX};
    decode_reply r;
    size_t bytes = 0;
    decoder_fault fault = DECODER_CRASHED;
    if (!ask(d, &q, file, o, &r, &fault)) {
        end_process(d, 1);
        (void)atomic_fetch_add(&restarts, 1);
        if (start_process(d) != DECODER_FINE || (!d->is_filtered && d->options.sandbox == SANDBOX_ON) ||
            !ask(d, &q, file, o, &r, &fault)) {
            return DECODER_ABSENT;
        }
    }
    if (fault == DECODER_FINE && !check_reply(d, &r, &bytes)) {
        fault = DECODER_CRASHED;
    }
    if (fault != DECODER_FINE) {
        return fault;
    }
    d->cpu_s = r.cpu_s;
    if (r.status != MB_OK) {
        *err = (mb_error){.code = (mb_status)r.status};
        memcpy(err->message, r.err.message, sizeof err->message);
        return DECODER_FINE;
    }
    return fetch(d, out, &r, bytes, o, err);
}

mb_status decoder_read(decoder *d, decoded *out, decoder_fault *fault, const upload *file,
                       const decode_options *options, mb_error *err)
{
    *fault = DECODER_FINE;
    *out = (decoded){.source = {.size = sizeof out->source}};
    mb_metadata_init(&out->metadata);
    mb_status status = decoder_start(d, err);
    *fault = status == MB_OK ? DECODER_FINE : DECODER_ABSENT;
    if (status == MB_OK && d->pid <= 0) {
        status = read_here(d, out, file, options, err);
    } else if (status == MB_OK) {
        *fault = read_there(d, out, file, options, err);
        if (*fault != DECODER_FINE) {
            end_process(d, 1);
            (void)atomic_fetch_add(&restarts, 1);
            status = own_error(err, *fault == DECODER_LATE ? MB_E_CANCELLED : MB_E_FORMAT, "its decoder failed");
        } else {
            status = err->code;
        }
        /* With half of its time left: the system would end it in the middle of a picture. */
        if (d->pid > 0 && (++d->pictures >= PICTURES_EACH || d->cpu_s > 0.5 * DECODE_CPU_S)) {
            end_process(d, 0);
        }
    }
    if (status != MB_OK) {
        decoded_dispose(out);
    }
    return status;
}

void decoded_dispose(decoded *p)
{
    if (p->map != NULL) {
        (void)munmap(p->map, p->map_bytes);
    } else {
        mb_image_dispose(&p->image);
        mb_metadata_dispose(&p->metadata);
    }
    *p = (decoded){0};
}
