/* Logits [1,1,H,W] to the sigmoids' plane or bytes, in the CPU's arithmetic (core/sigmoid.h), stretched to the full
 * range where that is asked for. Counts logits that are not finite. Extremes of values in [0, 1] are those of their
 * bits as integers: maxima by integer atomics do not depend on the order. */
#include "cuda/image_io/image_io.cuh"

#define MB_SIGMOID_FUNCTION static __device__ inline
#include "core/sigmoid.h"

enum { THREADS = 256, NO_BITS = 0x7fffffff };

/* For values >= 0 the order of the bits is that of the values. */
__device__ inline int float_bits(float x)
{
    int bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
__device__ inline float bits_float(int bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* *word = max(*word, v over the warp). All lanes call it; v >= 0, and 0 changes nothing. */
__device__ inline void warp_max(int *word, int v)
{
    for (int m = 16; m > 0; m /= 2) {
        int other = __shfl_xor_sync(0xffffffffu, v, m);
        v = other > v ? other : v;
    }
    if (threadIdx.x % 32 == 0 && v > 0) {
        atomicMax(word, v);
    }
}

/* V neighbours of a row as bytes: together if V is 4 (rows of bytes begin at multiples of 16, V divides the width). */
__device__ inline uint8_t to_byte(float v, const uint8_t *table)
{
    uint8_t byte = mb_image_to8(v);
    return table != NULL ? table[byte] : byte;
}
template <int V> __device__ inline void store_bytes(uint8_t *to, const float (&v)[V], const uint8_t *table)
{
    if (V == 4) {
        uint32_t word = 0;
#pragma unroll
        for (int i = 0; i < V; i++) {
            word |= (uint32_t)to_byte(v[i], table) << (8 * i);
        }
        *reinterpret_cast<uint32_t *>(to) = word;
    } else {
        to[0] = to_byte(v[0], table);
    }
}

/* V logits per thread. The lowest value is kept as NO_BITS minus its bits, so that one maximum does for both. */
template <int V>
__global__ void __launch_bounds__(THREADS)
    mask_sigmoid(mb_cuda_mask_bytes p, const float *logits, long long pitch, int height, int width)
{
    const size_t per_row = (size_t)(width / V), id = (size_t)blockIdx.x * THREADS + threadIdx.x;
    const size_t y = id / per_row, x = id % per_row * V;
    int bad = 0, high = 0, low = 0;
    if (y < (size_t)height) { /* all lanes take part in the maxima below */
        float v[V];
        mb_load_vec<V>(v, logits + (y * (size_t)width + x) * (size_t)pitch);
#pragma unroll
        for (int i = 0; i < V; i++) {
            bad |= !(fabsf(v[i]) <= 3.402823466e38f);
            v[i] = mb_sigmoid_exact(v[i]);
            int bits = float_bits(v[i]);
            high = bits > high ? bits : high;
            low = NO_BITS - bits > low ? NO_BITS - bits : low;
        }
        if (p.plane != NULL) {
            mb_store_vec<V>(p.plane + y * (size_t)width + x, v);
        } else {
            store_bytes<V>(p.bytes + y * p.pitch + x, v, p.table);
        }
    }
    warp_max(p.words + MB_MASK_BAD, bad);
    if (p.stretch) {
        warp_max(p.words + MB_MASK_HIGH, high);
        warp_max(p.words + MB_MASK_LOW, low);
    }
}

/* (v - lowest) / (highest - lowest) of the plane, to bytes; a plane of one value stays as it is. */
template <int V> __global__ void __launch_bounds__(THREADS) mask_stretch(mb_cuda_mask_bytes p, int height, int width)
{
    const size_t per_row = (size_t)(width / V), id = (size_t)blockIdx.x * THREADS + threadIdx.x;
    const size_t y = id / per_row, x = id % per_row * V;
    if (y >= (size_t)height) {
        return;
    }
    /* The extremes of the whole plane, as mask_sigmoid left them. */
    const float low = bits_float(NO_BITS - p.words[MB_MASK_LOW]), range = bits_float(p.words[MB_MASK_HIGH]) - low;
    float v[V];
    mb_load_vec<V>(v, p.plane + y * (size_t)width + x);
#pragma unroll
    for (int i = 0; i < V; i++) {
        v[i] = range > 0.0f ? (v[i] - low) / range : v[i];
    }
    store_bytes<V>(p.bytes + y * p.pitch + x, v, p.table);
}

/* Sigmoids, then (another launch: it needs the extremes of all of them) the stretching. */
template <int V> static int run(const mb_view *logits, const mb_cuda_mask_bytes *p, mb_stream stream)
{
    const int height = (int)logits->dims[2], width = (int)logits->dims[3];
    const size_t n = (size_t)height * (size_t)(width / V);
    const dim3 grid((unsigned)((n + THREADS - 1) / THREADS));
    MB_LAUNCH((mask_sigmoid<V>), grid, dim3(THREADS), 0, stream, *p, (const float *)logits->data, logits->pitch, height,
              width);
    int code = MB_LAUNCHED();
    if (code == 0 && p->stretch) {
        MB_LAUNCH((mask_stretch<V>), grid, dim3(THREADS), 0, stream, *p, height, width);
        code = MB_LAUNCHED();
    }
    return code;
}

/* Four logits at a time where they lie densely. */
int mb_cuda_launch_mask_bytes(const mb_view *logits, const mb_cuda_mask_bytes *p, mb_stream stream)
{
    const bool vec16 = logits->pitch == 1 && logits->dims[3] % 4 == 0 && (uintptr_t)logits->data % 16 == 0;
    return vec16 ? run<4>(logits, p, stream) : run<1>(logits, p, stream);
}
