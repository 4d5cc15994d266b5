#define _GNU_SOURCE /* recursive mutexes */
#include "streams.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

typedef enum kind { DO, RECORD, WAIT } kind;
typedef struct task {
    struct task *next;
    kind kind;
    mb_standin_work *work, *drop;
    void *argument;
    struct CUevent_st *event;
    unsigned turn; /* which record of the event */
} task;
struct CUgraph_st {
    task *first, **last;
    int users; /* the graph, what was instantiated from it, launches in queues */
};
struct CUstream_st {
    struct CUstream_st *next;
    struct CUgraph_st *captured; /* not NULL: work is recorded */
    task *first, **last;
};
struct CUevent_st {
    struct CUstream_st *stream; /* of the last record */
    unsigned recorded, done;
    bool measures;
    double at; /* of the clock, when it was recorded last */
};

static struct CUstream_st *streams;
static int lazy, n_recorded;
static double now_ms;
static bool measuring; /* work is only counted */
static char trace[4096];
static size_t traced;
static pthread_mutex_t lock;
static pthread_once_t lock_made = PTHREAD_ONCE_INIT;

static void make_lock(void)
{
    pthread_mutexattr_t recursive;
    (void)pthread_mutexattr_init(&recursive);
    (void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&lock, &recursive);
}
static void enter(void)
{
    (void)pthread_once(&lock_made, make_lock);
    (void)pthread_mutex_lock(&lock);
}
static void leave(void)
{
    (void)pthread_mutex_unlock(&lock);
}

void standin_streams_start(int how)
{
    enter();
    lazy = how;
    n_recorded = 0;
    traced = 0;
    trace[0] = '\0';
    leave();
}

/* ---- queues ---- */
static void append(struct CUstream_st *s, task *t)
{
    *s->last = t;
    s->last = &t->next;
}

static void run_event(struct CUevent_st *e, unsigned turn);

/* The first task of the queue; false: there is none, or (if not to force) it waits for another stream. */
static bool step(struct CUstream_st *s, bool force)
{
    task *t = s->first;
    if (t == NULL || (t->kind == WAIT && !force && (int)(t->event->done - t->turn) < 0)) {
        return false;
    }
    if (t->kind == WAIT) {
        run_event(t->event, t->turn);
    }
    s->first = t->next;
    s->last = s->first == NULL ? &s->first : s->last;
    if (t->kind == DO) {
        t->work(t->argument);
        t->drop(t->argument);
    } else if (t->kind == RECORD) {
        t->event->done = t->turn;
    }
    free(t);
    return true;
}

/* All but one stream, as far as they come. */
static void run_ahead(const struct CUstream_st *but)
{
    for (bool any = lazy == 2; any;) {
        any = false;
        for (struct CUstream_st *s = streams; s != NULL; s = s->next) {
            while (s != but && step(s, false)) {
                any = true;
            }
        }
    }
}

static void run_event(struct CUevent_st *e, unsigned turn)
{
    while ((int)(e->done - turn) < 0 && step(e->stream, true)) {
    }
}

static void run_stream(struct CUstream_st *s)
{
    while (step(s, true)) {
    }
}

void standin_streams_finish(void)
{
    enter();
    for (struct CUstream_st *s = streams; s != NULL; s = s->next) {
        run_stream(s);
    }
    leave();
}

/* ---- streams, events ---- */
struct CUstream_st *standin_stream_new(void)
{
    struct CUstream_st *s = calloc(1, sizeof *s);
    enter();
    if (s != NULL) {
        s->last = &s->first;
        s->next = streams;
        streams = s;
    }
    leave();
    return s;
}

void standin_stream_free(struct CUstream_st *s)
{
    enter();
    run_stream(s);
    struct CUstream_st **at = &streams;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    leave();
    free(s);
}

mb_cu_result standin_stream_wait(struct CUstream_st *s)
{
    mb_cu_result r = 900; /* CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED */
    enter();
    if (s->captured == NULL) {
        run_ahead(s);
        run_stream(s);
        r = MB_CU_SUCCESS;
    }
    leave();
    return r;
}

static mb_cu_result mark(struct CUstream_st *s, kind k, struct CUevent_st *e)
{
    task *t = calloc(1, sizeof *t);
    if (t != NULL) {
        *t = (task){.kind = k, .event = e, .turn = e->recorded};
        append(s, t);
    }
    if (lazy == 0) {
        run_stream(s);
    }
    return t != NULL ? MB_CU_SUCCESS : MB_CU_OUT_OF_MEMORY;
}

mb_cu_result standin_stream_wait_event(struct CUstream_st *s, struct CUevent_st *e)
{
    enter();
    mb_cu_result r = e->recorded > 0 ? mark(s, WAIT, e) : MB_CU_SUCCESS;
    leave();
    return r;
}

struct CUevent_st *standin_event_new(bool measures)
{
    struct CUevent_st *e = calloc(1, sizeof(struct CUevent_st));
    if (e != NULL) {
        e->measures = measures;
    }
    return e;
}

void standin_event_free(struct CUevent_st *e)
{
    standin_streams_finish(); /* queues name it */
    enter();
    measuring = measuring && !e->measures;
    leave();
    free(e);
}

mb_cu_result standin_event_record(struct CUevent_st *e, struct CUstream_st *s)
{
    enter();
    e->stream = s;
    e->recorded++;
    e->at = now_ms;
    measuring = e->measures && !measuring;
    mb_cu_result r = mark(s, RECORD, e);
    leave();
    return r;
}

mb_cu_result standin_event_wait(struct CUevent_st *e)
{
    enter();
    if (e->recorded > 0) {
        run_ahead(e->stream);
        run_event(e, e->recorded);
    }
    leave();
    return MB_CU_SUCCESS;
}

float standin_event_between(const struct CUevent_st *from, const struct CUevent_st *to)
{
    return (float)(to->at - from->at);
}

void standin_clock_add(double ms)
{
    enter();
    now_ms += ms;
    leave();
}

/* ---- work, captured graphs ---- */
mb_cu_result standin_submit(mb_cu_stream s, mb_standin_work *work, void *argument, mb_standin_work *drop)
{
    task *t = calloc(1, sizeof *t);
    if (t == NULL) {
        drop(argument);
        return MB_CU_OUT_OF_MEMORY;
    }
    *t = (task){.kind = DO, .work = work, .drop = drop, .argument = argument};
    enter();
    if (s->captured != NULL) {
        *s->captured->last = t;
        s->captured->last = &t->next;
        n_recorded++;
    } else if (measuring) {
        drop(argument);
        free(t);
    } else {
        append(s, t);
        if (lazy == 0) {
            run_stream(s);
        }
    }
    leave();
    return MB_CU_SUCCESS;
}

EXPORT mb_cu_result mb_standin_submit(mb_cu_stream s, mb_standin_work *work, const void *argument, size_t bytes)
{
    void *copy = malloc(bytes);
    if (copy == NULL) {
        return MB_CU_OUT_OF_MEMORY;
    }
    memcpy(copy, argument, bytes);
    return standin_submit(s, work, copy, free);
}

mb_cu_result standin_capture_begin(struct CUstream_st *s)
{
    if (s->captured != NULL) {
        return 801; /* CUDA_ERROR_NOT_SUPPORTED */
    }
    s->captured = calloc(1, sizeof *s->captured);
    if (s->captured == NULL) {
        return MB_CU_OUT_OF_MEMORY;
    }
    s->captured->last = &s->captured->first;
    s->captured->users = 1;
    return MB_CU_SUCCESS;
}

struct CUgraph_st *standin_capture_end(struct CUstream_st *s)
{
    struct CUgraph_st *g = s->captured;
    s->captured = NULL;
    return g;
}

void standin_graph_use(struct CUgraph_st *g)
{
    enter();
    g->users++;
    leave();
}

void standin_graph_release(struct CUgraph_st *g)
{
    enter();
    bool last = --g->users == 0;
    leave();
    if (!last) {
        return;
    }
    for (task *t = g->first; t != NULL;) {
        task *next = t->next;
        t->drop(t->argument);
        free(t);
        t = next;
    }
    free(g);
}

static void replay(void *graph)
{
    struct CUgraph_st *g = graph;
    for (task *t = g->first; t != NULL; t = t->next) {
        t->work(t->argument);
    }
}
static void release(void *graph)
{
    standin_graph_release(graph);
}

mb_cu_result standin_graph_launch(struct CUgraph_st *g, struct CUstream_st *s)
{
    standin_graph_use(g);
    return standin_submit(s, replay, g, release);
}

/* ---- for the tests ---- */
void standin_trace(char what)
{
    enter();
    if (traced + 1 < sizeof trace) {
        trace[traced++] = what;
        trace[traced] = '\0';
    }
    leave();
}
EXPORT const char *mb_standin_trace(void)
{
    return trace;
}
EXPORT void mb_standin_trace_clear(void)
{
    enter();
    traced = 0;
    trace[0] = '\0';
    leave();
}
EXPORT int mb_standin_recorded(void)
{
    return n_recorded;
}
