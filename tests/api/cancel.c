/* Cancelling: the callback runs in the caller's thread only, what it is told never falls and moves in every stage, and the
 * call returns soon after it said stop, wherever the work is: in refinements and foreground estimates, and in every way
 * to find the subject with every detail after it. Times are processor time over the number of threads, so that other work
 * on the machine does not count. */
#define _POSIX_C_SOURCE 200809L
#include "harness/check.h"
#include "harness/models.h"

#include <mattebox.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 2
/* Sanitizers make all of it several times slower: there the limits only catch what hangs, and smaller pictures are stopped
 * in the same places. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 8.0
#define SIDE   320
#define SMALL  250 /* of the runs from a photo */
#define NET    128
#define STOPS  2
#else
#define SLOWER 1.0
#define SIDE   1400
#define SMALL  700
#define NET    256
#define STOPS  5
#endif
#define PROMISED_MS (50.0 * SLOWER) /* of processor time a thread, from the callback's no to the return */
#define SILENCE_MS                                                                                                     \
    (100.0 * SLOWER) /* between two calls of the callback: 45 at most were measured, slower machines need more */

static unsigned char rgb[SIDE][SIDE][3], mask[SIDE][SIDE];

static double clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Processor time of all threads over their number: what the clock on the wall shows where nothing else runs, if all
 * threads work. */
static double cpu_ms(void)
{
    return clock_ms(CLOCK_PROCESS_CPUTIME_ID) / THREADS;
}

typedef struct watcher {
    pthread_t owner;
    double stop_after_ms, started, said_stop, last, most_silence, last_call;
    int calls, foreign, fell;
    /* the stage that is reported, and how often its progress moved */
    char stage[16];
    double stage_began;
    int moves, stages, still;
} watcher;

static void end_stage(watcher *w, double now)
{
    bool long_enough = w->stages > 0 && now - w->stage_began > 60.0;
    if (long_enough && w->moves == 0) {
        w->still++;
        (void)printf("stage %s did not move in %.0f ms\n", w->stage, now - w->stage_began);
    }
}

static int on_progress(void *user, const mb_progress *p)
{
    watcher *w = user;
    double now = cpu_ms();
    w->foreign += !pthread_equal(pthread_self(), w->owner);
    w->fell += p->done < w->last || p->done > 1.0;
    if (strcmp(w->stage, p->stage) != 0) {
        end_stage(w, now);
        (void)snprintf(w->stage, sizeof w->stage, "%s", p->stage);
        w->stage_began = now;
        w->moves = 0;
        w->stages++;
    } else {
        w->moves += p->done > w->last;
    }
    w->last = p->done;
    w->most_silence = now - w->last_call > w->most_silence ? now - w->last_call : w->most_silence;
    w->last_call = now;
    w->calls++;
    if (now - w->started >= w->stop_after_ms && w->said_stop == 0.0) {
        w->said_stop = now;
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

/* The first run derives weights: one derivation is not interrupted. */
#define FIRST_SILENCE_MS (2000.0 * SLOWER)
static double silence_limit = SILENCE_MS;

/* One run, stopped after so much time; given: from the mask. Returns how long it took. */
static double run(mb_pipeline *p, const char *name, const mb_image *photo, const mb_image *given, double stop_after_ms)
{
    const double now = cpu_ms();
    watcher w = {.owner = pthread_self(), .stop_after_ms = stop_after_ms, .started = now, .last_call = now};
    mb_error err = {0};
    mb_result *r = NULL;
    mb_pipeline_set_progress(p, on_progress, &w);
    mb_status status =
        given != NULL ? mb_pipeline_refine(&r, p, photo, given, NULL, &err) : mb_pipeline_run(&r, p, photo, &err);
    double end = cpu_ms();
    CHECK_MSG(w.foreign == 0 && w.fell == 0, "%s: %d calls of other threads, %d falls", name, w.foreign, w.fell);
    if (w.said_stop > 0.0 && w.last < 1.0) {
        CHECK_MSG(status == MB_E_CANCELLED && r == NULL, "%s: %s", name, err.message);
        CHECK_MSG(end - w.said_stop < PROMISED_MS, "%s stopped at %.0f ms: %.0f ms later", name, stop_after_ms,
                  end - w.said_stop);
    } else if (w.said_stop == 0.0) {
        CHECK_MSG(status == MB_OK && w.last == 1.0, "%s: %s", name, err.message);
        CHECK_MSG((w.still == 0 || SLOWER > 1) && w.stages >= 2, "%s: %d stages, %d without progress", name, w.stages,
                  w.still);
    }
    CHECK_MSG(w.most_silence < silence_limit, "%s: the callback was not called for %.0f ms", name, w.most_silence);
    (void)printf("%s: %.0f ms, stop after %.0f ms returned %.1f ms later, longest silence %.0f ms\n", name, end - now,
                 w.said_stop > 0.0 ? w.said_stop - now : 0.0, w.said_stop > 0.0 ? end - w.said_stop : 0.0,
                 w.most_silence);
    mb_result_free(r);
    return end - now;
}

static mb_context *context;
static mb_model *model, *matting;

SETUP
{
    mb_context_options machine;
    mb_error err;
    mb_context_options_init(&machine);
    machine.device = MB_DEVICE_CPU;
    machine.threads = THREADS;
    make_pictures();
    REQUIRE_OK(mb_context_create(&context, &machine, &err), err);
    REQUIRE_OK(mb_model_open(&model, context, test_model("tiny_legacy"), &err), err);
    REQUIRE_OK(mb_model_open(&matting, context, test_model("vitmatte_tiny4"), &err), err);
}

static const struct {
    const char *name;
    mb_detail detail;
    mb_foreground foreground;
} methods[] = {{"pymatting", MB_DETAIL_PYMATTING, MB_FOREGROUND_NONE},
               {"guided", MB_DETAIL_GUIDED, MB_FOREGROUND_NONE},
               {"foreground ml", MB_DETAIL_NONE, MB_FOREGROUND_ML},
               {"foreground blurfusion", MB_DETAIL_NONE, MB_FOREGROUND_BLURFUSION}};

/* The first run of a pipeline records, plans and packs before it computes: it is stopped there as well. */
TEST(first_run_stops_soon)
{
    const mb_image photo = {.data = rgb, .width = SIDE, .height = SIDE, .pixels = MB_PIXELS_RGB};
    static const double moments[] = {0, 60, 200, 5, 20, 120};
    for (int k = 0; k < STOPS + 1; k++) {
        mb_pipeline *p = NULL;
        mb_error err;
        REQUIRE_OK(mb_pipeline_create(&p, context, model, NULL, NULL, &err), err);
        silence_limit = FIRST_SILENCE_MS;
        (void)run(p, "first run", &photo, NULL, moments[k]);
        silence_limit = SILENCE_MS;
        mb_pipeline_free(p);
    }
}

/* A mask with a wide band, and a cut-out's colours. */
TEST_ROWS(refinement_stops_soon, methods)
{
    static const double moments[] = {0, 30, 100, 300, 700, 1500, 3000, 6000};
    const mb_image photo = {.data = rgb, .width = SIDE, .height = SIDE, .pixels = MB_PIXELS_RGB};
    const mb_image given = {.data = mask, .width = SIDE, .height = SIDE, .pixels = MB_PIXELS_GRAY};
    mb_options o;
    mb_error err;
    mb_pipeline *p = NULL;
    mb_options_init(&o);
    o.detail = row->detail;
    o.foreground = row->foreground;
    o.erode = o.dilate = 255;
    REQUIRE_OK(mb_pipeline_create(&p, context, NULL, NULL, &o, &err), err);
    for (size_t k = 0; k < sizeof moments / sizeof moments[0]; k++) {
        if (run(p, row->name, &photo, &given, moments[k]) < moments[k]) {
            break; /* it ended before that moment: later ones would only be whole runs again */
        }
    }
    mb_pipeline_free(p);
}

static const struct {
    const char *name;
    mb_segmenter segment;
    int grabcut;
    mb_detail detail;
} ways[] = {
#define WITH(name, segment, grabcut)                                                                                   \
    {name ", none", segment, grabcut, MB_DETAIL_NONE}, {name ", guided", segment, grabcut, MB_DETAIL_GUIDED},          \
        {name ", pymatting", segment, grabcut, MB_DETAIL_PYMATTING},                                                   \
    {                                                                                                                  \
        name ", vitmatte", segment, grabcut, MB_DETAIL_VITMATTE                                                        \
    }
    WITH("network", MB_SEGMENT_NETWORK, 0),   WITH("network and grabcut", MB_SEGMENT_NETWORK, 1),
    WITH("saliency", MB_SEGMENT_SALIENCY, 0), WITH("saliency and grabcut", MB_SEGMENT_SALIENCY, 1),
    WITH("both", MB_SEGMENT_BOTH, 0),
};

/* From a photo: whole, and stopped at fractions of that time. */
TEST_ROWS(run_stops_soon, ways)
{
    const mb_image photo = {
        .data = rgb, .width = SMALL, .height = SMALL, .row_bytes = sizeof rgb[0], .pixels = MB_PIXELS_RGB};
    mb_options o;
    mb_error err;
    mb_pipeline *p = NULL;
    mb_result *first = NULL;
    mb_options_init(&o);
    o.segment = row->segment;
    o.grabcut = row->grabcut;
    o.detail = row->detail;
    o.input_width = o.input_height = NET;
    o.max_megapixels = 1.0;
    REQUIRE_OK(mb_pipeline_create(&p, context, model, matting, &o, &err), err);
    CHECK_OK(mb_pipeline_run(&first, p, &photo, &err), err); /* makes plans and weights, which nothing interrupts */
    mb_result_free(first);
    double whole = run(p, row->name, &photo, NULL, 1e9);
    for (int k = 0; k < STOPS; k++) {
        (void)run(p, row->name, &photo, NULL, whole * (0.1 + 0.9 / STOPS * k));
    }
    mb_pipeline_free(p);
}

TEARDOWN
{
    mb_model_free(model);
    mb_model_free(matting);
    mb_context_free(context);
}
