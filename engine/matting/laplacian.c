/* Assembly of the matting Laplacian on the unknown band alone.
 *
 * Unknown pixels are numbered through a bit image with running counts, 0.19 bytes a pixel. Every 3 x 3 window that
 * holds one adds its 45 pairs to a 13-entry half stencil per unknown pixel (raster order: the same row, the next, the
 * one after). Bands of rows are worked on in two phases, even then odd, so no two tasks write to one pixel and sums
 * have one order for any number of threads. The window's inverse covariance is never formed: a Cholesky factor of it
 * turns the 9 centred colours into z_i, and the quadratic form into a dot product, exact also where the covariance is
 * singular. */
#include "matting/laplacian.h"

#include "core/alloc.h"

#include <limits.h>
#include <string.h>

#define STENCIL   13
#define BAND_ROWS 16

/* The system while it is assembled. */
typedef struct assembly {
    const mb_image_view *photo;
    const mb_image_u8 *trimap;
    double epsilon;
    mb_bitmap unknown;
    uint32_t *rank; /* [height][words] unknown pixels before this word */
    double *half;   /* [n][STENCIL] */
    mb_matting_system *s;
    size_t phase;
    const mb_task *task;
} assembly;

/* colour [9][3] -> z [9][3]: centred colours through the inverse Cholesky factor of their covariance. */
void mb_matting_window(double z[9][3], const double colour[9][3], double epsilon)
{
    double mean[3] = {0}, c[6] = {0};
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 3; k++) {
            mean[k] += colour[i][k];
        }
    }
    for (int k = 0; k < 3; k++) {
        mean[k] /= 9;
    }
    for (int i = 0; i < 9; i++) {
        double r = colour[i][0] - mean[0], g = colour[i][1] - mean[1], b = colour[i][2] - mean[2];
        c[0] += r * r;
        c[1] += r * g;
        c[2] += r * b;
        c[3] += g * g;
        c[4] += g * b;
        c[5] += b * b;
        z[i][0] = r;
        z[i][1] = g;
        z[i][2] = b;
    }
    /* S + eps/9 Id = (c + eps Id) / 9 = K K^T / 9: rows of K, then z = 3 K^-1 (I - mu) */
    double k00 = sqrt(c[0] + epsilon), i0 = 1 / k00, k10 = c[1] * i0, k20 = c[2] * i0;
    double i1 = 1 / sqrt(c[3] + epsilon - k10 * k10), k21 = (c[4] - k10 * k20) * i1;
    double i2 = 1 / sqrt(c[5] + epsilon - k20 * k20 - k21 * k21);
    for (int i = 0; i < 9; i++) {
        double z0 = z[i][0] * i0, z1 = (z[i][1] - k10 * z0) * i1, z2 = (z[i][2] - k20 * z0 - k21 * z1) * i2;
        z[i][0] = 3 * z0;
        z[i][1] = 3 * z1;
        z[i][2] = 3 * z2;
    }
}

/* The number of an unknown pixel: those before its word, and those before it in the word. */
static int32_t number_of(const assembly *a, int x, int y)
{
    size_t w = (size_t)y * a->unknown.words + (size_t)x / 64;
    uint64_t below = a->unknown.v[w] & ((UINT64_C(1) << (x % 64)) - 1);
    return (int32_t)(a->rank[w] + (uint32_t)__builtin_popcountll(below));
}

/* Adds the window centred at (x,y): numbers of its unknown pixels, colours, pairs. */
static void add_window(const assembly *a, int x, int y)
{
    static const struct {
        signed char y, x;
    } slot[9] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}};
    int32_t id[9];
    uint8_t known[9];
    double colour[9][3], z[9][3];
    size_t width = (size_t)a->trimap->width, channels = (size_t)a->photo->channels;
    for (int i = 0; i < 9; i++) {
        int px = x - 1 + slot[i].x, py = y - 1 + slot[i].y;
        size_t at = (size_t)py * width + (size_t)px;
        known[i] = a->trimap->v[at];
        id[i] = mb_bitmap_get(&a->unknown, px, py) ? number_of(a, px, py) : -1;
        for (size_t k = 0; k < 3; k++) {
            colour[i][k] = (double)mb_image_view_at(a->photo, at * channels + (channels == 1 ? 0 : k));
        }
    }
    mb_matting_window(z, (const double(*)[3])colour, a->epsilon);
    for (int i = 0; i < 9; i++) {
        if (id[i] < 0) {
            continue;
        }
        double *row = a->half + (size_t)id[i] * STENCIL, zi0 = z[i][0], zi1 = z[i][1], zi2 = z[i][2];
        row[0] += 1 - (1 + zi0 * zi0 + zi1 * zi1 + zi2 * zi2) / 9;
        for (int j = 0; j < 9; j++) {
            double pull = (1 + zi0 * z[j][0] + zi1 * z[j][1] + zi2 * z[j][2]) / 9; /* = -L_ij */
            if (id[j] >= 0) {
                int dy = slot[j].y - slot[i].y, dx = slot[j].x - slot[i].x;
                if (j > i) { /* stencil entries: (0,1) (0,2), (1,-2..2), (2,-2..2) */
                    row[5 * dy + dx] -= pull;
                }
            } else if (known[j] == 255) {
                a->s->b[id[i]] += pull;
                a->s->sees[id[i]] |= MB_SEES_FOREGROUND;
            } else {
                a->s->sees[id[i]] |= MB_SEES_BACKGROUND;
            }
        }
    }
}

/* Windows of word w in the row of centres y that hold an unknown pixel: any of the 3 x 3 bits. */
static uint64_t windows_of_word(const mb_bitmap *u, int y, size_t w)
{
    uint64_t all = 0;
    for (int v = y - 1; v <= y + 1; v++) {
        const uint64_t *row = mb_bitmap_row(u, v);
        uint64_t bits = row[w] | row[w] << 1 | row[w] >> 1;
        bits |= w > 0 ? row[w - 1] >> 63 : 0;
        bits |= w + 1 < u->words ? row[w + 1] << 63 : 0;
        all |= bits;
    }
    return all;
}

/* Bands [begin, end) of one phase: all windows whose centre lies in them. */
static void add_bands(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const assembly *a = arg;
    int width = a->trimap->width, height = a->trimap->height;
    for (size_t band = begin; band < end; band++) {
        int y0 = (int)(2 * band + a->phase) * BAND_ROWS, y1 = y0 + BAND_ROWS;
        for (int y = y0 > 1 ? y0 : 1; y < y1 && y < height - 1 && !mb_should_stop(a->task); y++) {
            for (size_t w = 0; w < a->unknown.words; w++) {
                uint64_t bits = windows_of_word(&a->unknown, y, w);
                for (; bits != 0; bits &= bits - 1) {
                    int x = (int)(w * 64) + __builtin_ctzll(bits);
                    if (x >= 1 && x < width - 1) {
                        add_window(a, x, y);
                    }
                }
            }
        }
    }
}

/* Running counts and the list of unknown pixels. */
static mb_status number_unknown(assembly *a, mb_error *err)
{
    mb_matting_system *s = a->s;
    mb_status status = MB_OK;
    MB_TRY(mb_bitmap_create(&a->unknown, a->trimap->width, a->trimap->height, err));
    mb_bitmap_range(a->task, &a->unknown, a->trimap, 1, 254);
    size_t words = a->unknown.words * (size_t)a->unknown.height, count = 0;
    a->rank = mb_alloc_array(words, sizeof *a->rank);
    if (a->rank == NULL) {
        return mb_fail_memory(err, words * sizeof *a->rank, "the list of unknown pixels");
    }
    for (size_t i = 0; i < words; i++) {
        a->rank[i] = (uint32_t)count;
        count += (size_t)__builtin_popcountll(a->unknown.v[i]);
    }
    if (count > INT32_MAX / STENCIL) {
        return mb_fail(err, MB_E_MEMORY,
                       "closed-form matting of %zu unknown pixels is too large\n"
                       "use a narrower band (smaller erode and dilate) or detail=guided",
                       count);
    }
    s->n = (int32_t)count;
    s->pixel = mb_alloc_array(count, sizeof *s->pixel);
    s->b = mb_calloc(count, sizeof *s->b);
    s->sees = mb_calloc(count, sizeof *s->sees);
    a->half = mb_calloc(count, STENCIL * sizeof *a->half);
    if (s->pixel == NULL || s->b == NULL || s->sees == NULL || a->half == NULL) {
        return mb_fail_memory(err, count * (STENCIL * sizeof *a->half + 13), "the matting Laplacian");
    }
    for (size_t i = 0, k = 0; i < words; i++) {
        size_t y = i / a->unknown.words, x = i % a->unknown.words * 64;
        for (uint64_t bits = a->unknown.v[i]; bits != 0; bits &= bits - 1) {
            s->pixel[k++] = (int32_t)(y * (size_t)a->trimap->width + x + (size_t)__builtin_ctzll(bits));
        }
    }
done:
    return status;
}

/* Half stencils to columns of the lower triangle: stencil order is ascending row order. */
static mb_status compress(assembly *a, mb_error *err)
{
    mb_matting_system *s = a->s;
    int width = a->trimap->width, height = a->trimap->height;
    static const signed char dx[STENCIL] = {0, 1, 2, -2, -1, 0, 1, 2, -2, -1, 0, 1, 2};
    static const signed char dy[STENCIL] = {0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    size_t entries = 0;
    for (int pass = 0; pass < 2; pass++) { /* count, then fill */
        entries = 0;
        for (int32_t i = 0; i < s->n; i++) {
            if (i % MB_POLL_STRIDE == 0 && mb_should_stop(a->task)) {
                return mb_task_check(a->task, err);
            }
            int x = s->pixel[i] % width, y = s->pixel[i] / width;
            for (int k = 0; k < STENCIL; k++) {
                int u = x + dx[k], v = y + dy[k];
                if (u < 0 || u >= width || v >= height || !mb_bitmap_get(&a->unknown, u, v)) {
                    continue;
                }
                if (pass == 1) {
                    s->a.row[entries] = number_of(a, u, v);
                    s->a.value[entries] = a->half[(size_t)i * STENCIL + (size_t)k];
                }
                entries++;
            }
            if (pass == 1) {
                s->a.begin[i + 1] = entries;
            }
        }
        if (pass == 0) {
            mb_status status = mb_symmetric_create(&s->a, s->n, entries, err);
            if (status != MB_OK) {
                return status;
            }
        }
    }
    return MB_OK;
}

/* Count and number, assemble in two phases, compress. */
mb_status mb_matting_system_create(const mb_task *task, mb_matting_system *out, const mb_matting_input *in,
                                   mb_error *err)
{
    assembly a = {.photo = in->photo, .trimap = in->trimap, .epsilon = in->epsilon, .s = out, .task = task};
    mb_status status = MB_OK;
    *out = (mb_matting_system){0};
    MB_TRY(number_unknown(&a, err));
    size_t bands = ((size_t)in->trimap->height - 1) / BAND_ROWS + 1;
    for (a.phase = 0; a.phase < 2; a.phase++) {
        MB_TRY(mb_task_for(task, (bands + 1 - a.phase) / 2, 1, add_bands, &a, err));
    }
    MB_TRY(compress(&a, err));
done:
    mb_bitmap_dispose(&a.unknown);
    mb_free(a.rank);
    mb_free(a.half);
    if (status != MB_OK) {
        mb_matting_system_dispose(out);
    }
    return status;
}

void mb_matting_system_dispose(mb_matting_system *s)
{
    mb_free(s->pixel);
    mb_symmetric_dispose(&s->a);
    mb_free(s->b);
    mb_free(s->sees);
    *s = (mb_matting_system){0};
}
