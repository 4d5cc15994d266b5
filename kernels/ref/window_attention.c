/* Swin's (shifted) window attention without its two linear layers (Liu et al. 2021, 3.2, eq. 4; docs/models/birefnet.md
 * 3.1). The map is padded right and bottom to multiples of the window with tokens whose qkv is pad_qkv, rolled by
 * (-shift,-shift), and cut into windows; in each window and head
 *     y_i = sum_j softmax_j( scale * q_i.k_j + table[(yi-yj+w-1)*(2w-1) + xi-xj+w-1] + mask_ij ) v_j
 * over all w*w keys, padding tokens included. mask_ij = -inf if the labels of i and j differ: on the rolled, padded
 * grid, rows y < Hp-w have label 0, y < Hp-shift 1, the others 2; columns alike (so also on a single window, where
 * label 0 is empty). Without shift all labels are equal inside a window. Outputs of padding tokens are dropped.
 *     qkv [N,3C,H,W] (q, k, v; head-major inside each), table [(2w-1)^2,heads], pad_qkv [3C] -> [N,C,H,W] */
#include "ref.h"

/* Which of the three bands of the shift mask a rolled row (or column) lies in. */
static int label(int64_t rolled, int64_t padded, const mb_window_attention_attrs *a)
{
    if (a->shift == 0 || rolled < padded - a->window) {
        return 0;
    }
    return rolled < padded - a->shift ? 1 : 2;
}

/* A token of the rolled, padded grid. */
typedef struct token {
    int64_t y, x; /* where it comes from */
    int label;
    bool real;
    const float *qkv;
} token;

/* The token that the roll has brought to (ry,rx). */
static token token_at(const mb_call *c, int64_t n, int64_t ry, int64_t rx)
{
    const mb_window_attention_attrs *a = c->attrs;
    const mb_view *qkv = &c->in[0];
    int64_t hp = mb_round_up(qkv->dims[2], a->window), wp = mb_round_up(qkv->dims[3], a->window);
    token t = {.y = (ry + a->shift) % hp, .x = (rx + a->shift) % wp};
    t.label = 3 * label(ry, hp, a) + label(rx, wp, a);
    t.real = t.y < qkv->dims[2] && t.x < qkv->dims[3];
    t.qkv = t.real ? mb_px(qkv, n, t.y, t.x) : c->in[2].data;
    return t;
}

/* One query (row i of the window whose corner is (wy,wx)), one head; logits [w*w] is scratch. */
static void attend(const mb_call *c, int64_t n, int64_t wy, int64_t wx, int64_t i, int64_t head)
{
    const mb_window_attention_attrs *a = c->attrs;
    int64_t w = a->window, channels = c->out.dims[1], d = channels / a->heads;
    double *logit = c->workspace, max = -INFINITY, total = 0;
    token query = token_at(c, n, wy + i / w, wx + i % w);
    if (!query.real) {
        return;
    }
    const float *q = query.qkv + head * d;
    for (int64_t j = 0; j < w * w; j++) {
        token key = token_at(c, n, wy + j / w, wx + j % w);
        const float *k = key.qkv + channels + head * d;
        double dot = 0;
        for (int64_t e = 0; e < d; e++) {
            dot += (double)q[e] * k[e];
        }
        /* The row of the bias table for this difference of places. */
        int64_t row = (i / w - j / w + w - 1) * (2 * w - 1) + i % w - j % w + w - 1;
        double bias = ((const float *)c->in[1].data)[row * a->heads + head];
        logit[j] = key.label == query.label ? (double)a->scale * dot + bias : -INFINITY;
        max = logit[j] > max ? logit[j] : max;
    }
    for (int64_t j = 0; j < w * w; j++) {
        logit[j] = exp(logit[j] - max);
        total += logit[j];
    }
    for (int64_t e = 0; e < d; e++) {
        double sum = 0;
        for (int64_t j = 0; j < w * w; j++) {
            sum += logit[j] * token_at(c, n, wy + j / w, wx + j % w).qkv[2 * channels + head * d + e];
        }
        mb_px(&c->out, n, query.y, query.x)[head * d + e] = (float)(sum / total);
    }
}

/* Window by window, query by query, head by head. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_window_attention_attrs *a = c->attrs;
    int64_t w = a->window;
    for (int64_t n = 0; n < c->out.dims[0]; n++) {
        for (int64_t wy = 0; wy < c->out.dims[2]; wy += w) {
            for (int64_t wx = 0; wx < c->out.dims[3]; wx += w) {
                for (int64_t item = 0; item < w * w * a->heads; item++) {
                    attend(c, n, wy, wx, item / a->heads, item % a->heads);
                }
            }
        }
    }
    return MB_OK;
}

static size_t workspace(const mb_call *c)
{
    const mb_window_attention_attrs *a = c->attrs;
    return (size_t)a->window * (size_t)a->window * sizeof(double);
}

const mb_kernel mb_ref_window_attention = {.name = "ref", .workspace = workspace, .run = run};
