/* JPEG XL through libjxl: 8 bits, or 16 of anything deeper; the first frame, or the one that is asked for, composed by
 * the library. It applies the orientation; an EXIF block that repeats it is carried, not applied again.
 *
 * The library takes its small blocks from the budget and its planes from the heap: the size that the codestream declares
 * has passed our limits before it sees a byte. It decodes in the calling thread. */
#include "image/codec/codec.h"

#if MB_HAVE_JXL

#include "core/alloc.h"
#include "image/codec/library.h"
#include "image/codec/metadata.h"

#include <stdio.h>
#include <string.h>

#include <jxl/decode.h>
#include <jxl/version.h>

#define FUNCTIONS(X)                                                                                                   \
    X(JxlDecoderCreate)                                                                                                \
    X(JxlDecoderDestroy)                                                                                               \
    X(JxlDecoderSubscribeEvents)                                                                                       \
    X(JxlDecoderSetUnpremultiplyAlpha)                                                                                 \
    X(JxlDecoderSetPreferredColorProfile)                                                                              \
    X(JxlDecoderSkipFrames)                                                                                            \
    X(JxlDecoderSetInput)                                                                                              \
    X(JxlDecoderCloseInput)                                                                                            \
    X(JxlDecoderProcessInput)                                                                                          \
    X(JxlDecoderGetBasicInfo)                                                                                          \
    X(JxlDecoderGetExtraChannelInfo)                                                                                   \
    X(JxlDecoderGetColorAsEncodedProfile)                                                                              \
    X(JxlDecoderGetICCProfileSize)                                                                                     \
    X(JxlDecoderGetColorAsICCProfile)                                                                                  \
    X(JxlDecoderGetFrameHeader)                                                                                        \
    X(JxlDecoderImageOutBufferSize)                                                                                    \
    X(JxlDecoderSetImageOutBuffer)                                                                                     \
    X(JxlDecoderFlushImage)                                                                                            \
    X(JxlDecoderVersion)
static struct {
    FUNCTIONS(MB_LIBRARY_FIELD)
} api;
#define SYMBOL(f) {#f, offsetof(__typeof__(api), f)},
static const mb_library_symbol symbols[] = {FUNCTIONS(SYMBOL)};
#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
/* Before version 1 every minor version has an interface of its own. */
static mb_library library =
    MB_LIBRARY("libjxl.so." TEXT(JPEGXL_MAJOR_VERSION) "." TEXT(JPEGXL_MINOR_VERSION),
               "libjxl" TEXT(JPEGXL_MAJOR_VERSION) "." TEXT(JPEGXL_MINOR_VERSION), api, symbols);

#if JPEGXL_NUMERIC_VERSION < JPEGXL_COMPUTE_NUMERIC_VERSION(0, 9, 0)
#define OF_COLOURS(s) &(s)->format, JXL_COLOR_PROFILE_TARGET_DATA /* a parameter that later versions dropped */
#else
#define OF_COLOURS(s) JXL_COLOR_PROFILE_TARGET_DATA
#endif

typedef struct session {
    mb_decode_job *job;
    JxlDecoder *decoder;
    JxlPixelFormat format;
    JxlBasicInfo info;
    void *samples; /* in the budget; NULL until a frame begins */
} session;

static void *on_alloc(void *budget, size_t bytes)
{
    return mb_budget_alloc(budget, bytes);
}

static void on_free(void *budget, void *p)
{
    mb_budget_free(budget, p);
}

static mb_status damaged(const session *s)
{
    return s->job->budget->exceeded
               ? mb_fail(s->job->err, MB_E_MEMORY, "JPEG XL: decoding it needs more than %.1f MB of memory",
                         (double)s->job->budget->limit * 1e-6)
               : mb_fail(s->job->err, MB_E_FORMAT,
                         "damaged JPEG XL: the picture data cannot be decoded\ncopy or download it again");
}

/* CMYK keeps its black in an extra channel. */
static mb_status check_extra_channels(const session *s)
{
    for (uint32_t i = 0; i < s->info.num_extra_channels; i++) {
        JxlExtraChannelInfo extra;
        if (api.JxlDecoderGetExtraChannelInfo(s->decoder, i, &extra) == JXL_DEC_SUCCESS &&
            extra.type == JXL_CHANNEL_BLACK) {
            return mb_fail(s->job->err, MB_E_UNSUPPORTED, "JPEG XL in CMYK is not read\nsave it as RGB");
        }
    }
    return MB_OK;
}

/* The size, turned as the picture will be; depth and alpha. */
static mb_status take_info(session *s)
{
    mb_decode_job *job = s->job;
    mb_status status = MB_OK;
    if (api.JxlDecoderGetBasicInfo(s->decoder, &s->info) != JXL_DEC_SUCCESS) {
        return damaged(s);
    }
    if ((int64_t)s->info.xsize * s->info.ysize != job->head.width * job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged JPEG XL: headers that disagree about its size");
    }
    MB_TRY(mb_decode_set_size(job, s->info.xsize, s->info.ysize));
    MB_TRY(check_extra_channels(s));
    const bool deep = s->info.bits_per_sample > 8 || s->info.exponent_bits_per_sample > 0;
    job->info->bits = (int)s->info.bits_per_sample;
    job->info->alpha = s->info.alpha_bits > 0;
    job->info->channels = (int)s->info.num_color_channels + (job->info->alpha ? 1 : 0);
    s->format = (JxlPixelFormat){.num_channels = job->info->alpha ? 4 : 3,
                                 .data_type = deep ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8,
                                 .endianness = JXL_NATIVE_ENDIAN};
done:
    return status;
}

/* Lossy pictures may come with linear light, which no other format here has: as sRGB, please. Else the profile is taken
 * as it is; sRGB, which is the custom, needs none. */
static mb_status take_colours(session *s)
{
    mb_decode_job *job = s->job;
    JxlColorEncoding c;
    mb_status status = MB_OK;
    size_t n = 0;
    bool known = api.JxlDecoderGetColorAsEncodedProfile(s->decoder, OF_COLOURS(s), &c) == JXL_DEC_SUCCESS;
    if (known && !s->info.uses_original_profile && c.transfer_function == JXL_TRANSFER_FUNCTION_LINEAR) {
        c.transfer_function = JXL_TRANSFER_FUNCTION_SRGB;
        c.rendering_intent = JXL_RENDERING_INTENT_RELATIVE;
        known = api.JxlDecoderSetPreferredColorProfile(s->decoder, &c) == JXL_DEC_SUCCESS &&
                api.JxlDecoderGetColorAsEncodedProfile(s->decoder, OF_COLOURS(s), &c) == JXL_DEC_SUCCESS;
    }
    const bool grey = known && c.color_space == JXL_COLOR_SPACE_GRAY;
    const bool srgb = known && c.transfer_function == JXL_TRANSFER_FUNCTION_SRGB &&
                      c.white_point == JXL_WHITE_POINT_D65 &&
                      (grey || (c.color_space == JXL_COLOR_SPACE_RGB && c.primaries == JXL_PRIMARIES_SRGB));
    if (job->limits->metadata == NULL || srgb ||
        api.JxlDecoderGetICCProfileSize(s->decoder, OF_COLOURS(s), &n) != JXL_DEC_SUCCESS || n == 0) {
        return MB_OK;
    }
    uint8_t *icc = mb_budget_alloc(job->budget, n);
    if (icc == NULL) {
        return mb_fail_memory(job->err, n, "a colour profile");
    }
    if (api.JxlDecoderGetColorAsICCProfile(s->decoder, OF_COLOURS(s), icc, n) == JXL_DEC_SUCCESS) {
        status = mb_metadata_set_icc(job->limits->metadata, (mb_bytes){icc, n}, job->err);
    }
    mb_budget_free(job->budget, icc);
    return status;
}

/* Before a frame's pixels: its duration, and where they go. */
static mb_status begin_frame(session *s)
{
    mb_decode_job *job = s->job;
    JxlFrameHeader frame;
    mb_status status = MB_OK;
    size_t n = 0;
    if (api.JxlDecoderGetFrameHeader(s->decoder, &frame) != JXL_DEC_SUCCESS ||
        api.JxlDecoderImageOutBufferSize(s->decoder, &s->format, &n) != JXL_DEC_SUCCESS) {
        return damaged(s);
    }
    const JxlAnimationHeader *a = &s->info.animation;
    if (s->info.have_animation && a->tps_numerator > 0) {
        job->info->duration_ms = 1e3 * frame.duration * a->tps_denominator / a->tps_numerator;
    }
    if (job->limits->frame == 0 && s->info.have_animation && !frame.is_last) {
        job->info->frames_ignored = true;
        (void)snprintf(job->info->warning, sizeof job->info->warning, "animated: only the first frame is used");
    }
    s->samples = mb_budget_alloc(job->budget, n);
    if (s->samples == NULL) {
        return mb_fail_memory(job->err, n, "a JPEG XL picture");
    }
    MB_TRY(mb_decode_check(job));
    if (api.JxlDecoderSetImageOutBuffer(s->decoder, &s->format, s->samples, n) != JXL_DEC_SUCCESS) {
        MB_TRY(damaged(s));
    }
done:
    return status;
}

/* Interleaved samples to the planes of the result. */
static mb_status copy_samples(const session *s)
{
    mb_decode_job *job = s->job;
    const size_t n = (size_t)job->head.width * (size_t)job->head.height, channels = s->format.num_channels;
    const bool deep = s->format.data_type == JXL_TYPE_UINT16;
    mb_status status = MB_OK;
    MB_TRY(mb_decode_begin(job));
    if (deep) {
        MB_TRY(mb_decode_begin_u16(job));
    }
    if (channels == 4) {
        MB_TRY(mb_decode_begin_alpha(job));
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = (const uint8_t *)s->samples + i * channels;
        const uint16_t *w = (const uint16_t *)s->samples + i * channels;
        for (size_t k = 0; k < 3; k++) {
            job->out->v[3 * i + k] = deep ? (uint8_t)(w[k] >> 8) : p[k];
        }
        if (job->info->u16 != NULL) {
            memcpy(job->info->u16 + 3 * i, w, 3 * sizeof *w);
        }
        if (job->info->alpha_plane.v != NULL) {
            job->info->alpha_plane.v[i] = deep ? (uint8_t)(w[3] >> 8) : p[3];
        }
        if (job->info->u16_alpha != NULL) {
            job->info->u16_alpha[i] = w[3];
        }
    }
done:
    return status;
}

/* The box "Exif": four bytes say where the TIFF structure starts behind them. Compressed ones ("brob") are left out. */
static mb_status read_exif(mb_decode_job *job)
{
    const mb_bytes file = {job->bytes, job->n};
    const mb_bytes box = mb_find_box(file, "Exif");
    if (job->limits->metadata == NULL || box.v == NULL || box.n <= 4) {
        return MB_OK;
    }
    const size_t skip = (size_t)box.v[0] << 24 | (size_t)box.v[1] << 16 | (size_t)box.v[2] << 8 | box.v[3];
    return skip < box.n - 4
               ? mb_metadata_set_exif(job->limits->metadata, (mb_bytes){box.v + 4 + skip, box.n - 4 - skip}, job->err)
               : MB_OK;
}

/* By the library's events, up to the first whole frame. */
static mb_status decode(session *s)
{
    mb_decode_job *job = s->job;
    mb_status status = MB_OK;
    for (;;) {
        switch (api.JxlDecoderProcessInput(s->decoder)) {
        case JXL_DEC_BASIC_INFO:
            MB_TRY(take_info(s));
            break;
        case JXL_DEC_COLOR_ENCODING:
            MB_TRY(take_colours(s));
            break;
        case JXL_DEC_FRAME:
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
            if (s->samples == NULL) {
                MB_TRY(begin_frame(s));
            }
            break;
        case JXL_DEC_FULL_IMAGE:
            MB_TRY(copy_samples(s));
            return read_exif(job);
        case JXL_DEC_NEED_MORE_INPUT: /* there is no more */
            job->ended_early = true;
            job->rows = 0;
            if (s->samples != NULL && api.JxlDecoderFlushImage(s->decoder) == JXL_DEC_SUCCESS) {
                job->rows = -1;
                MB_TRY(copy_samples(s));
            }
            return MB_OK;
        default:
            return damaged(s);
        }
    }
done:
    return status;
}

static JxlDecoder *create(mb_decode_job *job, int events)
{
    const JxlMemoryManager memory = {job->budget, on_alloc, on_free};
    JxlDecoder *d = api.JxlDecoderCreate(&memory);
    if (d != NULL && (api.JxlDecoderSubscribeEvents(d, events) != JXL_DEC_SUCCESS ||
                      api.JxlDecoderSetUnpremultiplyAlpha(d, JXL_TRUE) != JXL_DEC_SUCCESS ||
                      api.JxlDecoderSetInput(d, job->bytes, job->n) != JXL_DEC_SUCCESS)) {
        api.JxlDecoderDestroy(d);
        return NULL;
    }
    if (d != NULL) {
        api.JxlDecoderCloseInput(d);
    }
    return d;
}

mb_status mb_decode_jxl(mb_decode_job *job)
{
    if (!mb_library_open(&library)) {
        return mb_library_missing(&library, "JPEG XL", job->err);
    }
    session s = {.job = job,
                 .decoder =
                     create(job, JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FRAME | JXL_DEC_FULL_IMAGE)};
    if (s.decoder == NULL) {
        return mb_fail_memory(job->err, sizeof s, "a JPEG XL decoder");
    }
    if (job->limits->frame > 1) {
        api.JxlDecoderSkipFrames(s.decoder, (size_t)job->limits->frame - 1);
    }
    mb_status status = decode(&s);
    api.JxlDecoderDestroy(s.decoder);
    return status;
}

int mb_jxl_count(mb_decode_job *job, int *loops)
{
    JxlDecoder *d = mb_library_open(&library) ? create(job, JXL_DEC_BASIC_INFO | JXL_DEC_FRAME) : NULL;
    JxlBasicInfo info;
    int n = 0;
    *loops = 0;
    for (JxlDecoderStatus code = JXL_DEC_FRAME; d != NULL && n <= job->limits->max_frames; n += code == JXL_DEC_FRAME) {
        code = api.JxlDecoderProcessInput(d);
        if (code == JXL_DEC_BASIC_INFO && api.JxlDecoderGetBasicInfo(d, &info) == JXL_DEC_SUCCESS &&
            info.have_animation) {
            *loops = (int)(info.animation.num_loops & 0xFFFF);
        } else if (code != JXL_DEC_FRAME && code != JXL_DEC_BASIC_INFO) {
            break;
        }
    }
    if (d != NULL) {
        api.JxlDecoderDestroy(d);
    }
    return n;
}

void mb_jxl_version(char *text, size_t n)
{
    if (mb_library_open(&library)) {
        const unsigned v = api.JxlDecoderVersion();
        (void)snprintf(text, n, "libjxl %u.%u.%u", v / 1000000, v / 1000 % 1000, v % 1000);
    } else {
        (void)snprintf(text, n, "not found: %s", library.reason);
    }
}

#else
typedef int mb_no_jxl; /* an empty file is not C */
#endif
