/* ViT attention with decomposed relative positions, without its two linear layers (Li et al. 2022, MViTv2, eq. 4;
 * docs/models/vitmatte.md 4.3). On a map of a x b tokens (a = H, b = W if window = 0; else a = b = window, the map
 * padded right and bottom with tokens whose qkv is pad_qkv, which are keys but whose outputs are dropped), per head:
 *     y_i = sum_j softmax_j( scale * q_i.k_j + rel_scale * (q_i.Rh[yi-yj+a-1] + q_i.Rw[xi-xj+b-1]) ) v_j,
 * with pads_as_one the sum over the padding keys in closed form:
 *     Z = exp(scale * q.k_pad) * ( sum_{y' >= rows} exp(rh[y']) * sum_{x'}         exp(rw[x'])
 *                                + sum_{y' <  rows} exp(rh[y']) * sum_{x' >= cols} exp(rw[x']) ),
 * rh and rw the relative terms, rows x cols the tokens of the window on the picture.
 * Rh = rel_pos_h resized to 2a-1 rows: s = max((o+0.5)*rows/(2a-1) - 0.5, 0), i = trunc(s), linear between rows i and
 * min(i+1, rows-1); Rw likewise with b. Without tables there are no relative terms (DINOv3).
 *     qkv [N,3C,H,W] (q, k, v; head-major inside each), rel_pos_h, rel_pos_w [rows,d], pad_qkv [3C] -> [N,C,H,W] */
#include "ref.h"
#include "rules/vit_attention.h"

/* Row o of the table resized to `out` rows, times q. */
static double table_dot(const mb_view *table, int64_t o, int64_t out, const float *q)
{
    int64_t rows = table->dims[0], d = table->dims[1];
    double s = ((double)o + 0.5) * (double)rows / (double)out - 0.5, sum = 0;
    s = s > 0 ? s : 0;
    int64_t i = (int64_t)s, j = i + 1 < rows ? i + 1 : rows - 1;
    const float *t = table->data;
    for (int64_t e = 0; e < d; e++) {
        sum += q[e] * ((1 - (s - (double)i)) * t[i * d + e] + (s - (double)i) * t[j * d + e]);
    }
    return sum;
}

/* The qkv of place (y,x) of the padded map: outside of the picture the padding's. */
static const float *token_at(const mb_call *c, int64_t n, int64_t y, int64_t x)
{
    bool real = y < c->in[0].dims[2] && x < c->in[0].dims[3];
    return real ? mb_px(&c->in[0], n, y, x) : c->in[3].data;
}

/* The largest and the sum of exp(v - largest) of n values; -inf and 0 of none. */
static void exp_sum(double *most, double *sum, const double *v, int64_t n)
{
    *most = -INFINITY;
    *sum = 0;
    for (int64_t i = 0; i < n; i++) {
        *most = v[i] > *most ? v[i] : *most;
    }
    for (int64_t i = 0; i < n; i++) {
        *sum += exp(v[i] - *most);
    }
}

/* log sum exp(rh[y'] + rw[x']) over the places of a window that lie outside of its rows x cols tokens. */
static double pads_term(const mb_vit_map *m, const double *rh, const double *rw, int64_t rows, int64_t cols)
{
    double below, below_sum, all, all_sum, beside, beside_sum, right, right_sum;
    exp_sum(&below, &below_sum, rh + rows, m->a - rows);
    exp_sum(&all, &all_sum, rw, m->b);
    exp_sum(&beside, &beside_sum, rh, rows);
    exp_sum(&right, &right_sum, rw + cols, m->b - cols);
    double most = below + all > beside + right ? below + all : beside + right;
    return most +
           log(exp(below + all - most) * below_sum * all_sum + exp(beside + right - most) * beside_sum * right_sum);
}

/* attend() with the padding as one key: the tokens of the window on the picture, then (perhaps) the padding. */
static void attend_real(const mb_call *c, int64_t n, int64_t y, int64_t x, int64_t head, const double *rh,
                        const double *rw)
{
    const mb_vit_attention_attrs *at = c->attrs;
    mb_vit_map m = mb_vit_map_of(c);
    int64_t channels = c->out.dims[1], y0 = y / m.a * m.a, x0 = x / m.b * m.b;
    int64_t rows = mb_vit_inside(c->in[0].dims[2], m.a, y / m.a), cols = mb_vit_inside(c->in[0].dims[3], m.b, x / m.b);
    int64_t keys = rows * cols + (rows * cols < m.a * m.b ? 1 : 0);
    const float *q = mb_px(&c->in[0], n, y, x) + head * m.d;
    double *logit = c->workspace, most, total;
    /* Logits of the real keys; the last one may stand for all padding. */
    for (int64_t j = 0; j < keys; j++) {
        bool pads = j == rows * cols;
        const float *token = pads ? c->in[3].data : mb_px(&c->in[0], n, y0 + j / cols, x0 + j % cols);
        double dot = 0;
        for (int64_t e = 0; e < m.d; e++) {
            dot += (double)q[e] * token[channels + head * m.d + e];
        }
        logit[j] = (double)at->scale * dot + (pads ? pads_term(&m, rh, rw, rows, cols) : rh[j / cols] + rw[j % cols]);
    }
    exp_sum(&most, &total, logit, keys);
    for (int64_t j = 0; j < keys; j++) {
        logit[j] = exp(logit[j] - most);
    }
    for (int64_t e = 0; e < m.d; e++) {
        double sum = 0;
        for (int64_t j = 0; j < keys; j++) {
            const float *token = j == rows * cols ? c->in[3].data : mb_px(&c->in[0], n, y0 + j / cols, x0 + j % cols);
            sum += logit[j] * token[2 * channels + head * m.d + e];
        }
        mb_px(&c->out, n, y, x)[head * m.d + e] = (float)(sum / total);
    }
}

/* One query at (y,x), one head. Scratch: logits [a*b], relative terms [a] and [b]. */
static void attend(const mb_call *c, int64_t n, int64_t y, int64_t x, int64_t head)
{
    const mb_vit_attention_attrs *at = c->attrs;
    mb_vit_map m = mb_vit_map_of(c);
    int64_t channels = c->out.dims[1], y0 = y / m.a * m.a, x0 = x / m.b * m.b;
    double *logit = c->workspace, *rh = logit + m.a * m.b, *rw = rh + m.a, max = -INFINITY, total = 0;
    const float *q = mb_px(&c->in[0], n, y, x) + head * m.d;
    bool relative = mb_call_has(c, 1);
    /* Relative terms towards each row and each column of the map. */
    for (int64_t r = 0; r < m.a; r++) {
        rh[r] = relative ? (double)at->rel_scale * table_dot(&c->in[1], y - y0 - r + m.a - 1, 2 * m.a - 1, q) : 0;
    }
    for (int64_t r = 0; r < m.b; r++) {
        rw[r] = relative ? (double)at->rel_scale * table_dot(&c->in[2], x - x0 - r + m.b - 1, 2 * m.b - 1, q) : 0;
    }
    /* The closed form for the padding. */
    if (at->pads_as_one) {
        attend_real(c, n, y, x, head, rh, rw);
        return;
    }
    for (int64_t j = 0; j < m.a * m.b; j++) {
        const float *k = token_at(c, n, y0 + j / m.b, x0 + j % m.b) + channels + head * m.d;
        double dot = 0;
        for (int64_t e = 0; e < m.d; e++) {
            dot += (double)q[e] * k[e];
        }
        logit[j] = (double)at->scale * dot + rh[j / m.b] + rw[j % m.b];
        max = logit[j] > max ? logit[j] : max;
    }
    for (int64_t j = 0; j < m.a * m.b; j++) {
        logit[j] = exp(logit[j] - max);
        total += logit[j];
    }
    for (int64_t e = 0; e < m.d; e++) {
        double sum = 0;
        for (int64_t j = 0; j < m.a * m.b; j++) {
            sum += logit[j] * token_at(c, n, y0 + j / m.b, x0 + j % m.b)[2 * channels + head * m.d + e];
        }
        mb_px(&c->out, n, y, x)[head * m.d + e] = (float)(sum / total);
    }
}

/* Query by query and head by head. Padding is never a query. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_vit_attention_attrs *at = c->attrs;
    int64_t h = c->out.dims[2], w = c->out.dims[3];
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t head = 0; head < at->heads; head++) {
            attend(c, t / (h * w), t / w % h, t % w, head);
        }
    }
    return MB_OK;
}

/* Logits of one query, then its relative terms for rows and columns. */
static size_t workspace(const mb_call *c)
{
    mb_vit_map m = mb_vit_map_of(c);
    return (size_t)(m.a * m.b + m.a + m.b) * sizeof(double);
}

const mb_kernel mb_ref_vit_attention = {.name = "ref", .workspace = workspace, .run = run};
