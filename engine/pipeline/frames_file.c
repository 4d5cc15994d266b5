/* The public face of files of several pictures, read and written. */
#include "pipeline/image_options.h"

#include "core/alloc.h"
#include "core/file.h"
#include "image/codec/frames.h"
#include "image/codec/save_animation.h"
#include "image/convert.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct mb_frames {
    mb_frame_file file;
    void *owned; /* the bytes of a file; NULL: the caller's */
    mb_frames_info info;
};

static mb_status open_bytes(mb_frames *f, const void *bytes, size_t n, const char *name, const mb_load_limits *limits,
                            mb_error *err)
{
    mb_status status = mb_frame_file_open(&f->file, bytes, n, name, limits, err);
    if (status != MB_OK) {
        return status;
    }
    const char *type = mb_file_type_name(f->file.head.type);
    for (size_t i = 0; type[i] != '\0' && i + 1 < sizeof f->info.format; i++) {
        f->info.format[i] = (char)tolower((unsigned char)type[i]);
    }
    f->info.n_frames = f->file.count;
    f->info.loops = f->file.loops;
    f->info.animated = f->file.animated;
    return MB_OK;
}

static mb_status open_frames(mb_frames **out, const char *path, const void *bytes, size_t n_bytes,
                             const mb_load_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_task task;
    mb_load_limits limits;
    mb_load_options full;
    *out = NULL;
    mb_frames *f = mb_calloc(1, sizeof *f);
    if (f == NULL) {
        return mb_fail_memory(err, sizeof *f, "a file of frames");
    }
    MB_TRY(mb_read_load_options(&task, &limits, &full, options, err));
    if (path != NULL) {
        MB_TRY(mb_read_file(&f->owned, &n_bytes, path, limits.max_bytes, err));
        bytes = f->owned;
    }
    MB_TRY(open_bytes(f, bytes, n_bytes,
                      path == NULL             ? NULL
                      : strcmp(path, "-") == 0 ? "standard input"
                                               : path,
                      &limits, err));
    *out = f;
    f = NULL;
done:
    mb_frames_free(f);
    return status;
}

mb_status mb_frames_open(mb_frames **out, const char *path, const mb_load_options *options, mb_error *err)
{
    return open_frames(out, path, NULL, 0, options, err);
}

mb_status mb_frames_open_memory(mb_frames **out, const void *bytes, size_t n_bytes, const mb_load_options *options,
                                mb_error *err)
{
    return open_frames(out, NULL, bytes, n_bytes, options, err);
}

void mb_frames_free(mb_frames *frames)
{
    if (frames != NULL) {
        mb_frame_file_close(&frames->file);
        mb_free(frames->owned);
        mb_free(frames);
    }
}

const mb_frames_info *mb_frames_get_info(const mb_frames *frames)
{
    return &frames->info;
}

mb_status mb_frames_read(mb_image *out, mb_image_source *source, double *duration_ms, mb_frames *frames, int i,
                         const mb_load_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_task task;
    mb_load_limits limits;
    mb_load_options full;
    mb_load_info info = {0};
    mb_image_u8 p = {0};
    *out = (mb_image){0};
    if (i < 0 || i >= frames->info.n_frames) {
        return mb_fail(err, MB_E_ARGUMENT, "frame %d: there are %d, from 0", i, frames->info.n_frames);
    }
    MB_TRY(mb_read_load_options(&task, &limits, &full, options, err));
    MB_TRY(mb_frame_file_load(&task, &p, &info, &frames->file, i + 1, &limits, err));
    if (duration_ms != NULL) {
        *duration_ms = info.duration_ms;
    }
    MB_TRY(mb_return_source(source, &info, err));
    MB_TRY(mb_take_loaded(out, &p, &info, err));
done:
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&p);
    return status;
}

/* ---- writing */

struct mb_animation {
    mb_animation_file *file;
    bool replace;
    int threads;
};

mb_status mb_animation_create(mb_animation **out, int loops, const mb_save_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    mb_save_spec spec;
    *out = NULL;
    mb_animation *a = mb_calloc(1, sizeof *a);
    if (a == NULL) {
        return mb_fail_memory(err, sizeof *a, "an animation");
    }
    MB_TRY(mb_read_save_options(&spec, &a->threads, options, err));
    a->replace = spec.replace;
    MB_TRY(mb_animation_file_create(&a->file, loops, &spec, err));
    *out = a;
    a = NULL;
done:
    mb_animation_free(a);
    return status;
}

mb_status mb_animation_add(mb_animation *animation, const mb_image *frame, double duration_ms, mb_error *err)
{
    mb_pool *pool = NULL;
    mb_status status = MB_OK;
    MB_TRY(mb_image_check(frame, err));
    MB_TRY(mb_make_save_pool(&pool, frame, animation->threads, err));
    MB_TRY(mb_animation_file_add(&(mb_task){.pool = pool}, animation->file, frame, duration_ms, err));
done:
    mb_pool_free(pool);
    return status;
}

mb_status mb_animation_encode(void **out, size_t *n_bytes, mb_animation *animation, mb_error *err)
{
    return mb_animation_file_end(out, n_bytes, animation->file, err);
}

mb_status mb_animation_save(mb_animation *animation, const char *path, mb_error *err)
{
    void *bytes = NULL;
    size_t n = 0;
    mb_status status = MB_OK;
    MB_TRY(mb_animation_file_end(&bytes, &n, animation->file, err));
    MB_TRY(mb_write_file(path, bytes, n, animation->replace, err));
done:
    mb_free(bytes);
    return status;
}

void mb_animation_free(mb_animation *animation)
{
    if (animation != NULL) {
        mb_animation_file_free(animation->file);
        mb_free(animation);
    }
}
