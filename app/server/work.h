/* One piece of work on its way: from a request's form to the bytes of its answer. It belongs to its request; the threads
 * borrow it, one at a time. What others may look at meanwhile is atomic. */
#ifndef SERVER_WORK_H
#define SERVER_WORK_H

#include "../batch.h"
#include "../commands.h"
#include "../message.h"
#include "decoder.h"
#include "form.h"
#include "server.h"

#define WORK_ID_BYTES    72
#define WORK_MODEL_BYTES 80

typedef enum work_kind {
    WORK_CUT,     /* photo -> mask -> cut-out */
    WORK_MATTE,   /* photo and the caller's mask or trimap -> cut-out */
    WORK_TRIMAP,  /* mask -> trimap */
    WORK_PHOTO,   /* photo -> kept photo */
    WORK_SHOW,    /* kept photo -> JPEG */
    WORK_ESTIMATE /* sizes -> what a cut would take */
} work_kind;

typedef enum want { WANT_CUTOUT, WANT_MASK, WANT_TRIMAP, WANT_COMPOSITE, WANT_RAW_MASK, WANT_ZIP } want;

typedef enum work_state { WORK_QUEUED, WORK_DECODING, WORK_WAITING, WORK_RUNNING, WORK_ENCODING, WORK_DONE } work_state;
const char *work_state_name(int state);

/* Why work is cancelled. */
typedef enum work_end { WORK_CANCELLED = 1 /* by DELETE */, WORK_LEFT /* by its client, which is gone */ } work_end;

/* The options of /api/remove that have no twin of ours. */
typedef struct rembg_options {
    int on;      /* the mask goes through what follows */
    int matting; /* a or vm: a trimap of these thresholds is made and solved */
    int above, below, erode;
    int smooth; /* ppm */
} rembg_options;

/* What answers a request. */
typedef struct answer {
    int status; /* HTTP */
    char type[48];
    void *body; /* NULL: an error's message */
    size_t bytes;
    void (*free_body)(void *);
    char code[24];                 /* one word for programs: "too_large" */
    char message[700], hint[1024]; /* of an error */
} answer;

struct photo; /* photos.h */

typedef struct work {
    struct work *next;
    work_kind kind;
    want want;
    char id[WORK_ID_BYTES];
    void *request; /* of the main thread */
    int counted;   /* it has one of the places of the queue */
    server *s;

    /* ---- input */
    form *form; /* borrowed from the request, which waits */
    args a;     /* texts borrowed from the form */
    mb_options options;
    message_capture said; /* warnings about options */
    char model[WORK_MODEL_BYTES], matting[WORK_MODEL_BYTES];
    int builtin_default, saliency;
    rembg_options rembg;
    void *settings;      /* the JSON that texts of `a` may point into */
    struct photo *kept;  /* one reference */
    int width, height;   /* WORK_ESTIMATE */
    double wait_seconds; /* likewise: what the queue takes */

    /* ---- seen by other threads */
    _Atomic int state, permille, given_up;
    _Atomic int cancelled; /* a work_end, 0: no */
    _Atomic(const char *) stage;
    double deadline_ms, queued_ms, started_ms, done_ms; /* clock_ms() */
    double ms_receive, ms_decode, ms_wait, ms_encode, ms_network, ms_refine, ms_compose;
    double ms_run; /* network, refine, compose, and what the library does between them */

    /* ---- pictures */
    job j;                     /* photo, result, metadata, warnings */
    batch b;                   /* for functions of the program that want one */
    decoded photo, background; /* own what j.photo and a.background_picture show */
    mb_image mask, trimap, hints;
    int mask_was_kept; /* no network ran */
    double confidence; /* of the mask; -1: not known */
    int doubtful;
    char network[WORK_MODEL_BYTES]; /* what ran, for the header */

    char info[1800]; /* JSON about the result, for a header; "": none */
    answer out;
} work;

work *work_create(server *s, work_kind kind);
void work_dispose(work *w);
/* An error as the answer; the first one stays. */
void work_fail(work *w, int status, const char *code, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same from an error of the library; `status` 0: what belongs to err->code. */
void work_fail_with(work *w, int status, const mb_error *err);
int work_failed(const work *w);
/* Of the milliseconds of the run, those that are no stage of the library; at least 0, whatever the clocks say. */
double work_other_ms(const work *w);
/* Of the milliseconds since the whole request was here, those that are neither a stage's nor waiting: what the server adds. */
double work_overhead_ms(const work *w, double total_ms);
/* Should it stop? Cancelled, too late, or the server ends. */
int work_stops(work *w);
/* The answer of work that was stopped. */
void work_fail_stopped(work *w);

#endif
