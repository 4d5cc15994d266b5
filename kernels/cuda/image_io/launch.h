/* Launch functions of the kernels on 8-bit images (cuda/lang/launch.h: what they return). All pointers are device
 * memory; the tables of an mb_axis too. Pitches are bytes, multiples of 16. */
#ifndef MB_CUDA_IMAGE_IO_LAUNCH_H
#define MB_CUDA_IMAGE_IO_LAUNCH_H

#include "core/resample.h"
#include "core/tensor.h"
#include "cuda/lang/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One pass of MB_RESAMPLE_TAPS: along the rows (across: `lines` rows, axis of pixels) or the columns (down: axis of
 * rows, src_pitch == dst_pitch). */
typedef struct mb_cuda_resample_taps {
    mb_axis axis;
    const uint8_t *src;
    uint8_t *dst;
    size_t src_pitch, dst_pitch;
    int channels; /* 1 or 3 */
    int lines;
    bool vertical;
    const uint8_t *table; /* [256] for the finished bytes, or NULL */
} mb_cuda_resample_taps;
int mb_cuda_launch_resample_taps(const mb_cuda_resample_taps *p, mb_stream stream);

/* CV_TRUNC and CV_U8: three channels of bytes; CORNERS: f32 of one channel to bytes. */
typedef struct mb_cuda_resample_linear {
    mb_resample_rule rule;
    mb_axis x, y;
    const void *src;
    size_t src_pitch;
    uint8_t *dst;
    size_t dst_pitch;
    const uint8_t *table; /* as above */
} mb_cuda_resample_linear;
int mb_cuda_launch_resample_linear(const mb_cuda_resample_linear *p, mb_stream stream);

typedef struct mb_cuda_write_input {
    const uint8_t *rgb, *fourth; /* fourth: NULL with three channels */
    size_t rgb_pitch, fourth_pitch;
    int width, height; /* of the image; the input may be larger */
    float *table;      /* [3 or 4, 256]; made here by maximum */
    bool by_maximum;
    float mean[3], std[3];
    int *largest; /* by maximum: 0 before */
} mb_cuda_write_input;
int mb_cuda_launch_write_input(const mb_view *input, const mb_cuda_write_input *p, mb_stream stream);

/* Words that the kernels count in; 0 before. */
enum { MB_MASK_BAD, MB_MASK_HIGH, MB_MASK_LOW, MB_IMAGE_LARGEST, MB_IMAGE_WORDS };
typedef struct mb_cuda_mask_bytes {
    float *plane;   /* [H, W] sigmoids: where they are wanted, or stretched; else NULL */
    uint8_t *bytes; /* [H, pitch]: NULL where the plane is what is wanted */
    size_t pitch;
    bool stretch;
    int *words;
    const uint8_t *table; /* [256] for finished bytes, or NULL */
} mb_cuda_mask_bytes;
int mb_cuda_launch_mask_bytes(const mb_view *logits, const mb_cuda_mask_bytes *p, mb_stream stream);

#ifdef __cplusplus
}
#endif
#endif
