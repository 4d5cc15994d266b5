/* The public face of engine/image's files: loading, probing, saving, encoding. Structs of the caller are copied field
 * by field into those of the codecs, checked on the way; pictures move without a copy. */
#include "pipeline/image_options.h"

#include "core/sized.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/os_file.h"
#include "image/convert.h"
#include "image/codec/load.h"
#include "image/codec/save.h"
#include "image/codec/sniff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROBE_BYTES 65536

void mb_load_options_init(mb_load_options *options)
{
    *options = (mb_load_options){.size = sizeof *options, .max_megapixels = 500.0, .max_frames = 10000};
}

/* The caller's question whether to stop, as the decoders ask it. */
static bool should_stop(void *options)
{
    const mb_load_options *o = options;
    return o->cancel(o->user) != 0;
}

/* `full` becomes the options with their defaults, and must live as long as the task. */
mb_status mb_read_load_options(mb_task *task, mb_load_limits *limits, mb_load_options *full,
                               const mb_load_options *options, mb_error *err)
{
    mb_load_options_init(full);
    mb_load_limits_init(limits);
    mb_status status = options != NULL ? mb_copy_sized(full, sizeof *full, options, "mb_load_options", err) : MB_OK;
    const mb_load_options o = *full;
    if (status == MB_OK && !(o.max_megapixels > 0.0 && o.max_megapixels <= 4295.0)) { /* sides are at most 65,535 */
        return mb_fail(err, MB_E_ARGUMENT, "mb_load_options.max_megapixels %g: above 0, to 4295", o.max_megapixels);
    }
    if (status == MB_OK && (o.max_frames < 1 || o.max_frames > 1000000)) {
        return mb_fail(err, MB_E_ARGUMENT, "mb_load_options.max_frames %d: 1 to 1000000", o.max_frames);
    }
    limits->max_megapixels = o.max_megapixels;
    limits->accept_partial = o.accept_partial != 0;
    limits->keep_depth = o.keep_depth != 0;
    limits->keep_alpha = o.keep_alpha != 0;
    limits->metadata = o.metadata;
    limits->plain_colours = o.plain_colours != 0;
    limits->max_frames = o.max_frames;
    limits->max_memory = o.max_memory;
    *task = o.cancel != NULL ? (mb_task){.should_stop = should_stop, .user = full} : (mb_task){0};
    return status;
}

/* Into the caller's struct, which may be shorter than ours. out: NULL if it does not want to know. */
mb_status mb_return_source(mb_image_source *out, const mb_load_info *info, mb_error *err)
{
    if (out == NULL) {
        return MB_OK;
    }
    mb_image_source s = {.size = sizeof s};
    mb_status status = mb_check_sized(out, "mb_image_source", err);
    if (status != MB_OK) {
        return status;
    }
    memcpy(s.format, info->format, sizeof s.format);
    s.width = info->width;
    s.height = info->height;
    s.channels = info->channels;
    s.bits = info->bits;
    s.orientation = info->orientation > 0 ? info->orientation : 1;
    memcpy(s.warning, info->warning, sizeof s.warning);
    s.alpha = info->alpha;
    mb_return_sized(out, &s, sizeof s);
    return MB_OK;
}

/* Colours and alpha in one picture of four samples a pixel; 16 bits where both have them. */
static mb_status join_alpha(mb_image *out, const mb_image_u8 *p, const mb_load_info *info, mb_error *err)
{
    const bool wide = info->u16 != NULL;
    const size_t n = (size_t)p->width * (size_t)p->height;
    mb_status status =
        mb_image_create(out, p->width, p->height, MB_PIXELS_RGBA, wide ? MB_DEPTH_U16 : MB_DEPTH_U8, err);
    if (status != MB_OK) {
        return status;
    }
    if (wide) {
        uint16_t *v = out->data;
        for (size_t i = 0; i < n; i++) {
            memcpy(v + 4 * i, info->u16 + 3 * i, 3 * sizeof *v);
            v[4 * i + 3] = info->u16_alpha[i];
        }
        return MB_OK;
    }
    uint8_t *v = out->data;
    for (size_t i = 0; i < n; i++) {
        memcpy(v + 4 * i, p->v + 3 * i, 3);
        v[4 * i + 3] = info->alpha_plane.v[i];
    }
    return MB_OK;
}

/* The picture at the depth it was asked for, with its alpha if that was. */
mb_status mb_take_loaded(mb_image *out, mb_image_u8 *p, mb_load_info *info, mb_error *err)
{
    if (info->alpha_plane.v != NULL) {
        return join_alpha(out, p, info, err);
    }
    if (info->u16 == NULL) {
        mb_image_take(out, p);
        return MB_OK;
    }
    *out = (mb_image){.data = info->u16,
                      .owned = info->u16,
                      .width = p->width,
                      .height = p->height,
                      .pixels = MB_PIXELS_RGB,
                      .depth = MB_DEPTH_U16};
    info->u16 = NULL;
    return MB_OK;
}

/* A file, or with path NULL the bytes of one: 8 bits unless keep_depth, upright. */
static mb_status load(mb_image *out, mb_image_source *source, const char *path, const void *bytes, size_t n_bytes,
                      const mb_load_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_task task;
    mb_load_limits limits;
    mb_load_options full;
    mb_load_info info = {0};
    mb_image_u8 p = {0};
    *out = (mb_image){0};
    MB_TRY(mb_read_load_options(&task, &limits, &full, options, err));
    MB_TRY(path != NULL ? mb_load_file(&task, &p, &info, path, &limits, err)
                        : mb_load_memory(&task, &p, &info, bytes, n_bytes, NULL, &limits, err));
    MB_TRY(mb_return_source(source, &info, err));
    MB_TRY(mb_take_loaded(out, &p, &info, err));
done:
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&p);
    return status;
}

mb_status mb_image_load(mb_image *out, mb_image_source *source, const char *path, const mb_load_options *options,
                        mb_error *err)
{
    return load(out, source, path, NULL, 0, options, err);
}

/* The bytes need not outlive the call. */
mb_status mb_image_load_memory(mb_image *out, mb_image_source *source, const void *bytes, size_t n_bytes,
                               const mb_load_options *options, mb_error *err)
{
    return load(out, source, NULL, bytes, n_bytes, options, err);
}

/* From the first 64 kB alone: no decoder runs, and a picture of any size takes the same time. */
mb_status mb_image_probe(mb_image_source *out, const char *path, mb_error *err)
{
    uint8_t *head = mb_alloc(PROBE_BYTES);
    if (head == NULL) {
        return mb_fail_memory(err, PROBE_BYTES, "a file's head");
    }
    mb_status status = MB_OK;
    size_t n = 0;
    int fd, code = mb_os_open(&fd, path, MB_OS_READ_NO_WAIT); /* a FIFO in a folder must not hang the walk */
    if (code == 0) {
        code = mb_os_read(fd, head, PROBE_BYTES, &n);
        (void)mb_os_close(fd);
    }
    if (code != 0) {
        char why[200];
        const bool missing = code == ENOENT;
        const char *text = !missing                                    ? mb_os_error_text(code, why, sizeof why)
                           : mb_os_name_trouble(why, sizeof why, path) ? why
                                                                       : "no such file";
        status = mb_fail(err, MB_E_IO, "%.300s: %s%s", path, missing ? "" : "cannot be read: ", text);
    } else {
        mb_sniffed s = mb_sniff(head, n);
        if (s.type == MB_FILE_UNKNOWN) {
            const char *guess = mb_sniff_guess(head, n);
            status =
                mb_fail(err, MB_E_MISMATCH, "%.300s: not a picture%s%s%s", path,
                        guess != NULL ? " (it starts like " : "", guess != NULL ? guess : "", guess != NULL ? ")" : "");
        } else {
            mb_load_info info = {.width = (int)s.width,
                                 .height = (int)s.height,
                                 .channels = s.channels,
                                 .bits = s.bits,
                                 .alpha = s.alpha};
            (void)snprintf(info.format, sizeof info.format, "%s", mb_file_type_name(s.type));
            status = mb_return_source(out, &info, err);
        }
    }
    mb_free(head);
    return status;
}

/* ---- writing */

void mb_save_options_init(mb_save_options *options)
{
    *options = (mb_save_options){.size = sizeof *options, .overwrite = 1, .level = 3, .threads = 1};
}

/* Checks, and from the public struct to the encoder's; *threads: as the caller asked for. */
mb_status mb_read_save_options(mb_save_spec *spec, int *threads, const mb_save_options *options, mb_error *err)
{
    mb_save_options o;
    mb_save_options_init(&o);
    mb_save_spec_init(spec);
    mb_status status = options != NULL ? mb_copy_sized(&o, sizeof o, options, "mb_save_options", err) : MB_OK;
    if (status == MB_OK && (o.level < 0 || o.level > 9)) {
        return mb_fail(err, MB_E_ARGUMENT, "mb_save_options.level %d: 0 to 9", o.level);
    }
    if (status == MB_OK && (o.quality < 0 || o.quality > 100)) {
        return mb_fail(err, MB_E_ARGUMENT, "quality %d: 1 to 100", o.quality);
    }
    if (status == MB_OK && mb_format_name((int)o.format) == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "format %d is not known", (int)o.format);
    }
    if (status == MB_OK && (o.threads < 0 || o.threads > 1024)) {
        return mb_fail(err, MB_E_ARGUMENT, "threads %d: 0 (all processors) to 1024", o.threads);
    }
    spec->format = o.format;
    spec->level = o.level;
    spec->quality = o.quality;
    spec->text_key = o.note != NULL ? "Comment" : NULL;
    spec->text = o.note;
    spec->replace = o.overwrite != 0;
    spec->metadata = o.metadata;
    *threads = o.threads;
    return status;
}

/* Threads for a picture that is worth starting them; NULL: none. */
mb_status mb_make_save_pool(mb_pool **out, const mb_image *image, int threads, mb_error *err)
{
    const double worth_pixels = 5e5;
    if (threads == 1 || (double)image->width * (double)image->height < worth_pixels) {
        return MB_OK;
    }
    return mb_pool_create(out, threads, err);
}

mb_status mb_image_check_path(const char *path, mb_error *err)
{
    return mb_save_check_path(path, err);
}

/* The format is the one of the options, else by the path's ending (save.h). Written whole or not at all. */
mb_status mb_image_save(const mb_image *image, const char *path, const mb_save_options *options, mb_error *err)
{
    mb_save_spec spec;
    int threads = 1;
    mb_pool *pool = NULL;
    mb_status status = MB_OK;
    MB_TRY(mb_image_check(image, err));
    MB_TRY(mb_read_save_options(&spec, &threads, options, err));
    MB_TRY(mb_make_save_pool(&pool, image, threads, err));
    MB_TRY(mb_image_u8_save(&(mb_task){.pool = pool}, path, image, &spec, err));
done:
    mb_pool_free(pool);
    return status;
}

/* Bytes of the caller's: free them with mb_buffer_free. */
mb_status mb_image_encode(void **out, size_t *n_bytes, const mb_image *image, const mb_save_options *options,
                          mb_error *err)
{
    mb_save_spec spec;
    int threads = 1;
    mb_pool *pool = NULL;
    mb_status status = MB_OK;
    *out = NULL;
    *n_bytes = 0;
    MB_TRY(mb_image_check(image, err));
    MB_TRY(mb_read_save_options(&spec, &threads, options, err));
    MB_TRY(mb_make_save_pool(&pool, image, threads, err));
    MB_TRY(mb_image_u8_encode(&(mb_task){.pool = pool}, out, n_bytes, image, &spec, err));
done:
    mb_pool_free(pool);
    return status;
}

void mb_buffer_free(void *buffer)
{
    mb_free(buffer);
}
