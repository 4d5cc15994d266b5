/* Blank pictures (see the header). Saliency and minimum cuts stretch whatever differences there are to their full
 * range, so that an empty page would get a subject made of rounding errors. */
#include "segment/plain.h"

#include "core/alloc.h"
#include "image/resample/reduce.h"
#include "segment/lab.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 640, FIELDS = 24 };
static const double NEAR = 2.5, ERRORS = 4.0;

typedef struct field {
    double sum[3], squares; /* of Lab; squares: of all three */
    double n;
} field;

static size_t field_of(int at, int size)
{
    return (size_t)((int64_t)at * FIELDS / size);
}

static void add_row(field *row, const float *lab, int width)
{
    for (int x = 0; x < width; x++, lab += 3) {
        field *f = row + field_of(x, width);
        for (int c = 0; c < 3; c++) {
            f->sum[c] += (double)lab[c];
            f->squares += (double)lab[c] * (double)lab[c];
        }
        f->n += 1;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle_of(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

/* fields: those with pixels, n of them. */
static bool all_alike(const field *fields, int n)
{
    double values[FIELDS * FIELDS], middle[3];
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < n; i++) {
            values[i] = fields[i].sum[c] / fields[i].n;
        }
        middle[c] = middle_of(values, n);
    }
    for (int i = 0; i < n; i++) { /* squared standard error of the mean, by the spread inside */
        const field *f = fields + i;
        double mean2 = (f->sum[0] * f->sum[0] + f->sum[1] * f->sum[1] + f->sum[2] * f->sum[2]) / (f->n * f->n);
        values[i] = fmax(f->squares / f->n - mean2, 0) / f->n;
    }
    const double limit = NEAR + ERRORS * sqrt(middle_of(values, n));
    for (int i = 0; i < n; i++) {
        double d2 = 0;
        for (int c = 0; c < 3; c++) {
            double d = fields[i].sum[c] / fields[i].n - middle[c];
            d2 += d * d;
        }
        if (d2 > limit * limit) {
            return false;
        }
    }
    return true;
}

mb_status mb_picture_is_plain(const mb_task *task, bool *plain, const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 small = {0};
    mb_lab lab = {0};
    field *fields = mb_calloc((size_t)FIELDS * FIELDS, sizeof *fields);
    *plain = false;
    if (fields == NULL) {
        return mb_fail_memory(err, (size_t)FIELDS * FIELDS * sizeof *fields, "a look at the picture");
    }
    MB_TRY(mb_image_u8_reduce(task, &small, rgb, SIDE, err));
    MB_TRY(mb_lab_create(task, &lab, &small, err));
    for (int y = 0; y < small.height; y++) {
        add_row(fields + field_of(y, small.height) * FIELDS, lab.v + (size_t)y * (size_t)small.width * 3, small.width);
    }
    int n = 0;
    for (int i = 0; i < FIELDS * FIELDS; i++) { /* pictures of fewer pixels leave some empty */
        if (fields[i].n > 0) {
            fields[n++] = fields[i];
        }
    }
    *plain = all_alike(fields, n);
done:
    mb_lab_dispose(&lab);
    mb_free(fields);
    mb_image_u8_dispose(&small);
    return status;
}
