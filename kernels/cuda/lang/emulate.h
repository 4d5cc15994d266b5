/* CUDA dialect of dialect.h for an ordinary C++ compiler: types, intrinsics, and the calls into the fiber scheduler
 * (tests/cuda/emulate.cpp). Only what our kernels use is here; an unknown intrinsic fails to compile, which is the
 * point.
 *
 * What a run under emulation checks, beyond the numbers
 *   - barriers: threads at different __syncthreads, or one that never comes, are reported with file and line
 *   - order: threads between barriers, and blocks, run forward, in reverse or in a seeded random order
 *   - initialisation: shared memory starts as NaN, targets of cp.async are NaN until the matching wait
 *   - limits: threads per block, shared memory, grid sizes; lanes missing from a warp operation
 *   - with -fsanitize=address: bounds of device and shared memory; with -fsanitize=thread: data races, exactly
 */
#ifndef MB_CUDA_LANG_EMULATE_H
#define MB_CUDA_LANG_EMULATE_H

#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__    static
#define __forceinline__ inline
#define __align__(n)    alignas(n)
#define __launch_bounds__(...)

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};

/* ---- 16-bit floats ------------------------------------------------------------------------------------------- */
/* The names that CUDA's headers give them: they are part of the kernels' names (driver_launch.h). */
struct __half {
    uint16_t bits;
};
typedef __half half;
struct __nv_bfloat16 {
    uint16_t bits;
};
typedef __nv_bfloat16 bfloat16;

#ifdef __F16C__
#include <immintrin.h>
inline float __half2float(half h)
{
    return _cvtsh_ss(h.bits);
}
inline half __float2half_rn(float f)
{
    return half{(uint16_t)_cvtss_sh(f, 0)};
}
#else
float mb_emu_half_to_float(uint16_t bits);
uint16_t mb_emu_float_to_half(float f);
inline float __half2float(half h)
{
    return mb_emu_half_to_float(h.bits);
}
inline half __float2half_rn(float f)
{
    return half{mb_emu_float_to_half(f)};
}
#endif
inline unsigned short __half_as_ushort(half h)
{
    return h.bits;
}
inline unsigned short __bfloat16_as_ushort(bfloat16 b)
{
    return b.bits;
}
inline half __ushort_as_half(unsigned short u)
{
    return half{u};
}
inline float __bfloat162float(bfloat16 b)
{
    uint32_t u = (uint32_t)b.bits << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}
inline bfloat16 __float2bfloat16_rn(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    if (f != f) {
        return bfloat16{0x7fff};
    }
    return bfloat16{(uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16)};
}

/* ---- math ----------------------------------------------------------------------------------------------------- */
inline float __expf(float x)
{
    return expf(x);
}
inline float __fdividef(float a, float b)
{
    return a / b;
}
inline float __fdiv_rn(float a, float b)
{
    return a / b;
}
inline float __fmul_rn(float a, float b)
{
    volatile float r = a * b; /* never fused with what follows */
    return r;
}
inline float __fadd_rn(float a, float b)
{
    volatile float r = a + b;
    return r;
}
inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

/* ---- who am I ------------------------------------------------------------------------------------------------- */
struct mb_emu_ids {
    uint3 thread, block;
    dim3 block_dim, grid_dim;
};
extern thread_local mb_emu_ids mb_emu_self;
#define threadIdx (mb_emu_self.thread)
#define blockIdx  (mb_emu_self.block)
#define blockDim  (mb_emu_self.block_dim)
#define gridDim   (mb_emu_self.grid_dim)

/* ---- scheduler ------------------------------------------------------------------------------------------------ */
#define MB_EMU_STR2(x) #x
#define MB_EMU_STR(x)  MB_EMU_STR2(x)
#define MB_EMU_SITE    __FILE__ ":" MB_EMU_STR(__LINE__)

/* Every lane of mask gives arg; the last one to come calls all(args) for the whole warp, then all go on.
 * orders_memory: the operation is also a memory fence among the lanes (__syncwarp is, shuffles are not). */
typedef void mb_emu_warp_fn(void **args, unsigned mask);
void mb_emu_warp(unsigned mask, mb_emu_warp_fn *all, void *arg, bool orders_memory, const char *site);
void mb_emu_barrier(const char *site);
void *mb_emu_shared(const void *key, size_t bytes, const char *site); /* NaN at block start */
void *mb_emu_shared_dynamic(void);
void mb_emu_cp_async(void *dst, const void *src, size_t bytes, bool fill);
void mb_emu_cp_commit(void);
void mb_emu_cp_wait(int pending);
[[noreturn]] void mb_emu_fault(const char *site, const char *what); /* ends the launch with this message */

#define __syncthreads() mb_emu_barrier(MB_EMU_SITE)
#define __syncwarp(...) mb_emu_warp(0xffffffffu, mb_emu_nothing, NULL, true, MB_EMU_SITE)
inline void mb_emu_nothing(void **, unsigned) {}

/* The function-local static gives each declaration (and each template instance) its own key. */
#define MB_SHARED(type, name, dims)                                                                                    \
    static const char mb_key_##name = 0;                                                                               \
    typedef type mb_type_##name dims;                                                                                  \
    mb_type_##name &name = *(mb_type_##name *)mb_emu_shared(&mb_key_##name, sizeof(mb_type_##name), MB_EMU_SITE)
#define MB_SHARED_DYNAMIC(type, name) type *name = (type *)mb_emu_shared_dynamic()

/* Lanes hand each other registers, not memory: the race detector looks away. */
#if defined(__SANITIZE_THREAD__)
#define MB_EMU_UNSEEN __attribute__((noinline, no_sanitize("thread")))
#else
#define MB_EMU_UNSEEN
#endif

/* ---- warp operations ------------------------------------------------------------------------------------------- */
template <class T> struct mb_emu_shuffle {
    T in, out;
    int arg, lane_bits; /* lane_bits: xor mask, or source lane when negative */
    const char *site;
};
template <class T> MB_EMU_UNSEEN void mb_emu_shuffle_all(void **args, unsigned mask)
{
    for (int l = 0; l < 32; l++) {
        if (mask >> l & 1u) {
            mb_emu_shuffle<T> *s = (mb_emu_shuffle<T> *)args[l];
            int from = s->lane_bits >= 0 ? (l ^ s->lane_bits) & 31 : s->arg & 31;
            if (!(mask >> from & 1u)) {
                mb_emu_fault(s->site, "shuffle reads a lane that does not take part");
            }
            s->out = ((mb_emu_shuffle<T> *)args[from])->in;
        }
    }
}
template <class T> MB_EMU_UNSEEN T mb_emu_shfl(const char *site, int xor_bits, unsigned mask, T v, int arg)
{
    mb_emu_shuffle<T> s = {v, v, arg, xor_bits < 0 ? -1 : arg, site};
    mb_emu_warp(mask, mb_emu_shuffle_all<T>, &s, false, site);
    return s.out;
}
#define __shfl_xor_sync(mask, v, m) mb_emu_shfl(MB_EMU_SITE, 1, (mask), (v), (m))
#define __shfl_sync(mask, v, l)     mb_emu_shfl(MB_EMU_SITE, -1, (mask), (v), (l))

struct mb_emu_vote {
    bool in;
    unsigned out;
};
MB_EMU_UNSEEN inline void mb_emu_ballot_all(void **args, unsigned mask)
{
    unsigned r = 0;
    for (int l = 0; l < 32; l++) {
        r |= (mask >> l & 1u) && ((mb_emu_vote *)args[l])->in ? 1u << l : 0u;
    }
    for (int l = 0; l < 32; l++) {
        if (mask >> l & 1u) {
            ((mb_emu_vote *)args[l])->out = r;
        }
    }
}
MB_EMU_UNSEEN inline unsigned mb_emu_ballot(const char *site, unsigned mask, bool p)
{
    mb_emu_vote v = {p, 0};
    mb_emu_warp(mask, mb_emu_ballot_all, &v, false, site);
    return v.out;
}
#define __ballot_sync(mask, p) mb_emu_ballot(MB_EMU_SITE, (mask), (p))

/* ---- atomics ---------------------------------------------------------------------------------------------------- */
inline int atomicAdd(int *p, int v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline int atomicMax(int *p, int v)
{
    int old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (old < v && !__atomic_compare_exchange_n(p, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}

/* ---- mma.h --------------------------------------------------------------------------------------------------------
 */
struct mb_emu_mma {
    float *d;
    const uint32_t *a, *b;
    bool bf16;
};
struct mb_emu_ldm {
    uint32_t *r;
    const uint16_t *row;
    bool trans;
    const char *site;
};
void mb_emu_mma_all(void **args, unsigned mask);
void mb_emu_ldm_all(void **args, unsigned mask);
template <class T> inline void mb_mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2])
{
    mb_emu_mma m = {d, a, b, sizeof(T) == 2 && std::is_same<T, bfloat16>::value};
    mb_emu_warp(0xffffffffu, mb_emu_mma_all, &m, false, MB_EMU_SITE);
}
/* Each lane reads the row whose address it gives: here the sanitizers see it. */
inline void mb_emu_touch(const void *row)
{
    for (int i = 0; i < 8; i++) {
        (void)((const volatile uint16_t *)row)[i];
    }
}
inline void mb_ldmatrix4(uint32_t (&r)[4], const void *row)
{
    mb_emu_touch(row);
    mb_emu_ldm m = {r, (const uint16_t *)row, false, MB_EMU_SITE};
    mb_emu_warp(0xffffffffu, mb_emu_ldm_all, &m, false, MB_EMU_SITE);
}
inline void mb_ldmatrix4_trans(uint32_t (&r)[4], const void *row)
{
    mb_emu_touch(row);
    mb_emu_ldm m = {r, (const uint16_t *)row, true, MB_EMU_SITE};
    mb_emu_warp(0xffffffffu, mb_emu_ldm_all, &m, false, MB_EMU_SITE);
}
inline void mb_cp_async16(void *dst, const void *src, bool fill = true)
{
    mb_emu_cp_async(dst, src, 16, fill);
}
inline void mb_cp_async_commit()
{
    mb_emu_cp_commit();
}
template <int PENDING> inline void mb_cp_async_wait()
{
    mb_emu_cp_wait(PENDING);
}

/* ---- launch
 * ---------------------------------------------------------------------------------------------------------- */
typedef struct CUstream_st *cudaStream_t; /* what launch.h calls mb_stream */
void mb_emu_launch(const char *name, dim3 grid, dim3 block, size_t smem, cudaStream_t stream,
                   std::function<void()> body);
/* As on a device, arguments are taken at the launch, not when the kernel runs: a recorded launch runs later. */
template <class K, class... A> std::function<void()> mb_emu_bind(K *kernel, A... arguments)
{
    return [=]() { kernel(arguments...); };
}
#define MB_LAUNCH(kernel, grid, block, smem, stream, ...)                                                              \
    mb_emu_launch(#kernel, (grid), (block), (smem), (stream), mb_emu_bind(kernel, __VA_ARGS__))

#define MB_LAUNCHED()        mb_emu_launched()
#define MB_LAUNCH_TEXT(code) mb_emu_launch_text(code)
int mb_emu_launched(void); /* 0, or 719 (launch failed) when there was a fault since the last call; its text stays */
const char *mb_emu_launch_text(int code);

/* Runs the grid now, on the calling thread and workers - 1 helpers. NULL, or what went wrong. */
typedef enum { MB_EMU_FORWARD, MB_EMU_REVERSE, MB_EMU_RANDOM } mb_emu_order;
typedef struct mb_emu_options {
    mb_emu_order order;
    unsigned seed;
    int workers;
    size_t shared_limit; /* bytes per block, static and dynamic: 64 KiB sm_75, 99 sm_86 and 89, 163 sm_80, 227 sm_90 */
} mb_emu_options;
extern mb_emu_options mb_emu_settings;
const char *mb_emu_take_fault(void); /* the first fault since the last call, or NULL */
const char *mb_emu_run(const char *name, dim3 grid, dim3 block, size_t smem, const std::function<void()> &body);

#endif
