/* The gate of a SwiGLU: y = gate * sigmoid(gate) * x. All [N,C,H,W]; y may be the gate. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/silu_gate.h"

/* The functor of mb_each. */
template <class T> struct silu {
    const T *gate, *x;
    int64_t gate_pitch, x_pitch;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        float g[V];
        mb_load_vec<V>(g, gate + (size_t)token * (size_t)gate_pitch + c);
        mb_load_vec<V>(v, x + (size_t)token * (size_t)x_pitch + c);
#pragma unroll
        for (int i = 0; i < V; i++) {
            v[i] *= g[i] * mb_sigmoid(g[i]);
        }
    }
};

/* 16 bytes at a time where all three allow it. */
template <class T> static int run(const mb_view *y, const mb_view *gate, const mb_view *x, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    return mb_each<T>(silu<T>{(const T *)gate->data, (const T *)x->data, gate->pitch, x->pitch}, y,
                      mb_is_vec16(gate, W) && mb_is_vec16(x, W), stream);
}

/* By the type of y, which is that of the others. */
int mb_cuda_launch_silu_gate(const mb_view *y, const mb_view *gate, const mb_view *x, mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, gate, x, stream);
}
