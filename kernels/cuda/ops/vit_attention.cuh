/* What the kernels of ViT's attention share: the maps that attend. Global: one map of all H x W tokens. Windowed: cut
 * into a x a, padded right and bottom with tokens whose qkv is `pad`; they are keys, their outputs do not exist. With
 * pads_as_one (W2 of docs/models/vitmatte.md) the keys are the tokens on the picture and then one for all padding. */
#ifndef MB_CUDA_OPS_VIT_ATTENTION_CUH
#define MB_CUDA_OPS_VIT_ATTENTION_CUH

#include "cuda/lang/each.cuh"
#include "cuda/ops/vit_attention.h"

struct vit_map {
    int height, width, heads, d;
    int a, b;       /* a map's rows and columns of tokens */
    int rows, cols; /* maps over the picture */
    int terms;      /* relative terms of a query and head: a + b, then that of the padding if it is one key; or none */
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

/* Tokens of map i along an axis that lie on the picture. */
__device__ inline int vit_inside(int size, int map, int i)
{
    return size - i * map < map ? size - i * map : map;
}

/* The keys of map `w`: a grid of tokens, and what is behind it (0, or 1: the padding). */
struct vit_keys {
    int cols, grid, count;
};

__device__ inline vit_keys vit_keys_of(const vit_map &m, int w)
{
    int rows = vit_inside(m.height, m.a, w / m.cols), cols = vit_inside(m.width, m.b, w % m.cols);
    if (m.terms <= m.a + m.b || rows * cols == m.a * m.b) {
        return {m.b, m.a * m.b, m.a * m.b};
    }
    return {cols, rows * cols, rows * cols + 1};
}

/* Key i of map `w` of item n, as vit_token. */
__device__ inline int vit_key(const vit_map &m, const vit_keys &k, int w, int n, int i)
{
    if (i >= k.grid) {
        return i < k.count ? -1 : -2;
    }
    return vit_token(m, w, n, i / k.cols * m.b + i % k.cols);
}

/* bias: the relative terms of a query. */
__device__ inline float vit_term(const vit_map &m, const vit_keys &k, const float *bias, int key)
{
    if (m.terms == 0) {
        return 0.0f;
    }
    return key < k.grid ? bias[key / k.cols] + bias[m.a + key % k.cols] : bias[m.a + m.b];
}

inline vit_map vit_map_of(const mb_cuda_vit_args *v)
{
    const mb_view *out = v->out, *qkv = v->qkv;
    const mb_vit_attention_attrs *at = v->attrs;
    vit_map m = {(int)qkv->dims[2], (int)qkv->dims[3], at->heads, (int)(out->dims[1] / at->heads), 0, 0, 0, 0, 0,
                 at->scale,         qkv->pitch,        out->pitch};
    m.a = at->window > 0 ? at->window : m.height;
    m.b = at->window > 0 ? at->window : m.width;
    m.rows = (m.height + m.a - 1) / m.a;
    m.cols = (m.width + m.b - 1) / m.b;
    m.terms = v->relative == NULL ? 0 : m.a + m.b + (at->pads_as_one ? 1 : 0);
    return m;
}

#endif
