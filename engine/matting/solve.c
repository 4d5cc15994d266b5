/* Choosing and running a solver: the direct one whenever its factor fits, then iterative refinement; conjugate
 * gradients where it does not fit or rounding spoils a pivot. Never without an answer. docs/models/refine.md
 * sections 6.3 to 6.5. */
#include "matting/solve.h"

#include "core/alloc.h"
#include "sparse/cholesky.h"
#include "sparse/pcg.h"

#include <string.h>

#define REFINEMENTS  3
#define FACTOR_FIRST 0.2 /* of the progress: ordering and analysis come before, refinement after the factor */
#define FACTOR_SHARE 0.7
#define GOOD         1e-12 /* relative residual after which refinement gains nothing */

/* One system on its way through the solvers; vectors are in the order of the rows in hand. */
typedef struct solving {
    const mb_matting_system *s;
    const mb_task *task;
    const mb_closed_form_options *o;
    mb_closed_form_report *report;
    int32_t n;
    int32_t *place; /* [s->n] position of a row in the order, -1: not to be solved */
    mb_symmetric a; /* permuted */
    double *b, *x, *r, *work;
} solving;

/* Euclidean norm of v [n]. */
static double length(const double *v, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += v[i] * v[i];
    }
    return sqrt(sum);
}

/* a and b of the rows in this order: what a solver works on. */
static mb_status permute(solving *v, const int32_t *order, mb_error *err)
{
    memset(v->place, 0xff, (size_t)v->s->n * sizeof *v->place);
    for (int32_t i = 0; i < v->n; i++) {
        v->place[order[i]] = i;
        v->b[i] = v->s->b[order[i]];
    }
    mb_symmetric_dispose(&v->a);
    return mb_symmetric_permute(v->task, &v->a, &v->s->a, order, v->n, v->place, err);
}

/* x = A^-1 b and refinement while the residual falls. */
static void solve_refined(solving *v, const mb_cholesky *c)
{
    double size = length(v->b, v->n), last = INFINITY;
    memset(v->x, 0, (size_t)v->n * sizeof *v->x);
    memcpy(v->r, v->b, (size_t)v->n * sizeof *v->r);
    for (int step = 0; step <= REFINEMENTS; step++) {
        mb_cholesky_solve(v->task, c, v->r, v->work);
        for (int32_t i = 0; i < v->n; i++) {
            v->x[i] += v->r[i];
        }
        mb_symmetric_multiply(v->task, v->work, &v->a, v->x);
        for (int32_t i = 0; i < v->n; i++) {
            v->r[i] = v->b[i] - v->work[i];
        }
        v->report->residual = size > 0 ? length(v->r, v->n) / size : 0;
        v->report->iterations = step;
        if (v->report->residual < GOOD || !(v->report->residual < 0.5 * last)) {
            break;
        }
        last = v->report->residual;
    }
}

/* Bytes of a factor; less: a solver's own limit, or 0. */
static size_t factor_limit(const mb_closed_form_options *o, size_t less)
{
    const size_t limit = o->factor_limit > 0 ? o->factor_limit : MB_CLOSED_FORM_MEMORY;
    return less > 0 && less < limit ? less : limit;
}

/* *done = false if the factor would be too large or is not positive. */
static mb_status solve_direct(solving *v, const mb_solve_rows *rows, bool *done, mb_error *err)
{
    mb_nd_tree tree = {0};
    mb_cholesky c = {0};
    mb_status status = MB_OK;
    const size_t limit = factor_limit(v->o, v->o->direct_limit);
    *done = false;
    MB_TRY(mb_nested_dissection(v->task, &tree, rows->rows, rows->begin, rows->n_components,
                                (mb_nd_pixels){v->s->pixel, rows->width}, err));
    mb_report_progress(v->task, 0.1);
    MB_TRY(permute(v, rows->rows, err));
    MB_TRY(mb_cholesky_analyse(v->task, &c, &v->a, &tree, err));
    mb_report_progress(v->task, FACTOR_FIRST);
    v->report->factor_bytes = mb_cholesky_bytes(&c);
    if (v->report->factor_bytes > limit) {
        goto done;
    }
    const mb_task factoring = mb_task_part(v->task, FACTOR_FIRST, FACTOR_SHARE);
    MB_TRY(mb_cholesky_factor(&factoring, &c, &v->a, done, err));
    if (*done) {
        solve_refined(v, &c);
        MB_TRY(mb_task_check(v->task, err));
        *done = v->report->residual < 1e-3; /* false for NaN too: a factor spoilt by rounding is no answer */
        v->report->used = MB_SOLVER_CHOLESKY;
    }
done:
    mb_cholesky_dispose(&c);
    mb_nd_tree_dispose(&tree);
    return status;
}

/* Rows in raster order: what incomplete Cholesky likes. */
static void raster_order(int32_t *rows, int32_t n, const int32_t *place, int32_t total)
{
    int32_t k = 0;
    for (int32_t i = 0; i < total && k < n; i++) {
        if (place[i] >= 0) {
            rows[k++] = i;
        }
    }
}

/* Conjugate gradients on the rows in raster order. */
static mb_status solve_iterative(solving *v, const mb_solve_rows *rows, mb_error *err)
{
    mb_pcg_report report;
    const size_t limit = factor_limit(v->o, v->o->iterative_limit);
    mb_pcg_options o = {.memory_limit = limit};
    memset(v->place, 0xff, (size_t)v->s->n * sizeof *v->place);
    for (int32_t i = 0; i < v->n; i++) {
        v->place[rows->rows[i]] = i;
    }
    raster_order(rows->rows, v->n, v->place, v->s->n);
    mb_status status = permute(v, rows->rows, err);
    if (status == MB_OK) {
        status = mb_pcg_solve(v->task, v->x, &v->a, v->b, &o, &report, err);
    }
    if (status == MB_OK) {
        v->report->used = MB_SOLVER_PCG;
        v->report->residual = report.residual;
        v->report->iterations = report.iterations;
        v->report->factor_bytes = report.factor_entries * (sizeof(double) + sizeof(int32_t));
    }
    return status;
}

/* The same system through another library: a cross-check for tests, and an option of the build. */
static mb_status solve_cholmod(solving *v, const mb_solve_rows *rows, bool *done, mb_error *err)
{
    *done = false;
#ifdef MATTEBOX_HAVE_CHOLMOD
    mb_status status = permute(v, rows->rows, err);
    if (status == MB_OK) {
        status = mb_cholmod_solve(v->x, &v->a, v->b, done, &v->report->factor_bytes, err);
    }
    if (status == MB_OK && *done) {
        double size = length(v->b, v->n);
        mb_symmetric_multiply(NULL, v->work, &v->a, v->x);
        for (int32_t i = 0; i < v->n; i++) {
            v->r[i] = v->b[i] - v->work[i];
        }
        v->report->residual = size > 0 ? length(v->r, v->n) / size : 0;
        v->report->used = MB_SOLVER_CHOLMOD;
    }
    return status;
#else
    (void)v;
    (void)rows;
    return mb_fail(err, MB_E_UNSUPPORTED, "CHOLMOD is not in this build\ninstall libsuitesparse-dev and rebuild");
#endif
}

/* The solution back to the numbering of all unknown pixels. */
static void spread(double *x, const mb_solve_rows *rows, const double *v)
{
    for (int32_t i = 0; i < rows->n; i++) {
        x[rows->rows[i]] = v[i];
    }
}

bool mb_solver_available(mb_solver solver)
{
#ifdef MATTEBOX_HAVE_CHOLMOD
    return solver <= MB_SOLVER_CHOLMOD;
#else
    return solver < MB_SOLVER_CHOLMOD;
#endif
}

/* The direct solver where it can, else iteration; the better of two answers where both are poor. */
mb_status mb_solve(const mb_task *task, double *x, const mb_matting_system *s, const mb_solve_rows *rows,
                   const mb_closed_form_options *o, mb_closed_form_report *report, mb_error *err)
{
    solving v = {.task = task, .s = s, .o = o, .report = report, .n = rows->n};
    size_t n = (size_t)rows->n;
    bool done = false;
    mb_status status = MB_OK;
    v.place = mb_alloc_array((size_t)s->n, sizeof *v.place);
    v.b = mb_alloc_array(4 * n, sizeof *v.b);
    if (v.place == NULL || v.b == NULL) {
        status = mb_fail_memory(err, 4 * n * sizeof *v.b, "closed-form matting");
        goto done;
    }
    v.x = v.b + n;
    v.r = v.x + n;
    v.work = v.r + n;
    if (o->solver == MB_SOLVER_CHOLMOD) {
        MB_TRY(solve_cholmod(&v, rows, &done, err));
    } else if (o->solver != MB_SOLVER_PCG) {
        MB_TRY(solve_direct(&v, rows, &done, err));
    }
    double direct = NAN; /* residual of a direct answer that rounding spoilt */
    if (!done) {
        report->fell_back = o->solver != MB_SOLVER_PCG;
        if (report->used == MB_SOLVER_CHOLESKY) {
            direct = report->residual;
            spread(x, rows, v.x);
        }
        MB_TRY(solve_iterative(&v, rows, err));
    }
    if (report->residual > direct) { /* the iteration did no better */
        report->residual = direct;
        report->used = MB_SOLVER_CHOLESKY;
    } else {
        spread(x, rows, v.x);
    }
done:
    mb_symmetric_dispose(&v.a);
    mb_free(v.place);
    mb_free(v.b);
    return status;
}
