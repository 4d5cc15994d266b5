/* Bilinear resizes that end in bytes (core/resample.h: CV_TRUNC, CV_U8, CORNERS). A block makes 128 pixels of a row,
 * each from two pixels of two rows; they lie wherever the tables say. */
#include "cuda/image_io/image_io.cuh"

enum { THREADS = 128 };

/* src: the four source values of one channel: row above first. */
template <int RULE> __device__ inline uint8_t blend(const float (&v)[4], float lx, float ly)
{
    if (RULE == MB_RESAMPLE_CORNERS) {
        float above = (1.0f - lx) * v[0] + lx * v[1], below = (1.0f - lx) * v[2] + lx * v[3];
        return mb_image_to8((1.0f - ly) * above + ly * below);
    }
    float above = fmaf(v[1] - v[0], lx, v[0]), below = fmaf(v[3] - v[2], lx, v[2]);
    return mb_image_to8(fmaf(below - above, ly, above));
}

/* CV_U8: OpenCV's fixed point, 11 bits across, then its rounding shifts down. */
__device__ inline uint8_t blend_fixed(const int (&v)[4], int kx, int ky)
{
    int above = (2048 - kx) * v[0] + kx * v[1], below = (2048 - kx) * v[2] + kx * v[3];
    return (uint8_t)((((2048 - ky) * (above >> 4) >> 16) + (ky * (below >> 4) >> 16) + 2) >> 2);
}

/* Bytes are collected in shared memory and stored 16 at a time. */
template <int RULE> __global__ void __launch_bounds__(THREADS) linear_rows(mb_cuda_resample_linear p)
{
    enum { C = RULE == MB_RESAMPLE_CORNERS ? 1 : 3 };
    MB_SHARED(mb_vec16, made, [THREADS * C / 16]);
    MB_SHARED(float, unit, [RULE == MB_RESAMPLE_CV_TRUNC ? 256 : 1]); /* v / 255 */
    for (int v = (int)threadIdx.x; RULE == MB_RESAMPLE_CV_TRUNC && v < 256; v += THREADS) {
        unit[v] = (float)v / 255.0f;
    }
    __syncthreads();
    /* Blocks run over the tiles of a row, then over rows. */
    const int tiles = (p.x.out + THREADS - 1) / THREADS;
    const int y = (int)(blockIdx.x / (unsigned)tiles), x0 = (int)(blockIdx.x % (unsigned)tiles) * THREADS;
    const int x = x0 + (int)threadIdx.x;
    if (x < p.x.out) {
        const uint8_t *src = static_cast<const uint8_t *>(p.src);
        const uint8_t *row[2] = {src + (size_t)p.y.first[y] * p.src_pitch, src + (size_t)p.y.other[y] * p.src_pitch};
        const size_t at[2] = {(size_t)p.x.first[x], (size_t)p.x.other[x]};
#pragma unroll
        for (int c = 0; c < C; c++) {
            uint8_t byte;
            if (RULE == MB_RESAMPLE_CV_U8) {
                int v[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    v[i] = row[i / 2][at[i % 2] * C + c];
                }
                byte = blend_fixed(v, p.x.k[x], p.y.k[y]);
            } else {
                float v[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    v[i] = RULE == MB_RESAMPLE_CORNERS ? reinterpret_cast<const float *>(row[i / 2])[at[i % 2]]
                                                       : unit[row[i / 2][at[i % 2] * C + c]];
                }
                byte = blend<RULE>(v, p.x.l[x], p.y.l[y]);
            }
            reinterpret_cast<uint8_t *>(made)[(int)threadIdx.x * C + c] = p.table != NULL ? p.table[byte] : byte;
        }
    }
    __syncthreads();
    mb_store_bytes<THREADS * C>(p.dst + (size_t)y * p.dst_pitch, p.dst_pitch, (size_t)x0 * C, made);
}

/* One block per 128 pixels of an output row. */
int mb_cuda_launch_resample_linear(const mb_cuda_resample_linear *p, mb_stream stream)
{
    const unsigned tiles = (unsigned)(p->x.out + THREADS - 1) / THREADS * (unsigned)p->y.out;
    if (p->rule == MB_RESAMPLE_CORNERS) {
        MB_LAUNCH((linear_rows<MB_RESAMPLE_CORNERS>), dim3(tiles), dim3(THREADS), 0, stream, *p);
    } else if (p->rule == MB_RESAMPLE_CV_U8) {
        MB_LAUNCH((linear_rows<MB_RESAMPLE_CV_U8>), dim3(tiles), dim3(THREADS), 0, stream, *p);
    } else {
        MB_LAUNCH((linear_rows<MB_RESAMPLE_CV_TRUNC>), dim3(tiles), dim3(THREADS), 0, stream, *p);
    }
    return MB_LAUNCHED();
}
