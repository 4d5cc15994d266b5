/* Tensor cores, ldmatrix and cp.async: the only place with PTX. Each wrapper has an emulated twin in emulate.h.
 *
 * Fragments of m16n8k16, lane l, g = l / 4, t = l % 4 (two 16-bit values per register, low half first):
 *   A [16,16] row-major:  a0 (g, 2t)  a1 (g+8, 2t)  a2 (g, 2t+8)  a3 (g+8, 2t+8)
 *   B [16,8]  (k, n):     b0 (2t, g)  b1 (2t+8, g)            pairs run along k
 *   C [16,8]:             c0 c1 (g, 2t..2t+1)  c2 c3 (g+8, 2t..2t+1)
 * So the C of two neighbouring n-tiles, rounded and packed, is the A of the next product: probabilities stay in
 * registers.
 */
#ifndef MB_CUDA_LANG_MMA_H
#define MB_CUDA_LANG_MMA_H

#include "cuda/lang/dialect.h"

#ifdef __CUDACC__

/* d += a * b, 16-bit inputs, float accumulators. Turing (sm_75) has depth 8 only: two products, the same fragments; it
 * has no bfloat16 (the host refuses it there). */
template <class T> __device__ inline void mb_mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
template <> __device__ inline void mb_mma<half>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
#if __CUDA_ARCH__ < 800
#pragma unroll
    for (int i = 0; i < 2; i++) {
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a[2 * i]), "r"(a[2 * i + 1]), "r"(b[i]));
    }
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}
template <> __device__ inline void mb_mma<bfloat16>(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
#if __CUDA_ARCH__ < 800
    __trap();
    (void)d;
    (void)a;
    (void)b;
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* Four 8x8 matrices of 16-bit values: lanes 8i..8i+7 give the row addresses of matrix i (16-byte aligned, shared). */
__device__ inline void mb_ldmatrix4(uint32_t (&r)[4], const void *row)
{
    uint32_t p = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(p)
                 : "memory");
}

__device__ inline void mb_ldmatrix4_trans(uint32_t (&r)[4], const void *row)
{
    uint32_t p = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(p)
                 : "memory");
}

/* 16 bytes global -> shared, asynchronous: visible after commit, wait and a barrier. fill = false writes zeros.
 * Before sm_80: an ordinary copy through registers, which the same barrier makes visible. */
__device__ inline void mb_cp_async16(void *dst_shared, const void *src, bool fill = true)
{
#if __CUDA_ARCH__ < 800
    mb_vec16 zero = {{0, 0, 0, 0}};
    *static_cast<mb_vec16 *>(dst_shared) = fill ? *static_cast<const mb_vec16 *>(src) : zero;
#else
    uint32_t p = (uint32_t)__cvta_generic_to_shared(dst_shared);
    int n = fill ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(p), "l"(src), "r"(n) : "memory");
#endif
}
__device__ inline void mb_cp_async_commit()
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int PENDING> __device__ inline void mb_cp_async_wait()
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

#endif
#endif
