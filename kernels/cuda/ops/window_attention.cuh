/* What both window attention kernels share: which token stands where on the padded, rolled map, and the launch's
 * numbers. Roll, partition, padding and reverse are index arithmetic: no tensor in window order exists. */
#ifndef MB_CUDA_OPS_WINDOW_ATTENTION_CUH
#define MB_CUDA_OPS_WINDOW_ATTENTION_CUH

#include "cuda/lang/each.cuh"
#include "cuda/ops/window_attention.h"

struct window_map {
    int height, width, heads, head_dim, window, shift;
    float scale;
    int64_t qkv_pitch, out_pitch;
    int windows_y, windows_x;
};

/* Row label of the shift mask on the padded, rolled map: pairs with different labels do not see each other. */
__device__ inline int window_region(int v, int padded, int window, int shift)
{
    return v < padded - window ? 0 : v < padded - shift ? 1 : 2;
}

/* Place i of window `w` of item `n`: the token's index in raster order, -1 for padding; and its label. */
__device__ inline int window_token(const window_map &m, int w, int n, int i, int *label)
{
    int ry = w / m.windows_x * m.window + i / m.window, rx = w % m.windows_x * m.window + i % m.window;
    int hp = m.windows_y * m.window, wp = m.windows_x * m.window;
    int y = (ry + m.shift) % hp, x = (rx + m.shift) % wp;
    *label = m.shift ? window_region(ry, hp, m.window, m.shift) * 3 + window_region(rx, wp, m.window, m.shift) : 0;
    return y < m.height && x < m.width ? (n * m.height + y) * m.width + x : -1;
}

/* The numbers of a launch, from the shapes of qkv [N,3C,H,W] and out [N,C,H,W]. */
inline window_map window_map_of(const mb_view *out, const mb_view *qkv, const mb_window_attention_attrs *a)
{
    window_map m = {(int)qkv->dims[2],
                    (int)qkv->dims[3],
                    a->heads,
                    (int)(out->dims[1] / a->heads),
                    a->window,
                    a->shift,
                    a->scale,
                    qkv->pitch,
                    out->pitch,
                    0,
                    0};
    m.windows_y = (m.height + m.window - 1) / m.window;
    m.windows_x = (m.width + m.window - 1) / m.window;
    return m;
}

#endif
