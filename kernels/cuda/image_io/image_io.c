/* Images on their way to and from the device (kernels/image_io.h), on three streams. On `copy` photos are uploaded and
 * resized; on `compute` the network's input is written from them, and bytes from its logits; on `back` masks are
 * resized and downloaded. Events order what depends on each other; nothing else does, so the next photo is uploaded
 * while this one is computed. */
#include "image_io.h"

#include "core/alloc.h"
#include "cuda/driver/device.h"
#include "cuda/image_io/launch.h"

#include <string.h>

#define ROW_BYTES 16 /* rows of images begin at multiples of it */

/* The map of a slot's memory: byte offsets, in this order. The host has the same layout up to `uploaded`.
 *
 *   axes          tables of the four axes: in x, in y, back x, back y      \
 *   table         what the bytes of each channel become, f32 [3 or 4, 256]  |
 *   brighten      what the bytes of the mask become, [256]                  | one copy to the device
 *   fourth, rgb   the photo                                                /
 *   uploaded      (end of that)
 *   between       the photo between two passes of its resize
 *   small         the resized photo
 *   plane         the sigmoids, f32, where they are resized or stretched as such
 *   bytes         the mask at the network's size
 *   between_back  the mask between two passes of its resize
 *   words         counters of the kernels (MB_IMAGE_WORDS)                 \ one copy to the host, behind
 *   mask          the mask at the photo's size                             / `uploaded` there
 *   end
 *
 * Parts that a recipe does not need are empty. */
typedef struct layout {
    size_t axes[4], table, brighten, rgb, fourth, uploaded;
    size_t between, small, plane, bytes, between_back, words, mask, end;
    size_t rgb_pitch, fourth_pitch, small_pitch, bytes_pitch, mask_pitch;
    bool overflow;
} layout;

enum { UPLOADED, INPUT_WRITTEN, OUTPUT_READ, DOWNLOADED, EVENTS }; /* what each event of a slot says is done */

typedef struct slot {
    mb_cuda_device *device;
    mb_cu_event events[EVENTS];
    unsigned char *memory, *host;   /* on the device; on the host, pinned if it can be */
    size_t capacity, host_capacity; /* bytes of them */
    bool pinned, busy;              /* busy: queued work uses the slot */
    layout at;
    bool has_out, stretch, brightens;
    mb_resample in, back; /* borrowed shapes; the tables' pointers are device memory */
    mb_cuda_write_input input;
} slot;

static mb_driver_api *driver_of(const slot *s)
{
    return &s->device->lib.driver;
}

/* ---- layout ---- */
/* The next `rows` x `bytes` of the layout: where they begin. *end moves on, to a multiple of MB_CUDA_ALIGNMENT. */
static size_t place(layout *l, size_t *end, size_t rows, size_t bytes)
{
    size_t at = *end, all = 0;
    if (!mb_mul_size(&all, rows, bytes) || !mb_add_size(&all, all, MB_CUDA_ALIGNMENT - 1) ||
        !mb_add_size(end, *end, all / MB_CUDA_ALIGNMENT * MB_CUDA_ALIGNMENT)) {
        l->overflow = true;
    }
    return at;
}

static size_t row_bytes(int width, int channels)
{
    return ((size_t)width * (size_t)channels + ROW_BYTES - 1) / ROW_BYTES * ROW_BYTES;
}

/* The words of an axis' tables: positions, taps or weights, whatever the rule has. */
static size_t axis_words(const mb_axis *a)
{
    size_t n = (size_t)a->out;
    return (a->first != NULL ? 2 * n : 0) + (a->k != NULL ? n * (size_t)(a->most > 0 ? a->most : 1) : 0) +
           (a->l != NULL ? n : 0);
}

/* The image between two passes: rows and bytes of one; no rows where one pass is enough. */
static void between_size(const mb_resample *r, int channels, size_t *rows, size_t *bytes)
{
    bool two = r->rule == MB_RESAMPLE_TAPS && r->x.k != NULL && r->y.k != NULL;
    *rows = !two ? 0 : (size_t)(r->vertical_first ? r->y.out : r->y.in);
    *bytes = row_bytes(r->vertical_first ? r->x.in : r->x.out, channels);
}

/* Offsets and pitches for this photo and this mask (NULL: none is made). */
static layout lay_out(const mb_image_input *in, const mb_mask_output *out)
{
    static const mb_resample none = {0};
    const mb_resample *back = out != NULL ? out->resize : &none;
    const mb_axis *axes[4] = {&in->resize->x, &in->resize->y, &back->x, &back->y};
    layout l = {.rgb_pitch = row_bytes(in->width, 3),
                .fourth_pitch = row_bytes(in->width, 1),
                .small_pitch = row_bytes(in->resize->x.out, 3),
                .bytes_pitch = row_bytes(back->x.in, 1),
                .mask_pitch = row_bytes(back->x.out, 1)};
    size_t end = 0, rows, bytes, h = (size_t)back->y.in, floats = 0;
    for (int i = 0; i < 4; i++) {
        l.axes[i] = place(&l, &end, axis_words(axes[i]), sizeof(int32_t));
    }
    l.table = place(&l, &end, 4 * 256, sizeof(float));
    l.brighten = place(&l, &end, 1, 256);
    l.fourth = place(&l, &end, in->fourth != NULL ? (size_t)in->height : 0, l.fourth_pitch);
    l.rgb = place(&l, &end, (size_t)in->height, l.rgb_pitch);
    l.uploaded = end;
    between_size(in->resize, 3, &rows, &bytes);
    l.between = place(&l, &end, rows, bytes);
    l.small = place(&l, &end, in->resize->rule != MB_RESAMPLE_NONE ? (size_t)in->resize->y.out : 0, l.small_pitch);
    bool plane = back->rule == MB_RESAMPLE_CORNERS || (out != NULL && out->stretch);
    l.overflow = l.overflow || !mb_mul_size(&floats, (size_t)back->x.in, sizeof(float));
    l.plane = place(&l, &end, plane ? h : 0, floats);
    l.bytes = place(&l, &end, back->rule != MB_RESAMPLE_CORNERS ? h : 0, l.bytes_pitch);
    between_size(back, 1, &rows, &bytes);
    l.between_back = place(&l, &end, rows, bytes);
    l.words = place(&l, &end, MB_IMAGE_WORDS, sizeof(int));
    l.mask = place(&l, &end, (size_t)back->y.out, l.mask_pitch);
    l.end = end;
    return l;
}

/* ---- memory ---- */
static void free_host(slot *s)
{
    if (s->pinned) {
        mb_cuda_unpin(s->device, s->host);
    } else {
        mb_free(s->host);
    }
    s->host = NULL;
    s->host_capacity = 0;
}

/* Memory for the layout on both sides, kept for later images: it grows to the largest. MB_E_MEMORY leaves the slot
 * usable for smaller ones. */
static mb_status reserve(slot *s, const layout *l, mb_error *err)
{
    size_t host = l->uploaded + (l->end - l->words), free_bytes = 0; /* smaller than l->end: no overflow */
    mb_status status = MB_OK;
    if (l->overflow) {
        return mb_fail(err, MB_E_MEMORY, "CUDA: the memory for an image exceeds the address space");
    }
    if (s->capacity < l->end) {
        mb_cuda_free(s->device, s->memory);
        s->memory = NULL;
        s->capacity = 0;
        void *p = NULL;
        MB_TRY(mb_cuda_free_bytes(s->device, &free_bytes, err));
        if (l->end > free_bytes || free_bytes - l->end < MB_CUDA_SPARE) {
            status = mb_fail(err, MB_E_MEMORY,
                             "CUDA: could not allocate %zu bytes for an image: %zu are free on device %d \"%s\"",
                             l->end, free_bytes, s->device->index, s->device->name);
            goto done;
        }
        MB_TRY(mb_cuda_alloc(s->device, &p, l->end, "an image", err));
        s->memory = p;
        s->capacity = l->end;
    }
    if (s->host_capacity < host) {
        free_host(s);
        s->host = mb_cuda_pin(s->device, host);
        s->pinned = s->host != NULL;
        s->host = s->pinned ? s->host : mb_alloc(host);
        if (s->host == NULL) {
            MB_TRY(mb_fail_memory(err, host, "an image"));
        }
        s->host_capacity = host;
    }
done:
    return status;
}

/* Until nothing queued uses the slot's memory: also of an image that nobody downloaded. */
static mb_status settle(slot *s, mb_error *err)
{
    mb_status status = MB_OK;
    for (int i = 0; s->busy && i < EVENTS && status == MB_OK; i++) { /* one that was never recorded is done */
        status = mb_cuda_check(s->device, driver_of(s)->event_wait(s->events[i]), "waiting for an image", err);
    }
    s->busy = s->busy && status != MB_OK;
    return status;
}

/* Waits for queued work, then frees everything. */
static void image_close(void *slot_)
{
    slot *s = slot_;
    mb_error ignored = {0};
    if (s == NULL) {
        return;
    }
    bool inside = mb_cuda_enter(s->device, &ignored) == MB_OK; /* a dead device's memory is gone anyway */
    if (inside) {
        (void)settle(s, &ignored);
    }
    mb_cuda_free(s->device, s->memory);
    free_host(s);
    for (int i = 0; i < EVENTS; i++) {
        if (s->events[i] != NULL) {
            (void)driver_of(s)->event_destroy(s->events[i]);
        }
    }
    if (inside) {
        mb_cuda_leave(s->device);
    }
    mb_free(s);
}

/* A slot without memory: that comes with the first image. */
static mb_status image_open(mb_cuda_device *d, void **out, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    slot *s = mb_calloc(1, sizeof *s);
    if (s == NULL) {
        return mb_fail_memory(err, sizeof *s, "an upload slot");
    }
    s->device = d;
    MB_TRY(mb_cuda_use(d, err));
    for (int i = 0; i < EVENTS; i++) {
        MB_TRY(
            mb_cuda_check(d, d->lib.driver.event_create(&s->events[i], MB_CU_EVENT_DISABLE_TIMING), "an event", err));
    }
    *out = s;
    s = NULL;
done:
    image_close(s);
    return status;
}

/* ---- in ---- */

/* `count` values of four bytes to the staging memory at *at, which moves on; where the device will see them. */
static void *stage_values(slot *s, size_t *at, const void *from, size_t count)
{
    if (from == NULL) {
        return NULL;
    }
    memcpy(s->host + *at, from, count * sizeof(int32_t));
    void *seen = s->memory + *at;
    *at += count * sizeof(int32_t);
    return seen;
}

/* An axis with its tables in the staging memory at `offset`, and as the device will see it. */
static mb_axis stage_axis(slot *s, const mb_axis *a, size_t offset)
{
    mb_axis seen = {.in = a->in, .out = a->out, .most = a->most};
    size_t n = (size_t)a->out, at = offset, taps = n * (size_t)(a->most > 0 ? a->most : 1);
    seen.first = stage_values(s, &at, a->first, n);
    seen.other = stage_values(s, &at, a->other, n);
    seen.k = stage_values(s, &at, a->k, taps);
    seen.l = stage_values(s, &at, a->l, n);
    return seen;
}

/* Packed rows to rows with a pitch. */
static void stage_rows(unsigned char *to, size_t pitch, const uint8_t *from, size_t row, int height)
{
    for (int y = 0; y < height; y++) {
        memcpy(to + (size_t)y * pitch, from + (size_t)y * row, row);
    }
}

/* Everything that goes over, into the host's copy of the layout; and what the kernels will be told about it. */
static void stage(slot *s, const mb_image_input *in, const mb_mask_output *out)
{
    const layout *l = &s->at;
    s->in = (mb_resample){.rule = in->resize->rule,
                          .vertical_first = in->resize->vertical_first,
                          .x = stage_axis(s, &in->resize->x, l->axes[0]),
                          .y = stage_axis(s, &in->resize->y, l->axes[1])};
    s->input = (mb_cuda_write_input){.rgb = s->memory + (s->in.rule == MB_RESAMPLE_NONE ? l->rgb : l->small),
                                     .rgb_pitch = s->in.rule == MB_RESAMPLE_NONE ? l->rgb_pitch : l->small_pitch,
                                     .fourth = in->fourth != NULL ? s->memory + l->fourth : NULL,
                                     .fourth_pitch = l->fourth_pitch,
                                     .width = s->in.x.out,
                                     .height = s->in.y.out,
                                     .by_maximum = in->by_maximum};
    void *table = s->memory + l->table, *words = s->memory + l->words;
    s->input.table = table;
    s->input.largest = (int *)words + MB_IMAGE_LARGEST;
    memcpy(s->input.mean, in->mean, sizeof in->mean);
    memcpy(s->input.std, in->std, sizeof in->std);
    if (!in->by_maximum) {
        memcpy(s->host + l->table, in->table, (in->fourth != NULL ? 4u : 3u) * 256 * sizeof(float));
    }
    stage_rows(s->host + l->rgb, l->rgb_pitch, in->rgb, (size_t)in->width * 3, in->height);
    if (in->fourth != NULL) {
        stage_rows(s->host + l->fourth, l->fourth_pitch, in->fourth, (size_t)in->width, in->height);
    }
    s->has_out = out != NULL;
    if (out != NULL) {
        s->back = (mb_resample){.rule = out->resize->rule,
                                .vertical_first = out->resize->vertical_first,
                                .x = stage_axis(s, &out->resize->x, l->axes[2]),
                                .y = stage_axis(s, &out->resize->y, l->axes[3])};
        s->stretch = out->stretch;
        s->brightens = out->table != NULL;
        if (out->table != NULL) {
            memcpy(s->host + l->brighten, out->table, 256);
        }
    }
}

/* Bytes resized by taps: one or two passes on a stream. */
static mb_status run_taps(slot *s, const mb_resample *r, mb_cuda_resample_taps p, void *between, mb_cu_stream stream,
                          mb_error *err)
{
    const bool two = r->x.k != NULL && r->y.k != NULL;
    const uint8_t *const last_table = p.table;
    uint8_t *const last = p.dst;
    const size_t last_pitch = p.dst_pitch;
    mb_status status = MB_OK;
    /* One pass is the last; of two the first goes to `between`. */
    for (int pass = two ? 0 : 1; pass < 2 && status == MB_OK; pass++) {
        p.vertical = two ? (pass == 0) == r->vertical_first : r->y.k != NULL;
        p.axis = p.vertical ? r->y : r->x;
        p.lines = !two || pass == 0 ? r->y.in : r->y.out;
        p.dst = pass == 0 ? between : last;
        p.dst_pitch = pass == 1 ? last_pitch : p.vertical ? p.src_pitch : row_bytes(r->x.out, p.channels);
        p.table = pass == 1 ? last_table : NULL;
        status = mb_cuda_launched(s->device, mb_cuda_launch_resample_taps(&p, stream), "resizing an image", err);
        p.src = p.dst;
        p.src_pitch = p.dst_pitch;
    }
    return status;
}

/* rgb -> small on the copy stream; nothing where the sizes are equal. */
static mb_status resize_in(slot *s, mb_error *err)
{
    const layout *l = &s->at;
    unsigned char *m = s->memory;
    if (s->in.rule == MB_RESAMPLE_TAPS) {
        mb_cuda_resample_taps p = {.src = m + l->rgb,
                                   .dst = m + l->small,
                                   .src_pitch = l->rgb_pitch,
                                   .dst_pitch = l->small_pitch,
                                   .channels = 3};
        return run_taps(s, &s->in, p, m + l->between, s->device->copy, err);
    }
    if (s->in.rule != MB_RESAMPLE_NONE) {
        mb_cuda_resample_linear p = {.rule = s->in.rule,
                                     .x = s->in.x,
                                     .y = s->in.y,
                                     .src = m + l->rgb,
                                     .src_pitch = l->rgb_pitch,
                                     .dst = m + l->small,
                                     .dst_pitch = l->small_pitch};
        return mb_cuda_launched(s->device, mb_cuda_launch_resample_linear(&p, s->device->copy), "resizing an image",
                                err);
    }
    return MB_OK;
}

/* Which recipes this device has kernels for. */
static bool can(const mb_image_input *in, const mb_mask_output *out)
{
    const mb_resample_rule r = in->resize->rule, b = out != NULL ? out->resize->rule : MB_RESAMPLE_NONE;
    return (r == MB_RESAMPLE_NONE || r == MB_RESAMPLE_TAPS || r == MB_RESAMPLE_CV_TRUNC || r == MB_RESAMPLE_CV_U8) &&
           (b == MB_RESAMPLE_NONE || b == MB_RESAMPLE_TAPS || b == MB_RESAMPLE_CORNERS) &&
           (in->fourth == NULL || r == MB_RESAMPLE_NONE) && !(in->by_maximum && in->fourth != NULL) &&
           !(b == MB_RESAMPLE_CORNERS && out->stretch);
}

/* Queues: the photo to the device, its resize, UPLOADED. */
static mb_status image_upload(void *slot_, const mb_image_input *in, const mb_mask_output *out, mb_error *err)
{
    slot *s = slot_;
    mb_cuda_device *d = s->device;
    mb_driver_api *cu = driver_of(s);
    mb_status status = MB_OK;
    if (!can(in, out)) {
        return mb_fail(err, MB_E_UNSUPPORTED, "CUDA: resize rules %d and %d are not supported on this device",
                       (int)in->resize->rule, out != NULL ? (int)out->resize->rule : 0);
    }
    layout l = lay_out(in, out);
    MB_TRY(settle(s, err));
    MB_TRY(reserve(s, &l, err));
    /* From here on the slot describes this image, also if a later step fails. */
    s->at = l;
    stage(s, in, out);
    s->busy = true;
    mb_cu_ptr to = (mb_cu_ptr)(uintptr_t)s->memory;
    MB_TRY(mb_cuda_check(d, cu->copy_in(to, s->host, l.uploaded, d->copy), "copying a photo to the device", err));
    MB_TRY(resize_in(s, err));
    MB_TRY(mb_cuda_check(d, cu->event_record(s->events[UPLOADED], d->copy), "an event", err));
done:
    return status;
}

/* Zeroes the counters that the kernels are about to use. */
static mb_status clear_words(slot *s, mb_error *err)
{
    mb_cu_ptr words = (mb_cu_ptr)(uintptr_t)(s->memory + s->at.words);
    return mb_cuda_check(s->device, driver_of(s)->set_bytes(words, 0, MB_IMAGE_WORDS * sizeof(int), s->device->compute),
                         "clearing memory", err);
}

/* Queues: after UPLOADED, the resized photo as the network's normalised input [1, 3 or 4, H, W]; INPUT_WRITTEN. */
static mb_status image_write_input(void *slot_, const mb_view *input, mb_error *err)
{
    slot *s = slot_;
    mb_cuda_device *d = s->device;
    mb_status status = MB_OK;
    const int64_t channels = s->input.fourth != NULL ? 4 : 3;
    if (input->dims[0] != 1 || input->dims[1] != channels || input->dims[2] < s->input.height ||
        input->dims[3] < s->input.width) {
        return mb_fail(err, MB_E_INTERNAL, "an image of %d x %d does not fit the input [%lld,%lld,%lld,%lld]",
                       s->input.width, s->input.height, (long long)input->dims[0], (long long)input->dims[1],
                       (long long)input->dims[2], (long long)input->dims[3]);
    }
    MB_TRY(
        mb_cuda_check(d, driver_of(s)->stream_wait_event(d->compute, s->events[UPLOADED], 0), "ordering streams", err));
    if (s->input.by_maximum) {
        MB_TRY(clear_words(s, err));
    }
    MB_TRY(mb_cuda_launched(d, mb_cuda_launch_write_input(input, &s->input, d->compute), "a network's input", err));
    MB_TRY(mb_cuda_check(d, driver_of(s)->event_record(s->events[INPUT_WRITTEN], d->compute), "an event", err));
done:
    return status;
}

/* ---- back ---- */
/* bytes (or, aligned corners, plane) -> mask on the back stream. */
static mb_status resize_back(slot *s, mb_error *err)
{
    const layout *l = &s->at;
    unsigned char *m = s->memory;
    const uint8_t *table = s->brightens ? m + l->brighten : NULL;
    if (s->back.rule == MB_RESAMPLE_CORNERS) {
        mb_cuda_resample_linear p = {.rule = MB_RESAMPLE_CORNERS,
                                     .x = s->back.x,
                                     .y = s->back.y,
                                     .src = m + l->plane,
                                     .src_pitch = (size_t)s->back.x.in * sizeof(float),
                                     .dst = m + l->mask,
                                     .dst_pitch = l->mask_pitch,
                                     .table = table};
        return mb_cuda_launched(s->device, mb_cuda_launch_resample_linear(&p, s->device->back), "resizing a mask", err);
    }
    mb_cuda_resample_taps p = {.src = m + l->bytes,
                               .dst = m + l->mask,
                               .src_pitch = l->bytes_pitch,
                               .dst_pitch = l->mask_pitch,
                               .channels = 1,
                               .table = table};
    return run_taps(s, &s->back, p, m + l->between_back, s->device->back, err);
}

/* Queues: logits [1,1,H,W] -> sigmoid -> bytes, OUTPUT_READ; on the back stream their resize and the way home,
 * DOWNLOADED. */
static mb_status image_read_output(void *slot_, const mb_view *logits, mb_error *err)
{
    slot *s = slot_;
    mb_cuda_device *d = s->device;
    mb_driver_api *cu = driver_of(s);
    const layout *l = &s->at;
    mb_status status = MB_OK;
    const bool plane = s->back.rule == MB_RESAMPLE_CORNERS, direct = s->back.rule == MB_RESAMPLE_NONE;
    if (!s->has_out || logits->dims[0] != 1 || logits->dims[1] != 1 || logits->dims[2] != s->back.y.in ||
        logits->dims[3] != s->back.x.in || logits->dtype != MB_F32) {
        return mb_fail(err, MB_E_INTERNAL, "the map [%lld,%lld,%lld,%lld] is not of the mask size given to upload",
                       (long long)logits->dims[0], (long long)logits->dims[1], (long long)logits->dims[2],
                       (long long)logits->dims[3]);
    }
    /* Where bytes are resized they go to `bytes`; where nothing is, straight to the mask; the plane is for
 * floats that are resized (aligned corners) or stretched. */
    void *floats = s->memory + l->plane, *words = s->memory + l->words;
    mb_cuda_mask_bytes p = {.plane = plane || s->stretch ? floats : NULL,
                            .bytes = plane ? NULL : s->memory + (direct ? l->mask : l->bytes),
                            .pitch = direct ? l->mask_pitch : l->bytes_pitch,
                            .stretch = s->stretch,
                            .words = words,
                            .table = direct && s->brightens ? s->memory + l->brighten : NULL};
    MB_TRY(clear_words(s, err));
    MB_TRY(mb_cuda_launched(d, mb_cuda_launch_mask_bytes(logits, &p, d->compute), "a mask", err));
    MB_TRY(mb_cuda_check(d, cu->event_record(s->events[OUTPUT_READ], d->compute), "an event", err));
    MB_TRY(mb_cuda_check(d, cu->stream_wait_event(d->back, s->events[OUTPUT_READ], 0), "ordering streams", err));
    if (!direct) {
        MB_TRY(resize_back(s, err));
    }
    mb_cu_ptr from = (mb_cu_ptr)(uintptr_t)(s->memory + l->words);
    MB_TRY(
        mb_cuda_check(d, cu->copy_out(s->host + l->uploaded, from, l->end - l->words, d->back), "copying a mask", err));
    MB_TRY(mb_cuda_check(d, cu->event_record(s->events[DOWNLOADED], d->back), "an event", err));
done:
    return status;
}

/* Waits for DOWNLOADED outside of the device's lock, then unpacks the rows. *finite: all logits were. */
static mb_status image_download(void *slot_, uint8_t *mask, bool *finite, mb_error *err)
{
    slot *s = slot_;
    mb_cuda_device *d = s->device;
    const layout *l = &s->at;
    mb_status status = MB_OK;
    int words[MB_IMAGE_WORDS];
    *finite = true;
    MB_TRY(mb_cuda_enter(d, err));
    mb_cuda_leave(d);
    mb_cu_result r =
        driver_of(s)->event_wait(s->events[DOWNLOADED]); /* outside the lock: others queue their work meanwhile */
    MB_TRY(mb_cuda_enter(d, err));
    status = mb_cuda_check(d, r, "waiting for a mask", err); /* faults of the kernels show here */
    mb_cuda_leave(d);
    if (status != MB_OK) {
        goto done;
    }
    /* The device sends its words and the mask in one piece. */
    const unsigned char *home = s->host + l->uploaded, *rows = home + (l->mask - l->words);
    memcpy(words, home, sizeof words);
    *finite = words[MB_MASK_BAD] == 0;
    for (int y = 0; y < s->back.y.out; y++) {
        memcpy(mask + (size_t)y * (size_t)s->back.x.out, rows + (size_t)y * l->mask_pitch, (size_t)s->back.x.out);
    }
    s->busy = false;
done:
    return status;
}

const mb_device_image_io mb_cuda_image_io = {.open = image_open,
                                             .close = image_close,
                                             .upload = image_upload,
                                             .write_input = image_write_input,
                                             .read_output = image_read_output,
                                             .download = image_download};
