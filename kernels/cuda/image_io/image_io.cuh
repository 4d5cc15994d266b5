/* What the kernels on 8-bit images share. Rows on the device begin at multiples of 16 bytes, and what lies between
 * the last pixel and the next row may be written with anything. All of this is compiled without fused multiply-adds
 * (cuda.cmake): every operation is rounded as on the CPU. */
#ifndef MB_CUDA_IMAGE_IO_IMAGE_IO_CUH
#define MB_CUDA_IMAGE_IO_IMAGE_IO_CUH

#include "cuda/lang/dialect.h"
#include "cuda/image_io/launch.h"

__device__ inline uint8_t mb_image_to8(float x) /* image/convert.h: mb_to8 */
{
    float v = 255.0f * x;
    v = v > 0.0f ? v : 0.0f;
    return (uint8_t)(v < 255.0f ? v : 255.0f);
}

/* A block's finished bytes, `made`, to the row, 16 at a time. */
template <int BYTES>
__device__ inline void mb_store_bytes(uint8_t *row, size_t pitch, size_t begin, const mb_vec16 *made)
{
    for (int i = (int)threadIdx.x; i < BYTES / 16; i += (int)blockDim.x) {
        size_t at = begin + 16 * (size_t)i;
        if (at < pitch) {
            *reinterpret_cast<mb_vec16 *>(row + at) = made[i];
        }
    }
}

#endif
