/* Guessing the patch order. A tile convolution has weights [O, 3*G*G, 3, 3]. In rows the three colours of tile t lie at
 * channels t, t + G*G, t + 2*G*G; in columns at 3t, 3t+1, 3t+2. Pictures are mostly grey, so in a trained model the
 * kernels of one tile's colours resemble each other, while kernels of different tiles do less. The mean correlation
 * under both assumptions is compared. */
#include "patch_order.h"

#include "core/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIN_LEVEL  0.10 /* a mean correlation below this is noise: generated or untrained weights */
#define MIN_MARGIN 0.05

const char *patch_order_name(patch_order o)
{
    return o == PATCH_ROWS ? "rows" : o == PATCH_COLUMNS ? "columns" : "auto";
}

int64_t patch_grid(const char *tensor_name)
{
    static const char start[] = "decoder.ipt_blk", end[] = ".conv1.weight";
    size_t n = sizeof start - 1;
    if (strncmp(tensor_name, start, n) != 0 || tensor_name[n] < '2' || tensor_name[n] > '5' ||
        strcmp(tensor_name + n + 1, end) != 0) {
        return 0;
    }
    return (int64_t)1 << (tensor_name[n] - '0');
}

void patch_read(const source_tensor *t, int64_t grid, size_t first, size_t n, void *dst)
{
    if (grid == 0) {
        source_read(t, first, n, dst);
        return;
    }
    const size_t size = mb_st_dtype_size(t->dtype), kernel = (size_t)(t->dims[2] * t->dims[3]);
    const size_t channels = (size_t)t->dims[1];
    uint8_t *to = dst;
    while (n > 0) { /* a kernel, or what is left of one, at a time */
        size_t in_kernel = first % kernel, channel = first / kernel % channels, output = first / kernel / channels;
        size_t part = kernel - in_kernel < n ? kernel - in_kernel : n;
        size_t from = (output * channels + (size_t)patch_column_channel((int64_t)channel, grid)) * kernel + in_kernel;
        source_read(t, from, part, to);
        to += part * size;
        first += part;
        n -= part;
    }
}

/* Sum and count of the correlations of colour pairs of one output channel. v: [channels][kernel]. */
typedef struct tally {
    double sum;
    double n;
} tally;

/* Pearson's; constant kernels have none and are skipped. */
static void add_correlation(tally *t, const float *a, const float *b, int64_t n)
{
    double ab = 0, aa = 0, bb = 0, ma = 0, mb = 0;
    for (int64_t i = 0; i < n; i++) {
        ma += (double)a[i] / (double)n;
        mb += (double)b[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        double x = (double)a[i] - ma, y = (double)b[i] - mb;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if (aa > 0 && bb > 0) {
        t->sum += ab / sqrt(aa * bb);
        t->n += 1;
    }
}

static void add_channel(tally *rows, tally *columns, const float *v, int64_t grid, int64_t kernel)
{
    const int64_t tiles = grid * grid;
    for (int64_t tile = 0; tile < tiles; tile++) {
        for (int colour = 0; colour < 2; colour++) {
            add_correlation(rows, v + (tile + colour * tiles) * kernel, v + (tile + (colour + 1) * tiles) * kernel,
                            kernel);
            add_correlation(columns, v + (3 * tile + colour) * kernel, v + (3 * tile + colour + 1) * kernel, kernel);
        }
    }
}

static mb_status judge(patch_guess *g, const source_tensor *t, int64_t grid, mb_error *err)
{
    if (t->rank != 4 || t->dims[1] != 3 * grid * grid || t->dims[2] * t->dims[3] < 2 ||
        !mb_st_dtype_is_float(t->dtype)) {
        return MB_OK; /* mis-shaped: reported elsewhere */
    }
    const size_t n = (size_t)(t->dims[1] * t->dims[2] * t->dims[3]);
    uint8_t *raw = mb_alloc_array(n, mb_st_dtype_size(t->dtype));
    float *v = mb_alloc_array(n, sizeof v[0]);
    if (raw == NULL || v == NULL) {
        mb_free(raw);
        mb_free(v);
        return mb_fail_memory(err, n * sizeof v[0], "the test of the patch order");
    }
    tally rows = {0, 0}, columns = {0, 0};
    for (int64_t o = 0; o < t->dims[0]; o++) {
        source_read(t, (size_t)o * n, n, raw);
        mb_st_to_float(v, raw, t->dtype, n);
        add_channel(&rows, &columns, v, grid, t->dims[2] * t->dims[3]);
    }
    mb_free(raw);
    mb_free(v);
    if (rows.n > 0 && columns.n > 0) {
        double r = rows.sum / rows.n, c = columns.sum / columns.n;
        g->rows += r;
        g->columns += c;
        g->n_agree += r > c; /* counted for rows here; turned below */
        g->n_tensors++;
    }
    return MB_OK;
}

/* Both orders are tried on up to four tensors. PATCH_AUTO: the evidence is too weak (MIN_LEVEL, MIN_MARGIN, a
 * majority of the tensors). */
mb_status patch_guess_order(patch_guess *g, const source *s, mb_error *err)
{
    *g = (patch_guess){.order = PATCH_AUTO};
    for (int i = 5; i >= 2; i--) {
        char name[64];
        (void)snprintf(name, sizeof name, "decoder.ipt_blk%d.conv1.weight", i);
        const source_tensor *t = source_find(s, name);
        mb_status status = t != NULL ? judge(g, t, patch_grid(name), err) : MB_OK;
        if (status != MB_OK) {
            return status;
        }
    }
    if (g->n_tensors == 0) {
        return MB_OK;
    }
    g->rows /= g->n_tensors;
    g->columns /= g->n_tensors;
    bool rows = g->rows > g->columns;
    double level = rows ? g->rows : g->columns, margin = fabs(g->rows - g->columns);
    g->n_agree = rows ? g->n_agree : g->n_tensors - g->n_agree;
    if (level >= MIN_LEVEL && margin >= MIN_MARGIN && 2 * g->n_agree > g->n_tensors) {
        g->order = rows ? PATCH_ROWS : PATCH_COLUMNS;
    }
    return MB_OK;
}
