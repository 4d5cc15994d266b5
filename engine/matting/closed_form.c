/* Closed-form matting: trimap, system, components, solution. docs/models/refine.md section 6. */
#include "matting/closed_form.h"

#include "core/alloc.h"
#include "image/blur.h"
#include "options/options.h"
#include "sparse/components.h"
#include "matting/laplacian.h"
#include "matting/solve.h"

#include <math.h>
#include <string.h>

/* LayerStyle's formula, kept as it is: odd, and about five times the sum of both kernels over eight. */
int mb_closed_form_blur(int erode, int dilate)
{
    int d = 5 * ((erode + dilate) / 8 + 1) + 1;
    return d % 2 == 0 ? d + 1 : d;
}

typedef struct threshold_job {
    mb_image_u8 *out;
    mb_points points;
} threshold_job;

/* An mb_blur_sink. */
static void threshold_row(void *arg, int y, int x, const double *values, int n)
{
    const threshold_job *j = arg;
    uint8_t *dst = j->out->v + (size_t)y * (size_t)j->out->width + (size_t)x;
    for (int i = 0; i < n; i++) {
        dst[i] = values[i] < j->points.black ? 0 : values[i] > j->points.white ? 255 : 128;
    }
}

/* Values are compared before they are rounded, row by row, so no blurred picture exists. */
mb_status mb_closed_form_trimap(const mb_task *task, mb_image_u8 *out, const mb_image_u8 *mask, int size,
                                mb_points points, mb_error *err)
{
    if (points.black > points.white) { /* the original refuses; the remap's rule is the nearest sense */
        points.black = points.white - 0.001;
    }
    threshold_job j = {out, points};
    mb_status status = mb_image_u8_create(out, mask->width, mask->height, 1, err);
    if (status == MB_OK) {
        status = mb_gauss_blur(task, mask, size, threshold_row, &j, err);
    }
    if (status != MB_OK) {
        mb_image_u8_dispose(out);
    }
    return status;
}

/* Components that see foreground and background are to be solved: their rows, grouped. x of the others is exact: 0
 * without foreground in sight, 1 without background. */
typedef struct grouping {
    int32_t *component; /* [n] of a row */
    int32_t *begin;     /* [components + 1] of those to be solved */
    int32_t *rows;      /* [n] */
    uint8_t *sees;      /* [components] */
    int32_t count, active, n_rows;
} grouping;

/* Upper bounds: every row could be a component of its own. */
static mb_status allocate_grouping(grouping *g, int32_t n, mb_error *err)
{
    g->component = mb_alloc_array((size_t)n, sizeof *g->component);
    g->rows = mb_alloc_array((size_t)n, sizeof *g->rows);
    g->begin = mb_calloc((size_t)n + 2, sizeof *g->begin);
    g->sees = mb_calloc((size_t)n, 1);
    bool ok = g->component != NULL && g->rows != NULL && g->begin != NULL && g->sees != NULL;
    return ok ? MB_OK : mb_fail_memory(err, (size_t)n * 13, "the components of the unknown band");
}

/* Rows of the system to components: those that see only one side get their exact value, the others are listed for the
 * solver, component by component (a counting sort). */
static mb_status group(const mb_task *task, grouping *g, double *x, const mb_matting_system *s, mb_error *err)
{
    mb_status status = MB_OK;
    MB_TRY(allocate_grouping(g, s->n, err));
    MB_TRY(mb_components(task, g->component, &g->count, &s->a, err));
    for (int32_t i = 0; i < s->n; i++) {
        g->sees[g->component[i]] |= s->sees[i];
    }
    /* number the active components, count their rows into begin[number + 2] */
    int32_t *number = g->rows; /* free until the rows are filled in */
    for (int32_t c = 0; c < g->count; c++) {
        number[c] = g->sees[c] == (MB_SEES_FOREGROUND | MB_SEES_BACKGROUND) ? g->active++ : -1;
    }
    for (int32_t i = 0; i < s->n; i++) {
        int32_t c = g->component[i];
        x[i] = g->sees[c] == MB_SEES_FOREGROUND ? 1.0 : 0.0;
        g->component[i] = number[c];
        if (number[c] >= 0) {
            g->begin[number[c] + 2]++;
        }
    }
    for (int32_t c = 0; c < g->active; c++) {
        g->begin[c + 2] += g->begin[c + 1];
    }
    for (int32_t i = 0; i < s->n; i++) { /* begin[c + 1] runs from the start of c to its end */
        if (g->component[i] >= 0) {
            g->rows[g->begin[g->component[i] + 1]++] = i;
        }
    }
    g->n_rows = g->begin[g->active];
done:
    return status;
}

static void dispose_grouping(grouping *g)
{
    mb_free(g->component);
    mb_free(g->begin);
    mb_free(g->rows);
    mb_free(g->sees);
}

/* How many pixels are background, unknown, foreground. */
static void count_levels(const mb_image_u8 *trimap, size_t counts[3])
{
    size_t n = (size_t)trimap->width * (size_t)trimap->height, known[2] = {0};
    for (size_t i = 0; i < n; i++) {
        known[0] += trimap->v[i] == 0;
        known[1] += trimap->v[i] == 255;
    }
    counts[0] = known[0];
    counts[1] = n - known[0] - known[1];
    counts[2] = known[1];
}

/* alpha of the known pixels; the unknown ones become `unknown`. */
static void fill(mb_image_f32 *alpha, const mb_image_u8 *trimap, float unknown)
{
    size_t n = (size_t)trimap->width * (size_t)trimap->height;
    float table[256];
    for (int v = 0; v < 256; v++) {
        table[v] = v == 0 ? 0.0f : v == 255 ? 1.0f : unknown;
    }
    for (size_t i = 0; i < n; i++) {
        alpha->v[i] = table[trimap->v[i]];
    }
}

/* Bytes an unknown pixel, measured over bands of 5 to 500 pixels with 1 to 4 threads (tests/fault/memory_plan.c): the
 * system, its permuted copy and vectors; and the least that an incomplete factor takes. The factor of the direct solver is
 * counted before it is allocated. */
#define BYTES_DIRECT    700
#define BYTES_ITERATIVE 540
#define BYTES_OF_FACTOR 160
#define DIRECT_MORE     1.1 /* subtrees that are factored side by side hold a little more than one after the other */
#define ITERATIVE_MORE  1.5 /* a factor that reaches its limit, while it grows by half and is copied */
#define ITERATIVE_MOST  2.2 /* one that ends just after it has grown */

/* Before there is a mask: a band with a direct solution. */
#define BYTES_PLANNED 1400
#define OUTLINE       3 /* length of a subject's outline, in square roots of the photo's pixels */

#define SYSTEM_SHARE 0.1 /* of the progress: setting up the Laplacian */

double mb_closed_form_memory(int width, int height, int blur)
{
    const double pixels = (double)width * (double)height, band = OUTLINE * sqrt(pixels) * blur;
    return (band < pixels ? band : pixels) * BYTES_PLANNED;
}

/* Refuses what cannot be solved even by iteration; the direct solver's factor gets what its system leaves. */
static mb_status check_memory(const mb_task *task, mb_closed_form_options *o, const mb_closed_form_report *report,
                              double pixels, mb_error *err)
{
    const size_t available = task != NULL ? task->memory_limit : 0;
    const double n = report->unknown, have = (double)available;
    const double beside = pixels * sizeof(float),
                 need = n * (BYTES_ITERATIVE + ITERATIVE_MORE * BYTES_OF_FACTOR) + beside;
    if (available == 0) {
        return MB_OK;
    }
    if (need > have) {
        return mb_fail(
            err, MB_E_MEMORY,
            "closed-form matting of %d unknown pixels (%.0f %% of the photo) needs %.2f GB, there are %.2f\n"
            "a smaller photo, a narrower band (smaller erode and dilate), detail=guided, detail=vitmatte, or a "
            "larger max_memory",
            report->unknown, 100.0 * n / pixels, need * 1e-9, have * 1e-9);
    }
    const double rest = have - beside - n * BYTES_DIRECT;
    o->direct_limit = rest > 1.0 ? (size_t)(rest / DIRECT_MORE) : 1;
    o->iterative_limit = (size_t)((have - beside - n * BYTES_ITERATIVE) / ITERATIVE_MORE);
    return MB_OK;
}

/* What the solution has held beside its results. */
static size_t bytes_of(const mb_closed_form_report *r, double pixels)
{
    const double each = r->used == MB_SOLVER_PCG ? BYTES_ITERATIVE : BYTES_DIRECT;
    const double factor = (double)r->factor_bytes * (r->used == MB_SOLVER_PCG ? ITERATIVE_MOST : DIRECT_MORE);
    return (size_t)(each * r->unknown + factor + pixels * sizeof(float));
}

/* System, components, solution, back to pixels; alpha holds the known pixels already. */
static mb_status solve_unknown(const mb_task *task, mb_image_f32 *alpha, const mb_image_view *photo,
                               const mb_image_u8 *trimap, const mb_closed_form_options *o,
                               mb_closed_form_report *report, mb_error *err)
{
    mb_matting_system s = {0};
    grouping g = {0};
    /* 1e-6, as in the node; the library behind it has a default of 1e-7. */
    double *x = NULL, epsilon = o->epsilon > 0 ? o->epsilon : mb_option_rows[MB_OPTION_matting_epsilon].standard;
    mb_status status = MB_OK;
    mb_matting_input input = {photo, trimap, epsilon};
    MB_TRY(mb_matting_system_create(task, &s, &input, err));
    mb_report_progress(task, SYSTEM_SHARE);
    const mb_task solving = mb_task_part(task, SYSTEM_SHARE, 1.0 - SYSTEM_SHARE);
    x = mb_alloc_array((size_t)s.n, sizeof *x);
    if (x == NULL) {
        status = mb_fail_memory(err, (size_t)s.n * sizeof *x, "closed-form matting");
        goto done;
    }
    MB_TRY(group(task, &g, x, &s, err));
    report->components = g.count;
    MB_TRY(mb_task_check(task, err));
    if (g.n_rows > 0) {
        mb_solve_rows rows = {g.rows, g.begin, g.n_rows, g.active, trimap->width};
        MB_TRY(mb_solve(&solving, x, &s, &rows, o, report, err));
    }
    for (int32_t i = 0; i < s.n; i++) {
        alpha->v[s.pixel[i]] = x[i] > 0 ? (x[i] < 1 ? (float)x[i] : 1.0f) : 0.0f;
    }
done:
    mb_matting_system_dispose(&s);
    dispose_grouping(&g);
    mb_free(x);
    return status;
}

/* Trimaps that leave nothing to solve are answered here. */
mb_status mb_closed_form(const mb_task *task, mb_image_f32 *alpha, const mb_image_view *photo,
                         const mb_image_u8 *trimap, const mb_closed_form_options *o, mb_closed_form_report *report,
                         mb_error *err)
{
    size_t counts[3];
    *alpha = (mb_image_f32){0};
    *report = (mb_closed_form_report){0};
    if (photo->width != trimap->width || photo->height != trimap->height || trimap->channels != 1) {
        return mb_fail(err, MB_E_ARGUMENT, "the trimap is %d x %d, the photo %d x %d\nboth must have one size",
                       trimap->width, trimap->height, photo->width, photo->height);
    }
    mb_status status = mb_image_f32_create(alpha, trimap->width, trimap->height, err);
    if (status != MB_OK) {
        return status;
    }
    count_levels(trimap, counts);
    report->unknown = (int32_t)(counts[1] < INT32_MAX ? counts[1] : INT32_MAX);
    report->outcome = counts[1] == 0   ? MB_CLOSED_FORM_NO_UNKNOWN
                      : counts[2] == 0 ? MB_CLOSED_FORM_NO_FOREGROUND
                      : counts[0] == 0 ? MB_CLOSED_FORM_NO_BACKGROUND
                                       : MB_CLOSED_FORM_SOLVED;
    if (report->outcome == MB_CLOSED_FORM_SOLVED && (trimap->width < 3 || trimap->height < 3)) {
        report->outcome = MB_CLOSED_FORM_TOO_SMALL;
    }
    fill(alpha, trimap,
         report->outcome == MB_CLOSED_FORM_NO_BACKGROUND ? 1.0f
         : report->outcome == MB_CLOSED_FORM_TOO_SMALL   ? 0.5f
                                                         : 0.0f);
    if (report->outcome == MB_CLOSED_FORM_SOLVED) {
        mb_closed_form_options within = *o;
        const double pixels = (double)trimap->width * (double)trimap->height;
        status = check_memory(task, &within, report, pixels, err);
        status = status == MB_OK ? solve_unknown(task, alpha, photo, trimap, &within, report, err) : status;
        report->bytes = bytes_of(report, pixels);
    }
    if (status != MB_OK) {
        mb_image_f32_dispose(alpha);
    }
    return status;
}
