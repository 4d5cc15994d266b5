/* Rotary position embedding: q and k of the last h*w tokens of qkv [N,3C,1,T] turned by table [1,2d,h,w], f32; the rest
 * is copied. y may be x: a thread reads both halves of a pair and writes them. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/rotary_embedding.h"

enum { THREADS = 256 };

/* A block is one token; threads take pairs of q and k, then the values of v. */
template <class T>
__global__ void __launch_bounds__(THREADS)
    rotate(T *y, const T *x, const float *table, long long y_pitch, long long x_pitch, long long table_pitch,
           int channels, int d, int tokens, int prefix)
{
    int token = (int)blockIdx.x, place = token % tokens - prefix;
    const T *from = x + (size_t)token * (size_t)x_pitch;
    T *to = y + (size_t)token * (size_t)y_pitch;
    const float *angle = table + (size_t)(place < 0 ? 0 : place) * (size_t)table_pitch;
    for (int i = (int)threadIdx.x; i < channels; i += THREADS) { /* q and k have 2 * channels / 2 pairs */
        int c = i / (d / 2) * d + i % (d / 2), k = i % (d / 2);
        float a = mb_load(from[c]), b = mb_load(from[c + d / 2]);
        float sine = place < 0 ? 0.0f : angle[k], cosine = place < 0 ? 1.0f : angle[d + k];
        mb_store(to + c, a * cosine - b * sine);
        mb_store(to + c + d / 2, b * cosine + a * sine);
    }
    for (int i = 2 * channels + (int)threadIdx.x; i < 3 * channels && x != y; i += THREADS) {
        to[i] = from[i];
    }
}

template <class T> static int run(const mb_view *y, const mb_view *x, const mb_view *table, int heads, mb_stream stream)
{
    int channels = (int)y->dims[1] / 3, tokens = (int)y->dims[3];
    MB_LAUNCH((rotate<T>), dim3((unsigned)(y->dims[0] * tokens)), dim3(THREADS), 0, stream, (T *)y->data,
              (const T *)x->data, (const float *)table->data, y->pitch, x->pitch, table->pitch, channels,
              channels / heads, tokens, tokens - (int)(table->dims[2] * table->dims[3]));
    return MB_LAUNCHED();
}

/* By the type of y, which is that of x; the table is f32. */
int mb_cuda_launch_rotary_embedding(const mb_view *y, const mb_view *x, const mb_view *table, int heads,
                                    mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, table, heads, stream);
}
