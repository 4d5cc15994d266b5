/* HEIC and AVIF through libheif: the primary picture, 8 bits, or up to 16. The library turns and mirrors it as the boxes
 * irot and imir say; the EXIF orientation repeats that and is not applied again.
 *
 * The library has no hook for its memory: its own limit of the picture's size is set, the sizes that the file declares
 * have passed ours before it sees a byte, and it decodes in the calling thread. */
#include "image/codec/codec.h"

#if MB_HAVE_HEIF

#include "core/alloc.h"
#include "core/os_library.h"
#include "image/codec/library.h"
#include "image/codec/metadata.h"

#include <stdio.h>
#include <string.h>

#include <libheif/heif.h>

#define FUNCTIONS(X)                                                                                                   \
    X(heif_context_alloc)                                                                                              \
    X(heif_context_free)                                                                                               \
    X(heif_context_get_image_handle)                                                                                   \
    X(heif_context_get_list_of_top_level_image_IDs)                                                                    \
    X(heif_context_get_number_of_top_level_images)                                                                     \
    X(heif_context_get_primary_image_handle)                                                                           \
    X(heif_context_read_from_memory_without_copy)                                                                      \
    X(heif_context_set_max_decoding_threads)                                                                           \
    X(heif_context_set_maximum_image_size_limit)                                                                       \
    X(heif_decode_image)                                                                                               \
    X(heif_get_version)                                                                                                \
    X(heif_image_get_height)                                                                                           \
    X(heif_image_get_plane_readonly)                                                                                   \
    X(heif_image_get_width)                                                                                            \
    X(heif_image_handle_get_height)                                                                                    \
    X(heif_image_handle_get_list_of_metadata_block_IDs)                                                                \
    X(heif_image_handle_get_luma_bits_per_pixel)                                                                       \
    X(heif_image_handle_get_metadata)                                                                                  \
    X(heif_image_handle_get_metadata_size)                                                                             \
    X(heif_image_handle_get_nclx_color_profile)                                                                        \
    X(heif_image_handle_get_raw_color_profile)                                                                         \
    X(heif_image_handle_get_raw_color_profile_size)                                                                    \
    X(heif_image_handle_get_width)                                                                                     \
    X(heif_image_handle_has_alpha_channel)                                                                             \
    X(heif_image_handle_is_premultiplied_alpha)                                                                        \
    X(heif_image_handle_release)                                                                                       \
    X(heif_image_release)                                                                                              \
    X(heif_nclx_color_profile_free)
static struct {
    FUNCTIONS(MB_LIBRARY_FIELD)
} api;
#define SYMBOL(f) {#f, offsetof(__typeof__(api), f)},
static const mb_library_symbol symbols[] = {FUNCTIONS(SYMBOL)};
static mb_library library = MB_LIBRARY(MB_OS_LIBRARY("libheif.so.1", "libheif.dll"), "libheif1", api, symbols);

typedef struct session {
    mb_decode_job *job;
    struct heif_context *context;
    struct heif_image_handle *handle;
    struct heif_image *image;
    int bits;
    bool alpha, premultiplied;
} session;

static mb_status fail(const session *s, struct heif_error e)
{
    const char *name = mb_file_type_name(s->job->head.type);
    if (e.code == heif_error_Memory_allocation_error) {
        return mb_fail(s->job->err, MB_E_MEMORY,
                       "%s: decoding it needs more memory than a picture of its size may take", name);
    }
    const bool unknown = e.code == heif_error_Unsupported_feature || e.code == heif_error_Unsupported_filetype;
    return mb_fail(s->job->err, unknown ? MB_E_UNSUPPORTED : MB_E_FORMAT, "%s%s: %.120s\n%s", unknown ? "" : "damaged ",
                   name, e.message, unknown ? "convert it to PNG or JPEG" : "copy or download it again");
}

/* The size that it will have, turned; within the declared sizes, which have been checked. */
static mb_status take_size(session *s)
{
    mb_decode_job *job = s->job;
    const int64_t width = api.heif_image_handle_get_width(s->handle),
                  height = api.heif_image_handle_get_height(s->handle);
    if (width < 1 || height < 1 || width * height > job->head.width * job->head.height ||
        width > job->limits->max_side || height > job->limits->max_side) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged %s: headers that disagree about its size",
                       mb_file_type_name(job->head.type));
    }
    job->head.width = width;
    job->head.height = height;
    job->info->width = (int)width;
    job->info->height = (int)height;
    s->bits = api.heif_image_handle_get_luma_bits_per_pixel(s->handle);
    s->alpha = api.heif_image_handle_has_alpha_channel(s->handle) != 0;
    s->premultiplied = s->alpha && api.heif_image_handle_is_premultiplied_alpha(s->handle) != 0;
    job->info->bits = s->bits;
    job->info->channels = s->alpha ? 4 : 3;
    job->info->alpha = s->alpha;
    if (job->limits->frame == 0 && api.heif_context_get_number_of_top_level_images(s->context) > 1) {
        job->info->frames_ignored = true;
        (void)snprintf(job->info->warning, sizeof job->info->warning, "several pictures: only the primary one is used");
    }
    return MB_OK;
}

static mb_status read_metadata(const session *s)
{
    mb_metadata *m = s->job->limits->metadata;
    mb_status status = MB_OK;
    heif_item_id id;
    void *data = NULL;
    const size_t icc = m != NULL ? api.heif_image_handle_get_raw_color_profile_size(s->handle) : 0;
    if (icc > 0 && icc <= s->job->n) {
        data = mb_budget_alloc(s->job->budget, icc);
        if (data != NULL && api.heif_image_handle_get_raw_color_profile(s->handle, data).code == heif_error_Ok) {
            MB_TRY(mb_metadata_set_icc(m, (mb_bytes){data, icc}, s->job->err));
        }
    }
    struct heif_color_profile_nclx *points = NULL;
    if (m != NULL && api.heif_image_handle_get_nclx_color_profile(s->handle, &points).code == heif_error_Ok) {
        status = mb_metadata_set_code_points(m, (unsigned)points->color_primaries,
                                             (unsigned)points->transfer_characteristics, s->job->err);
        api.heif_nclx_color_profile_free(points);
        MB_TRY(status);
    }
    if (m != NULL && api.heif_image_handle_get_list_of_metadata_block_IDs(s->handle, "Exif", &id, 1) == 1) {
        const size_t n = api.heif_image_handle_get_metadata_size(s->handle, id);
        uint8_t *exif = n > 4 && n <= s->job->n ? mb_budget_alloc(s->job->budget, n) : NULL;
        if (exif != NULL && api.heif_image_handle_get_metadata(s->handle, id, exif).code == heif_error_Ok) {
            const size_t skip = (size_t)exif[0] << 24 | (size_t)exif[1] << 16 | (size_t)exif[2] << 8 | exif[3];
            if (skip < n - 4) { /* four bytes say where the TIFF structure starts behind them */
                MB_TRY(mb_metadata_set_exif(m, (mb_bytes){exif + 4 + skip, n - 4 - skip}, s->job->err));
            }
        }
    }
done:
    return status;
}

/* Colour that was multiplied by alpha, straight again. */
static unsigned straighten(unsigned v, unsigned a, unsigned top)
{
    const unsigned long long x = a > 0 ? ((unsigned long long)v * top + a / 2) / a : 0;
    return x < top ? (unsigned)x : top;
}

static void put(const session *s, size_t i, const unsigned v[4], unsigned top)
{
    const mb_load_info *info = s->job->info;
    for (size_t k = 0; k < 3; k++) {
        const unsigned c = s->premultiplied ? straighten(v[k], v[3], top) : v[k];
        s->job->out->v[3 * i + k] = (uint8_t)(top == 255 ? c : c * 255 / top);
        if (info->u16 != NULL) {
            info->u16[3 * i + k] = (uint16_t)((c * 65535u + top / 2) / top);
        }
    }
    if (info->alpha_plane.v != NULL) {
        info->alpha_plane.v[i] = (uint8_t)(top == 255 ? v[3] : v[3] * 255 / top);
    }
    if (info->u16_alpha != NULL) {
        info->u16_alpha[i] = (uint16_t)((v[3] * 65535u + top / 2) / top);
    }
}

static mb_status copy_rows(session *s)
{
    mb_decode_job *job = s->job;
    const bool deep = s->bits > 8;
    const size_t width = (size_t)job->head.width, n = s->alpha ? 4 : 3, bytes = deep ? 2 : 1;
    const unsigned top = deep ? (1u << s->bits) - 1 : 255;
    int stride = 0;
    const uint8_t *plane = api.heif_image_get_plane_readonly(s->image, heif_channel_interleaved, &stride);
    mb_status status = MB_OK;
    if (plane == NULL || stride < 0 || (size_t)stride < width * n * bytes ||
        api.heif_image_get_width(s->image, heif_channel_interleaved) != (int)width ||
        api.heif_image_get_height(s->image, heif_channel_interleaved) != (int)job->head.height) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged %s: its picture has another size than its header says",
                       mb_file_type_name(job->head.type));
    }
    for (size_t y = 0; status == MB_OK && y < (size_t)job->head.height; y++, status = mb_decode_check(job)) {
        const uint8_t *p = plane + y * (size_t)stride;
        for (size_t x = 0; x < width; x++) {
            unsigned v[4] = {0, 0, 0, top};
            for (size_t k = 0; k < n; k++, p += bytes) {
                const unsigned sample = deep ? p[0] | (unsigned)p[1] << 8 : p[0];
                v[k] = sample < top ? sample : top;
            }
            put(s, y * width + x, v, top);
        }
    }
    return status;
}

/* The primary picture, or the one that is asked for in the order of the file. */
static struct heif_error find_picture(session *s)
{
    const int frame = s->job->limits->frame;
    heif_item_id *ids = frame > 0 ? mb_budget_alloc(s->job->budget, (size_t)frame * sizeof *ids) : NULL;
    if (frame > 0 && ids == NULL) {
        return (struct heif_error){heif_error_Memory_allocation_error, heif_suberror_Unspecified, ""};
    }
    if (frame > 0 && api.heif_context_get_list_of_top_level_image_IDs(s->context, ids, frame) >= frame) {
        return api.heif_context_get_image_handle(s->context, ids[frame - 1], &s->handle);
    }
    return api.heif_context_get_primary_image_handle(s->context, &s->handle);
}

static mb_status decode(session *s)
{
    mb_decode_job *job = s->job;
    mb_status status = MB_OK;
    struct heif_error e;
    /* Not more than the sides that the file declares, and what coded blocks may add to them. */
    const int64_t longer = job->head.width > job->head.height ? job->head.width : job->head.height;
    const int most = longer + 64 < job->limits->max_side ? (int)longer + 64 : job->limits->max_side;
    api.heif_context_set_maximum_image_size_limit(s->context, most);
    api.heif_context_set_max_decoding_threads(s->context, 0);
    e = api.heif_context_read_from_memory_without_copy(s->context, job->bytes, job->n, NULL);
    if (e.code == heif_error_Ok) {
        e = find_picture(s);
    }
    if (e.code != heif_error_Ok) {
        return fail(s, e);
    }
    MB_TRY(take_size(s));
    MB_TRY(mb_decode_check(job));
    const enum heif_chroma chroma =
        s->bits > 8 ? (s->alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE)
        : s->alpha  ? heif_chroma_interleaved_RGBA
                    : heif_chroma_interleaved_RGB;
    e = api.heif_decode_image(s->handle, &s->image, heif_colorspace_RGB, chroma, NULL);
    if (e.code != heif_error_Ok) {
        return fail(s, e);
    }
    MB_TRY(mb_decode_begin(job));
    if (s->bits > 8) {
        MB_TRY(mb_decode_begin_u16(job));
    }
    if (s->alpha) {
        MB_TRY(mb_decode_begin_alpha(job));
    }
    MB_TRY(read_metadata(s));
    MB_TRY(copy_rows(s));
done:
    return status;
}

mb_status mb_decode_heif(mb_decode_job *job)
{
    if (!mb_library_open(&library)) {
        return mb_library_missing(&library, mb_file_type_name(job->head.type), job->err);
    }
    session s = {.job = job, .context = api.heif_context_alloc()};
    if (s.context == NULL) {
        return mb_fail_memory(job->err, sizeof s, "a HEIF decoder");
    }
    mb_status status = decode(&s);
    if (s.image != NULL) {
        api.heif_image_release(s.image);
    }
    if (s.handle != NULL) {
        api.heif_image_handle_release(s.handle);
    }
    api.heif_context_free(s.context);
    return status;
}

int mb_heif_count(mb_decode_job *job)
{
    struct heif_context *context = mb_library_open(&library) ? api.heif_context_alloc() : NULL;
    int n = 0;
    if (context != NULL &&
        api.heif_context_read_from_memory_without_copy(context, job->bytes, job->n, NULL).code == heif_error_Ok) {
        n = api.heif_context_get_number_of_top_level_images(context);
    }
    if (context != NULL) {
        api.heif_context_free(context);
    }
    return n;
}

void mb_heif_version(char *text, size_t n)
{
    if (mb_library_open(&library)) {
        (void)snprintf(text, n, "libheif %s", api.heif_get_version());
    } else {
        (void)snprintf(text, n, "not found: %s", library.reason);
    }
}

#else
typedef int mb_no_heif; /* an empty file is not C */
#endif
