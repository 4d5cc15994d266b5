/* Bytes to a network's input [1,C,H,W], C 3 or 4: each byte through a table, zeros beyond the image, 16 bytes stored
 * at a time where the rows allow it. By maximum the table is made here, from the image's largest byte, in f64. */
#include "cuda/image_io/image_io.cuh"

enum { THREADS = 256 };

/* largest = max(largest, bytes of the image); an integer's maximum does not depend on the order. */
__global__ void __launch_bounds__(THREADS) image_largest(mb_cuda_write_input p)
{
    const size_t chunks = p.rgb_pitch / 16, id = (size_t)blockIdx.x * THREADS + threadIdx.x;
    const size_t y = id / chunks, at = id % chunks * 16, end = (size_t)p.width * 3;
    int most = 0;
    /* All lanes take part in the maximum below. */
    if (y < (size_t)p.height) {
        mb_vec16 q = *reinterpret_cast<const mb_vec16 *>(p.rgb + y * p.rgb_pitch + at);
#pragma unroll
        for (int i = 0; i < 16; i++) {
            int v = (int)(q.w[i / 4] >> (8 * (i % 4)) & 255u);
            most = at + (size_t)i < end && v > most ? v : most;
        }
    }
    /* The maximum of the warp, then one atomic for it. */
    for (int m = 16; m > 0; m /= 2) {
        int other = __shfl_xor_sync(0xffffffffu, most, m);
        most = other > most ? other : most;
    }
    if (threadIdx.x % 32 == 0) {
        atomicMax(p.largest, most);
    }
}

/* A block per channel, a thread per byte: (v / largest - mean) / std in f64, rounded once. */
__global__ void __launch_bounds__(THREADS) image_table(mb_cuda_write_input p)
{
    const int c = (int)blockIdx.x, v = (int)threadIdx.x;
    const double by = *p.largest > 0 ? (double)*p.largest : 1e-6;
    const double mean = c == 0 ? p.mean[0] : (c == 1 ? p.mean[1] : p.mean[2]);
    const double std = c == 0 ? p.std[0] : (c == 1 ? p.std[1] : p.std[2]);
    p.table[c * 256 + v] = (float)(((double)v / by - mean) / std);
}

/* V elements of a row from e0 on; V > 1: pitch == C. */
template <class T, int V, int C>
__global__ void __launch_bounds__(THREADS)
    image_input(mb_cuda_write_input p, T *out, long long pitch, int height, int width)
{
    const size_t per_row = (size_t)width * C / V, id = (size_t)blockIdx.x * THREADS + threadIdx.x;
    const int y = (int)(id / per_row), e0 = (int)(id % per_row) * V;
    float v[V];
    if (id >= per_row * (size_t)height) {
        return;
    }
#pragma unroll
    for (int i = 0; i < V; i++) {
        const int e = e0 + i, x = e / C, c = e % C;
        v[i] = 0.0f;
        if (x < p.width && y < p.height) {
            const uint8_t *from = c < 3 ? p.rgb + (size_t)y * p.rgb_pitch + (size_t)x * 3 + (size_t)c
                                        : p.fourth + (size_t)y * p.fourth_pitch + (size_t)x;
            v[i] = p.table[c * 256 + *from];
        }
    }
    const size_t pixel = (size_t)y * (size_t)width + (size_t)(e0 / C);
    mb_store_vec<V>(out + pixel * (size_t)pitch + (size_t)(e0 % C), v);
}

/* A thread per V elements of the input. */
template <class T, int V, int C> static int launch(const mb_view *input, const mb_cuda_write_input *p, mb_stream stream)
{
    const size_t n = (size_t)(input->dims[2] * input->dims[3]) * C / V;
    MB_LAUNCH((image_input<T, V, C>), dim3((unsigned)((n + THREADS - 1) / THREADS)), dim3(THREADS), 0, stream, *p,
              (T *)input->data, input->pitch, (int)input->dims[2], (int)input->dims[3]);
    return MB_LAUNCHED();
}

/* V elements are 16 bytes where rows are dense and divide by them. */
template <class T> static int run(const mb_view *input, const mb_cuda_write_input *p, mb_stream stream)
{
    enum { W = mb_vec16_of<T>::N };
    const int64_t channels = input->dims[1];
    const bool vec16 =
        (uintptr_t)input->data % 16 == 0 && input->pitch == channels && input->dims[3] * channels % W == 0;
    if (channels == 3) {
        return vec16 ? launch<T, W, 3>(input, p, stream) : launch<T, 1, 3>(input, p, stream);
    }
    return vec16 ? launch<T, W, 4>(input, p, stream) : launch<T, 1, 4>(input, p, stream);
}

/* By maximum: two launches first, for the table. */
int mb_cuda_launch_write_input(const mb_view *input, const mb_cuda_write_input *p, mb_stream stream)
{
    if (p->by_maximum) {
        const size_t chunks = p->rgb_pitch / 16 * (size_t)p->height;
        MB_LAUNCH(image_largest, dim3((unsigned)((chunks + THREADS - 1) / THREADS)), dim3(THREADS), 0, stream, *p);
        int code = MB_LAUNCHED();
        if (code != 0) {
            return code;
        }
        MB_LAUNCH(image_table, dim3(3), dim3(THREADS), 0, stream, *p);
        code = MB_LAUNCHED();
        if (code != 0) {
            return code;
        }
    }
    return input->dtype == MB_F16    ? run<half>(input, p, stream)
           : input->dtype == MB_BF16 ? run<bfloat16>(input, p, stream)
                                     : run<float>(input, p, stream);
}
