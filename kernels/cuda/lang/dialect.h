/* The dialect of our .cu files. The same source is compiled twice:
 *   by nvcc, for the device;
 *   by g++ or clang++ (-x c++), against emulate.h, where every CUDA thread is a fiber and tests run without a GPU.
 * For Windows nvcc makes the device code alone, and g++ compiles the launches (driver_launch.h).
 *
 * Rules of the dialect
 *   - launch with MB_LAUNCH(kernel, grid, block, smem_bytes, stream, args...); put a kernel with template
 *     arguments in parentheses: MB_LAUNCH((softmax_rows<half, 4>), ...); arguments are plain values
 *   - shared memory is declared with MB_SHARED / MB_SHARED_DYNAMIC only (so it can be poisoned, sized and guarded)
 *   - warp operations are the *_sync ones; tensor cores, ldmatrix and cp.async only through mma.h
 *   - no inline PTX, no cooperative groups, no dynamic parallelism, no textures, no thread-local static data
 *   - 16-byte accesses through mb_vec16 (mb_load_vec, mb_store_vec); element types float, half, bfloat16 through
 *     mb_load and mb_store; sums are f32
 *   - a warp never waits for another one except at __syncthreads (no spinning on flags)
 *   - deterministic: no floating-point atomics
 *   - parameters of kernels are long long, not int64_t or size_t: those have other mangled names for Windows
 */
#ifndef MB_CUDA_LANG_DIALECT_H
#define MB_CUDA_LANG_DIALECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
typedef __nv_bfloat16 bfloat16;
/* 16 bytes always: arrays of half have an alignment of 2 by themselves, and ldmatrix, cp.async and mb_vec16 need 16 */
#define MB_SHARED(type, name, dims) __shared__ __align__(16) type name dims
#define MB_SHARED_DYNAMIC(type, name)                                                                                  \
    extern __shared__ __align__(16) unsigned char mb_smem_bytes[];                                                     \
    type *name = reinterpret_cast<type *>(mb_smem_bytes)
#define MB_LAUNCH(kernel, grid, block, smem, stream, ...)                                                              \
    (mb_allow_smem((const void *)(kernel), (smem)), kernel<<<(grid), (block), (smem), (stream)>>>(__VA_ARGS__))
/* Static and dynamic shared memory above 48 KiB together has to be asked for. A failure shows at the launch. */
#define MB_LAUNCHED()        ((int)cudaGetLastError())
#define MB_LAUNCH_TEXT(code) cudaGetErrorString((cudaError_t)(code))
static inline void mb_allow_smem(const void *kernel, size_t bytes)
{
    if (bytes > 0) {
        (void)cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
    }
}
#else
#include "cuda/lang/emulate.h"
#ifdef MB_CUDA_DRIVER_LAUNCH
#include "cuda/lang/driver_launch.h"
#endif
#endif

/* 16 bytes that move in one access. */
struct __align__(16) mb_vec16
{
    uint32_t w[4];
};

__device__ inline float mb_load(float x)
{
    return x;
}
__device__ inline float mb_load(half x)
{
    return __half2float(x);
}
__device__ inline float mb_load(bfloat16 x)
{
    return __bfloat162float(x);
}
__device__ inline void mb_store(float *p, float x)
{
    *p = x;
}
__device__ inline void mb_store(half *p, float x)
{
    *p = __float2half_rn(x);
}
__device__ inline void mb_store(bfloat16 *p, float x)
{
    *p = __float2bfloat16_rn(x);
}

/* Two floats as neighbours in one register: the low one first. */
__device__ inline uint32_t mb_bits(half x)
{
    return __half_as_ushort(x);
}
__device__ inline uint32_t mb_bits(bfloat16 x)
{
    return __bfloat16_as_ushort(x);
}
template <class T> __device__ inline uint32_t mb_pack(float lo, float hi)
{
    T a, b;
    mb_store(&a, lo);
    mb_store(&b, hi);
    return mb_bits(a) | mb_bits(b) << 16;
}

/* V neighbours as floats: in one 16-byte access if they fill it, else one by one. */
template <class T> struct mb_vec16_of {
    enum { N = 16 / sizeof(T) };
};
template <int V, class T> __device__ inline void mb_load_vec(float (&v)[V], const T *p)
{
    if constexpr (V == mb_vec16_of<T>::N) {
        mb_vec16 q = *reinterpret_cast<const mb_vec16 *>(p);
        T e[V];
        memcpy(e, &q, sizeof q);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = mb_load(e[i]);
        }
    } else {
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] = mb_load(p[i]);
        }
    }
}
template <int V, class T> __device__ inline void mb_store_vec(T *p, const float (&v)[V])
{
    if constexpr (V == mb_vec16_of<T>::N) {
        T e[V];
#pragma unroll
        for (int i = 0; i < V; i++) {
            mb_store(&e[i], v[i]);
        }
        mb_vec16 q;
        memcpy(&q, e, sizeof q);
        *reinterpret_cast<mb_vec16 *>(p) = q;
    } else {
#pragma unroll
        for (int i = 0; i < V; i++) {
            mb_store(p + i, v[i]);
        }
    }
}

/* f32 keeps the accurate exponential (parity with the references); 16-bit results cannot see the difference. */
template <class T> __device__ inline float mb_exp(float x)
{
    if constexpr (sizeof(T) == 4) {
        return expf(x);
    } else {
        return __expf(x);
    }
}
__device__ inline float mb_sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}
__device__ inline float mb_activate(int act, float x) /* mb_activation of attrs.h; GELU is the erf form */
{
    switch (act) {
    case 1:
        return fmaxf(x, 0.0f);
    case 2:
        return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
    case 3:
        return mb_sigmoid(x);
    default:
        return x;
    }
}

template <int WIDTH = 32> __device__ inline float mb_warp_sum(float v)
{
    for (int m = WIDTH / 2; m > 0; m /= 2) {
        v += __shfl_xor_sync(0xffffffffu, v, m);
    }
    return v;
}

template <int WIDTH = 32> __device__ inline float mb_warp_max(float v)
{
    for (int m = WIDTH / 2; m > 0; m /= 2) {
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, m));
    }
    return v;
}

#endif
