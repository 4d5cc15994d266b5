/* SLIC superpixels (see the header). The first centres lie on a regular grid, so the result is deterministic; ten rounds
 * are enough (the paper's figure). Small orphaned pieces join the patch met before them in scan order. */
#include "segment/slic.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, ROWS_PER_CHUNK = 16 };

typedef struct slic {
    int width, height, count;
    float spacing, compactness;
    const float *lab;      /* [H,W,3] */
    float *l, *a, *b;      /* [H,W] each: the same in planes, so that loops over a row become vectors */
    float *centre;         /* [count][5]: L, a, b, x, y in pixels */
    float *nearest;        /* [H,W] distance to the centre of the label */
    double *sum;           /* [count][6]: the five and the number of pixels */
    int32_t *label, *work; /* [H,W] each; work: scratch */
} slic;

/* A grid of across x down, each with the colour of its pixel. */
static void place_centres(slic *s, int across, int down)
{
    for (int j = 0; j < down; j++) {
        for (int i = 0; i < across; i++) {
            float *c = s->centre + 5 * (j * across + i);
            c[3] = ((float)i + 0.5f) * (float)s->width / (float)across;
            c[4] = ((float)j + 0.5f) * (float)s->height / (float)down;
            int x = (int)c[3], y = (int)c[4];
            memcpy(c, s->lab + 3 * ((size_t)y * (size_t)s->width + (size_t)x), 3 * sizeof(float));
        }
    }
}

/* One centre against the n pixels of a row from column x on, which start at index i. k: weight of the distance in the
 * plane against that of the colours. */
MB_CLONES static void assign_row(const slic *s, const float *centre, int32_t number, float k, int y, int x, size_t i,
                                 int n)
{
    const float *l = s->l + i, *a = s->a + i, *b = s->b + i;
    float *nearest = s->nearest + i;
    int32_t *label = s->label + i;
    const float cl = centre[0], ca = centre[1], cb = centre[2], cx = centre[3], dy = (float)y - centre[4];
    for (int p = 0; p < n; p++) {
        float dl = l[p] - cl, da = a[p] - ca, db = b[p] - cb, dx = (float)(x + p) - cx;
        float d = dl * dl + da * da + db * db + k * (dx * dx + dy * dy), best = nearest[p];
        nearest[p] = d < best ? d : best;
        label[p] = d < best ? number : label[p];
    }
}

/* Every pixel of some rows takes the nearest centre; of equally near ones the first. */
static void assign_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const slic *s = arg;
    size_t width = (size_t)s->width;
    for (size_t i = begin * width; i < end * width; i++) {
        s->nearest[i] = INFINITY;
    }
    float k = s->compactness * s->compactness / (s->spacing * s->spacing);
    for (int c = 0; c < s->count; c++) {
        const float *m = s->centre + 5 * c;
        int x0 = (int)fmaxf(m[3] - 2 * s->spacing, 0), x1 = (int)fminf(m[3] + 2 * s->spacing, (float)s->width - 1);
        int y0 = (int)fmaxf(m[4] - 2 * s->spacing, 0), y1 = (int)fminf(m[4] + 2 * s->spacing, (float)s->height - 1);
        y0 = y0 < (int)begin ? (int)begin : y0;
        y1 = y1 < (int)end ? y1 : (int)end - 1;
        for (int y = y0; y <= y1; y++) {
            assign_row(s, m, c, k, y, x0, (size_t)y * width + (size_t)x0, x1 - x0 + 1);
        }
    }
}

/* Centres become the means of their pixels, summed in raster order: the same bits for any number of threads. */
static void move_centres(slic *s)
{
    memset(s->sum, 0, (size_t)s->count * 6 * sizeof *s->sum);
    for (int y = 0; y < s->height; y++) {
        for (int x = 0; x < s->width; x++) {
            size_t i = (size_t)y * (size_t)s->width + (size_t)x;
            double *q = s->sum + 6 * s->label[i];
            q[0] += (double)s->lab[3 * i];
            q[1] += (double)s->lab[3 * i + 1];
            q[2] += (double)s->lab[3 * i + 2];
            q[3] += x;
            q[4] += y;
            q[5] += 1;
        }
    }
    for (int c = 0; c < s->count; c++) {
        const double *q = s->sum + 6 * c;
        if (q[5] > 0) {
            for (int k = 0; k < 5; k++) {
                s->centre[5 * c + k] = (float)(q[k] / q[5]);
            }
        }
    }
}

/* Gives every 4-connected piece a label of its own, pieces below a quarter of the mean size the label of the piece met
 * before them. -> the number of labels. `fresh` starts as -1 everywhere. (Not image/connected_components.h: whether a
 * piece stays is decided while the pieces after it are still unlabelled.) */
static int connect(const slic *s, int32_t *fresh)
{
    static const int dx[4] = {-1, 0, 1, 0}, dy[4] = {0, -1, 0, 1};
    int count = 0, small = (int)(s->spacing * s->spacing / 4.0f);
    int32_t *queue = s->work;
    for (int start = 0; start < s->width * s->height; start++) {
        if (fresh[start] >= 0) {
            continue;
        }
        int before = -1, size = 0, at = 0;
        queue[size++] = start;
        fresh[start] = count;
        while (at < size) {
            int i = queue[at++], x = i % s->width, y = i / s->width;
            for (int d = 0; d < 4; d++) {
                int u = x + dx[d], v = y + dy[d], j = v * s->width + u;
                if (u < 0 || v < 0 || u >= s->width || v >= s->height) {
                    continue;
                }
                if (fresh[j] >= 0 && fresh[j] != count) {
                    before = before < 0 ? fresh[j] : before;
                } else if (fresh[j] < 0 && s->label[j] == s->label[start]) {
                    fresh[j] = count;
                    queue[size++] = j;
                }
            }
        }
        if (size <= small && before >= 0) {
            for (int i = 0; i < size; i++) {
                fresh[queue[i]] = before;
            }
        } else {
            count++;
        }
    }
    return count;
}

/* Mean, area and border pixels of every label. */
static mb_status measure(mb_superpixels *out, const float *lab, mb_error *err)
{
    size_t k = (size_t)out->count;
    double *sum = mb_calloc(k, 5 * sizeof *sum);
    out->mean = mb_calloc(k, 5 * sizeof(float));
    out->area = mb_calloc(k, sizeof(int32_t));
    out->on_border = mb_calloc(k, sizeof(int32_t));
    if (!sum || !out->mean || !out->area || !out->on_border) {
        mb_free(sum);
        return mb_fail_memory(err, k * 68, "superpixels");
    }
    double side = out->width > out->height ? out->width : out->height;
    for (int y = 0; y < out->height; y++) {
        for (int x = 0; x < out->width; x++) {
            size_t i = (size_t)y * (size_t)out->width + (size_t)x;
            int32_t c = out->label[i];
            double *q = sum + 5 * c;
            q[0] += (double)lab[3 * i];
            q[1] += (double)lab[3 * i + 1];
            q[2] += (double)lab[3 * i + 2];
            q[3] += x / side;
            q[4] += y / side;
            out->area[c]++;
            out->on_border[c] += x == 0 || y == 0 || x == out->width - 1 || y == out->height - 1;
        }
    }
    for (size_t i = 0; i < 5 * k; i++) {
        out->mean[i] = (float)(sum[i] / out->area[i / 5]);
    }
    mb_free(sum);
    return MB_OK;
}

/* k-means, then the patches are made connected; labels are numbered by their first pixel. */
mb_status mb_superpixels_create(const mb_task *task, mb_superpixels *out, const mb_lab *lab, int wanted,
                                float compactness, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)lab->width * (size_t)lab->height;
    *out = (mb_superpixels){.width = lab->width, .height = lab->height};
    float spacing = fmaxf(sqrtf((float)n / (float)(wanted < 1 ? 1 : wanted)), 2.0f);
    int across = (int)fmaxf(roundf((float)lab->width / spacing), 1),
        down = (int)fmaxf(roundf((float)lab->height / spacing), 1);
    slic s = {.width = lab->width,
              .height = lab->height,
              .count = across * down,
              .spacing = spacing,
              .compactness = compactness,
              .lab = lab->v};
    s.l = mb_alloc_array(n, 3 * sizeof *s.l);
    s.work = mb_alloc_array(n, sizeof *s.work);
    s.centre = mb_calloc((size_t)s.count, 5 * sizeof *s.centre);
    s.sum = mb_alloc_array((size_t)s.count, 6 * sizeof *s.sum);
    s.nearest = mb_alloc_array(n, sizeof *s.nearest);
    s.label = mb_calloc(n, sizeof *s.label);
    out->label = mb_alloc_array(n, sizeof *out->label);
    if (!s.l || !s.work || !s.centre || !s.sum || !s.nearest || !s.label || !out->label) {
        status = mb_fail_memory(err, n * 28, "superpixels");
        goto done;
    }
    s.a = s.l + n;
    s.b = s.a + n;
    for (size_t i = 0; i < n; i++) {
        s.l[i] = lab->v[3 * i];
        s.a[i] = lab->v[3 * i + 1];
        s.b[i] = lab->v[3 * i + 2];
    }
    place_centres(&s, across, down);
    for (int i = 0; i < ROUNDS; i++) {
        MB_TRY(mb_task_for(task, (size_t)s.height, ROWS_PER_CHUNK, assign_rows, &s, err));
        move_centres(&s);
        mb_report_progress(task, (i + 1.0) / (ROUNDS + 1));
    }
    memset(out->label, 0xff, n * sizeof *out->label);
    out->count = connect(&s, out->label);
    MB_TRY(measure(out, lab->v, err));
done:
    mb_free(s.l);
    mb_free(s.work);
    mb_free(s.centre);
    mb_free(s.sum);
    mb_free(s.nearest);
    mb_free(s.label);
    if (status != MB_OK) {
        mb_superpixels_dispose(out);
    }
    return status;
}

void mb_superpixels_dispose(mb_superpixels *s)
{
    mb_free(s->label);
    mb_free(s->mean);
    mb_free(s->area);
    mb_free(s->on_border);
    *s = (mb_superpixels){0};
}
