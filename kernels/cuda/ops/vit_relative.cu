/* The decomposed relative positions of ViT's attention: for each query (y,x) of a map of a x b tokens and each head
 *   relative[r]     = rel_scale * q . Rh[y - r + a - 1],  r = 0 .. a - 1: towards each row of keys,
 *   relative[a + s] = rel_scale * q . Rw[x - s + b - 1],  s = 0 .. b - 1: towards each column.
 * qkv [N,3C,H,W], tables [rows_h,d], [rows_w,d] f32 -> relative [N*H*W][heads][terms] f32; scratch [2a-1 + 2b-1][d].
 * First the tables are resized to 2a-1 and 2b-1 rows (linear, docs/models/vitmatte.md 4.3), then one block per token.
 * With pads_as_one one term more: the logarithm of the sum of exp over the padding of the query's window (W2), summed
 * relative to maxima, so that each sum that counts is at least 1. */
#include "cuda/ops/vit_attention.cuh"
#include "cuda/ops/vit_attention.h"

enum { THREADS = 128 };

/* Channel c of row o of the table resized to `out` rows; equal numbers of rows copy. */
__device__ inline float resized(const float *table, int rows, int out, int o, int c, int d)
{
    double s = ((double)o + 0.5) * (double)rows / (double)out - 0.5; /* in double: parity, and a few thousand of them */
    s = s > 0.0 ? s : 0.0;
    int i = (int)s < rows - 1 ? (int)s : rows - 1, j = i + 1 < rows ? i + 1 : i;
    float f = rows == out ? 0.0f : (float)(s - (double)i);
    i = rows == out ? o : i;
    return (1.0f - f) * table[(size_t)i * (size_t)d + c] + f * table[(size_t)j * (size_t)d + c];
}

/* A thread per value: first the rows of Rh, then those of Rw. */
__global__ void __launch_bounds__(THREADS) resize_tables(float *scratch, const float *table_h, int rows_h,
                                                         const float *table_w, int rows_w, int a, int b, int d)
{
    int i = (int)(blockIdx.x * THREADS + threadIdx.x), o = i / d, c = i % d, out_h = 2 * a - 1, out_w = 2 * b - 1;
    if (o < out_h) {
        scratch[i] = resized(table_h, rows_h, out_h, o, c, d);
    } else if (o < out_h + out_w) {
        scratch[i] = resized(table_w, rows_w, out_w, o - out_h, c, d);
    }
}

/* The maximum and the sum of exp(v - maximum) of n values; -inf and 0 of none. */
__device__ inline void exp_sum(float &most, float &sum, const float *v, int n)
{
    most = -INFINITY;
    sum = 0.0f;
    for (int i = 0; i < n; i++) {
        most = fmaxf(most, v[i]);
    }
    for (int i = 0; i < n; i++) {
        sum += expf(v[i] - most);
    }
}

/* log sum exp(r[y] + r[a + x]) over the places of a map outside of its first rows x cols; 0 if there are none. */
__device__ inline float pads_term(const float *r, const vit_map &m, int rows, int cols)
{
    float below, below_sum, all, all_sum, beside, beside_sum, right, right_sum;
    exp_sum(below, below_sum, r + rows, m.a - rows);
    exp_sum(all, all_sum, r + m.a, m.b);
    exp_sum(beside, beside_sum, r, rows);
    exp_sum(right, right_sum, r + m.a + cols, m.b - cols);
    float low = below + all, high = beside + right, most = fmaxf(low, high);
    if (most == -INFINITY) {
        return 0.0f;
    }
    return most + logf(expf(low - most) * (below_sum * all_sum) + expf(high - most) * (beside_sum * right_sum));
}

/* A block per token: its q of all heads in shared memory, a thread per term. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    relative_terms(float *relative, const T *qkv, const float *scratch, vit_map m, float rel_scale)
{
    MB_SHARED_DYNAMIC(float, q); /* [heads * d] */
    int token = (int)blockIdx.x, x = token % m.width, y = token / m.width % m.height, terms = m.a + m.b;
    float *r_token = relative + (size_t)token * (size_t)(m.heads * m.terms);
    for (int c = (int)threadIdx.x; c < m.heads * m.d; c += THREADS) {
        q[c] = mb_load(qkv[(size_t)token * (size_t)m.qkv_pitch + (size_t)c]) * rel_scale;
    }
    __syncthreads();
    /* Term r < a: the row of Rh that belongs to key row r; else of Rw, behind it. */
    for (int i = (int)threadIdx.x; i < m.heads * terms; i += THREADS) {
        int head = i / terms, r = i % terms;
        int row = r < m.a ? y % m.a - r + m.a - 1 : 2 * m.a - 1 + x % m.b - (r - m.a) + m.b - 1;
        float dot = 0.0f;
        for (int c = 0; c < m.d; c++) {
            dot += q[head * m.d + c] * scratch[(size_t)row * (size_t)m.d + (size_t)c];
        }
        r_token[head * m.terms + r] = dot;
    }
    if (m.terms == terms) {
        return; /* the whole grid */
    }
    __syncthreads();
    int rows = vit_inside(m.height, m.a, y / m.a), cols = vit_inside(m.width, m.b, x / m.b);
    for (int head = (int)threadIdx.x; head < m.heads; head += THREADS) {
        float *r = r_token + head * m.terms;
        r[terms] = pads_term(r, m, rows, cols);
    }
}

/* Both steps on one stream. */
template <class T> static int run(const mb_cuda_vit_args *v, const vit_map &m, mb_stream stream)
{
    int values = (2 * m.a - 1 + 2 * m.b - 1) * m.d;
    MB_LAUNCH(resize_tables, dim3((unsigned)(values + THREADS - 1) / THREADS), dim3(THREADS), 0, stream, v->scratch,
              v->table_h, v->rows_h, v->table_w, v->rows_w, m.a, m.b, m.d);
    int code = MB_LAUNCHED();
    if (code != 0) {
        return code;
    }
    MB_LAUNCH((relative_terms<T>), dim3((unsigned)mb_view_tokens(v->qkv)), dim3(THREADS),
              (size_t)(m.heads * m.d) * sizeof(float), stream, v->relative, (const T *)v->qkv->data, v->scratch, m,
              v->attrs->rel_scale);
    return MB_LAUNCHED();
}

/* By the type of qkv; terms are f32. */
int mb_cuda_launch_vit_relative(const mb_cuda_vit_args *v, mb_stream stream)
{
    return MB_BY_TYPE(v->qkv->dtype, run, v, vit_map_of(v), stream);
}
