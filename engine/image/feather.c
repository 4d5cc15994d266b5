/* Separable: rows into a second plane, columns back from it. Both passes add whole rows scaled by one weight each, so
 * the inner loops run along memory and the sums have one order, whichever thread makes them. */
#include "image/feather.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <math.h>
#include <string.h>

#define REACH 3.0   /* standard deviations: beyond lies 0.3 % of the weight */
#define EXACT 1e-5f /* sums of weights are 1 up to rounding: as near to 0 or 1 as this is 0 or 1 */

typedef struct feather_job {
    mb_image_f32 *plane;
    float *half;    /* [H,W]: after the rows */
    float *weights; /* from the centre outwards, 1 + radius of them; both sides together sum to 1 */
    int radius;
} feather_job;

/* out += weight * in */
MB_CLONES static void add_scaled(float *out, const float *in, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] += weight * in[i];
    }
}

/* One row, blurred along itself: for each distance k the row shifted by k to either side; what a shift leaves uncovered
 * is the border pixel's. */
static void blur_row(float *out, const float *in, int n, const feather_job *j)
{
    memset(out, 0, (size_t)n * sizeof *out);
    add_scaled(out, in, j->weights[0], (size_t)n);
    for (int k = 1; k <= j->radius; k++) {
        int covered = k < n ? n - k : 0;
        float w = j->weights[k];
        add_scaled(out + (n - covered), in, w, (size_t)covered); /* from the left */
        add_scaled(out, in + (n - covered), w, (size_t)covered); /* from the right */
        for (int x = covered; x < n; x++) {
            out[x] += w * in[n - 1];
            out[n - 1 - x] += w * in[0];
        }
    }
}

static void blur_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const feather_job *j = arg;
    size_t width = (size_t)j->plane->width;
    for (size_t y = begin; y < end; y++) {
        blur_row(j->half + y * width, j->plane->v + y * width, j->plane->width, j);
    }
}

/* The columns of some rows: sums of the rows around each. */
static void blur_columns(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const feather_job *j = arg;
    size_t width = (size_t)j->plane->width;
    int last = j->plane->height - 1;
    for (size_t y = begin; y < end; y++) {
        float *out = j->plane->v + y * width;
        memset(out, 0, width * sizeof *out);
        add_scaled(out, j->half + y * width, j->weights[0], width);
        for (int k = 1; k <= j->radius; k++) {
            int above = (int)y - k > 0 ? (int)y - k : 0, below = (int)y + k < last ? (int)y + k : last;
            add_scaled(out, j->half + (size_t)above * width, j->weights[k], width);
            add_scaled(out, j->half + (size_t)below * width, j->weights[k], width);
        }
        for (size_t x = 0; x < width; x++) {
            out[x] = out[x] > 1.0f - EXACT ? 1.0f : out[x] < EXACT ? 0.0f : out[x];
        }
    }
}

static void fill_weights(float *weights, int radius, double sigma)
{
    double sum = 0.0;
    for (int k = 0; k <= radius; k++) {
        sum += (k > 0 ? 2.0 : 1.0) * exp(-0.5 * k * k / (sigma * sigma));
    }
    for (int k = 0; k <= radius; k++) {
        weights[k] = (float)(exp(-0.5 * k * k / (sigma * sigma)) / sum);
    }
}

mb_status mb_feather(const mb_task *task, mb_image_f32 *plane, double sigma, mb_error *err)
{
    size_t n = (size_t)plane->width * (size_t)plane->height;
    feather_job j = {.plane = plane, .radius = (int)ceil(REACH * sigma)};
    mb_task rows = mb_task_part(task, 0.0, 0.5), columns = mb_task_part(task, 0.5, 0.5);
    mb_status status = MB_OK;
    j.half = mb_alloc_array(n, sizeof *j.half);
    j.weights = mb_alloc_array((size_t)j.radius + 1, sizeof *j.weights);
    if (j.half == NULL || j.weights == NULL) {
        status = mb_fail_memory(err, n * sizeof *j.half, "feathering alpha");
        goto done;
    }
    fill_weights(j.weights, j.radius, sigma);
    MB_TRY(mb_task_for(&rows, (size_t)plane->height, 8, blur_rows, &j, err));
    MB_TRY(mb_task_for(&columns, (size_t)plane->height, 8, blur_columns, &j, err));
done:
    mb_free(j.half);
    mb_free(j.weights);
    return status;
}
