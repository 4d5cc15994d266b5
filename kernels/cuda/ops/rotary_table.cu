/* Sines and cosines of rotary positions: y [1,2d,h,w]; ref/rotary_table.c has the formula. Once per plan: plain. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/rotary_table.h"

/* The functor of mb_each. In double: this is parity with the reference, and happens once. */
struct angles {
    int d, h, w;
    double base;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        const double pi = 3.14159265358979323846;
        double y = 2 * ((double)(token / w) + 0.5) / (double)h - 1, x = 2 * ((double)(token % w) + 0.5) / (double)w - 1;
        for (int i = 0; i < V; i++) {
            int k = (c + i) % (d / 2), j = k % (d / 4);
            double angle = 2 * pi * (k < d / 4 ? y : x) / pow(base, 4 * (double)j / (double)d);
            v[i] = (float)(c + i < d ? sin(angle) : cos(angle));
        }
    }
};

/* One value at a time: the arithmetic decides its time. */
template <class T> static int run(const mb_view *y, float base, mb_stream stream)
{
    return mb_each<T>(angles{(int)y->dims[1] / 2, (int)y->dims[2], (int)y->dims[3], (double)base}, y, false, stream);
}

/* By the type of y. */
int mb_cuda_launch_rotary_table(const mb_view *y, float base, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, base, stream);
}
