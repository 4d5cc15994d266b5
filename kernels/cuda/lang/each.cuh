/* The frame of the element-wise kernels: one functor per op, called for V neighbouring channels of one token.
 *   struct op { template <int V> __device__ void at(float (&v)[V], int token, int c) const; };   fills v
 * A block is bx lanes along the channels times by tokens, so that no division is needed and accesses are contiguous; V
 * is a 16-byte access when channels, pitches and addresses allow it, else 1. */
#ifndef MB_CUDA_LANG_EACH_CUH
#define MB_CUDA_LANG_EACH_CUH

#include "cuda/lang/dialect.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

/* Element i of memory of a type known at run time (mb_dtype). */
__device__ inline float mb_load_any(const void *p, int dtype, size_t i)
{
    return dtype == MB_F16    ? mb_load(static_cast<const half *>(p)[i])
           : dtype == MB_BF16 ? mb_load(static_cast<const bfloat16 *>(p)[i])
                              : static_cast<const float *>(p)[i];
}
__device__ inline void mb_store_any(void *p, int dtype, size_t i, float v)
{
    if (dtype == MB_F16) {
        mb_store(static_cast<half *>(p) + i, v);
    } else if (dtype == MB_BF16) {
        mb_store(static_cast<bfloat16 *>(p) + i, v);
    } else {
        static_cast<float *>(p)[i] = v;
    }
}

enum { MB_EACH_THREADS = 256 };

template <class T, int V, class F>
__global__ void __launch_bounds__(MB_EACH_THREADS) mb_each_token(F f, T *out, long long pitch, int channels, int tokens)
{
    int token = (int)(blockIdx.x * blockDim.y + threadIdx.y);
    if (token >= tokens) {
        return;
    }
    for (int c = (int)threadIdx.x * V; c < channels; c += (int)blockDim.x * V) {
        float v[V];
        f.template at<V>(v, token, c);
        mb_store_vec<V>(out + (size_t)token * (size_t)pitch + c, v);
    }
}

/* Can views be read 16 bytes at a time? All that take part must be asked. */
inline bool mb_is_vec16(const mb_view *v, int width)
{
    return (uintptr_t)v->data % 16 == 0 && v->pitch % width == 0;
}

template <class T, int V, class F> int mb_each_launch(F f, const mb_view *out, mb_stream stream)
{
    int channels = (int)out->dims[1], tokens = (int)mb_view_tokens(out);
    unsigned bx = 1;
    while ((int)bx * V < channels && bx < MB_EACH_THREADS) {
        bx *= 2;
    }
    unsigned by = MB_EACH_THREADS / bx;
    MB_LAUNCH((mb_each_token<T, V, F>), dim3(((unsigned)tokens + by - 1) / by), dim3(bx, by), 0, stream, f,
              (T *)out->data, out->pitch, channels, tokens);
    return MB_LAUNCHED();
}

/* vec16: every other map that f reads 16 bytes at a time allows it. */
template <class T, class F> int mb_each(F f, const mb_view *out, bool vec16, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    if (vec16 && mb_is_vec16(out, W) && out->dims[1] % W == 0) {
        return mb_each_launch<T, W>(f, out, stream);
    }
    return mb_each_launch<T, 1>(f, out, stream);
}

/* One launch by the type of a view: MB_BY_TYPE(out->dtype, run, args...) calls run<T>(args...). */
#define MB_BY_TYPE(dtype, function, ...)                                                                               \
    ((dtype) == MB_F16 ? function<half>(__VA_ARGS__)                                                                   \
                       : ((dtype) == MB_BF16 ? function<bfloat16>(__VA_ARGS__) : function<float>(__VA_ARGS__)))

#endif
