/* Swin window attention on tensor cores: logits + relative position bias + shift mask, softmax, values, in one kernel.
 *   qkv [N,3C,H,W] in f16 or bf16, C = heads * d, d <= 32; pad [3C]: what a padding token has (padding keys take part,
 *   padding queries are not written); table [heads, (2w-1)^2] f32 -> out [N,C,H,W].         docs/models/birefnet.md 3.1
 * One block per (window, head, item): a warp for each 16 queries against all keys. A row of logits stays in registers
 * (18 tiles of 8 keys for window 12), so softmax is exact and needs no second pass; the probabilities become the A
 * operand of the second product without leaving registers. Keys and queries are padded to a multiple of 16, head widths
 * to 16 or 32. Rows have 8 values more, so that ldmatrix touches all banks. Other windows: window_attention_plain.cu.
 */
#include "cuda/lang/fragment.cuh"
#include "cuda/ops/window_attention.cuh"
#include "cuda/ops/window_attention.h"

/* Sizes of a window of WIN x WIN tokens and head widths up to HEAD (16 or 32). */
template <class T, int WIN, int HEAD> struct tile {
    enum {
        KEYS = WIN * WIN,
        ROWS = (KEYS + 15) / 16 * 16,
        PITCH = HEAD + 8,
        WARPS = ROWS / 16,
        TABLE = (2 * WIN - 1) * (2 * WIN - 1)
    };
};

/* s = q k^T for the 16 queries from row0: tiles of 8 keys, depth HEAD. */
template <class T, class K, int HEAD>
__device__ inline void logits(float (&s)[K::ROWS / 8][4], const T *q, const T *k, int row0, int lane)
{
    uint32_t a[HEAD / 16][4], b[4];
#pragma unroll
    for (int e = 0; e < HEAD / 16; e++) {
        mb_ldmatrix4(a[e], q + (row0 + lane % 16) * K::PITCH + e * 16 + lane / 16 * 8);
    }
#pragma unroll
    for (int n = 0; n < K::ROWS / 8; n += 32 / HEAD) { /* four 8x8 matrices: one key tile of 32 or two of 16 channels */
#pragma unroll
        for (int t = 0; t < 32 / HEAD; t++) {
            s[n + t][0] = s[n + t][1] = s[n + t][2] = s[n + t][3] = 0.0f;
        }
        int matrix = lane / 8, tile_row = HEAD == 32 ? n : n + matrix / 2, c = HEAD == 32 ? matrix : matrix % 2;
        mb_ldmatrix4(b, k + (tile_row * 8 + lane % 8) * K::PITCH + c * 8);
        uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
        mb_mma<T>(s[n], a[0], b0);
        mb_mma<T>(s[HEAD == 32 ? n : n + 1], a[HEAD == 32 ? 1 : 0], b1);
    }
}

/* Bias, mask, exponentials in place; sum = 1 / total. A row lives in the four lanes of a quad, two rows per lane. */
template <class K, int WIN>
__device__ inline void softmax(float (&s)[K::ROWS / 8][4], float (&sum)[2], const float *bias, const int *label,
                               float scale, const int (&query)[2], int lane)
{
    float top[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (int n = 0; n < K::ROWS / 8; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            int key = n * 8 + lane % 4 * 2 + (e & 1), row = query[e >> 1];
            int rel = (row / WIN - key / WIN + WIN - 1) * (2 * WIN - 1) + row % WIN - key % WIN + WIN - 1;
            bool seen = key < K::KEYS && row < K::KEYS && label[row] == label[key];
            s[n][e] = seen ? s[n][e] * scale + bias[rel] : -INFINITY;
            top[e >> 1] = fmaxf(top[e >> 1], s[n][e]);
        }
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
        top[h] = mb_warp_max<4>(top[h]);
        top[h] = top[h] == -INFINITY ? 0.0f : top[h]; /* rows past the window see nothing and are not written */
        sum[h] = 0.0f;
    }
#pragma unroll
    for (int n = 0; n < K::ROWS / 8; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            s[n][e] = __expf(s[n][e] - top[e >> 1]);
            sum[e >> 1] += s[n][e];
        }
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
        sum[h] = 1.0f / mb_warp_sum<4>(sum[h]);
    }
}

/* o = probabilities * v: tiles of 8 channels, depth ROWS in steps of 16. */
template <class T, class K, int HEAD>
__device__ inline void values(float (&o)[HEAD / 8][4], const float (&s)[K::ROWS / 8][4], const T *v, int lane)
{
    uint32_t b[4];
#pragma unroll
    for (int n = 0; n < K::ROWS / 8; n += 2) {
        uint32_t p[4] = {mb_pack<T>(s[n][0], s[n][1]), mb_pack<T>(s[n][2], s[n][3]),
                         mb_pack<T>(s[n + 1][0], s[n + 1][1]), mb_pack<T>(s[n + 1][2], s[n + 1][3])};
#pragma unroll
        for (int c = 0; c < HEAD / 16; c++) {
            mb_ldmatrix4_trans(b, v + (n * 8 + lane % 16) * K::PITCH + c * 16 + lane / 16 * 8);
            uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
            mb_mma<T>(o[2 * c], p, b0);
            mb_mma<T>(o[2 * c + 1], p, b1);
        }
    }
}

/* Places and labels of the tokens, then q, k and v to shared memory, then each warp on its own. */
template <class T, int WIN, int HEAD>
__global__ void __launch_bounds__(tile<T, WIN, HEAD>::WARPS * 32)
    window_attention(T *out, const T *qkv, const T *pad, const float *table, window_map m, bool vec16)
{
    typedef tile<T, WIN, HEAD> K;
    MB_SHARED(T, q, [K::ROWS][K::PITCH]);
    MB_SHARED(T, k, [K::ROWS][K::PITCH]);
    MB_SHARED(T, v, [K::ROWS][K::PITCH]);
    MB_SHARED(float, bias, [K::TABLE]);
    MB_SHARED(int, token, [K::ROWS]); /* raster index, -1 for padding of the map, -2 for rows past the window */
    MB_SHARED(int, label, [K::ROWS]);
    int tid = (int)threadIdx.x, lane = tid % 32, row0 = tid / 32 * 16, head = (int)blockIdx.y, d = m.head_dim;
    int channels = m.heads * d;

    /* Rows past the window are no tokens: they are padded with zeros and see nothing. */
    for (int i = tid; i < K::ROWS; i += K::WARPS * 32) {
        label[i] = -1;
        token[i] = i < K::KEYS ? window_token(m, (int)blockIdx.x, (int)blockIdx.z, i, &label[i]) : -2;
    }
    for (int i = tid; i < K::TABLE; i += K::WARPS * 32) {
        bias[i] = table[(size_t)head * K::TABLE + (size_t)i];
    }
    __syncthreads();
    for (int i = tid; i < K::ROWS * 3 * (HEAD / 8); i += K::WARPS * 32) {
        int part = i / (K::ROWS * (HEAD / 8)), t = i / (HEAD / 8) % K::ROWS, c = i % (HEAD / 8) * 8;
        const T *row = token[t] >= 0 ? qkv + (size_t)token[t] * (size_t)m.qkv_pitch : token[t] == -1 ? pad : qkv;
        T *to = part == 0 ? &q[t][c] : part == 1 ? &k[t][c] : &v[t][c];
        mb_fetch8(to, row + part * channels + head * d + c, token[t] == -2 ? 0 : d - c, vec16);
    }
    mb_cp_async_commit();
    mb_cp_async_wait<0>();
    __syncthreads();

    float s[K::ROWS / 8][4], sum[2], o[HEAD / 8][4] = {};
    int query[2] = {row0 + lane / 4, row0 + lane / 4 + 8};
    logits<T, K, HEAD>(s, &q[0][0], &k[0][0], row0, lane);
    softmax<K, WIN>(s, sum, bias, label, m.scale, query, lane);
    values<T, K, HEAD>(o, s, &v[0][0], lane);
    bool pairs = d % 2 == 0 && mb_pairs(out, m.out_pitch);
#pragma unroll
    for (int h = 0; h < 2; h++) {
        int t = token[query[h]];
        if (t >= 0) {
            mb_store_fragment<T, HEAD>(out + (size_t)t * (size_t)m.out_pitch + head * d, o, h, sum[h], d, pairs, lane);
        }
    }
}

/* One block per (window, head, item). */
template <class T, int WIN, int HEAD>
static int launch(const mb_view *out, const mb_view *qkv, const void *pad, const float *table, const window_map &m,
                  mb_stream stream)
{
    bool vec16 = mb_is_vec16(qkv, 8) && m.head_dim % 8 == 0;
    MB_LAUNCH((window_attention<T, WIN, HEAD>),
              dim3((unsigned)(m.windows_y * m.windows_x), (unsigned)m.heads, (unsigned)qkv->dims[0]),
              dim3((unsigned)tile<T, WIN, HEAD>::WARPS * 32), 0, stream, (T *)out->data, (const T *)qkv->data,
              (const T *)pad, table, m, vec16);
    return MB_LAUNCHED();
}

/* The windows that are compiled: 12 (Swin-L) and 7 (Swin-T). */
template <class T>
static int run(const mb_view *out, const mb_view *qkv, const void *pad, const float *table, const window_map &m,
               mb_stream stream)
{
    if (m.window == 12) {
        return m.head_dim <= 16 ? launch<T, 12, 16>(out, qkv, pad, table, m, stream)
                                : launch<T, 12, 32>(out, qkv, pad, table, m, stream);
    }
    return m.head_dim <= 16 ? launch<T, 7, 16>(out, qkv, pad, table, m, stream)
                            : launch<T, 7, 32>(out, qkv, pad, table, m, stream);
}

/* By the type of out: f16 or bf16. */
int mb_cuda_launch_window_attention(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                    const mb_window_attention_attrs *a, mb_stream stream)
{
    window_map m = window_map_of(out, qkv, a);
    return out->dtype == MB_BF16 ? run<bfloat16>(out, qkv, pad, table, m, stream)
                                 : run<half>(out, qkv, pad, table, m, stream);
}
