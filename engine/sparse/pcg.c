/* Conjugate gradients (Hestenes and Stiefel 1952), preconditioned by incomplete Cholesky; the ladder of shifts is that
 * of the reference program. docs/models/refine.md section 6.5. */
#include "sparse/pcg.h"

#include "core/alloc.h"
#include "sparse/incomplete_cholesky.h"

#include <math.h>
#include <string.h>

#define STALL 400 /* iterations without a new smallest residual: rounding has the last word */

/* A factor that is positive and fits; a diagonal one at the worst. */
static mb_status precondition(const mb_task *task, mb_symmetric *l, const mb_symmetric *a, const mb_pcg_options *o,
                              mb_pcg_report *report, mb_error *err)
{
    static const double shifts[] = {0, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1, 10, 100, 1e3, 1e4, 1e5};
    size_t bytes = sizeof(int32_t) + sizeof(double), limit = o->memory_limit / bytes;
    mb_ic_options ic = {o->drop > 0 ? o->drop : 1e-3, 0, limit};
    ic.max_entries = limit > a->begin[a->n] ? limit : a->begin[a->n]; /* the diagonal always fits */
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts;) {
        mb_ic_result result = MB_IC_DONE;
        ic.shift = shifts[i];
        mb_status status = mb_incomplete_cholesky(task, l, &result, a, &ic, err);
        if (status != MB_OK) {
            return status;
        }
        report->drop = ic.drop;
        report->shift = ic.shift;
        if (result == MB_IC_DONE) {
            report->factor_entries = l->begin[l->n];
            return MB_OK;
        }
        if (result == MB_IC_TOO_LARGE) {
            ic.drop *= 3;
        } else {
            i++;
        }
    }
    return mb_fail(err, MB_E_INTERNAL, "the matting Laplacian stays indefinite after every diagonal shift");
}

/* Four sums, so that additions need not wait for each other; always in the same order. */
static double dot(const double *a, const double *b, size_t n)
{
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            sum[k] += a[i + k] * b[i + k];
        }
    }
    for (; i < n; i++) {
        sum[0] += a[i] * b[i];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* x: the iterate; best: the x with the smallest residual; r = b - A x; z = M^-1 r; p: search direction; q = A p. [n] each. */
typedef struct vectors {
    double *x, *best, *r, *z, *p, *q;
} vectors;

/* r = b - A x; its length against that of b. */
static double residual(const mb_task *task, double *r, const mb_symmetric *a, const double *b, const double *x,
                       double length)
{
    mb_symmetric_multiply(task, r, a, x);
    for (size_t i = 0; i < (size_t)a->n; i++) {
        r[i] = b[i] - r[i];
    }
    return sqrt(dot(r, r, (size_t)a->n)) / length;
}

/* The recurrences, from the x in v->x on. The best x so far is kept: rounding may spoil later ones. */
static mb_status iterate(const mb_task *task, vectors *v, const mb_symmetric *a, const mb_symmetric *l,
                         const mb_pcg_options *o, mb_pcg_report *report, double length, mb_error *err)
{
    size_t n = (size_t)a->n;
    double rz = 0, least = report->residual, goal = o->tolerance > 0 ? o->tolerance : 1e-9;
    int limit = o->max_iterations > 0 ? o->max_iterations : 20000, since = 0;
    double first = least;
    mb_status status = MB_OK;
    for (int it = 0; it < limit && since < STALL; it++, since++) {
        MB_TRY(mb_task_check(task, err));
        memcpy(v->z, v->r, n * sizeof(double));
        mb_incomplete_solve(task, l, v->z);
        double next = dot(v->r, v->z, n), beta = it > 0 ? next / rz : 0;
        rz = next;
        for (size_t i = 0; i < n; i++) {
            v->p[i] = v->z[i] + beta * v->p[i];
        }
        mb_symmetric_multiply(task, v->q, a, v->p);
        double curvature = dot(v->p, v->q, n), step = rz / curvature;
        MB_TRY(mb_task_check(task, err)); /* after a stop the product is unfinished */
        if (!(curvature > 0) || !isfinite(step)) {
            break; /* converged to rounding, or as far as this factor leads */
        }
        for (size_t i = 0; i < n; i++) {
            v->x[i] += step * v->p[i];
            v->r[i] -= step * v->q[i];
        }
        double now = sqrt(dot(v->r, v->r, n)) / length;
        report->iterations++;
        if (now < least) { /* digits won are the progress of an iteration */
            least = now;
            mb_report_progress(task, first > goal ? log(first / now) / log(first / goal) : 1.0);
            since = 0;
            memcpy(v->best, v->x, n * sizeof(double));
        }
        if (now <= goal) {
            break;
        }
    }
done:
    return status;
}

/* Factor, then iterate; up to three starts, each from the true residual of the best x so far. */
mb_status mb_pcg_solve(const mb_task *task, double *x, const mb_symmetric *a, const double *b, const mb_pcg_options *o,
                       mb_pcg_report *report, mb_error *err)
{
    size_t n = (size_t)a->n;
    double length = sqrt(dot(b, b, n));
    mb_symmetric l = {0};
    mb_status status = MB_OK;
    *report = (mb_pcg_report){0};
    memset(x, 0, n * sizeof *x);
    if (!(length > 0)) {
        return MB_OK; /* b = 0: x = 0 is exact */
    }
    double *all = mb_calloc(5 * n, sizeof *all);
    if (all == NULL) {
        return mb_fail_memory(err, 5 * n * sizeof *all, "conjugate gradients");
    }
    vectors v = {.x = all, .best = x, .r = all + n, .z = all + 2 * n, .p = all + 3 * n, .q = all + 4 * n};
    const mb_task preparing = mb_task_part(task, 0.0, 0.2), iterating = mb_task_part(task, 0.2, 0.8);
    MB_TRY(precondition(&preparing, &l, a, o, report, err));
    for (int restart = 0; restart < 3; restart++) { /* recurrences drift: start again from the true residual */
        memcpy(v.x, x, n * sizeof *x);
        report->residual = residual(task, v.r, a, b, x, length);
        if (report->residual <= (o->tolerance > 0 ? o->tolerance : 1e-9)) {
            break;
        }
        MB_TRY(iterate(&iterating, &v, a, &l, o, report, length, err));
    }
    report->residual = residual(task, v.r, a, b, x, length);
done:
    mb_symmetric_dispose(&l);
    mb_free(all);
    return status;
}
