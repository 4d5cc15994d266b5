/* Segmentation under a task: the same bytes for any number of threads, progress that moves and never falls, and an end
 * without results wherever it is stopped. */
#include "harness/check.h"
#include "segment/candidates.h"
#include "segment/saliency.h"
#include "segment/sharpness.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 500, HEIGHT = 380, PIXELS = WIDTH * HEIGHT };

static mb_error err;

/* A disc of two colours in front of stripes and a slope, with noise; its soft and shifted mask. */
static void make_scene(mb_image_u8 *rgb, mb_image_u8 *mask)
{
    uint32_t state = 3;
    CHECK_OK(mb_image_u8_create(rgb, WIDTH, HEIGHT, 3, &err), err);
    CHECK_OK(mb_image_u8_create(mask, WIDTH, HEIGHT, 1, &err), err);
    for (int i = 0; i < PIXELS; i++) {
        int x = i % WIDTH, y = i / WIDTH, dx = x - 260, dy = y - 190, near = dx * dx + dy * dy;
        bool inside = near < 110 * 110;
        int shifted = (dx - 14) * (dx - 14) + dy * dy;
        mask->v[i] = shifted < 95 * 95 ? 220 : shifted < 130 * 130 ? 120 : 15;
        for (int k = 0; k < 3; k++) {
            state = state * 1664525u + 1013904223u;
            int base = inside ? (dy < 20 ? 200 - 50 * k : 90 + 60 * k) : 60 + 30 * (x * 9 / WIDTH % 2) + y / 8 + 20 * k;
            rgb->v[3 * i + k] = (uint8_t)(base + (int)(state >> 28));
        }
    }
}

/* What each of them computes, as one block of bytes. */
typedef struct outcome {
    uint8_t *v;
    size_t n;
} outcome;

typedef mb_status (*work_fn)(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                             mb_error *e);

static void keep(outcome *out, const void *bytes, size_t n)
{
    out->v = realloc(out->v, out->n + n);
    memcpy(out->v + out->n, bytes, n);
    out->n += n;
}

static void keep_image(outcome *out, mb_image_u8 *p)
{
    keep(out, p->v, (size_t)p->width * (size_t)p->height * (size_t)p->channels);
    mb_image_u8_dispose(p);
}

static mb_status run_saliency(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                              mb_error *e)
{
    (void)mask;
    mb_image_u8 result;
    mb_status status = mb_saliency(task, &result, rgb, e);
    if (status == MB_OK) {
        keep_image(out, &result);
    } else {
        CHECK(result.v == NULL);
    }
    return status;
}

static mb_status run_grabcut(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                             mb_error *e)
{
    mb_image_u8 result;
    mb_status status = mb_grabcut(task, &result, rgb, mask, NULL, e);
    if (status == MB_OK) {
        keep_image(out, &result);
    } else {
        CHECK(result.v == NULL);
    }
    return status;
}

static mb_status run_candidates(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                                mb_error *e)
{
    mb_candidates c;
    mb_status status = mb_candidates_create(task, &c, rgb, mask, mask, e);
    if (status == MB_OK) {
        for (int k = 0; k < MB_N_CANDIDATES; k++) {
            keep_image(out, &c.initial[k]);
            keep_image(out, &c.cuts[k]);
        }
        keep(out, c.features, sizeof c.features);
        keep(out, c.usable, sizeof c.usable);
    }
    mb_candidates_dispose(&c);
    return status;
}

static mb_status run_segment(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                             mb_error *e)
{
    mb_image_u8 result;
    mb_status status = mb_candidates_segment(task, &result, rgb, mask, mask, NULL, e);
    if (status == MB_OK) {
        keep_image(out, &result);
    } else {
        CHECK(result.v == NULL);
    }
    return status;
}

static mb_status run_superpixels(const mb_task *task, outcome *out, const mb_image_u8 *rgb, const mb_image_u8 *mask,
                                 mb_error *e)
{
    (void)mask;
    mb_status status = MB_OK;
    mb_lab lab = {0};
    mb_edges edges = {0};
    mb_superpixels s = {0};
    MB_TRY(mb_lab_create(task, &lab, rgb, e));
    MB_TRY(mb_edges_create(task, &edges, rgb, e));
    MB_TRY(mb_superpixels_create(task, &s, &lab, 250, 15.0f, e));
    keep(out, lab.v, PIXELS * 3 * sizeof *lab.v);
    keep(out, edges.strength, PIXELS * sizeof *edges.strength);
    keep(out, edges.sharp, PIXELS * sizeof *edges.sharp);
    keep(out, s.label, PIXELS * sizeof *s.label);
    keep(out, s.mean, (size_t)s.count * 5 * sizeof *s.mean);
done:
    mb_lab_dispose(&lab);
    mb_edges_dispose(&edges);
    mb_superpixels_dispose(&s);
    return status;
}

/* Progress of a task that runs in one thread. */
typedef struct witness {
    int polls, stop_at; /* says stop from the stop_at-th poll on; 0: never */
    int reports, falls;
    double last;
} witness;

static bool should_stop(void *user)
{
    witness *w = user;
    w->polls++;
    return w->stop_at > 0 && w->polls >= w->stop_at;
}

static void report_progress(void *user, double done)
{
    witness *w = user;
    w->reports++;
    w->falls += done < w->last || done > 1.0;
    w->last = done;
}

static void check_threads(const char *name, work_fn work, const mb_image_u8 *rgb, const mb_image_u8 *mask)
{
    outcome first = {0};
    err = (mb_error){0};
    CHECK_OK(work(NULL, &first, rgb, mask, &err), err);
    for (int threads = 1; threads <= 3; threads++) {
        outcome other = {0};
        mb_task task = {0};
        CHECK_OK(mb_pool_create(&task.pool, threads, &err), err);
        CHECK_OK(work(&task, &other, rgb, mask, &err), err);
        CHECK_MSG(other.n == first.n && memcmp(other.v, first.v, first.n) == 0, "%s: %d threads give other bytes", name,
                  threads);
        mb_pool_free(task.pool);
        free(other.v);
    }
    free(first.v);
}

/* Stopped at the first poll, at the last, and at some between; alone and with three threads. */
static void check_stops(const char *name, work_fn work, const mb_image_u8 *rgb, const mb_image_u8 *mask)
{
    outcome out = {0};
    witness whole = {0};
    mb_task task = {.should_stop = should_stop, .report_progress = report_progress, .user = &whole};
    CHECK_OK(work(&task, &out, rgb, mask, &err), err);
    CHECK_MSG(whole.reports >= 3 && whole.falls == 0 && whole.last > 0.6, "%s: %d reports, %d falls, up to %.3f", name,
              whole.reports, whole.falls, whole.last);
    CHECK_MSG(whole.polls > 40, "%s: %d polls", name, whole.polls);
    free(out.v);
    for (int k = 0; k <= 6; k++) {
        outcome none = {0};
        witness stopped = {.stop_at = 1 + (whole.polls - 1) * k / 6};
        task.user = &stopped;
        err = (mb_error){0};
        CHECK_MSG(work(&task, &none, rgb, mask, &err) == MB_E_CANCELLED && none.v == NULL,
                  "%s: not stopped at poll %d of %d", name, stopped.stop_at, whole.polls);
        CHECK(strcmp(err.message, "cancelled") == 0);
    }
}

static bool always(void *user)
{
    (void)user;
    return true;
}

static mb_image_u8 rgb, mask;

SETUP
{
    make_scene(&rgb, &mask);
}

static const struct {
    const char *name;
    work_fn work;
} rows[] = {{"saliency", run_saliency},
            {"superpixels and edges", run_superpixels},
            {"grabcut", run_grabcut},
            {"candidates", run_candidates},
            {"the best candidate", run_segment}};

TEST_ROWS(threads_give_the_same_bytes, rows)
{
    check_threads(row->name, row->work, &rgb, &mask);
}

TEST_ROWS(stops_anywhere, rows)
{
    check_stops(row->name, row->work, &rgb, &mask);
    mb_task task = {.should_stop = always};
    outcome none = {0};
    REQUIRE_OK(mb_pool_create(&task.pool, 3, &err), err);
    err = (mb_error){0};
    CHECK(row->work(&task, &none, &rgb, &mask, &err) == MB_E_CANCELLED && none.v == NULL);
    mb_pool_free(task.pool);
}

TEARDOWN
{
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&mask);
}
