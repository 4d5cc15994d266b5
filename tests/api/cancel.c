/* Cancelling long refinements: the callback runs in the caller's thread only, its numbers never fall, and the call
 * returns soon after it said stop, wherever the work is. */
#define _POSIX_C_SOURCE 200809L
#include "harness/check.h"

#include <mattebox.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIDE    1400
#define THREADS 2

static unsigned char rgb[SIDE][SIDE][3], mask[SIDE][SIDE];

static double clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static double now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

typedef struct watcher {
    pthread_t owner;
    double stop_after_ms, started, said_stop, last, most_silence, last_call;
    double cpu_at_stop; /* of all threads */
    int calls, foreign, fell;
} watcher;

static int on_progress(void *user, const mb_progress *p)
{
    watcher *w = user;
    double now = now_ms();
    w->foreign += !pthread_equal(pthread_self(), w->owner);
    w->fell += p->done < w->last || p->done > 1.0;
    w->last = p->done;
    w->most_silence = now - w->last_call > w->most_silence ? now - w->last_call : w->most_silence;
    w->last_call = now;
    w->calls++;
    if (now - w->started >= w->stop_after_ms && w->said_stop == 0.0) {
        w->said_stop = now;
        w->cpu_at_stop = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    }
    return w->said_stop > 0.0;
}

/* A noisy picture and a soft disc: nearly everything is unknown with a wide band. */
static void make_pictures(void)
{
    unsigned state = 1;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            int dx = x - SIDE / 2, dy = y - SIDE / 2;
            mask[y][x] = dx * dx + dy * dy < SIDE * SIDE / 9 ? 255 : 0;
            for (int c = 0; c < 3; c++) {
                state = state * 1664525u + 1013904223u;
                rgb[y][x][c] = (unsigned char)(mask[y][x] / 3 + (state >> 25) + (unsigned)x / 16);
            }
        }
    }
}

/* False: it ended before that moment. */
static bool run(mb_pipeline *p, const char *name, double stop_after_ms)
{
    const mb_image photo = {.data = rgb, .width = SIDE, .height = SIDE, .pixels = MB_PIXELS_RGB};
    const mb_image given = {.data = mask, .width = SIDE, .height = SIDE, .pixels = MB_PIXELS_GRAY};
    watcher w = {.owner = pthread_self(), .stop_after_ms = stop_after_ms, .started = now_ms(), .last_call = now_ms()};
    mb_error err = {0};
    mb_result *r = NULL;
    mb_pipeline_set_progress(p, on_progress, &w);
    mb_status status = mb_pipeline_refine(&r, p, &photo, &given, NULL, &err);
    double end = now_ms(), late = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - w.cpu_at_stop;
    CHECK_MSG(w.foreign == 0 && w.fell == 0, "%s: %d calls of other threads, %d falls", name, w.foreign, w.fell);
    if (w.said_stop > 0.0) {
        CHECK_MSG(status == MB_E_CANCELLED && r == NULL, "%s: %s", name, err.message);
        /* 100 ms of both threads, by the processor's time: the machine may be busy with other things. */
        CHECK_MSG(late < THREADS * 100.0, "%s stopped at %.0f ms: %.0f ms of work later", name, stop_after_ms, late);
        (void)printf("%s: asked after %.0f ms, returned %.1f ms (%.1f of work) later, longest silence %.0f ms\n", name,
                     w.said_stop - w.started, end - w.said_stop, late, w.most_silence);
    } else {
        CHECK_MSG(status == MB_OK && w.last == 1.0, "%s: %s", name, err.message);
    }
    mb_result_free(r);
    return w.said_stop > 0.0;
}

static mb_context *context;

SETUP
{
    mb_context_options machine;
    mb_error err;
    mb_context_options_init(&machine);
    machine.device = MB_DEVICE_CPU;
    machine.threads = THREADS;
    make_pictures();
    REQUIRE_OK(mb_context_create(&context, &machine, &err), err);
}

static const struct {
    const char *name;
    mb_detail detail;
    mb_foreground foreground;
} methods[] = {{"pymatting", MB_DETAIL_PYMATTING, MB_FOREGROUND_NONE},
               {"guided", MB_DETAIL_GUIDED, MB_FOREGROUND_NONE},
               {"foreground ml", MB_DETAIL_NONE, MB_FOREGROUND_ML},
               {"foreground blurfusion", MB_DETAIL_NONE, MB_FOREGROUND_BLURFUSION}};

TEST_ROWS(stops_soon, methods)
{
    static const double moments[] = {0, 30, 100, 300, 700, 1500, 3000, 6000};
    mb_options o;
    mb_error err;
    mb_pipeline *p = NULL;
    mb_options_init(&o);
    o.detail = row->detail;
    o.foreground = row->foreground;
    o.erode = o.dilate = 255;
    REQUIRE_OK(mb_pipeline_create(&p, context, NULL, NULL, &o, &err), err);
    bool stopped = true;
    for (size_t k = 0; k < sizeof moments / sizeof moments[0] && stopped; k++) {
        stopped = run(p, row->name, moments[k]); /* later moments would only be whole runs again */
    }
    mb_pipeline_free(p);
}

TEARDOWN
{
    mb_context_free(context);
}
