/* Symmetric sparse matrices in the one form that ordering, factorisation and iteration share. */
#include "sparse/symmetric.h"

#include "core/alloc.h"

#include <string.h>

/* Rows and values are not initialised. */
mb_status mb_symmetric_create(mb_symmetric *out, int32_t n, size_t entries, mb_error *err)
{
    *out = (mb_symmetric){.n = n};
    out->begin = mb_calloc((size_t)n + 1, sizeof *out->begin);
    out->row = mb_alloc_array(entries, sizeof *out->row);
    out->value = mb_alloc_array(entries, sizeof *out->value);
    if (out->begin == NULL || out->row == NULL || out->value == NULL) {
        mb_symmetric_dispose(out);
        return mb_fail_memory(err, entries * (sizeof *out->row + sizeof *out->value), "a sparse matrix");
    }
    return MB_OK;
}

void mb_symmetric_dispose(mb_symmetric *m)
{
    mb_free(m->begin);
    mb_free(m->row);
    mb_free(m->value);
    *m = (mb_symmetric){0};
}

/* Rows of one column by insertion: columns hold at most 25 entries. */
static void sort_column(int32_t *row, double *value, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int32_t r = row[i];
        double v = value[i];
        size_t k = i;
        for (; k > 0 && row[k - 1] > r; k--) {
            row[k] = row[k - 1];
            value[k] = value[k - 1];
        }
        row[k] = r;
        value[k] = v;
    }
}

/* A counting sort by columns: count, add up, fill from the back, then sort the few rows of each column. */
mb_status mb_symmetric_permute(const mb_task *task, mb_symmetric *out, const mb_symmetric *a, const int32_t *order,
                               int32_t n, const int32_t *place, mb_error *err)
{
    size_t entries = 0;
    for (int32_t i = 0; i < n; i++) {
        entries += a->begin[order[i] + 1] - a->begin[order[i]];
    }
    mb_status status = MB_OK;
    MB_TRY(mb_symmetric_create(out, n, entries, err));
    size_t *begin = out->begin; /* counts first, then running ends, then begins */
    for (int32_t i = 0; i < n; i++) {
        if (i % MB_POLL_STRIDE == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        for (size_t p = a->begin[order[i]]; p < a->begin[order[i] + 1]; p++) {
            int32_t k = place[a->row[p]];
            begin[k < i ? k : i]++;
        }
    }
    for (int32_t i = 1; i <= n; i++) {
        begin[i] += begin[i - 1];
    }
    for (int32_t i = n; i-- > 0;) {
        if (i % MB_POLL_STRIDE == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        for (size_t p = a->begin[order[i]]; p < a->begin[order[i] + 1]; p++) {
            int32_t k = place[a->row[p]], column = k < i ? k : i;
            size_t at = --begin[column];
            out->row[at] = k < i ? i : k;
            out->value[at] = a->value[p];
        }
    }
    for (int32_t i = 0; i < n; i++) {
        if (i % MB_POLL_STRIDE == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        sort_column(out->row + begin[i], out->value + begin[i], begin[i + 1] - begin[i]);
    }
done:
    if (status != MB_OK) {
        mb_symmetric_dispose(out);
    }
    return status;
}

/* Each stored entry below the diagonal counts twice: for its row and for its column. */
void mb_symmetric_multiply(const mb_task *task, double *out, const mb_symmetric *a, const double *x)
{
    memset(out, 0, (size_t)a->n * sizeof *out);
    for (int32_t j = 0; j < a->n; j++) {
        if (j % MB_POLL_STRIDE == 0 && mb_should_stop(task)) {
            return;
        }
        size_t p = a->begin[j];
        double xj = x[j], sum = a->value[p] * xj; /* the diagonal comes first */
        for (p++; p < a->begin[j + 1]; p++) {
            out[a->row[p]] += a->value[p] * xj;
            sum += a->value[p] * x[a->row[p]];
        }
        out[j] += sum;
    }
}
