/* Frames are encoded as single pictures and then joined: an APNG of the chunks of PNGs, a WebP by libwebpmux. Every
 * frame is whole and replaces the one before it, so that what is decoded are the frames that were given, to the byte:
 * cut-outs move everywhere, and little would be saved by coding differences. */
#include "image/codec/save_animation.h"

#include "core/alloc.h"
#include "image/convert.h"

#include <math.h>
#include <string.h>

#include <zlib.h>
#if MB_HAVE_WEBPMUX
#include "image/codec/webp_mux.h"
#endif

#define PNG_HEAD 33                /* signature and IHDR */
#define MAX_FILE ((size_t)1 << 32) /* chunk sizes and common sense */

struct mb_animation_file {
    mb_save_spec spec;
    mb_metadata metadata; /* a copy, which spec points to */
    int loops;
    uint32_t n_frames, sequence;
    int width, height;
    mb_pixels pixels;
    mb_depth depth;
    double time_ms;    /* of all frames so far, as given */
    long long said_ms; /* as written */
    uint8_t *bytes;    /* APNG: the file so far */
    size_t n, capacity;
#if MB_HAVE_WEBPMUX
    WebPMux *mux;
#endif
};

static mb_status copy_block(void **out, const void *v, size_t n, mb_error *err)
{
    if (v == NULL) {
        return MB_OK;
    }
    *out = mb_alloc(n);
    if (*out == NULL) {
        return mb_fail_memory(err, n, "metadata");
    }
    memcpy(*out, v, n);
    return MB_OK;
}

static mb_status copy_metadata(mb_animation_file *a, const mb_metadata *m, mb_error *err)
{
    mb_status status = MB_OK;
    mb_metadata_init(&a->metadata);
    a->metadata.dpi_x = m->dpi_x;
    a->metadata.dpi_y = m->dpi_y;
    MB_TRY(copy_block(&a->metadata.icc, m->icc, m->icc_bytes, err));
    a->metadata.icc_bytes = m->icc_bytes;
    MB_TRY(copy_block(&a->metadata.exif, m->exif, m->exif_bytes, err));
    a->metadata.exif_bytes = m->exif_bytes;
    a->spec.metadata = &a->metadata;
done:
    return status;
}

mb_status mb_animation_file_create(mb_animation_file **out, int loops, const mb_save_spec *spec, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    if (loops < 0 || loops > 65535) {
        return mb_fail(err, MB_E_ARGUMENT, "%d loops of an animation: 0 (for ever) to 65535", loops);
    }
    if (spec->format != MB_FORMAT_AUTO && spec->format != MB_FORMAT_PNG && spec->format != MB_FORMAT_WEBP) {
        return mb_fail(err, MB_E_ARGUMENT, "animations are written as WebP or PNG");
    }
#if !MB_HAVE_WEBPMUX
    if (spec->format == MB_FORMAT_WEBP) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "animated WebP is not in this build\ninstall libwebp-dev and rebuild, or write a PNG");
    }
#endif
    mb_animation_file *a = mb_calloc(1, sizeof *a);
    if (a == NULL) {
        return mb_fail_memory(err, sizeof *a, "an animation");
    }
    a->spec = *spec;
    a->spec.metadata = NULL;
    a->loops = loops;
    if (spec->metadata != NULL) {
        MB_TRY(copy_metadata(a, spec->metadata, err));
    }
#if MB_HAVE_WEBPMUX
    a->mux = spec->format == MB_FORMAT_WEBP ? WebPMuxNew() : NULL;
    if (spec->format == MB_FORMAT_WEBP && a->mux == NULL) {
        MB_TRY(mb_fail_memory(err, sizeof *a, "an animated WebP"));
    }
#endif
    *out = a;
done:
    if (status != MB_OK) {
        mb_animation_file_free(a);
    }
    return status;
}

void mb_animation_file_free(mb_animation_file *a)
{
    if (a != NULL) {
        mb_metadata_dispose(&a->metadata);
#if MB_HAVE_WEBPMUX
        WebPMuxDelete(a->mux);
#endif
        mb_free(a->bytes);
        mb_free(a);
    }
}

/* Whole milliseconds whose sums follow the given times. */
static long long round_duration(mb_animation_file *a, double ms)
{
    const double longest = 16777215.0; /* 24 bits of WebP */
    a->time_ms += ms >= 0 && ms <= longest ? ms : ms > longest ? longest : 0;
    long long duration = llround(a->time_ms) - a->said_ms;
    a->said_ms += duration;
    return duration;
}

/* ---- APNG */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static mb_status append(mb_animation_file *a, const void *data, size_t n, mb_error *err)
{
    if (n > MAX_FILE - a->n) {
        return mb_fail(err, MB_E_ARGUMENT, "the animation is larger than %zu bytes", MAX_FILE);
    }
    if (n > a->capacity - a->n) {
        size_t capacity = a->capacity > 0 ? a->capacity : (size_t)1 << 16;
        while (capacity - a->n < n) {
            capacity *= 2;
        }
        uint8_t *v = mb_realloc_array(a->bytes, capacity, 1);
        if (v == NULL) {
            return mb_fail_memory(err, capacity, "an APNG");
        }
        a->bytes = v;
        a->capacity = capacity;
    }
    memcpy(a->bytes + a->n, data, n);
    a->n += n;
    return MB_OK;
}

/* A chunk of `number` (fdAT's and fcTL's sequence number) and data; number NULL: of the data alone. */
static mb_status append_chunk(mb_animation_file *a, const char *name, const uint32_t *number, const uint8_t *data,
                              size_t n, mb_error *err)
{
    uint8_t head[12], sum[4];
    const size_t extra = number != NULL ? 4 : 0;
    mb_status status = MB_OK;
    put32(head, (uint32_t)(n + extra));
    memcpy(head + 4, name, 4);
    if (number != NULL) {
        put32(head + 8, *number);
    }
    uLong crc = crc32(crc32(0, NULL, 0), head + 4, (uInt)(4 + extra));
    crc = n > 0 ? crc32(crc, data, (uInt)n) : crc;
    put32(sum, (uint32_t)crc);
    MB_TRY(append(a, head, 8 + extra, err));
    MB_TRY(n > 0 ? append(a, data, n, err) : MB_OK);
    MB_TRY(append(a, sum, sizeof sum, err));
done:
    return status;
}

/* fcTL: the whole canvas, replacing what is there. Longer than a minute: in hundredths, in seconds. */
static mb_status append_control(mb_animation_file *a, long long ms, mb_error *err)
{
    uint8_t v[22] = {0};
    const unsigned under = ms <= 65535 ? 1000 : ms <= 655350 ? 100 : 1;
    put32(v, (uint32_t)a->width);
    put32(v + 4, (uint32_t)a->height);
    put16(v + 16, (unsigned)((double)ms * under / 1000.0 + 0.5));
    put16(v + 18, under);
    const uint32_t number = a->sequence++;
    return append_chunk(a, "fcTL", &number, v, sizeof v, err);
}

/* The chunks of a whole PNG: of the first frame all, of others the data alone. */
static mb_status append_png(mb_animation_file *a, const uint8_t *png, size_t n, long long ms, mb_error *err)
{
    mb_status status = MB_OK;
    bool controlled = false;
    if (a->n_frames == 0) {
        const uint8_t nothing[8] = {0}; /* acTL, filled in at the end */
        MB_TRY(append(a, png, PNG_HEAD, err));
        MB_TRY(append_chunk(a, "acTL", NULL, nothing, sizeof nothing, err));
    }
    for (size_t at = PNG_HEAD; at + 12 <= n;) {
        const uint8_t *chunk = png + at;
        const size_t bytes = get32(chunk);
        at += 12 + bytes;
        if (memcmp(chunk + 4, "IEND", 4) == 0) {
            break;
        }
        const bool is_data = memcmp(chunk + 4, "IDAT", 4) == 0;
        if (is_data && !controlled) {
            MB_TRY(append_control(a, ms, err));
            controlled = true;
        }
        if (a->n_frames == 0) {
            MB_TRY(append(a, chunk, 12 + bytes, err));
        } else if (is_data) {
            const uint32_t number = a->sequence++;
            MB_TRY(append_chunk(a, "fdAT", &number, chunk + 8, bytes, err));
        }
    }
done:
    return status;
}

/* A copy, so that it can be asked for again: a disk may have been full. */
static mb_status end_png(void **out, size_t *n, mb_animation_file *a, mb_error *err)
{
    uint8_t *control = a->bytes + PNG_HEAD + 8;
    const size_t before = a->n;
    put32(control, a->n_frames);
    put32(control + 4, (uint32_t)a->loops);
    put32(control + 8, (uint32_t)crc32(crc32(0, NULL, 0), control - 4, 12));
    mb_status status = MB_OK;
    MB_TRY(append_chunk(a, "IEND", NULL, NULL, 0, err));
    MB_TRY(copy_block(out, a->bytes, a->n, err));
    *n = a->n;
done:
    a->n = before;
    return status;
}

/* ---- WebP */

#if MB_HAVE_WEBPMUX
static mb_status push_webp(mb_animation_file *a, const void *bytes, size_t n, long long ms, mb_error *err)
{
    const WebPMuxFrameInfo frame = {.bitstream = {bytes, n},
                                    .duration = (int)ms,
                                    .id = WEBP_CHUNK_ANMF,
                                    .dispose_method = WEBP_MUX_DISPOSE_NONE,
                                    .blend_method = WEBP_MUX_NO_BLEND};
    return WebPMuxPushFrame(a->mux, &frame, 1) == WEBP_MUX_OK ? MB_OK : mb_fail_memory(err, n, "an animated WebP");
}

static mb_status end_webp(void **out, size_t *n, mb_animation_file *a, mb_error *err)
{
    const WebPMuxAnimParams params = {.bgcolor = 0, .loop_count = a->loops};
    WebPData whole = {NULL, 0};
    mb_status status = MB_OK;
    if (WebPMuxSetAnimationParams(a->mux, &params) != WEBP_MUX_OK) {
        return mb_fail_memory(err, sizeof params, "an animated WebP");
    }
    MB_TRY(mb_webp_wrap(a->mux, &whole, a->spec.metadata, err));
    *out = mb_alloc(whole.size);
    if (*out == NULL) {
        MB_TRY(mb_fail_memory(err, whole.size, "an animated WebP"));
    }
    memcpy(*out, whole.bytes, whole.size);
    *n = whole.size;
done:
    WebPDataClear(&whole);
    return status;
}
#endif

/* ---- both */

static mb_status check_frame(mb_animation_file *a, const mb_image *frame, mb_error *err)
{
    if (a->n_frames == 0) {
        a->width = frame->width;
        a->height = frame->height;
        a->pixels = frame->pixels;
        a->depth = frame->depth;
    }
    if (frame->width != a->width || frame->height != a->height) {
        return mb_fail(err, MB_E_ARGUMENT, "frame %u of the animation has %dx%d pixels, the first has %dx%d",
                       (unsigned)a->n_frames + 1, frame->width, frame->height, a->width, a->height);
    }
    if (frame->pixels != a->pixels || frame->depth != a->depth) {
        return mb_fail(err, MB_E_ARGUMENT, "frame %u of the animation has other samples than the first",
                       (unsigned)a->n_frames + 1);
    }
    return MB_OK;
}

mb_status mb_animation_file_add(const mb_task *task, mb_animation_file *a, const mb_image *frame, double duration_ms,
                                mb_error *err)
{
    void *bytes = NULL;
    size_t n = 0;
    mb_status status = MB_OK;
    mb_save_spec spec = a->spec;
    const mb_animation_file before = *a;
    MB_TRY(mb_image_check(frame, err));
    MB_TRY(check_frame(a, frame, err));
    if (spec.format == MB_FORMAT_WEBP) {
        spec.metadata = NULL; /* of the file, not of its frames */
    }
    MB_TRY(mb_image_u8_encode(task, &bytes, &n, frame, &spec, err));
    const long long ms = round_duration(a, duration_ms);
#if MB_HAVE_WEBPMUX
    if (a->mux != NULL) {
        MB_TRY(push_webp(a, bytes, n, ms, err));
    }
#endif
    if (spec.format != MB_FORMAT_WEBP) {
        MB_TRY(append_png(a, bytes, n, ms, err));
    }
    a->n_frames++;
done:
    if (status != MB_OK) { /* as if it had not been tried: half of a frame would spoil the file */
        a->n = before.n;
        a->sequence = before.sequence;
        a->time_ms = before.time_ms;
        a->said_ms = before.said_ms;
    }
    mb_free(bytes);
    return status;
}

mb_status mb_animation_file_end(void **out, size_t *n, mb_animation_file *a, mb_error *err)
{
    *out = NULL;
    *n = 0;
    if (a->n_frames == 0) {
        return mb_fail(err, MB_E_ARGUMENT, "an animation without frames");
    }
#if MB_HAVE_WEBPMUX
    if (a->mux != NULL) {
        return end_webp(out, n, a, err);
    }
#endif
    return end_png(out, n, a, err);
}
