/* mattebox frames: raw frames on stdin, cut-outs as raw frames on stdout, for the middle of a pipe of ffmpeg.
 *
 * A reader and a writer thread beside the caller, who computes, over a ring of slots: ffmpeg decodes and encodes while
 * a frame is computed, and with a GPU the next frame is started before the one in hand is finished. Both threads wait
 * in poll() with a time limit, so that an error in one place ends the others, whatever the pipes do. */
#include "commands.h"
#include "message.h"
#include "raw_frames.h"
#include "session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS    5 /* frames in memory: one read, one waiting, one started, one computed, one written */
#define MAX_LINE 1024

typedef struct slot {
    unsigned char *in, *out;
    mb_image photo;
    mb_pending *pending;
} slot;

typedef struct stream {
    const args *a;
    frame_format format;
    slot slots[SLOTS];
    unsigned char head[10]; /* what was read to see the format, raw frames begin with it */
    size_t n_head;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long n_read, n_computed, n_written; /* frames through each stage */
    int ended;                          /* no frame follows n_read */
    atomic_int stop;                    /* an error: everybody ends */
    int code;                           /* of the first error, CODE_OK without one */
    int reader_gone;                    /* EPIPE */
    double started_ms;
    long n_empty; /* frames without foreground */
} stream;

/* ---- bytes */

/* Reads n bytes; how many there were before the end, or -1 after an error or a stop. */
static ssize_t read_bytes(const stream *s, unsigned char *dst, size_t n)
{
    size_t at = 0;
    while (at < n) {
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        int ready = poll(&p, 1, 200);
        if (s->stop || interrupted()) {
            return -1;
        }
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            continue;
        }
        ssize_t got = read(STDIN_FILENO, dst + at, n - at);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return -1;
        }
        at += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)at;
}

/* Writes all of it, in pieces that a pipe takes at once. 0, or the errno; ECANCELED after a stop. */
static int write_bytes(const stream *s, const unsigned char *src, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
        int ready = poll(&p, 1, 200);
        if (s->stop || interrupted()) {
            return ECANCELED;
        }
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            continue;
        }
        ssize_t put = write(STDOUT_FILENO, src + at, n - at < PIPE_BUF ? n - at : PIPE_BUF);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return errno;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

/* A line without its line feed. 1; 0: the stream ended before it began; -1: no line, or a stop. */
static int read_line(const stream *s, char *line, size_t at)
{
    for (;; at++) {
        unsigned char c;
        ssize_t got = read_bytes(s, &c, 1);
        if (got != 1 || at + 1 >= MAX_LINE || c == '\0') {
            return got == 0 && at == 0 ? 0 : -1;
        }
        line[at] = c == '\n' ? '\0' : (char)c;
        if (c == '\n') {
            return 1;
        }
    }
}

/* ---- stages */

/* The first error counts; every stage ends. */
static void stop_all(stream *s, int code)
{
    (void)pthread_mutex_lock(&s->lock);
    s->code = s->code == CODE_OK ? code : s->code;
    s->stop = 1;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

/* Waits until *counter > beyond. 0: that will not be, since the frames ended or something failed. */
static int wait_beyond(stream *s, const long *counter, long beyond)
{
    (void)pthread_mutex_lock(&s->lock);
    while (*counter <= beyond && !s->stop && !(s->ended && beyond >= s->n_read)) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    int there = *counter > beyond && !s->stop;
    (void)pthread_mutex_unlock(&s->lock);
    return there;
}

static void advance(stream *s, long *counter)
{
    (void)pthread_mutex_lock(&s->lock);
    ++*counter;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

/* A frame that is cut short, after all whole ones have been handed on. */
static int broken_end(const stream *s, size_t got)
{
    return message_error(CODE_SOME, "the frames before it are written; was the size right, or the sender stopped?",
                         "stdin ended inside frame %ld: %zu of %zu bytes", s->n_read + 1, got, s->format.bytes);
}

/* One frame's bytes. 1: whole; 0: the stream ended; -1: *code says why. */
static int read_frame(stream *s, unsigned char *dst, int *code)
{
    char line[MAX_LINE];
    *code = CODE_OK;
    if (s->format.is_yuv) {
        int got = read_line(s, line, 0);
        if (got == 0) {
            return 0;
        }
        if (got < 0 || (strcmp(line, "FRAME") != 0 && strncmp(line, "FRAME ", 6) != 0)) {
            *code = s->stop || interrupted() ? CODE_INTERRUPTED
                                             : message_error(CODE_SOME, "the frames before it are written",
                                                             "stdin: no frame begins after frame %ld", s->n_read);
            return -1;
        }
    }
    size_t at = s->n_head < s->format.bytes ? s->n_head : s->format.bytes;
    memcpy(dst, s->head, at);
    memmove(s->head, s->head + at, s->n_head - at);
    s->n_head -= at;
    ssize_t got = read_bytes(s, dst + at, s->format.bytes - at);
    if (got < 0) {
        *code = s->stop || interrupted() ? CODE_INTERRUPTED : message_error(CODE_SOME, NULL, "stdin could not be read");
        return -1;
    }
    at += (size_t)got;
    if (at == s->format.bytes) {
        return 1;
    }
    if (at == 0 && !s->format.is_yuv) {
        return 0;
    }
    *code = broken_end(s, at);
    return -1;
}

/* The reader: frames become pictures here, too, beside the computing. */
static void *read_all(void *arg)
{
    stream *s = arg;
    int code = CODE_OK;
    for (long i = 0;; i++) {
        if (i >= SLOTS && !wait_beyond(s, &s->n_written, i - SLOTS)) {
            break;
        }
        slot *at = &s->slots[i % SLOTS];
        mb_error err = {0};
        if (read_frame(s, at->in, &code) != 1) {
            break;
        }
        if (frame_read(&at->photo, &s->format, at->in, &err) != MB_OK) {
            stop_all(s, message_status(CODE_MACHINE, NULL, &err));
            break;
        }
        advance(s, &s->n_read);
    }
    (void)pthread_mutex_lock(&s->lock);
    s->ended = 1;
    s->code = s->code == CODE_OK ? code : s->code; /* what was read before is still computed and written */
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void *write_all(void *arg)
{
    stream *s = arg;
    const size_t bytes = frame_out_bytes((raw_output)s->a->raw.out, &s->format);
    for (long i = 0; wait_beyond(s, &s->n_computed, i); i++) {
        int why = write_bytes(s, s->slots[i % SLOTS].out, bytes);
        if (why == EPIPE) { /* ffmpeg -t, head: whoever reads has enough */
            s->reader_gone = 1;
            stop_all(s, CODE_OUTPUT);
        } else if (why != 0) {
            stop_all(s, why == ECANCELED ? CODE_INTERRUPTED
                                         : message_error(CODE_OUTPUT, NULL, "standard output: %s", strerror(why)));
        }
        if (why != 0) {
            break;
        }
        advance(s, &s->n_written);
    }
    return NULL;
}

/* "frame 12  network 43 %  3.2 frames/s" */
static int on_progress(void *user, const mb_progress *p)
{
    const stream *s = user;
    if (message_has_terminal()) {
        char text[120];
        double seconds = (clock_ms() - s->started_ms) / 1e3;
        (void)snprintf(text, sizeof text, "frame %ld  %s %.0f %%  %.2f frames/s", s->n_computed + 1, p->stage,
                       100.0 * p->done, seconds > 0 ? ((double)s->n_computed + p->done) / seconds : 0.0);
        message_progress(text);
    }
    return interrupted() || s->stop;
}

/* Finishes a frame that was started. */
static int finish_frame(stream *s, slot *at)
{
    mb_error err = {0};
    mb_result *result = NULL;
    mb_status status = mb_pipeline_finish(&result, at->pending, &err);
    at->pending = NULL;
    mb_image_dispose(&at->photo);
    if (status == MB_OK) {
        status = frame_write(at->out, (raw_output)s->a->raw.out, &s->format, result, &err);
    }
    if (status == MB_OK) {
        s->n_empty += result->coverage < 0.0005;
        message_note("frame %ld  network %.0f, refine %.0f, compose %.0f ms", s->n_computed + 1, result->ms_network,
                     result->ms_refine, result->ms_compose);
        if (result->warning[0] != '\0' && s->n_computed == 0) {
            message_warning("frame 1", result->warning);
        }
    }
    mb_result_free(result);
    if (status == MB_OK) {
        return CODE_OK;
    }
    return status == MB_E_CANCELLED ? CODE_INTERRUPTED : message_status(code_of_status(status), NULL, &err);
}

/* Two frames in hand: the next is started before the one in hand is finished, if it has been read. */
static void compute_all(stream *s, mb_pipeline *pipeline)
{
    mb_error err = {0};
    long started = 0, done = 0;
    for (;;) {
        (void)pthread_mutex_lock(&s->lock);
        int ready = s->n_read > started;
        (void)pthread_mutex_unlock(&s->lock);
        if (ready || started == done) {
            if (!wait_beyond(s, &s->n_read, started)) {
                break;
            }
            slot *at = &s->slots[started % SLOTS];
            if (mb_pipeline_start(&at->pending, pipeline, &at->photo, &err) != MB_OK) {
                stop_all(s, message_status(code_of_status(err.code), NULL, &err));
                break;
            }
            started++;
            if (started - done < 2) {
                continue;
            }
        }
        int code = finish_frame(s, &s->slots[done % SLOTS]);
        if (code != CODE_OK) {
            stop_all(s, code);
            break;
        }
        done++;
        advance(s, &s->n_computed);
    }
    for (; done < started; done++) { /* after an error */
        mb_pending_free(s->slots[done % SLOTS].pending);
        s->slots[done % SLOTS].pending = NULL;
    }
}

/* ---- the command */

/* Looks at the first bytes: YUV4MPEG2 names its own size, everything else needs --size. */
static int open_stream(stream *s)
{
    static const char magic[] = "YUV4MPEG2 ";
    const args *a = s->a;
    mb_error err = {0};
    ssize_t got = read_bytes(s, s->head, sizeof s->head);
    if (got < 0 && interrupted()) {
        return CODE_INTERRUPTED;
    }
    if (got <= 0) {
        return message_error(CODE_USAGE, "ffmpeg -i IN -f yuv4mpegpipe - | mattebox frames | ffmpeg ...",
                             "no frames on stdin");
    }
    s->n_head = (size_t)got;
    if (s->n_head == sizeof magic - 1 && memcmp(s->head, magic, s->n_head) == 0) {
        char line[MAX_LINE];
        const char *warning;
        if (args_given(a, "size") || args_given(a, "pix")) {
            return message_error(CODE_USAGE, "leave out --size and --pix",
                                 "stdin is YUV4MPEG2, which names its own size");
        }
        memcpy(line, s->head, s->n_head);
        if (read_line(s, line, s->n_head) != 1) {
            return message_error(CODE_SOME, NULL, "stdin: the head of the YUV4MPEG2 stream is damaged");
        }
        s->n_head = 0;
        if (frame_format_yuv(&s->format, &warning, line, (yuv_matrix)a->raw.matrix, &err) != MB_OK) {
            return message_status(CODE_SOME, NULL, &err);
        }
        if (warning != NULL) {
            message_warning(NULL, warning);
        }
        return CODE_OK;
    }
    if (!args_given(a, "size")) {
        return message_error(CODE_USAGE, "--size WxH and --pix for raw frames; ffmpeg -f yuv4mpegpipe needs neither",
                             "stdin is not YUV4MPEG2, and the size of its frames is not known");
    }
    if (frame_format_raw(&s->format, a->raw.width, a->raw.height, (raw_pixels)a->raw.pix, &err) != MB_OK) {
        return message_status(CODE_USAGE, NULL, &err);
    }
    return CODE_OK;
}

static int check_usage(const args *a)
{
    if (a->n_paths > 1 || (a->n_paths == 1 && strcmp(a->paths[0], "-") != 0)) {
        return message_error(CODE_USAGE, "ffmpeg -i FILE -f yuv4mpegpipe - | mattebox frames | ffmpeg ...",
                             "frames reads stdin, not %s", a->paths[0]);
    }
    if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
        return message_error(CODE_USAGE, "ffmpeg -i FILE -f yuv4mpegpipe - | mattebox frames | ffmpeg ...",
                             "%s is a terminal: frames belong in pipes or files",
                             isatty(STDIN_FILENO) ? "stdin" : "stdout");
    }
    if (a->raw.out == OUT_RGB24 && !a->opaque) {
        return message_error(CODE_USAGE, "--background, or --out rgba", "--out rgb24 has no transparency");
    }
    if (a->device.index < 0) {
        return message_error(CODE_USAGE, "--device cuda:0, and a part of the video for each", "frames run on one GPU");
    }
    return CODE_OK;
}

/* All stages over the ring; returns the exit code. */
static int run_stream(stream *s, mb_pipeline *pipeline)
{
    pthread_t reader, writer;
    const size_t out_bytes = frame_out_bytes((raw_output)s->a->raw.out, &s->format);
    int memory = 1;
    for (int i = 0; i < SLOTS; i++) {
        s->slots[i].in = malloc(s->format.bytes);
        s->slots[i].out = malloc(out_bytes);
        memory = memory && s->slots[i].in != NULL && s->slots[i].out != NULL;
    }
    mb_pipeline_set_progress(pipeline, on_progress, s);
    if (!memory || pthread_create(&reader, NULL, read_all, s) != 0) {
        s->code = message_error(CODE_MACHINE, NULL, "out of memory for %d frames of %zu bytes", SLOTS, s->format.bytes);
    } else {
        if (pthread_create(&writer, NULL, write_all, s) != 0) {
            stop_all(s, message_error(CODE_MACHINE, NULL, "a thread could not be started"));
        } else {
            compute_all(s, pipeline);
            (void)pthread_join(writer, NULL);
        }
        (void)pthread_join(reader, NULL);
    }
    mb_pipeline_set_progress(pipeline, NULL, NULL);
    message_progress("");
    for (int i = 0; i < SLOTS; i++) {
        mb_image_dispose(&s->slots[i].photo);
        free(s->slots[i].in);
        free(s->slots[i].out);
    }
    return interrupted() ? CODE_INTERRUPTED : s->code;
}

int cmd_frames(args *a)
{
    session run = {0};
    stream s = {.a = a, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    int code = args_library_options(&run.options, a);
    code = code == CODE_OK ? check_usage(a) : code;
    if (code == CODE_OK) {
        (void)signal(SIGPIPE, SIG_IGN); /* a reader that has enough ends the run, not the process */
        run.options.want_cutout = frame_out_has_colours((raw_output)a->raw.out);
        run.options.depth = frame_out_depth((raw_output)a->raw.out);
        code = session_open(&run, a, 1);
    }
    code = code == CODE_OK ? open_stream(&s) : code;
    if (code == CODE_OK) {
        char size[32];
        s.started_ms = clock_ms();
        code = run_stream(&s, run.pipelines[0]);
        double seconds = (clock_ms() - s.started_ms) / 1e3;
        if (s.reader_gone) {
            message_note("whoever reads the frames has closed the pipe");
        }
        if (s.n_empty > 0) {
            char text[80];
            (void)snprintf(text, sizeof text, "no foreground found in %ld frame(s)", s.n_empty);
            message_warning(NULL, text);
        }
        message_closing("Processed %ld frame(s), %.1f s, %.2f frames/s, peak memory %s", s.n_written, seconds,
                        seconds > 0 ? (double)s.n_written / seconds : 0.0,
                        format_bytes(size, sizeof size, (double)peak_bytes()));
    }
    session_dispose(&run);
    return code;
}
