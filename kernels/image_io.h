/* 8-bit images on a device with memory of its own: from a photo to a network's input, and from logits to a mask, with
 * the arithmetic of the CPU bit for bit (core/resample.h, core/sigmoid.h). So bytes travel instead of floats.
 *
 * An upload slot holds one image in flight, with memory for it on both sides. With two slots in turn images overlap:
 * what upload and read_output start runs beside the computing of other images.
 *   - Order for a slot: upload, write_input, (the network), read_output, download. write_input, the network and
 *     read_output may be repeated before download.
 *   - upload, write_input and read_output only queue work, and are called with the device entered (mb_device_memory).
 *     The photo may be freed when upload returns.
 *   - A slot is used by one thread at a time. */
#ifndef MB_IMAGE_IO_H
#define MB_IMAGE_IO_H

#include "core/resample.h"
#include "core/status.h"
#include "core/tensor.h"

typedef struct mb_gpu mb_gpu; /* kernel.h */

/* The photo, in host memory, and what becomes of it. */
typedef struct mb_image_input {
    const uint8_t *rgb;        /* [height, width, 3], packed */
    const uint8_t *fourth;     /* [height, width]: one more channel, or NULL */
    int width, height;         /* >= 1 */
    const mb_resample *resize; /* of rgb; with a fourth channel NONE */
    const float *table;        /* [3 or 4, 256]: what the bytes of each channel become; pixels beyond the image: 0 */
    bool by_maximum;           /* then instead of the table: (v / largest byte - mean) / std, in f64 */
    float mean[3], std[3];
} mb_image_input;

/* What becomes of logits: sigmoid (NaN: 0), then bytes (255 p, truncated), resized. */
typedef struct mb_mask_output {
    const mb_resample *resize; /* from the logits' size: NONE or TAPS after the bytes, CORNERS before */
    bool stretch;              /* (p - lowest) / (highest - lowest) first, where they differ */
    const uint8_t *table;      /* [256]: what the bytes become at last; NULL: they stay */
} mb_mask_output;

typedef struct mb_device_image_io {
    mb_status (*open)(mb_gpu *device, void **slot, mb_error *err);
    void (*close)(void *slot); /* waits for what is in flight; NULL is fine */
    /* out: NULL where the caller reads the result itself. MB_E_MEMORY: this image does not fit. */
    mb_status (*upload)(void *slot, const mb_image_input *in, const mb_mask_output *out, mb_error *err);
    /* input [1, 3 or 4, H, W] on the device, at least as large as the resized image. */
    mb_status (*write_input)(void *slot, const mb_view *input, mb_error *err);
    /* logits [1, 1, H, W], f32, on the device. */
    mb_status (*read_output)(void *slot, const mb_view *logits, mb_error *err);
    /* Waits for the mask [height, width] that the last read_output began; finite: whether all logits were. Call it
     * without having entered the device: others go on meanwhile. */
    mb_status (*download)(void *slot, uint8_t *mask, bool *finite, mb_error *err);
} mb_device_image_io;

/* Whether to use them: there are some, and MATTEBOX_CUDA_IMAGE_IO is not "off". */
bool mb_image_io_wanted(const mb_device_image_io *p);

#endif
