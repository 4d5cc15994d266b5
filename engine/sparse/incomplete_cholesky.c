/* Left-looking incomplete Cholesky (Jones and Plassmann 1995) with absolute dropping: column j collects the updates of
 * the earlier columns that reach row j, found through linked lists. The diagonal takes the updates of dropped entries
 * too. docs/models/refine.md section 6.5. */
#include "sparse/incomplete_cholesky.h"

#include "core/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ic {
    const mb_symmetric *a;
    mb_symmetric l;
    size_t capacity, max_entries;
    double *diagonal;     /* [n] still to be eliminated */
    double *work;         /* [n] column in hand */
    int32_t *list;        /* [n] its rows */
    int32_t *mark;        /* [n] last column that listed this row */
    int32_t *head, *next; /* [n] columns whose first row below is this one; chain */
    size_t *cursor;       /* [n] that entry in each column */
} ic;

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Lists a row of the column in hand once, with the value 0. */
static void touch(ic *f, int32_t row, int32_t column, size_t *n)
{
    if (f->mark[row] != column) {
        f->mark[row] = column;
        f->work[row] = 0;
        f->list[(*n)++] = row;
    }
}

/* Column `k` joins the chain of the row its cursor points at. */
static void chain(ic *f, int32_t k)
{
    if (f->cursor[k] < f->l.begin[k + 1]) {
        int32_t row = f->l.row[f->cursor[k]];
        f->next[k] = f->head[row];
        f->head[row] = k;
    }
}

/* Rows below j of column j with the updates of earlier columns. */
static size_t collect(ic *f, int32_t j)
{
    size_t n = 0;
    for (size_t p = f->a->begin[j] + 1; p < f->a->begin[j + 1]; p++) {
        touch(f, f->a->row[p], j, &n);
        f->work[f->a->row[p]] += f->a->value[p];
    }
    for (int32_t k = f->head[j], after; k >= 0; k = after) {
        after = f->next[k];
        size_t p = f->cursor[k]++;
        double factor = f->l.value[p];
        for (p++; p < f->l.begin[k + 1]; p++) {
            touch(f, f->l.row[p], j, &n);
            f->work[f->l.row[p]] -= factor * f->l.value[p];
        }
        chain(f, k);
    }
    qsort(f->list, n, sizeof *f->list, by_value);
    return n;
}

/* Room for so many entries of L in all; half as much again when it grows, as far as that is allowed. */
static mb_status reserve(ic *f, size_t entries, mb_error *err)
{
    if (entries <= f->capacity) {
        return MB_OK;
    }
    size_t capacity = entries + entries / 2 + 1024;
    capacity = capacity < f->max_entries ? capacity : f->max_entries; /* never below `entries` */
    int32_t *row = mb_realloc_array(f->l.row, capacity, sizeof *row);
    f->l.row = row != NULL ? row : f->l.row;
    double *value = mb_realloc_array(f->l.value, capacity, sizeof *value);
    f->l.value = value != NULL ? value : f->l.value;
    if (row == NULL || value == NULL) {
        return mb_fail_memory(err, capacity * (sizeof *row + sizeof *value), "the incomplete factor");
    }
    f->capacity = capacity;
    return MB_OK;
}

/* Column by column: collect the updates of earlier columns, take the root of the pivot, scale, drop what is small. */
static mb_status factor(const mb_task *task, ic *f, mb_ic_result *result, const mb_ic_options *o, mb_error *err)
{
    size_t used = 0;
    *result = MB_IC_NOT_POSITIVE;
    for (int32_t j = 0; j < f->a->n; j++) {
        size_t n = collect(f, j);
        if (j % 1024 == 0) {
            mb_report_progress(task, (double)j / f->a->n);
            if (mb_should_stop(task)) {
                return mb_task_check(task, err);
            }
        }
        if (!(f->diagonal[j] > 0)) {
            return MB_OK;
        }
        if (used + n + 1 > f->max_entries) {
            *result = MB_IC_TOO_LARGE;
            return MB_OK;
        }
        mb_status status = reserve(f, used + n + 1, err);
        if (status != MB_OK) {
            return status;
        }
        double pivot = sqrt(f->diagonal[j]);
        f->l.row[used] = j;
        f->l.value[used++] = pivot;
        for (size_t i = 0; i < n; i++) {
            int32_t row = f->list[i];
            double v = f->work[row] / pivot;
            f->diagonal[row] -= v * v; /* dropped or not */
            if (fabs(v) > o->drop) {
                f->l.row[used] = row;
                f->l.value[used++] = v;
            }
        }
        f->l.begin[j + 1] = used;
        f->cursor[j] = f->l.begin[j] + 1;
        chain(f, j);
    }
    *result = MB_IC_DONE;
    return MB_OK;
}

/* diagonal and work share one block of 2 n; list, mark, head and next one of 4 n (mark and head start as -1). */
mb_status mb_incomplete_cholesky(const mb_task *task, mb_symmetric *l, mb_ic_result *result, const mb_symmetric *a,
                                 const mb_ic_options *o, mb_error *err)
{
    size_t n = (size_t)a->n;
    ic f = {.a = a, .max_entries = o->max_entries};
    mb_status status = MB_OK;
    *l = (mb_symmetric){0};
    f.capacity = 2 * a->begin[n];
    MB_TRY(mb_symmetric_create(&f.l, a->n, f.capacity, err));
    f.diagonal = mb_alloc_array(2 * n, sizeof *f.diagonal);
    f.list = mb_alloc_array(4 * n, sizeof *f.list);
    f.cursor = mb_alloc_array(n, sizeof *f.cursor);
    if (f.diagonal == NULL || f.list == NULL || f.cursor == NULL) {
        status = mb_fail_memory(err, n * 40, "the incomplete factor");
        goto done;
    }
    f.work = f.diagonal + n;
    f.mark = f.list + n;
    f.head = f.mark + n;
    f.next = f.head + n;
    memset(f.mark, 0xff, 2 * n * sizeof *f.mark);
    for (size_t j = 0; j < n; j++) {
        f.diagonal[j] = a->value[a->begin[j]] + o->shift;
    }
    MB_TRY(factor(task, &f, result, o, err));
    if (*result == MB_IC_DONE) {
        *l = f.l;
        f.l = (mb_symmetric){0};
    }
done:
    mb_symmetric_dispose(&f.l);
    mb_free(f.diagonal);
    mb_free(f.list);
    mb_free(f.cursor);
    return status;
}

/* Forward by columns, backward by dot products: both walk through L once. */
void mb_incomplete_solve(const mb_task *task, const mb_symmetric *l, double *x)
{
    for (int32_t j = 0; j < l->n; j++) {
        if (j % MB_POLL_STRIDE == 0 && mb_should_stop(task)) {
            return;
        }
        size_t p = l->begin[j];
        double v = x[j] / l->value[p];
        x[j] = v;
        for (p++; p < l->begin[j + 1]; p++) {
            x[l->row[p]] -= l->value[p] * v;
        }
    }
    for (int32_t j = l->n; j-- > 0;) {
        if (j % MB_POLL_STRIDE == 0 && mb_should_stop(task)) {
            return;
        }
        size_t first = l->begin[j];
        double v = x[j];
        for (size_t p = first + 1; p < l->begin[j + 1]; p++) {
            v -= l->value[p] * x[l->row[p]];
        }
        x[j] = v / l->value[first];
    }
}
