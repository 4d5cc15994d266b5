/* Modulated deformable convolution (v2), fused: the samples of 64 pixels are gathered, blended in f32 and rounded into
 * the shared tile of the gemm, so that the columns (50 times the map for 7x7) never exist.
 *   x [N,I,H,W], offset [N,2kk,H,W] and modulator logits [N,kk,H,W] (f32 in 16-bit runs: positions need it),
 *   weight [O][kk*I] (channels innermost), bias [O] f32 or NULL -> y [N,O,H,W]
 * A sample outside (-1, H) x (-1, W) is zero; inside, each neighbour outside counts as zero. 256 outputs per block, so
 * that BiRefNet's samples (O = 256) are taken once. kernels/ref/deform_conv2d.c has the formula. */
#include "cuda/ops/deform_conv2d.h"
#include "cuda/ops/gemm.cuh"

/* The source of the gemm: A(m, k) is the modulated sample of tap k / I, channel k % I, at pixel m. */
template <class T> struct samples {
    const T *x;
    const void *offset, *logit;
    int64_t x_pitch, offset_pitch, logit_pitch;
    int offset_dtype, height, width, pad, k_total;
    mb_divisor channels, k;
    float modulator_scale;
    bool vec16;

    struct row {
        int token; /* -1: no pixel */
        int y, x;
    };
    /* One part; rows are pixels in order. */
    __device__ int begin(int, int rows) { return rows; }
    __device__ int item(int m) const { return m / (height * width); }
    __device__ int token(int m) const { return m; }
    /* The pixel, and where its kernel begins without offsets. */
    __device__ row at(int m, int rows) const
    {
        return row{m < rows ? m : -1, m / width % height - pad, m % width - pad};
    }

    /* Adds one of the four neighbours; outside of the map it is zero. */
    template <int V> __device__ void corner(float (&sum)[V], const T *map, int y, int x1, float weight) const
    {
        if (y < 0 || x1 < 0 || y >= height || x1 >= width) {
            return;
        }
        float v[V];
        mb_load_vec<V>(v, map + ((size_t)y * (size_t)width + (size_t)x1) * (size_t)x_pitch);
#pragma unroll
        for (int i = 0; i < V; i++) {
            sum[i] += weight * v[i];
        }
    }
    /* Channels c .. c + V of tap t. */
    template <int V> __device__ void sample(float (&sum)[V], const row &r, int t, int c) const
    {
        size_t at_offset = (size_t)r.token * (size_t)offset_pitch + (size_t)(2 * t);
        int line = k.quotient(t);
        float y = (float)(r.y + line) + mb_load_any(offset, offset_dtype, at_offset);
        float x1 = (float)(r.x + k.rest(t, line)) + mb_load_any(offset, offset_dtype, at_offset + 1);
        if (!(y > -1.0f && x1 > -1.0f && y < (float)height && x1 < (float)width)) {
            return;
        }
        float m = modulator_scale *
                  mb_sigmoid(mb_load_any(logit, offset_dtype, (size_t)r.token * (size_t)logit_pitch + (size_t)t));
        int iy = (int)floorf(y), ix = (int)floorf(x1);
        float fy = y - (float)iy, fx = x1 - (float)ix;
        const T *map = x + (size_t)(r.token / (height * width)) * (size_t)height * (size_t)width * (size_t)x_pitch + c;
        corner<V>(sum, map, iy, ix, m * (1.0f - fy) * (1.0f - fx));
        corner<V>(sum, map, iy, ix + 1, m * (1.0f - fy) * fx);
        corner<V>(sum, map, iy + 1, ix, m * fy * (1.0f - fx));
        corner<V>(sum, map, iy + 1, ix + 1, m * fy * fx);
    }
    /* Without vec16 each element may belong to another tap, and is sampled on its own. */
    __device__ void load(T (&e)[mb_vec16_of<T>::N], const row &r, int kk) const
    {
        enum { W = mb_vec16_of<T>::N };
        float sum[W] = {};
        if (vec16 && r.token >= 0 && kk < k_total) {
            int t = channels.quotient(kk);
            sample<W>(sum, r, t, channels.rest(kk, t));
        } else if (r.token >= 0) {
#pragma unroll
            for (int i = 0; i < W; i++) {
                float one[1] = {0.0f};
                if (kk + i < k_total) {
                    int t = channels.quotient(kk + i);
                    sample<1>(one, r, t, channels.rest(kk + i, t));
                }
                sum[i] = one[0];
            }
        }
#pragma unroll
        for (int i = 0; i < W; i++) {
            mb_store(&e[i], sum[i]);
        }
    }
};

/* Two tiles: BiRefNet's 256 outputs in one block, and up to 64. */
template <class T> static int run(const mb_cuda_deform_args *c, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    const mb_view *x = c->x;
    int channels = (int)x->dims[1], outputs = (int)c->y->dims[1], rows = (int)mb_view_tokens(x),
        k_total = c->k * c->k * channels;
    samples<T> source = {(const T *)x->data,
                         c->offset->data,
                         c->logit->data,
                         x->pitch,
                         c->offset->pitch,
                         c->logit->pitch,
                         (int)c->offset->dtype,
                         (int)x->dims[2],
                         (int)x->dims[3],
                         c->pad,
                         k_total,
                         mb_divisor_of(channels),
                         mb_divisor_of(c->k),
                         c->modulator_scale,
                         mb_is_vec16(x, W) && channels % W == 0};
    mb_view none = {};
    gemm_out out = gemm_out_of(c->y, &none, c->bias, c->act);
    int padded = (k_total + W - 1) / W * W;
    if (outputs <= 64) {
        return gemm_launch<gemm_tile<64, 64, 2, 2>, T>(out, c->weight, source, rows, outputs, padded, 1, stream);
    }
    return gemm_launch<gemm_tile<64, 256, 2, 4>, T>(out, c->weight, source, rows, outputs, padded, 1, stream);
}

/* By the type of x; offset and logit have their own. */
int mb_cuda_launch_deform_conv2d(const mb_cuda_deform_args *c, mb_stream stream)
{
    return MB_BY_TYPE(c->x->dtype, run, c, stream);
}
