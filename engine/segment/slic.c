/* SLIC superpixels (see the header). Seeds lie on a regular grid, so the result is deterministic; ten rounds are
 * enough (the paper's figure). Small orphaned pieces join the patch met before them in scan order. */
#include "segment/slic.h"

#include "core/alloc.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10 };

static float lab_curve(float t)
{
    return t > 0.008856452f ? cbrtf(t) : 7.787037f * t + 16.0f / 116.0f;
}

void mb_rgb_to_lab(float *lab, const uint8_t *rgb, size_t n, int channels)
{
    float linear[256];
    for (int i = 0; i < 256; i++) {
        float v = (float)i / 255.0f;
        linear[i] = v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
    }
    for (size_t i = 0; i < n; i++) {
        float r = linear[rgb[0]], g = linear[rgb[1]], b = linear[rgb[2]];
        float x = lab_curve((0.4124564f * r + 0.3575761f * g + 0.1804375f * b) / 0.95047f);
        float y = lab_curve(0.2126729f * r + 0.7151522f * g + 0.0721750f * b);
        float z = lab_curve((0.0193339f * r + 0.1191920f * g + 0.9503041f * b) / 1.08883f);
        lab[0] = 116.0f * y - 16.0f;
        lab[1] = 500.0f * (x - y);
        lab[2] = 200.0f * (y - z);
        lab += 3;
        rgb += channels;
    }
}

typedef struct slic {
    int width, height, count;
    float spacing, compactness;
    const float *lab;
    float *centre; /* [count][5]: L, a, b, x, y in pixels */
    float *nearest;
    double *sum; /* [count][6]: the five and the number of pixels */
    int32_t *label;
} slic;

static void place_seeds(slic *s, int across, int down)
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

static void assign(slic *s)
{
    size_t n = (size_t)s->width * (size_t)s->height;
    for (size_t i = 0; i < n; i++) {
        s->nearest[i] = INFINITY;
    }
    float k = s->compactness * s->compactness / (s->spacing * s->spacing);
    for (int c = 0; c < s->count; c++) {
        const float *m = s->centre + 5 * c;
        int x0 = (int)fmaxf(m[3] - 2 * s->spacing, 0), x1 = (int)fminf(m[3] + 2 * s->spacing, (float)s->width - 1);
        int y0 = (int)fmaxf(m[4] - 2 * s->spacing, 0), y1 = (int)fminf(m[4] + 2 * s->spacing, (float)s->height - 1);
        for (int y = y0; y <= y1; y++) {
            size_t i = (size_t)y * (size_t)s->width + (size_t)x0;
            const float *p = s->lab + 3 * i;
            float dy = (float)y - m[4];
            for (int x = x0; x <= x1; x++, i++, p += 3) {
                float dl = p[0] - m[0], da = p[1] - m[1], db = p[2] - m[2], dx = (float)x - m[3];
                float d = dl * dl + da * da + db * db + k * (dx * dx + dy * dy);
                if (d < s->nearest[i]) {
                    s->nearest[i] = d;
                    s->label[i] = c;
                }
            }
        }
    }
}

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
        for (int k = 0; k < 5 && q[5] > 0; k++) {
            s->centre[5 * c + k] = (float)(q[k] / q[5]);
        }
    }
}

/* Gives every 4-connected piece a label of its own, pieces below a quarter of the mean size the label of the piece met
 * before them. -> the number of labels. `fresh` starts as -1 everywhere. */
static int connect(const slic *s, int32_t *fresh, int32_t *stack)
{
    static const int dx[4] = {-1, 0, 1, 0}, dy[4] = {0, -1, 0, 1};
    int count = 0, small = (int)(s->spacing * s->spacing / 4.0f);
    for (int start = 0; start < s->width * s->height; start++) {
        if (fresh[start] >= 0) {
            continue;
        }
        int before = -1, size = 0, at = 0;
        stack[size++] = start;
        fresh[start] = count;
        while (at < size) {
            int i = stack[at++], x = i % s->width, y = i / s->width;
            for (int d = 0; d < 4; d++) {
                int u = x + dx[d], v = y + dy[d], j = v * s->width + u;
                if (u < 0 || v < 0 || u >= s->width || v >= s->height) {
                    continue;
                }
                if (fresh[j] >= 0 && fresh[j] != count) {
                    before = before < 0 ? fresh[j] : before;
                } else if (fresh[j] < 0 && s->label[j] == s->label[start]) {
                    fresh[j] = count;
                    stack[size++] = j;
                }
            }
        }
        if (size <= small && before >= 0) {
            for (int i = 0; i < size; i++) {
                fresh[stack[i]] = before;
            }
        } else {
            count++;
        }
    }
    return count;
}

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

mb_status mb_superpixels_create(mb_superpixels *out, const mb_image_u8 *rgb, int wanted, float compactness,
                                mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)rgb->width * (size_t)rgb->height;
    *out = (mb_superpixels){.width = rgb->width, .height = rgb->height};
    float spacing = fmaxf(sqrtf((float)n / (float)(wanted < 1 ? 1 : wanted)), 2.0f);
    int across = (int)fmaxf(roundf((float)rgb->width / spacing), 1),
        down = (int)fmaxf(roundf((float)rgb->height / spacing), 1);
    slic s = {rgb->width, rgb->height, across * down, spacing, compactness, NULL, NULL, NULL, NULL, NULL};
    float *lab = mb_alloc_array(n, 3 * sizeof *lab);
    int32_t *stack = mb_alloc_array(n, sizeof *stack);
    s.centre = mb_calloc((size_t)s.count, 5 * sizeof(float));
    s.sum = mb_alloc_array((size_t)s.count, 6 * sizeof(double));
    s.nearest = mb_alloc_array(n, sizeof(float));
    s.label = mb_calloc(n, sizeof(int32_t));
    out->label = mb_alloc_array(n, sizeof(int32_t));
    if (!lab || !stack || !s.centre || !s.sum || !s.nearest || !s.label || !out->label) {
        status = mb_fail_memory(err, n * 28, "superpixels");
        goto done;
    }
    mb_rgb_to_lab(lab, rgb->v, n, rgb->channels);
    s.lab = lab;
    place_seeds(&s, across, down);
    for (int i = 0; i < ROUNDS; i++) {
        assign(&s);
        move_centres(&s);
    }
    memset(out->label, 0xff, n * sizeof(int32_t));
    out->count = connect(&s, out->label, stack);
    MB_TRY(measure(out, lab, err));
done:
    mb_free(lab);
    mb_free(stack);
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
