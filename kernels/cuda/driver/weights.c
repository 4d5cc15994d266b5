/* Images of weights, and the way into them. */
#include "cuda/driver/weights.h"

#include "core/alloc.h"

#include <string.h>

#define BUFFER_BYTES ((size_t)8 << 20)
#define IMAGE_BYTES  ((size_t)4 << 20) /* least: what comes unexpected */

/* One allocation with blocks one after the other; freed when the last of them is. */
typedef struct image {
    struct image *next;
    unsigned char *base;
    size_t bytes, used;
    int blocks;
} image;

/* Of one device: the images, and the two buffers that weights pass through. */
struct mb_cuda_weights {
    image *first; /* the newest: blocks come from it */
    size_t expected, least;
    void *buffers[2]; /* pinned; NULL: there is none left */
    mb_cu_event copied[2], filled;
    bool busy[2];
    int turn;
};

/* Buffers and events come with the first weights. */
mb_status mb_cuda_weights_open(mb_cuda_device *d, mb_error *err)
{
    d->weights = mb_calloc(1, sizeof *d->weights);
    if (d->weights == NULL) {
        return mb_fail_memory(err, sizeof *d->weights, "the weights' images");
    }
    d->weights->least = IMAGE_BYTES;
    return MB_OK;
}

/* Copies are done by now: closing a context waits for its streams. */
void mb_cuda_weights_close(mb_cuda_device *d)
{
    struct mb_cuda_weights *w = d->weights;
    if (w == NULL) {
        return;
    }
    mb_cu_event events[] = {w->copied[0], w->copied[1], w->filled};
    for (int i = 0; i < 3; i++) {
        if (events[i] != NULL) {
            (void)d->lib.driver.event_destroy(events[i]);
        }
    }
    mb_cuda_unpin(d, w->buffers[0]);
    mb_cuda_unpin(d, w->buffers[1]);
    while (w->first != NULL) { /* only after a failure: models are gone by now */
        image *next = w->first->next;
        mb_cuda_free(d, w->first->base);
        mb_free(w->first);
        w->first = next;
    }
    mb_free(w);
    d->weights = NULL;
}

mb_status mb_cuda_reserve(mb_cuda_device *d, size_t activations, size_t weights, mb_error *err)
{
    mb_status status = mb_cuda_check_free(d, activations, weights, err);
    if (status == MB_OK) {
        d->weights->expected = weights;
    }
    return status;
}

/* Only tests set it. */
void mb_cuda_weights_image_bytes(mb_cuda_device *d, size_t least)
{
    d->weights->least = least;
}

/* ---- blocks ---- */
mb_status mb_cuda_weights_alloc(mb_cuda_device *d, void **out, size_t bytes, mb_error *err)
{
    struct mb_cuda_weights *w = d->weights;
    image *i = w->first;
    size_t rounded = 0;
    *out = NULL;
    if (!mb_add_size(&rounded, bytes, MB_CUDA_ALIGNMENT - 1)) {
        return mb_fail_memory(err, bytes, "weights");
    }
    rounded = rounded / MB_CUDA_ALIGNMENT * MB_CUDA_ALIGNMENT;
    /* A new image. With least 0 (tests) it has exactly one block. */
    if (i == NULL || w->least == 0 || i->bytes - i->used < rounded) {
        size_t size = w->least == 0 ? bytes : (rounded > w->least ? rounded : w->least);
        size = w->least > 0 && w->expected > size ? w->expected : size;
        void *base = NULL;
        mb_status status = mb_cuda_alloc(d, &base, size, "weights", err);
        i = status == MB_OK ? mb_calloc(1, sizeof *i) : NULL;
        if (i == NULL) {
            mb_cuda_free(d, base);
            return status != MB_OK ? status : mb_fail_memory(err, sizeof *i, "an image of weights");
        }
        *i = (image){.next = w->first, .base = base, .bytes = size};
        w->first = i;
        w->expected = 0;
    }
    *out = i->base + i->used;
    i->used = w->least == 0 ? i->bytes : i->used + rounded;
    i->blocks++;
    return MB_OK;
}

/* Finds the image by address: there are few. A block of 0 bytes still lies in one. */
void mb_cuda_weights_free(mb_cuda_device *d, void *block)
{
    struct mb_cuda_weights *w = d->weights;
    unsigned char *p = block;
    for (image **at = &w->first; p != NULL && *at != NULL; at = &(*at)->next) {
        image *i = *at;
        if (p < i->base || p >= i->base + (i->bytes > 0 ? i->bytes : 1)) {
            continue;
        }
        if (--i->blocks == 0) {
            *at = i->next;
            mb_cuda_free(d, i->base);
            mb_free(i);
        }
        return;
    }
}

/* ---- filling ---- */
static mb_status make_buffers(mb_cuda_device *d, mb_error *err)
{
    struct mb_cuda_weights *w = d->weights;
    mb_status status = MB_OK;
    /* What an earlier attempt has made is kept. */
    mb_cu_event *events[] = {&w->copied[0], &w->copied[1], &w->filled};
    for (int i = 0; i < 3 && status == MB_OK && *events[i] == NULL; i++) {
        status = mb_cuda_check(d, d->lib.driver.event_create(events[i], MB_CU_EVENT_DISABLE_TIMING), "an event", err);
    }
    for (int i = 0; i < 2 && status == MB_OK && w->buffers[i] == NULL; i++) {
        w->buffers[i] = mb_cuda_pin(d, BUFFER_BYTES);
    }
    return status;
}

/* Without pinned memory: a piece at a time, and waiting for it. */
static mb_status fill_slowly(mb_cuda_device *d, void *dst, const float *src, size_t count, mb_dtype dtype,
                             mb_error *err)
{
    size_t bytes = count * mb_dtype_size(dtype);
    void *staging = mb_alloc(bytes);
    if (staging == NULL) {
        return mb_fail_memory(err, bytes, "staging weights for the GPU");
    }
    mb_from_f32(staging, src, dtype, count);
    mb_status status = mb_cuda_copy_in(d, dst, staging, bytes, err);
    if (status == MB_OK) {
        status = mb_cuda_wait(d, err);
    }
    mb_free(staging);
    return status;
}

/* In pieces through the two buffers in turn: one is converted while the other is copied. `copied[b]` says when
 * buffer b may be written again. */
mb_status mb_cuda_weights_fill(mb_cuda_device *d, void *dst, const float *src, size_t count, mb_dtype dtype,
                               mb_error *err)
{
    struct mb_cuda_weights *w = d->weights;
    const mb_driver_api *cu = &d->lib.driver;
    mb_status status = make_buffers(d, err);
    size_t size = mb_dtype_size(dtype), piece = BUFFER_BYTES / size;
    if (status == MB_OK && (w->buffers[0] == NULL || w->buffers[1] == NULL)) {
        return fill_slowly(d, dst, src, count, dtype, err);
    }
    /* A piece: wait for its buffer, convert into it, copy, mark it. */
    for (size_t done = 0; done < count && status == MB_OK; done += piece) {
        size_t n = count - done < piece ? count - done : piece;
        int b = w->turn;
        w->turn = 1 - b;
        if (w->busy[b]) { /* its last contents are still on the way */
            status = mb_cuda_check(d, cu->event_wait(w->copied[b]), "copying weights", err);
        }
        if (status == MB_OK) {
            mb_from_f32(w->buffers[b], src + done, dtype, n);
            mb_cu_ptr to = (mb_cu_ptr)(uintptr_t)dst + done * size;
            status = mb_cuda_check(d, cu->copy_in(to, w->buffers[b], n * size, d->copy), "copying weights", err);
        }
        if (status == MB_OK) {
            status = mb_cuda_check(d, cu->event_record(w->copied[b], d->copy), "copying weights", err);
            w->busy[b] = true;
        }
    }
    return status;
}

/* The compute stream waits for the copy stream; the host does not. */
mb_status mb_cuda_weights_ready(mb_cuda_device *d, mb_error *err)
{
    const mb_driver_api *cu = &d->lib.driver;
    struct mb_cuda_weights *w = d->weights;
    if (w->filled == NULL) {
        return MB_OK;
    }
    mb_status status = mb_cuda_check(d, cu->event_record(w->filled, d->copy), "copying weights", err);
    return status == MB_OK ? mb_cuda_check(d, cu->stream_wait_event(d->compute, w->filled, 0), "copying weights", err)
                           : status;
}
