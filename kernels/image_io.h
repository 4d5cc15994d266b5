/* 8-bit pictures on a device with memory of its own: the way of a photo into a network's input and of the logits back
 * to a mask, with the arithmetic of the CPU bit for bit (core/resample.h, core/sigmoid.h), so that bytes travel instead
 * of floats and only the size of the network and of the photo are ever seen.
 *
 * A slot holds one picture on its way, with memory for it on both sides. Two slots in turn overlap pictures: what send
 * and take start runs beside the computing of other pictures. Order for a slot: send, feed, (the network), take,
 * receive; feed, network and take may be repeated before receive. send, feed and take only queue work, and are called
 * with the device entered (mb_device_memory); a photo may go away when send returns. A slot is used by one thread at a
 * time. */
#ifndef MB_IMAGE_IO_H
#define MB_IMAGE_IO_H

#include "core/resample.h"
#include "core/status.h"
#include "core/tensor.h"

/* The photo, in host memory, and what becomes of it. */
typedef struct mb_image_input {
    const uint8_t *rgb;        /* [height, width, 3], packed */
    const uint8_t *fourth;     /* [height, width]: one more channel, or NULL */
    int width, height;         /* >= 1 */
    const mb_resample *resize; /* of rgb; with a fourth channel NONE */
    const float *table;        /* [3 or 4, 256]: what the bytes of each channel become; pixels beyond the picture: 0 */
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
    mb_status (*open)(void *device, void **slot, mb_error *err);
    void (*close)(void *slot); /* waits for what is under way; NULL is fine */
    /* out: NULL where the result is taken otherwise. MB_E_MEMORY: there is no room for this picture; nothing happened.
     */
    mb_status (*upload)(void *slot, const mb_image_input *in, const mb_mask_output *out, mb_error *err);
    /* input [1, 3 or 4, H, W] on the device, at least as large as the resized picture. */
    mb_status (*write_input)(void *slot, const mb_view *input, mb_error *err);
    /* logits [1, 1, H, W], f32, on the device. */
    mb_status (*read_output)(void *slot, const mb_view *logits, mb_error *err);
    /* Waits for the mask [height, width] that the last take began; finite: whether all logits were. Not to be called
     * with the device entered: others go on meanwhile. */
    mb_status (*download)(void *slot, uint8_t *mask, bool *finite, mb_error *err);
} mb_device_image_io;

/* Whether to use them: there are some, and MATTEBOX_CUDA_IMAGE_IO is not "off". */
bool mb_image_io_wanted(const mb_device_image_io *p);

#endif
