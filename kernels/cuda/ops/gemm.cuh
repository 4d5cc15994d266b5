/* Matrix products as all our convolutions and linear layers need them:
 *   y[m, o] = act( sum_k A(m, k) W[o, k] + bias[o] + addend[m, o] )
 * A is never stored: a source gives 16 bytes of it at a time (a patch of a map: conv2d.cu; blended samples:
 * deform_conv2d.cu), so that no columns exist. W [O][K] lies in memory with rows padded to 16 bytes.
 *   struct source {
 *       int begin(int z, int rows);                          rows of part z of the grid (border variants)
 *       struct row;  row at(int m, int rows) const;          what of row m does not change along k
 *       void load(T (&e)[16 bytes], const row &, int k) const;
 *                                                            zeros past the end of k, for m >= rows, outside the map
 *       int token(int m) const;  int item(int m) const;      where row m goes
 *   }
 * f16 and bf16 go through tensor cores (gemm_mma), f32 through plain multiply-adds (gemm_f32): strict, no TF32.
 * Double-buffered in shared memory: the next slice of k is on its way in registers while this one is multiplied. */
#ifndef MB_CUDA_OPS_GEMM_CUH
#define MB_CUDA_OPS_GEMM_CUH

#include "cuda/lang/each.cuh"
#include "cuda/lang/mma.h"

/* Division by a number that is known before the launch (0 <= n < 2^31): a multiplication and a shift. Sources divide
 * for every 16 bytes they read. */
struct mb_divisor {
    uint32_t d, magic, shift;
    __device__ int quotient(int n) const { return (int)((uint64_t)(uint32_t)n * magic >> shift); }
    __device__ int rest(int n, int q) const { return n - q * (int)d; }
};
inline mb_divisor mb_divisor_of(int d)
{
    uint32_t bits = 0;
    while (((uint64_t)1 << bits) < (uint64_t)d) {
        bits++;
    }
    uint64_t power = (uint64_t)1 << (31 + bits); /* ceil(power / d) is less than power / d + 1: exact for 31 bits */
    return mb_divisor{(uint32_t)d, (uint32_t)((power + (uint64_t)d - 1) / (uint64_t)d), 31 + bits};
}

/* Where results go. m is mapped to a token of the output by the source (regions of border variants). */
struct gemm_out {
    void *y;
    const void *addend; /* or NULL */
    const float *bias;  /* or NULL */
    int64_t y_pitch, addend_pitch;
    int y_dtype, addend_dtype, act;
    bool addend_is_vector; /* one row per item */
};

/* Bias, addend, activation of one result. */
__device__ inline float gemm_finish(const gemm_out &out, float sum, int token, int item, int o)
{
    if (out.bias) {
        sum += out.bias[o];
    }
    if (out.addend) {
        size_t row = (size_t)(out.addend_is_vector ? item : token);
        sum += mb_load_any(out.addend, out.addend_dtype, row * (size_t)out.addend_pitch + (size_t)o);
    }
    return mb_activate(out.act, sum);
}

/* 16 bytes of W; zeros past the last output. Rows are padded, so k needs no check. */
template <class T> __device__ inline mb_vec16 weight16(const T *w, int o, int outputs, int k, int padded_k)
{
    mb_vec16 zero = {{0, 0, 0, 0}};
    return o < outputs ? *reinterpret_cast<const mb_vec16 *>(w + (size_t)o * (size_t)padded_k + k) : zero;
}

/* 16 bytes of row m from k on. */
template <class T, class S> __device__ inline mb_vec16 source16(const S &s, const typename S::row &row, int k)
{
    T e[mb_vec16_of<T>::N];
    s.load(e, row, k);
    mb_vec16 q;
    memcpy(&q, e, sizeof q);
    return q;
}

/* Tile of BM rows x BN outputs, warps in a grid of WM x WN, each (BM/WM) x (BN/WN) in fragments of 16 x 8; slices of
 * 32 along k. Shared rows have 8 values more: ldmatrix then touches all banks. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define MB_TILE_BLOCKS 2 /* depth 8 needs some registers more */
#else
#define MB_TILE_BLOCKS 3
#endif
template <int BM_, int BN_, int WM_, int WN_> struct gemm_tile {
    enum {
        BM = BM_,
        BN = BN_,
        WM = WM_,
        WN = WN_,
        BK = 32,
        PITCH = BK + 8,
        THREADS = WM * WN * 32,
        ROWS = BM / WM / 16, /* fragments of a warp */
        COLS = BN / WN / 8,
        A_LOADS = BM * BK / 8 / THREADS,
        B_LOADS = BN * BK / 8 / THREADS,
        BLOCKS = THREADS > 128 ? 1 : (ROWS *COLS > 16 ? MB_TILE_BLOCKS : 4), /* that registers must leave room for */
        SHARED = 2 * (BM + BN) * PITCH * 2
    };
};

/* One slice of 32 along k: two steps of 16. */
template <class T, class K>
__device__ inline void gemm_mma_slice(float (&acc)[K::ROWS][K::COLS][4], const T *a_tile, const T *b_tile, int warp,
                                      int lane)
{
    const T *a_from = a_tile + (warp / K::WN * (K::BM / K::WM) + lane % 16) * K::PITCH + lane / 16 * 8;
    const T *b_from =
        b_tile + (warp % K::WN * (K::BN / K::WN) + lane % 8 + lane / 16 * 8) * K::PITCH + lane / 8 % 2 * 8;
#pragma unroll
    for (int k = 0; k < K::BK; k += 16) {
        uint32_t a[K::ROWS][4], b[4];
#pragma unroll
        for (int i = 0; i < K::ROWS; i++) {
            mb_ldmatrix4(a[i], a_from + i * 16 * K::PITCH + k);
        }
#pragma unroll
        for (int j = 0; j < K::COLS; j += 2) { /* four 8x8 matrices: two output tiles, depth 16 */
            mb_ldmatrix4(b, b_from + j * 8 * K::PITCH + k);
            uint32_t b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
#pragma unroll
            for (int i = 0; i < K::ROWS; i++) {
                mb_mma<T>(acc[i][j], a[i], b0);
                mb_mma<T>(acc[i][j + 1], a[i], b1);
            }
        }
    }
}

/* Fragments to memory: a lane has two neighbouring outputs of a row, written together where y allows it. */
template <class T, class K, class S>
__device__ inline void gemm_mma_store(const gemm_out &out, const S &source, const float (&acc)[K::ROWS][K::COLS][4],
                                      int m0, int o0, int rows, int outputs, int warp, int lane)
{
    int m_warp = m0 + warp / K::WN * (K::BM / K::WM) + lane / 4,
        o_warp = o0 + warp % K::WN * (K::BN / K::WN) + lane % 4 * 2;
    bool pairs = out.y_dtype != MB_F32 && out.y_pitch % 2 == 0 && (uintptr_t)out.y % 4 == 0;
#pragma unroll
    for (int i = 0; i < K::ROWS * 2; i++) { /* the upper and the lower half of each fragment */
        int m = m_warp + i * 8;
        if (m >= rows) {
            continue;
        }
        int token = source.token(m), item = source.item(m);
        size_t row = (size_t)token * (size_t)out.y_pitch;
#pragma unroll
        for (int j = 0; j < K::COLS; j++) {
            int o = o_warp + j * 8;
            if (o >= outputs) {
                continue;
            }
            float lo = gemm_finish(out, acc[i / 2][j][i % 2 * 2], token, item, o);
            if (o + 1 >= outputs) {
                mb_store_any(out.y, out.y_dtype, row + (size_t)o, lo);
                continue;
            }
            float hi = gemm_finish(out, acc[i / 2][j][i % 2 * 2 + 1], token, item, o + 1);
            if (pairs) {
                *reinterpret_cast<uint32_t *>(static_cast<T *>(out.y) + row + o) = mb_pack<T>(lo, hi);
            } else {
                mb_store_any(out.y, out.y_dtype, row + (size_t)o, lo);
                mb_store_any(out.y, out.y_dtype, row + (size_t)o + 1, hi);
            }
        }
    }
}

/* f16 and bf16 on tensor cores. In step t slice t is multiplied while slice t + 1 comes: weights by cp.async, A
 * through registers, where the source makes it. Step -1 only loads. */
template <class T, class K, class S>
__global__ void __launch_bounds__(K::THREADS, K::BLOCKS)
    gemm_mma(gemm_out out, const T *weight, S source, int rows, int outputs, int padded_k)
{
    MB_SHARED_DYNAMIC(T, shared);
    T *a_tile = shared, *b_tile = shared + 2 * K::BM * K::PITCH;
    int tid = (int)threadIdx.x, lane = tid % 32, warp = tid / 32;
    int m0 = (int)blockIdx.x * K::BM, o0 = (int)blockIdx.y * K::BN;
    weight += (size_t)blockIdx.z * (size_t)outputs * (size_t)padded_k;
    out.bias = out.bias ? out.bias + (size_t)blockIdx.z * (size_t)outputs : NULL;
    rows = source.begin((int)blockIdx.z, rows);
    if (m0 >= rows) {
        return; /* the whole block: regions of border variants differ in size */
    }
    typename S::row row[K::A_LOADS];
    mb_vec16 a_next[K::A_LOADS];
#pragma unroll
    for (int i = 0; i < K::A_LOADS; i++) {
        row[i] = source.at(m0 + (tid + i * K::THREADS) / 4, rows);
    }
    float acc[K::ROWS][K::COLS][4] = {};
    int slices = (padded_k + K::BK - 1) / K::BK;
    for (int t = -1; t < slices; t++) {
        T *a_now = a_tile + (t & 1) * K::BM * K::PITCH, *b_now = b_tile + (t & 1) * K::BN * K::PITCH;
        if (t + 1 < slices) {
            int k = (t + 1) * K::BK + tid % 4 * 8;
            T *b_to = b_tile + ((t + 1) & 1) * K::BN * K::PITCH;
#pragma unroll
            for (int i = 0; i < K::B_LOADS; i++) { /* weights go straight to shared memory; rows are padded */
                int place = tid + i * K::THREADS, o = o0 + place / 4;
                bool real = k < padded_k && o < outputs;
                const T *from = real ? weight + (size_t)o * (size_t)padded_k + k : weight;
                mb_cp_async16(b_to + place / 4 * K::PITCH + place % 4 * 8, from, real);
            }
            mb_cp_async_commit();
#pragma unroll
            for (int i = 0; i < K::A_LOADS; i++) {
                a_next[i] = source16<T>(source, row[i], k);
            }
        }
        if (t >= 0) {
            gemm_mma_slice<T, K>(acc, a_now, b_now, warp, lane);
        }
        if (t + 1 < slices) {
            T *a_to = a_tile + ((t + 1) & 1) * K::BM * K::PITCH;
#pragma unroll
            for (int i = 0; i < K::A_LOADS; i++) {
                int place = tid + i * K::THREADS;
                *reinterpret_cast<mb_vec16 *>(a_to + place / 4 * K::PITCH + place % 4 * 8) = a_next[i];
            }
            mb_cp_async_wait<0>();
        }
        __syncthreads(); /* slice t is done with, slice t + 1 is there */
    }
    gemm_mma_store<T, K>(out, source, acc, m0, o0, rows, outputs, warp, lane);
}

/* f32: 64 rows x 64 outputs, slices of 16, 4 x 4 results per thread; shared tiles are transposed, so that both operands
 * of a step are four neighbours. */
enum { F32_TILE = 64, F32_K = 16, F32_PITCH = F32_TILE + 4, F32_THREADS = 256 };

/* The same for f32 in plain multiply-adds. */
template <class S>
__global__ void __launch_bounds__(F32_THREADS, 2)
    gemm_f32(gemm_out out, const float *weight, S source, int rows, int outputs, int padded_k)
{
    MB_SHARED(float, a_tile, [2][F32_K][F32_PITCH]);
    MB_SHARED(float, b_tile, [2][F32_K][F32_PITCH]);
    int tid = (int)threadIdx.x, m0 = (int)blockIdx.x * F32_TILE, o0 = (int)blockIdx.y * F32_TILE;
    weight += (size_t)blockIdx.z * (size_t)outputs * (size_t)padded_k;
    out.bias = out.bias ? out.bias + (size_t)blockIdx.z * (size_t)outputs : NULL;
    rows = source.begin((int)blockIdx.z, rows);
    if (m0 >= rows) {
        return;
    }
    int place = tid / 4, part = tid % 4 * 4, m4 = tid / 16 * 4, o4 = tid % 16 * 4;
    typename S::row row = source.at(m0 + place, rows);
    float acc[4][4] = {}, a_next[4], b_next[4];
    int slices = (padded_k + F32_K - 1) / F32_K;
    for (int t = -1; t < slices; t++) {
        if (t + 1 < slices) {
            int k = (t + 1) * F32_K + part;
            source.load(a_next, row, k);
            mb_vec16 q = weight16(weight, k < padded_k ? o0 + place : outputs, outputs, k, padded_k);
            memcpy(b_next, &q, sizeof q);
        }
        if (t >= 0) {
#pragma unroll
            for (int k = 0; k < F32_K; k++) {
                float a[4], b[4];
                mb_load_vec<4>(a, &a_tile[t & 1][k][m4]);
                mb_load_vec<4>(b, &b_tile[t & 1][k][o4]);
#pragma unroll
                for (int i = 0; i < 16; i++) {
                    acc[i / 4][i % 4] += a[i / 4] * b[i % 4];
                }
            }
        }
        if (t + 1 < slices) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                a_tile[(t + 1) & 1][part + i][place] = a_next[i];
                b_tile[(t + 1) & 1][part + i][place] = b_next[i];
            }
        }
        __syncthreads(); /* slice t is done with, slice t + 1 is there */
    }
    for (int i = 0; i < 4; i++) {
        int m = m0 + m4 + i;
        if (m >= rows) {
            continue;
        }
        int token = source.token(m), item = source.item(m);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (o4 + j + o0 < outputs) {
                mb_store_any(out.y, out.y_dtype, (size_t)token * (size_t)out.y_pitch + (size_t)(o0 + o4 + j),
                             gemm_finish(out, acc[i][j], token, item, o0 + o4 + j));
            }
        }
    }
}

inline gemm_out gemm_out_of(const mb_view *y, const mb_view *addend, const float *bias, int act)
{
    gemm_out out = {y->data, NULL, bias, y->pitch, 0, (int)y->dtype, 0, act, false};
    if (mb_view_present(addend)) {
        out.addend = addend->data;
        out.addend_pitch = addend->pitch;
        out.addend_dtype = (int)addend->dtype;
        out.addend_is_vector = addend->dims[2] * addend->dims[3] == 1;
    }
    return out;
}

/* most_rows: of the largest part; parts: 1, or 9 border variants. */
template <class K, class T, class S>
int gemm_launch(const gemm_out &out, const void *weight, const S &source, int most_rows, int outputs, int padded_k,
                int parts, mb_stream stream)
{
    if constexpr (sizeof(T) == 4) {
        MB_LAUNCH((gemm_f32<S>),
                  dim3((unsigned)(most_rows + F32_TILE - 1) / F32_TILE, (unsigned)(outputs + F32_TILE - 1) / F32_TILE,
                       (unsigned)parts),
                  dim3(F32_THREADS), 0, stream, out, (const float *)weight, source, most_rows, outputs, padded_k);
    } else {
        MB_LAUNCH(
            (gemm_mma<T, K, S>),
            dim3((unsigned)(most_rows + K::BM - 1) / K::BM, (unsigned)(outputs + K::BN - 1) / K::BN, (unsigned)parts),
            dim3(K::THREADS), K::SHARED, stream, out, (const T *)weight, source, most_rows, outputs, padded_k);
    }
    return MB_LAUNCHED();
}

#endif
