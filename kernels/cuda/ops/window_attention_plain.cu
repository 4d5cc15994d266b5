/* Swin window attention in f32 arithmetic, any window and head width that fits shared memory: strict f32 runs, and the
 * fallback of window_attention.cu for other windows. Arguments and shapes as there, any type.
 * One block per (window, head, item). Keys and values of the window lie in shared memory as floats; each warp takes one
 * query after the other: a lane has every 32nd key, then every 32nd channel. */
#include "cuda/ops/window_attention.cuh"

enum { WARPS = 8 };

/* Shared: k [keys][d+1] (odd pitch: no bank is hit twice), v [keys][d], bias, p [WARPS][keys], q [WARPS][d],
 * token [keys], label [keys]. */
static size_t shared_bytes(int window, int head_dim)
{
    size_t keys = (size_t)window * (size_t)window, d = (size_t)head_dim, side = 2 * (size_t)window - 1;
    return sizeof(float) * (keys * (2 * d + 1) + side * side + WARPS * (keys + d) + 2 * keys);
}

/* A warp's query: logits of all keys in p, softmax over the lanes, then the channels of the output. */
template <class T>
__global__ void __launch_bounds__(WARPS * 32)
    window_attention_plain(T *out, const T *qkv, const T *pad, const float *table, window_map m)
{
    MB_SHARED_DYNAMIC(float, shared);
    int keys = m.window * m.window, side = 2 * m.window - 1, d = m.head_dim, channels = m.heads * d;
    int tid = (int)threadIdx.x, lane = tid % 32, warp = tid / 32, head = (int)blockIdx.y;
    float *k = shared, *v = k + keys * (d + 1), *bias = v + keys * d, *p = bias + side * side + warp * keys;
    float *q = bias + side * side + WARPS * keys + warp * d;
    int *token = reinterpret_cast<int *>(bias + side * side + WARPS * (keys + d)), *label = token + keys;

    for (int i = tid; i < keys; i += WARPS * 32) {
        token[i] = window_token(m, (int)blockIdx.x, (int)blockIdx.z, i, &label[i]);
    }
    for (int i = tid; i < side * side; i += WARPS * 32) {
        bias[i] = table[(size_t)head * (size_t)(side * side) + (size_t)i];
    }
    __syncthreads();
    /* Keys and values; padding has pad's. */
    for (int i = tid; i < keys * d; i += WARPS * 32) {
        int t = i / d, c = i % d;
        const T *row = (token[t] >= 0 ? qkv + (size_t)token[t] * (size_t)m.qkv_pitch : pad) + head * d + c;
        k[t * (d + 1) + c] = mb_load(row[channels]);
        v[t * d + c] = mb_load(row[2 * channels]);
    }
    __syncthreads();
    for (int i = warp; i < keys; i += WARPS) {
        if (token[i] < 0) {
            continue; /* the same for the whole warp */
        }
        for (int c = lane; c < d; c += 32) {
            q[c] = mb_load(qkv[(size_t)token[i] * (size_t)m.qkv_pitch + (size_t)(head * d + c)]);
        }
        __syncwarp();
        float top = -INFINITY, sum = 0.0f;
        for (int j = lane; j < keys; j += 32) {
            float dot = 0.0f;
            for (int c = 0; c < d; c++) {
                dot += q[c] * k[j * (d + 1) + c];
            }
            int rel = (i / m.window - j / m.window + m.window - 1) * side + i % m.window - j % m.window + m.window - 1;
            p[j] = label[i] == label[j] ? dot * m.scale + bias[rel] : -INFINITY;
            top = fmaxf(top, p[j]);
        }
        top = mb_warp_max(top); /* finite: a token sees itself */
        for (int j = lane; j < keys; j += 32) {
            p[j] = mb_exp<T>(p[j] - top);
            sum += p[j];
        }
        sum = mb_warp_sum(sum);
        __syncwarp();
        for (int c = lane; c < d; c += 32) {
            float o = 0.0f;
            for (int j = 0; j < keys; j++) {
                o += p[j] * v[j * d + c];
            }
            mb_store(out + (size_t)token[i] * (size_t)m.out_pitch + (size_t)(head * d + c), o / sum);
        }
        __syncwarp(); /* p and q are about to be written again */
    }
}

/* One block per (window, head, item). */
template <class T>
static int run(const mb_view *out, const mb_view *qkv, const void *pad, const float *table, const window_map &m,
               mb_stream stream)
{
    MB_LAUNCH((window_attention_plain<T>),
              dim3((unsigned)(m.windows_y * m.windows_x), (unsigned)m.heads, (unsigned)qkv->dims[0]), dim3(WARPS * 32),
              shared_bytes(m.window, m.head_dim), stream, (T *)out->data, (const T *)qkv->data, (const T *)pad, table,
              m);
    return MB_LAUNCHED();
}

/* For `supports`: what a block would ask for. */
size_t mb_cuda_window_attention_plain_shared(const mb_window_attention_attrs *a, int64_t channels)
{
    return a->window > 64 ? SIZE_MAX : shared_bytes(a->window, (int)(channels / a->heads));
}

/* By the type of out, which is that of qkv. */
int mb_cuda_launch_window_attention_plain(const mb_view *out, const mb_view *qkv, const void *pad, const float *table,
                                          const mb_window_attention_attrs *a, mb_stream stream)
{
    return MB_BY_TYPE(out->dtype, run, out, qkv, pad, table, window_map_of(out, qkv, a), stream);
}
