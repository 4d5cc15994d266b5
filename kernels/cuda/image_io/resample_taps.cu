/* Pillow's resize of 8-bit images, one pass (core/resample.h, MB_RESAMPLE_TAPS): 22-bit fixed point in 32 bits.
 * Across: a block makes 128 pixels of a row, whose source lies in shared memory unless the image shrinks so much that
 * it would not fit; down: a thread makes 16 bytes of a row. */
#include "cuda/image_io/image_io.cuh"

enum { THREADS = 128, SPAN = 8192, HALF = 1 << (MB_RESAMPLE_BITS - 1) };

/* The finished byte of a sum, through the table if there is one. */
__device__ inline uint8_t clip8(int sum, const uint8_t *table)
{
    sum >>= MB_RESAMPLE_BITS;
    sum = sum < 0 ? 0 : (sum > 255 ? 255 : sum);
    return table != NULL ? table[sum] : (uint8_t)sum;
}

/* n taps of neighbouring pixels. */
template <int C> __device__ inline void add_taps(int (&sum)[C], const uint8_t *from, const int32_t *k, int n)
{
    for (int j = 0; j < n; j++) {
        int weight = k[j];
#pragma unroll
        for (int c = 0; c < C; c++) {
            sum[c] += weight * from[j * C + c];
        }
    }
}

/* Pixels x0 .. x0 + 127 of row y. Their source is [begin, end) of the row. */
template <int C> __global__ void __launch_bounds__(THREADS) taps_across(mb_cuda_resample_taps p)
{
    MB_SHARED(mb_vec16, line, [SPAN / 16]);
    MB_SHARED(mb_vec16, made, [THREADS * C / 16]);
    const int tiles = (p.axis.out + THREADS - 1) / THREADS;
    const int y = (int)(blockIdx.x / (unsigned)tiles), x0 = (int)(blockIdx.x % (unsigned)tiles) * THREADS;
    const int x = x0 + (int)threadIdx.x, last = x0 + THREADS < p.axis.out ? x0 + THREADS - 1 : p.axis.out - 1;
    const uint8_t *row = p.src + (size_t)y * p.src_pitch;
    const size_t begin = (size_t)p.axis.first[x0] * C / 16 * 16;
    const size_t end = ((size_t)(p.axis.first[last] + p.axis.other[last]) * C + 15) / 16 * 16;
    const bool fits = end - begin <= SPAN;
    /* The source of the whole block, 16 bytes at a time; rows begin at multiples of 16. */
    for (size_t at = 16 * (size_t)threadIdx.x; fits && begin + at < end; at += 16 * THREADS) {
        line[at / 16] = *reinterpret_cast<const mb_vec16 *>(row + begin + at);
    }
    __syncthreads();
    if (x < p.axis.out) {
        const int32_t *k = p.axis.k + (size_t)x * (size_t)p.axis.most;
        const size_t from = (size_t)p.axis.first[x] * C;
        int sum[C];
#pragma unroll
        for (int c = 0; c < C; c++) {
            sum[c] = HALF;
        }
        if (fits) {
            add_taps<C>(sum, reinterpret_cast<const uint8_t *>(line) + (from - begin), k, p.axis.other[x]);
        } else {
            add_taps<C>(sum, row + from, k, p.axis.other[x]);
        }
#pragma unroll
        for (int c = 0; c < C; c++) {
            reinterpret_cast<uint8_t *>(made)[(int)threadIdx.x * C + c] = clip8(sum[c], p.table);
        }
    }
    __syncthreads();
    mb_store_bytes<THREADS * C>(p.dst + (size_t)y * p.dst_pitch, p.dst_pitch, (size_t)x0 * C, made);
}

/* 16 bytes of row y: all columns alike, so channels do not matter. */
__global__ void __launch_bounds__(THREADS) taps_down(mb_cuda_resample_taps p)
{
    const size_t chunks = p.dst_pitch / 16, id = (size_t)blockIdx.x * THREADS + threadIdx.x;
    if (id >= chunks * (size_t)p.axis.out) {
        return;
    }
    const size_t y = id / chunks, at = id % chunks * 16;
    const int32_t *k = p.axis.k + y * (size_t)p.axis.most;
    const uint8_t *from = p.src + (size_t)p.axis.first[y] * p.src_pitch + at;
    int sum[16];
#pragma unroll
    for (int i = 0; i < 16; i++) {
        sum[i] = HALF;
    }
    /* Row by row of the source. */
    for (int j = 0; j < p.axis.other[y]; j++) {
        mb_vec16 q = *reinterpret_cast<const mb_vec16 *>(from + (size_t)j * p.src_pitch);
        int weight = k[j];
#pragma unroll
        for (int i = 0; i < 16; i++) {
            sum[i] += weight * (int)(q.w[i / 4] >> (8 * (i % 4)) & 255u);
        }
    }
    mb_vec16 made = {{0, 0, 0, 0}};
#pragma unroll
    for (int i = 0; i < 16; i++) {
        made.w[i / 4] |= (uint32_t)clip8(sum[i], p.table) << (8 * (i % 4));
    }
    *reinterpret_cast<mb_vec16 *>(p.dst + y * p.dst_pitch + at) = made;
}

/* Across: a block per 128 pixels; down: a thread per 16 bytes of the output. */
int mb_cuda_launch_resample_taps(const mb_cuda_resample_taps *p, mb_stream stream)
{
    const unsigned tiles = (unsigned)(p->axis.out + THREADS - 1) / THREADS * (unsigned)p->lines;
    const size_t chunks = p->dst_pitch / 16 * (size_t)p->axis.out;
    if (p->vertical) {
        MB_LAUNCH(taps_down, dim3((unsigned)((chunks + THREADS - 1) / THREADS)), dim3(THREADS), 0, stream, *p);
    } else if (p->channels == 1) {
        MB_LAUNCH((taps_across<1>), dim3(tiles), dim3(THREADS), 0, stream, *p);
    } else {
        MB_LAUNCH((taps_across<3>), dim3(tiles), dim3(THREADS), 0, stream, *p);
    }
    return MB_LAUNCHED();
}
