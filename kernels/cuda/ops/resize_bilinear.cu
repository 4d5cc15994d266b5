/* Bilinear resize (+ addend): x [N,C,H,W], addend like y -> y [N,C,h,w]. The index arithmetic is f32, each operation
 * rounded (no fused multiply-add), as the published models computed it: see kernels/ref/resize_bilinear.c. */
#include "cuda/lang/each.cuh"
#include "cuda/ops/resize_bilinear.h"

/* Two neighbours along one axis, and the weight of the second. */
struct tap {
    int i0, i1;
    float l;
};
/* Intrinsics, so that no compiler fuses two operations: the last bit of l would move. */
__device__ inline tap tap_of(int o, int in, int out, bool align_corners)
{
    float p;
    if (align_corners) {
        float r = out > 1 ? __fdiv_rn((float)(in - 1), (float)(out - 1)) : 0.0f;
        p = __fmul_rn(r, (float)o);
    } else {
        float r = __fdiv_rn((float)in, (float)out);
        p = fmaxf(__fadd_rn(__fmul_rn(r, __fadd_rn((float)o, 0.5f)), -0.5f), 0.0f);
    }
    int i0 = (int)p < in - 1 ? (int)p : in - 1;
    return tap{i0, i0 + 1 < in ? i0 + 1 : in - 1, __fadd_rn(p, -(float)i0)};
}

/* The functor of mb_each: across first, then down, then the addend. */
template <class T> struct bilinear {
    const T *x, *addend; /* addend may be NULL */
    int64_t x_pitch, addend_pitch;
    int height, width, h, w;
    bool align_corners;
    template <int V> __device__ void at(float (&v)[V], int token, int c) const
    {
        int ox = token % w, rest = token / w, oy = rest % h, n = rest / h;
        tap b = tap_of(oy, height, h, align_corners), a = tap_of(ox, width, w, align_corners);
        float p00[V], p01[V], p10[V], p11[V], plus[V] = {};
        const T *top = x + (size_t)(n * height + b.i0) * (size_t)width * (size_t)x_pitch + c;
        const T *bottom = x + (size_t)(n * height + b.i1) * (size_t)width * (size_t)x_pitch + c;
        mb_load_vec<V>(p00, top + (size_t)a.i0 * (size_t)x_pitch);
        mb_load_vec<V>(p01, top + (size_t)a.i1 * (size_t)x_pitch);
        mb_load_vec<V>(p10, bottom + (size_t)a.i0 * (size_t)x_pitch);
        mb_load_vec<V>(p11, bottom + (size_t)a.i1 * (size_t)x_pitch);
        if (addend) {
            mb_load_vec<V>(plus, addend + (size_t)token * (size_t)addend_pitch + c);
        }
#pragma unroll
        for (int i = 0; i < V; i++) {
            float up = (1.0f - a.l) * p00[i] + a.l * p01[i], down = (1.0f - a.l) * p10[i] + a.l * p11[i];
            v[i] = (1.0f - b.l) * up + b.l * down + plus[i];
        }
    }
};

/* 16 bytes at a time where all maps allow it. */
template <class T>
static int run(const mb_view *y, const mb_view *x, const mb_view *addend, bool align_corners, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    bool with = mb_view_present(addend);
    bilinear<T> f = {(const T *)x->data, with ? (const T *)addend->data : NULL,
                     x->pitch,           addend->pitch,
                     (int)x->dims[2],    (int)x->dims[3],
                     (int)y->dims[2],    (int)y->dims[3],
                     align_corners};
    return mb_each<T>(f, y, mb_is_vec16(x, W) && (!with || mb_is_vec16(addend, W)), stream);
}

/* By the type of y, which is that of x and the addend. */
int mb_cuda_launch_resize_bilinear(const mb_view *y, const mb_view *x, const mb_view *addend, bool align_corners,
                                   mb_stream stream)
{
    return MB_BY_TYPE(y->dtype, run, y, x, addend, align_corners, stream);
}
