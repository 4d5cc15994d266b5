/* What the kernels of ViT's attention share: the maps that attend. Global: one map of all H x W tokens. Windowed: cut
 * into a x a, padded right and bottom with tokens whose qkv is `pad`; they are keys, their outputs do not exist. */
#ifndef MB_CUDA_VIT_ATTENTION_CUH
#define MB_CUDA_VIT_ATTENTION_CUH

#include "each.cuh"

struct vit_map {
    int height, width, heads, d;
    int a, b;       /* a map's rows and columns of tokens */
    int rows, cols; /* maps over the picture */
    float scale;
    int64_t qkv_pitch, out_pitch;
};

/* Place i of map `w` of item n: the token's index, -1 for padding of the picture, -2 past the map's end. */
__device__ inline int vit_token(const vit_map &m, int w, int n, int i)
{
    int y = w / m.cols * m.a + i / m.b, x = w % m.cols * m.b + i % m.b;
    if (i >= m.a * m.b) {
        return -2;
    }
    return y < m.height && x < m.width ? (n * m.height + y) * m.width + x : -1;
}

inline vit_map vit_map_of(const mb_view *out, const mb_view *qkv, const mb_vit_attention_attrs *at)
{
    vit_map m = {(int)qkv->dims[2], (int)qkv->dims[3], at->heads, (int)(out->dims[1] / at->heads), 0, 0, 0, 0,
                 at->scale,         qkv->pitch,        out->pitch};
    m.a = at->window > 0 ? at->window : m.height;
    m.b = at->window > 0 ? at->window : m.width;
    m.rows = (m.height + m.a - 1) / m.a;
    m.cols = (m.width + m.b - 1) / m.b;
    return m;
}

#endif
