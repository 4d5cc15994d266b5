/* VITMatte's absolute positions: rows 1.. of table [1+g*g,C] are a g x g map, resized bicubically (a = -0.75,
 * half-pixel centres, clamped taps) to y [1,C,h,w]. Once per plan size: plain. docs/models/vitmatte.md 4.1. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/position_embedding.h"

/* The four taps of output o. In double: this is f32 parity with the reference, and a handful of operations. */
__device__ inline void cubic(int (&index)[4], float (&weight)[4], int o, int in, int out)
{
    const double a = -0.75;
    double s = ((double)o + 0.5) * (double)in / (double)out - 0.5, i = floor(s), f = s - i;
    double far0 = f + 1, near1 = 1 - f, far1 = 2 - f;
    weight[0] = (float)(((a * far0 - 5 * a) * far0 + 8 * a) * far0 - 4 * a);
    weight[1] = (float)(((a + 2) * f - (a + 3)) * f * f + 1);
    weight[2] = (float)(((a + 2) * near1 - (a + 3)) * near1 * near1 + 1);
    weight[3] = (float)(((a * far1 - 5 * a) * far1 + 8 * a) * far1 - 4 * a);
    for (int k = 0; k < 4; k++) {
        int j = (int)i - 1 + k;
        index[k] = j < 0 ? 0 : j >= in ? in - 1 : j;
    }
}

/* The functor of mb_each: 16 taps per element, in f32. */
struct positions {
    const float *map; /* without row 0 */
    int channels, g, h, w;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int y[4], x[4];
        float wy[4], wx[4];
        cubic(y, wy, token / w, g, h);
        cubic(x, wx, token % w, g, w);
#pragma unroll
        for (int i = 0; i < V; i++) {
            float sum = 0.0f;
            for (int k = 0; k < 16; k++) {
                sum +=
                    wy[k / 4] * wx[k % 4] * map[(size_t)(y[k / 4] * g + x[k % 4]) * (size_t)channels + (size_t)(c + i)];
            }
            v[i] = sum;
        }
    }
};

/* Skips row 0, the class token's. */
template <class T> static int run(const mb_view *y, const float *table, int g, mb_stream stream)
{
    int channels = (int)y->dims[1];
    return mb_each<T>(positions{table + channels, channels, g, (int)y->dims[2], (int)y->dims[3]}, y, true, stream);
}

/* By the type of y; the table is f32. */
int mb_cuda_launch_position_embedding(const mb_view *y, const float *table, int g, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, table, g, stream);
}
