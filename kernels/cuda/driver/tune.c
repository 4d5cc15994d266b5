/* Timing of candidates. Milliseconds come from the device's events, the budget from the host's clock: what a library
 * compiles before its first run counts too. */
#define _GNU_SOURCE
#include "cuda/driver/tune.h"

#include "core/clock.h"

#include "core/text.h"
#include "core/os_thread.h"
#include "core/os_process.h"
#include "cuda/vendor/plan_cache.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 3, LAUNCHES = 3 };
#define TUNE_SECONDS 5.0
#define DISPLACES    0.97f /* of the best time so far: less is noise */

static mb_mutex one_at_a_time = MB_MUTEX_INIT;

double mb_cuda_tune_clock(void)
{
    return mb_clock_ms();
}

/* By itself only with a plan cache: without one every process would pay again. */
void mb_cuda_tune_open(mb_cuda_device *d)
{
    const char *wish = mb_os_env("MATTEBOX_TUNE");
    double seconds = d->cache != NULL ? TUNE_SECONDS : 0.0;
    if (wish != NULL && wish[0] != '\0') {
        const char *end = mb_text_number(&seconds, wish); /* "off" and other words: 0 */
        seconds = end != NULL && *end == '\0' && seconds > 0.0 ? seconds : 0.0;
    }
    d->tune_ms = seconds * 1e3;
}

/* Looked at before each call, so that the last one may run over. */
bool mb_cuda_may_tune(const mb_cuda_device *d)
{
    return d->tune_ms > 0.0;
}

/* May go below zero: the budget is over then. */
void mb_cuda_tune_spent(mb_cuda_device *d, double since)
{
    d->tune_ms -= mb_cuda_tune_clock() - since;
}

/* Also reads what other processes have chosen since. */
bool mb_cuda_tune_begin(mb_cuda_device *d)
{
    if (!mb_cuda_may_tune(d)) {
        return false;
    }
    mb_mutex_lock(&one_at_a_time);
    mb_plan_cache_refresh(d->cache);
    return true;
}

/* Choices of a plan are written together. */
void mb_cuda_tune_end(mb_cuda_device *d)
{
    mb_plan_cache_save(d->cache);
    mb_mutex_unlock(&one_at_a_time);
}

/* ---- one call */
typedef struct stopwatch {
    mb_cuda_device *d;
    mb_cu_event from, to;
} stopwatch;

static void close_watch(stopwatch *w)
{
    mb_cu_event events[] = {w->from, w->to};
    for (int i = 0; i < 2; i++) {
        if (events[i] != NULL) {
            (void)w->d->lib.driver.event_destroy(events[i]);
        }
    }
}

/* Milliseconds of one run of a candidate: the median of some groups; negative if it failed. */
static float time_one(stopwatch *w, const mb_cuda_trial *t, int candidate, mb_error *err)
{
    const mb_driver_api *cu = &w->d->lib.driver;
    float ms[GROUPS] = {0};
    mb_status status = t->choose(t->user, candidate) ? t->run(t->call, err) : MB_E_UNSUPPORTED; /* to warm up */
    for (int g = 0; g < GROUPS && status == MB_OK; g++) {
        status = mb_cuda_check(w->d, cu->event_record(w->from, w->d->compute), "timing", err);
        for (int i = 0; i < LAUNCHES && status == MB_OK; i++) {
            status = t->run(t->call, err);
        }
        status = status == MB_OK ? mb_cuda_check(w->d, cu->event_record(w->to, w->d->compute), "timing", err) : status;
        status = status == MB_OK ? mb_cuda_check(w->d, cu->event_wait(w->to), "timing", err) : status;
        status =
            status == MB_OK ? mb_cuda_check(w->d, cu->event_elapsed(&ms[g], w->from, w->to), "timing", err) : status;
    }
    if (status != MB_OK || !t->has_run(t->user, candidate)) {
        return -1.0f;
    }
    /* The median of three. */
    float low = ms[0] < ms[1] ? ms[0] : ms[1], high = ms[0] < ms[1] ? ms[1] : ms[0];
    float median = ms[2] < low ? low : (ms[2] > high ? high : ms[2]);
    return median / LAUNCHES;
}

/* Something to multiply that is not zero (hardware is faster on zeros): 1.06 in f16, 0.012 in bf16 and f32. */
static void fill_input(mb_cuda_device *d, const mb_view *x)
{
    size_t elements = (size_t)(mb_view_tokens(x) - 1) * (size_t)x->pitch + (size_t)x->dims[1];
    mb_error unsaid = {0};
    mb_status status = mb_cuda_check(
        d, d->lib.driver.set_bytes((mb_cu_ptr)(uintptr_t)x->data, 0x3c, elements * mb_dtype_size(x->dtype), d->compute),
        "timing", &unsaid);
    (void)status; /* a broken device shows at the first candidate */
}

/* Candidates in the library's own order, each warmed up and timed; the first is hard to displace, so that noise
 * does not decide. The input is filled with numbers that are not zero, unless it is a constant. */
mb_status mb_cuda_fastest(mb_cuda_choice *out, mb_cuda_device *d, const mb_cuda_trial *t, mb_error *err)
{
    const double begin = mb_cuda_tune_clock();
    stopwatch w = {d, NULL, NULL};
    mb_error unsaid = {0};
    *out = (mb_cuda_choice){.index = -1};
    mb_status status = mb_cuda_check(d, d->lib.driver.event_create(&w.from, 0), "timing", &unsaid);
    if (status == MB_OK) {
        status = mb_cuda_check(d, d->lib.driver.event_create(&w.to, 0), "timing", &unsaid);
    }
    if ((t->call->constants & 1u) == 0) {
        fill_input(d, &t->call->in[0]);
    }
    for (int i = 0; i < t->n && status == MB_OK && d->broken.code == MB_OK; i++) {
        float ms = time_one(&w, t, i, &unsaid);
        if (ms < 0.0f) {
            continue;
        }
        /* The first that runs is what would have been taken without timing. */
        out->first_ms = out->index < 0 ? ms : out->first_ms;
        if (out->index < 0 || ms < out->ms * DISPLACES) {
            out->index = i;
            out->ms = ms;
        }
    }
    out->timed = out->index >= 0;
    close_watch(&w);
    mb_cuda_tune_spent(d, begin);
    return d->broken.code == MB_OK ? MB_OK : mb_fail(err, d->broken.code, "%s", d->broken.message);
}
