/* Attention of the tokens of one map to those of another, without its linear layers. Per head and query i:
 *     y_i = sum_j softmax_j( scale * q_i.k_j ) v_j.
 *     q [N,C,H,W], kv [N,2C,h,w] (k, then v; head-major inside each) -> [N,C,H,W] */
#include "ref.h"

/* One query, one head. Scratch: logits [keys]. */
static void attend(const mb_call *c, int64_t t, int64_t head)
{
    const mb_cross_attention_attrs *a = c->attrs;
    const mb_view *kv = &c->in[1];
    const int64_t channels = c->out.dims[1], d = channels / a->heads, keys = kv->dims[2] * kv->dims[3];
    const int64_t first = t / (c->out.dims[2] * c->out.dims[3]) * keys;
    const float *q = mb_tok(&c->in[0], t) + head * d;
    double *logit = c->workspace, most = -INFINITY, total = 0;
    for (int64_t j = 0; j < keys; j++) {
        const float *k = mb_tok(kv, first + j) + head * d;
        double dot = 0;
        for (int64_t e = 0; e < d; e++) {
            dot += (double)q[e] * k[e];
        }
        logit[j] = (double)a->scale * dot;
        most = logit[j] > most ? logit[j] : most;
    }
    for (int64_t j = 0; j < keys; j++) {
        logit[j] = exp(logit[j] - most);
        total += logit[j];
    }
    for (int64_t e = 0; e < d; e++) {
        double sum = 0;
        for (int64_t j = 0; j < keys; j++) {
            sum += logit[j] * mb_tok(kv, first + j)[channels + head * d + e];
        }
        mb_tok(&c->out, t)[head * d + e] = (float)(sum / total);
    }
}

static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_cross_attention_attrs *a = c->attrs;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        for (int64_t head = 0; head < a->heads; head++) {
            attend(c, t, head);
        }
    }
    return MB_OK;
}

/* Logits of one query. */
static size_t workspace(const mb_call *c)
{
    return (size_t)(c->in[1].dims[2] * c->in[1].dims[3]) * sizeof(double);
}

const mb_kernel mb_ref_cross_attention = {.name = "ref", .workspace = workspace, .run = run};
