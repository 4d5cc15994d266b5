/* The dialect of our .cu files. The same source is compiled twice:
 *   by nvcc, for the device;
 *   by g++ or clang++ (-x c++), against emulate.h, where every CUDA thread is a fiber and tests run without a GPU.
 *
 * Rules of the dialect
 *   - launch with MB_LAUNCH(kernel, grid, block, smem_bytes, stream, args...); put a kernel with template
 *     arguments in parentheses: MB_LAUNCH((softmax_rows<half, 4>), ...); arguments are plain values
 *   - shared memory is declared with MB_SHARED / MB_SHARED_DYNAMIC only (so it can be poisoned, sized and guarded)
 *   - warp operations are the *_sync ones; tensor cores, ldmatrix and cp.async only through mma.h
 *   - no inline PTX, no cooperative groups, no dynamic parallelism, no textures, no thread-local static data
 *   - 16-byte accesses through mb_vec16; element types float, half, bfloat16 through mb_load / mb_store
 *   - a warp never waits for another one except at __syncthreads (no spinning on flags)
 *   - deterministic: no floating-point atomics
 */
#ifndef MB_CUDA_DIALECT_H
#define MB_CUDA_DIALECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
typedef __nv_bfloat16 bfloat16;
#define MB_SHARED(type, name, dims) __shared__ type name dims
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
#include "emulate.h"
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

/* Two floats to packed halves: the low half first. */
__device__ inline uint32_t mb_pack_half(float lo, float hi)
{
    return (uint32_t)__half_as_ushort(__float2half_rn(lo)) | (uint32_t)__half_as_ushort(__float2half_rn(hi)) << 16;
}
__device__ inline float mb_half_lo(uint32_t p)
{
    return __half2float(__ushort_as_half((unsigned short)(p & 0xffffu)));
}
__device__ inline float mb_half_hi(uint32_t p)
{
    return __half2float(__ushort_as_half((unsigned short)(p >> 16)));
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
